//! Capturing from a running server: both halves, and the thread that writes.

use super::capture::RecorderHandle;
use super::engine::{Location, StoreError, StoreFault};
use super::recorder::{OpenError, Recorder, RecorderOptions};
use super::source::{self, SourceConfig};
use super::{HistoryHandle, disk_space};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Span;

/// Messages on the way to the writing half: what the server is ahead of the disk at most, in
/// events.
const DEPTH: usize = 256;
/// Commands on their way back.
const COMMANDS: usize = 64;

/// Before a store that failed is opened again.
const AGAIN: Duration = Duration::from_secs(5);

/// A capture that is ready to run.
#[derive(Debug)]
pub struct Capture {
    recorder: Recorder,
    source: SourceConfig,
    store: Store,
}

/// What a store is opened with.
#[derive(Clone, Debug)]
struct Store {
    data: Location,
    options: RecorderOptions,
    history_handle: Arc<HistoryHandle>,
}

impl Store {
    fn open(&self) -> Result<Recorder, OpenError> {
        let handle = Arc::clone(&self.history_handle);
        Recorder::open(&self.data, handle.server_id().clone(), self.options.clone(), handle)
    }

    /// Opens it again after it failed, as often as it takes. What was published is served until
    /// there is room.
    async fn again(&self) -> Recorder {
        let reserve = self.options.disk.reserve;
        loop {
            tokio::time::sleep(AGAIN).await;
            let shortage = disk_space::shortage(&self.data.folder, reserve + reserve / 8);
            if let Some(why) = shortage.filter(|_| self.data.bucket.is_none()) {
                self.history_handle.update(|l| l.shortage = Some(why));
                continue;
            }
            // The store is one process's and one opener's.
            self.history_handle.forget();
            let store = self.clone();
            let span = Span::current();
            let opened = tokio::task::spawn_blocking(move || span.in_scope(|| store.open())).await;
            let why = match opened {
                Ok(Ok(recorder)) => {
                    tracing::warn!("the store is open again: capturing goes on where the record is complete");
                    self.history_handle.update(|l| (l.failed, l.shortage) = (None, None));
                    return recorder;
                }
                Ok(Err(error)) => error,
                Err(error) => OpenError::thread_ended(&self.data, &error),
            };
            tracing::error!("the store cannot be opened again: {why}");
            self.history_handle.update(|l| l.failed = Some(why.into()));
        }
    }
}

impl Capture {
    /// Opens the record in a data folder or a bucket. What it holds is published at once, also when
    /// the server cannot be reached.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(
        data: &Location,
        source: SourceConfig,
        options: RecorderOptions,
        history_handle: &Arc<HistoryHandle>,
    ) -> Result<Self, OpenError> {
        let history_handle = Arc::clone(history_handle);
        let store = Store { data: data.clone(), options, history_handle };
        Ok(Self { recorder: store.open()?, source, store })
    }

    /// Captures until `stop`; then everything taken in is on the disk. A store that failed (a full
    /// disk) is opened again, and goes on where the record is complete.
    ///
    /// # Errors
    /// The store failed, and the stop came before it was open again; or another agent has taken it,
    /// and then nothing of it is served any more.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let Self { mut recorder, source, store } = self;
        loop {
            let done = Box::pin(once(recorder, source.clone(), stop.clone())).await;
            let Err(error) = done else { return Ok(()) };
            if error.is_taken() {
                store.history_handle.forget();
                return Err(error);
            }
            recorder = tokio::select! {
                () = stop.cancelled() => return Err(error),
                recorder = store.again() => recorder,
            };
        }
    }
}

/// Captures until `stop`, or until the store fails.
async fn once(recorder: Recorder, source: SourceConfig, stop: CancellationToken) -> Result<(), StoreError> {
    let resume = recorder.resume();
    let (writer, inputs) = RecorderHandle::channel(DEPTH);
    let (to, command_queue) = mpsc::channel(COMMANDS);
    let runtime = tokio::runtime::Handle::current();
    let span = Span::current();
    let writing = tokio::task::spawn_blocking(move || span.in_scope(|| recorder.run(&runtime, inputs, &to)));
    // Ends with `stop`, and also when the writing half does; it takes the way to the writing
    // half with it, which then ends.
    Box::pin(source::run(source, resume, writer, command_queue, stop)).await;
    writing.await.unwrap_or_else(|panic| Err(StoreFault::WriterEnded(panic.to_string()).into()))
}
