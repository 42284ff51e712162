//! Text to a closed set of statements: what was asked, before anyone decides whether it may be.
//!
//! Pure: no clock, no schema, no session but the few settings that change how text is read
//! ([`ParseSettings`]). The tokens and the expression grammar are sqlparser's; the time clause,
//! which no SQL parser knows in these forms, is taken out of the token stream first.

mod aggregate;
mod binary;
mod bind;
mod clauses;
mod constants;
mod cursor;
mod diagnostics;
mod draft;
mod empty;
mod equality;
mod explain;
mod hint;
mod hint_comment;
mod history;
mod information_schema;
mod item;
mod kinds;
mod lexis;
mod orm;
mod refused;
mod select_list;
mod session;
pub mod split;
mod tables;
mod time_clause;
mod timestamp;
mod travel;

pub use bind::{MOST_PARAMETERS, Outline, Parameter, Template};

pub use aggregate::{Aggregate, AggregateFunction, function as aggregate_function};
use bind::Placeholders;
use cursor::Cursor;
pub use draft::{Draft, Limit, OrderItem, Projected, VirtualSchema};
pub use history::HISTORY;
pub use information_schema::{
    Absent, Empty, INFORMATION_SCHEMA, InformationSchema, Item, Joined, Named, Narrowed, Query, Relation,
    Selection, Subquery, SubqueryKind, United, subquery_name, virtual_schema_named,
};
use item::item;
pub use kinds::{Assignment, PreparedText, Savepoint, Show};
pub use refused::{Refused, StatementPosition};
use sqlparser::ast::Expr;
pub use time_clause::{IntervalUnit, RecordEnd, TimeClause, TimestampExpr};

/// Columns of a result at most, as in mysqld.
pub const MOST_COLUMNS: usize = 4096;

/// One statement, understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// A query on `_flashback`, `_diff` or `_snapshot`.
    TimeTravel(Box<Draft>),
    /// A query on a table of `_history`. Of its draft neither schema counts, nor the instant where
    /// the table has no window.
    History(dbtrail_types::happened::HistoryTable, Box<Draft>),
    /// EXPLAIN of one.
    Explain(Box<Draft>),
    /// `SET ...`: all assignments, in order. Carried out as a whole or not at all.
    Set(Vec<Assignment>),
    /// A SELECT without a table: `SELECT 1`, `SELECT @@version_comment LIMIT 1`, `SELECT
    /// DATABASE(), NOW()`.
    Constants {
        /// What is selected, with the name of each column as mysqld would show it.
        items: Vec<(String, Expr)>,
        /// WHERE, if any.
        filter: Option<Box<Expr>>,
        /// LIMIT, if any.
        limit: Option<u64>,
    },
    /// `SHOW ...`
    Show(Show),
    /// What there is: SHOW TABLES, DESCRIBE, SELECT on information_schema...
    InformationSchema(InformationSchema),
    /// `USE schema`
    Use(String),
    /// BEGIN, START TRANSACTION [...]
    Begin {
        /// READ ONLY, READ WRITE.
        read_only: Option<bool>,
        /// WITH CONSISTENT SNAPSHOT.
        snapshot: bool,
    },
    /// COMMIT
    Commit,
    /// ROLLBACK
    Rollback,
    /// SAVEPOINT, ROLLBACK TO, RELEASE SAVEPOINT
    Savepoint(Savepoint, String),
    /// UNLOCK TABLES
    UnlockTables,
    /// `DO expr, ...`
    Do(Vec<Expr>),
    /// `KILL [QUERY | CONNECTION] id`
    Kill {
        /// QUERY: the statement alone; otherwise the connection.
        query_only: bool,
        /// The connection id; an expression such as CONNECTION_ID() or a literal.
        id: Box<Expr>,
    },
    /// `PREPARE name FROM 'text' | @variable`
    Prepare {
        /// The name, in lower case.
        name: String,
        /// The text to prepare, or the user variable that holds it.
        source: PreparedText,
    },
    /// `EXECUTE name [USING @a, @b]`
    Execute {
        /// The name, in lower case.
        name: String,
        /// User variables, in lower case and without `@`.
        using: Vec<String>,
    },
    /// `DEALLOCATE PREPARE name`, `DROP PREPARE name`
    Deallocate {
        /// The name, in lower case.
        name: String,
    },
    /// Nothing but white space.
    Empty,
    /// Nothing but comments.
    Comments,
    /// A statement that this server does not carry out. The parser knows why and says it (1235 or
    /// 1064).
    Refused(Refused),
}

