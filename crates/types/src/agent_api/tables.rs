//! Schemas and tables of a history.

use crate::column::TableDefinition;
use crate::names::ServerId;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Answer of `GET /v1/servers/{server_id}/schemas`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schemas {
    /// Always true here.
    pub success: bool,
    /// Real schemas of which the history knows a table, sorted.
    pub schemas: Vec<String>,
}

/// Answer of `GET /v1/servers/{server_id}/schemas/{schema}/tables`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Always true here.
    pub success: bool,
    /// Sorted by name.
    pub tables: Vec<TableEntry>,
    /// Those of which no row can be asked for at the end of the record, sorted by name. Left out:
    /// none, or the agent does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedTable>,
}

/// A table that is there and of which no row can be asked for at the end of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedTable {
    /// The name of the table, without its schema.
    pub table: String,
    /// From when on; left out where it was never answered in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why, and what changes it.
    pub reason: String,
}

/// A table that the history knows, dropped ones too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// The name of the table, without its schema.
    pub table: String,
    /// The oldest instant that can be asked for.
    pub oldest: Timestamp,
    /// The newest one.
    pub newest: Timestamp,
    /// Whether it exists at `newest`.
    pub dropped: bool,
}

/// Answer of `GET /v1/servers/{server_id}/schemas/{schema}/tables/{table}?at=` (`at` is RFC 3339;
/// `gtid=` is the other form; without one: newest).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAnswer {
    /// Always true here.
    pub success: bool,
    /// Whose history.
    pub server_id: ServerId,
    /// The real schema.
    pub schema: String,
    /// The table, as it was created.
    pub table: String,
    /// Columns and primary key.
    #[serde(flatten)]
    pub definition: TableDefinition,
}
