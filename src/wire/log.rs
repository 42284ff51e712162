//! What the log says of statements and logins: who, what kind, which table, how long, how it ended.
//! Never what stood in them.

use super::error::MySqlError;
use crate::failure::{Failure, Fault};
use crate::session::{About, Identity, Role};
use crate::telemetry::Sparse;
use dbtrail_types::names::RequestId;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

/// Refused logins, and what a monitor may not ask: pools try again without end.
static REFUSED: LazyLock<Sparse> = LazyLock::new(Sparse::default);

enum Outcome {
    /// The client went away, was killed, or the server ended before the answer did.
    Gone,
    Done,
    Failed(Failure, u16),
}

/// The line of one statement, written when it is dropped: also a statement that is cancelled has
/// one.
pub(super) struct Line {
    identity: Arc<Identity>,
    request: RequestId,
    started: Instant,
    about: About,
    rows: u64,
    outcome: Outcome,
}

/// One event with all fields, at the level named.
macro_rules! tell {
    ($level:ident, $line:expr, $outcome:expr, $detail:expr) => {
        tracing::$level!(
            connection = $line.identity.connection_id,
            user = ?$line.identity.user,
            tenant = $line.tenant(),
            kind = $line.about.kind,
            table = $line.about.table.as_deref(),
            request = %$line.request,
            rows = $line.rows,
            milliseconds = u64::try_from($line.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            outcome = $outcome,
            detail = $detail,
            "statement"
        )
    };
}

impl Line {
    pub(super) fn new(identity: &Arc<Identity>, request: &RequestId) -> Self {
        Self {
            identity: Arc::clone(identity),
            request: request.clone(),
            started: Instant::now(),
            about: About::default(),
            rows: 0,
            outcome: Outcome::Gone,
        }
    }

    pub(super) fn about(&mut self, about: &About) {
        self.about = about.clone();
    }

    pub(super) fn rows(&mut self, count: usize) {
        self.rows += count as u64;
    }

    pub(super) fn done(&mut self) {
        self.outcome = Outcome::Done;
    }

    pub(super) fn failed(&mut self, failure: &Failure, error: &MySqlError) {
        self.outcome = Outcome::Failed(failure.clone(), error.code);
    }

    /// Whose history: the server id of the tenant.
    fn tenant(&self) -> Option<&str> {
        match &self.identity.role {
            Role::Tenant(tenant) => Some(&tenant.server_id.0),
            Role::Monitor => None,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let (failure, code) = match &self.outcome {
            Outcome::Done => return tell!(debug, self, "ok", None::<&str>),
            Outcome::Gone => return tell!(debug, self, "cancelled", None::<&str>),
            Outcome::Failed(failure, code) => (failure, *code),
        };
        let (outcome, mut detail) = (format!("error {code}"), failure.detail());
        if matches!(self.identity.role, Role::Monitor) {
            let Some(left_out) = REFUSED.admit("monitor", &self.identity.user, Instant::now()) else {
                return tell!(debug, self, outcome, detail);
            };
            detail = Some(format!("refused to the monitor user; {left_out} more were left out"));
        }
        match failure.fault() {
            Fault::Client => tell!(debug, self, outcome, detail),
            Fault::Policy => tell!(info, self, outcome, detail),
            Fault::Upstream => tell!(warn, self, outcome, detail),
            Fault::Ours => tell!(error, self, outcome, detail),
        }
    }
}

/// A login, or a COM_CHANGE_USER, that was refused.
pub(super) fn refused_login(connection: u32, user: &str, host: &str, failure: &Failure, error: &MySqlError) {
    let kind = match failure.fault() {
        Fault::Client => "login: client",
        Fault::Policy => "login: policy",
        Fault::Upstream => "login: upstream",
        Fault::Ours => "login: ours",
    };
    let Some(left_out) = REFUSED.admit(kind, user, Instant::now()) else { return };
    let (user, outcome, detail) =
        (user.chars().take(64).collect::<String>(), format!("error {}", error.code), failure.detail());
    if failure.fault() == Fault::Ours {
        tracing::error!(connection, ?user, host, outcome, detail, left_out, "login refused");
    } else {
        tracing::warn!(connection, ?user, host, outcome, detail, left_out, "login refused");
    }
}
