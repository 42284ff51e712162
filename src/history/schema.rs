//! The history of table definitions: which columns and key a table had from which point of the log on.
//!
//! Fed with the DDL statements of the log and with what its table maps say. Where neither tells, a table is unreadable,
//! with the reason; nothing is guessed. Also carries a row over from the definition it was written under to the
//! definition at the instant asked for.

use crate::column::TableDefinition;
use crate::ident::TableName;
use crate::reply::Row;
use std::sync::Arc;

use super::log::{LoggedStatement, MappedTable};

/// One definition of one table: an index into the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefinitionId(pub u32);

/// What a statement of the log did to tables, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The table exists from here on, empty. (CREATE TABLE, also CREATE TABLE ... LIKE; rows of ... SELECT follow as row events.)
    Created(TableName, DefinitionId),
    /// The table is gone.
    Dropped(TableName),
    /// The table is empty from here on.
    Truncated(TableName),
    /// Same rows, another definition.
    Altered(TableName, DefinitionId),
    /// Same rows under another name (RENAME TABLE, ALTER TABLE ... RENAME, swaps in one statement: apply in order).
    Renamed {
        /// Old name.
        from: TableName,
        /// New name.
        to: TableName,
    },
    /// From here on the table cannot be read: why, with the statement.
    Unreadable(TableName, String),
    /// A whole schema is gone (DROP DATABASE).
    SchemaDropped(String),
    /// A statement that may change rows of tables unknown (DML logged as text, an unparseable statement): all tables of
    /// these schemas (empty: of all) are unreadable from here on.
    UnreadableAll {
        /// Schemas hit; empty: all.
        schemas: Vec<String>,
        /// Why, with the statement.
        reason: String,
    },
}

/// Why a row cannot be shown under another definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotCarry(pub String);

/// All definitions of all tables.
#[derive(Debug, Default)]
pub struct Catalog {
    definitions: Vec<Arc<TableDefinition>>,
}

impl Catalog {
    /// Follows one statement.
    pub fn apply(&mut self, statement: &LoggedStatement) -> Vec<Effect> {
        let _ = statement;
        Vec::new()
    }

    /// The definition under which a row event was written: known from DDL and checked against the map, or learnt from the map's
    /// own metadata.
    ///
    /// # Errors
    /// Neither tells, or they contradict each other: the reason why the table is unreadable from here on.
    pub fn observe(&mut self, table: &MappedTable) -> Result<DefinitionId, String> {
        let _ = table;
        Err("not built yet".to_owned())
    }

    /// The definition itself. SELECT * columns only.
    #[must_use]
    pub fn definition(&self, id: DefinitionId) -> Option<&Arc<TableDefinition>> {
        self.definitions.get(id.0 as usize)
    }

    /// Shows a row (cells of the visible columns of `from`) under definition `to` of the same table, forwards or backwards through its ALTERs.
    ///
    /// # Errors
    /// A step between the two cannot be followed exactly for this row.
    pub fn carry(&self, from: DefinitionId, to: DefinitionId, row: &Row) -> Result<Row, CannotCarry> {
        let _ = row;
        Err(CannotCarry(format!("definitions {} and {} are not of one table", from.0, to.0)))
    }

    /// Positions.
    #[must_use]
    pub fn source_positions(&self, id: DefinitionId) -> &[usize] {
        let _ = id;
        &[]
    }

    /// Same key.
    #[must_use]
    pub fn same_key(&self, a: DefinitionId, b: DefinitionId) -> bool {
        a == b
    }
}
