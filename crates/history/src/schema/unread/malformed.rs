//! Parts of a statement that are not in the form that is read.

/// What is not as a server would have logged it, or is of a form that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// ALTER DATABASE without a name, and no database is in use.
    #[error("it names no schema")]
    NoSchema,
    /// The table after WITH TABLE.
    #[error("the table of EXCHANGE PARTITION")]
    ExchangedTable,
    /// The table after TO TABLE.
    #[error("the table of CONVERT PARTITION")]
    ConvertedTable,
    /// RENAME COLUMN a TO b.
    #[error("RENAME COLUMN without TO")]
    RenameColumn,
    /// PARTITIONS n.
    #[error("a number of partitions")]
    PartitionCount,
    /// RANGE COLUMNS and LIST COLUMNS name at least one.
    #[error("a column")]
    PartitionColumn,
    /// PARTITION BY KEY ALGORITHM = n.
    #[error("an algorithm that is not followed")]
    KeyAlgorithm,
    /// PARTITION BY something else.
    #[error("a rule that is not followed")]
    PartitionRule,
    /// VALUES LESS THAN (NULL).
    #[error("NULL is no limit")]
    NullLimit,
    /// VALUES LESS THAN, VALUES IN or DEFAULT.
    #[error("what it takes")]
    PartitionValues,
    /// A literal of a partition's limit.
    #[error("a value that is not known")]
    PartitionValue,
    /// More parentheses than are read.
    #[error("an expression that is too deep")]
    DeepExpression,
    /// A partitioning expression.
    #[error("an expression")]
    Expression,
    /// A number of a partitioning expression.
    #[error("a number")]
    Number,
    /// MOD(a, b).
    #[error("MOD of two numbers")]
    ModOfTwo,
    /// What follows the second number of MOD.
    #[error("MOD")]
    Mod,
    /// DEFAULT b'...'.
    #[error("a bit default")]
    BitDefault,
    /// COMMENT without a text.
    #[error("a comment")]
    Comment,
    /// TEXT(n), BLOB(n).
    #[error("the length of a TEXT or BLOB")]
    BlobLength,
    /// What follows a number or a label of a type.
    #[error("a type")]
    Type,
    /// A length after a type that takes none.
    #[error("a length where none can be")]
    Length,
    /// The statement ends first.
    #[error("a parenthesis is not closed")]
    Parenthesis,
}
