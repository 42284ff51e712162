//! Tables that somebody found not to be what the history says, on their way to the writing half.

use super::HistoryHandle;
use dbtrail_types::doubt::DoubtRequest;
use std::sync::{Mutex, PoisonError};

/// Of them at most so many wait: the writing half takes them within a second.
const MOST: usize = 1000;

/// Those that were not taken yet.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<Vec<DoubtRequest>>);

impl HistoryHandle {
    /// Hands one to the writing half; `false`: too many wait.
    #[must_use]
    pub fn put_in_doubt(&self, doubt: DoubtRequest) -> bool {
        let mut doubts = self.doubts.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = doubts.len() < MOST;
        if fits {
            doubts.push(doubt);
        }
        fits
    }

    /// All that came since the last time.
    pub fn take_doubts(&self) -> Vec<DoubtRequest> {
        std::mem::take(&mut *self.doubts.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
