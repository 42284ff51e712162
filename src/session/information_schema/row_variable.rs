//! The names of columns that variables of a row are in.

/// What is before the name of a variable in the name of its column, which no statement can write.
pub(super) const MARK: &str = "\0@";

/// The column that a variable of the row is in.
pub(super) fn column_name(variable: &str) -> String {
    format!("{MARK}{variable}")
}

/// Whether a column is one of a variable.
pub(super) fn is_column(name: &str) -> bool {
    name.starts_with(MARK)
}
