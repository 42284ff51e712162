//! Questions about what there is: SHOW DATABASES, TABLES, COLUMNS..., DESCRIBE, and SELECT on
//! information_schema.

use super::cursor::{Cursor, syntax};
use super::tables::virtual_schema;
use super::{Limit, Refused, Statement, VirtualSchema};
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;

mod query;
mod select;
mod subqueries;
pub(super) use query::selected;
pub(super) use select::selected_item;

/// The schema that describes all schemas.
pub const INFORMATION_SCHEMA: &str = "information_schema";

/// A question about schemas, tables and columns, or about what this server can do.
#[derive(Clone, Debug, PartialEq)]
pub enum InformationSchema {
    /// SHOW DATABASES
    Databases(Option<Narrowed>),
    /// `SHOW [FULL] TABLES`
    Tables {
        /// FULL adds the column Table_type.
        full: bool,
        /// FROM.
        schema: Option<String>,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW TABLE STATUS
    TableStatus {
        /// FROM.
        schema: Option<String>,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// `SHOW [FULL] COLUMNS`, DESCRIBE
    Columns {
        /// FULL adds Collation, Privileges and Comment.
        full: bool,
        /// The table whose columns or indexes are asked for.
        table: Named,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW INDEX
    Index {
        /// The table whose columns or indexes are asked for.
        table: Named,
        /// WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW CREATE TABLE
    CreateTable(Named),
    /// SHOW CREATE DATABASE
    CreateDatabase(String),
    /// SHOW CHARACTER SET
    CharacterSets(Option<Narrowed>),
    /// SHOW COLLATION
    Collations(Option<Narrowed>),
    /// SHOW ENGINES
    Engines,
    /// SHOW of things that this server has none of.
    None {
        /// The kind of object that never exists here.
        kind: Absent,
        /// FROM.
        schema: Option<String>,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SELECT on tables of information_schema, or a UNION of SELECTs that name no other table.
    Select(Box<Query>),
    /// A SELECT of a table that can have no row.
    Empty(Box<Empty>),
}

/// A SELECT that is asked for its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Empty {
    /// The table whose columns or indexes are asked for.
    pub table: Named,
    /// The alias, if it has one.
    pub alias: Option<String>,
    /// What is selected.
    pub items: Vec<Item>,
}

/// What a schema of a MySQL server can hold and one of this server does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// SHOW TRIGGERS
    Triggers,
    /// SHOW EVENTS
    Events,
    /// SHOW PROCEDURE STATUS
    Procedures,
    /// SHOW FUNCTION STATUS
    Functions,
}

/// A table as SHOW and DESCRIBE name it: with a schema, and after a virtual one with the real one
/// too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The schema that was named, if any.
    pub schema: Option<String>,
    /// The middle part of `_flashback.shop.orders`.
    pub server_name: Option<String>,
    /// The table.
    pub table: String,
}

/// Which rows a SHOW is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Narrowed {
    /// LIKE 'pattern', on the first column.
    Like(String),
    /// WHERE, on the shown columns.
    Where(Box<Expr>),
}

/// SELECTs on information_schema that UNION puts together, nothing checked yet but their grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The first SELECT.
    pub first: Selection,
    /// Those that UNION adds, in the order of the text.
    pub others: Vec<United>,
    /// ORDER BY after them all, and whether descending; a single SELECT has its own.
    pub order_by: Vec<(Expr, bool)>,
    /// LIMIT after them all.
    pub limit: Option<Limit>,
}

/// A SELECT that UNION adds.
#[derive(Clone, Debug, PartialEq)]
pub struct United {
    /// ALL: rows that are there already are added too.
    pub all: bool,
    /// The SELECT.
    pub selection: Selection,
}

/// A SELECT on information_schema, nothing checked yet but its grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// DISTINCT
    pub distinct: bool,
    /// What is selected.
    pub items: Vec<Item>,
    /// From which tables, in the order of the text; none: DUAL, or no FROM at all.
    pub tables: Vec<Joined>,
    /// WHERE
    pub filter: Option<Expr>,
    /// GROUP BY
    pub group_by: Vec<Expr>,
    /// HAVING
    pub having: Option<Expr>,
    /// ORDER BY, and whether descending.
    pub order_by: Vec<(Expr, bool)>,
    /// LIMIT
    pub limit: Option<Limit>,
    /// Subqueries of its expressions, in which each is kept as a column of the name that
    /// [`subquery_name`] gives it.
    pub subqueries: Vec<Subquery>,
}

/// A subquery of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// What is made of its rows.
    pub kind: SubqueryKind,
    /// The query in the parentheses.
    pub query: Query,
}

/// What an expression takes of a subquery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubqueryKind {
    /// `(SELECT ...)`: the one value, or NULL where there is no row.
    Scalar,
    /// `EXISTS (SELECT ...)`
    Exists,
    /// `IN (SELECT ...)`
    List,
}

/// The column that stands for a subquery. No text can name it: a name has no NUL character.
#[must_use]
pub fn subquery_name(number: usize) -> String {
    format!("\0{number}")
}

/// One selected item.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `*`, or `t.*` with its qualifier.
    All(Option<String>),
    /// An expression.
    Value {
        /// The alias, or the text as it was written.
        name: String,
        /// Whether `name` is an alias.
        aliased: bool,
        /// The expression.
        value: Box<Expr>,
    },
}

/// What is in FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    /// A table of information_schema: its name, as written.
    Table(String),
    /// `(SELECT ...) alias`
    Derived(Box<Query>),
}

/// A table of FROM and how it is joined to those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The table, or the query in parentheses.
    pub relation: Relation,
    /// The alias, if it has one.
    pub alias: Option<String>,
    /// LEFT JOIN; otherwise an inner one.
    pub left: bool,
    /// ON
    pub on: Option<Expr>,
    /// USING
    pub using: Vec<String>,
}

/// SHOW and DESCRIBE; `None`: it is another statement, and the cursor is where it was.
pub(super) fn described(c: &mut Cursor<'_>) -> Result<Option<Statement>, Refused> {
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

pub(super) fn named(c: &mut Cursor<'_>) -> Result<Named, Refused> {
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

/// The virtual schema of this name, if it is one.
#[must_use]
pub fn virtual_schema_named(name: &str) -> Option<VirtualSchema> {
    virtual_schema(name)
}
