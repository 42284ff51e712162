//! The columns of a time-travel query: those that it shows, those of its order, and its LIMIT.

use super::cursor::{Cursor, shortened, unsupported};
use super::diagnostics::not_a_column;
use super::{Limit, MOST_COLUMNS, Projected, Refused};
use sqlparser::tokenizer::Token;

/// A column, its qualifiers taken off: nothing but the one table can be meant, and the plan knows
/// its names.
fn column(c: &mut Cursor<'_>) -> Result<String, Refused> {
    let mut name = c.name("a column")?;
    while c.token(&Token::Period) {
        name = c.name("a column")?;
    }
    Ok(name)
}

pub(super) fn projection(list: &Cursor<'_>) -> Result<Vec<Projected>, Refused> {
    let mut projected = Vec::new();
    let parts = list.split();
    if parts.len() > MOST_COLUMNS {
        return Err(unsupported(format!("more than {MOST_COLUMNS} columns")));
    }
    for mut part in parts {
        let whole = part.clone();
        if part.token(&Token::Mul) {
            projected.push(Projected::All);
        } else {
            let mut ahead = part.clone();
            while let (Some(Token::Word(_)), Some(Token::Period)) = (ahead.peek(), ahead.ahead(1)) {
                ahead.next();
                ahead.next();
            }
            if ahead.token(&Token::Mul) {
                part = ahead;
                projected.push(Projected::All);
            } else {
                projected.push(expression_free(&mut part)?);
            }
        }
        if !part.is_at_end() {
            return Err(computed(&whole));
        }
    }
    // `*` alone is what an empty list means.
    Ok(if projected == [Projected::All] { Vec::new() } else { projected })
}

/// The select list wants something computed.
fn computed(part: &Cursor<'_>) -> Refused {
    if part.is_at_end() { part.unexpected("a column") } else { unsupported(not_a_column(part)) }
}

fn expression_free(part: &mut Cursor<'_>) -> Result<Projected, Refused> {
    if !matches!(part.peek(), Some(Token::Word(_))) {
        return Err(computed(part));
    }
    let name = column(part)?;
    let alias = if part.words(&["AS"]) {
        Some(part.text().map_or_else(|| part.name("an alias"), Ok)?)
    } else if matches!(part.peek(), Some(Token::Word(_))) {
        Some(part.name("an alias")?)
    } else {
        part.text()
    };
    Ok(Projected::Column { name, alias })
}

pub(super) fn order(mut part: Cursor<'_>) -> Result<(String, bool), Refused> {
    if !matches!(part.peek(), Some(Token::Word(_))) {
        return Err(unsupported(format!(
            "ORDER BY '{}' at {}: order by a column",
            shortened(&part.source(), 60),
            part.position()
        )));
    }
    let name = column(&mut part)?;
    let descending = part.one_of(&["ASC", "DESC"]) == Some("DESC");
    if !part.is_at_end() {
        return Err(unsupported(format!("ORDER BY an expression, at {}: order by a column", part.here())));
    }
    Ok((name, descending))
}

pub(super) fn limit(c: &mut Cursor<'_>) -> Result<Limit, Refused> {
    let number = |c: &mut Cursor<'_>| {
        // What is outlined is never carried out: the number is known when the statement is
        // executed.
        if c.parameter().is_some() {
            return Ok(0);
        }
        let here = c.unexpected("a whole number after LIMIT");
        c.number().and_then(|n| n.parse::<u64>().ok()).ok_or(here)
    };
    let first = number(c)?;
    if c.token(&Token::Comma) {
        return Ok(Limit { offset: first, count: number(c)? });
    }
    let offset = if c.words(&["OFFSET"]) { number(c)? } else { 0 };
    Ok(Limit { offset, count: first })
}
