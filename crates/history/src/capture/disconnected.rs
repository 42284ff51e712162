//! Why no events arrive.

use super::log_loss::EventFault;
use crate::engine::StoreError;
use crate::source_error::{ClientError, SourceError};

/// Why the agent is not connected to the server, or does not follow its log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disconnected {
    /// It has not connected yet.
    #[error("the agent is starting")]
    Starting,
    /// The server cannot be read, or not now.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The connection was closed where the next event should come.
    #[error("the server ended the stream of its log")]
    StreamEnded,
    /// A RESET was carried out: whether the log is another one shows when it is asked for again.
    #[error("a RESET statement was carried out on the server: its log is looked at again")]
    Reset,
    /// The PROCESS privilege is missing.
    #[error(
        "the account may not see running statements (PROCESS), without which up to when the log is complete is not known; \
         the preflight names the GRANT"
    )]
    NoProcessPrivilege,
    /// The log came damaged.
    #[error(transparent)]
    Event(EventFault),
    /// What stands in the way of capturing, before it begins: sentences of the preflight.
    #[error("{0}")]
    NotReady(String),
    /// The history is looked at, and nobody writes it.
    #[error("no agent runs on {data}")]
    NoAgent {
        /// The data folder, or the bucket.
        data: String,
    },
    /// The history that another agent writes cannot be read.
    #[error("{data}: {error}")]
    Store {
        /// The data folder, or the bucket.
        data: String,
        /// What failed.
        error: StoreError,
    },
}

impl From<ClientError> for Disconnected {
    fn from(error: ClientError) -> Self {
        Self::Source(error.into())
    }
}
