//! What a data folder holds, while nobody writes to it.

use super::{OpenError, Recorder, RecorderOptions, STORE};
use crate::checkpoint;
use crate::engine::{DiskEngine, DiskOptions, Engine, StoreError};
use crate::history_handle::{HistoryHandle, Status};
use crate::ingest::Ingest;
use crate::patterns::Patterns;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::path::Path;
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
            Err(error) if crate::engine::is_locked(&error) && began.elapsed() < PATIENCE => {
                std::thread::sleep(STEP);
            }
            other => return other,
        }
    }
}

/// Reads what a data folder holds while no agent runs on it.
///
/// # Errors
/// An agent has it open, or it is damaged.
pub fn read_status(folder: &Path, server_id: Option<ServerId>, now: Timestamp) -> Result<Status, OpenError> {
    let failed = |error| OpenError::Store { folder: folder.to_owned(), error };
    if !folder.join(STORE).exists() {
        return Err(failed(StoreError("there is no history in this folder".to_owned())));
    }
    let engine = DiskEngine::open(&folder.join(STORE), DiskOptions::default()).map_err(failed)?;
    let bytes = Engine::bytes(&engine);
    let mut ingest = Ingest::upon(Box::new(engine));
    checkpoint::take_back(&mut ingest).map_err(failed)?;
    let snapshot = ingest.committed();
    let restored = checkpoint::read(&*snapshot).map_err(failed)?;
    let Some(restored) = restored else {
        return Err(failed(StoreError("nothing is recorded in this folder yet".to_owned())));
    };
    let found = restored.state.server_id.clone();
    if let Some(asked) = server_id.filter(|asked| *asked != found) {
        return Err(OpenError::Other { folder: folder.to_owned(), found, asked });
    }
    let history_handle = Arc::new(HistoryHandle::live(found.clone(), now));
    let options = RecorderOptions {
        tables: Patterns::default(),
        baseline: false,
        keep: None,
        statements: true,
        connections: true,
        source_time: restored.state.source_time,
        disk: DiskOptions::default(),
    };
    let mut recorder = Recorder::upon(ingest, found, options, Arc::clone(&history_handle));
    recorder.restore(restored);
    recorder.publish();
    history_handle.update(|l| {
        l.bytes_on_disk = bytes;
        l.connected(Err("no agent runs on this folder".to_owned()), now);
    });
    // What nobody writes does not lag behind.
    Ok(Status { lag_seconds: None, ..history_handle.status(now) })
}
