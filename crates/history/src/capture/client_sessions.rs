//! Whose connections the server has, as a look at its list of sessions found them.

use crate::binlog_position::BinlogPosition;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionInfo {
    /// The user that logged in.
    pub user: String,
    /// The host that it came from, without a port.
    pub host: Option<String>,
    /// `program_name` of its connect attributes.
    pub program: Option<String>,
}

/// A connection of which it is certain whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedSession {
    /// Its number (`CONNECTION_ID()`).
    pub id: u32,
    /// What it committed after this position of the log, up to the position of the look, it
    /// committed as this user.
    pub since: BinlogPosition,
    /// Who it is.
    pub info: Arc<SessionInfo>,
}

/// What is certain after a look at the list of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionsLook {
    /// This machine's clock.
    pub at: Timestamp,
    /// The connections.
    pub sessions: Vec<ConfirmedSession>,
}
