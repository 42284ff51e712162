//! Histories that end to be made: read once, or let go.

use super::{History, HistoryHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a history was read from log files, and does not change any more.
#[derive(Debug)]
pub(super) struct Fixed(AtomicBool);

impl Fixed {
    pub(super) fn new(fixed: bool) -> Self {
        Self(AtomicBool::new(fixed))
    }

    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl HistoryHandle {
    /// Serves this one for good: it was read from log files, and nothing is captured.
    pub fn fix(&self, history: Arc<History>) {
        self.set(history);
        self.fixed.0.store(true, Ordering::Release);
    }

    /// Serves nothing until the next [`HistoryHandle::set`]: lets go of the store.
    pub fn forget(&self) {
        self.history.store(None);
    }
}
