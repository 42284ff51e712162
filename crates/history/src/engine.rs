//! Ordered tables of bytes: the one small interface after which the history is stored.
//!
//! An engine takes a batch as a whole or not at all, and hands out snapshots that never change.
//! From a snapshot one can have a value, the pairs of a range from the last one back ("the newest
//! version at or before") and the pairs of a range in order ("the versions between"). That is all,
//! so that another engine, a distributed one too, can take the place of the two that are here.
//! Knows nothing of what the bytes mean.

use std::fmt::Debug;
use std::sync::Arc;

mod disk;
mod memory;
mod temporary;

pub use disk::{DiskEngine, DiskOptions};
pub use memory::MemoryEngine;
pub use temporary::{TemporaryEngine, temporary_folder};

/// The tables of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Versions of rows (`store`).
    Versions,
    /// Rows that were read from the server's tables (`store`).
    Baseline,
    /// Entries by their first change (`commits`).
    CommitIndex,
    /// Commit times to positions (`commits`).
    MaxCommitTimestamps,
    /// Times at which everything up to a position could be seen (`commits`).
    Visible,
    /// Where the clock stepped back (`commits`).
    ClockRegressions,
    /// Transactions by their ids (`gtid`).
    Gtids,
    /// Rows by what their foreign keys hold (`references`).
    References,
    /// Keys by the changes of their rows (`changes`).
    Changes,
    /// What is kept of transactions beside their rows (`commits`).
    Commits,
    /// Definitions, names, generations, and where capturing goes on (`durable`).
    Meta,
    /// Who made transactions (`sessions`). Notes on disk name tables by their number: new ones come
    /// last.
    Sessions,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 12] = [
        Self::Versions,
        Self::Baseline,
        Self::CommitIndex,
        Self::MaxCommitTimestamps,
        Self::Visible,
        Self::ClockRegressions,
        Self::Gtids,
        Self::References,
        Self::Changes,
        Self::Commits,
        Self::Meta,
        Self::Sessions,
    ];

    /// Its name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::Baseline => "baseline",
            Self::CommitIndex => "moments",
            Self::MaxCommitTimestamps => "maxima",
            Self::Visible => "visible",
            Self::ClockRegressions => "steps",
            Self::Gtids => "gtids",
            Self::References => "references",
            Self::Changes => "changes",
            Self::Commits => "commits",
            Self::Meta => "meta",
            Self::Sessions => "sessions",
        }
    }
}

/// The store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history store failed: {0}")]
pub struct StoreError(pub String);

/// Whether the store could not be opened since another process has it.
pub(super) fn is_locked(error: &StoreError) -> bool {
    error.0 == disk::LOCKED
}

/// The first key after all that begin so; empty: there is none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    end
}

/// A key with its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Takes a key and its value, and says whether to go on.
pub type Each<'a> = dyn FnMut(&[u8], &[u8]) -> Result<bool, StoreError> + 'a;

/// Bytes that an empty batch keeps for the next one, of what a large transaction needed.
const KEPT: usize = 4 << 20;

/// What is to be written as one. Later operations on a key win over earlier ones.
#[derive(Debug, Default)]
pub struct Batch {
    /// Keys and values, one after the other: a batch has thousands, and each of them in a block of
    /// memory of its own would cost more than writing it.
    bytes: Vec<u8>,
    operations: Vec<Operation>,
}

/// A key in a batch, and where it ends; its value after it.
#[derive(Clone, Copy, Debug)]
struct Operation {
    table: Table,
    key: usize,
    value: usize,
    end: usize,
    removes: bool,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.write(table, |out| out.extend_from_slice(key), |out| out.extend_from_slice(value));
    }

    /// The same of a key and a value that are written where they are kept.
    pub fn write(&mut self, table: Table, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        let middle = self.bytes.len();
        value(&mut self.bytes);
        let end = self.bytes.len();
        self.operations.push(Operation { table, key: start, value: middle, end, removes: false });
    }

    /// Removes a key.
    pub fn remove(&mut self, table: Table, key: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let end = self.bytes.len();
        self.operations.push(Operation { table, key: start, value: end, end, removes: true });
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Everything of another batch after this one's.
    pub fn append(&mut self, other: &Self) {
        let by = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.operations.extend(other.operations.iter().map(|o| Operation {
            key: o.key + by,
            value: o.value + by,
            end: o.end + by,
            ..*o
        }));
    }

    /// Takes everything out; some of the memory stays, for what comes next.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.operations.clear();
        self.operations.shrink_to(KEPT / size_of::<Operation>());
    }

    /// Table, key and value of each operation, in order; no value: the key is removed.
    pub(super) fn operations(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.operations.iter().map(|o| {
            let value = (!o.removes).then(|| &self.bytes[o.value..o.end]);
            (o.table, &self.bytes[o.key..o.value], value)
        })
    }
}

/// A state of the tables that does not change. Ranges are `[from, to)`.
pub trait Snapshot: Send + Sync + Debug {
    /// The value of a key.
    ///
    /// # Errors
    /// The engine failed.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The pairs of a range from the last one back, until `each` has had enough (false).
    ///
    /// # Errors
    /// The engine failed, or `each` did.
    fn back(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError>;

    /// The pairs of a range in order, until `each` has had enough (false).
    ///
    /// # Errors
    /// The engine failed, or `each` did.
    fn forward(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError>;

    /// The last pair of a range.
    ///
    /// # Errors
    /// The engine failed.
    fn last(&self, table: Table, from: &[u8], to: &[u8]) -> Result<Option<Pair>, StoreError> {
        let mut last = None;
        self.back(table, from, to, &mut |key, value| {
            last = Some((key.to_vec(), value.to_vec()));
            Ok(false)
        })?;
        Ok(last)
    }

    /// Up to `limit` pairs of a range, in order.
    ///
    /// # Errors
    /// The engine failed.
    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError>;
}

/// Where the history is kept. One writes; snapshots are read by many.
pub trait Engine: Send + Debug {
    /// Keeps all of a batch or nothing, also when the process is killed in between.
    ///
    /// # Errors
    /// The engine failed; nothing was kept.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Keeps a part of something that is larger than what memory there is for it. Where the process
    /// is killed in between, operations on [`Table::Versions`] may be missing of it; where they are
    /// not, all others are kept as well, after a loss of power too.
    ///
    /// # Errors
    /// The engine failed; of versions nothing was kept.
    fn load(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.commit(batch)
    }

    /// The tables as they are now.
    fn snapshot(&self) -> Arc<dyn Snapshot>;

    /// What was committed is on the disk when this returns: a loss of power does not take it back.
    ///
    /// # Errors
    /// The engine failed.
    fn sync(&self) -> Result<(), StoreError>;

    /// Bytes taken on disk; in memory, zero.
    fn bytes(&self) -> u64;
}
