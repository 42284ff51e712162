//! The grammar of time-travel queries.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

use super::cursor::{Cursor, syntax};
use super::instant::instant;
use super::{Draft, InstantExpr, Limit, MOST_COLUMNS, Projected, Refused, TimeClause, VirtualSchema};
use sqlparser::tokenizer::Token;

/// Clauses of SELECT that time-travel queries do not have.
const UNSUPPORTED: &[&str] = &[
    "GROUP",
    "HAVING",
    "WINDOW",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "FOR",
    "INTO",
    "LOCK",
    "PROCEDURE",
    "QUALIFY",
    "PARTITION",
];
const FORMS: &str = "SELECT * FROM _flashback.orders AS OF '2026-04-27 09:00:00' WHERE id = 42, or \
                     SELECT * FROM _diff.orders BETWEEN '2026-04-27 09:00' AND '2026-04-27 10:00' WHERE id = 42";

/// The virtual schema of this name; their names compare without regard to case.
pub(super) fn virtual_schema(name: &str) -> Option<VirtualSchema> {
    [VirtualSchema::Flashback, VirtualSchema::Diff, VirtualSchema::Snapshot]
        .into_iter()
        .find(|s| s.name().eq_ignore_ascii_case(name))
}

/// The virtual tables named anywhere, as `_schema.table`; the first two of them.
pub(super) fn virtual_tables(cursor: &Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut c = cursor.clone();
    c.go(0);
    while let Some(token) = c.next() {
        if let (Token::Word(w), Some(Token::Period)) = (&token, c.peek())
            && let Some(schema) = virtual_schema(&w.value)
        {
            let mut name = schema.name().to_owned();
            while c.token(&Token::Period) {
                match c.next() {
                    Some(Token::Word(part)) => {
                        name.push('.');
                        name.push_str(&part.value);
                    }
                    _ => break,
                }
            }
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

/// The first real table that is read anywhere in the statement.
fn real_table(cursor: &Cursor<'_>) -> Option<String> {
    let mut c = cursor.clone();
    c.go(0);
    // One entry for each open parenthesis: whether a comma there separates tables.
    let mut from_list = vec![false];
    let mut wanted = false;
    while let Some(token) = c.next() {
        match &token {
            Token::LParen => {
                from_list.push(false);
                wanted = wanted && matches!(c.peek(), Some(Token::Word(_)));
            }
            Token::RParen => {
                from_list.pop();
                if from_list.is_empty() {
                    from_list.push(false);
                }
            }
            Token::Comma => wanted = from_list.last() == Some(&true),
            Token::Word(w) => {
                let word = if w.quote_style.is_none() { w.value.to_uppercase() } else { String::new() };
                match word.as_str() {
                    "FROM" | "JOIN" | "STRAIGHT_JOIN" => {
                        wanted = true;
                        if let Some(last) = from_list.last_mut() {
                            *last = true;
                        }
                    }
                    "WHERE" | "GROUP" | "ORDER" | "LIMIT" | "HAVING" | "UNION" | "SELECT" | "ON" => {
                        wanted = false;
                        if let Some(last) = from_list.last_mut() {
                            *last = false;
                        }
                    }
                    "LATERAL" => {}
                    _ if wanted => {
                        wanted = false;
                        let mut name = w.value.clone();
                        let is_virtual = virtual_schema(&name).is_some() && c.peek() == Some(&Token::Period);
                        while c.token(&Token::Period) {
                            if let Some(Token::Word(part)) = c.next() {
                                name.push('.');
                                name.push_str(&part.value);
                            }
                        }
                        if !is_virtual && !name.eq_ignore_ascii_case("dual") {
                            return Some(name);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    None
}

fn unsupported(message: impl Into<String>) -> Refused {
    Refused::Unsupported { message: message.into() }
}

/// Reads a SELECT that names a virtual table. `hint`: it has the hint that allows wide windows.
pub(super) fn travel(mut c: Cursor<'_>, hint: bool) -> Result<Draft, Refused> {
    let virtual_tables = virtual_tables(&c);
    if let (Some(first), Some(real)) = (virtual_tables.first(), real_table(&c)) {
        return Err(Refused::JoinWithReal { virtual_table: first.clone(), real_table: real });
    }
    if let [first, second, ..] = virtual_tables.as_slice() {
        return Err(unsupported(format!(
            "two virtual tables in one statement ({first} and {second}): ask for one at a time"
        )));
    }
    if !c.words(&["SELECT"]) {
        return Err(unsupported(format!(
            "a time-travel query must begin with SELECT; this one has {}",
            c.here()
        )));
    }
    while let Some(word) =
        c.one_of(&["ALL", "DISTINCT", "DISTINCTROW", "SQL_NO_CACHE", "SQL_CALC_FOUND_ROWS", "HIGH_PRIORITY"])
    {
        if !matches!(word, "ALL" | "SQL_NO_CACHE" | "HIGH_PRIORITY") {
            return Err(unsupported(format!("{word} in a time-travel query")));
        }
    }
    let list = c.part(c.place(), c.find(&["FROM"]));
    let projection = projection(&list)?;
    c.go(c.find(&["FROM"]));
    if !c.words(&["FROM"]) {
        return Err(c.unexpected("FROM"));
    }
    let (virtual_schema, schema, table) = table(&mut c)?;
    let early = alias(&mut c)?;
    let time = time(&mut c, virtual_schema)?;
    let alias = match (early, alias(&mut c)?) {
        (Some(_), Some(second)) => {
            return Err(syntax(format!("a second alias, '{second}', near {}", c.here())));
        }
        (first, second) => first.or(second),
    };
    let mut draft = Draft {
        virtual_schema,
        schema,
        table,
        alias,
        projection,
        time,
        filter: None,
        order_by: Vec::new(),
        limit: None,
        allow_wide_diff: hint,
    };
    tail(&mut c, &mut draft)?;
    Ok(draft)
}

fn table(c: &mut Cursor<'_>) -> Result<(VirtualSchema, Option<String>, String), Refused> {
    if c.peek() == Some(&Token::LParen) {
        return Err(unsupported("a subquery or parentheses around the table: name the virtual table itself"));
    }
    let first = c.name("a virtual table")?;
    let schema =
        virtual_schema(&first).ok_or_else(|| c.unexpected("a table of _flashback, _diff or _snapshot"))?;
    if !c.token(&Token::Period) {
        return Err(c.unexpected("the table's name"));
    }
    let second = c.name("the table's name")?;
    if c.token(&Token::Period) {
        return Ok((schema, Some(second), c.name("the table's name")?));
    }
    Ok((schema, None, second))
}

/// `[AS] alias`, where what comes is no clause.
fn alias(c: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
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
        "PROCEDURE",
        "ON",
        "OFFSET",
        "TIMESTAMP",
        "VERSION",
        "SYSTEM",
    ];
    let place = c.place();
    if c.words(&["AS"]) {
        if matches!(c.peek(), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case("OF") && w.quote_style.is_none())
        {
            c.go(place);
            return Ok(None);
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

fn time(c: &mut Cursor<'_>, schema: VirtualSchema) -> Result<TimeClause, Refused> {
    let wrong = |clause: &str, right: &str| {
        syntax(format!("{} takes {right}, not {clause}; for example {FORMS}", schema.name()))
    };
    let system_time = c.words(&["FOR", "SYSTEM_TIME"]);
    if c.words(&["AS", "OF"]) {
        if schema == VirtualSchema::Diff {
            return Err(wrong("AS OF", "BETWEEN ... AND ..."));
        }
        return instant(c).map(TimeClause::At);
    }
    if c.words(&["BETWEEN"]) {
        if schema != VirtualSchema::Diff {
            return Err(wrong("BETWEEN", "AS OF or AT GTID"));
        }
        let from = instant(c)?;
        if !c.words(&["AND"]) {
            return Err(c.unexpected("AND and the end of the window"));
        }
        return Ok(TimeClause::Between(from, instant(c)?));
    }
    if !system_time && c.words(&["AT", "GTID"]) {
        if schema == VirtualSchema::Diff {
            return Err(wrong("AT GTID", "BETWEEN ... AND ..."));
        }
        if let Some(number) = c.parameter() {
            return Ok(TimeClause::At(InstantExpr::Parameter(number)));
        }
        return c.text().map(TimeClause::Gtid).ok_or_else(|| c.unexpected("a GTID in quotes"));
    }
    Err(syntax(format!(
        "the time clause was expected behind the table, at {}; the forms are {FORMS}",
        c.here()
    )))
}

fn tail(c: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Refused> {
    if c.words(&["WHERE"]) {
        let ends: Vec<&str> = UNSUPPORTED.iter().copied().chain(["ORDER", "LIMIT"]).collect();
        let end = c.find(&ends);
        draft.filter = Some(c.part(c.place(), end).expression()?);
        c.go(end);
    }
    if c.words(&["ORDER", "BY"]) {
        let ends: Vec<&str> = UNSUPPORTED.iter().copied().chain(["LIMIT"]).collect();
        let end = c.find(&ends);
        for part in c.part(c.place(), end).split() {
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
    for word in UNSUPPORTED {
        if c.words(&[word]) {
            return Err(unsupported(format!("{word} in a time-travel query")));
        }
    }
    if c.token(&Token::SemiColon) {
        return Err(syntax(format!("one statement at a time; a second one begins at {}", c.here())));
    }
    if c.peek() == Some(&Token::Comma)
        || c.one_of(&["JOIN", "INNER", "LEFT", "RIGHT", "CROSS", "NATURAL"]).is_some()
    {
        return Err(unsupported("a join in a time-travel query"));
    }
    Err(c.unexpected("WHERE, ORDER BY, LIMIT or the end"))
}

/// A column, its qualifiers taken off: nothing but the one table can be meant, and the plan knows its names.
fn column(c: &mut Cursor<'_>) -> Result<String, Refused> {
    let mut name = c.name("a column")?;
    while c.token(&Token::Period) {
        name = c.name("a column")?;
    }
    Ok(name)
}

fn projection(list: &Cursor<'_>) -> Result<Vec<Projected>, Refused> {
    let mut projected = Vec::new();
    let parts = list.split();
    if parts.len() > MOST_COLUMNS {
        return Err(unsupported(format!("more than {MOST_COLUMNS} columns")));
    }
    for mut part in parts {
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
            return Err(unsupported(format!(
                "'{}' in the select list: name columns of the table (functions and aggregates are not computed here)",
                list.source()
            )));
        }
    }
    // `*` alone is what an empty list means.
    Ok(if projected == [Projected::All] { Vec::new() } else { projected })
}

fn expression_free(part: &mut Cursor<'_>) -> Result<Projected, Refused> {
    if !matches!(part.peek(), Some(Token::Word(_))) {
        return Err(unsupported(format!(
            "'{}' in the select list: name columns of the table",
            part.source()
        )));
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

fn order(mut part: Cursor<'_>) -> Result<(String, bool), Refused> {
    if !matches!(part.peek(), Some(Token::Word(_))) {
        return Err(unsupported(format!("ORDER BY '{}': order by a column", part.source())));
    }
    let name = column(&mut part)?;
    let descending = part.one_of(&["ASC", "DESC"]) == Some("DESC");
    if !part.is_at_end() {
        return Err(unsupported(format!("ORDER BY an expression, at {}", part.here())));
    }
    Ok((name, descending))
}

pub(super) fn limit(c: &mut Cursor<'_>) -> Result<Limit, Refused> {
    let number = |c: &mut Cursor<'_>| {
        // What is outlined is never carried out: the number is known when the statement is executed.
        if c.parameter().is_some() {
            return Ok(0);
        }
        let here = c.unexpected("a whole number behind LIMIT");
        c.number().and_then(|n| n.parse::<u64>().ok()).ok_or(here)
    };
    let first = number(c)?;
    if c.token(&Token::Comma) {
        return Ok(Limit { offset: first, count: number(c)? });
    }
    let offset = if c.words(&["OFFSET"]) { number(c)? } else { 0 };
    Ok(Limit { offset, count: first })
}
