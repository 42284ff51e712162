//! What happened to rows in a window.

use super::filter::Filter;
use super::keys::Keys;
use super::octets::Octets;
use super::row_cell::RowLine;
use crate::column::TableDefinition;
use crate::names::{ServerId, TableName};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Body of `POST /v1/diff`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// Whose history.
    pub server_id: ServerId,
    /// The real schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Which rows.
    pub keys: Keys,
    /// Start of the window, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// End of the window, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Instead of a window: the GTID of one transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// Which of the changes. It may name columns of the table and those of
    /// [`super::change_columns()`]: a change is wanted where the condition is true with the row
    /// before it or with the row after it. Key columns are those of the key under which the event
    /// is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// The most events that are wanted; the agent stops after so many. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Whether user, host and program of connections are wanted, which are looked up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub connection_names: bool,
}

/// A line of `/v1/diff` between header and trailer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffLine {
    /// Of changes of all tables: events after this line are of this table.
    Table(TableName),
    /// Events after this line have these columns (the header's hold until the first such line).
    Definition(TableDefinition),
    /// Events after this line were made so, until the next such line. Before the first one nothing
    /// of it is known.
    Origin(ChangeOrigin),
    /// One change of one row.
    Event(Box<DiffEvent>),
}

/// Who made changes, and by which statement. What is left out is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOrigin {
    /// `server_id` of the server that wrote the transaction first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<u32>,
    /// The connection on that server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<u32>,
    /// Whose connection it is, where that was asked for and is certain: the user that logged in,
    /// the host that it came from, and the name of its program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_user: Option<String>,
    /// See `connection_user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_host: Option<String>,
    /// See `connection_user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_program: Option<String>,
    /// The binary log file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binlog_file: Option<String>,
    /// Where the transaction begins in it, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binlog_position: Option<u64>,
    /// The text of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// With a statement: the schemas of all tables that its transaction changed, and those whose
    /// names are in the text. Who may not see all of them is not shown the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statement_schemas: Vec<String>,
}

/// One change of one row, seen under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffEvent {
    /// Rises with the order of commits, and inside a transaction with the order of changes. Unique
    /// within a history, but that rows removed at once (TRUNCATE, DROP) share the one of their
    /// statement.
    pub event_id: u64,
    /// Commit time.
    pub event_timestamp: Timestamp,
    /// What happened.
    pub event_type: EventType,
    /// It is not in the log: a foreign key (CASCADE, SET NULL) did it, by a change of the same
    /// transaction that is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub derived: bool,
    /// Of a derived one: the event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u64>,
    /// The transaction, where the server has GTIDs.
    pub gtid: Option<String>,
    /// The key under which the event is shown, in key order: a change of the key itself is shown
    /// under both.
    pub key: Vec<Octets>,
    /// Row before, a cell a column; `None` for INSERT.
    pub before: Option<RowLine>,
    /// Row after; `None` for DELETE.
    pub after: Option<RowLine>,
    /// Who made it: of the [`DiffLine::Origin`] before it.
    #[serde(skip)]
    pub origin: Option<Arc<ChangeOrigin>>,
    /// Its table: of the [`DiffLine::Table`] before it.
    #[serde(skip)]
    pub table: Option<Arc<TableName>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

/// Kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the SQL statements of these names")]
pub enum EventType {
    Insert,
    Update,
    Delete,
}
