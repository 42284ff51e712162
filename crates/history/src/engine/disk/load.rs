//! Versions that go to a file of their own, and not by way of memory.
//!
//! What goes by way of memory stays there as long as there is a snapshot from before it: what a
//! large transaction writes, until it is whole.

use super::{Batch, DiskEngine, Engine, NEW_FILES, StoreError, Table, failed, index_of, sorted};
use std::time::{Duration, Instant};

/// Bytes from which on a file is worth its while.
const LOADED: usize = 1 << 20;
/// New files of a table beyond which one that loads more of them waits for the merging, how long at
/// most, and between two looks.
const MOST_NEW_FILES: usize = 4 * NEW_FILES as usize;
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

impl DiskEngine {
    /// See [`Engine::load`].
    pub(super) fn load_versions(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.size() < LOADED {
            return self.write(batch);
        }
        let operations = sorted(batch);
        let versions = operations.partition_point(|(table, ..)| *table < Table::Versions)
            ..operations.partition_point(|(table, ..)| *table <= Table::Versions);
        let others = [&operations[..versions.start], &operations[versions.end..]].concat();
        self.write_sorted(&others)?;
        self.sync()?;
        let keyspace = &self.keyspaces[index_of(Table::Versions)];
        let mut file = keyspace.start_ingestion().map_err(failed)?;
        let mut versions = operations[versions].iter().peekable();
        while let Some((_, key, value)) = versions.next() {
            // Of operations on one key the last one counts.
            if versions.peek().is_some_and(|(_, next, _)| next == key) {
                continue;
            }
            let written = match value {
                Some(value) => file.write(*key, *value),
                None => file.write_tombstone(*key),
            };
            written.map_err(failed)?;
        }
        file.finish().map_err(failed)?;
        let begun = Instant::now();
        while keyspace.l0_table_count() > MOST_NEW_FILES && begun.elapsed() < PATIENCE {
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }
}
