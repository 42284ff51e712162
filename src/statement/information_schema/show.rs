//! SHOW and DESCRIBE as questions about schemas, tables and columns.

use super::super::cursor::{Cursor, syntax};
use super::super::tables::virtual_schema;
use super::super::{Refused, Statement};
use super::{Absent, InformationSchema, Named, Narrowed};
use sqlparser::tokenizer::Token;

/// SHOW and DESCRIBE; `None`: it is another statement, and the cursor is where it was.
pub(in crate::statement) fn described(c: &mut Cursor<'_>) -> Result<Option<Statement>, Refused> {
    let position = c.index();
    let found = if c.words(&["SHOW"]) {
        show(c)?
    } else if c.one_of(&["DESCRIBE", "DESC", "EXPLAIN"]).is_some() {
        describe(c)?
    } else {
        None
    };
    let Some(found) = found else {
        c.go(position);
        return Ok(None);
    };
    if !c.is_at_end() {
        return Err(c.unexpected("the end of the statement"));
    }
    Ok(Some(Statement::InformationSchema(found)))
}

fn show(c: &mut Cursor<'_>) -> Result<Option<InformationSchema>, Refused> {
    let full = c.words(&["FULL"]);
    Ok(Some(if c.words(&["TABLES"]) {
        let schema = schema(c)?;
        InformationSchema::Tables { full, schema, narrowed: narrowed(c)? }
    } else if c.one_of(&["COLUMNS", "FIELDS"]).is_some() {
        let table = of_table(c)?;
        InformationSchema::Columns { full, table, narrowed: narrowed(c)? }
    } else if full {
        return Ok(None);
    } else if c.one_of(&["DATABASES", "SCHEMAS"]).is_some() {
        InformationSchema::Databases(narrowed(c)?)
    } else if c.words(&["TABLE", "STATUS"]) {
        let schema = schema(c)?;
        InformationSchema::TableStatus { schema, narrowed: narrowed(c)? }
    } else if c.one_of(&["INDEX", "INDEXES", "KEYS"]).is_some() {
        let table = of_table(c)?;
        let narrowed = narrowed(c)?;
        if let Some(Narrowed::Like(_)) = narrowed {
            return Err(syntax("SHOW INDEX takes WHERE and no LIKE".to_owned()));
        }
        InformationSchema::Index { table, narrowed }
    } else if c.words(&["CREATE", "TABLE"]) {
        InformationSchema::CreateTable(named(c)?)
    } else if c.words(&["CREATE", "DATABASE"]) || c.words(&["CREATE", "SCHEMA"]) {
        c.words(&["IF", "NOT", "EXISTS"]);
        InformationSchema::CreateDatabase(c.name("a database")?)
    } else if c.words(&["CHARSET"]) || c.words(&["CHARACTER", "SET"]) {
        InformationSchema::CharacterSets(narrowed(c)?)
    } else if c.words(&["COLLATION"]) {
        InformationSchema::Collations(narrowed(c)?)
    } else if c.words(&["ENGINES"]) || c.words(&["STORAGE", "ENGINES"]) {
        InformationSchema::Engines
    } else {
        return none(c);
    }))
}

fn none(c: &mut Cursor<'_>) -> Result<Option<InformationSchema>, Refused> {
    let (kind, in_schema) = if c.words(&["TRIGGERS"]) {
        (Absent::Triggers, true)
    } else if c.words(&["EVENTS"]) {
        (Absent::Events, true)
    } else if c.words(&["PROCEDURE", "STATUS"]) {
        (Absent::Procedures, false)
    } else if c.words(&["FUNCTION", "STATUS"]) {
        (Absent::Functions, false)
    } else {
        return Ok(None);
    };
    let schema = if in_schema { schema(c)? } else { None };
    Ok(Some(InformationSchema::None { kind, schema, narrowed: narrowed(c)? }))
}

/// `DESCRIBE t [column | 'pattern']`; not `DESCRIBE SELECT` and its like, which ask for a plan.
fn describe(c: &mut Cursor<'_>) -> Result<Option<InformationSchema>, Refused> {
    const OF_A_PLAN: [&str; 12] = [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "REPLACE",
        "TABLE",
        "VALUES",
        "WITH",
        "ANALYZE",
        "FORMAT",
        "EXTENDED",
        "PARTITIONS",
    ];
    let position = c.index();
    let is_plan = match c.peek() {
        Some(Token::Word(w)) => w.quote_style.is_none() && c.one_of(&OF_A_PLAN).is_some(),
        _ => true,
    } || c.words(&["FOR", "CONNECTION"]);
    c.go(position);
    if is_plan {
        return Ok(None);
    }
    let table = named(c)?;
    let pattern =
        if c.is_at_end() { None } else { c.text().map_or_else(|| c.name("a column"), Ok).map(Some)? };
    Ok(Some(InformationSchema::Columns { full: false, table, narrowed: pattern.map(Narrowed::Like) }))
}

fn schema(c: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    if c.one_of(&["FROM", "IN"]).is_some() { c.name("a database").map(Some) } else { Ok(None) }
}

/// `FROM t [FROM schema]`, with IN for FROM in either place.
fn of_table(c: &mut Cursor<'_>) -> Result<Named, Refused> {
    if c.one_of(&["FROM", "IN"]).is_none() {
        return Err(c.unexpected("FROM and a table"));
    }
    let mut table = named(c)?;
    // The schema after the table wins over one before it, as in mysqld.
    if let Some(schema) = schema(c)? {
        (table.schema, table.server_name) = (Some(schema), None);
    }
    Ok(table)
}

pub(in crate::statement) fn named(c: &mut Cursor<'_>) -> Result<Named, Refused> {
    let mut parts = vec![c.name("a table")?];
    while c.token(&Token::Period) {
        parts.push(c.name("a table")?);
    }
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(table), None, ..) => Ok(Named { schema: None, server_name: None, table }),
        (Some(schema), Some(table), None, _) => Ok(Named { schema: Some(schema), server_name: None, table }),
        (Some(schema), Some(server_name), Some(table), None) if virtual_schema(&schema).is_some() => {
            Ok(Named { schema: Some(schema), server_name: Some(server_name), table })
        }
        _ => Err(syntax(
            "a table has a name of one or two parts, and of three after _flashback, _diff, _snapshot and _undo: \
             _flashback.shop.orders"
                .to_owned(),
        )),
    }
}

fn narrowed(c: &mut Cursor<'_>) -> Result<Option<Narrowed>, Refused> {
    if c.words(&["LIKE"]) {
        let pattern = c.text().ok_or_else(|| c.unexpected("a pattern in quotes"))?;
        return Ok(Some(Narrowed::Like(pattern)));
    }
    if c.words(&["WHERE"]) {
        let filter = c.expression()?;
        c.go(usize::MAX);
        return Ok(Some(Narrowed::Where(Box::new(filter))));
    }
    Ok(None)
}
