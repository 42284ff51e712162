//! What a statement does where the log does not say enough.

/// Why the effect of a statement that is understood depends on what the log does not say: half a
/// sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguity {
    /// ROW_START and ROW_END are not its last columns (MariaDB).
    #[error("where the server keeps its own columns of a system-versioned table is not known")]
    ServerColumns,
    /// ROW_START or ROW_END is declared (MariaDB).
    #[error("it has columns of its own for the time of its rows")]
    OwnPeriod,
    /// Rows of the past and of now cannot be told apart.
    #[error("it is system-versioned and has no primary key")]
    VersionedWithoutKey,
    /// CREATE TEMPORARY TABLE is in the log, with the name of a table.
    #[error(
        "a session had made a temporary table of this name, and the log does not say which of the two is meant"
    )]
    TemporaryTable,
    /// `sql_mode` of the session.
    #[error("it ran in sql_mode ORACLE or another one that changes the meaning of types")]
    SqlMode,
    /// ANALYZE UPDATE and ANALYZE DELETE (MariaDB).
    #[error("ANALYZE carries a statement out")]
    AnalyzedStatement,
    /// An ALTER of a table that the record has no definition of.
    #[error("the table's definition before it is not known")]
    DefinitionBefore,
    /// `lower_case_table_names` is not known.
    #[error("it may be there under a name that differs in upper and lower case alone")]
    NameInOtherCase,
    /// CREATE TABLE IF NOT EXISTS.
    #[error("it is logged even where the table was there before, and the record does not say")]
    MayHaveExisted,
    /// CREATE TABLE ... SELECT without a list of columns.
    #[error("the columns come from a SELECT")]
    TableOfSelect,
    /// CREATE TABLE (...) SELECT: more columns than are listed.
    #[error("columns come from a SELECT")]
    ColumnsOfSelect,
    /// RENAME TABLE of names of which some may be temporary tables.
    #[error("what it did to which table is not known")]
    Renames,
    /// ADD PERIOD FOR (MariaDB).
    #[error("a period changes the columns of a table")]
    Period,
    /// DROP PARTITION among other actions, DROP PERIOD FOR (MariaDB).
    #[error("rows or columns vanish with it")]
    LosesRowsOrColumns,
    /// Every text column gets another type.
    #[error("CONVERT TO CHARACTER SET binary turns text into bytes")]
    TextToBytes,
    /// How many bytes a character takes decides which type it is.
    #[error("TEXT(n) in a character set that is not known")]
    TextLength,
    /// Labels are bytes then.
    #[error("ENUM and SET in character set binary are not followed")]
    BinaryEnum,
    /// PERIOD FOR SYSTEM_TIME (MariaDB).
    #[error("columns of one's own for the time of rows are not followed")]
    OwnPeriodColumns,
    /// PERIOD FOR name (begin, end).
    #[error("a period has two columns")]
    PeriodOfTwo,
}
