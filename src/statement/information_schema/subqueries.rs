//! Subqueries in the expressions of a SELECT on information_schema.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; only parentheses are looked for here"
)]

use super::super::cursor::Cursor;
use super::super::{ParseSettings, Refused};
use super::{Query, Subquery, SubqueryKind, subquery_name};
use sqlparser::tokenizer::Token;

/// Reads a query in parentheses.
pub(super) type SubqueryParser = fn(&Cursor<'_>, ParseSettings) -> Result<Query, Refused>;

/// What can be after the tables of a SELECT.
pub(super) const CLAUSES: [&str; 14] = [
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "QUALIFY",
    "PROCEDURE",
    "FOR",
    "INTO",
    "LOCK",
];

/// Reads the subqueries of a SELECT's expressions, and puts a column instead of each. Those of FROM
/// stay where they are.
pub(super) fn set_aside(
    c: &mut Cursor<'_>,
    reading: ParseSettings,
    subquery: SubqueryParser,
) -> Result<Vec<Subquery>, Refused> {
    let mut found = Vec::new();
    let mut in_from = false;
    let mut position = c.index();
    let mut depth = 0_usize;
    while position < c.index() + c.length() {
        let here = c.part(position, usize::MAX);
        let is = |ahead: usize, words: &[&str]| {
            let mut at = here.clone();
            at.skip(ahead);
            at.words(words)
        };
        if depth == 0 && is(0, &["UNION"]) {
            break;
        }
        in_from = if depth == 0 && is(0, &["FROM"]) {
            true
        } else {
            in_from && !(depth == 0 && CLAUSES.iter().any(|w| is(0, &[w])))
        };
        let opens = here.peek() == Some(&Token::LParen);
        if opens && is(1, &["SELECT"]) {
            let end = closing(c, position)?;
            if in_from
                && depth == 0
                && !follows_word(c, position, &["ON", "AND", "OR", "NOT", "EXISTS", "IN"])
            {
                position = end;
                continue;
            }
            if in_from {
                return Err(Refused::Unsupported {
                    message: "a subquery in ON of a join of information_schema".to_owned(),
                });
            }
            if found.len() == MOST_SUBQUERIES {
                return Err(Refused::Unsupported {
                    message: format!("more than {MOST_SUBQUERIES} subqueries in one SELECT"),
                });
            }
            let query = subquery(&c.part(position + 1, end - 1), reading)?;
            let (kind, from) = if follows_word(c, position, &["EXISTS"]) {
                (SubqueryKind::Exists, position - 1)
            } else if follows_word(c, position, &["IN"]) {
                (SubqueryKind::List, position)
            } else if follows_word(c, position, &["ANY", "SOME", "ALL"]) {
                return Err(Refused::Unsupported { message: "ANY, SOME and ALL of a subquery".to_owned() });
            } else {
                (SubqueryKind::Scalar, position)
            };
            let column = Token::make_word(&subquery_name(found.len()), Some('`'));
            let by = match kind {
                SubqueryKind::List => vec![Token::LParen, column, Token::RParen],
                SubqueryKind::Scalar | SubqueryKind::Exists => vec![column],
            };
            found.push(Subquery { kind, query });
            position = from + by.len();
            c.put(from, end, by);
            continue;
        }
        match here.peek() {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth = depth.saturating_sub(1),
            _ => {}
        }
        position += 1;
    }
    Ok(found)
}

/// Subqueries in one SELECT at most.
const MOST_SUBQUERIES: usize = 16;

/// Whether one of these words is right before a position.
fn follows_word(c: &Cursor<'_>, position: usize, words: &[&str]) -> bool {
    let Some(before) = position.checked_sub(1) else { return false };
    words.iter().any(|w| c.part(before, usize::MAX).words(&[w]))
}

/// The position after the parenthesis that closes the one that opens at `position`.
pub(super) fn closing(c: &Cursor<'_>, position: usize) -> Result<usize, Refused> {
    let mut at = c.part(position, usize::MAX);
    let mut depth = 0_usize;
    while let Some(token) = at.next() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Ok(at.index());
        }
    }
    Err(at.unexpected(")"))
}
