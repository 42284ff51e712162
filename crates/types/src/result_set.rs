//! Neutral rows: what a statement answers, before anyone thinks of packets.

use crate::column::Column;

/// One value: the bytes that mysqld sends in the text protocol under `SET NAMES utf8mb4`, but of a
/// FLOAT all digits; `None` is NULL.
pub type Cell = Option<Vec<u8>>;

/// One row, a cell a column.
pub type Row = Vec<Cell>;

/// A column of a result set: the declaration, and the names around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// The name to show: the alias, or the column's own.
    pub name: String,
    /// The column's own name; empty for an expression.
    pub org_name: String,
    /// The alias of the table, or its name; empty for an expression.
    pub table: String,
    /// The table's own name; empty for an expression.
    pub org_table: String,
    /// The schema as the statement sees it (`_flashback`); empty for an expression.
    pub schema: String,
    /// Type, collation and flags.
    pub column: Column,
}

/// What the user should know but did not ask; shown by SHOW WARNINGS with level `Note` or
/// `Warning`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `Note` or `Warning`, as SHOW WARNINGS prints it.
    pub level: &'static str,
    /// A MySQL error number.
    pub code: u16,
    /// The sentence.
    pub message: String,
}
