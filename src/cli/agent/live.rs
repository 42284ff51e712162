//! Where the halves of capturing are put together: everything around them asks here, and here alone.

use super::{CannotStart, UNAVAILABLE};
use crate::config::agent::{AgentConfig, CaptureSettings};
use crate::history::published::Status;
use crate::history::{History, Published};
use crate::ident::ServerId;
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

const NOT_WIRED: &str = "capturing from a running server is not wired into this build";

/// Opens the store, goes through preflight and begins to capture, until `stop`. What is published is served at once, begun or not.
#[expect(clippy::unused_async, reason = "preflight asks the server")]
pub(in crate::cli) async fn live(
    _server_id: &ServerId,
    _capture: &CaptureSettings,
    _stop: &CancellationToken,
) -> Result<Running, CannotStart> {
    Err(CannotStart(NOT_WIRED.to_owned(), UNAVAILABLE))
}

/// Prints what preflight finds, each with what mends it. An error: capturing cannot begin so.
#[expect(clippy::unused_async, reason = "preflight asks the server")]
pub(in crate::cli) async fn preflight(_config: &AgentConfig) -> Result<(), CannotStart> {
    Err(CannotStart(NOT_WIRED.to_owned(), UNAVAILABLE))
}

/// What a store says of itself when no agent has it open.
pub(super) fn stored_status(_data: &Path) -> Result<Status, String> {
    Err("reading a store without its agent is not wired into this build".to_owned())
}
