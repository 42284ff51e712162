//! What the log says of statements and logins: who, what kind, which table, how long, how it ended.
//! Never what was in them.

use super::cause;
use super::error::MySqlError;
use crate::failure::{Failure, Fault};
use crate::session::{About, Identity, Noted, Role, Session};
use crate::telemetry::metrics::{Code, Ended, metrics};
use crate::telemetry::{Sparse, audit, figures};
use dbtrail_types::byte_list::ByteList;
use dbtrail_types::names::RequestId;
use dbtrail_types::trace::{self, Span, TraceContext};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// Refused logins, and what a monitor may not ask: pools try again without end.
static REFUSED: LazyLock<Sparse> = LazyLock::new(Sparse::default);

/// The trace of a connection.
pub(super) fn connection_trace(id: u32) -> TraceContext {
    TraceContext::of(&format!("connection {id}"))
}

enum Outcome {
    /// The client went away, was killed, or the server ended before the answer did.
    Gone,
    Done,
    Failed(Failure, u16),
}

/// What is known of the statement.
enum StatementInfo {
    /// This, from the start.
    Explicit(Box<About>),
    /// What the session notes of it.
    Noted(Noted),
}

/// The line of one statement, its figures and its line of the audit log, written when it is
/// dropped: also a statement that is cancelled has them.
pub(super) struct Line {
    identity: Arc<Identity>,
    request: RequestId,
    started: Instant,
    reported: StatementInfo,
    first: Option<Duration>,
    rows: u64,
    bytes: u64,
    outcome: Outcome,
}

