//! Why an expression has no value here.

use std::fmt::{self, Write};

/// Why an expression has no value here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not computed here, or what MySQL would answer is not known. Text: a whole sentence.
    #[error("{0}")]
    Unsupported(String),
    /// 1690: the type (`BIGINT`, `BIGINT UNSIGNED`, `DOUBLE`) that does not hold the result, and
    /// the expression.
    #[error("{0} value is out of range in '{1}'")]
    OutOfRange(&'static str, String),
    /// 1054: no such column.
    #[error("Unknown column '{0}'")]
    UnknownColumn(String),
    /// 1052: a column of two tables.
    #[error("Column '{0}' is ambiguous")]
    AmbiguousColumn(String),
    /// 1193: no such system variable.
    #[error("Unknown system variable '{0}'")]
    UnknownVariable(String),
    /// 1238: the session's alone, and @@GLOBAL was said.
    #[error("Variable '{0}' is a SESSION variable")]
    SessionVariable(String),
    /// 1238: the server's alone, and @@SESSION was said.
    #[error("Variable '{0}' is a GLOBAL variable")]
    NoSessionValue(String),
    /// 1273: no such collation.
    #[error("Unknown collation: '{0}'")]
    UnknownCollation(String),
    /// 1253: a collation of another character set. Fields: collation, character set.
    #[error("COLLATION '{0}' is not valid for CHARACTER SET '{1}'")]
    CollationMismatch(String, String),
    /// The statement's [`Budget`](crate::Budget) is used up. Text: which part of it.
    #[error("{0}")]
    Budget(String),
    /// The memory that it shares with other statements is used up. Text: whose.
    #[error("{0}")]
    Memory(String),
}

/// Characters of an expression that a message repeats.
const MOST_SHOWN: usize = 120;

/// An expression for a message; a long one is cut without being written out.
pub(crate) fn shown(expression: &dyn fmt::Display) -> String {
    struct Short(String);
    impl Write for Short {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for c in text.chars() {
                if self.0.len() > MOST_SHOWN {
                    self.0.push_str("...");
                    return Err(fmt::Error);
                }
                self.0.push(c);
            }
            Ok(())
        }
    }
    let mut out = Short(String::new());
    // An error is the end of what is wanted.
    let _ = write!(out, "{expression}");
    out.0
}

/// The refusal of an expression.
pub(crate) fn refused(expression: &dyn fmt::Display) -> Error {
    Error::Unsupported(format!("the expression '{}' is not computed by this server", shown(expression)))
}

/// The refusal of an expression with a reason, which goes on from the expression: `compares ...`.
pub(crate) fn because(expression: &dyn fmt::Display, why: &str) -> Error {
    Error::Unsupported(format!("'{}' {why}", shown(expression)))
}
