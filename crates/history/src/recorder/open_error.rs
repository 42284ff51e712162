//! Why a record cannot be opened.

use super::super::backup::BackupFault;
use super::super::engine::{Location, StoreError, StoreFault};
use super::super::log::SourceTime;
use dbtrail_types::names::ServerId;

/// Why a record cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error("{data}: {error}")]
    Store {
        /// The data folder, or the bucket.
        data: String,
        /// What failed.
        error: StoreError,
    },
    /// It was recorded by another time of transactions.
    #[error(
        "{data} was recorded with source_time: {}, and times of both kinds cannot be put in one order: keep that setting, or give another folder",
        match found { SourceTime::Local => "local", SourceTime::Original => "original" }
    )]
    Time {
        /// The data folder, or the bucket.
        data: String,
        /// The source of times that the data folder was written with.
        found: SourceTime,
    },
    /// It is a copy that is damaged.
    #[error(transparent)]
    Backup(BackupFault),
    /// It is the record of another server.
    #[error(
        "{data} holds the history of server '{found}', and not of '{asked}': give --server-id {found}, or another folder"
    )]
    Other {
        /// The data folder, or the bucket.
        data: String,
        /// The server id of the history that is in the folder.
        found: ServerId,
        /// Whose it should be.
        asked: ServerId,
    },
}

impl OpenError {
    /// The thread that was to open it has ended.
    #[must_use]
    pub fn thread_ended(data: &Location, error: &impl std::fmt::Display) -> Self {
        let error = StoreFault::ThreadEnded(error.to_string()).into();
        Self::Store { data: data.to_string(), error }
    }

    /// Whether another agent writes to it.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Store { error, .. } if error.is_written() || error.is_taken())
    }

    /// Whether it is the store itself: what it holds is not wrong, and it may be there again.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Store { .. })
    }
}
