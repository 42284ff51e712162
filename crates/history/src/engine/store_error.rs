//! Why the store does not do what it is asked for.

use dbtrail_types::names::ServerId;
use std::path::PathBuf;

/// The store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history store failed: {0}")]
pub struct StoreError(pub StoreFault);

impl StoreError {
    /// Whether it could not be opened since another process has it.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        matches!(self.0, StoreFault::Locked)
    }

    /// Whether it could not be opened since another agent writes to it.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        matches!(self.0, StoreFault::WrittenBy(_))
    }

    /// Whether it is another agent's now: nothing of it may be answered any more.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        matches!(self.0, StoreFault::TakenBy(_))
    }
}

impl From<StoreFault> for StoreError {
    fn from(fault: StoreFault) -> Self {
        Self(fault)
    }
}

/// What failed. A text in it is the words of a library or of the system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Another process has the folder open.
    #[error("another process has this data folder open")]
    Locked,
    /// No room.
    #[error("the disk is full")]
    DiskFull,
    /// The disk, or the library of the tables on it.
    #[error("{0}")]
    Disk(String),
    /// The tables on the disk cannot be opened.
    #[error(
        "files in {} are damaged ({how}), as a disk that fails or a copy of a folder in use leaves them; nothing of \
         them is used: put a backup in the place of the data folder, or begin a new record in an empty one",
        folder.display()
    )]
    DamagedFiles {
        /// The folder of the tables.
        folder: PathBuf,
        /// What is wrong with them.
        how: String,
    },
    /// What lies in a table is not what was written: what.
    #[error("{0}: the data folder is damaged")]
    Damaged(&'static str),
    /// The checkpoint.
    #[error("what is kept besides rows cannot be read or written ({0}): the data folder is damaged")]
    Checkpoint(String),
    /// The checkpoint of another version of this program.
    #[error(
        "the data folder was written in form {found}, and this program reads forms {oldest} to {newest}: use the program that wrote it, or another folder"
    )]
    OtherForm {
        /// The form that it has.
        found: u32,
        /// The oldest that is read.
        oldest: u32,
        /// The newest that is read.
        newest: u32,
    },
    /// No thread can be begun.
    #[error("no thread to open it: {0}")]
    NoThread(String),
    /// No threads for the requests to an object store.
    #[error("no threads for it: {0}")]
    NoThreads(String),
    /// A thread that had the store has ended.
    #[error("{0}")]
    ThreadEnded(String),
    /// The thread that writes has ended.
    #[error("the writing half has ended: {0}")]
    WriterEnded(String),
    /// No folder for temporary tables.
    #[error("no temporary folder can be made in {} (TMPDIR): {error}", parent.display())]
    TemporaryFolder {
        /// Where it was to be.
        parent: PathBuf,
        /// Why it is not.
        error: String,
    },
    /// The temporary file of a large transaction, or what is in it.
    #[error("{0}")]
    Transaction(String),
    /// The index of GTIDs.
    #[error("{0}")]
    Gtids(String),
    /// No number is left for a change.
    #[error("the record is full: begin another in an empty data folder")]
    RecordFull,
    /// A reader was to write.
    #[error("a reader writes nothing")]
    ReadOnly,
    /// No tables are in the folder.
    #[error("there is no history in this folder")]
    NoHistory,
    /// No agent has written to it: "this folder" or "this bucket".
    #[error("nothing is recorded in {0} yet")]
    NothingRecordedIn(&'static str),
    /// No agent has written to the bucket.
    #[error("nothing is recorded there yet")]
    NothingRecorded,
    /// There is nothing to copy.
    #[error("nothing is recorded there")]
    NothingToCopy,
    /// It is of another server.
    #[error("it is the history of server '{found}', and not of '{asked}'")]
    OtherServer {
        /// Whose it is.
        found: ServerId,
        /// Whose it should be.
        asked: ServerId,
    },
    /// A bucket is wanted.
    #[error("{0} is no bucket")]
    NoBucket(String),
    /// The cargo feature `object-store` is missing.
    #[error("{0}: this program was built without object stores")]
    NotBuiltIn(String),
    /// A request to the object store, or its library.
    #[error("object store: {0}")]
    ObjectStore(String),
    /// What was read of the object store has not come, for so many seconds.
    #[error("object store: no answer for {0} s")]
    NoAnswer(u64),
    /// The threads for requests have ended.
    #[error("object store: its threads have ended")]
    ThreadsEnded,
    /// The folder that is used as an object store.
    #[error("{name}: {error}")]
    BucketFolder {
        /// The path of that folder.
        name: String,
        /// What failed.
        error: String,
    },
    /// The cache on the disk.
    #[error("the cache on the disk, in {}: {error}", folder.display())]
    Cache {
        /// Where it is.
        folder: PathBuf,
        /// What failed.
        error: String,
    },
    /// What a bucket says of its writer.
    #[error("what the store says of its writer cannot be read ({0}): it is damaged, or of a newer program")]
    Writer(String),
    /// A bucket of a newer version of this program.
    #[error("the store has form {found}, and this program knows form {known}: use the program that wrote it")]
    NewerForm {
        /// The form that it has.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// Another agent writes to it: which.
    #[error("another agent writes to it: {0}. Stop that one first, or start this one with --read")]
    WrittenBy(String),
    /// Another agent has taken it: which.
    #[error("another agent has taken the store over: {0}")]
    TakenBy(String),
    /// A copy into it did not come to its end.
    #[error(
        "a copy into it was begun and is not finished: let it end, or remove all objects below the prefix and copy again"
    )]
    UnfinishedCopy,
    /// Answers hold as many states of a bucket as can be kept.
    #[error(
        "{0} earlier states are still being read: what is new is shown when one of those answers has ended"
    )]
    StatesInUse(usize),
}
