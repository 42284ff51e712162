//! Capturing from a running server: what the two halves say to each other.
//!
//! The *reading half* (`source`, asynchronous) talks to the server: it follows the log, asks for
//! definitions and reads tables. The *writing half* (`recorder`, one thread) decodes events, keeps
//! the history and never waits for the network. What the reading half learns out of band (a
//! definition, rows of a table, the server's clock) holds only from a position in the log on,
//! [`ValidFrom::after`]: the writing half puts it aside until the log is taken in up to there. So
//! nothing read from a table can be newer than the history it is joined to.

mod client_sessions;
mod disconnected;
mod handle;
mod log_loss;
mod not_written;
mod received_event;

use super::binlog_position::{BinlogPosition, Identity, ResumePosition};
use super::last_statements::UnknownBefore;
use super::schema::DefinitionId;
use super::store::GenerationId;
pub use client_sessions::{ConfirmedSession, SessionInfo, SessionsLook};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::Row;
use dbtrail_types::timestamp::Timestamp;
pub use disconnected::Disconnected;
pub use handle::{Closed, RecorderHandle};
pub use log_loss::{EventFault, LogLoss, NotByGtid, OtherServer};
pub use not_written::NotWritten;
pub use received_event::ReceivedEvent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant as Timer};
use tokio::sync::oneshot;

/// A table as `SHOW CREATE TABLE` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The table.
    pub name: TableName,
    /// The second column of SHOW CREATE TABLE, with `sql_quote_show_create` on and sql_mode ''.
    pub create: String,
}

/// What holds for all statements of a server, and is not in its log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// `lower_case_table_names`; `None`: it was not asked.
    pub lower_case_table_names: Option<u8>,
    /// Each schema that there is, with its default collation; `None`: they were not asked.
    pub collations: Option<BTreeMap<String, String>>,
}

/// Where and with what a record, or a part of it after a gap, begins.
#[derive(Clone, Debug)]
pub struct Start {
    /// Every transaction before this position can be seen in the tables, and every one after it
    /// will be read from the log.
    pub position: ResumePosition,
    /// The server's clock then: states are known from here on.
    pub at: Timestamp,
    /// All tables of the capture, as they were at that position, and of the others those that
    /// foreign keys tie to any table: a change of a captured table may go on through them.
    pub tables: Vec<Declared>,
    /// As they were at that position.
    pub defaults: Defaults,
    /// Where the position is not the end of the log: what is known of the part after it.
    pub backlog: Option<Backlog>,
}

/// A definition that holds from a position on, and why it does not hold before.
pub type LaterDefinition = (ValidFrom<Looked>, UnknownBefore<BinlogPosition>);

/// A part of the log from before the agent came, which the server still had.
#[derive(Clone, Debug)]
pub struct Backlog {
    /// Where it ends.
    pub to: BinlogPosition,
    /// Its bytes, about.
    pub bytes: u64,
    /// Definitions that hold from positions inside of it on, in their order, each with the reason
    /// why it does not hold before.
    pub definitions: Vec<LaterDefinition>,
}

/// What was learned out of band.
#[derive(Clone, Debug)]
pub struct ValidFrom<T> {
    /// The end of the log after it was learned.
    pub after: BinlogPosition,
    /// What was read out of band.
    pub what: T,
}

/// The server's clock, read before the end of the log was asked for.
#[derive(Clone, Copy, Debug)]
pub struct ClockReading {
    /// The server's clock at that time.
    pub now: Timestamp,
    /// Up to this instant the log holds every commit before the position; `None`: that is not
    /// known.
    pub safe: Option<Timestamp>,
    /// When it was asked for, by this machine's clock.
    pub asked: Timer,
    /// How long it took from there until the end of the log was known.
    pub took: Duration,
    /// The longest that the server, as it is set, waits between the stamp of a commit and showing
    /// it.
    pub delay: Duration,
    /// Its log has the times of another server, which it applies transactions of, or did until it
    /// was stopped: its own clock says nothing of them, and the newest instant follows what was
    /// applied.
    pub follows: bool,
}

impl ClockReading {
    /// The reading of a clock that is asked at no cost, of a server that does not wait.
    #[must_use]
    pub fn plain(now: Timestamp) -> Self {
        let (asked, took, delay) = (Timer::now(), Duration::ZERO, Duration::ZERO);
        Self { now, safe: Some(now), asked, took, delay, follows: false }
    }
}

/// A table as it is now.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The table.
    pub name: TableName,
    /// Its declaration; `None`: there is none of this name.
    pub create: Option<String>,
    /// The end of the log before it was looked at: a statement after it may not have been in what
    /// was seen.
    pub since: BinlogPosition,
}

