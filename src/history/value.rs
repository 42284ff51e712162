//! Raw values of row images to the text that mysqld sends.

use super::log::Raw;
use crate::column::Column;
use crate::reply::Cell;

/// A value that cannot be shown exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct ValueError {
    /// The column.
    pub column: String,
    /// Why.
    pub reason: String,
}

/// The cell: the bytes that mysqld sends in the text protocol under `SET NAMES utf8mb4`, `time_zone = '+00:00'`.
///
/// # Errors
/// The value does not fit the column's type, or its character set cannot be converted.
pub fn cell(raw: &Raw, column: &Column) -> Result<Cell, ValueError> {
    let _ = raw;
    Err(ValueError { column: column.name.clone(), reason: "not built yet".to_owned() })
}
