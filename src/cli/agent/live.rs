//! Where the halves of capturing are put together: everything around them asks here, and here
//! alone.

use super::{CannotStart, NO_FOLDER, TAKEN, UNAVAILABLE, local};
use crate::agent_client::Caller;
use crate::cli::embedded::agent_inside;
use crate::cli::verify::Background;
use crate::config::agent::CaptureSettings;
use dbtrail_history::capture::Disconnected;
use dbtrail_history::engine::{DiskOptions, Location, StoreError};
use dbtrail_history::history_handle::Status;
use dbtrail_history::live::Capture;
use dbtrail_history::recorder::{self, OpenError, RecorderOptions};
use dbtrail_history::source::{self, ClientError, Finding, Severity, SourceError};
use dbtrail_history::{History, HistoryHandle};
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

/// The file in the data folder that keeps how far verifying in the background has come.
const VERIFIED: &str = "verified.json";
/// The shortest and the longest pause before a source that is not there is asked again.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A history, and the task that keeps it.
#[derive(Debug)]
pub(in crate::cli) struct Running {
    /// The history that is served, and the status of the capture.
    pub(in crate::cli) history_handle: Arc<HistoryHandle>,
    /// Ends after the stop, when all that was taken in is on disk; before it, with the reason,
    /// where another agent has taken the store, or what stood by cannot capture. `None`: nothing is
    /// captured.
    pub(in crate::cli) capture: Option<JoinHandle<Result<Option<StoreError>, CannotStart>>>,
}

impl Running {
    /// A history that was read from log files and does not change.
    pub(in crate::cli) fn fixed(history: Arc<History>) -> Self {
        Self { history_handle: Arc::new(HistoryHandle::fixed(history)), capture: None }
    }

    /// Waits until all is on disk.
    ///
    /// # Errors
    /// Another agent has the store now.
    pub(in crate::cli) async fn ended(self) -> Result<(), CannotStart> {
        let Some(capture) = self.capture else { return Ok(()) };
        match capture.await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(taken))) => Err(CannotStart(taken.0.to_string(), TAKEN)),
            Ok(Err(cannot)) => Err(cannot),
            Err(_) => {
                tracing::error!("a bug: capturing panicked. What was kept until then is complete");
                Ok(())
            }
        }
    }
}

/// What the settings say of memory and disk.
pub(super) fn disk_options(settings: &CaptureSettings) -> DiskOptions {
    DiskOptions {
        cache: u64::from(settings.cache) << 20,
        reserve: u64::from(settings.disk_reserve) << 20,
        disk_cache: u64::from(settings.disk_cache) << 20,
        ..DiskOptions::default()
    }
}

/// Opens the store, which publishes what is there.
pub(super) async fn open(
    settings: &CaptureSettings,
    disk: DiskOptions,
    history_handle: &Arc<HistoryHandle>,
) -> Result<Capture, OpenError> {
    let options = RecorderOptions {
        tables: settings.source.tables.clone(),
        baseline: settings.baseline,
        keep: settings.keep,
        statements: settings.statements,
        connections: settings.source.connections,
        source_time: settings.source.source_time,
        disk,
    };
    let (data, source, shared) = (settings.data.clone(), settings.source.clone(), Arc::clone(history_handle));
    let span = Span::current();
    let open = move || span.in_scope(|| Capture::open(&data, source, options, &shared));
    let opening = tokio::task::spawn_blocking(open).await;
    opening.unwrap_or_else(|error| Err(OpenError::thread_ended(&settings.data, &error)))
}

/// Captures until `stop`, as soon as the server can be reached. The error: the store is another
/// agent's.
pub(super) async fn capture(
    capture: Capture,
    looked: Looked,
    settings: &CaptureSettings,
    history_handle: &HistoryHandle,
    stop: &CancellationToken,
) -> Option<StoreError> {
    if let Looked::Unreachable(why) = looked {
        tokio::select! {
            () = stop.cancelled() => {}
            () = waited_for(settings, why, history_handle) => {}
        }
    }
    // The writing half has said why, in the log and in `/readyz`. What was recorded is served on.
    Box::pin(capture.run(stop.clone())).await.err().filter(StoreError::is_taken)
}

/// Opens the store and begins to capture, until `stop`. What is published is served at once, begun
/// or not; a server that cannot be reached is tried again.
pub(in crate::cli) async fn live(
    history_handle: &Arc<HistoryHandle>,
    settings: &CaptureSettings,
    stop: &CancellationToken,
) -> Result<Running, CannotStart> {
    let history_handle = Arc::clone(history_handle);
    let opened = open(settings, disk_options(settings), &history_handle).await;
    let opened = opened.map_err(|e| CannotStart(e.to_string(), NO_FOLDER))?;
    history_handle.update(|live| live.failed = None);
    let looked = look(settings, history_handle.current().is_some()).await?;
    let (stop, settings, handle) = (stop.clone(), settings.clone(), Arc::clone(&history_handle));
    let captured = async move {
        let taken = capture(opened, looked, &settings, &handle, &stop).await;
        if taken.is_some() {
            // Two that answer for one server would differ.
            stop.cancel();
        }
        Ok(taken)
    };
    let task = tokio::spawn(captured.in_current_span());
    Ok(Running { history_handle, capture: Some(task) })
}

