//! Why a text is no statement of this server, and where in it.

use std::fmt;

/// Why a statement is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not parse: 1064 (42000).
    Syntax {
        /// What is wrong and what the nearest working form is, complete with line, column and
        /// token.
        message: String,
    },
    /// A virtual and a real table in one statement: 1064 (HY000).
    JoinWithReal {
        /// `_flashback.orders`
        virtual_table: String,
        /// The real table, as written.
        real_table: String,
    },
    /// A form that time-travel queries do not have (GROUP BY, a second virtual table...): 1235
    /// (42000).
    Unsupported {
        /// Names the part.
        message: String,
    },
    /// A statement for a real server (writes, reads of real tables, DDL): 1235 (42000).
    NotForThisServer {
        /// The first words of it, for the message.
        what: String,
    },
}

/// A position in a statement as messages name it: `line 1, column 32`. Written only where a message
/// is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementPosition(pub(super) Option<(u64, u64)>);

impl fmt::Display for StatementPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, "line {line}, column {column}"),
            None => f.write_str("the end of the statement"),
        }
    }
}