impl Statement {
    /// One word for the log; it holds nothing of the text.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TimeTravel(draft) => draft.virtual_schema.name(),
            Self::History(..) => HISTORY,
            Self::Explain(_) => "explain",
            Self::Set(_) => "set",
            Self::Constants { .. }
            | Self::InformationSchema(InformationSchema::Select(_) | InformationSchema::Empty(_)) => "select",
            Self::Show(_) | Self::InformationSchema(_) => "show",
            Self::Use(_) => "use",
            Self::Begin { .. } => "begin",
            Self::Commit => "commit",
            Self::Rollback => "rollback",
            Self::Savepoint(..) => "savepoint",
            Self::UnlockTables => "unlock",
            Self::Do(_) => "do",
            Self::Kill { .. } => "kill",
            Self::Prepare { .. } => "prepare",
            Self::Execute { .. } => "execute",
            Self::Deallocate { .. } => "deallocate",
            Self::Empty => "empty",
            Self::Comments => "comments",
            Self::Refused(_) => "refused",
        }
    }
}

/// Reads one statement. Text that is none, or none for this server, is [`Statement::Refused`].
#[must_use]
pub fn parse(text: &str, reading: ParseSettings) -> Statement {
    let understood = split::expand_version_comments(text, reading)
        .and_then(|plain| understood(&plain, reading, Placeholders::Refused));
    match understood {
        // Comments alone are carried out by doing nothing; mysqld says OK to them.
        Ok(Statement::Empty) if text.contains(|c: char| !c.is_whitespace() && c != ';') => {
            Statement::Comments
        }
        Ok(statement) => statement,
        Err(refused) => Statement::Refused(refused),
    }
}

fn understood(
    text: &str,
    reading: ParseSettings,
    placeholders: Placeholders<'_>,
) -> Result<Statement, Refused> {
    let mut c = Cursor::new(text, reading)?;
    bind::bind_at(&mut c, placeholders)?;
    if c.is_at_end() {
        return Ok(Statement::Empty);
    }
    if let Some(statement) = information_schema::described(&mut c)? {
        return Ok(statement);
    }
    if let Some(statement) = explain::explain(&c, reading)? {
        return Ok(statement);
    }
    if let Some(statement) = empty::selected(&mut c.clone(), reading.in_information_schema)? {
        return Ok(statement);
    }
    if let Some(statement) = history::history(&c)? {
        return Ok(statement);
    }
    if let Some(draft) = travel::draft(c.clone(), reading)? {
        return Ok(Statement::TimeTravel(Box::new(draft)));
    }
    if let Some(statement) = session::session(&mut c)? {
        return Ok(statement);
    }
    if let Some(statement) = information_schema::selected(&mut c, reading)? {
        return Ok(statement);
    }
    let position = c.index();
    if let Some(statement) = constants::selected(&mut c)? {
        return Ok(statement);
    }
    c.go(position);
    if let Some(refused) = diagnostics::nearly_time_travel(&c) {
        return Err(refused);
    }
    let what: String = c.source().chars().take(60).collect();
    Err(Refused::NotForThisServer { what })
}

/// The settings of a session that change how its text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseSettings {
    /// sql_mode ANSI_QUOTES: `"` quotes names.
    pub ansi_quotes: bool,
    /// sql_mode NO_BACKSLASH_ESCAPES: `\` is an ordinary character in a string.
    pub no_backslash_escapes: bool,
    /// The version of this server as executable comments name it: 80036.
    pub version: u32,
    /// `statements.orm_forms`: a hint, or a time clause at the end, makes a query on a real table
    /// one on `_flashback`.
    pub orm_forms: bool,
    /// The current database is information_schema: tables without a schema are of it.
    pub in_information_schema: bool,
}
