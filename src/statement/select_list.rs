//! The columns of a time-travel query: those that it shows, those of its order, and its LIMIT.

use super::aggregate::{aggregate, column};
use super::cursor::{Cursor, shortened, unsupported};
use super::diagnostics::not_a_column;
use super::{Draft, Limit, MOST_COLUMNS, OrderItem, Projected, Refused, StatementPosition};
use sqlparser::tokenizer::Token;

pub(super) fn projection(list: &Cursor<'_>) -> Result<Vec<Projected>, Refused> {
    let mut projected = Vec::new();
    let parts = list.split();
    if parts.len() > MOST_COLUMNS {
        return Err(unsupported(format!("more than {MOST_COLUMNS} columns")));
    }
    for mut part in parts {
        let begin = part.clone();
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
            return Err(computed(&begin));
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
    let begin = part.clone();
    if let Some(aggregate) = aggregate(part) {
        let written = begin.part(begin.index(), part.index()).source();
        return Ok(Projected::Aggregate { aggregate, name: alias_of(part)?.unwrap_or(written) });
    }
    let name = column(part)?;
    Ok(Projected::Column { name, alias: alias_of(part)? })
}

/// `[AS] alias` after an item of the select list.
fn alias_of(part: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    if part.words(&["AS"]) {
        return part.text().map_or_else(|| part.name("an alias"), Ok).map(Some);
    }
    if matches!(part.peek(), Some(Token::Word(_))) {
        return part.name("an alias").map(Some);
    }
    Ok(part.text())
}

/// A column to group by.
pub(super) fn group(mut part: Cursor<'_>) -> Result<String, Refused> {
    if !matches!(part.peek(), Some(Token::Word(_))) {
        return Err(unsupported(format!("GROUP BY at {}: group by columns, by their names", part.here())));
    }
    let name = column(&mut part)?;
    if part.is_at_end() {
        return Ok(name);
    }
    Err(unsupported(format!("GROUP BY an expression, at {}: group by columns", part.here())))
}

pub(super) fn order(mut part: Cursor<'_>) -> Result<(OrderItem, bool), Refused> {
    if !matches!(part.peek(), Some(Token::Word(_))) {
        return Err(unsupported(format!(
            "ORDER BY '{}' at {}: order by a column",
            shortened(&part.source(), 60),
            part.position()
        )));
    }
    let item = match aggregate(&mut part) {
        Some(aggregate) => OrderItem::Aggregate(aggregate),
        None => OrderItem::Column(column(&mut part)?),
    };
    let descending = part.one_of(&["ASC", "DESC"]) == Some("DESC");
    if !part.is_at_end() {
        return Err(unsupported(format!("ORDER BY an expression, at {}: order by a column", part.here())));
    }
    Ok((item, descending))
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

/// DISTINCT: the rows in groups by all columns that are shown, and of each group one.
pub(super) fn distinct(draft: &mut Draft, at: Option<StatementPosition>) -> Result<(), Refused> {
    let Some(at) = at else { return Ok(()) };
    if draft.is_grouped() {
        return Err(unsupported(format!(
            "DISTINCT at {at} besides COUNT(*) or GROUP BY, whose rows differ: leave it out"
        )));
    }
    let named = draft.projection.iter().map(|item| match item {
        Projected::Column { name, .. } => Some(name.clone()),
        Projected::All | Projected::Aggregate { .. } => None,
    });
    let columns: Option<Vec<String>> = named.collect();
    match columns.filter(|columns| !columns.is_empty()) {
        Some(columns) => draft.group_by = columns,
        None => return Err(unsupported(format!("DISTINCT * at {at}: name the columns"))),
    }
    Ok(())
}
