//! The audit log: who looked at which table and keys, at which instant, and how it ended; a line of
//! JSON for each time-travel statement. Off unless the configuration names a file, or the socket of
//! syslog.

mod file;
mod syslog;

pub use file::FileSettings;
use file::LogFile;
use serde_json::Value;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// `audit`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Where lines go.
    pub destination: Destination,
    /// Whether nothing is answered while no line can be written.
    pub refuse: bool,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `audit.file`
    File(FileSettings),
    /// `audit.syslog`: the socket of a daemon of this machine.
    Syslog(PathBuf),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(settings) => settings.file.display().fmt(f),
            Self::Syslog(socket) => write!(f, "syslog at {}", socket.display()),
        }
    }
}

static LOG: Mutex<Option<Log>> = Mutex::new(None);
static ON: AtomicBool = AtomicBool::new(false);
static RECORDS: AtomicU64 = AtomicU64::new(0);
static FAILURES: AtomicU64 = AtomicU64::new(0);

fn log() -> MutexGuard<'static, Option<Log>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether statements are written down.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// From now on with these settings; `None`: no more. A file is opened again, so that one that was
/// moved away is let go.
///
/// # Errors
/// The file cannot be opened, or nobody listens at the socket; what was before stays.
pub fn set(settings: Option<&AuditSettings>) -> io::Result<()> {
    let mut opened = settings.map(|settings| Log::open(settings.clone())).transpose()?;
    if let Some(log) = opened.as_mut().filter(|log| log.settings.refuse)
        && let Err(error) = log.sink.try_again()
    {
        tracing::error!(%error, to = %log.settings.destination, "the audit log cannot be written: nothing is answered");
        log.failed = Some(error.to_string());
    }
    ON.store(opened.is_some(), Ordering::Relaxed);
    *log() = opened;
    Ok(())
}

/// Writes a line. What does not go in is counted, and the log of the program says so once.
pub fn record(line: &Value) {
    let mut log = log();
    let Some(log) = log.as_mut() else { return };
    match log.sink.write(&line.to_string()) {
        Ok(()) => {
            RECORDS.fetch_add(1, Ordering::Relaxed);
            if log.failed.take().is_some() {
                tracing::warn!(to = %log.settings.destination, "the audit log is written again");
            }
        }
        Err(error) => {
            FAILURES.fetch_add(1, Ordering::Relaxed);
            if log.failed.replace(error.to_string()).is_none() {
                let answers =
                    if log.settings.refuse { "nothing is answered" } else { "statements are answered" };
                let to = &log.settings.destination;
                tracing::error!(%error, %to, "the audit log cannot be written: {answers} until it can be again");
            }
        }
    }
}

/// Why no statement may look at anything now; `None`: it may.
#[must_use]
pub fn refuses() -> Option<String> {
    if !is_on() {
        return None;
    }
    let mut log = log();
    let log = log.as_mut().filter(|log| log.settings.refuse && log.failed.is_some())?;
    // Perhaps there is room again.
    match log.sink.try_again() {
        Ok(()) => {
            log.failed = None;
            tracing::warn!(to = %log.settings.destination, "the audit log can be written again");
            None
        }
        Err(error) => Some(format!("{}: {error}", log.settings.destination)),
    }
}

/// Lines written, lines that failed, and whether the last one went in.
#[must_use]
pub fn figures() -> (u64, u64, bool) {
    let writable = log().as_ref().is_none_or(|log| log.failed.is_none());
    (RECORDS.load(Ordering::Relaxed), FAILURES.load(Ordering::Relaxed), writable)
}

/// What is written to, and how the last try went.
#[derive(Debug)]
struct Log {
    settings: AuditSettings,
    sink: Sink,
    failed: Option<String>,
}

impl Log {
    fn open(settings: AuditSettings) -> io::Result<Self> {
        let sink = match settings.destination.clone() {
            Destination::File(settings) => Sink::File(LogFile::open(settings)?),
            Destination::Syslog(socket) => Sink::Syslog(syslog::Syslog::open(socket)?),
        };
        Ok(Self { settings, sink, failed: None })
    }
}

/// See [`Destination`].
#[derive(Debug)]
enum Sink {
    File(LogFile),
    Syslog(syslog::Syslog),
}

impl Sink {
    /// A whole line, or nothing of it.
    fn write(&mut self, line: &str) -> io::Result<()> {
        match self {
            Self::File(file) => file.write(format!("{line}\n").as_bytes()),
            Self::Syslog(socket) => socket.write(line),
        }
    }

    /// Whether a line would go in now.
    fn try_again(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.try_again(),
            Self::Syslog(socket) => socket.try_again(),
        }
    }
}
