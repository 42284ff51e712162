//! How much of open transactions is kept in memory, and what can fail beyond it.

use super::LogFault;
use std::path::PathBuf;

/// Why the temporary file of a large transaction does not do. A text in it is that of the system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpillError {
    /// It cannot be made.
    #[error("no temporary file for a large transaction can be made in {}: {error}", folder.display())]
    NotMade {
        /// The folder that it was to be in.
        folder: PathBuf,
        /// Why not.
        error: String,
    },
    /// No room.
    #[error("the temporary file of a large transaction cannot be written or read: the disk is full")]
    DiskFull,
    /// The disk.
    #[error("the temporary file of a large transaction cannot be written or read: {0}")]
    Disk(String),
    /// It is not what was written.
    #[error("the temporary file of a large transaction is damaged")]
    Damaged,
    /// More than a number of 32 bits counts.
    #[error("a transaction with more tables than can be counted")]
    TooManyTables,
    /// ROLLBACK TO a savepoint of which nothing is known.
    #[error("a transaction goes back to a position that was not noted: a bug here")]
    UnknownMark,
}

/// How much of the transactions that are not committed yet is kept in memory, and where the rest
/// goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpillOptions {
    /// A folder for temporary files, which have no name there; `None`: that of the system.
    pub folder: Option<PathBuf>,
    /// Bytes of the log that are kept in memory, of all open and prepared transactions together.
    pub memory: usize,
}

impl Default for SpillOptions {
    fn default() -> Self {
        Self { folder: None, memory: 16 << 20 }
    }
}

/// Why an event cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    /// What is wrong with it.
    #[error(transparent)]
    Fault(#[from] LogFault),
    /// There is no room for the transaction that it belongs to; the event is as it should be.
    #[error(transparent)]
    Spill(#[from] SpillError),
}
