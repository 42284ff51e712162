//! Why the history is not written.

use crate::engine::StoreError;
use crate::recorder::OpenError;

/// Why the history is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be opened again.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It was not begun, or ended: what whoever begins it says.
    #[error("{0}")]
    NotBegun(String),
}
