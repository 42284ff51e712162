//! Questions about what there is: SHOW DATABASES, TABLES, COLUMNS..., DESCRIBE, and SELECT on
//! information_schema.

use super::tables::virtual_schema;
use super::{Limit, VirtualSchema};
pub(super) use show::{described, named};
use sqlparser::ast::Expr;

mod query;
mod select;
mod show;
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

/// The virtual schema of this name, if it is one.
#[must_use]
pub fn virtual_schema_named(name: &str) -> Option<VirtualSchema> {
    virtual_schema(name)
}
