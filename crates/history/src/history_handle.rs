//! The history that is served now, and how its making goes.
//!
//! Requests take [`HistoryHandle::current`] once and keep it until their answer ends; the writing
//! half sets another beside them. A history read from log files never changes and has no
//! [`CaptureStatus`].

mod backup;
mod doubts;
mod fixed;

use super::History;
use super::binlog_position::ResumePosition;
use super::capture::{Disconnected, Gap, NotWritten};
use super::disk_space::DiskShortage;
use arc_swap::ArcSwapOption;
use backup::BackupFlag;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use doubts::Doubts;
use fixed::Fixed;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};

pub use super::progress::{BacklogProgress, BaselineProgress};
pub use statuses::Statuses;
pub use table_status::TableStatus;
use table_status::tables;
pub use verification::Verification;

/// What is served, and how its making goes. Shared between the writing half and the serving one.
#[derive(Debug)]
pub struct HistoryHandle {
    server_id: ServerId,
    history: ArcSwapOption<History>,
    capture_status: Option<RwLock<CaptureStatus>>,
    fixed: Fixed,
    doubts: Doubts,
    backup: BackupFlag,
}

/// Whether events arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// They do.
    Up,
    /// They do not.
    Down {
        /// Since when.
        since: Timestamp,
        /// What stands in the way.
        reason: Disconnected,
    },
}

/// How capturing goes. The writing half keeps it true with [`HistoryHandle::update`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureStatus {
    /// Whether events arrive.
    pub connection: Connection,
    /// Whether another process captures, and this one shows what that one has written.
    pub reads: bool,
    /// Why the history is not written any more, if so: the store failed, and is opened again.
    pub failed: Option<NotWritten>,
    /// Why nothing is written now, if so: there is no room on the disk.
    pub shortage: Option<DiskShortage>,
    /// Bytes that are free on the disk of the store.
    pub disk_free: Option<u64>,
    /// After the last transaction that was taken in.
    pub position: Option<ResumePosition>,
    /// The newest instant of which the state is known, by the server's clock.
    pub clock: Option<Timestamp>,
    /// Parts of the log that were never read, oldest first.
    pub gaps: Vec<Gap>,
    /// The first reading of the tables.
    pub baseline: BaselineProgress,
    /// The log from before the agent came, while it is taken in.
    pub backlog: Option<BacklogProgress>,
    /// The comparison with the server's rows in the background; `None`: there is none.
    pub verification: Option<Verification>,
    /// Events of the log taken in since the agent started.
    pub events: u64,
    /// Bytes of the log taken in since the agent started.
    pub bytes: u64,
    /// Bytes that the store has on disk.
    pub bytes_on_disk: u64,
    /// Versions of rows that are kept.
    pub versions: u64,
    /// Versions that retention has dropped.
    pub purged: u64,
}

impl CaptureStatus {
    /// Before the first connection.
    #[must_use]
    pub fn starting(at: Timestamp) -> Self {
        Self {
            connection: Connection::Down { since: at, reason: Disconnected::Starting },
            reads: false,
            failed: None,
            shortage: None,
            disk_free: None,
            position: None,
            clock: None,
            gaps: Vec::new(),
            baseline: BaselineProgress::default(),
            backlog: None,
            verification: None,
            events: 0,
            bytes: 0,
            bytes_on_disk: 0,
            versions: 0,
            purged: 0,
        }
    }

    /// Notes what the reading half says. A loss is as old as the first word of it.
    pub fn connected(&mut self, state: Result<(), Disconnected>, now: Timestamp) {
        self.connection = match (state, &self.connection) {
            (Ok(()), _) => Connection::Up,
            (Err(reason), Connection::Down { since, .. }) => Connection::Down { since: *since, reason },
            (Err(reason), Connection::Up) => Connection::Down { since: now, reason },
        };
    }

    /// Seconds between the newest instant whose state is known and `now`; `None`: none yet.
    #[must_use]
    pub fn lag_seconds(&self, now: Timestamp) -> Option<f64> {
        let micros = now.micros().saturating_sub(self.clock?.micros()).max(0);
        #[expect(clippy::cast_precision_loss, reason = "a microsecond in 285 years is not missed")]
        Some(micros as f64 / 1e6)
    }
}

impl HistoryHandle {
    /// A history that never changes.
    #[must_use]
    pub fn fixed(history: Arc<History>) -> Self {
        Self {
            server_id: history.server_id().clone(),
            history: ArcSwapOption::new(Some(history)),
            capture_status: None,
            fixed: Fixed::new(true),
            doubts: Doubts::default(),
            backup: BackupFlag::default(),
        }
    }

    /// A history that is being captured: nothing is served until the first [`HistoryHandle::set`].
    #[must_use]
    pub fn live(server_id: ServerId, now: Timestamp) -> Self {
        let capture_status = Some(RwLock::new(CaptureStatus::starting(now)));
        let (doubts, backup, fixed) = (Doubts::default(), BackupFlag::default(), Fixed::new(false));
        Self { server_id, history: ArcSwapOption::empty(), capture_status, fixed, doubts, backup }
    }

