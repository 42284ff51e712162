//! Statements that leave tables and their rows as they are: what follows the log passes over them,
//! and so does what bounds a statement that it cannot follow.

/// First words of such statements. `DO` and `SELECT` are not among them: they may call functions
/// that change rows.
pub(super) const STATEMENTS: &[&str] = &[
    "GRANT",
    "REVOKE",
    "SET",
    "FLUSH",
    "OPTIMIZE",
    "CHECK",
    "USE",
    "SAVEPOINT",
    "RELEASE",
    "INSTALL",
    "UNINSTALL",
    "RESET",
    "PURGE",
    "CHANGE",
    "START",
    "STOP",
    "BINLOG",
    "CACHE",
    "LOCK",
    "UNLOCK",
    "CLONE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "XA",
    "SHUTDOWN",
    "KILL",
    "BACKUP",
];

/// Objects whose CREATE, ALTER and DROP leave tables as they are.
pub(super) const OBJECTS: &[&str] = &[
    "USER",
    "ROLE",
    "VIEW",
    "TRIGGER",
    "PROCEDURE",
    "FUNCTION",
    "EVENT",
    "SERVER",
    "SEQUENCE",
    "PACKAGE",
    "TABLESPACE",
    "LOGFILE",
    "RESOURCE",
    "INSTANCE",
    "UNDO",
    "REFERENCE",
    "LIBRARY",
    "PREPARE",
];

/// Words that may be between CREATE, ALTER or DROP and such an object, and before no table.
pub(super) const BEFORE_OBJECTS: &[&str] = &["ALGORITHM", "DEFINER", "AGGREGATE", "SQL", "SPATIAL"];

#[cfg(test)]
mod tests {
    use super::super::{Catalog, reach};
    use super::*;
    use crate::log::{LoggedStatement, ServerVersion};
    use dbtrail_types::timestamp::Timestamp;

    /// Both ways of reading a statement know them.
    #[test]
    fn they_change_nothing_for_either_reader() {
        let objects =
            OBJECTS.iter().flat_map(|o| ["CREATE", "ALTER", "DROP"].map(|verb| format!("{verb} {o} x")));
        let statements = STATEMENTS.iter().map(|s| format!("{s} x"));
        for sql in objects.chain(statements) {
            let plain = LoggedStatement::plain(&sql, ServerVersion::default(), Timestamp::from_micros(0));
            let statement = LoggedStatement { schema: Some("s".to_owned()), ..plain };
            assert!(Catalog::default().apply(&statement).is_empty(), "{sql}");
            assert_eq!(reach::of(&statement), reach::Reach::default(), "{sql}");
        }
    }

    #[test]
    fn do_may_call_a_function() {
        let plain = LoggedStatement::plain("DO f(1)", ServerVersion::default(), Timestamp::from_micros(0));
        assert!(!Catalog::default().apply(&plain).is_empty());
    }
}
