//! The clauses of a time-travel query, whatever form its time clause has.

use super::cursor::{Cursor, syntax, unsupported};
use super::select_list::{group, limit, order, projection};
use super::{Draft, Projected, Refused, StatementPosition};
use sqlparser::tokenizer::Token;

/// Clauses of SELECT that time-travel queries do not have, and what to do instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("HAVING", "it follows GROUP BY, and ORDER BY follows it"),
    ("WINDOW", "ask for the rows and compute over them in the application"),
    ("UNION", "run two statements"),
    ("EXCEPT", "run two statements"),
    ("INTERSECT", "run two statements"),
    ("FOR", "rows of the past cannot be locked: leave it out"),
    ("INTO", "let the client keep the answer"),
    ("LOCK", "rows of the past cannot be locked: leave it out"),
    ("PROCEDURE", "leave it out"),
    ("QUALIFY", "ask for the rows and filter them in the application"),
    ("PARTITION", "the key says which rows: leave it out"),
    ("USE", "there are no indexes to choose from: leave it out"),
    ("FORCE", "there are no indexes to choose from: leave it out"),
    ("IGNORE", "there are no indexes to choose from: leave it out"),
    ("TABLESAMPLE", "name the keys"),
    ("WITH", "rows of the past have no locks to choose from: leave it out"),
];

/// What follows a time clause: `Some(true)` where it was said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    /// ALLOW SCAN
    pub(super) scan: Option<bool>,
    /// ALLOW WIDE
    pub(super) wide: Option<bool>,
}

/// `ALLOW SCAN`, `ALLOW WIDE`, both, or nothing.
pub(super) fn allowed(c: &mut Cursor<'_>) -> Allowed {
    let mut allowed = Allowed::default();
    loop {
        if c.words(&["ALLOW", "SCAN"]) {
            allowed.scan = Some(true);
        } else if c.words(&["ALLOW", "WIDE"]) {
            allowed.wide = Some(true);
        } else {
            return allowed;
        }
    }
}

/// Refuses whatever is more than one plain SELECT.
pub(super) fn one_query(c: &Cursor<'_>) -> Result<(), Refused> {
    if c.clone().words(&["WITH"]) {
        return Err(unsupported(format!("WITH at {}: ask for the virtual table itself", c.position())));
    }
    if !c.clone().words(&["SELECT"]) {
        return Err(unsupported(format!(
            "a time-travel query begins with SELECT, without parentheses around it, and not as at {}",
            c.here()
        )));
    }
    let mut rest = c.clone();
    rest.next();
    let set = rest.find(&["UNION", "EXCEPT", "INTERSECT"]);
    while let Some(token) = rest.peek() {
        if rest.index() == set {
            return Err(unsupported(format!("a set operation at {}: run two statements", rest.here())));
        }
        if *token == Token::SemiColon {
            return Err(second_statement(&rest));
        }
        if let Token::Word(w) = token
            && w.quote_style.is_none()
            && w.value.eq_ignore_ascii_case("SELECT")
        {
            return Err(unsupported(format!(
                "a subquery at {}: run it first and write its values into the statement",
                rest.here()
            )));
        }
        let qualifies = *token == Token::Period;
        rest.skip(if qualifies { 2 } else { 1 });
    }
    Ok(())
}

fn second_statement(c: &Cursor<'_>) -> Refused {
    syntax(format!(
        "one statement at a time: send what comes after the semicolon at {} by itself",
        c.position()
    ))
}

/// What is before the table.
pub(super) struct Head {
    pub(super) projection: Vec<Projected>,
    /// Where DISTINCT is, if it does.
    pub(super) distinct: Option<StatementPosition>,
}

/// `SELECT ... FROM`
pub(super) fn head(c: &mut Cursor<'_>) -> Result<Head, Refused> {
    c.words(&["SELECT"]);
    let mut distinct = None;
    loop {
        let position = c.position();
        match c.one_of(&[
            "ALL",
            "DISTINCT",
            "DISTINCTROW",
            "SQL_NO_CACHE",
            "SQL_CALC_FOUND_ROWS",
            "SQL_SMALL_RESULT",
            "SQL_BIG_RESULT",
            "SQL_BUFFER_RESULT",
            "HIGH_PRIORITY",
            "STRAIGHT_JOIN",
        ]) {
            Some("DISTINCT" | "DISTINCTROW") => distinct = Some(position),
            Some(word @ "SQL_CALC_FOUND_ROWS") => {
                return Err(unsupported(format!(
                    "{word} at {position} is no part of a time-travel query: leave it out, and compute it in the application"
                )));
            }
            Some(_) => {}
            None => break,
        }
    }
    let list = c.part(c.index(), c.find(&["FROM", "INTO"]));
    let projection = projection(&list)?;
    c.go(list.index() + list.length());
    if c.clone().words(&["INTO"]) {
        return Err(leftover(c));
    }
    if !c.words(&["FROM"]) {
        return Err(c.unexpected("FROM"));
    }
    Ok(Head { projection, distinct })
}

