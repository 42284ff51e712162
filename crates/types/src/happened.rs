//! The tables of the virtual schema `_history`: their columns, and how the agent is asked for them.

use crate::agent_api::{Filter, is_false};
use crate::column::{Column, ColumnType, IntSize, LobSize, TableDefinition};
use crate::names::ServerId;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A table of `_history`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryTable {
    /// Transactions: who made them, what they changed.
    Transactions,
    /// Changes of rows, of all tables.
    Changes,
    /// Statements that changed a definition.
    Ddl,
    /// Parts of the log that were not read.
    Gaps,
    /// What can be asked for.
    Tables,
}

impl HistoryTable {
    /// The tables of `_history`.
    pub const ALL: [Self; 5] = [Self::Transactions, Self::Changes, Self::Ddl, Self::Gaps, Self::Tables];

    /// Its name in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Changes => "changes",
            Self::Ddl => "ddl",
            Self::Gaps => "gaps",
            Self::Tables => "tables",
        }
    }

    /// Whether it is asked for with a window.
    #[must_use]
    pub const fn has_window(self) -> bool {
        matches!(self, Self::Transactions | Self::Changes | Self::Ddl)
    }

    /// Its columns. It has no key.
    #[must_use]
    pub fn definition(self) -> TableDefinition {
        let columns = match self {
            Self::Transactions => vec![
                time("commit_time", false),
                text("gtid", 96, true),
                text("binlog_file", 255, false),
                number("binlog_position", IntSize::Big, false),
                number("server_id", IntSize::Int, false),
                number("connection_id", IntSize::Big, true),
                number("rows_inserted", IntSize::Big, false),
                number("rows_updated", IntSize::Big, false),
                number("rows_deleted", IntSize::Big, false),
                column("tables", ColumnType::Json, false, false),
                column("statements", ColumnType::Json, true, false),
                text("user", 128, true),
                text("host", 255, true),
                text("program", 1024, true),
            ],
            Self::Changes => vec![
                number("event_id", IntSize::Big, false),
                time("event_timestamp", false),
                text("event_type", 6, false),
                text("gtid", 96, true),
                text("schema", 64, false),
                text("table", 64, false),
                column("primary_key", ColumnType::Json, false, false),
                column("changed_columns", ColumnType::Json, true, false),
                column("row_before", ColumnType::Json, true, false),
                column("row_after", ColumnType::Json, true, false),
                number("connection_id", IntSize::Big, true),
                number("server_id", IntSize::Int, true),
                text("binlog_file", 255, true),
                number("binlog_position", IntSize::Big, true),
                column("statement", ColumnType::Text { size: LobSize::Medium }, true, true),
                number("cause", IntSize::Big, true),
                text("connection_user", 128, true),
                text("connection_host", 255, true),
                text("connection_program", 1024, true),
            ],
            Self::Ddl => vec![
                time("commit_time", false),
                text("gtid", 96, true),
                text("schema", 64, false),
                text("table", 64, false),
                column("statement", ColumnType::Text { size: LobSize::Medium }, true, true),
                column("definition_before", ColumnType::Json, true, false),
                column("definition_after", ColumnType::Json, true, false),
            ],
            Self::Gaps => vec![
                time("gap_from", false),
                time("gap_to", false),
                column("reason", ColumnType::Text { size: LobSize::Normal }, false, true),
            ],
            Self::Tables => vec![
                text("schema", 64, false),
                text("table", 64, false),
                text("readable", 3, false),
                time("oldest", true),
                time("newest", true),
                number("versions", IntSize::Big, false),
                column("reason", ColumnType::Text { size: LobSize::Normal }, true, true),
            ],
        };
        TableDefinition { columns, primary_key: Vec::new() }
    }
}

fn column(name: &str, ty: ColumnType, nullable: bool, text: bool) -> Column {
    Column::new(name.to_owned(), ty, text.then(|| "utf8mb4_bin".to_owned()), nullable)
}

fn text(name: &str, chars: u32, nullable: bool) -> Column {
    column(name, ColumnType::VarChar { chars }, nullable, true)
}

fn time(name: &str, nullable: bool) -> Column {
    column(name, ColumnType::Timestamp { fsp: 6 }, nullable, false)
}

fn number(name: &str, size: IntSize, nullable: bool) -> Column {
    let ty = ColumnType::Int { size, unsigned: true, zerofill: false, display_width: None };
    column(name, ty, nullable, false)
}

/// Body of `POST /v1/history`. The answer has a header line, a line a row, and a trailer, as one of
/// `/v1/flashback`; of `changes` the lines after the header are those of `/v1/diff`, with a
/// [`DiffLine::Table`](crate::agent_api::DiffLine::Table) and a definition before the first event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryRequest {
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The table of `_history`.
    pub table: HistoryTable,
    /// The real schemas that the asker may see: nothing of another one is answered. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemas: Option<Vec<String>>,
    /// Start and end of the window, both inclusive, where the table has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
    /// Instead of a window: the GTID of one transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// Of `changes`: which of them, by their columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Of `changes`: the most that are wanted; the agent stops after so many. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Of `changes`: whether user, host and program of connections are wanted, which are looked up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub connection_names: bool,
}
