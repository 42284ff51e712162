//! What the session's variables change in expressions.

use crate::collation::{Coercibility, Collated};

/// What the session's variables change in expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluationSettings {
    /// `collation_connection`: that of literals.
    pub collation: &'static str,
    /// sql_mode NO_BACKSLASH_ESCAPES: LIKE has no escape character of its own.
    pub no_backslash_escapes: bool,
    /// sql_mode NO_UNSIGNED_SUBTRACTION
    pub no_unsigned_subtraction: bool,
    /// sql_mode STRICT_TRANS_TABLES or STRICT_ALL_TABLES: text that is made is declared as one that
    /// can be NULL.
    pub strict: bool,
    /// sql_mode PIPES_AS_CONCAT
    pub pipes_as_concat: bool,
}

/// Those of a new session of MySQL, but for sql_mode, which is empty.
impl Default for EvaluationSettings {
    fn default() -> Self {
        Self {
            collation: "utf8mb4_0900_ai_ci",
            no_backslash_escapes: false,
            no_unsigned_subtraction: false,
            strict: false,
            pipes_as_concat: false,
        }
    }
}

impl EvaluationSettings {
    pub(crate) fn literals(&self) -> Collated {
        Collated { name: self.collation, coercibility: Coercibility::Literal }
    }

    pub(crate) fn of_numbers(&self) -> Collated {
        Collated { name: self.collation, coercibility: Coercibility::Numeric }
    }
}
