//! A checked copy of the store in another folder or bucket, of a running agent too: a backup, or
//! the store on its way to another place.
//!
//! The copy is made of one snapshot, so it is the store as it was between two batches: an agent
//! that starts on it goes on from there. fjall keeps in memory what is written while a snapshot is
//! open, so the writing half waits meanwhile (`HistoryHandle::backup_runs`), and the server's log
//! with it. Answers go on.

mod manifest;
mod transfer;

use super::disk_space;
use super::engine::{Batch, DiskEngine, DiskOptions, Engine, Snapshot, StoreError, Table};
use super::history_handle::HistoryHandle;
pub use manifest::BackupFault;
pub(crate) use manifest::check;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub use transfer::copy;
use xxhash_rust::xxh3::Xxh3;

/// The folder of the store inside of the data folder.
pub(super) const STORE: &str = "history";

/// Bytes of keys and values that are written as one batch.
const BATCH: usize = 4 << 20;
/// After every key of a table: none is longer than 48 bytes of the highest value.
const LAST: [u8; 64] = [0xff; 64];
/// What the folder is called until the copy is complete.
const UNFINISHED: &str = "unfinished";
/// Bytes of the disk that stay free.
const RESERVE: u64 = 256 << 20;

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Keys with their values.
    pub pairs: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// XXH3 of all of them in their order; it was computed of the store, and again of the copy.
    pub digest: u64,
}

/// Why there is no copy. What was written of one is left in the folder `NAME.unfinished`.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder is there, or what an earlier attempt left.
    #[error("{} is there already: give the name of a folder that is not", .0.display())]
    Exists(PathBuf),
    /// The folder cannot be made.
    #[error("{}: {error}", folder.display())]
    Folder {
        /// The folder of the copy.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is nothing to copy.
    #[error("there is no history in {}", .0.display())]
    Nothing(PathBuf),
    /// It is the store of a process that cannot be asked.
    #[error("another process has {} open, and does not say where it can be asked", .0.display())]
    Locked(PathBuf),
    /// The record has not begun.
    #[error("nothing is recorded yet: there is nothing to copy")]
    NotBegun,
    /// One is enough.
    #[error("another backup of this agent is being made")]
    Busy,
    /// The disk of the copy is nearly full.
    #[error("the disk of {} has less than {} MiB left: the copy was given up", .0.display(), RESERVE >> 20)]
    Full(PathBuf),
    /// What it is to be copied to holds something.
    #[error(
        "{0} is not empty: give the prefix of a bucket below which there is nothing. If a copy into it was cut off, remove all objects below it and copy again"
    )]
    NotEmpty(String),
    /// An agent has it open.
    #[error(
        "an agent has {0} open: stop it and copy then; or make a copy of it in another folder meanwhile (dbtrail-shim agent backup), and copy that one"
    )]
    InUse(String),
    /// Either store.
    #[error("{at}: {error}")]
    Store {
        /// The folder of that store, or the bucket.
        at: String,
        /// What failed.
        error: StoreError,
    },
    /// The copy was read again, and is another.
    #[error("the copy in {} is not what was written to it: its disk is not to be trusted", .0.display())]
    Differs(PathBuf),
    /// What is to be copied is a copy itself, and cannot be opened.
    #[error(transparent)]
    Origin(#[from] BackupFault),
    /// What is read is a copy of a history, and not what was copied then.
    #[error(
        "{0} is a copy that was damaged after it was made: it is not what was copied into it. Nothing was made of it: use another copy"
    )]
    NotAsCopied(String),
    /// The copy in a bucket was read again, and is another.
    #[error(
        "the copy in {0} is not what was written to it: remove all objects below the prefix, and do not trust that store"
    )]
    BucketDiffers(String),
    /// The agent is being stopped.
    #[error("the agent is being stopped: the copy was given up")]
    Stopped,
}

/// A running total of pairs.
#[derive(Default)]
struct Sum {
    pairs: u64,
    bytes: u64,
    digest: Xxh3,
}

impl Sum {
    fn add(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let length = key.len() + value.len();
        self.pairs += 1;
        self.bytes += length as u64;
        self.digest.update(table.name().as_bytes());
        self.digest.update(&(key.len() as u64).to_be_bytes());
        self.digest.update(key);
        self.digest.update(&(value.len() as u64).to_be_bytes());
        self.digest.update(value);
    }

    fn end(&self) -> Copied {
        Copied { pairs: self.pairs, bytes: self.bytes, digest: self.digest.digest() }
    }
}

/// Copies the history that is being served. Blocks: for a thread of its own.
///
/// # Errors
/// See [`BackupError`]; the history is as it was.
pub fn of_running(
    history_handle: &HistoryHandle,
    to: &Path,
    stopped: &dyn Fn() -> bool,
) -> Result<Copied, BackupError> {
    let _waits = history_handle.begin_backup().ok_or(BackupError::Busy)?;
    let history = history_handle.current().ok_or(BackupError::NotBegun)?;
    let snapshot = Arc::clone(&history.snapshot);
    drop(history);
    copied(&*snapshot, to, stopped)
}

