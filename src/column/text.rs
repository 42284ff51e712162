//! A column type from its text, and back.

use super::ColumnType;
use std::fmt;
use std::str::FromStr;

/// Text that names no column type this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a column type of MySQL or MariaDB that this version knows")]
pub struct NotAType(pub String);

impl fmt::Display for ColumnType {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

impl FromStr for ColumnType {
    type Err = NotAType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Err(NotAType(text.to_owned()))
    }
}
