//! Who speaks, and over what kind of connection.

use crate::agent_client::{AgentPool, Caller};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Credential;
use dbtrail_types::zone::Zone;
use std::sync::Arc;

/// A tenant: one MySQL user, one server's history, one agent.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The MySQL user name.
    pub mysql_user: String,
    /// What a password is checked against.
    pub credential: Credential,
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The agent that keeps it.
    pub agent: AgentPool,
    /// What the agent is given about the caller.
    pub caller: Caller,
    /// The database of a login that names none.
    pub default_schema: Option<String>,
    /// `None`: all.
    pub allowed_schemas: Option<Vec<String>>,
    /// The zone of a new session.
    pub time_zone: Zone,
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
    /// How the connection was made.
    pub link: Link,
}

/// How a connection is encrypted and compressed: `have_ssl`, and SHOW STATUS.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Whether the server offers TLS.
    pub tls_offered: bool,
    /// TLS, if the client took it.
    pub cipher: Option<Cipher>,
    /// `zlib` or `zstd`.
    pub compression: Option<&'static str>,
    /// The port that the client reached: `@@port`.
    pub port: u16,
}

/// Version and cipher of TLS, as mysqld names them.
#[derive(Clone, Debug)]
pub struct Cipher {
    /// `TLSv1.3`
    pub version: &'static str,
    /// `TLS_AES_128_GCM_SHA256`
    pub name: String,
}

/// What a login may do.
#[derive(Clone, Debug)]
pub enum Role {
    /// Ask for its own history.
    Tenant(Arc<Tenant>),
    /// ProxySQL's monitor: log in, ping, ask for read_only and replica status; nothing else.
    Monitor,
}
