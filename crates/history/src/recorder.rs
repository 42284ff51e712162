//! The writing half of capturing: events to the store, one batch after the other, and a
//! [`History`](super::History) of each.
//!
//! One thread owns everything here. Rows, definitions and the position after the last whole entry
//! are written in one batch, so that a process that is killed begins again exactly after what it
//! kept. What was learned out of band waits until the log is taken in up to where it was learned
//! (`capture`). Knows nothing of connections.

use super::binlog_position::{BinlogPosition, Identity, LastEvent, ResumePosition};
use super::capture::{CaptureCommand, CaptureEvent, Reading, ReceivedEvent};
use super::checkpoint::{self, Progress, Restored, State};
use super::disk_space;
use super::engine::{Batch, DiskOptions, Location, StoreError};
use super::history_handle::HistoryHandle;
use super::ingest::Ingest;
use super::log::{LogFault, ServerVersion, SourceTime, SpillOptions, StreamReader, TakeError};
use super::patterns::Patterns;
use super::record::{Coverage, RetentionHorizon};
use super::store::GenerationId;
use bytes::Bytes;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant as Timer};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

mod backlog;
mod backup;
mod baseline;
mod begin;
mod compare;
mod due;
mod hold;
mod publish;
mod retention;
mod second_look;
mod sessions;
mod stored;
mod visibility;
mod waiting;

pub(super) use super::backup::STORE;
pub use open_error::OpenError;
pub(crate) use stored::publish_state;
pub use stored::read_status;
use waiting::Waiting;

/// Operations after which a batch is written, when events come without a pause.
const BATCH: usize = 16 * 1024;
/// Messages that wait where the log has more than can be taken in just now.
const BEHIND: usize = 128;
/// Bytes of the log after which a batch is written.
const BATCH_BYTES: u64 = 16 << 20;
/// How long a batch waits for more, and how long at most while more comes.
const LINGER: Duration = Duration::from_millis(2);
const LATE: Duration = Duration::from_millis(100);
/// Between two looks at what is due, when nothing comes.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two writes to the disk itself: what a loss of power can take back, and the source sends
/// again.
const SYNC: Duration = Duration::from_secs(1);
/// Microseconds by which the newest instant on disk is older at most, where nothing else is
/// written.
const KEPT_WITHIN: i64 = 5_000_000;
/// Between two looks at the size on disk.
const MEASURE: Duration = Duration::from_secs(5);

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

impl RecorderOptions {
    /// Which tables, where names count in lower case (`folds`) or as they are written.
    fn patterns(&self, folds: bool) -> Patterns {
        if folds { self.tables.to_lowercase() } else { self.tables.clone() }
    }
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
    /// Opens the record in a data folder or a bucket, or makes room for a new one; publishes what
    /// is there.
    ///
    /// # Errors
    /// Another process has it open, it is damaged, or it is of another server.
    pub fn open(
        data: impl Into<Location>,
        server_id: ServerId,
        options: RecorderOptions,
        history_handle: Arc<HistoryHandle>,
    ) -> Result<Self, OpenError> {
        let data = data.into();
        let failed = |error| OpenError::Store { data: data.to_string(), error };
        let engine = stored::engine(&data, options.disk)?;
        let memory = options.disk.transactions;
        let mut recorder = Self::upon(Ingest::upon(engine), server_id, options, history_handle);
        // The room of a bucket is not watched: nobody knows it.
        recorder.folder = data.bucket.is_none().then(|| data.folder.clone());
        recorder.reader.spill(SpillOptions { folder: Some(data.folder.clone()), memory });
        recorder.ingest.write_pieces_of(memory);
        checkpoint::take_back(&mut recorder.ingest).map_err(failed)?;
        let snapshot = recorder.ingest.committed();
        if let Some(restored) = checkpoint::read(&*snapshot).map_err(failed)? {
            if restored.state.server_id != recorder.server_id {
                return Err(OpenError::Other {
                    data: data.to_string(),
                    found: restored.state.server_id,
                    asked: recorder.server_id,
                });
            }
            let found = restored.state.source_time;
            if found != recorder.options.source_time {
                return Err(OpenError::Time { data: data.to_string(), found });
            }
            recorder.restore(restored);
            recorder.reselect();
            recorder.publish();
        }
        let checked = recorder.state.as_ref().and_then(|state| state.checked);
        recorder.ingest.put_off_since(checked.unwrap_or(recorder.ingest.next));
        Ok(recorder)
    }

