//! The writing half of capturing: events to the store, one batch after the other, and a
//! [`History`](super::History) of each.
//!
//! One thread owns everything here. Rows, definitions and the position after the last whole entry
//! are written in one batch, so that a process that is killed begins again exactly after what it
//! kept. What was learned out of band waits until the log is taken in up to where it was learned
//! (`capture`). Knows nothing of connections.

use super::binlog_position::{BinlogPosition, Identity, LastEvent, ResumePosition};
use super::capture::CaptureCommand;
use super::checkpoint::{Progress, State};
use super::engine::DiskOptions;
use super::history_handle::HistoryHandle;
use super::ingest::Ingest;
use super::log::{ServerVersion, SourceTime, StreamReader};
use super::patterns::Patterns;
use super::record::RetentionHorizon;
use super::store::GenerationId;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant as Timer};

mod backlog;
mod backup;
mod baseline;
mod begin;
mod compare;
mod due;
mod events;
mod hold;
mod open;
mod open_error;
mod publish;
mod retention;
mod second_look;
mod sessions;
mod stored;
mod visibility;
mod waiting;
mod writing;

pub(super) use super::backup::STORE;
pub use open_error::OpenError;
pub(crate) use stored::publish_state;
pub use stored::read_status;
use waiting::Waiting;

/// Between two looks at what is due, when nothing comes.
const PAUSE: Duration = Duration::from_millis(200);

/// What to record, and how.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// The tables to capture, by include and exclude patterns.
    pub tables: Patterns,
    /// Whether tables are read for `_snapshot`.
    pub baseline: bool,
    /// How far back states are kept; `None`: all of it.
    pub keep: Option<Duration>,
    /// Whether the texts of statements are kept.
    pub statements: bool,
    /// Whether it is asked whose connections make transactions.
    pub connections: bool,
    /// Which time of a transaction counts that was applied by a replica.
    pub source_time: SourceTime,
    /// Memory.
    pub disk: DiskOptions,
}

/// The writing half.
#[derive(Debug)]
pub struct Recorder {
    server_id: ServerId,
    options: RecorderOptions,
    ingest: Ingest,
    reader: StreamReader,
    /// `None`: the record has not begun.
    state: Option<State>,
    history_handle: Arc<HistoryHandle>,
    /// Where the store is; `None`: in memory, or it is only looked at.
    folder: Option<PathBuf>,
    /// What was learned out of band, in the order of its positions.
    waiting: VecDeque<Waiting>,
    /// What the other half has not taken yet.
    command_queue: VecDeque<CaptureCommand>,
    /// After the last statement that touched a table, where no look at the server has followed it.
    touched: HashMap<TableName, BinlogPosition>,
    /// Tables that statements touched since the last batch was written.
    touched_in_batch: BTreeSet<TableName>,
    /// Tables whose foreign keys were seen to differ.
    seen_once: BTreeMap<TableName, second_look::SeenOnce>,
    /// Tables left out of the capture whose foreign keys were asked for.
    asked_parents: BTreeSet<TableName>,
    /// When tables were asked for again.
    renewed: HashMap<TableName, Timer>,
    /// Tables that are to be asked for again.
    renewals: BTreeMap<TableName, compare::Renewal>,
    /// How far the reading of tables is.
    reading: BTreeMap<GenerationId, Progress>,
    /// Names of the tables that are being read.
    jobs: HashMap<GenerationId, TableName>,
    /// How the readings of tables went.
    readings: hold::AllReadings,
    hold: Option<hold::Hold>,
    purge: Option<retention::Purge>,
    /// The part of the log from before the agent came, while it is taken in.
    backlog: Option<backlog::TakenIn>,
    /// Events are not looked at until the other half has followed again.
    awaiting_resync: bool,
    /// The server takes names in another way than before: the record must begin again first.
    misnamed: bool,
    sight: visibility::Sight,
    unnamed: sessions::UnnamedTransactions,
    /// The event that must come again after a position from which the log is followed.
    expected: Option<LastEvent>,
    /// There is a new connection, and nothing of its log has come yet.
    reconnected: bool,
    /// The position of the last event that was damaged.
    last_fault: Option<BinlogPosition>,
    /// Changes of the state that no batch holds yet.
    unwritten: bool,
    unsynced: bool,
    /// The newest instant as it was last written.
    written: Option<Timestamp>,
    timers: Timers,
    events: u64,
    bytes: u64,
    batch_bytes: u64,
}

#[derive(Debug)]
struct Timers {
    synced: Timer,
    measured: Option<Timer>,
    room: Option<Timer>,
    horizon: Option<Timer>,
    swept: Timer,
    committed: Timer,
}

impl Recorder {
    /// Where the other half goes on; `None`: the record has not begun.
    #[must_use]
    pub fn resume(&self) -> Option<ResumePosition> {
        let state = self.state.as_ref()?;
        Some(ResumePosition {
            at: state.resume.clone(),
            gtids: self.ingest.gtids.executed(),
            server: state.position.server.clone(),
            last: state.position.last.clone(),
        })
    }

    fn command(&mut self, command: CaptureCommand) {
        if !self.command_queue.contains(&command) {
            self.command_queue.push_back(command);
        }
    }

    /// The version of the server, as far as statements are read by it.
    fn version(&self) -> ServerVersion {
        self.state.as_ref().map(|s| version_of(&s.position.server)).unwrap_or_default()
    }
}

fn version_of(server: &Identity) -> ServerVersion {
    ServerVersion { mariadb: server.mariadb, ..ServerVersion::read(&server.version) }
}

/// What is not dropped.
const ALL: RetentionHorizon = RetentionHorizon { at: super::store::ChangeSequence(0), dropped: 0 };

#[cfg(test)]
mod tests;
