//! How a connection is reached from outside, and what it can tell of itself while it works.

use crate::session::{Identity, Process, Session};
use dbtrail_mysql_wire::constants::command as com;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How a connection is reached from outside.
#[derive(Debug, Default)]
pub struct Handle {
    /// The user that is logged in.
    pub user: Mutex<String>,
    /// The client has answered the greeting.
    pub spoke: AtomicBool,
    /// KILL QUERY.
    pub interrupt: Notify,
    /// KILL CONNECTION, and the end of the server.
    pub end: CancellationToken,
    /// The server drains: an idle connection ends, but for those of a ProxySQL.
    pub drain: CancellationToken,
    /// Those of a ProxySQL end too.
    pub leave: CancellationToken,
    /// The connection is over: the client has seen its end, or was not waited for.
    pub over: CancellationToken,
    /// Who is logged in.
    identity: Mutex<Option<Arc<Identity>>>,
    /// What it does, once it is logged in.
    activity: Mutex<Option<Activity>>,
}

/// What a connection does, for SHOW PROCESSLIST.
#[derive(Debug)]
struct Activity {
    host: String,
    schema: Option<String>,
    command: &'static str,
    since: std::time::Instant,
    /// As the client sent it. Its memory stays for the next one.
    statement: Vec<u8>,
    has_statement: bool,
}

/// What a connection does between two commands.
pub(super) const IDLE: &str = "Sleep";
/// Bytes of a statement that SHOW PROCESSLIST can show.
const STATEMENT: usize = 64 * 1024;
/// Bytes of memory that stay for the next one.
const KEPT: usize = 4 * 1024;

impl Handle {
    /// The connection as SHOW PROCESSLIST shows it to `user`, if it is theirs.
    #[must_use]
    pub fn process(&self, id: u32, user: &str) -> Option<Process> {
        let owner = self.user.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let activity = activity.as_ref().filter(|_| owner == user)?;
        Some(Process {
            id,
            user: owner,
            host: activity.host.clone(),
            schema: activity.schema.clone(),
            command: activity.command,
            seconds: activity.since.elapsed().as_secs(),
            statement: activity
                .has_statement
                .then(|| String::from_utf8_lossy(&activity.statement).into_owned()),
        })
    }

    /// Who speaks is known, or known again.
    pub(super) fn identify(&self, identity: &Arc<Identity>) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(identity));
    }

    /// Who is logged in; `None`: nobody yet.
    #[must_use]
    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a command is being carried out.
    #[must_use]
    pub fn works(&self) -> bool {
        let activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        activity.as_ref().is_some_and(|activity| activity.command != IDLE)
    }

    /// When it began what it does, or doing nothing; `None`: it has not logged in.
    #[must_use]
    pub fn active_since(&self) -> Option<std::time::Instant> {
        let activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        activity.as_ref().map(|activity| activity.since)
    }

    /// A command begins; [`IDLE`] when it is over.
    pub(super) fn does(&self, session: &Session, command: &'static str, statement: Option<&[u8]>) {
        let mut activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let activity = activity.get_or_insert_with(|| Activity {
            host: String::new(),
            schema: None,
            command,
            since: std::time::Instant::now(),
            statement: Vec::new(),
            has_statement: false,
        });
        session.identity().host.clone_into(&mut activity.host);
        match (&mut activity.schema, session.schema()) {
            (Some(before), Some(now)) => now.clone_into(before),
            (before, now) => *before = now.map(str::to_owned),
        }
        activity.command = command;
        activity.since = std::time::Instant::now();
        activity.has_statement = statement.is_some();
        activity.statement.clear();
        // A connection that is idle holds no long text.
        if activity.statement.capacity() > KEPT {
            activity.statement = Vec::new();
        }
        if let Some(statement) = statement {
            activity.statement.extend_from_slice(&statement[..statement.len().min(STATEMENT)]);
        }
    }
}

/// A command as SHOW PROCESSLIST names it.
pub(super) const fn command_name(command: u8) -> &'static str {
    match command {
        com::COM_INIT_DB => "Init DB",
        com::COM_QUERY => "Query",
        com::COM_FIELD_LIST => "Field List",
        com::COM_STATISTICS => "Statistics",
        com::COM_PING => "Ping",
        com::COM_CHANGE_USER => "Change user",
        com::COM_STMT_PREPARE => "Prepare",
        com::COM_STMT_EXECUTE => "Execute",
        com::COM_STMT_SEND_LONG_DATA => "Long Data",
        com::COM_STMT_CLOSE => "Close stmt",
        com::COM_STMT_RESET => "Reset stmt",
        com::COM_SET_OPTION => "Set option",
        com::COM_STMT_FETCH => "Fetch",
        com::COM_RESET_CONNECTION => "Reset Connection",
        _ => "Error",
    }
}