    fn upon(
        mut ingest: Ingest,
        server_id: ServerId,
        options: RecorderOptions,
        history_handle: Arc<HistoryHandle>,
    ) -> Self {
        let mut reader = StreamReader::at(options.source_time);
        reader.capture(&options.tables);
        ingest.tables = Some(options.tables.clone());
        ingest.rereads = options.baseline;
        ingest.keeps_statements = options.statements;
        Self {
            server_id,
            options,
            ingest,
            reader,
            state: None,
            history_handle,
            folder: None,
            waiting: VecDeque::new(),
            command_queue: VecDeque::new(),
            touched: HashMap::new(),
            touched_in_batch: BTreeSet::new(),
            seen_once: BTreeMap::new(),
            asked_parents: BTreeSet::new(),
            renewed: HashMap::new(),
            renewals: BTreeMap::new(),
            reading: BTreeMap::new(),
            jobs: HashMap::new(),
            readings: HashMap::new(),
            hold: None,
            purge: None,
            backlog: None,
            awaiting_resync: false,
            misnamed: false,
            sight: visibility::Sight::default(),
            unnamed: sessions::UnnamedTransactions::default(),
            expected: None,
            written: None,
            last_fault: None,
            unwritten: false,
            unsynced: false,
            timers: Timers {
                synced: Timer::now(),
                measured: None,
                room: None,
                horizon: None,
                swept: Timer::now(),
                committed: Timer::now(),
            },
            events: 0,
            bytes: 0,
            batch_bytes: 0,
        }
    }

    fn restore(&mut self, restored: Restored) {
        let Restored { state, entries, catalog, names, generations, reading } = restored;
        let ingest = &mut self.ingest;
        ingest.dirty.definitions = catalog.count();
        ingest.dirty.sweeps = names.sweeps().len();
        ingest.tables = Some(self.options.patterns(catalog.folds() == Some(true)));
        ingest.catalog = Arc::new(catalog);
        ingest.names = Arc::new(names);
        ingest.generations = Arc::new(generations);
        ingest.next = state.next;
        ingest.changes = state.changes;
        ingest.versions = state.versions;
        ingest.entries = entries;
        ingest.gtids = state.gtids.clone();
        self.reading = reading;
        self.state = Some(state);
    }

    /// Waits until there is room on the disk; readings go on meanwhile. What the server sends waits
    /// in the server.
    fn room(&mut self, inputs: &mpsc::Receiver<CaptureEvent>) -> Result<(), StoreError> {
        if self.timers.room.is_some_and(|t| t.elapsed() < PAUSE) {
            return Ok(());
        }
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        let mut waits = false;
        loop {
            self.timers.room = Some(Timer::now());
            let free = disk_space::free(&folder).ok();
            // A little more than what it began to wait at, not to go to and fro.
            let reserve = self.options.disk.reserve;
            let shortage = disk_space::shortage(&folder, if waits { reserve + reserve / 8 } else { reserve });
            if let Some(why) = shortage.as_ref().filter(|_| !waits) {
                tracing::error!("{why}");
            }
            if waits && shortage.is_none() {
                tracing::warn!("there is room on the disk again: capturing goes on");
            }
            waits = shortage.is_some();
            self.history_handle.update(|l| {
                l.disk_free = free;
                l.full = shortage;
            });
            // The other half is gone: what was taken in is still written.
            if !waits || inputs.is_closed() {
                return Ok(());
            }
            // Retention makes room, and takes a little of what is left.
            if free.is_some_and(|free| free > reserve / 2) {
                self.due()?;
            }
            std::thread::sleep(PAUSE);
        }
    }

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