/// Copies the history in a data folder on which no agent runs. Blocks.
///
/// # Errors
/// See [`BackupError`].
pub fn of_folder(data: &Path, to: &Path) -> Result<Copied, BackupError> {
    let engine = opened(data)?;
    copied(&*engine.snapshot(), to, &|| false)
}

/// The store of a data folder on which no agent runs.
fn opened(data: &Path) -> Result<DiskEngine, BackupError> {
    let folder = data.join(STORE);
    if !folder.exists() {
        return Err(BackupError::Nothing(data.to_owned()));
    }
    check(data)?;
    DiskEngine::open(&folder, DiskOptions::default()).map_err(|error| {
        if error.is_locked() {
            BackupError::Locked(data.to_owned())
        } else {
            failed(data.display().to_string())(error)
        }
    })
}

/// The error of a store.
fn failed(at: String) -> impl Fn(StoreError) -> BackupError {
    move |error| BackupError::Store { at: at.clone(), error }
}

/// Copies a snapshot into a folder that is not there, which becomes a data folder.
fn copied(from: &dyn Snapshot, to: &Path, stopped: &dyn Fn() -> bool) -> Result<Copied, BackupError> {
    copied_if(from, to, stopped, &|_| Ok(()))
}

/// The same, if what was copied is right.
fn copied_if(
    from: &dyn Snapshot,
    to: &Path,
    stopped: &dyn Fn() -> bool,
    right: &dyn Fn(Copied) -> Result<(), BackupError>,
) -> Result<Copied, BackupError> {
    let unfinished = PathBuf::from(format!("{}.{UNFINISHED}", to.display()));
    for folder in [to, &unfinished] {
        if folder.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(folder.to_owned()));
        }
    }
    let cannot = |error| BackupError::Folder { folder: to.to_owned(), error };
    make(&unfinished).map_err(cannot)?;
    let sum = {
        let store = failed(unfinished.display().to_string());
        let mut engine = DiskEngine::open(&unfinished.join(STORE), DiskOptions::default()).map_err(&store)?;
        let room = || {
            let is_full = disk_space::free(&unfinished).is_ok_and(|free| free < RESERVE);
            if is_full { Err(BackupError::Full(unfinished.clone())) } else { Ok(()) }
        };
        let sum =
            write(from, &mut engine, &store, &|| if stopped() { Err(BackupError::Stopped) } else { room() })?;
        engine.sync().map_err(&store)?;
        if read_again(&*engine.snapshot(), &store, stopped)? != sum {
            return Err(BackupError::Differs(unfinished));
        }
        sum
    };
    right(sum)?;
    manifest::write(&unfinished, sum).map_err(cannot)?;
    std::fs::rename(&unfinished, to).map_err(cannot)?;
    // The new name is on the disk too.
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = std::fs::File::open(parent.unwrap_or(Path::new("."))).map_err(cannot)?;
    parent.sync_all().map_err(cannot)?;
    Ok(sum)
}

/// A folder for its owner alone.
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(folder)
}

/// Writes every pair; `goes_on` is asked between batches.
fn write(
    from: &dyn Snapshot,
    to: &mut dyn Engine,
    store: &dyn Fn(StoreError) -> BackupError,
    goes_on: &dyn Fn() -> Result<(), BackupError>,
) -> Result<Copied, BackupError> {
    let mut sum = Sum::default();
    let mut batch = Batch::default();
    for table in Table::ALL {
        // Why it ended before the last pair.
        let mut ended = None;
        let read = from.forward(table, &[], &LAST, &mut |key, value| {
            sum.add(table, key, value);
            batch.put(table, key, value);
            if batch.size() >= BATCH {
                to.commit(&batch)?;
                batch.clear();
                ended = goes_on().err();
            }
            Ok(ended.is_none())
        });
        read.map_err(store)?;
        if let Some(why) = ended {
            return Err(why);
        }
    }
    to.commit(&batch).map_err(store)?;
    Ok(sum.end())
}

/// The total of what was written.
fn read_again(
    of: &dyn Snapshot,
    store: &dyn Fn(StoreError) -> BackupError,
    stopped: &dyn Fn() -> bool,
) -> Result<Copied, BackupError> {
    total(of, stopped).map_err(|error| error.map_or(BackupError::Stopped, store))
}

/// The total of a snapshot; no error: it was stopped.
fn total(of: &dyn Snapshot, stopped: &dyn Fn() -> bool) -> Result<Copied, Option<StoreError>> {
    let mut sum = Sum::default();
    for table in Table::ALL {
        let mut goes_on = true;
        of.forward(table, &[], &LAST, &mut |key, value| {
            sum.add(table, key, value);
            goes_on = sum.pairs % 4096 != 0 || !stopped();
            Ok(goes_on)
        })?;
        if !goes_on {
            return Err(None);
        }
    }
    Ok(sum.end())
}

#[cfg(test)]
mod tests;