/// Compares the server's rows with the history in the background, where the settings want it, until
/// `stop`.
pub(in crate::cli) fn verify(
    settings: &CaptureSettings,
    history_handle: &Arc<HistoryHandle>,
    stop: &CancellationToken,
) -> Result<(), CannotStart> {
    let Some(share) = settings.verify else { return Ok(()) };
    let handle = Arc::clone(history_handle);
    let token = local::random().map_err(|why| CannotStart(why, UNAVAILABLE))?;
    let token = Secret::new(token);
    let (client, _) = agent_inside(Arc::clone(&handle), &token)
        .map_err(|error| CannotStart(format!("nothing can be verified: {error}"), UNAVAILABLE))?;
    let caller = Caller { tenant: String::new(), token: Some(token) };
    let state = settings.data.folder.join(VERIFIED);
    let background =
        Background { source: settings.source.clone(), agent: (client, caller), handle, share, state };
    tokio::spawn(background.run(stop.clone()).in_current_span());
    Ok(())
}

/// What is in the way of capturing, the heaviest first.
pub(super) async fn findings(settings: &CaptureSettings) -> Result<Vec<Finding>, SourceError> {
    source::preflight(&settings.source, settings.keep).await
}

/// Why the source was not asked, for a person.
pub(super) fn not_asked(settings: &CaptureSettings, why: &SourceError) -> String {
    format!("the source {} cannot be asked: {why}", settings.source.address())
}

/// What a look at the server came to.
pub(super) enum Looked {
    /// Capturing may begin.
    Done,
    /// It cannot be reached now: why.
    Unreachable(String),
}

/// Whether the server may be there later, with nothing changed here.
fn may_come(error: &SourceError) -> bool {
    /// ER_SERVER_SHUTDOWN, ER_CON_COUNT_ERROR, ER_HOST_IS_BLOCKED.
    const PASSING: [u16; 3] = [1053, 1040, 1129];
    match error {
        SourceError::Client(ClientError::Network(_)) => true,
        SourceError::Client(error) => error.code().is_some_and(|code| PASSING.contains(&code)),
        SourceError::Unfit(_) => false,
    }
}

/// Asks the source again and again until it is there and nothing is in the way.
async fn waited_for(settings: &CaptureSettings, why: String, history_handle: &HistoryHandle) {
    let mut reported = String::new();
    let mut why = why;
    let mut pause = PAUSE;
    loop {
        if why != reported {
            tracing::warn!("{why}: it is waited for");
            reported.clone_from(&why);
        }
        history_handle.update(|l| l.connected(Err(Disconnected::NotReady(why.clone())), Timestamp::now()));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        why = match look(settings, false).await {
            Ok(Looked::Done) => return tracing::info!("the source {} is there", settings.source.address()),
            Ok(Looked::Unreachable(why)) | Err(CannotStart(why, _)) => why,
        };
    }
}

/// Looks at the server before a capture. Where there is a record to serve, nothing found is a
/// reason not to: the reading half goes on trying.
pub(super) async fn look(settings: &CaptureSettings, begun: bool) -> Result<Looked, CannotStart> {
    let findings = match findings(settings).await {
        Ok(findings) => findings,
        Err(error) if begun => {
            tracing::warn!("{}", not_asked(settings, &error));
            return Ok(Looked::Done);
        }
        Err(error) if may_come(&error) => return Ok(Looked::Unreachable(not_asked(settings, &error))),
        Err(error) => return Err(CannotStart(not_asked(settings, &error), UNAVAILABLE)),
    };
    let mut refused = Vec::new();
    for Finding { severity, what, fix } in findings {
        let fix = if fix.is_empty() { String::new() } else { format!(". To fix it: {fix}") };
        match severity {
            Severity::Note => tracing::info!("{what}{fix}"),
            Severity::Warn => tracing::warn!("{what}{fix}"),
            Severity::Refuse if begun => tracing::error!("{what}{fix}"),
            Severity::Refuse => refused.push(format!("{what}{fix}")),
        }
    }
    if refused.is_empty() { Ok(Looked::Done) } else { Err(CannotStart(refused.join("\n"), UNAVAILABLE)) }
}

/// What a store says of itself when no agent has it open.
pub(super) fn stored_status(data: &Location) -> Result<Status, String> {
    recorder::read_status(data, None, Timestamp::now()).map_err(|e| e.to_string())
}
