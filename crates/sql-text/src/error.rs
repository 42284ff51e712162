//! Why a text cannot be taken apart into tokens.

/// Why a text cannot be taken apart into tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LexError {
    /// More tokens than any DDL has.
    #[error("it is too long")]
    TooLong,
    /// `/* ...`
    #[error("a comment is not closed")]
    OpenComment,
    /// `'...`
    #[error("a quote is not closed")]
    OpenQuote,
    /// `/*!1234567 ... */`
    #[error("an executable comment has more than six digits")]
    CommentDigits,
    /// `/*!401011, */`: MySQL reads a version of five digits or of six, depending on its own.
    #[error("an executable comment has a version of six digits, and no white space after it")]
    CommentVersion,
    /// Whether the comment counts depends on the server.
    #[error("which server wrote it is not known, and it has a comment for some servers alone")]
    UnknownServer,
    /// `/*! ... /*! ... */ ... */`
    #[error("an executable comment is inside of another one")]
    NestedComment,
    /// `x'4'`, `b'2'`
    #[error("a hexadecimal or bit literal")]
    Literal,
}
