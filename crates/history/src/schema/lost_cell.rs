//! Why a row, or a cell of it, is not known under another definition of its table.

use dbtrail_types::column::ColumnType;
use std::fmt;

/// Why a row cannot be shown under another definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotCarry {
    /// Neither came of the other by ALTERs.
    #[error("the two definitions are not of one table")]
    OtherTable,
    /// The record names a definition that it does not hold.
    #[error("a definition is missing")]
    NoDefinition,
}

/// What a statement between the two definitions did to the cell.
#[derive(Debug, thiserror::Error)]
pub(super) enum LostCell {
    /// The column was added, and what older rows got in it is not known: why.
    #[error("{0}")]
    Backfill(String),
    #[error("column {0} was dropped, and what was in it is not recorded")]
    Dropped(String),
    /// The definition was inferred from table maps, which do not tell generated columns.
    #[error("whether column {0} is generated, and was computed again, is not in the log")]
    MayBeGenerated(String),
    #[error("generated column {0} was computed again, which is not followed")]
    Recomputed(String),
    #[error("{0}, and what its value was before is not recorded")]
    BeforeChange(Box<ColumnChange>),
    #[error("{0}, and how its value changed is not known")]
    Converted(Box<ColumnChange>),
    #[error("column {0} became NOT NULL, and its value was NULL")]
    WasNull(String),
}

/// A column of another type, or another character set (`Some`), than before.
#[derive(Debug)]
pub(super) struct ColumnChange {
    pub(super) column: String,
    pub(super) from: (ColumnType, Option<String>),
    pub(super) to: (ColumnType, Option<String>),
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} changed from {}", self.column, self.from.0)?;
        if let Some(set) = &self.from.1 {
            write!(f, " character set {set}")?;
        }
        write!(f, " to {}", self.to.0)?;
        if let Some(set) = &self.to.1 {
            write!(f, " character set {set}")?;
        }
        Ok(())
    }
}
