//! The columns of `_diff` and `_undo`, which are none of a table's.

use dbtrail_types::column::{Column, ColumnType, IntSize, LobSize, TableDefinition};

/// Columns of a diff that are none of the table's.
pub(super) const CHANGE_COLUMNS: [&str; 16] = [
    "event_id",
    "event_timestamp",
    "event_type",
    "gtid",
    "changed_columns",
    "row_before",
    "row_after",
    "connection_id",
    "server_id",
    "binlog_file",
    "binlog_position",
    "statement",
    "cause",
    "connection_user",
    "connection_host",
    "connection_program",
];

/// Columns of a change at its end, which are looked up where they are asked for.
pub const CONNECTION_NAMES: usize = 3;

/// Where a diff shows when a change was committed.
pub const EVENT_TIMESTAMP: usize = 1;

/// Columns of a diff in front of those of the key.
pub const BEFORE_KEY: usize = 4;

/// Columns of a diff after those of the key.
pub const AFTER_KEY: usize = CHANGE_COLUMNS.len() - BEFORE_KEY;

/// The columns of `_undo`.
#[must_use]
pub fn undo_columns() -> Vec<Column> {
    let column = |name: &str| {
        Column::new(
            name.to_owned(),
            ColumnType::Text { size: LobSize::Long },
            Some("utf8mb4_bin".to_owned()),
            true,
        )
    };
    vec![column("statement"), column("conflict")]
}

/// The columns of a diff.
#[must_use]
pub fn diff_columns(definition: &TableDefinition) -> Vec<Column> {
    let column = |name: &str, ty: ColumnType, nullable: bool, text: bool| {
        Column::new(name.to_owned(), ty, text.then(|| "utf8mb4_bin".to_owned()), nullable)
    };
    let id = ColumnType::Int { size: IntSize::Big, unsigned: true, zerofill: false, display_width: None };
    let mut source = vec![
        column("event_id", id.clone(), false, false),
        column("event_timestamp", ColumnType::DateTime { fsp: 6 }, false, false),
        column("event_type", ColumnType::VarChar { chars: 6 }, false, true),
        column("gtid", ColumnType::VarChar { chars: 96 }, true, true),
    ];
    // Of several events of one row each shows its key: it is no key of this result, and nothing is
    // inserted into it.
    let key = definition.key_columns().into_iter();
    source.extend(key.map(|c| Column::new(c.name.clone(), c.ty.clone(), c.collation.clone(), c.nullable)));
    for name in ["changed_columns", "row_before", "row_after"] {
        source.push(column(name, ColumnType::Json, true, false));
    }
    let number = ColumnType::Int { size: IntSize::Int, unsigned: true, zerofill: false, display_width: None };
    source.extend([
        column("connection_id", id.clone(), true, false),
        column("server_id", number, true, false),
        column("binlog_file", ColumnType::VarChar { chars: 255 }, true, true),
        column("binlog_position", id.clone(), true, false),
        column("statement", ColumnType::Text { size: LobSize::Medium }, true, true),
        column("cause", id, true, false),
        column("connection_user", ColumnType::VarChar { chars: 128 }, true, true),
        column("connection_host", ColumnType::VarChar { chars: 255 }, true, true),
        column("connection_program", ColumnType::VarChar { chars: 1024 }, true, true),
    ]);
    source
}
