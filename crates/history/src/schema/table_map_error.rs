//! Why the rows that follow a table map cannot be read.

use dbtrail_types::names::TableName;

/// A table map and the definition do not go together, or neither says enough.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableMapError {
    /// More columns, or fewer, than the DDL gave.
    #[error("the log writes rows of {logged} columns for {table}, and by its DDL it has {declared}")]
    ColumnCount {
        /// The table.
        table: TableName,
        /// Columns of the map.
        logged: usize,
        /// Columns of the definition.
        declared: usize,
    },
    /// A text column without a character set.
    #[error(
        "the character set and collation of column {column} of {table} are given neither by the DDL in the log (the table's or its schema's CREATE is \
         missing, or leaves it to a setting that is not logged) nor by the table map: set binlog_row_metadata=FULL, or name the log files \
         from before the schema was created, too"
    )]
    NoCollation {
        /// The table.
        table: TableName,
        /// The first such column.
        column: String,
    },
    /// The map's primary key is not that of the DDL.
    #[error("the log contradicts the DDL of {0} in its primary key")]
    PrimaryKey(TableName),
    /// The map's column is not that of the DDL.
    #[error("the log contradicts the DDL of {table} in {what} of column {column}")]
    Contradiction {
        /// The table.
        table: TableName,
        /// The column, as the DDL names it.
        column: String,
        /// In what.
        what: Attribute,
    },
    /// A collation that this version cannot name.
    #[error("collation {id} of column {column} is not known to this version")]
    UnknownCollation {
        /// Its number in the map.
        id: u16,
        /// The column.
        column: String,
    },
    /// A table that only the map tells of, without names of columns.
    #[error(
        "{0} has no column names in the log: set binlog_row_metadata=FULL, or name the log files from before the table was created, too"
    )]
    NoNames(TableName),
    /// The same, without its primary key.
    #[error(
        "the log does not say the primary key of {0}: set binlog_row_metadata=FULL, or name the log files from before the table was created, too"
    )]
    NoPrimaryKey(TableName),
    /// The same, with a column whose type does not follow from the map.
    #[error("column {column} of {table}: {why}; name the log files from before the table was created, too")]
    NoType {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// What is missing.
        why: NotInferred,
    },
    /// The same, with a key column that has one form in the log and several as text.
    #[error(
        "whether key column {column} of {table} is BINARY, UUID, INET4 or INET6 is not in the log; name the log files from before the table was created, too"
    )]
    KeyType {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
    },
}

/// What of a column a table map and the DDL may contradict each other in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// The name of the column.
    Name,
    /// The type of the column.
    Type,
    /// SIGNED or UNSIGNED.
    Sign,
    /// NULL or NOT NULL.
    Nullability,
    /// The collation of the column.
    Collation,
    /// The map has bytes: characters times bytes of the longest one.
    LengthOrCharset,
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "the name",
            Self::Type => "the type",
            Self::Sign => "the sign",
            Self::Nullability => "NULL or NOT NULL",
            Self::Collation => "the collation",
            Self::LengthOrCharset => "the length or the character set",
        })
    }
}

/// What a table map does not say of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInferred {
    /// How many bytes its characters have.
    #[error("its character set is not read by this version")]
    Charset,
    /// ZEROFILL numbers are unsigned, and are shown with zeros in front.
    #[error("whether the number is ZEROFILL is not in the log")]
    Zerofill,
    /// The labels of an ENUM or SET.
    #[error("its labels are not in the log")]
    Labels,
    /// A type with several texts.
    #[error("its type (code {0}) is not known from the log alone")]
    Code(u8),
}
