//! The parts of statements: assignments of SET, forms of SHOW, savepoints, texts of PREPARE.

use super::draft::Limit;
use sqlparser::ast::Expr;

/// What is done with a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Savepoint {
    /// `SAVEPOINT name`
    Set,
    /// `ROLLBACK TO [SAVEPOINT] name`
    RollBack,
    /// `RELEASE SAVEPOINT name`
    Release,
}

/// Where the text of a PREPARE is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedText {
    /// In the statement itself.
    Literal(String),
    /// In a user variable: its name, in lower case and without `@`.
    Variable(String),
}

/// One assignment of a SET.
#[derive(Clone, Debug, PartialEq)]
pub enum Assignment {
    /// `@name = expr`
    User {
        /// Name, in lower case.
        name: String,
        /// Value.
        value: Expr,
    },
    /// `[SESSION | GLOBAL | @@...] name = expr`. DEFAULT and bare words (`SET sql_mode = ANSI`, `utf8mb4`, `ON`) come as identifiers.
    System {
        /// GLOBAL or PERSIST.
        global: bool,
        /// Name, in lower case.
        name: String,
        /// Value.
        value: Expr,
    },
    /// `SET NAMES charset [COLLATE collation]`, `SET CHARACTER SET charset` (`names: false`).
    /// `DEFAULT` is `None`.
    Names {
        /// SET NAMES, else SET CHARACTER SET.
        names: bool,
        /// The character set.
        charset: Option<String>,
        /// COLLATE.
        collation: Option<String>,
    },
    /// `SET [SESSION] TRANSACTION ...`: its words in lower case.
    Transaction {
        /// SESSION was said; without it the setting holds for the next transaction alone.
        session: bool,
        /// `isolation level read committed`, `read only`...
        characteristics: Vec<String>,
    },
}

/// SHOW statements answered here.
#[derive(Clone, Debug, PartialEq)]
pub enum Show {
    /// `SHOW WARNINGS [LIMIT], SHOW ERRORS`
    Warnings {
        /// SHOW ERRORS.
        errors_only: bool,
        /// LIMIT.
        limit: Option<Limit>,
    },
    /// SHOW COUNT(*) WARNINGS and `SELECT @@warning_count` are not the same thing; this is the
    /// former.
    WarningCount {
        /// SHOW COUNT(*) ERRORS.
        errors_only: bool,
    },
    /// `SHOW [GLOBAL|SESSION] VARIABLES [LIKE | WHERE Variable_name ...]`
    Variables {
        /// GLOBAL was said.
        global: bool,
        /// LIKE 'pattern'.
        like: Option<String>,
        /// `WHERE Variable_name = / IN / LIKE ...`.
        filter: Option<Box<Expr>>,
    },
    /// `SHOW [GLOBAL|SESSION] STATUS [LIKE | WHERE]`
    Status {
        /// LIKE 'pattern'.
        like: Option<String>,
        /// `WHERE Variable_name = / IN / LIKE ...`.
        filter: Option<Box<Expr>>,
    },
    /// SHOW GRANTS, for the current user
    Grants,
    /// SHOW PLUGINS
    Plugins,
    /// `SHOW [FULL] PROCESSLIST`
    ProcessList {
        /// FULL shows whole statements.
        full: bool,
    },
    /// SHOW SLAVE STATUS, SHOW REPLICA STATUS: ProxySQL's monitor asks.
    ReplicaStatus {
        /// SLAVE was said: the columns have their old names.
        old_words: bool,
    },
    /// Any other SHOW, by its words in lower case.
    Abilities(String),
}
