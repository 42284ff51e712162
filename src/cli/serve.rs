//! `serve` and `check`.

use super::reload::{PERIOD, Reload};
use super::{http, supervisor};
use crate::telemetry::audit;
use crate::wire::connection::Live;
use crate::{config, server, telemetry};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// EX_CONFIG of sysexits.h.
pub(super) const BAD_CONFIG: u8 = 78;

/// Says why on standard error.
#[must_use]
pub fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "dbtrail-shim: {why}");
    ExitCode::FAILURE
}

pub(super) fn announce(lines: &[String], what: &str) {
    let mut out = std::io::stderr();
    for line in lines {
        let _ = writeln!(out, "{what}: {line}");
    }
}

/// Names all mistakes and warnings.
#[must_use]
pub fn check(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(config) => {
            announce(&config.warnings, "warning");
            let _ = writeln!(std::io::stdout(), "{}: good", path.display());
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            announce(&mistakes, "mistake");
            ExitCode::from(BAD_CONFIG)
        }
    }
}

/// Runs the shim until SIGTERM or SIGINT; SIGHUP reads the configuration again.
pub async fn run(path: &Path) -> ExitCode {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(mistakes) => {
            announce(&mistakes, "mistake");
            return ExitCode::from(BAD_CONFIG);
        }
    };
    telemetry::start(&config.log.0, config.log.1);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // Before anyone can know that the shim listens: a signal from then on drains it.
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot wait for signals: {error}")),
    };
    let listener = match supervisor::passed_socket() {
        Ok(Some(listener)) => Ok(listener),
        Ok(None) => server::listen(config.listen, config.port)
            .map_err(|error| format!("listen: {} cannot be listened on: {error}", config.listen)),
        Err(error) => Err(format!("the socket that systemd passed cannot be used: {error}")),
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(why) => return fail(&why),
    };
    if let Err(error) = audit::set(config.audit.as_ref()) {
        let to = config.audit.map(|a| a.destination.to_string()).unwrap_or_default();
        return fail(&format!("audit: {to} cannot be written: {error}"));
    }
    let pages = match config.http {
        None => None,
        Some(listen) => match http::bind(listen, config.port) {
            Ok(pages) => Some(pages),
            Err(why) => return fail(&why),
        },
    };
    // Port 0 asks for any free one: the log tells which.
    let address = listener.local_addr().unwrap_or(config.listen);
    tracing::info!(%address, tenants = config.server.shared.tenants.len(), "the shim listens");
    let stop = CancellationToken::new();
    let pages = pages.map(|listener| http::show(listener, None, stop.clone()));
    let live = Arc::new(Live::new(Arc::clone(&config.server.shared)));
    let mut reload = Reload::new(path, &config, Arc::clone(&live));
    let server::ServerSettings { shutdown_grace, threads, .. } = config.server;
    let running = tokio::spawn(server::run(listener, live, shutdown_grace, threads, stop.clone()));
    supervisor::ready();
    let mut looks = tokio::time::interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Received::Stop => break,
                Received::Reload => {
                    supervisor::reloading();
                    reload.all().await;
                    supervisor::ready();
                }
            },
            _ = looks.tick() => reload.changed().await,
            // The server has ended: below it is said why.
            () = stop.cancelled() => break,
        }
    }
    supervisor::stopping();
    tracing::info!("stopping: idle connections end, running statements have the grace period");
    stop.cancel();
    let ended = running.await;
    if let Some(pages) = pages {
        pages.cancel();
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("the server ended with a bug: {error}")),
    }
}

/// SIGTERM, SIGINT and SIGHUP, caught from now on.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether standard error was a terminal.
    terminal: bool,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// To end in good order.
    Stop,
    /// To read again what is on disk.
    Reload,
}

impl Signals {
    /// Catches them.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminal: std::io::stderr().is_terminal(),
        })
    }

    /// Waits for one. SIGHUP of a terminal that was closed asks to end: nobody is left to press
    /// Ctrl-C.
    pub async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.terminate.recv() => Received::Stop,
            _ = self.interrupt.recv() => Received::Stop,
            _ = self.hangup.recv() => {
                if self.terminal && !std::io::stderr().is_terminal() {
                    Received::Stop
                } else {
                    Received::Reload
                }
            }
        }
    }

    /// Waits for one that asks to end, where there is nothing to read again.
    pub async fn stopped(&mut self) {
        while self.next().await == Received::Reload {
            tracing::warn!("SIGHUP: there is nothing on disk to read again");
        }
    }
}
