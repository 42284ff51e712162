//! Why what a statement did to rows that the log does not write is not followed.

use super::images::RowError;
use crate::schema::CannotCarry;
use dbtrail_types::names::TableName;

/// Why the rows of a table are unknown after a statement: half a sentence, of a table that the
/// sentence around it names.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFollowed {
    /// What the table holds is not known.
    #[error("its own rows are not known")]
    UnknownRows,
    /// Its definition is known from table maps alone.
    #[error("which of its columns are generated is not in the record")]
    Undeclared,
    /// MariaDB writes a row of the past with each change.
    #[error("it is system-versioned: the times of its rows are not in the log")]
    SystemVersioned,
    /// The table has no definition.
    #[error("it has no definition")]
    NoDefinition,
    /// InnoDB follows 255.
    #[error("the chain of foreign keys is longer than a server follows")]
    ChainTooLong,
    /// ON UPDATE within one table fails on the server.
    #[error("the server does not change rows of a table with other rows of it")]
    OwnTable,
    /// The index of references names a row that the store has not.
    #[error("a row that refers to it is not there")]
    NoSuchRow,
    /// The row is of another definition.
    #[error("a row has not the cells of its definition")]
    OtherCells,
    /// Its rows have keys without a known position, or are in doubt.
    #[error("its rows cannot be found by key")]
    UnknownKey,
    /// The baseline is under way.
    #[error("the first reading of its rows had not ended")]
    ReadingNotEnded,
    /// The record began after the table, and has no baseline of it.
    #[error("the rows that it had before are not in the record")]
    RowsBefore,
    /// A column of the foreign key, or of what it refers to, has no position.
    #[error("a column of the foreign key is not shown in rows")]
    ForeignKeyColumns,
    /// Both sides of a foreign key have as many columns.
    #[error("the foreign key has not as many columns as it refers to")]
    ForeignKeyWidth,
    /// A cell that the foreign key refers to is not known.
    #[error("a value that it refers to is not in the log")]
    ValueNotLogged,
    /// The collation does not tell for these texts.
    #[error("the values that it refers to do not compare with certainty")]
    AmbiguousValues,
    /// A position without a column.
    #[error("a column of the foreign key is missing")]
    ForeignKeyColumnMissing,
    /// InnoDB refuses SET DEFAULT.
    #[error("no server is known that carries SET DEFAULT out")]
    SetDefault,
    /// SET NULL or CASCADE of a NULL.
    #[error("a column that takes no NULL would get one")]
    NullInNotNull,
    /// MySQL's table maps have a flag for it.
    #[error("the log says that no foreign key refers to the table that was changed")]
    NotReferred,
    /// MariaDB maps the tables whose rows a foreign key may change.
    #[error(
        "the log does not name the table with the statement, as it does where a foreign key changes rows"
    )]
    NotMapped,
    /// The index of references of the foreign key is not made.
    #[error("which of its rows refer to a row is not known yet")]
    NotIndexed,
    /// The collation does not tell for a text of a row that may refer.
    #[error("it has a row whose foreign key holds a text that does not compare with certainty")]
    AmbiguousReference,
    /// The table has no known definition.
    #[error("its columns are not known")]
    UnknownColumns,
    /// The record lacks rows of the table.
    #[error("not all of its rows are known")]
    NotAllRows,
    /// More rows than one statement is followed for.
    #[error("they held more rows than are listed one by one")]
    TooManyRows,
    /// The server cannot have kept all of them.
    #[error("two of its rows have the same key now")]
    OneKey,
    /// A value of the partitioning expression is not known.
    #[error("in which one a row lies is not known")]
    PartitionOfRow,
    /// EXCHANGE PARTITION of tables whose definitions differ.
    #[error("their columns are not known to be alike")]
    ColumnsDiffer,
    /// A row is not what the record has of it: how.
    #[error("{0}")]
    Disagrees(&'static str),
    /// The columns of a foreign key and those that it refers to.
    #[error("columns {parent} and {child} are not of one type")]
    OtherTypes {
        /// Of the table that is referred to.
        parent: String,
        /// Of the table with the foreign key.
        child: String,
    },
    /// One of two tables that exchange rows.
    #[error("of {table} {why}")]
    Of {
        /// The name of that table.
        table: TableName,
        /// What is not known of it.
        why: Box<NotFollowed>,
    },
    /// A row that came of it cannot be kept.
    #[error(transparent)]
    Row(#[from] RowError),
    /// They refer to different indexes of the parent, or the servers' names for them are not known.
    #[error(
        "another foreign key reaches the same rows, and which of the two is carried out first is not known"
    )]
    Order,
    /// A row cannot be shown under the definition of now.
    #[error(transparent)]
    Carry(#[from] CannotCarry),
}

impl NotFollowed {
    /// The same, of a table that is named.
    pub(super) fn of(table: &TableName, why: Self) -> Self {
        Self::Of { table: table.clone(), why: Box::new(why) }
    }
}
