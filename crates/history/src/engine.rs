//! Ordered tables of bytes: the one small interface after which the history is stored.
//!
//! An engine takes a batch as a whole or not at all, and hands out snapshots that never change.
//! From a snapshot one can have a value, the pairs of a range from the last one back ("the newest
//! version at or before") and the pairs of a range in order ("the versions between"). That is all,
//! so that the history can be in memory, on a disk or in an object store.
//! Knows nothing of what the bytes mean.

use std::fmt::Debug;
use std::sync::Arc;

mod batch;
mod bucket;
mod disk;
mod location;
mod memory;
#[cfg(feature = "object-store")]
mod object;
pub(crate) mod patience;
mod store_error;
mod temporary;
#[cfg(test)]
pub(crate) mod testing;

pub use batch::Batch;
pub(super) use bucket::{ObjectReader, Watched, fill_bucket, keep_bucket, open_bucket, read_bucket};
pub use disk::{DiskEngine, DiskOptions};
pub use location::{Bucket, LOCATION_FORM, Location, LocationError, StoreKind};
pub use memory::MemoryEngine;
#[cfg(not(test))]
pub(crate) use memory::MemoryEngine as InMemory;
#[cfg(feature = "object-store")]
pub use object::ObjectEngine;
pub use store_error::{StoreError, StoreFault};
pub use temporary::{TemporaryEngine, temporary_folder};
#[cfg(test)]
pub(crate) use testing::TestEngine as InMemory;

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

/// A look-up that is about to come: of the first pair of a range, or of the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Of which table.
    pub table: Table,
    /// Where the range begins.
    pub from: Vec<u8>,
    /// Where it ends.
    pub to: Vec<u8>,
    /// Of its last pair.
    pub last: bool,
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

    /// Whether reading may wait for another machine: then not in a thread that has others to serve.
    fn may_wait(&self) -> bool {
        false
    }

    /// Fetches what look-ups are about to need, side by side, where each of them would wait for
    /// another machine. What cannot be fetched fails when it is looked up.
    fn prefetch(&self, _: &[Lookup]) {}
}

/// Learns whether what was committed is on disk.
pub type WhenDurable = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

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

    /// Tells when all that was committed is kept, whatever becomes of this process: nothing of it
    /// is published before. In the order of the calls, and at once where `commit` has seen to it.
    fn when_durable(&self, then: WhenDurable) {
        then(Ok(()));
    }

    /// Whether the store can still be written, as far as is known without asking it.
    ///
    /// # Errors
    /// It cannot.
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Bytes taken on disk; in memory, zero.
    fn bytes(&self) -> u64;
}