    /// Whose history it is.
    #[must_use]
    pub fn server_id(&self) -> &ServerId {
        &self.server_id
    }

    /// The history to answer from; `None`: the record has not begun.
    #[must_use]
    pub fn current(&self) -> Option<Arc<History>> {
        self.history.load_full()
    }

    /// Serves this one from now on. Answers under way go on with theirs.
    pub fn set(&self, history: Arc<History>) {
        self.history.store(Some(history));
    }

    /// Changes what is known of the capture. Does nothing to a history that never changes.
    pub fn update(&self, change: impl FnOnce(&mut CaptureStatus)) {
        if let Some(capture_status) = &self.capture_status {
            change(&mut capture_status.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// How capturing goes; `None`: nothing is captured.
    #[must_use]
    pub fn capture_status(&self) -> Option<CaptureStatus> {
        let live = self.capture_status.as_ref().filter(|_| !self.fixed.is());
        live.map(|l| l.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// All that is known, for people and monitoring.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        Status::of(&self.server_id, self.current().as_deref(), self.capture_status().as_ref(), now)
    }
}

/// All that is known of a history and of its capture: the answer to `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// Whether it is captured from a running server; else it was read from files, and what concerns
    /// a capture is empty.
    pub live: bool,
    /// Whether events arrive.
    pub connected: bool,
    /// Why not, for people.
    pub reason: Option<String>,
    /// Since when not.
    pub disconnected_since: Option<Timestamp>,
    /// After the last transaction that was taken in: `file:offset`.
    #[serde(alias = "place")]
    pub position: Option<String>,
    /// The same by GTID, where the server writes them.
    pub gtids: Option<String>,
    /// The first instant of which states are known.
    pub oldest: Option<Timestamp>,
    /// The last instant whose state is known.
    pub newest: Option<Timestamp>,
    /// Seconds between `newest` and now.
    pub lag_seconds: Option<f64>,
    /// The tables of the record, in order of their names.
    pub tables: Vec<TableStatus>,
    /// Transactions and DDL statements in the record.
    pub transactions: u64,
    /// Row changes in the record.
    pub row_changes: u64,
    /// Events of the log taken in since the agent started.
    pub events: u64,
    /// Bytes of the log taken in since the agent started.
    pub bytes: u64,
    /// Bytes that the store has on disk.
    pub bytes_on_disk: u64,
    /// Versions of rows that are kept.
    pub versions: u64,
    /// Versions that retention has dropped.
    pub purged: u64,
    /// Parts of the log that were never read.
    pub gaps: Vec<Gap>,
    /// The first reading of the tables; `None`: there is none.
    pub baseline: Option<BaselineProgress>,
    /// The log from before the agent came, while it is taken in; `None`: it is, or there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<BacklogProgress>,
    /// The comparison with the server's rows in the background; `None`: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

impl Status {
    /// Puts it together.
    #[must_use]
    pub fn of(
        server_id: &ServerId,
        history: Option<&History>,
        capture_status: Option<&CaptureStatus>,
        now: Timestamp,
    ) -> Self {
        let coverage = history.map(History::coverage);
        let stopped = |l: &CaptureStatus| match (&l.failed, &l.shortage) {
            (Some(why), _) => Some(format!("the history is not written: {why}")),
            (None, shortage) => shortage.as_ref().map(ToString::to_string),
        };
        let (reason, disconnected_since) = match capture_status.map(|l| (stopped(l), &l.connection)) {
            Some((Some(why), _)) => (Some(why), None),
            Some((None, Connection::Down { since, reason })) => (Some(reason.to_string()), Some(*since)),
            Some((None, Connection::Up)) | None => (None, None),
        };
        let position = capture_status.and_then(|l| l.position.as_ref());
        let count = |of: fn(&CaptureStatus) -> u64| capture_status.map_or(0, of);
        Self {
            server_id: server_id.clone(),
            live: capture_status.is_some(),
            connected: capture_status.is_some() && reason.is_none(),
            reason,
            disconnected_since,
            position: position.map(|p| p.at.to_string()),
            gtids: position.map(|p| p.gtids.clone()).filter(|g| !g.is_empty()),
            oldest: coverage.map(|c| c.oldest),
            newest: coverage.and_then(|c| c.known()),
            lag_seconds: capture_status.and_then(|l| l.lag_seconds(now)),
            tables: history.map(tables).unwrap_or_default(),
            transactions: history.map_or(0, History::entries),
            row_changes: history.map_or(0, History::changes),
            events: count(|l| l.events),
            bytes: count(|l| l.bytes),
            bytes_on_disk: count(|l| l.bytes_on_disk),
            versions: count(|l| l.versions),
            purged: count(|l| l.purged),
            gaps: capture_status.map(|l| l.gaps.clone()).unwrap_or_default(),
            baseline: capture_status.map(|l| l.baseline).filter(|b| b.total > 0),
            backlog: capture_status.and_then(|l| l.backlog),
            verification: capture_status.and_then(|l| l.verification.clone()),
        }
    }
}

mod statuses;
mod table_status;
#[cfg(test)]
mod tests;
mod verification;
