//! The audit log: who looked at which table and keys, at which instant, and how it ended; a line of
//! JSON for each time-travel statement. Off unless the configuration names a file.

use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// `audit`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// The file; others get a number after its name when they are full.
    pub file: PathBuf,
    /// Bytes of one file.
    pub max_size: u64,
    /// Full files that are kept.
    pub keep: u32,
    /// Whether nothing is answered while no line can be written.
    pub refuse: bool,
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

/// From now on with these settings; `None`: no more. The file is opened again, so that one that was
/// moved away is let go.
///
/// # Errors
/// The file cannot be opened; what was before stays.
pub fn set(settings: Option<&AuditSettings>) -> io::Result<()> {
    let mut opened = settings.map(|settings| Log::open(settings.clone())).transpose()?;
    if let Some(log) = opened.as_mut().filter(|log| log.settings.refuse)
        && let Err(error) = log.try_again()
    {
        tracing::error!(%error, file = %log.settings.file.display(), "the audit log cannot be written: nothing is answered");
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
    let mut text = line.to_string();
    text.push('\n');
    match log.write(text.as_bytes()) {
        Ok(()) => {
            RECORDS.fetch_add(1, Ordering::Relaxed);
            if log.failed.take().is_some() {
                tracing::warn!(file = %log.settings.file.display(), "the audit log is written again");
            }
        }
        Err(error) => {
            FAILURES.fetch_add(1, Ordering::Relaxed);
            if log.failed.replace(error.to_string()).is_none() {
                let answers =
                    if log.settings.refuse { "nothing is answered" } else { "statements are answered" };
                let file = log.settings.file.display();
                tracing::error!(%error, %file, "the audit log cannot be written: {answers} until it can be again");
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
    match log.try_again() {
        Ok(()) => {
            log.failed = None;
            tracing::warn!(file = %log.settings.file.display(), "the audit log can be written again");
            None
        }
        Err(error) => Some(format!("{}: {error}", log.settings.file.display())),
    }
}

/// Lines written, lines that failed, and whether the last one went in.
#[must_use]
pub fn figures() -> (u64, u64, bool) {
    let writable = log().as_ref().is_none_or(|log| log.failed.is_none());
    (RECORDS.load(Ordering::Relaxed), FAILURES.load(Ordering::Relaxed), writable)
}

/// An open file.
#[derive(Debug)]
struct Log {
    settings: AuditSettings,
    file: File,
    size: u64,
    failed: Option<String>,
}

impl Log {
    fn open(settings: AuditSettings) -> io::Result<Self> {
        let file = opened(&settings.file)?;
        let size = file.metadata()?.len();
        Ok(Self { settings, file, size, failed: None })
    }

    /// A whole line, or nothing of it.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.settings.max_size {
            self.turn()?;
        }
        if let Err(error) = self.file.write_all(line) {
            // Half a line would spoil the next one.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += line.len() as u64;
        Ok(())
    }

    /// Begins another file: `audit.log` becomes `audit.log.1`, that becomes `.2`, and the last one
    /// goes.
    fn turn(&mut self) -> io::Result<()> {
        let numbered = |n: u32| {
            let mut name = self.settings.file.clone().into_os_string();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        };
        let gone = |done: io::Result<()>| match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        if self.settings.keep == 0 {
            gone(std::fs::remove_file(&self.settings.file))?;
        } else {
            for n in (1..self.settings.keep).rev() {
                gone(std::fs::rename(numbered(n), numbered(n + 1)))?;
            }
            gone(std::fs::rename(&self.settings.file, numbered(1)))?;
        }
        *self = Self { failed: self.failed.take(), ..Self::open(self.settings.clone())? };
        Ok(())
    }

    /// Whether there is room: a byte is written and taken back.
    fn try_again(&mut self) -> io::Result<()> {
        let mut file = opened(&self.settings.file)?;
        let size = file.metadata()?.len();
        let tried = file.write_all(b"\n");
        file.set_len(size)?;
        tried?;
        (self.file, self.size) = (file, size);
        Ok(())
    }
}

/// For its owner alone: it names keys.
fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_turned_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.log");
        let mut log =
            Log::open(AuditSettings { file: file.clone(), max_size: 10, keep: 2, refuse: false }).unwrap();
        for line in ["a234567\n", "b234567\n", "c234567\n", "d234567\n", "longer than a file\n"] {
            log.write(line.as_bytes()).unwrap();
        }
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("audit.log"), "longer than a file\n");
        assert_eq!((text("audit.log.1"), text("audit.log.2")), ("d234567\n".into(), "c234567\n".into()));
        assert!(!folder.path().join("audit.log.3").exists());
        // One that was moved away is let go, and what is there is gone on with.
        std::fs::rename(&file, folder.path().join("moved")).unwrap();
        log.try_again().unwrap();
        log.write(b"e\n").unwrap();
        assert_eq!(text("audit.log"), "e\n");
        let mut again = Log::open(AuditSettings { max_size: 100, ..log.settings.clone() }).unwrap();
        again.write(b"f\n").unwrap();
        assert_eq!(text("audit.log"), "e\nf\n");
    }

    #[test]
    fn a_full_disk_leaves_no_half_line() {
        let settings = AuditSettings { file: "/dev/full".into(), max_size: 1000, keep: 1, refuse: true };
        let mut log = Log { file: opened(&settings.file).unwrap(), settings, size: 0, failed: None };
        assert_eq!(log.write(b"x\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(log.try_again().is_err());
    }
}
