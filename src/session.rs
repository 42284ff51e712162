//! One logged-in conversation: identity, database, variables, warnings; runs one statement through the stages.
//!
//! Knows no packets (that is `wire`) and no HTTP (that is `agent_client`).

mod images;
mod sort;
mod stream;

pub use stream::{Next, RowStream};

use crate::agent_client::{AgentClient, Caller};
use crate::failure::Failure;
use crate::ident::{RequestId, ServerId};
use crate::plan::guard;
use crate::reply::{Note, ResultColumn, Row};
use crate::secret::Secret;
use crate::zone::Zone;
use std::sync::Arc;
use std::time::Duration;

/// What the configuration says about sessions. One for the whole server.
#[derive(Debug)]
pub struct Settings {
    /// The version of the greeting, of `@@version` and of `VERSION()`.
    pub server_version: String,
    /// `limits.max_diff_window`
    pub max_diff_window: Duration,
    /// The rules of the guard.
    pub guard: guard::Settings,
    /// `limits.max_packet`, bytes: also `@@max_allowed_packet`.
    pub max_packet: usize,
    /// `limits.max_connections`: also `@@max_connections`.
    pub max_connections: usize,
}

/// A tenant: one MySQL user, one server's history, one agent.
#[derive(Debug)]
pub struct Tenant {
    /// The MySQL user name.
    pub mysql_user: String,
    /// What a password is checked against.
    pub credential: Credential,
    /// Whose history.
    pub server_id: ServerId,
    /// The agent that keeps it.
    pub agent: AgentClient,
    /// What the agent is told about the caller.
    pub caller: Caller,
    /// The database of a login that names none.
    pub default_schema: Option<String>,
    /// `None`: all.
    pub allowed_schemas: Option<Vec<String>>,
    /// The zone of a new session.
    pub time_zone: Zone,
}

/// What a password is checked against.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The password itself: serves both authentication plugins.
    Password(Secret),
    /// SHA1(SHA1(password)), as in `mysql.user` for mysql_native_password: serves that plugin, and the full exchange of caching_sha2_password.
    NativeHash([u8; 20]),
}

/// Who logged in. Only `wire::auth` makes one, after the password was verified.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Tenant or monitor.
    pub role: Role,
    /// User name as sent.
    pub user: String,
    /// The peer's address without port, as `USER()` shows it.
    pub host: String,
    /// The id of the connection: CONNECTION_ID(), KILL.
    pub connection_id: u32,
}

/// What a login may do.
#[derive(Clone, Debug)]
pub enum Role {
    /// Ask for its own history.
    Tenant(Arc<Tenant>),
    /// ProxySQL's monitor: log in, ping, ask for read_only and replica status; nothing else.
    Monitor,
}

/// KILL reaches other connections through this; `server` implements it.
pub trait Connections: Send + Sync + std::fmt::Debug {
    /// Ends a connection or its running statement, if `user` owns it.
    ///
    /// # Errors
    /// [`Failure::NoSuchThread`], [`Failure::NotOwner`].
    fn kill(&self, id: u64, query_only: bool, user: &str) -> Result<(), Failure>;
    /// `(connections open now, statements since start, seconds since start)` for COM_STATISTICS and SHOW STATUS.
    fn figures(&self) -> (u64, u64, u64);
}

/// An answer to one statement.
#[derive(Debug)]
pub enum Answer {
    /// An OK packet.
    Done,
    /// A result set that is complete.
    Table(Vec<ResultColumn>, Vec<Row>),
    /// A result set whose rows are still coming.
    Stream(Vec<ResultColumn>, Box<RowStream>),
}

/// What every OK and EOF packet tells of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// SERVER_STATUS_AUTOCOMMIT
    pub autocommit: bool,
    /// SERVER_STATUS_IN_TRANS
    pub in_transaction: bool,
    /// SERVER_STATUS_NO_BACKSLASH_ESCAPES
    pub no_backslash_escapes: bool,
    /// Warnings of the last statement.
    pub warnings: u16,
}

/// The character set that text goes out in (`character_set_results`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultCharset {
    /// utf8mb4 or utf8mb3 or NULL/binary: bytes as they are; the collation id is that of the session for `Utf8`.
    Utf8 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// latin1: text is converted; a character it does not have becomes `?`, as in mysqld.
    Latin1 {
        /// Collation id to declare for text columns.
        collation_id: u16,
    },
    /// NULL or binary: each column keeps its own character set's declaration.
    AsStored,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    identity: Identity,
    settings: Arc<Settings>,
    connections: Arc<dyn Connections>,
}

impl Session {
    /// A fresh session with everything at its default, `collation_id` being the one in the handshake.
    #[must_use]
    pub fn new(
        identity: Identity,
        settings: Arc<Settings>,
        connections: Arc<dyn Connections>,
        collation_id: u16,
    ) -> Self {
        let _ = collation_id;
        Self { identity, settings, connections }
    }

    /// Who this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Changes the current database: COM_INIT_DB, `USE`, the schema of the handshake. Asks the agent which schemas exist.
    ///
    /// # Errors
    /// 1044 when the tenant may not, 1049 when the agent knows no such schema, agent failures.
    pub async fn use_schema(&mut self, name: &str, request: &RequestId) -> Result<(), Failure> {
        let _ = (name, request, &self.settings, &self.connections);
        Err(Failure::NoDatabase)
    }

    /// Runs one statement (COM_QUERY). Dropping the future, or the stream in the answer, cancels the agent request.
    ///
    /// # Errors
    /// Any [`Failure`]; the session can go on after every one.
    pub async fn query(&mut self, text: &[u8], request: &RequestId) -> Result<Answer, Failure> {
        let _ = (text, request);
        Err(Failure::Internal("the session is not built yet".to_owned()))
    }

    /// The statement is over: keeps its notes for SHOW WARNINGS and `@@warning_count`. (A failure becomes one `Error` line.)
    pub fn finish(&mut self, notes: Vec<Note>) {
        let _ = notes;
    }

    /// The statement failed: SHOW WARNINGS shows it.
    pub fn failed(&mut self, failure: &Failure) {
        let _ = failure;
    }

    /// COM_RESET_CONNECTION: everything back to what a fresh login has, but the identity (and the current database, which mysqld keeps).
    pub fn reset(&mut self) {}

    /// COM_SET_OPTION: whether several statements may come in one packet.
    pub fn set_multi_statements(&mut self, on: bool) {
        let _ = on;
    }

    /// What OK and EOF packets tell.
    #[must_use]
    pub fn status(&self) -> Status {
        Status { autocommit: true, in_transaction: false, no_backslash_escapes: false, warnings: 0 }
    }

    /// What text is sent as.
    #[must_use]
    pub fn result_charset(&self) -> ResultCharset {
        ResultCharset::Utf8 { collation_id: 255 }
    }
}