/// Part of a table to be read.
#[derive(Clone, Debug)]
pub struct BaselineJob {
    /// The table.
    pub name: TableName,
    /// The generation of the table that is read.
    pub generation: GenerationId,
    /// Its definition, by number.
    pub definition: DefinitionId,
    /// Its columns and key.
    pub columns: Arc<TableDefinition>,
    /// Whether the key is a primary key, and no unique index instead of one.
    pub primary: bool,
    /// The key (cells of the key columns in key order) after which to go on; `None`: from the first
    /// row.
    pub last_key: Option<Row>,
    /// The log is not taken in any further: the table is to be read as it is at one position in it
    /// ([`CaptureEvent::View`]).
    pub held: bool,
}

/// A view of the tables that a connection of the reading half has open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// It has every transaction before this position.
    pub seen: BinlogPosition,
    /// It has none after this one.
    pub within: BinlogPosition,
}

/// Rows of a table.
#[derive(Debug)]
pub struct BaselineRows {
    /// The answered job's generation.
    pub generation: GenerationId,
    /// The answered job's definition.
    pub definition: DefinitionId,
    /// Cells of the columns, in their order: text as mysqld sends it under utf8mb4 and time zone
    /// +00:00, a FLOAT with all of its digits.
    pub rows: Vec<Row>,
    /// Whether the last row of the table is in.
    pub end: bool,
}

/// A part of the log that was not read, and will not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last instant whose state is known before it.
    pub from: Timestamp,
    /// The first instant whose state is known after it.
    pub to: Timestamp,
    /// Why, in a sentence.
    pub reason: String,
}

/// A message to the writing half.
#[derive(Debug)]
pub enum CaptureEvent {
    /// The record begins: sent once, before everything else, where there is none yet.
    Begin(Start),
    /// Where capturing goes on: after the last entry that was taken in whole; `None`: nothing was
    /// begun. Asked before connecting again.
    Where(oneshot::Sender<Option<ResumePosition>>),
    /// Events from here on come from this position of this server (the reading half connected
    /// again; what was taken in of an unfinished transaction is dropped).
    Follow(BinlogPosition, Identity),
    /// The server's `lower_case_table_names`, on each connection before its events.
    Names(u8),
    /// Events as they are in the log: header, body and, if the server writes them, checksum. Each
    /// begins where the one before it ended, or at byte 4 of the file that a ROTATE event named;
    /// wherever else it comes from, a [`CaptureEvent::Follow`] is before it. A FORMAT_DESCRIPTION
    /// event after a `Follow` that is not at byte 4 is that of the head of the file: it takes no
    /// room there.
    Events(Vec<ReceivedEvent>),
    /// The server's clock.
    Clock(ValidFrom<ClockReading>),
    /// A table as it is now. Compared with what the DDL in the log gave.
    Definition(ValidFrom<Looked>),
    /// Whose connections the server has.
    Sessions(ValidFrom<SessionsLook>),
    /// What should be read next of the tables, these left alone. Answered with `None` when nothing
    /// is left.
    NextJob(Vec<GenerationId>, oneshot::Sender<Option<BaselineJob>>),
    /// Rows of a table. Answered when they are kept (true), or were thrown away since the table
    /// changed meanwhile (false).
    Baseline(ValidFrom<BaselineRows>, oneshot::Sender<bool>),
    /// The view in which the table of a held job is to be read. Answered with the jobs to be done
    /// in it, one after the other, when the log is taken in up to there; with none where that view
    /// will not do.
    View(TableView, oneshot::Sender<Vec<BaselineJob>>),
    /// The log has a gap: the record begins again after it.
    Gap(LogLoss, Start),
    /// Whether the connection is up; the reason why not.
    Connection(Result<(), Disconnected>),
}

/// What the writing half asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureCommand {
    /// A DDL statement touched these tables: compare them with the server.
    Compare(Vec<TableName>),
    /// This table can be read no longer (why): read it again from here, if the server still has it.
    Renew(TableName),
    /// There is something to be read for the baseline.
    Baseline,
    /// A connection has committed something: look whose it is.
    Sessions,
    /// The log is not taken in any further for now (true), or is again: what is sent of it is kept
    /// in memory meanwhile.
    Hold(bool),
    /// An event came damaged: connect again and go on from where the record is.
    Reconnect(EventFault),
    /// The log cannot be read on from here, also when it is read again: begin again.
    Resnapshot(LogLoss),
}
