//! Text to a closed set of statements: what was asked, before anyone decides whether it may be.
//!
//! Pure: no clock, no schema, no session but the few settings that change how text is read
//! ([`Reading`]). The tokens and the expression grammar are sqlparser's; the time clause, which no
//! SQL parser knows in these forms, is taken out of the token stream first.

mod bind;
mod clauses;
mod constants;
mod cursor;
mod diagnostics;
mod empty;
mod equality;
mod explain;
mod hint;
mod hint_comment;
mod history;
mod information_schema;
mod lexis;
mod orm;
mod select_list;
mod session;
pub mod split;
mod tables;
mod timestamp;
mod travel;

pub use bind::{MOST_PARAMETERS, Outline, Parameter, Template};

use bind::Placeholders;
use cursor::Cursor;
use dbtrail_types::timestamp::Timestamp;
pub use history::HISTORY;
pub use information_schema::{
    Absent, Empty, INFORMATION_SCHEMA, InformationSchema, Item, Joined, Named, Narrowed, Query, Relation,
    Selection, Subquery, SubqueryKind, United, subquery_name, virtual_schema_named,
};
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;
use std::fmt;

/// Columns of a result at most, as in mysqld.
pub const MOST_COLUMNS: usize = 4096;

/// Reads one statement. Text that is none, or none for this server, is [`Statement::Refused`].
#[must_use]
pub fn parse(text: &str, reading: Reading) -> Statement {
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

fn understood(text: &str, reading: Reading, placeholders: Placeholders<'_>) -> Result<Statement, Refused> {
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

/// An expression and its name: the alias, or the text as it was written.
fn item(part: &Cursor<'_>) -> Result<(String, Expr), Refused> {
    let alias_at = part.find(&["AS"]);
    let mut alias = part.clone();
    alias.go(alias_at);
    if alias.words(&["AS"]) {
        let name = alias.text().map_or_else(|| alias.name("an alias"), Ok)?;
        if !alias.is_at_end() {
            return Err(alias.unexpected("the end of the alias"));
        }
        return Ok((name, part.part(part.index(), alias_at).expression()?));
    }
    match part.expression() {
        Ok(expression) => Ok((written(part), expression)),
        // `SELECT @@version v`: an alias without AS.
        Err(refused) => {
            let end = part.index() + part.length();
            let mut last = part.clone();
            last.go(end.saturating_sub(1));
            match last.next() {
                Some(
                    Token::Word(sqlparser::tokenizer::Word { value: name, .. })
                    | Token::SingleQuotedString(name)
                    | Token::DoubleQuotedString(name),
                ) if part.length() > 1 => {
                    let expression = part.part(part.index(), end - 1).expression().map_err(|_| refused)?;
                    Ok((name, expression))
                }
                _ => Err(refused),
            }
        }
    }
}

fn written(part: &Cursor<'_>) -> String {
    // A parameter is called `?`, whatever its value is.
    if part.source() == "?" {
        return part.source();
    }
    match (part.peek(), part.ahead(1)) {
        (
            Some(
                Token::SingleQuotedString(text)
                | Token::DoubleQuotedString(text)
                | Token::NationalStringLiteral(text),
            ),
            None,
        ) => text.clone(),
        _ => part.source(),
    }
}

/// The settings of a session that change how its text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
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

/// One of the virtual schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VirtualSchema {
    /// `_flashback`
    Flashback,
    /// `_diff`
    Diff,
    /// `_snapshot`
    Snapshot,
    /// `_undo`
    Undo,
}

impl VirtualSchema {
    /// The name as it is in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flashback => "_flashback",
            Self::Diff => "_diff",
            Self::Snapshot => "_snapshot",
            Self::Undo => "_undo",
        }
    }

    /// Whether it is asked for a window, and not for an instant.
    #[must_use]
    pub const fn is_of_changes(self) -> bool {
        matches!(self, Self::Diff | Self::Undo)
    }
}

/// A position in a statement as messages name it: `line 1, column 32`. Written only where a message
/// is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementPosition(Option<(u64, u64)>);

impl fmt::Display for StatementPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, "line {line}, column {column}"),
            None => f.write_str("the end of the statement"),
        }
    }
}

/// A time-travel query as written, nothing checked yet but its grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The virtual schema.
    pub virtual_schema: VirtualSchema,
    /// The middle part of a three-part name.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// The alias, if it has one.
    pub alias: Option<String>,
    /// What is selected; empty means `*`.
    pub projection: Vec<Projected>,
    /// The time clause.
    pub time: TimeClause,
    /// Where it is, for messages.
    pub time_at: StatementPosition,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY: columns, as written, qualifiers taken off.
    pub group_by: Vec<String>,
    /// ORDER BY: column (as written, qualifier taken off, or [`COUNT`]) and whether descending.
    pub order_by: Vec<(String, bool)>,
    /// LIMIT.
    pub limit: Option<Limit>,
    /// ALLOW WIDE, or the hint `SET_VAR(dbtrail_allow_wide_diff=ON)`, or OFF; `None`: the session
    /// decides.
    pub allow_wide_diff: Option<bool>,
    /// ALLOW SCAN, or the hint `SET_VAR(dbtrail_allow_table_scan=ON)`, or OFF; `None`: the session
    /// decides.
    pub allow_table_scan: Option<bool>,
}

