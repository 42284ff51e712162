//! Where the halves of capturing are put together: everything around them asks here, and here alone.

use super::{CannotStart, NO_FOLDER, UNAVAILABLE};
use crate::config::agent::{AgentConfig, CaptureSettings};
use crate::history::engine::DiskOptions;
use crate::history::live::Capture;
use crate::history::published::Status;
use crate::history::recorder::{self, RecorderOptions};
use crate::history::{History, Published};
use crate::ident::ServerId;
use crate::instant::Instant;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A history, and the task that keeps it.
#[derive(Debug)]
pub(in crate::cli) struct Running {
    /// What is served.
    pub(in crate::cli) published: Arc<Published>,
    /// Ends after the stop, when all that was taken in is on disk. `None`: nothing is captured.
    pub(in crate::cli) capture: Option<JoinHandle<()>>,
}

impl Running {
    /// Of log files.
    pub(in crate::cli) fn fixed(history: Arc<History>) -> Self {
        Self { published: Arc::new(Published::fixed(history)), capture: None }
    }

    /// Waits until all is on disk.
    pub(in crate::cli) async fn ended(self) {
        if let Some(capture) = self.capture
            && capture.await.is_err()
        {
            tracing::error!("a bug: capturing panicked. What was kept until then is whole");
        }
    }
}

/// Opens the store and begins to capture, until `stop`. What is published is served at once, begun or not; a server that cannot be reached is tried again.
pub(in crate::cli) async fn live(
    server_id: &ServerId,
    settings: &CaptureSettings,
    stop: &CancellationToken,
) -> Result<Running, CannotStart> {
    let published = Arc::new(Published::live(server_id.clone(), Instant::now()));
    let tables = settings.source.tables.clone();
    let options = RecorderOptions {
        selection: Box::new(move |name| tables.includes(name)),
        baseline: settings.baseline,
        keep: settings.keep,
        disk: DiskOptions::default(),
    };
    let (data, source, shared) = (settings.data.clone(), settings.source.clone(), Arc::clone(&published));
    let opening = tokio::task::spawn_blocking(move || Capture::open(&data, source, options, &shared)).await;
    let capture = opening
        .map_err(|e| CannotStart(e.to_string(), NO_FOLDER))?
        .map_err(|e| CannotStart(e.to_string(), NO_FOLDER))?;
    let stop = stop.clone();
    let task = tokio::spawn(async move {
        // The writing half has told why, in the log and in `/readyz`. What was recorded is served on.
        let _ = capture.run(stop).await;
    });
    Ok(Running { published, capture: Some(task) })
}

/// Prints what preflight finds, each with what mends it. An error: capturing cannot begin so.
#[expect(clippy::unused_async, reason = "preflight asks the server")]
pub(in crate::cli) async fn preflight(_config: &AgentConfig) -> Result<(), CannotStart> {
    Err(CannotStart("preflight is not wired into this build".to_owned(), UNAVAILABLE))
}

/// What a store says of itself when no agent has it open.
pub(super) fn stored_status(data: &Path) -> Result<Status, String> {
    recorder::read_status(data, None, Instant::now()).map_err(|e| e.to_string())
}
