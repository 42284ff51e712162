//! `dbtrail-shim agent`: the agent API over a history that is captured from a running server, or
//! read from log files.

pub(super) mod arguments;
mod backup;
mod capture_arguments;
mod command;
mod copy;
mod files;
pub(super) mod live;
pub(super) mod local;
mod preflight;
mod read;
mod reload;
mod serve_arguments;
mod several;
mod standby;
mod status;
mod values;

use super::supervisor;
use super::undo::script::ScriptWriter;
use crate::config::agent::{AgentConfig, HistorySettings, Origin};
use crate::telemetry;
pub use arguments::AgentArgs;
use command::AgentCommand;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{ServeOptions, serve};
use dbtrail_types::timestamp::Timestamp;
use live::Running;
use local::Local;
use reload::Reload;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Why the agent did not start, with the exit code (sysexits.h).
#[derive(Debug)]
pub(super) struct CannotStart(pub(super) String, pub(super) u8);

/// EX_CONFIG: something is wrong with the arguments or the files they name.
pub(super) const CONFIG: u8 = 78;
/// EX_DATAERR: the binary logs cannot be read.
const DATA: u8 = 65;
/// EX_UNAVAILABLE: the address cannot be listened on, or the server cannot be captured from.
pub(super) const UNAVAILABLE: u8 = 69;
/// EX_CANTCREAT: the data folder cannot be used.
pub(super) const NO_FOLDER: u8 = 73;
/// EX_TEMPFAIL: another agent has taken the store of this one.
const TAKEN: u8 = 75;

/// Runs the agent until SIGTERM or SIGINT, or asks one how it is.
pub async fn run(args: &AgentArgs) -> ExitCode {
    match &args.command {
        Some(AgentCommand::Status(args)) => return status::run(args).await,
        Some(AgentCommand::Backup(args)) => return backup::run(args).await,
        Some(AgentCommand::Copy(args)) => return copy::run(args).await,
        None => {}
    }
    let config = match arguments::settings(args) {
        Ok(config) => config,
        Err(mistakes) => {
            super::serve::announce(&mistakes, "mistake");
            return ExitCode::from(CONFIG);
        }
    };
    telemetry::start(&config.log.0, config.log.1);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let done = if args.preflight_only { preflight::print(&config).await } else { start(args, config).await };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CannotStart(message, exit)) => {
            tracing::error!("{message}");
            ExitCode::from(exit)
        }
    }
}

async fn start(args: &AgentArgs, config: AgentConfig) -> Result<(), CannotStart> {
    let stop = stop_on_signals()?;
    let reload = Reload::new(args.clone(), &config);
    let hangup = signal(SignalKind::hangup()).map_err(no_signals)?;
    tokio::spawn(reload.run(hangup, stop.clone()));
    if config.several {
        return several::run(config, &stop).await;
    }
    let Some(history) = config.histories.into_iter().next() else { return Ok(()) };
    let HistorySettings { server_id, origin, statements, .. } = history;
    let handle = || Arc::new(HistoryHandle::live(server_id.clone(), Timestamp::now()));
    let (listener, running, _local) = match origin {
        Origin::Files(files) => {
            let read = files::read(server_id, *files, statements, &stop).await?;
            let Some(history) = read else { return Ok(()) };
            (listen(config.listen).await?, Running::fixed(history), None)
        }
        Origin::Read(settings) => {
            let listener = listen(config.listen).await?;
            (listener, read::follow(&handle(), settings, &stop)?, None)
        }
        Origin::Live(capture) => {
            // First the port: who cannot have it has not touched the store or the server.
            let listener = listen(config.listen).await?;
            local::folder(&capture.data)?;
            let running = match capture.standby {
                None => live::live(&handle(), &capture, &stop).await?,
                Some(poll) => standby::run_standby(&handle(), &capture, poll, &stop)?,
            };
            let local = Local::open(&capture.data.folder, &running.history_handle, &stop).await?;
            if capture.standby.is_none() {
                live::verify(&capture, &running.history_handle, &stop)?;
            }
            (listener, running, Some(local))
        }
    };
    let scheme = if config.serve.tls.is_some() { "https" } else { "http" };
    let address = listener.local_addr().unwrap_or(config.listen);
    tracing::info!(
        "agent for server '{}' listens on {scheme}://{address}",
        running.history_handle.server_id()
    );
    let writer = ScriptWriter::new(Arc::clone(&running.history_handle))
        .map_err(|e| CannotStart(e.to_string(), UNAVAILABLE))?;
    let options = ServeOptions { undo: Some(Arc::new(writer)), ..config.serve };
    if options.ui {
        tracing::info!("a page to look at it: {scheme}://{address}/ui");
    }
    supervisor::ready();
    serve(listener, Arc::clone(&running.history_handle), options, stop).await;
    running.ended().await?;
    tracing::info!("agent stopped");
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, CannotStart> {
    TcpListener::bind(address)
        .await
        .map_err(|e| CannotStart(format!("cannot listen on {address}: {e}"), UNAVAILABLE))
}

fn stop_on_signals() -> Result<CancellationToken, CannotStart> {
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        supervisor::stopping();
        cancel.cancel();
    });
    Ok(stop)
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn no_signals(e: std::io::Error) -> CannotStart {
    CannotStart(format!("cannot wait for signals: {e}"), UNAVAILABLE)
}