/// One event with all fields, at the level named.
macro_rules! log_statement {
    ($level:ident, $line:expr, $about:expr, $outcome:expr, $detail:expr) => {
        tracing::$level!(
            connection = $line.identity.connection_id,
            user = ?$line.identity.user,
            tenant = $line.tenant(),
            kind = $about.kind,
            table = $about.table.as_deref(),
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
    /// In a block of its own: the future of a connection has several.
    pub(super) fn new(identity: &Arc<Identity>, request: &RequestId) -> Box<Self> {
        Box::new(Self {
            identity: Arc::clone(identity),
            request: request.clone(),
            started: Instant::now(),
            reported: StatementInfo::Explicit(Box::default()),
            first: None,
            rows: 0,
            bytes: 0,
            outcome: Outcome::Gone,
        })
    }

    /// Of the next statement of a session.
    pub(super) fn of(session: &Session, request: &RequestId) -> Box<Self> {
        session.noted().set(About::default());
        let mut line = Self::new(session.identity(), request);
        line.reported = StatementInfo::Noted(session.noted().clone());
        line
    }

    pub(super) fn about(&mut self, about: About) {
        self.reported = StatementInfo::Explicit(Box::new(about));
    }

    /// Rows that are sent, as packets.
    pub(super) fn rows(&mut self, packets: &ByteList) {
        if self.rows == 0 && !packets.is_empty() {
            self.first = Some(self.started.elapsed());
        }
        self.rows += packets.len() as u64;
        self.bytes += packets.bytes() as u64;
    }

    pub(super) fn succeeded(&mut self) {
        self.outcome = Outcome::Done;
    }

    pub(super) fn failed(&mut self, failure: &Failure, error: &MySqlError) {
        self.outcome = Outcome::Failed(failure.clone(), error.code);
    }

    /// Figures, and the line of the audit log.
    fn count(&self, about: &About) {
        let took = self.started.elapsed();
        let code = match &self.outcome {
            Outcome::Gone => Code::Cancelled,
            Outcome::Done => Code::Ended(0),
            Outcome::Failed(failure, code) => {
                if let Some(limit) = limit(failure) {
                    metrics().limit(limit);
                    figures::limit(&self.identity.user, limit);
                }
                Code::Ended(*code)
            }
        };
        let class = if about.kind.is_empty() { "unreadable" } else { about.kind };
        let (rows, bytes, first) = (self.rows, self.bytes, self.first);
        let ended = Ended { class, code, took, first, rows, bytes };
        metrics().statement(&ended);
        figures::statement(&self.identity.user, &ended);
        trace::record(|| self.span(about, class, took));
        if about.travels() && audit::is_on() {
            let (outcome, number, word) = match &self.outcome {
                Outcome::Gone => ("cancelled", None, None),
                Outcome::Done => ("answered", None, None),
                Outcome::Failed(failure, code) => ("failed", Some(*code), cause::word(failure)),
            };
            audit::record(&serde_json::json!({
                "time": dbtrail_types::timestamp::Timestamp::now().to_string(),
                "request": self.request.to_string(),
                "connection": self.identity.connection_id,
                "user": self.identity.user,
                "host": self.identity.host,
                "server_id": self.tenant(),
                "kind": about.kind,
                "table": about.table,
                "instants": about.instants(),
                "keys": about.keys.as_deref(),
                "rows": self.rows,
                "outcome": outcome,
                "error": number,
                "word": word,
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            }));
        }
    }

    fn span(&self, about: &About, class: &'static str, took: Duration) -> Span {
        let connection = connection_trace(self.identity.connection_id);
        let context = TraceContext::of(self.request.as_str());
        let span = Span::new(class.to_owned(), context, took)
            .text("dbtrail.request_id", self.request.as_str())
            .text("user.name", self.identity.user.as_str())
            .number("dbtrail.connection", u64::from(self.identity.connection_id))
            .number("db.response.returned_rows", self.rows);
        let mut span = Span { link: Some(connection), ..span };
        if let Some(table) = &about.table {
            span = span.text("db.collection.name", table.as_str());
        }
        match &self.outcome {
            Outcome::Done => span,
            Outcome::Gone => Span { error: Some("cancelled".to_owned()), ..span },
            Outcome::Failed(_, code) => {
                let span = span.text("db.response.status_code", code.to_string());
                Span { error: Some(format!("error {code}")), ..span }
            }
        }
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
        let about = match &self.reported {
            StatementInfo::Explicit(about) => About::clone(about),
            StatementInfo::Noted(noted) => noted.get(),
        };
        self.count(&about);
        let (failure, code) = match &self.outcome {
            Outcome::Done => return log_statement!(debug, self, about, "ok", None::<&str>),
            Outcome::Gone => return log_statement!(debug, self, about, "cancelled", None::<&str>),
            Outcome::Failed(failure, code) => (failure, *code),
        };
        let (outcome, mut detail) = (format!("error {code}"), failure.detail());
        if matches!(self.identity.role, Role::Monitor) {
            let Some(left_out) = REFUSED.admit("monitor", &self.identity.user, Instant::now()) else {
                return log_statement!(debug, self, about, outcome, detail);
            };
            detail = Some(format!("refused to the monitor user; {left_out} more were left out"));
        }
        match failure.fault() {
            Fault::Client => log_statement!(debug, self, about, outcome, detail),
            Fault::Policy => log_statement!(info, self, about, outcome, detail),
            Fault::Upstream => log_statement!(warn, self, about, outcome, detail),
            Fault::Ours => log_statement!(error, self, about, outcome, detail),
        }
    }
}

/// The limit of the configuration that a failure is of.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are of no limit")]
pub(super) fn limit(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::TooManyRows(_) => Some("max_rows"),
        Failure::WindowTooWide(_) => Some("max_diff_window"),
        Failure::TooManyPrepared(_) => Some("max_prepared_statements"),
        Failure::LongDataTooLong | Failure::PacketTooLarge => Some("max_packet"),
        Failure::TooLong => Some("max_execution_time"),
        Failure::OutOfBudget(_) => Some("compute"),
        Failure::NoMemory | Failure::OutOfMemory(_) => Some("memory"),
        Failure::Full { .. } => Some("max_connections"),
        _ => None,
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
