//! A foreign key that is on the server alone, or in the log alone.

use dbtrail_types::names::TableName;

/// A foreign key that changes rows, and that only one of the two has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its foreign key ({}) to {parent} {}",
    .columns.join(", "),
    if *.in_log { "is in the log, and not on the server" } else { "is not the one that the log has" }
)]
pub struct ForeignKeyDifference {
    /// Its columns, in its order.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub parent: TableName,
    /// Whether it is the log that has it.
    pub in_log: bool,
}