/// `[AS] alias`, where what comes is no clause.
pub(super) fn alias(c: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    const CLAUSES: &[&str] = &[
        "AS",
        "AT",
        "FOR",
        "BETWEEN",
        "WHERE",
        "ORDER",
        "LIMIT",
        "GROUP",
        "HAVING",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "CROSS",
        "NATURAL",
        "STRAIGHT_JOIN",
        "UNION",
        "WINDOW",
        "USE",
        "FORCE",
        "IGNORE",
        "PARTITION",
        "INTO",
        "LOCK",
        "ON",
        "OFFSET",
        "OF",
        "SINCE",
        "WITH",
        "TIMESTAMP",
        "VERSION",
        "VERSIONS",
        "SYSTEM",
        "SYSTEM_TIME",
        "BEFORE",
        "TABLESAMPLE",
        "EXCEPT",
        "INTERSECT",
        "PROCEDURE",
        "QUALIFY",
    ];
    let pos = c.index();
    // The word alone can be an alias.
    if c.clone().words(&["ALLOW", "SCAN"]) || c.clone().words(&["ALLOW", "WIDE"]) {
        return Ok(None);
    }
    if c.words(&["AS"]) {
        if matches!(c.peek(), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case("OF") && w.quote_style.is_none())
        {
            c.go(pos);
            return Ok(None);
        }
        if let Some(Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)) = c.peek() {
            return Err(syntax(format!("OF is missing between AS and the instant, at {}", c.here())));
        }
        return c.name("an alias").map(Some);
    }
    match c.peek() {
        Some(Token::Word(w))
            if w.quote_style.is_some() || !CLAUSES.iter().any(|k| k.eq_ignore_ascii_case(&w.value)) =>
        {
            c.name("an alias").map(Some)
        }
        _ => Ok(None),
    }
}

/// Where a filter or an order ends: at another clause, or at a time clause that came too late.
fn clause_end(c: &Cursor<'_>, clauses: &[&str]) -> usize {
    let late = c.find_any(&[&["AS", "OF"], &["AT", "GTID"], &["ALLOW", "SCAN"], &["ALLOW", "WIDE"]]);
    let words: Vec<&str> = UNSUPPORTED
        .iter()
        .map(|(word, _)| *word)
        // The names of these are also those of functions or modes in an expression.
        .filter(|word| !matches!(*word, "USE" | "FORCE" | "IGNORE"))
        .chain(clauses.iter().copied())
        .collect();
    c.find(&words).min(late)
}

pub(super) fn tail(c: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Refused> {
    if c.words(&["WHERE"]) {
        let end = clause_end(c, &["GROUP", "ORDER", "LIMIT"]);
        draft.filter = Some(c.part(c.index(), end).expression()?);
        c.go(end);
    }
    if c.words(&["GROUP", "BY"]) {
        let end = clause_end(c, &["ORDER", "LIMIT"]);
        for part in c.part(c.index(), end).split() {
            draft.group_by.push(group(part)?);
        }
        c.go(end);
    }
    if c.words(&["HAVING"]) {
        let end = clause_end(c, &["ORDER", "LIMIT"]);
        draft.having = Some(c.part(c.index(), end).expression()?);
        c.go(end);
    }
    if c.words(&["ORDER", "BY"]) {
        let end = clause_end(c, &["LIMIT"]);
        for part in c.part(c.index(), end).split() {
            draft.order_by.push(order(part)?);
        }
        c.go(end);
    }
    if c.words(&["LIMIT"]) {
        draft.limit = Some(limit(c)?);
    }
    if c.is_at_end() {
        return Ok(());
    }
    Err(leftover(c))
}

/// Why a statement goes on where it should have ended.
fn leftover(c: &Cursor<'_>) -> Refused {
    let here = c.here();
    let next = |words: &[&str]| c.clone().words(words);
    if next(&["AS", "OF"]) || next(&["AT", "GTID"]) || next(&["FOR", "SYSTEM_TIME"]) {
        return syntax(format!(
            "a second time clause at {here}: one statement shows one instant, or one window"
        ));
    }
    if next(&["ALLOW", "SCAN"]) || next(&["ALLOW", "WIDE"]) {
        return syntax(format!("ALLOW at {here} comes too late: it belongs right after the time clause"));
    }
    for (word, instead) in UNSUPPORTED {
        if next(&[word]) {
            let position = c.position();
            return unsupported(format!("{word} at {position} is no part of a time-travel query: {instead}"));
        }
    }
    match c.peek() {
        Some(Token::SemiColon) => return second_statement(c),
        Some(Token::DoubleColon) => {
            return syntax(format!("the cast :: at {} is PostgreSQL's: leave it out", c.position()));
        }
        _ => {}
    }
    if c.peek() == Some(&Token::Comma)
        || c.clone()
            .one_of(&["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "STRAIGHT_JOIN"])
            .is_some()
    {
        return unsupported(format!(
            "a join at {here} is no part of a time-travel query: ask for one table at a time and join in the application"
        ));
    }
    c.unexpected("WHERE, GROUP BY, HAVING, ORDER BY, LIMIT or the end")
}
