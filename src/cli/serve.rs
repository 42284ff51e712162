//! `serve` and `check`.

use crate::{config, server, telemetry};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// EX_CONFIG of sysexits.h.
pub(super) const BAD_CONFIG: u8 = 78;

/// Says why on standard error.
#[must_use]
pub fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "dbtrail-shim: {why}");
    ExitCode::FAILURE
}

pub(super) fn tell(lines: &[String], what: &str) {
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
            tell(&config.warnings, "warning");
            let _ = writeln!(std::io::stdout(), "{}: good", path.display());
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            tell(&mistakes, "mistake");
            ExitCode::from(BAD_CONFIG)
        }
    }
}

/// Runs the shim until SIGTERM or SIGINT.
pub async fn run(path: &Path) -> ExitCode {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(mistakes) => {
            tell(&mistakes, "mistake");
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
    let listener = match TcpListener::bind(config.listen).await {
        Ok(listener) => listener,
        Err(error) => return fail(&format!("listen: {} cannot be had: {error}", config.listen)),
    };
    // Port 0 asks for any free one: the log tells which.
    let address = listener.local_addr().unwrap_or(config.listen);
    tracing::info!(%address, tenants = config.server.shared.tenants.len(), "the shim listens");
    let stop = CancellationToken::new();
    let running = tokio::spawn(server::serve(listener, Arc::new(config.server), stop.clone()));
    signals.stopped().await;
    tracing::info!("stopping: idle connections end, running statements have the grace period");
    stop.cancel();
    match running.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("the server ended with a bug: {error}")),
    }
}

/// SIGTERM and SIGINT, caught from now on.
#[derive(Debug)]
pub struct Signals(Signal, Signal);

impl Signals {
    /// Catches them.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    /// Waits for one.
    pub async fn stopped(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
