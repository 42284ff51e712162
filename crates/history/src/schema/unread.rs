//! Why a statement cannot be read, or what it does cannot be followed.

use super::impossible_table::ImpossibleTable;
use super::silent_changes::SilentChange;
pub use ambiguity::Ambiguity;
use dbtrail_sql_text::LexError;
use dbtrail_types::column::NotAType;
use dbtrail_types::names::TableName;
pub use malformed::Malformed;

mod ambiguity;
mod malformed;

/// A reason, as half a sentence; names are as the statement has them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It has no tokens.
    #[error(transparent)]
    Lexical(#[from] LexError),
    /// A type that this program does not have.
    #[error(transparent)]
    Type(#[from] NotAType),
    /// No server has a table like what would come of it.
    #[error(transparent)]
    Impossible(#[from] ImpossibleTable),
    /// Another token came.
    #[error("{expected} was expected, and {found} came")]
    Unexpected { expected: &'static str, found: String },
    /// A word is missing.
    #[error("{0} was expected")]
    Missing(&'static str),
    /// A token that begins nothing here.
    #[error("{0} is not understood")]
    NotUnderstood(String),
    /// A statement that begins like this.
    #[error("{0} is not known")]
    UnknownStatement(String),
    /// A form that is known, and whose effect is not.
    #[error("{0} is not followed")]
    NotFollowed(String),
    /// A part of a statement that was expected, and is not in the form that is read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("table {0} has no schema")]
    NoSchema(String),
    #[error("the definition of {0} is not known")]
    UnknownDefinition(TableName),
    #[error("there is no column {0}")]
    NoColumn(String),
    #[error("there is no column {0} to come after")]
    NoColumnBefore(String),
    #[error("it changes column {0} twice")]
    ChangedTwice(String),
    #[error("the character set of column {0} is not known")]
    UnknownCharset(String),
    #[error("the size of column {0} is not known")]
    UnknownSize(String),
    #[error("column {0} is longer than a row")]
    LongerThanRow(String),
    #[error("servers damage the labels outside of ASCII of column {0} in such a conversion")]
    DamagedLabels(String),
    #[error(
        "a text in it has characters that the session's character_set_connection lacks: the server took others for them"
    )]
    LiteralsConverted,
    #[error("label '{label}' of column {column} in character set {charset}")]
    Label { label: String, column: String, charset: String },
    #[error("{0} is not a foreign key action that is known")]
    ForeignKeyAction(String),
    #[error("SET STATEMENT {0} may change what it means")]
    SetStatement(String),
    /// An engine whose rows are not in the log.
    #[error("ENGINE={engine}: {}", .change.reason())]
    RowsElsewhere { engine: String, change: SilentChange },
    /// It changes rows, and is logged as text.
    #[error("{}{}", SilentChange::Statement.reason(), if *.advised { ": use binlog_format=ROW" } else { "" })]
    ChangesRows { advised: bool },
    /// It is understood, and its effect depends on what the log does not tell.
    #[error(transparent)]
    Ambiguous(#[from] Ambiguity),
}