    /// Writes until the other half is gone. Blocks: for a thread of its own inside of a runtime.
    ///
    /// # Errors
    /// The store failed; what was written before is whole.
    pub fn run(
        mut self,
        runtime: &tokio::runtime::Handle,
        mut inputs: mpsc::Receiver<CaptureEvent>,
        command_queue: &mpsc::Sender<CaptureCommand>,
    ) -> Result<(), StoreError> {
        let done = self.drive(runtime, &mut inputs, command_queue);
        if let Err(error) = &done {
            tracing::error!(%error, "the history is not written: the store is opened again in a while");
            self.history_handle.update(|l| l.failed = Some(error.to_string()));
        }
        done
    }

    fn drive(
        &mut self,
        runtime: &tokio::runtime::Handle,
        inputs: &mut mpsc::Receiver<CaptureEvent>,
        command_queue: &mpsc::Sender<CaptureCommand>,
    ) -> Result<(), StoreError> {
        self.command(CaptureCommand::Baseline);
        self.renew_lost();
        let mut patient = false;
        loop {
            self.room(inputs)?;
            self.backup(inputs)?;
            self.ingest.is_lagging(inputs.len() >= BEHIND);
            let input = match inputs.try_recv() {
                Ok(input) => {
                    patient = true;
                    Some(input)
                }
                Err(TryRecvError::Disconnected) => break,
                // Whoever sent this much has more to send, and may only wait for the processor: to
                // fall asleep and be woken for every message costs more.
                Err(TryRecvError::Empty) if std::mem::take(&mut patient) => {
                    std::thread::yield_now();
                    continue;
                }
                Err(TryRecvError::Empty) if self.has_unchecked() => {
                    self.check_some()?;
                    None
                }
                Err(TryRecvError::Empty) => {
                    let patience = if self.unwritten { LINGER } else { PAUSE };
                    match runtime.block_on(async { tokio::time::timeout(patience, inputs.recv()).await }) {
                        Ok(Some(input)) => Some(input),
                        Ok(None) => break,
                        Err(_) => {
                            self.commit()?;
                            None
                        }
                    }
                }
            };
            if let Some(input) = input {
                self.take(input)?;
            }
            self.commit_if_full()?;
            self.commit_if_late()?;
            self.due()?;
            while let Some(command) = self.command_queue.pop_front() {
                if let Err(refused) = command_queue.try_send(command) {
                    self.command_queue.push_front(refused.into_inner());
                    break;
                }
            }
        }
        self.unwritten |= self.state.as_ref().is_some_and(|s| Some(s.coverage.newest) != self.written);
        self.commit()?;
        self.ingest.engine().sync()
    }

