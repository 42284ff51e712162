//! Tables on disk, in fjall: a log-structured merge tree for each table, one journal for all of
//! them.
//!
//! A batch goes to the journal as one record and is handed to the operating system before `commit`
//! returns, so a killed process loses nothing of it; what a loss of power can take back is bounded
//! by how often `sync` is called, and is a whole number of batches.

use super::{Batch, Each, Engine, Pair, Snapshot, StoreError, StoreFault, Table};
use dbtrail_types::thread_name::STORE_OPENING;
use fjall::compaction::Leveled;
use fjall::config::{
    BlockSizePolicy, CompressionPolicy, FilterPolicy, HashRatioPolicy, RestartIntervalPolicy,
};
use fjall::{
    CompressionType, Database, Guard, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable,
};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How much memory and disk the store may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskOptions {
    /// Blocks kept unpacked, in bytes.
    pub cache: u64,
    /// What one of the large tables has in memory before it goes to a file, in bytes; up to four of
    /// these may wait.
    pub write_buffer: u64,
    /// Threads that flush and compact; the first of several only flushes.
    pub workers: usize,
    /// Bytes of the disk that stay free: capturing waits where there are fewer.
    pub reserve: u64,
    /// Bytes of the log that transactions may take in memory before they are committed. What is
    /// more goes to a temporary file.
    pub transactions: usize,
    /// Bytes of the local disk for what was read of a bucket; 0: none.
    pub disk_cache: u64,
    /// For how long the writer of a bucket must not have given a sign of life, before it is taken
    /// to be gone.
    pub silence: Duration,
    /// Whoever opens it has just seen that it was silent for so long, or that nobody writes.
    pub is_free: bool,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self {
            cache: 48 << 20,
            write_buffer: 16 << 20,
            workers: 3,
            reserve: 256 << 20,
            transactions: 16 << 20,
            disk_cache: 0,
            silence: Duration::from_secs(7),
            is_free: false,
        }
    }
}

/// The journal is read whole at every start: this is the least that the library allows.
const JOURNAL: u64 = 64 << 20;

/// New files of a table before they are merged into the sorted ones: merging is most of what
/// writing costs.
const NEW_FILES: u8 = 5;

/// Tables on disk.
pub struct DiskEngine {
    database: Database,
    keyspaces: Arc<[Keyspace]>,
    folder: PathBuf,
}

impl fmt::Debug for DiskEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiskEngine")
    }
}

/// See [`DiskEngine`].
struct Pinned {
    snapshot: fjall::Snapshot,
    keyspaces: Arc<[Keyspace]>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failed(error: fjall::Error) -> StoreError {
    // The library's own text is that of a programmer; these two befall administrators.
    if matches!(error, fjall::Error::Locked) {
        return StoreFault::Locked.into();
    }
    if matches!(&error, fjall::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull) {
        return StoreFault::DiskFull.into();
    }
    StoreFault::Disk(error.to_string()).into()
}

/// Opens the tables in a thread of its own: fjall 3 panics over a journal that it cannot read.
fn opened(folder: &Path, options: DiskOptions) -> Result<Database, StoreError> {
    let builder = Database::builder(folder)
        .cache_size(options.cache)
        .max_journaling_size(JOURNAL)
        .worker_threads(options.workers);
    let opening = std::thread::Builder::new().name(STORE_OPENING.to_owned()).spawn(move || builder.open());
    let opening = opening.map_err(|error| StoreFault::NoThread(error.to_string()))?;
    match opening.join() {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(error @ (fjall::Error::Locked | fjall::Error::Io(_)))) => Err(failed(error)),
        Ok(Err(fjall::Error::Storage(fjall::LsmError::Io(error)))) => Err(failed(fjall::Error::Io(error))),
        Ok(Err(error)) => Err(damaged(folder, &error.to_string())),
        Err(_) => Err(damaged(folder, "its journal cannot be read")),
    }
}

fn damaged(folder: &Path, how: &str) -> StoreError {
    StoreFault::DamagedFiles { folder: folder.to_owned(), how: how.to_owned() }.into()
}

