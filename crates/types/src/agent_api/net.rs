//! `POST /v1/net_changes`: what a window did to the rows of a table, all in all.
//!
//! For each key whose row is another one at the end of the window than before it: both rows, and
//! the row at the end of the record where that is another one again. Everything is given under the
//! definition that the table has at the end of the record, since that is the table on which an undo
//! runs.

use super::{Keys, Octets, RowLine, is_false};
use crate::column::TableDefinition;
use crate::names::{ServerId, TableName};
use crate::timestamp::{AsOf, Timestamp};
use serde::{Deserialize, Serialize};

/// The changes that are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Span {
    /// All that was committed between two instants, both inclusive.
    Window {
        /// Start.
        since: Timestamp,
        /// End.
        until: Timestamp,
    },
    /// Those of one transaction: its GTID.
    Transaction(String),
}

impl Span {
    /// The point at its end: the instant, or the transaction.
    #[must_use]
    pub fn end(&self) -> AsOf {
        match self {
            Self::Window { until, .. } => AsOf::Time(*until),
            Self::Transaction(gtid) => AsOf::Gtid(gtid.clone()),
        }
    }
}

/// Body of `POST /v1/net_changes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetRequest {
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The real schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The changes: those of a window, or of a transaction.
    pub span: Span,
    /// Which rows; left out: all that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
    /// Only rows that a foreign key changed (CASCADE, SET NULL), which the log does not hold.
    #[serde(default, skip_serializing_if = "is_false")]
    pub derived_only: bool,
    /// From the beginning of the span to the end of the record.
    #[serde(default, skip_serializing_if = "is_false")]
    pub to_the_end: bool,
    /// Only rows that have, before or at the end, one of these values in these columns; left out:
    /// all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub having: Option<Vec<ColumnValues>>,
    /// Each change by itself, and not all of a row together.
    #[serde(default, skip_serializing_if = "is_false")]
    pub steps: bool,
}

impl NetRequest {
    /// All that a span changed in a table.
    #[must_use]
    pub fn all(server_id: ServerId, table: TableName, span: Span) -> Self {
        let TableName { schema, table } = table;
        Self {
            server_id,
            schema,
            table,
            span,
            keys: None,
            derived_only: false,
            to_the_end: false,
            having: None,
            steps: false,
        }
    }
}

/// Values of some columns of a table, as an index compares them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnValues {
    /// The columns.
    pub columns: Vec<String>,
    /// What they have together: a value a column.
    pub values: Vec<Vec<Octets>>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The child.
    pub child: TableName,
    /// The child's columns, in the order of the foreign key.
    pub columns: Vec<String>,
    /// The parent.
    pub parent: TableName,
    /// The parent's columns.
    pub referenced: Vec<String>,
    /// Whether rows of the child change when those of the parent do (CASCADE, SET NULL).
    pub changes_rows: bool,
}

/// The first line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetHeader {
    /// Always true here; a refusal is an [`super::ErrorBody`].
    pub success: bool,
    /// Columns and primary key at the end of the record.
    #[serde(flatten)]
    pub definition: TableDefinition,
    /// The end of the record: up to it, "now" is known.
    pub newest: Timestamp,
    /// Columns that no statement can set: generated ones, `row_start` and `row_end` of a
    /// system-versioned table.
    #[serde(default)]
    pub generated: Vec<String>,
    /// The columns of each unique index beside the primary key; left out: the record does not tell
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<Vec<Vec<String>>>,
    /// Foreign keys of the table and to it; left out: the record does not tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<Vec<Reference>>,
    /// Tables below it whose rows change with its rows, by foreign keys that change rows.
    #[serde(default)]
    pub below: Vec<TableName>,
    /// Columns of which a statement of the window took values away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostColumn>,
}

/// A column of which no statement about rows brings all values back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostColumn {
    /// Its name before the statement.
    pub column: String,
    /// The statement that dropped or changed it, or the beginning of it.
    pub statement: String,
    /// It is gone; else its values may have been cut, rounded or replaced.
    pub dropped: bool,
}

/// A line of the answer between header and trailer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetLine {
    /// One key.
    pub net: NetChange,
}

/// What a window did to the row of one key, all in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetChange {
    /// The key, in key order.
    pub key: Vec<Octets>,
    /// The row before the window; `None`: there was none.
    pub before: Option<RowLine>,
    /// The row at its end; `None`: there was none.
    pub end: Option<RowLine>,
    /// Somebody changed it since.
    #[serde(default, skip_serializing_if = "is_false")]
    pub since: bool,
    /// The row at the end of the record, where somebody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<RowLine>,
    /// Where each change is by itself: which one of the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
    /// The change by which a foreign key made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u64>,
}
