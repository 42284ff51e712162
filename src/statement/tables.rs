//! Which tables a statement names, before anything else of it is understood.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; those that are not named say nothing about tables"
)]

use super::cursor::Cursor;
use super::{StatementPosition, VirtualSchema};
use sqlparser::tokenizer::{Token, Word};
use std::collections::HashSet;

/// The virtual schema of this name; their names compare without regard to case.
pub(super) fn virtual_schema(name: &str) -> Option<VirtualSchema> {
    [VirtualSchema::Flashback, VirtualSchema::Diff, VirtualSchema::Snapshot, VirtualSchema::Undo]
        .into_iter()
        .find(|s| s.name().eq_ignore_ascii_case(name))
}

/// The virtual tables named anywhere, as `_schema.table`; the first two of them.
pub(super) fn virtual_tables(cursor: &Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut c = cursor.clone();
    c.go(0);
    while let Some(token) = c.peek() {
        let schema = match (token, c.ahead(1)) {
            (Token::Word(w), Some(Token::Period)) => virtual_schema(&w.value),
            _ => None,
        };
        c.skip(1);
        if let Some(schema) = schema {
            let mut name = schema.name().to_owned();
            path(&mut c, &mut name);
            // `_flashback.t.column` in a predicate names the same table again.
            if !found.iter().any(|f: &String| {
                name.eq_ignore_ascii_case(f)
                    || name.to_lowercase().starts_with(&format!("{}.", f.to_lowercase()))
            }) {
                found.push(name);
                // Two are too many already, and it does not matter how many more there are.
                if found.len() == 2 {
                    return found;
                }
            }
        }
    }
    found
}

/// The parts after the first one of a name.
fn path(c: &mut Cursor<'_>, name: &mut String) {
    while c.token(&Token::Period) {
        match c.next() {
            Some(Token::Word(part)) => {
                name.push('.');
                name.push_str(&part.value);
            }
            _ => break,
        }
    }
}

/// One level of parentheses.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Its FROM list has begun and not ended: a comma comes before another table.
    from: bool,
    /// A table comes next.
    wanted: bool,
    /// The arguments of a function: FROM in it is no clause (`EXTRACT(YEAR FROM d)`).
    call: bool,
}

/// Words that end a list of tables.
const ENDS: &[&str] = &[
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "WINDOW",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "INTO",
    "PROCEDURE",
    "LOCK",
    "SELECT",
];

/// Other words that say where tables are.
const TELLING: &[&str] = &[
    "FROM",
    "JOIN",
    "STRAIGHT_JOIN",
    "ON",
    "USING",
    "FOR",
    "TABLE",
    "LATERAL",
    "SYSTEM_TIME",
    "ALL",
    "DISTINCT",
];

/// The word in upper case, if it says anything about tables; else nothing.
fn telling(word: &Word) -> &'static str {
    if word.quote_style.is_some() {
        return "";
    }
    let known = ENDS.iter().chain(TELLING).copied();
    known.into_iter().find(|known| known.eq_ignore_ascii_case(&word.value)).unwrap_or_default()
}

/// The names that WITH gives: `name [(columns)] AS (`.
fn common_tables(cursor: &Cursor<'_>) -> HashSet<String> {
    let mut names = HashSet::new();
    let is_with = |token: &Token| matches!(token, Token::Word(w) if w.value.eq_ignore_ascii_case("WITH"));
    if !cursor.has(is_with) {
        return names;
    }
    let mut c = cursor.clone();
    c.go(0);
    let mut with = false;
    while let Some(token) = c.next() {
        let Token::Word(w) = token else { continue };
        with |= w.quote_style.is_none() && w.value.eq_ignore_ascii_case("WITH");
        if !with {
            continue;
        }
        let mut ahead = c.clone();
        if ahead.token(&Token::LParen) {
            while ahead.next().is_some_and(|t| t != Token::RParen) {}
        }
        if ahead.words(&["AS"]) && ahead.peek() == Some(&Token::LParen) {
            names.insert(w.value.to_lowercase());
        }
    }
    names
}

/// The first real table that a query names in any FROM, JOIN or TABLE, at any depth; and where.
pub(super) fn real_table(cursor: &Cursor<'_>) -> Option<(String, StatementPosition)> {
    let common = common_tables(cursor);
    let mut c = cursor.clone();
    c.go(0);
    let mut levels = vec![Level::default()];
    // The word just before, if that was one.
    let mut before: Option<&'static str> = None;
    let mut first = true;
    while let Some(token) = cursor.token_at(c.index()) {
        let position = c.index();
        c.skip(1);
        let word = match token {
            Token::Word(w) => Some(telling(w)),
            _ => None,
        };
        let mut now = *levels.last()?;
        match token {
            Token::LParen => {
                let query = c.clone().one_of(&["SELECT", "WITH", "VALUES", "TABLE"]).is_some();
                let list = now.wanted && !query;
                if let Some(outer) = levels.last_mut() {
                    outer.wanted = false;
                }
                levels.push(Level { from: list, wanted: list, call: !list && before.is_some() });
                (before, first) = (None, false);
                // TABLE may be where a query begins.
                if c.words(&["TABLE"])
                    && let Some(inner) = levels.last_mut()
                {
                    inner.wanted = true;
                }
                continue;
            }
            Token::RParen => {
                levels.pop();
                if levels.is_empty() {
                    levels.push(Level::default());
                }
                (before, first) = (None, false);
                continue;
            }
            // The parts of a name: keywords among them are none.
            Token::Period => {
                c.next();
            }
            // `{ OJ a LEFT OUTER JOIN b ... }`
            Token::LBrace => {
                c.words(&["OJ"]);
            }
            Token::Comma => now.wanted = now.from,
            Token::Word(w) => match word.unwrap_or_default() {
                "FROM" if !now.call && before != Some("SYSTEM_TIME") => {
                    (now.from, now.wanted) = (true, true);
                }
                "JOIN" | "STRAIGHT_JOIN" if now.from => now.wanted = true,
                "ON" | "USING" => now.wanted = false,
                "FOR" if c.clone().one_of(&["UPDATE", "SHARE"]).is_some() => {
                    (now.from, now.wanted) = (false, false);
                }
                "TABLE"
                    if first
                        || before.is_some_and(|b| {
                            matches!(b, "UNION" | "ALL" | "DISTINCT" | "EXCEPT" | "INTERSECT")
                        }) =>
                {
                    now.wanted = true;
                }
                "LATERAL" if now.wanted => {}
                end if ENDS.contains(&end) => now = Level::default(),
                _ if now.wanted => {
                    now.wanted = false;
                    let mut name = w.value.clone();
                    let qualified = c.peek() == Some(&Token::Period);
                    let mut is_virtual = virtual_schema(&name).is_some() && qualified;
                    path(&mut c, &mut name);
                    // `shop._flashback.orders`: the parts are in the wrong order.
                    let parts: Vec<&str> = name.split('.').collect();
                    is_virtual |= parts.iter().rev().skip(1).any(|part| virtual_schema(part).is_some());
                    let function = !qualified && c.peek() == Some(&Token::LParen);
                    let known = !qualified && common.contains(&name.to_lowercase());
                    if !is_virtual && !function && !known && !name.eq_ignore_ascii_case("dual") {
                        c.go(position);
                        return Some((name, c.position()));
                    }
                }
                _ => {}
            },
            _ => {}
        }
        if let Some(level) = levels.last_mut() {
            *level = now;
        }
        (before, first) = (word, false);
    }
    None
}

#[cfg(test)]
mod tests;