impl DiskEngine {
    /// Opens the tables in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// Another process has them open, or the disk fails.
    pub fn open(folder: &Path, options: DiskOptions) -> Result<Self, StoreError> {
        let database = opened(folder, options)?;
        let keyspaces: Result<Vec<Keyspace>, StoreError> = Table::ALL
            .iter()
            .map(|table| {
                database.keyspace(table.name(), || layout(*table, options.write_buffer)).map_err(failed)
            })
            .collect();
        Ok(Self { database, keyspaces: keyspaces?.into(), folder: folder.to_owned() })
    }

    /// See [`Engine::commit`].
    pub(super) fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        self.write_sorted(&sorted(batch))
    }

    fn write_sorted(&self, operations: &[Operation<'_>]) -> Result<(), StoreError> {
        let write = OwnedWriteBatch::with_capacity(self.database.clone(), operations.len());
        let mut write = write.durability(Some(PersistMode::Buffer));
        for &(table, key, value) in operations {
            let keyspace = &self.keyspaces[index_of(table)];
            match value {
                Some(value) => write.insert(keyspace, key, value),
                None => write.remove(keyspace, key),
            }
        }
        write.commit().map_err(failed)
    }
}

type Operation<'a> = (Table, &'a [u8], Option<&'a [u8]>);

/// A key's position in memory is found faster beside the one before it. Of operations on one key
/// the last stays last.
fn sorted(batch: &Batch) -> Vec<Operation<'_>> {
    let mut operations: Vec<_> = batch.operations().collect();
    operations.sort_by(|(a, first, _), (b, second, _)| (a, first).cmp(&(b, second)));
    operations
}

/// How a table lies in its files. Only ranges are asked for, so filters would be memory for
/// nothing. What is new is read and merged most, and only what is older is packed.
fn layout(table: Table, write_buffer: u64) -> KeyspaceCreateOptions {
    let memtable = match table {
        Table::Versions | Table::Baseline | Table::CommitIndex | Table::Gtids => write_buffer,
        Table::MaxCommitTimestamps
        | Table::Visible
        | Table::ClockRegressions
        | Table::References
        | Table::Changes
        | Table::Commits
        | Table::Meta
        | Table::Sessions => write_buffer / 4,
    };
    KeyspaceCreateOptions::default()
        .compaction_strategy(Arc::new(Leveled::default().with_l0_threshold(NEW_FILES)))
        .max_memtable_size(memtable)
        .data_block_size_policy(BlockSizePolicy::all(4 * 1024))
        .data_block_compression_policy(CompressionPolicy::new([
            CompressionType::None,
            CompressionType::None,
            CompressionType::Lz4,
        ]))
        .data_block_restart_interval_policy(RestartIntervalPolicy::all(4))
        .data_block_hash_ratio_policy(HashRatioPolicy::all(0.0))
        .filter_policy(FilterPolicy::disabled())
}

const fn index_of(table: Table) -> usize {
    table as usize
}

impl Engine for DiskEngine {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.write(batch)
    }

    fn load(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.load_versions(batch)
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Pinned { snapshot: self.database.snapshot(), keyspaces: Arc::clone(&self.keyspaces) })
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.database.persist(PersistMode::SyncData).map_err(failed)
    }

    fn bytes(&self) -> u64 {
        crate::disk_space::taken(&self.folder)
    }
}

fn pair(guard: Guard) -> Result<Pair, StoreError> {
    let (key, value) = guard.into_inner().map_err(failed)?;
    Ok((key.to_vec(), value.to_vec()))
}

impl Snapshot for Pinned {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.snapshot.get(&self.keyspaces[index_of(table)], key).map_err(failed)?;
        Ok(value.map(|v| v.to_vec()))
    }

    fn back(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        for guard in self.snapshot.range(&self.keyspaces[index_of(table)], from..to).rev() {
            let (key, value) = guard.into_inner().map_err(failed)?;
            if !each(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    fn forward(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        for guard in self.snapshot.range(&self.keyspaces[index_of(table)], from..to) {
            let (key, value) = guard.into_inner().map_err(failed)?;
            if !each(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        self.snapshot.range(&self.keyspaces[index_of(table)], from..to).take(limit).map(pair).collect()
    }
}

mod load;
#[cfg(test)]
mod tests;
