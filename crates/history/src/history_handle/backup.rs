//! Whether a copy of the store is being made.

use super::HistoryHandle;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set while one is.
#[derive(Debug, Default)]
pub(super) struct BackupFlag(AtomicBool);

/// As long as it lives, a copy of the store is being made.
#[derive(Debug)]
pub(crate) struct Backup<'a>(&'a BackupFlag);

impl Drop for Backup<'_> {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}

impl HistoryHandle {
    /// From now on a copy of the store is being made; `None`: another one is.
    pub(crate) fn begin_backup(&self) -> Option<Backup<'_>> {
        let free = self.backup.0.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        free.ok().map(|_| Backup(&self.backup))
    }

    /// Whether a copy of the store is being made: nothing is to be written meanwhile.
    #[must_use]
    pub fn backup_runs(&self) -> bool {
        self.backup.0.load(Ordering::Acquire)
    }
}
