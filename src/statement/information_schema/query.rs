//! SELECT on information_schema as a whole: UNION, subqueries, and what it is told apart from.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

use super::super::cursor::{Cursor, syntax};
use super::super::{ParseSettings, Refused, Statement};
use super::select::selection;
use super::{INFORMATION_SCHEMA, InformationSchema, Query, United};
use sqlparser::tokenizer::Token;

/// SELECTs of one UNION at most.
const MOST_UNITED: usize = 50;
/// Queries inside of each other at most.
const DEEPEST: usize = 8;

/// SELECT on information_schema, or a UNION without any table; in a session whose database is
/// information_schema, unqualified tables are of it too. `None`: it is another statement.
pub(in crate::statement) fn selected(
    c: &mut Cursor<'_>,
    reading: ParseSettings,
) -> Result<Option<Statement>, Refused> {
    let position = c.index();
    let is = c.words(&["SELECT"]) && (reads_it(c, reading.in_information_schema) || unites_constants(c));
    c.go(position);
    if !is {
        return Ok(None);
    }
    Ok(Some(Statement::InformationSchema(InformationSchema::Select(Box::new(full_query(c, reading)?)))))
}

/// A query that takes all that is left.
pub(super) fn full_query(c: &Cursor<'_>, reading: ParseSettings) -> Result<Query, Refused> {
    if depth(c) > DEEPEST {
        return Err(Refused::Unsupported {
            message: format!("more than {DEEPEST} SELECTs inside of each other"),
        });
    }
    let mut c = c.clone();
    if !c.words(&["SELECT"]) {
        return Err(c.unexpected("SELECT"));
    }
    let mut query = Query {
        first: selection(&mut c, reading, full_query)?,
        others: Vec::new(),
        order_by: Vec::new(),
        limit: None,
    };
    while c.words(&["UNION"]) {
        let all = c.one_of(&["ALL", "DISTINCT"]) == Some("ALL");
        if !c.words(&["SELECT"]) {
            return Err(Refused::Unsupported {
                message: format!("in a UNION, {}: SELECT is carried out", c.here()),
            });
        }
        query.others.push(United { all, selection: selection(&mut c, reading, full_query)? });
        if query.others.len() >= MOST_UNITED {
            return Err(Refused::Unsupported {
                message: format!("a UNION of more than {MOST_UNITED} SELECTs"),
            });
        }
    }
    let following = |s: &super::Selection| !s.order_by.is_empty() || s.limit.is_some();
    // What follows the last SELECT of a UNION is of them all; before another one it is a mistake.
    if let Some(last) = query.others.last_mut() {
        query.order_by = std::mem::take(&mut last.selection.order_by);
        query.limit = last.selection.limit.take();
        if following(&query.first) || query.others.iter().any(|u| following(&u.selection)) {
            return Err(syntax("ORDER BY and LIMIT belong after the last SELECT of a UNION".to_owned()));
        }
    }
    if c.is_at_end() { Ok(query) } else { Err(c.unexpected("the end of the statement")) }
}

/// How many SELECTs are inside of each other.
fn depth(c: &Cursor<'_>) -> usize {
    let mut open = Vec::new();
    let mut deepest = 0;
    let mut at = c.clone();
    while let Some(token) = at.next() {
        match token {
            Token::LParen => open.push(at.clone().words(&["SELECT"])),
            Token::RParen => {
                open.pop();
            }
            _ => {}
        }
        deepest = deepest.max(open.iter().filter(|s| **s).count());
    }
    deepest
}

/// Whether a table of information_schema is named.
fn reads_it(c: &Cursor<'_>, current: bool) -> bool {
    let is_it = |ahead| matches!(c.ahead(ahead), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case(INFORMATION_SCHEMA));
    let is_period = |ahead| c.ahead(ahead) == Some(&Token::Period);
    let named = (0..c.length()).any(|i| is_it(i) && is_period(i + 1) && (i == 0 || !is_period(i - 1)));
    let from = c.find(&["FROM"]);
    let mut following = c.clone();
    following.go(from);
    named || (current && following.words(&["FROM"]) && !following.words(&["DUAL"]))
}

/// Whether it is a UNION in which no FROM names a table: drivers make a list of constants with it.
fn unites_constants(c: &Cursor<'_>) -> bool {
    let end = c.index() + c.length();
    let mut from_a_table = false;
    for i in c.index()..end {
        let mut at = c.part(i, usize::MAX);
        from_a_table |= at.words(&["FROM"]) && !at.words(&["DUAL"]);
    }
    c.find(&["UNION"]) < end && !from_a_table
}
