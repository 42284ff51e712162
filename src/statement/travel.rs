//! The grammar of time-travel queries.

use super::clauses::{Head, alias, allowed, head, one_query, tail};
use super::cursor::{Cursor, syntax, unsupported};
use super::diagnostics::{Example, not_a_time_clause};
use super::hint::{self, Hints};
use super::select_list::distinct;
use super::tables::{real_table, virtual_schema, virtual_tables};
use super::timestamp::timestamp;
use super::{Draft, ParseSettings, Refused, TimeClause, TimestampExpr, VirtualSchema, orm};
use sqlparser::tokenizer::Token;

/// The time-travel query that a statement is; `None`: it is something else.
pub(super) fn draft(c: Cursor<'_>, reading: ParseSettings) -> Result<Option<Draft>, Refused> {
    let named = virtual_tables(&c);
    if named.is_empty() {
        return orm::orm(&c, reading);
    }
    let query = c.peek() == Some(&Token::LParen)
        || c.clone().one_of(&["SELECT", "WITH", "TABLE", "VALUES"]).is_some();
    if !query {
        let (example, schema) = example(&c);
        let refused = unsupported(format!(
            "the virtual schemas can only be read, and the statement at {} does something else: SELECT the rows and let the application write them",
            c.here()
        ));
        return Err(example.in_rest(refused, schema));
    }
    let hints = hint::hints(&c.hint())?;
    if let Some((_, position)) = &hints.at {
        return Err(unsupported(format!(
            "the hint at {position} names an instant, and the virtual table has a time clause of its own: leave the hint out"
        )));
    }
    travel(c, &named, &hints).map(Some)
}

/// A query on the virtual table that a statement names first.
fn example<'a>(c: &Cursor<'a>) -> (Example<'a>, VirtualSchema) {
    let name = virtual_tables(c).into_iter().next().unwrap_or_default();
    let mut parts = name.split('.');
    let schema = parts.next().and_then(virtual_schema).unwrap_or(VirtualSchema::Flashback);
    (Example::new(c, &parts.collect::<Vec<_>>()), schema)
}

/// Reads a query that names these virtual tables.
fn travel(mut c: Cursor<'_>, named: &[String], hints: &Hints) -> Result<Draft, Refused> {
    if let (Some(first), Some((real, position))) = (named.first(), real_table(&c)) {
        let real_table = format!("{real} ({position})");
        return Err(Refused::JoinWithReal { virtual_table: first.clone(), real_table });
    }
    if let [first, second, ..] = named {
        return Err(unsupported(format!(
            "two virtual tables in one statement ({first} and {second}): ask for one at a time and join in the application"
        )));
    }
    let begin = c.clone();
    let before = |refused| {
        let (example, meant) = example(&begin);
        example.in_rest(refused, meant)
    };
    one_query(&c).map_err(before)?;
    let Head { projection, distinct: is_distinct } = head(&mut c).map_err(before)?;
    let (virtual_schema, schema, table) = table(&mut c).map_err(before)?;
    let path: Vec<&str> = schema.iter().chain([&table]).map(String::as_str).collect();
    let example = Example::new(&c, &path);
    let early = alias(&mut c).map_err(|refused| example.in_rest(refused, virtual_schema))?;
    let time_at = c.position();
    let time = time(&mut c, virtual_schema, &example)?;
    let first = allowed(&mut c);
    let pos = c.clone();
    let late = alias(&mut c).map_err(|refused| example.in_rest(refused, virtual_schema))?;
    let alias = match (early, late) {
        (Some(first), Some(_)) => {
            let message = format!("a second alias at {}; the first one is '{first}'", pos.here());
            return Err(example.in_rest(syntax(message), virtual_schema));
        }
        (first, second) => first.or(second),
    };
    let then = allowed(&mut c);
    let mut draft = Draft {
        schema,
        alias,
        projection,
        allow_wide_diff: first.wide.or(then.wide).or(hints.allow_wide_diff),
        allow_table_scan: first.scan.or(then.scan).or(hints.allow_table_scan),
        ..Draft::of_all(virtual_schema, table, time, time_at)
    };
    tail(&mut c, &mut draft).map_err(|refused| example.in_rest(refused, virtual_schema))?;
    distinct(&mut draft, is_distinct)?;
    Ok(draft)
}

fn table(c: &mut Cursor<'_>) -> Result<(VirtualSchema, Option<String>, String), Refused> {
    if c.peek() == Some(&Token::LParen) {
        return Err(unsupported(format!(
            "parentheses around the table, at {}: name the virtual table itself",
            c.here()
        )));
    }
    let begin = c.clone();
    let first = c.name("a virtual table")?;
    let Some(schema) = virtual_schema(&first) else {
        let here = begin.here();
        return Err(unsupported(format!("the virtual schema comes first, and not what is at {here}")));
    };
    if !c.token(&Token::Period) || c.clone().words(&["AS", "OF"]) {
        return Err(c.unexpected("the table's name"));
    }
    let second = c.name("the table's name")?;
    if c.token(&Token::Period) {
        return Ok((schema, Some(second), c.name("the table's name")?));
    }
    Ok((schema, None, second))
}

fn time(c: &mut Cursor<'_>, schema: VirtualSchema, example: &Example<'_>) -> Result<TimeClause, Refused> {
    let teach = |refused: Refused| example.in_rest(refused, schema);
    let begin = c.clone();
    let wrong = |clause: &str, right: &str| {
        let message = format!("{} takes {right}, and not {clause}, at {}", schema.name(), begin.here());
        teach(syntax(message))
    };
    let system_time = c.words(&["FOR", "SYSTEM_TIME"]);
    if c.words(&["AS", "OF"]) {
        if schema.is_of_changes() {
            return Err(wrong("AS OF", "BETWEEN ... AND ..."));
        }
        return timestamp(c).map(TimeClause::At).map_err(teach);
    }
    if c.words(&["BETWEEN"]) {
        if !schema.is_of_changes() {
            return Err(wrong("BETWEEN", "AS OF or AT GTID"));
        }
        let from = timestamp(c).map_err(teach)?;
        if !c.words(&["AND"]) {
            return Err(teach(c.unexpected("AND and the end of the window")));
        }
        return Ok(TimeClause::Between(from, timestamp(c).map_err(teach)?));
    }
    if !system_time && c.words(&["AT", "GTID"]) {
        if let Some(number) = c.parameter() {
            return Ok(TimeClause::At(TimestampExpr::Parameter(number)));
        }
        return c.text_or_bytes().map(TimeClause::Gtid).ok_or_else(|| {
            let form = "a GTID in quotes, such as '3e11fa47-71ca-11e1-9e33-c80aa9429562:42',";
            teach(c.unexpected(form))
        });
    }
    // The clauses for a span of time teach `_diff`.
    let span = [&["FOR", "SYSTEM_TIME", "ALL"][..], &["FOR", "SYSTEM_TIME"], &["VERSIONS"]];
    let meant =
        if span.iter().any(|words| begin.clone().words(words)) { VirtualSchema::Diff } else { schema };
    Err(example.in_rest(syntax(not_a_time_clause(&begin, schema)), meant))
}
