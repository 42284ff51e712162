//! Blocks of objects that were read, in memory, up to a size; the longest unused goes first.

use async_trait::async_trait;
use lru::LruCache;
use slatedb::Error;
use slatedb::db_cache::{CachedEntry, CachedKey, DbCache};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that an entry takes beside its block.
const OVERHEAD: usize = 160;

/// See the head of this file.
pub(super) struct BlockCache {
    entries: Mutex<Entries>,
    capacity: usize,
}

struct Entries {
    blocks: LruCache<CachedKey, CachedEntry>,
    bytes: usize,
}

fn weight(entry: &CachedEntry) -> usize {
    entry.size().saturating_add(OVERHEAD)
}

impl BlockCache {
    /// An empty one for so many bytes.
    pub(super) fn of(capacity: u64) -> Self {
        let entries = Mutex::new(Entries { blocks: LruCache::unbounded(), bytes: 0 });
        Self { entries, capacity: usize::try_from(capacity).unwrap_or(usize::MAX) }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &CachedKey) -> Option<CachedEntry> {
        self.entries().blocks.get(key).cloned()
    }
}

#[async_trait]
impl DbCache for BlockCache {
    async fn get_block(&self, key: &CachedKey) -> Result<Option<CachedEntry>, Error> {
        Ok(self.find(key))
    }

    async fn get_index(&self, key: &CachedKey) -> Result<Option<CachedEntry>, Error> {
        Ok(self.find(key))
    }

    async fn get_filter(&self, key: &CachedKey) -> Result<Option<CachedEntry>, Error> {
        Ok(self.find(key))
    }

    async fn get_stats(&self, key: &CachedKey) -> Result<Option<CachedEntry>, Error> {
        Ok(self.find(key))
    }

    async fn insert(&self, key: CachedKey, value: CachedEntry) {
        let mut entries = self.entries();
        entries.bytes += weight(&value);
        if let Some((_, before)) = entries.blocks.push(key, value) {
            entries.bytes = entries.bytes.saturating_sub(weight(&before));
        }
        while entries.bytes > self.capacity {
            let Some((_, oldest)) = entries.blocks.pop_lru() else { break };
            entries.bytes = entries.bytes.saturating_sub(weight(&oldest));
        }
    }

    async fn remove(&self, key: &CachedKey) {
        let mut entries = self.entries();
        if let Some(entry) = entries.blocks.pop(key) {
            entries.bytes = entries.bytes.saturating_sub(weight(&entry));
        }
    }

    fn entry_count(&self) -> u64 {
        self.entries().blocks.len() as u64
    }
}
