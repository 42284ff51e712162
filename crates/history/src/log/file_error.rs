//! Why the files of a log cannot be read, or not as one log.

use super::fault::LogFault;
use super::spill::SpillError;
use std::path::PathBuf;

/// What is wrong with files, and not with an event in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing to read.
    #[error("no binary log file was named")]
    None,
    /// The system's reason.
    #[error("{}: cannot be opened: {error}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: String,
    },
    /// It does not begin as a binary log does.
    #[error("{}: {fault}", .path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// What it begins with instead.
        fault: LogFault,
    },
    /// Two files of which neither name nor head says the order.
    #[error(
        "whether {} or {} comes first is not known: their heads do not say. Give the files the names that the server gave them \
         (binlog.000001, binlog.000002)",
        .first.display(),
        .second.display()
    )]
    Order {
        /// One of them.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// The numbers of two names have others between them.
    #[error("{second} does not follow {first}: leave none of the files out")]
    Missing {
        /// The name of the file before.
        first: String,
        /// The name of the file after it.
        second: String,
    },
    /// A ROTATE event names another file than the next one.
    #[error("after its last event the log goes on in {expected}, and the next file named is {named}")]
    OtherNext {
        /// The file of the ROTATE event.
        expected: String,
        /// The next one of those that were given.
        named: String,
    },
    /// A large transaction has no room on disk.
    #[error(transparent)]
    Spill(#[from] SpillError),
}
