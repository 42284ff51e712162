//! Why no server has a table: the statement was not read as the server read it.

/// No server allows more columns (manual: ["Limits on Table Column Count and Row
/// Size"](https://dev.mysql.com/doc/refman/9.7/en/column-count-limit.html)).
pub(super) const MOST_COLUMNS: usize = 4096;

/// Why no server has such a table: a statement was not read as the server read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImpossibleTable {
    #[error("it has more than {MOST_COLUMNS} columns")]
    TooManyColumns,
    #[error("there would be two columns {0}")]
    ColumnTwice(String),
}
