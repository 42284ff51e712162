//! What a store holds that this process does not write to.

use super::{OpenError, Recorder, RecorderOptions, STORE};
use crate::capture::Disconnected;
use crate::checkpoint::{self, Restored, TableCache};
use crate::engine::{Batch, DiskEngine, DiskOptions, Engine, Location, Snapshot, StoreError, StoreFault};
use crate::history_handle::{HistoryHandle, Status};
use crate::ingest::{Ingest, pieces};
use crate::patterns::Patterns;
use crate::record::History;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant as Timer};

/// Opens the store, and waits a little where another process has it: `agent status` looks at it
/// only for a moment.
pub(super) fn patiently<T>(open: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    const PATIENCE: Duration = Duration::from_secs(5);
    const STEP: Duration = Duration::from_millis(50);
    let began = Timer::now();
    loop {
        match open() {
            Err(error) if error.is_locked() && began.elapsed() < PATIENCE => {
                std::thread::sleep(STEP);
            }
            other => return other,
        }
    }
}

/// Opens the tables that a history is kept in, or makes them.
pub(super) fn engine(data: &Location, options: DiskOptions) -> Result<Box<dyn Engine>, OpenError> {
    let failed = |error| OpenError::Store { data: data.to_string(), error };
    let Some(bucket) = &data.bucket else {
        crate::backup::check(&data.folder).map_err(OpenError::Backup)?;
        let disk = patiently(|| DiskEngine::open(&data.folder.join(STORE), options)).map_err(failed)?;
        return Ok(Box::new(disk));
    };
    crate::engine::open_bucket(bucket, &data.folder, options).map_err(failed)
}

/// Reads what a data folder holds while no agent runs on it, or a bucket, whoever writes to it.
///
/// # Errors
/// An agent has the folder open, or it is damaged.
pub fn read_status(
    data: impl Into<Location>,
    server_id: Option<ServerId>,
    now: Timestamp,
) -> Result<Status, OpenError> {
    let data = data.into();
    let failed = |error| OpenError::Store { data: data.to_string(), error };
    let (mut ingest, bytes) = looked_at(&data).map_err(failed)?;
    let restored = checkpoint::read(&*ingest.committed()).map_err(failed)?;
    let Some(restored) = restored else {
        return Err(failed(StoreFault::NothingRecordedIn(what_of(&data)).into()));
    };
    let found = restored.state.server_id.clone();
    if let Some(asked) = server_id.filter(|asked| *asked != found) {
        return Err(OpenError::Other { data: data.to_string(), found, asked });
    }
    let history_handle = Arc::new(HistoryHandle::live(found, now));
    publish(ingest, restored, &history_handle);
    history_handle.update(|l| {
        l.bytes_on_disk = bytes;
        l.connected(Err(Disconnected::NoAgent { data: data.to_string() }), now);
    });
    // What nobody writes does not lag behind.
    Ok(Status { lag_seconds: None, ..history_handle.status(now) })
}

/// What it is, in a sentence.
fn what_of(data: &Location) -> &'static str {
    if data.bucket.is_some() { "this bucket" } else { "this folder" }
}

/// A store as it is, and its bytes.
fn looked_at(data: &Location) -> Result<(Ingest, u64), StoreError> {
    if let Some(bucket) = &data.bucket {
        let state = crate::engine::read_bucket(bucket, &data.folder, DiskOptions::default())?.refresh()?;
        return Ok((Ingest::upon(Box::new(ReadOnly(state))), 0));
    }
    let folder = data.folder.join(STORE);
    if !folder.exists() {
        return Err(StoreFault::NoHistory.into());
    }
    let engine = DiskEngine::open(&folder, DiskOptions::default())?;
    let bytes = Engine::bytes(&engine);
    let mut ingest = Ingest::upon(Box::new(engine));
    checkpoint::take_back(&mut ingest)?;
    Ok((ingest, bytes))
}

/// Makes what a store holds the history that is served.
fn publish(ingest: Ingest, restored: Restored, history_handle: &Arc<HistoryHandle>) {
    let options = RecorderOptions {
        tables: Patterns::default(),
        baseline: false,
        keep: None,
        statements: true,
        connections: true,
        source_time: restored.state.source_time,
        disk: DiskOptions::default(),
    };
    let checked = restored.state.checked;
    let server_id = restored.state.server_id.clone();
    let mut recorder = Recorder::upon(ingest, server_id, options, Arc::clone(history_handle));
    recorder.restore(restored);
    recorder.ingest.put_off_since(checked.unwrap_or(recorder.ingest.next));
    recorder.publish();
}

/// What another process writes, as it was when it was looked at.
#[derive(Debug)]
struct ReadOnly(Arc<dyn Snapshot>);

impl Engine for ReadOnly {
    fn commit(&mut self, _: &Batch) -> Result<(), StoreError> {
        Err(StoreFault::ReadOnly.into())
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::clone(&self.0)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn bytes(&self) -> u64 {
        0
    }
}

/// Serves a state of a store that another process writes, if it is newer than what is served, and
/// whole. Gives whether it does. `known`: of the state before.
///
/// # Errors
/// It cannot be read, or is of another server.
pub(crate) fn publish_state(
    state: Arc<dyn Snapshot>,
    known: &mut TableCache,
    history_handle: &Arc<HistoryHandle>,
) -> Result<bool, StoreError> {
    let Some(restored) = checkpoint::read_again(&*state, known)? else {
        return Err(StoreFault::NothingRecorded.into());
    };
    let (found, asked) = (&restored.state.server_id, history_handle.server_id());
    if found != asked {
        let (found, asked) = (found.clone(), asked.clone());
        return Err(StoreFault::OtherServer { found, asked }.into());
    }
    let is_older = |served: &History| {
        served.end > restored.state.next || served.coverage().newest > restored.state.coverage.newest
    };
    if history_handle.current().is_some_and(|served| is_older(&served)) {
        return Ok(false);
    }
    // What is there of a large transaction that is being written replaces what was there before.
    if pieces::in_progress(&*state, restored.state.next)? {
        return Ok(false);
    }
    publish(Ingest::upon(Box::new(ReadOnly(state))), restored, history_handle);
    Ok(true)
}
