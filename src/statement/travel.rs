//! The grammar of time-travel queries.

use super::cursor::{Cursor, shortened, syntax};
use super::diagnostics::{Example, not_a_column, not_a_time_clause};
use super::hint::Hints;
use super::instant::instant;
use super::tables::{real_table, virtual_schema, virtual_tables};
use super::{
    Draft, InstantExpr, Limit, MOST_COLUMNS, Projected, Reading, Refused, TimeClause, VirtualSchema, orm,
};
use sqlparser::tokenizer::Token;

/// Clauses of SELECT that time-travel queries do not have, and what to do instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("GROUP", "ask for the rows and group them in the application"),
    ("HAVING", "ask for the rows and filter them in the application"),
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

fn unsupported(message: impl Into<String>) -> Refused {
    Refused::Unsupported { message: message.into() }
}

/// The time-travel query that a statement is; `None`: it is something else.
pub(super) fn draft(c: Cursor<'_>, reading: Reading) -> Result<Option<Draft>, Refused> {
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
        return Err(example.behind(refused, schema));
    }
    let hints = c.hint().read()?;
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
    let whole = c.clone();
    let before = |refused| {
        let (example, meant) = example(&whole);
        example.behind(refused, meant)
    };
    one_query(&c).map_err(before)?;
    let Head { projection } = head(&mut c).map_err(before)?;
    let (virtual_schema, schema, table) = table(&mut c).map_err(before)?;
    let path: Vec<&str> = schema.iter().chain([&table]).map(String::as_str).collect();
    let example = Example::new(&c, &path);
    let early = alias(&mut c).map_err(|refused| example.behind(refused, virtual_schema))?;
    let time_at = c.position();
    let time = time(&mut c, virtual_schema, &example)?;
    let first = allowed(&mut c);
    let place = c.clone();
    let late = alias(&mut c).map_err(|refused| example.behind(refused, virtual_schema))?;
    let alias = match (early, late) {
        (Some(first), Some(_)) => {
            let message = format!("a second alias at {}; the first one is '{first}'", place.here());
            return Err(example.behind(syntax(message), virtual_schema));
        }
        (first, second) => first.or(second),
    };
    let then = allowed(&mut c);
    let mut draft = Draft {
        virtual_schema,
        schema,
        table,
        alias,
        projection,
        time,
        time_at,
        filter: None,
        order_by: Vec::new(),
        limit: None,
        allow_wide_diff: first.wide.or(then.wide).or(hints.allow_wide_diff),
        allow_table_scan: first.scan.or(then.scan).or(hints.allow_table_scan),
    };
    tail(&mut c, &mut draft).map_err(|refused| example.behind(refused, virtual_schema))?;
    Ok(draft)
}

/// What stands behind a time clause: `Some(true)` where it was said.
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
        if rest.place() == set {
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
        "one statement at a time: send what stands behind the semicolon at {} by itself",
        c.position()
    ))
}

/// What stands before the table.
pub(super) struct Head {
    pub(super) projection: Vec<Projected>,
}

/// `SELECT ... FROM`
pub(super) fn head(c: &mut Cursor<'_>) -> Result<Head, Refused> {
    c.words(&["SELECT"]);
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
            Some(word @ ("DISTINCT" | "DISTINCTROW" | "SQL_CALC_FOUND_ROWS")) => {
                return Err(unsupported(format!(
                    "{word} at {position} is no part of a time-travel query: leave it out, and compute it in the application"
                )));
            }
            Some(_) => {}
            None => break,
        }
    }
    let list = c.part(c.place(), c.find(&["FROM", "INTO"]));
    let projection = projection(&list)?;
    c.go(list.place() + list.length());
    if c.clone().words(&["INTO"]) {
        return Err(leftover(c));
    }
    if !c.words(&["FROM"]) {
        return Err(c.unexpected("FROM"));
    }
    Ok(Head { projection })
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
        return Err(unsupported(format!("the virtual schema comes first, and not what stands at {here}")));
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
    let place = c.place();
    // The word alone can be an alias.
    if c.clone().words(&["ALLOW", "SCAN"]) || c.clone().words(&["ALLOW", "WIDE"]) {
        return Ok(None);
    }
    if c.words(&["AS"]) {
        if matches!(c.peek(), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case("OF") && w.quote_style.is_none())
        {
            c.go(place);
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

fn time(c: &mut Cursor<'_>, schema: VirtualSchema, example: &Example<'_>) -> Result<TimeClause, Refused> {
    let teach = |refused: Refused| example.behind(refused, schema);
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
        return instant(c).map(TimeClause::At).map_err(teach);
    }
    if c.words(&["BETWEEN"]) {
        if !schema.is_of_changes() {
            return Err(wrong("BETWEEN", "AS OF or AT GTID"));
        }
        let from = instant(c).map_err(teach)?;
        if !c.words(&["AND"]) {
            return Err(teach(c.unexpected("AND and the end of the window")));
        }
        return Ok(TimeClause::Between(from, instant(c).map_err(teach)?));
    }
    if !system_time && c.words(&["AT", "GTID"]) {
        if schema == VirtualSchema::Diff {
            return Err(wrong("AT GTID", "BETWEEN ... AND ..."));
        }
        if let Some(number) = c.parameter() {
            return Ok(TimeClause::At(InstantExpr::Parameter(number)));
        }
        return c.text().map(TimeClause::Gtid).ok_or_else(|| {
            let form = "a GTID in quotes, such as '3e11fa47-71ca-11e1-9e33-c80aa9429562:42',";
            teach(c.unexpected(form))
        });
    }
    // The clauses for a span of time teach `_diff`.
    let span = [&["FOR", "SYSTEM_TIME", "ALL"][..], &["FOR", "SYSTEM_TIME"], &["VERSIONS"]];
    let meant =
        if span.iter().any(|words| begin.clone().words(words)) { VirtualSchema::Diff } else { schema };
    Err(example.behind(syntax(not_a_time_clause(&begin, schema)), meant))
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
        let end = clause_end(c, &["ORDER", "LIMIT"]);
        draft.filter = Some(c.part(c.place(), end).expression()?);
        c.go(end);
    }
    if c.words(&["ORDER", "BY"]) {
        let end = clause_end(c, &["LIMIT"]);
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
        return syntax(format!("ALLOW at {here} comes too late: it stands right behind the time clause"));
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
    c.unexpected("WHERE, ORDER BY, LIMIT or the end")
}

/// A column, its qualifiers taken off: nothing but the one table can be meant, and the plan knows
/// its names.
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

fn order(mut part: Cursor<'_>) -> Result<(String, bool), Refused> {
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
