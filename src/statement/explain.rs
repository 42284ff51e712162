//! EXPLAIN of a time-travel query (manual: ["EXPLAIN
//! Statement"](https://dev.mysql.com/doc/refman/9.7/en/explain.html)).

use super::cursor::Cursor;
use super::{ParseSettings, Refused, Statement, travel};
use sqlparser::tokenizer::Token;

/// EXPLAIN, DESCRIBE or DESC before a time-travel query; `None`: something else, the columns of a
/// table among them.
///
/// The query is read first, so that one that is refused is refused with the same words here.
pub(super) fn explain(c: &Cursor<'_>, reading: ParseSettings) -> Result<Option<Statement>, Refused> {
    let mut c = c.clone();
    if c.one_of(&["EXPLAIN", "DESCRIBE", "DESC"]).is_none() {
        return Ok(None);
    }
    let option = option(&mut c);
    let query = c.peek() == Some(&Token::LParen)
        || c.clone()
            .one_of(&["SELECT", "WITH", "TABLE", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"])
            .is_some();
    if !query {
        return Ok(None);
    }
    match (travel::draft(c, reading)?, option) {
        (None, _) => Ok(None),
        (Some(draft), None) => Ok(Some(Statement::Explain(Box::new(draft)))),
        (Some(_), Some(option)) => Err(Refused::Unsupported {
            message: format!(
                "EXPLAIN {option}: the plan of a time-travel query is a list of items and values, and nothing is run for it; \
                 write EXPLAIN SELECT ..."
            ),
        }),
    }
}

/// Passes over the options; the first one, if any: none of them can be honoured. ANALYZE would run
/// the query, FORMAT promises mysqld's own columns, INTO a variable that is set.
fn option(c: &mut Cursor<'_>) -> Option<String> {
    let mut first = None;
    loop {
        let position = c.position();
        let name = if let Some(word) = c.one_of(&["ANALYZE", "EXTENDED", "PARTITIONS"]) {
            word.to_owned()
        } else if c.words(&["FORMAT"]) {
            c.token(&Token::Eq);
            let format = c.text().map_or_else(|| c.name("a format"), Ok).unwrap_or_default();
            format!("FORMAT={}", format.to_uppercase())
        } else if c.words(&["INTO"]) {
            c.next();
            "INTO".to_owned()
        } else if c.words(&["FOR", "SCHEMA"]) || c.words(&["FOR", "DATABASE"]) {
            c.next();
            "FOR SCHEMA".to_owned()
        } else {
            return first;
        };
        first.get_or_insert(format!("{name} at {position}"));
    }
}