impl Draft {
    /// Whether it asks for groups of rows, or for their number.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty()
            || self.projection.iter().any(|item| matches!(item, Projected::Count { .. }))
    }
}

/// `COUNT(*)` in ORDER BY, however it was written.
pub const COUNT: &str = "COUNT(*)";

/// One selected column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projected {
    /// `*` among other columns, or `t.*`.
    All,
    /// `column [AS alias]`, qualifier taken off.
    Column {
        /// The column.
        name: String,
        /// The alias, if it has one.
        alias: Option<String>,
    },
    /// `COUNT(*) [AS alias]`
    Count {
        /// The alias, or the text as it was written.
        name: String,
    },
}

/// LIMIT count OFFSET offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Rows to skip.
    pub offset: u64,
    /// Rows to show at most.
    pub count: u64,
}

/// The time that a statement asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum TimeClause {
    /// AS OF
    At(TimestampExpr),
    /// AT GTID
    Gtid(String),
    /// BETWEEN
    Between(TimestampExpr, TimestampExpr),
}

impl TimeClause {
    /// Whether a part of it is a parameter that has no value yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::At(at) => at.is_open(),
            Self::Gtid(_) => false,
            Self::Between(since, until) => since.is_open() || until.is_open(),
        }
    }
}

impl TimestampExpr {
    fn is_open(&self) -> bool {
        match self {
            Self::Parameter(_) => true,
            Self::Minus { base, .. } => base.is_open(),
            Self::Literal(_)
            | Self::End(_)
            | Self::RecordEndAt(_)
            | Self::Now { .. }
            | Self::Today
            | Self::UtcTimestamp { .. }
            | Self::Unix(_) => false,
        }
    }
}

/// An instant as written. Made a point in time by the plan, once, when the statement is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampExpr {
    /// A quoted literal in any of the accepted forms, `'now'` and `'5 minutes ago'` among them.
    Literal(String),
    /// LATEST or EARLIEST: an end of what can be answered. The plan takes `'now'` and a NOW() alone
    /// for the former.
    End(RecordEnd),
    /// What an end was found to be.
    RecordEndAt(Timestamp),
    /// `NOW([n])`, CURRENT_TIMESTAMP, LOCALTIME: the local time of the session's zone, cut to `fsp`
    /// decimals.
    Now {
        /// Decimals of a second, 0 to 6.
        fsp: u8,
    },
    /// `CURDATE()`, CURRENT_DATE: the midnight with which the day began in the session's zone.
    Today,
    /// `UTC_TIMESTAMP([n])`: read, as mysqld would, as a local time of the session. See the plan
    /// for what is accepted.
    UtcTimestamp {
        /// Decimals of a second, 0 to 6.
        fsp: u8,
    },
    /// FROM_UNIXTIME(n): seconds since 1970, as decimal text.
    Unix(String),
    /// `base - INTERVAL n unit` (and `+`, where the amount is negative here).
    Minus {
        /// The instant from which the interval is subtracted.
        base: Box<TimestampExpr>,
        /// How many units back; as text so that '1.5' SECOND is exact.
        amount: String,
        /// The unit.
        unit: IntervalUnit,
    },
    /// `?`, the nth of the statement, counted from 0.
    Parameter(usize),
}

/// An end of the record, as far as it can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// The oldest instant.
    Earliest,
    /// The newest instant.
    Latest,
}

impl RecordEnd {
    /// The word, or the literal in any case, that means one.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let is = |name: &str| word.trim().eq_ignore_ascii_case(name);
        if is("LATEST") || is("NOW") { Some(Self::Latest) } else { is("EARLIEST").then_some(Self::Earliest) }
    }
}

impl TimestampExpr {
    /// The end of the record that this means, if it is one: `'now'` and NOW() by themselves are the
    /// newest instant that can be answered, since what a server has committed reaches an agent a
    /// little later.
    #[must_use]
    pub fn end(&self) -> Option<RecordEnd> {
        match self {
            Self::End(end) => Some(*end),
            Self::Literal(text) => RecordEnd::named(text),
            Self::Now { .. } | Self::UtcTimestamp { .. } => Some(RecordEnd::Latest),
            Self::RecordEndAt(_) | Self::Today | Self::Unix(_) | Self::Minus { .. } | Self::Parameter(_) => {
                None
            }
        }
    }
}

impl TimeClause {
    /// Its instants, to be looked at or to be put in.
    pub fn instants(&mut self) -> impl Iterator<Item = &mut TimestampExpr> {
        let (first, second) = match self {
            Self::At(at) => (Some(at), None),
            Self::Gtid(_) => (None, None),
            Self::Between(since, until) => (Some(since), Some(until)),
        };
        first.into_iter().chain(second)
    }
}

/// Units of INTERVAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "MySQL's own unit names")]
pub enum IntervalUnit {
    Microsecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
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
