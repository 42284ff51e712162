//! How long the log of writes becomes: what was committed within a moment is an object of its own,
//! until an object of the tree is made of many of them.
//!
//! Whoever opens the store, to write or to read, reads each of those objects. The library makes one
//! of the tree at 4096 of them at the earliest, or where they are large.

use super::{FLUSH, Shared};
use slatedb::config::{FlushOptions, FlushType};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Objects of the log that whoever opens the store reads, about.
pub(super) const LOG: u64 = 50;

/// What was written since the last object of the tree was made for this reason.
pub(super) struct Log {
    writes: AtomicU64,
    since: Mutex<Instant>,
    is_shortened: AtomicBool,
}

impl Default for Log {
    fn default() -> Self {
        let (writes, is_shortened) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { writes, since: Mutex::new(Instant::now()), is_shortened }
    }
}

impl Log {
    /// Something was written.
    pub(super) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// How many objects that is at most: one at each flush.
    fn objects(&self) -> u64 {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let flushes = since.elapsed().as_millis() / FLUSH.as_millis();
        self.writes.load(Ordering::Relaxed).min(u64::try_from(flushes).unwrap_or(u64::MAX))
    }
}

/// Makes an object of the tree where the log is long, beside all else. Where that fails, the next
/// call does it.
pub(super) fn shorten(shared: &Arc<Shared>) {
    if shared.log.objects() < LOG || shared.log.is_shortened.swap(true, Ordering::AcqRel) {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let (writes, begun) = (shared.log.writes.load(Ordering::Relaxed), Instant::now());
        let options = FlushOptions { flush_type: FlushType::MemTable };
        if shared.db.flush_with_options(options).await.is_ok() {
            shared.log.writes.fetch_sub(writes, Ordering::Relaxed);
            *shared.log.since.lock().unwrap_or_else(PoisonError::into_inner) = begun;
        }
        shared.log.is_shortened.store(false, Ordering::Release);
    });
}
