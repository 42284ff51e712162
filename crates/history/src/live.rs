//! Capturing from a running server: both halves, and the thread that writes.

use super::HistoryHandle;
use super::capture::RecorderHandle;
use super::engine::StoreError;
use super::recorder::{OpenError, Recorder, RecorderOptions};
use super::source::{self, SourceConfig};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages on the way to the writing half: what the server is ahead of the disk at most, in
/// events.
const DEPTH: usize = 256;
/// Wishes on their way back.
const WISHES: usize = 64;

/// A capture that is ready to run.
#[derive(Debug)]
pub struct Capture {
    recorder: Recorder,
    source: SourceConfig,
}

impl Capture {
    /// Opens the record in a data folder. What it holds is published at once, also when the server
    /// cannot be reached.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(
        folder: &Path,
        source: SourceConfig,
        options: RecorderOptions,
        history_handle: &Arc<HistoryHandle>,
    ) -> Result<Self, OpenError> {
        let server_id = history_handle.server_id().clone();
        let recorder = Recorder::open(folder, server_id, options, Arc::clone(history_handle))?;
        Ok(Self { recorder, source })
    }

    /// Captures until `stop`; then everything taken in is on the disk.
    ///
    /// # Errors
    /// The store failed: only a restart helps, which goes on where the record is whole.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let Self { recorder, source } = self;
        let resume = recorder.resume();
        let (writer, inputs) = RecorderHandle::channel(DEPTH);
        let (to, command_queue) = mpsc::channel(WISHES);
        let runtime = tokio::runtime::Handle::current();
        let writing = tokio::task::spawn_blocking(move || recorder.run(&runtime, inputs, &to));
        // Ends with `stop`, and also when the writing half does; it takes the way to the writing
        // half with it, which then ends.
        source::run(source, resume, writer, command_queue, stop).await;
        writing.await.unwrap_or_else(|panic| Err(StoreError(format!("the writing half has ended: {panic}"))))
    }
}
