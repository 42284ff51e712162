//! How much of open transactions is kept in memory, and what can fail beyond it.

use super::LogFault;
use std::path::PathBuf;

/// A temporary file of a large transaction cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpillError(pub(super) String);

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
