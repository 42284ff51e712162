//! Opens the record of a data folder or a bucket, or begins one.

use super::stored;
use super::{OpenError, Recorder, RecorderOptions, Timers, sessions, visibility};
use crate::checkpoint::{self, KnownTables, Restored};
use crate::engine::Location;
use crate::history_handle::HistoryHandle;
use crate::ingest::Ingest;
use crate::log::{SpillOptions, StreamReader};
use crate::patterns::Patterns;
use dbtrail_types::names::ServerId;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant as Timer;

impl RecorderOptions {
    /// Which tables, where names count in lower case (`folds`) or as they are written.
    pub(super) fn patterns(&self, folds: bool) -> Patterns {
        if folds { self.tables.to_lowercase() } else { self.tables.clone() }
    }
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

    pub(super) fn upon(
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
            reconnected: false,
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

    pub(super) fn restore(&mut self, restored: Restored) {
        let Restored { state, entries, tables: KnownTables { catalog, names, generations }, reading } =
            restored;
        let ingest = &mut self.ingest;
        ingest.dirty.definitions = catalog.count();
        ingest.dirty.sweeps = names.sweeps().len();
        ingest.tables = Some(self.options.patterns(catalog.folds() == Some(true)));
        (ingest.catalog, ingest.names, ingest.generations) = (catalog, names, generations);
        ingest.next = state.next;
        ingest.changes = state.changes;
        ingest.versions = state.versions;
        ingest.entries = entries;
        ingest.gtids = state.gtids.clone();
        self.reading = reading;
        self.state = Some(state);
    }
}
