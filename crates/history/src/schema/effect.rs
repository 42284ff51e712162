//! What a statement of the log does to tables.

use super::DefinitionId;
use super::partition::Emptied;
use super::silent_changes::SilentChange;
use super::unread::Unread;
use dbtrail_types::names::TableName;

/// What a statement of the log did to tables, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The table exists from here on, empty. (CREATE TABLE, also CREATE TABLE ... LIKE; rows of ...
    /// SELECT follow as row events.)
    Created(TableName, DefinitionId),
    /// The table is gone.
    Dropped(TableName),
    /// The table is empty from here on.
    Truncated(TableName),
    /// Same rows, another definition.
    Altered(TableName, DefinitionId),
    /// Same rows under another name (RENAME TABLE, ALTER TABLE ... RENAME, swaps in one statement:
    /// apply in order).
    Renamed {
        /// Old name.
        from: TableName,
        /// New name.
        to: TableName,
        /// False: it may have been of a session's temporary table.
        unambiguous: bool,
    },
    /// Same definition; rows may have changed, gone or come, and which is not known: why.
    RowsUnknown(TableName, EffectReason),
    /// The rows in some of its partitions are gone.
    PartitionsEmptied(TableName, Emptied),
    /// Rows of one table are those of another one from here on.
    RowsMoved(Box<Moved>),
    /// From here on the table cannot be read: why.
    Unreadable(TableName, EffectReason),
    /// A whole schema is gone (DROP DATABASE).
    SchemaDropped(String),
    /// A statement that may change rows of tables unknown (DML logged as text, an unparseable
    /// statement): all tables of these schemas (empty: of all) are unreadable from here on.
    UnreadableAll {
        /// Schemas hit; empty: all.
        schemas: Vec<String>,
        /// Tables that are known to be untouched.
        spared: Vec<TableName>,
        /// Why they are.
        reason: EffectReason,
    },
}

/// Why a statement leaves a table, or its rows, unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EffectReason {
    /// It cannot be followed.
    #[error("this statement cannot be followed ({fault}): {statement}")]
    Statement {
        /// What of it.
        fault: StatementFault,
        /// Its text, or the beginning of it.
        statement: String,
    },
    /// It changes rows without row events.
    #[error("{}: {statement}", .change.reason())]
    Silent {
        /// The kind of change.
        change: SilentChange,
        /// Its text, or the beginning of it.
        statement: String,
    },
}

/// Why a statement cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// It changed some of its tables before it failed: the error number of the server.
    #[error("it failed half-way with error {0}")]
    Failed(u16),
    /// Its character set is not known here.
    #[error("its text cannot be decoded")]
    NotDecoded,
    /// It is not understood.
    #[error(transparent)]
    Unread(Unread),
}

/// Rows that go from one table to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The table in which they were.
    pub from: TableName,
    /// The partitions that they lay in; `None`: all rows.
    pub partitions: Option<Emptied>,
    /// Where they are now.
    pub to: TableName,
    /// All rows that were there are in the first table now (EXCHANGE PARTITION).
    pub back: bool,
    /// The statement.
    pub statement: String,
}
