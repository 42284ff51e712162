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

/// Why a cell of a row is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCell {
    /// By a statement between the definition of the row and the one that it is shown under.
    #[error("{why} (by: {statement})")]
    Lost {
        /// What it did to the cell.
        why: LostCell,
        /// The text of the statement.
        statement: String,
    },
    /// The row was recorded without it.
    #[error("the record does not hold it")]
    NotRecorded,
    /// MariaDB writes BINARY(16), UUID and INET6 alike, and BINARY(4) and INET4.
    #[error(
        "whether it is BINARY, UUID, INET4 or INET6 is not in the log: name the log files from before the table was created, too"
    )]
    TypeNotLogged,
    /// The definition came of a table map, and rows have fewer cells than columns.
    #[error("rows of the log leave it out, as MariaDB does with generated columns")]
    LeftOut,
    /// Of text.
    #[error("its character set {set} cannot be converted to UTF-8 by this version")]
    Charset {
        /// The character set.
        set: String,
    },
    /// MariaDB 11.8, and its expression is not computed here.
    #[error("it is a generated column, which MariaDB leaves out of the rows that UPDATE and DELETE log")]
    Generated,
    /// The row is of a table of the same name that was dropped.
    #[error("the table was created again since, and the one before had no column {column} of this type")]
    CreatedAgain {
        /// The column of the table of now.
        column: String,
    },
}

/// What a statement between the two definitions did to the cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LostCell {
    /// The column was added, and what older rows got in it is not known: why.
    #[error("{0}")]
    Backfill(String),
    /// DROP COLUMN.
    #[error("column {0} was dropped, and what was in it is not recorded")]
    Dropped(String),
    /// The definition was inferred from table maps, which do not tell generated columns.
    #[error("whether column {0} is generated, and was computed again, is not in the log")]
    MayBeGenerated(String),
    /// Its expression changed, or a column that it may use.
    #[error("generated column {0} was computed again, which is not followed")]
    Recomputed(String),
    /// The row is of after the statement, which may have changed the value.
    #[error("{0}, and what its value was before is not recorded")]
    BeforeChange(Box<ColumnChange>),
    /// The row is of before the statement.
    #[error("{0}, and how its value changed is not known")]
    Converted(Box<ColumnChange>),
    /// It became AUTO_INCREMENT.
    #[error("column {0} became AUTO_INCREMENT, which gives rows without a number the next ones")]
    Numbered(String),
    /// And the server's replacement is not known.
    #[error("column {0} became NOT NULL, and its value was NULL")]
    WasNull(String),
}

/// A column of another type, or another character set (`Some`), than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// The name that it has afterwards.
    pub column: String,
    /// Before the statement.
    pub from: (ColumnType, Option<String>),
    /// After it.
    pub to: (ColumnType, Option<String>),
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
