//! The tables of information_schema that clients ask for: columns, their order and their types are
//! those of MySQL 8.0 and 9.7.
//!
//! Where mysqld always knows a value and an agent does not, the column is nullable here.

mod empty;
mod served;

use super::field::Field;
use std::sync::LazyLock;

/// A table of information_schema.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) content: Content,
    pub(super) fields: &'static [Field],
}

/// What its rows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    CharacterSets,
    Collations,
    Applicability,
    Engines,
    Keywords,
    /// A row a schema.
    Schemata,
    /// A row a table.
    Tables,
    /// The rest need definitions: a row a column,
    Columns,
    /// a row a column of a primary key,
    Statistics,
    KeyColumnUsage,
    /// a row a primary key.
    TableConstraints,
    /// This server has none of it.
    Nothing,
}

impl Table {
    /// Views of mysqld show their columns' names as they are; these are none, and show them as the
    /// statement has them.
    pub(super) fn shows_names_as_written(&self) -> bool {
        matches!(self.name, "ENGINES" | "COLUMN_PRIVILEGES" | "SCHEMA_PRIVILEGES" | "TABLE_PRIVILEGES")
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name))
    }
}

/// The table of this name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|t| t.name.eq_ignore_ascii_case(name))
}

/// All of them, by name.
pub(super) static TABLES: LazyLock<Vec<&'static Table>> = LazyLock::new(|| {
    let mut all: Vec<&Table> = served::SERVED.iter().chain(empty::EMPTY).collect();
    all.sort_unstable_by_key(|table| table.name);
    all
});
