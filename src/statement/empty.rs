//! A SELECT that can have no row: `SELECT * FROM t LIMIT 0`, `WHERE 1 = 0`, `WHERE FALSE`. Clients
//! ask it to learn the columns of a table, and it is answered from the definition.

use super::cursor::Cursor;
use super::information_schema::{Empty, INFORMATION_SCHEMA, InformationSchema, named, selected_item};
use super::{MOST_COLUMNS, Refused, Statement};
use sqlparser::tokenizer::Token;

/// `None`: it is another statement, or one that may have rows.
pub(super) fn selected(
    c: &mut Cursor<'_>,
    in_information_schema: bool,
) -> Result<Option<Statement>, Refused> {
    // A hint of ours asks for an instant.
    if !c.words(&["SELECT"]) || c.hint().is_ours() {
        return Ok(None);
    }
    let from = c.find(&["FROM"]);
    let mut following = c.clone();
    following.go(from);
    if !following.words(&["FROM"]) || following.clone().words(&["DUAL"]) {
        return Ok(None);
    }
    let Ok(table) = named(&mut following) else { return Ok(None) };
    // Which has a grammar of its own.
    let described =
        table.schema.as_ref().map_or(in_information_schema, |s| s.eq_ignore_ascii_case(INFORMATION_SCHEMA));
    if described {
        return Ok(None);
    }
    let is_clause = |b: &Cursor<'_>| ["WHERE", "LIMIT"].iter().any(|w| b.clone().words(&[w]));
    let mut alias = None;
    if following.words(&["AS"])
        || (matches!(following.peek(), Some(Token::Word(_))) && !is_clause(&following))
    {
        let Ok(name) = following.name("an alias") else { return Ok(None) };
        alias = Some(name);
    }
    let mut none = false;
    if following.words(&["WHERE"]) {
        let end = following.find(&["LIMIT"]);
        if !is_false(&following.part(following.index(), end)) {
            return Ok(None);
        }
        none = true;
        following.go(end);
    }
    if following.words(&["LIMIT"]) {
        let Ok(limit) = super::select_list::limit(&mut following) else { return Ok(None) };
        none |= limit.count == 0;
    }
    if !none || !following.is_at_end() {
        return Ok(None);
    }
    while c.one_of(&["ALL", "DISTINCT", "SQL_NO_CACHE"]).is_some() {}
    let parts = c.part(c.index(), from).split();
    if parts.len() > MOST_COLUMNS {
        return Err(Refused::Unsupported { message: format!("more than {MOST_COLUMNS} columns") });
    }
    let items = parts.iter().map(selected_item).collect::<Result<_, _>>()?;
    Ok(Some(Statement::InformationSchema(InformationSchema::Empty(Box::new(Empty { table, alias, items })))))
}

/// Whether a condition is false whatever the row is: FALSE, 0, NULL, 1 = 0, 1 <> 1, in parentheses
/// or not.
fn is_false(condition: &Cursor<'_>) -> bool {
    let mut c = condition.clone();
    let mut closing = 0_usize;
    while c.token(&Token::LParen) {
        closing += 1;
    }
    let number = |c: &mut Cursor<'_>| c.number().and_then(|n| n.parse::<u64>().ok());
    let is = if c.one_of(&["FALSE", "NULL"]).is_some() {
        true
    } else {
        let Some(first) = number(&mut c) else { return false };
        match c.peek() {
            Some(Token::Eq) => {
                c.skip(1);
                number(&mut c).is_some_and(|second| second != first)
            }
            Some(Token::Neq) => {
                c.skip(1);
                number(&mut c) == Some(first)
            }
            _ => first == 0,
        }
    };
    let closed = (0..closing).all(|_| c.token(&Token::RParen));
    is && closed && c.is_at_end()
}
