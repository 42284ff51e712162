//! Why a statement cannot be taken apart into tokens.

/// Why a statement cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LexError {
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
    /// Digits that are no number.
    #[error("the version of an executable comment")]
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

impl From<LexError> for String {
    fn from(error: LexError) -> Self {
        error.to_string()
    }
}
