//! What a condition on changes can name beside the columns of the table: what happened, when, and
//! by whom.

use crate::column::{Column, ColumnType, IntSize, LobSize, same_name};

/// The columns of a change that a condition can name. `event_timestamp` is UTC, as a TIMESTAMP is.
#[must_use]
pub fn change_columns() -> Vec<Column> {
    let column = |name: &str, ty: ColumnType, nullable: bool| {
        let text = matches!(ty, ColumnType::VarChar { .. } | ColumnType::Text { .. });
        Column::new(name.to_owned(), ty, text.then(|| "utf8mb4_bin".to_owned()), nullable)
    };
    let number = |size| ColumnType::Int { size, unsigned: true, zerofill: false, display_width: None };
    vec![
        column("event_id", number(IntSize::Big), false),
        column("event_timestamp", ColumnType::Timestamp { fsp: 6 }, false),
        column("event_type", ColumnType::VarChar { chars: 6 }, false),
        column("gtid", ColumnType::VarChar { chars: 96 }, true),
        column("connection_id", number(IntSize::Big), true),
        column("server_id", number(IntSize::Int), true),
        column("binlog_file", ColumnType::VarChar { chars: 255 }, true),
        column("binlog_position", number(IntSize::Big), true),
        column("statement", ColumnType::Text { size: LobSize::Medium }, true),
        column("cause", number(IntSize::Big), true),
        column("connection_user", ColumnType::VarChar { chars: 128 }, true),
        column("connection_host", ColumnType::VarChar { chars: 255 }, true),
        column("connection_program", ColumnType::VarChar { chars: 1024 }, true),
    ]
}

/// Whether a name is one of [`change_columns`].
#[must_use]
pub fn is_change_column(name: &str) -> bool {
    change_columns().iter().any(|column| same_name(&column.name, name))
}