    fn commit_if_full(&mut self) -> Result<(), StoreError> {
        if self.ingest.waiting() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn commit_if_late(&mut self) -> Result<(), StoreError> {
        if self.unwritten && self.timers.committed.elapsed() >= LATE { self.commit() } else { Ok(()) }
    }

    fn take(&mut self, input: CaptureEvent) -> Result<(), StoreError> {
        match input {
            CaptureEvent::Begin(start) => {
                self.let_go();
                self.begin(start)?;
            }
            CaptureEvent::Follow(position, server) => self.follow_or_hold(position, server),
            CaptureEvent::Where(answer) => {
                // What came since the last whole entry comes again.
                self.let_go();
                self.commit()?;
                let _ = answer.send(self.resume());
            }
            CaptureEvent::Events(events) => self.events(events)?,
            CaptureEvent::Names(setting) => self.names_as(setting),
            CaptureEvent::Clock(learned) => {
                self.sight.came(&learned);
                self.waiting.push_back(Waiting::Clock(learned));
            }
            CaptureEvent::Definition(learned) => self.waiting.push_back(Waiting::Definition(learned)),
            CaptureEvent::Sessions(learned) => self.waiting.push_back(Waiting::Sessions(learned)),
            CaptureEvent::NextJob(left_alone, answer) => {
                // Nobody waits where the other half is stopping.
                let _ = answer.send(self.next_job(&left_alone)?);
            }
            CaptureEvent::View(view, answer) => self.view(view, answer)?,
            CaptureEvent::Baseline(learned, answer) => match self.held_rows(&learned.what)? {
                Some(kept) => _ = answer.send(kept),
                None => self.waiting.push_back(Waiting::Baseline(learned, answer)),
            },
            CaptureEvent::Gap(reason, start) => {
                self.let_go();
                self.gap(reason, start)?;
            }
            CaptureEvent::Connection(up) => {
                if up.is_ok() {
                    self.sight = visibility::Sight::default();
                } else {
                    self.let_go();
                }
                let now = Timestamp::now();
                self.history_handle.update(|l| l.connected(up, now));
            }
        }
        self.reached()
    }

    fn follow(&mut self, position: BinlogPosition, server: Identity) {
        tracing::debug!(%position, following = %self.reader.position(), "following");
        self.awaiting_resync = self.misnamed;
        self.forget_unnamed();
        let same = self.state.as_ref().is_some_and(|s| s.position.server.same_server(&server));
        self.reader.follow(position.clone(), same);
        let Some(state) = &mut self.state else { return };
        let last = state.position.last.as_ref().filter(|last| same && last.begins().reaches(&position));
        self.expected = last.cloned();
        if !same {
            tracing::warn!(was = ?state.position.server, is = ?server, "the log goes on on another server");
            state.position = ResumePosition::new(position.clone(), String::new(), server);
            state.resume = position;
            self.unwritten = true;
            let again = self.forget_waiting();
            if !again.is_empty() {
                self.command(CaptureCommand::Compare(again));
            }
        }
    }

    fn event(&mut self, ReceivedEvent { raw, received }: ReceivedEvent) -> Result<(), StoreError> {
        self.events += 1;
        self.bytes += raw.len() as u64;
        self.batch_bytes += raw.len() as u64;
        let raw = Bytes::from(raw);
        if !self.is_as_expected(&raw) {
            return Ok(());
        }
        let begins = self.reader.position().clone();
        match self.reader.take(raw.clone()) {
            Ok(()) => {}
            Err(TakeError::Fault(fault)) => {
                self.fault(&fault);
                return Ok(());
            }
            Err(TakeError::Spill(error)) => return Err(StoreError(error.to_string())),
        }
        while let Some(mut entry) = self.reader.entry() {
            let end = self.reader.position().clone();
            let Some(state) = &self.state else { continue };
            // After a restart that went back to a prepared transaction, what is known comes again.
            if state.position.at.reaches(&end) {
                continue;
            }
            // A server that took over may send again what it had from another one in another order.
            if entry.gtid.as_ref().map_or(Ok(false), |gtid| self.ingest.has(gtid))? {
                tracing::warn!(gtid = ?entry.gtid, "a transaction that is in the record came again, and is passed over");
            } else {
                if Ingest::leans_on_store(&entry) {
                    self.commit()?;
                }
                let visible = self.visible(&mut entry, &end, received);
                self.note_backlog(&entry);
                if let Some(state) = &self.state {
                    self.sight.took(entry.gtid.as_ref(), entry.committed, &state.position.server);
                }
                let (first, origin) = (self.ingest.next, entry.origin);
                self.ingest.entry_seen(entry, visible)?;
                self.note_touched(&end);
                self.await_session(first, origin, &end);
            }
            if let Some(state) = &mut self.state {
                let BinlogPosition { file, offset } = begins.clone();
                let (length, fingerprint) = (raw.len() as u64, LastEvent::fingerprint(&raw));
                state.position.last = Some(LastEvent { file, offset, length, fingerprint });
                state.position.at = end;
            }
            self.unwritten = true;
            if self.ingest.wants_commit() {
                self.commit()?;
            }
            // A definition holds for what comes next of the log, and not only after a batch of it.
            if self.backlog.is_some() {
                self.reached()?;
            }
        }
        Ok(())
    }

    /// Whether the log goes on as it was: the last event that was taken in comes again, byte for
    /// byte.
    fn is_as_expected(&mut self, raw: &[u8]) -> bool {
        /// FORMAT_DESCRIPTION_EVENT: that of the file's head is sent again wherever reading begins.
        const DESCRIPTION: u8 = 15;
        let Some(expected) = &self.expected else { return true };
        if raw.get(4) == Some(&DESCRIPTION) {
            return true;
        }
        match self.reader.position().compare(&expected.begins()) {
            Some(Ordering::Less) => return true,
            Some(Ordering::Equal) if LastEvent::fingerprint(raw) == expected.fingerprint => {
                self.expected = None;
                return true;
            }
            Some(Ordering::Equal | Ordering::Greater) | None => {}
        }
        let what = format!(
            "the server's log has another event at {} than the one that was captured there: the server was restored from a backup, or its log reset, and went on \
             from there",
            expected.begins()
        );
        self.expected = None;
        self.awaiting_resync = true;
        self.command(CaptureCommand::Resnapshot(what));
        false
    }

    /// An event that cannot be read: read again from before it, and where that does not help, begin
    /// again.
    fn fault(&mut self, fault: &LogFault) {
        self.awaiting_resync = true;
        let position = self.reader.position().clone();
        let what = format!("the event at {position} cannot be read: {fault}");
        tracing::error!("{what}");
        if self.last_fault.replace(position) == Some(self.reader.position().clone()) {
            self.command(CaptureCommand::Resnapshot(what));
        } else {
            self.command(CaptureCommand::Reconnect(what));
        }
    }

    /// All commits up to a reading of the clock are in.
    fn clock(&mut self, reading: &Reading) -> Result<(), StoreError> {
        self.sight_reached(reading);
        self.commit()?;
        let newest = if reading.follows { self.sight.applied() } else { reading.safe };
        if let (Some(state), Some(newest)) = (&mut self.state, newest)
            && newest > state.coverage.newest
        {
            state.coverage.newest = newest;
            // Also where nothing happens: a gap begins at the last instant that was known.
            let late = |written: Timestamp| newest.micros().saturating_sub(written.micros()) > KEPT_WITHIN;
            self.unwritten |= self.written.is_none_or(late);
            self.publish();
        }
        Ok(())
    }

    /// Writes what was taken in as one batch, and publishes the history with it.
    fn commit(&mut self) -> Result<(), StoreError> {
        self.backlog_reached();
        let Some(state) = &mut self.state else { return Ok(()) };
        if !self.unwritten && self.ingest.waiting() == 0 {
            return Ok(());
        }
        let ingest = &mut self.ingest;
        let before = state.next;
        state.resume = self.reader.resume(&state.position.at);
        state.next = ingest.next;
        state.changes = ingest.changes;
        state.versions = ingest.versions;
        state.clock = ingest.entries.clock.clone();
        state.gtids = ingest.gtids.clone();
        state.checked = Some(ingest.checked());
        let mut batch = Batch::default();
        let changed = checkpoint::write(ingest, state, &mut batch)?;
        ingest.commit(&batch)?;
        self.written = Some(state.coverage.newest);
        self.unwritten = false;
        self.timers.committed = Timer::now();
        self.unsynced = true;
        self.batch_bytes = 0;
        self.publish();
        self.look_at(&changed, before);
        Ok(())
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

/// A coverage of one instant.
const fn from(at: Timestamp) -> Coverage {
    Coverage { oldest: at, newest: at }
}

/// What is not dropped.
const ALL: RetentionHorizon = RetentionHorizon { at: super::store::ChangeSequence(0), dropped: 0 };

mod open_error;
#[cfg(test)]
mod tests;
