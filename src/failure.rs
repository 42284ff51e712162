//! Everything that can go wrong with a statement or a login, as one closed union.
//!
//! A failure carries the public sentence and what a log needs; numbers and SQLSTATEs are
//! `wire::error`'s alone.

use dbtrail_types::names::TableName;

/// Whose fault a failure is: it decides the log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The person who asked: a wrong statement.
    Client,
    /// A rule of this server or of its configuration.
    Policy,
    /// The agent or the way to it.
    Upstream,
    /// This program.
    Ours,
}

/// What went wrong.
///
/// The texts are complete sentences without the fixed prefixes; `wire::error` puts those in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The agent cannot be reached, or the connection broke before or during the body. Text: what
    /// and where.
    AgentUnreachable(String),
    /// The agent answered 5xx.
    AgentFailed {
        /// HTTP status.
        status: u16,
        /// Its error text, cut and cleaned.
        body: String,
    },
    /// The agent answered 4xx.
    AgentRejected {
        /// HTTP status.
        status: u16,
        /// Its error text, cut and cleaned.
        body: String,
        /// Its word for the cause (`out_of_range`); empty: it has none.
        word: String,
    },
    /// The agent answered something that cannot be used: `success: false`, or not understood.
    AgentNonsense(String),
    /// A bug here: a caught panic, a broken invariant.
    Internal(String),
    /// No PK predicate. Text: the key, and an example.
    KeyRule(String),
    /// A join with a real table.
    JoinWithReal {
        /// `_flashback.orders`
        virtual_table: String,
        /// The table as the statement names it.
        real_table: String,
    },
    /// The window of a `_diff` is too wide. Text: span, limit, ways out.
    WindowTooWide(String),
    /// 1104: an answer has more rows than `limits.max_rows`. Text: the limit, and what to do.
    TooManyRows(String),
    /// A cell that was asked for is not known to the agent. Text: the column, why, and what to ask
    /// for.
    UnknownCell(String),
    /// 1045: no tenant has this MySQL user.
    UnknownTenant(String),
    /// 1045: wrong password.
    AccessDenied {
        /// The user name sent.
        user: String,
        /// The peer's address as mysqld shows it.
        host: String,
        /// Whether a password was sent.
        using_password: bool,
    },
    /// 3159: `tls: required`, and a client without TLS.
    InsecureTransport,
    /// 1044: this tenant may not use this schema.
    SchemaDenied {
        /// The user.
        user: String,
        /// The peer's address.
        host: String,
        /// The schema.
        schema: String,
    },
    /// 1049: no such schema is known to the agent.
    UnknownSchema(String),
    /// 1146: no such table is known to the agent.
    UnknownTable(TableName),
    /// 1109: no such table in information_schema. Its name, in upper case.
    UnknownInformationTable(String),
    /// 1046: no database selected.
    NoDatabase,
    /// 1054: unknown column. Fields: column, clause (`'where clause'`, `'field list'`, `'order
    /// clause'`).
    UnknownColumn(String, &'static str),
    /// 1052: a column of two tables of a join. Fields: column, clause.
    AmbiguousColumn(String, &'static str),
    /// 1193: unknown system variable.
    UnknownVariable(String),
    /// 1231: a variable cannot have this value. Fields: variable, value.
    WrongValue(String, String),
    /// 1232: a variable does not take values of this type.
    WrongType(String),
    /// 1238: the variable is the session's alone, and SET GLOBAL or @@GLOBAL was said.
    SessionVariable(String),
    /// 1238: the variable is the server's alone, and @@SESSION was said.
    NoSessionValue(String),
    /// 1568: characteristics of a transaction that has begun.
    InTransaction,
    /// 1621: the variable has a value of the session's own that cannot be set.
    ReadOnlyInSession(String),
    /// 1690: the type of an expression (`BIGINT`) does not hold its result. Fields: type,
    /// expression.
    OutOfRange(&'static str, String),
    /// 1238: the variable is read-only (or global only). Fields: variable, `read only` or
    /// `GLOBAL`-style reason.
    ReadOnlyVariable(String, &'static str),
    /// 1229: the variable is global, SET GLOBAL was needed.
    GlobalVariable(String),
    /// 1227: needs a privilege that no user has here (SET GLOBAL).
    PrivilegeRequired(String),
    /// 1115: unknown character set.
    UnknownCharset(String),
    /// 1273: unknown collation.
    UnknownCollation(String),
    /// 1253: collation not of this character set. Fields: collation, character set.
    CollationMismatch(String, String),
    /// 1298: unknown time zone.
    UnknownTimeZone(String),
    /// 1292: an instant that cannot be used: malformed, ambiguous, in the future.
    BadTimestamp(String),
    /// 1366-like refusals of a key value that MySQL would coerce: 1235.
    Unsupported(String),
    /// It would compute for too long, or hold too much.
    OutOfBudget(String),
    /// Its values have no room beside what others hold: 1235.
    OutOfMemory(String),
    /// 1235: for another server.
    NotForThisServer(String),
    /// 1290: the audit log cannot be written, and nothing may be looked at without it.
    Unaudited(String),
    /// 1064 (42000).
    Syntax(String),
    /// 1064 (HY000): reversed window.
    ReversedWindow(String),
    /// 1065: nothing but comments.
    EmptyQuery,
    /// 1317: interrupted by KILL QUERY.
    Interrupted,
    /// 3024: the statement ran longer than the session's max_execution_time.
    TooLong,
    /// 4031: the client was silent for longer than its wait_timeout.
    Inactive,
    /// 1159: the client stopped in the middle of a packet.
    Stalled,
    /// 1053: the server shuts down.
    ShuttingDown,
    /// 1226: the server is full.
    Full {
        /// The user.
        user: String,
        /// The limit reached.
        limit: u64,
    },
    /// 1094: KILL of a connection that is not there.
    NoSuchThread(u64),
    /// 1095: KILL of somebody else's connection.
    NotOwner(u64),
    /// 1047: a command that this server does not know.
    UnknownCommand,
    /// 1153: a packet larger than `limits.max_packet`.
    PacketTooLarge,
    /// 1041: so much has come of commands that are not done with that no more is held.
    NoMemory,
    /// 1043, 1158..., 1835: the packet does not parse.
    MalformedPacket(String),
    /// 1243: no prepared statement of this number or name. Fields: it, and the command as mysqld
    /// names it.
    UnknownPrepared(String, &'static str),
    /// 1305: a savepoint that the transaction does not have.
    UnknownSavepoint(String),
    /// 1210: parameters that were not all given, or given in another form. The command as mysqld
    /// names it.
    WrongArguments(&'static str),
    /// 1295: a statement that cannot be prepared.
    NotPreparable,
    /// 1390: more parameters than the protocol can number.
    TooManyParameters,
    /// 1461: `limits.max_prepared_statements` is reached.
    TooManyPrepared(usize),
    /// 1421: COM_STMT_FETCH without a cursor. The statement's number.
    NoCursor(u32),
    /// 1105: a parameter sent in pieces is longer than `limits.max_packet`.
    LongDataTooLong,
}

impl Failure {
    /// Who must act.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::AgentUnreachable(_)
            | Self::AgentFailed { .. }
            | Self::AgentNonsense(_)
            | Self::AgentRejected { status: 429, .. } => Fault::Upstream,
            Self::Internal(_) => Fault::Ours,
            // The token in the configuration is wrong; a limit was met; ProxySQL's rules send the
            // wrong statements.
            Self::AgentRejected { status: 401 | 403, .. }
            | Self::UnknownTenant(_)
            | Self::AccessDenied { .. }
            | Self::InsecureTransport
            | Self::SchemaDenied { .. }
            | Self::Full { .. }
            | Self::NotForThisServer(_)
            | Self::PacketTooLarge
            | Self::NoMemory
            | Self::OutOfMemory(_)
            | Self::Unaudited(_)
            | Self::ShuttingDown => Fault::Policy,
            Self::AgentRejected { .. }
            | Self::KeyRule(_)
            | Self::JoinWithReal { .. }
            | Self::WindowTooWide(_)
            | Self::TooManyRows(_)
            | Self::UnknownCell(_)
            | Self::UnknownSchema(_)
            | Self::UnknownTable(_)
            | Self::NoDatabase
            | Self::UnknownInformationTable(_)
            | Self::AmbiguousColumn(..)
            | Self::UnknownColumn(..)
            | Self::UnknownVariable(_)
            | Self::WrongValue(..)
            | Self::ReadOnlyVariable(..)
            | Self::GlobalVariable(_)
            | Self::PrivilegeRequired(_)
            | Self::UnknownCharset(_)
            | Self::UnknownCollation(_)
            | Self::CollationMismatch(..)
            | Self::UnknownTimeZone(_)
            | Self::BadTimestamp(_)
            | Self::Unsupported(_)
            | Self::OutOfBudget(_)
            | Self::Syntax(_)
            | Self::ReversedWindow(_)
            | Self::EmptyQuery
            | Self::Interrupted
            | Self::TooLong
            | Self::Inactive
            | Self::Stalled
            | Self::WrongType(_)
            | Self::SessionVariable(_)
            | Self::NoSessionValue(_)
            | Self::InTransaction
            | Self::ReadOnlyInSession(_)
            | Self::OutOfRange(..)
            | Self::NoSuchThread(_)
            | Self::NotOwner(_)
            | Self::UnknownCommand
            | Self::MalformedPacket(_)
            | Self::UnknownPrepared(..)
            | Self::UnknownSavepoint(_)
            | Self::WrongArguments(_)
            | Self::NotPreparable
            | Self::TooManyParameters
            | Self::TooManyPrepared(_)
            | Self::NoCursor(_)
            | Self::LongDataTooLong => Fault::Client,
        }
    }

    /// What a log may say beyond the error number. The sentences of most failures repeat literals
    /// of the statement or values of rows, which no log may hold: the request id leads from the
    /// line to what the client was sent.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a new failure says nothing until somebody has looked at its text"
    )]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::AgentUnreachable(what) | Self::Internal(what) | Self::Unaudited(what) => Some(what.clone()),
            Self::AgentFailed { status, .. } | Self::AgentRejected { status, .. } => {
                Some(format!("HTTP {status}"))
            }
            Self::AgentNonsense(_) => Some("the answer of the agent cannot be used".to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
