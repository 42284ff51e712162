//! `sources` of agent.yaml: one process for several servers, each its own failure. What fails of
//! one is said under its name, in the log, the status and `/readyz`, and tried again; the others go
//! on.

use super::live::{self, Running};
use super::local::{self, Local};
use super::{CannotStart, UNAVAILABLE, files, listen, read, standby};
use crate::cli::supervisor;
use crate::cli::undo::script::ScriptWriter;
use crate::config::agent::{AgentConfig, CaptureSettings, HistorySettings, Origin};
use dbtrail_history::HistoryHandle;
use dbtrail_history::capture::{Disconnected, NotWritten};
use dbtrail_history::serve::{Served, serve_all};
use dbtrail_types::timestamp::Timestamp;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The shortest and the longest pause before one that failed is begun again.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// One that ran for so long failed of something new.
const LONG: Duration = Duration::from_secs(60);

/// Serves all of them until `stop`.
pub(super) async fn run(config: AgentConfig, stop: &CancellationToken) -> Result<(), CannotStart> {
    let listener = listen(config.listen).await?;
    let mut tasks = JoinSet::new();
    let mut served = Vec::new();
    for settings in config.histories {
        let handle = Arc::new(HistoryHandle::live(settings.server_id.clone(), Timestamp::now()));
        let writer =
            ScriptWriter::new(Arc::clone(&handle)).map_err(|e| CannotStart(e.to_string(), UNAVAILABLE))?;
        served.push(Served {
            history_handle: Arc::clone(&handle),
            tokens: settings.tokens.clone(),
            doubt_tokens: settings.doubt_tokens.clone(),
            undo: Some(Arc::new(writer)),
        });
        let span = tracing::info_span!("source", server_id = %settings.server_id);
        tasks.spawn(keep(settings, handle, stop.clone()).instrument(span));
    }
    let scheme = if config.serve.tls.is_some() { "https" } else { "http" };
    let address = listener.local_addr().unwrap_or(config.listen);
    tracing::info!("agent for {} servers listens on {scheme}://{address}", served.len());
    if config.serve.ui {
        tracing::info!("a page to look at them: {scheme}://{address}/ui");
    }
    supervisor::ready();
    serve_all(listener, served, config.serve, stop.clone()).await;
    // Until what each of them has taken in is stored.
    while tasks.join_next().await.is_some() {}
    tracing::info!("agent stopped");
    Ok(())
}

/// Keeps a history until `stop`, however often that has to be begun again.
async fn keep(settings: HistorySettings, handle: Arc<HistoryHandle>, stop: CancellationToken) {
    let settings = match settings {
        HistorySettings { server_id, origin: Origin::Files(files), statements, .. } => {
            match files::read(server_id, *files, statements, &stop).await {
                Ok(Some(history)) => handle.fix(history),
                Ok(None) => {}
                // They are what they are: nothing is read a second time.
                Err(CannotStart(why, _)) => {
                    tracing::error!("the log files are not read: {why}");
                    handle.update(|live| {
                        let why = format!("the log files are not read: {why}");
                        live.failed = Some(NotWritten::NotBegun(why));
                    });
                }
            }
            return;
        }
        settings => settings,
    };
    let (mut pause, mut reported) = (PAUSE, String::new());
    while !stop.is_cancelled() {
        let began = tokio::time::Instant::now();
        // Whatever one of them ends, it ends none of the others.
        let turn = stop.child_token();
        let done = match &settings.origin {
            Origin::Live(capture) => {
                let done = AssertUnwindSafe(captured(capture, &handle, &turn)).catch_unwind().await;
                done.unwrap_or(Ok(()))
            }
            Origin::Read(reader) => match read::follow(&handle, reader.clone(), &turn) {
                Ok(_) => {
                    turn.cancelled().await;
                    Ok(())
                }
                Err(cannot) => Err(cannot),
            },
            Origin::Files(_) => return,
        };
        turn.cancel();
        if stop.is_cancelled() {
            if let Err(CannotStart(why, _)) = done {
                tracing::error!("{why}");
            }
            return;
        }
        if began.elapsed() >= LONG {
            (pause, reported) = (PAUSE, String::new());
        }
        let (why, of_server) = match done {
            Ok(()) => ("capturing ended, which is a bug: the log says more".to_owned(), false),
            Err(CannotStart(why, exit)) => (why, exit == UNAVAILABLE),
        };
        // Once: it is tried twice a minute.
        if why != reported {
            tracing::error!("{why}: it is tried again, the first time in {} s", pause.as_secs());
            reported.clone_from(&why);
        }
        handle.update(|live| {
            if of_server {
                live.connected(Err(Disconnected::NotReady(why)), Timestamp::now());
            } else {
                live.failed = Some(NotWritten::NotBegun(why));
            }
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Captures until the turn ends, or this cannot.
async fn captured(
    capture: &CaptureSettings,
    handle: &Arc<HistoryHandle>,
    turn: &CancellationToken,
) -> Result<(), CannotStart> {
    local::folder(&capture.data)?;
    let running: Running = match capture.standby {
        None => live::live(handle, capture, turn).await?,
        Some(poll) => standby::run_standby(handle, capture, poll, turn)?,
    };
    let _local = Local::open(&capture.data.folder, handle, turn).await?;
    if capture.standby.is_none() {
        live::verify(capture, handle, turn)?;
    }
    running.ended().await
}
