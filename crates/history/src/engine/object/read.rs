//! Reading of a state of the store that does not move.

use super::Access;
use crate::engine::patience::{self, patiently};
use crate::engine::{Each, Lookup, Pair, Snapshot, StoreError, StoreFault, Table};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use slatedb::config::{ReadOptions, ScanOptions};
use slatedb::{DbReadOps, IterationOrder};
use std::fmt;
use std::sync::Arc;

/// Bytes that one request fetches at the least while a range is read in order.
const AHEAD: usize = 64 << 10;
/// Look-ups that are fetched for at the same time.
const SIDE_BY_SIDE: usize = 32;

/// A key in the one key space: the number of the table in front.
pub(super) fn key_of(table: Table, key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(1 + key.len());
    stored.push(table as u8);
    stored.extend_from_slice(key);
    stored
}

/// A state that nothing changes, of whatever keeps it so.
pub(super) struct Pinned<R> {
    pub(super) state: Arc<R>,
    pub(super) access: Arc<Access>,
    /// What must not go before it.
    pub(super) _keeps: Option<Arc<dyn Send + Sync>>,
}

impl<R> fmt::Debug for Pinned<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

fn options(order: IterationOrder) -> ScanOptions {
    // A scan fills the cache only when it is asked to, and then the next look-up costs nothing.
    let options = ScanOptions::default().with_cache_blocks(true).with_order(order);
    match order {
        IterationOrder::Ascending => options.with_read_ahead_bytes(AHEAD),
        IterationOrder::Descending => options,
    }
}

impl<R: DbReadOps + Send + Sync> Pinned<R> {
    /// What is read, if it comes in time.
    async fn read<T>(&self, read: impl Future<Output = Result<T, slatedb::Error>>) -> Result<T, StoreError> {
        let found = patiently(async {
            match read.await {
                Ok(found) => Ok(found),
                Err(error) => Err(self.access.failed(&error).await),
            }
        });
        let late = || Err(StoreFault::NoAnswer(patience::READ.as_secs()).into());
        found.await.unwrap_or_else(late)
    }

    /// Looks up for the cache alone.
    async fn fetch(&self, lookup: &Lookup) -> Result<(), slatedb::Error> {
        let Lookup { table, from, to, last } = lookup;
        if from >= to {
            return Ok(());
        }
        let order = if *last { IterationOrder::Descending } else { IterationOrder::Ascending };
        let range = key_of(*table, from)..key_of(*table, to);
        self.state.scan_with_options(range, &options(order)).await?.next().await.map(drop)
    }

    fn range(
        &self,
        table: Table,
        (from, to): (&[u8], &[u8]),
        order: IterationOrder,
        each: &mut Each<'_>,
    ) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let options = options(order);
        self.access.runtime.wait(async {
            let range = key_of(table, from)..key_of(table, to);
            let mut pairs = self.read(self.state.scan_with_options(range, &options)).await?;
            while let Some(pair) = self.read(pairs.next()).await? {
                let key: &Bytes = &pair.key;
                if !each(key.get(1..).unwrap_or_default(), &pair.value)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

impl<R: DbReadOps + Send + Sync> Snapshot for Pinned<R> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let (key, options) = (key_of(table, key), ReadOptions::default());
        let found = self.access.runtime.wait(self.read(self.state.get_with_options(key, &options)))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn back(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.range(table, (from, to), IterationOrder::Descending, each)
    }

    fn forward(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.range(table, (from, to), IterationOrder::Ascending, each)
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        self.forward(table, from, to, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            Ok(found.len() < limit)
        })?;
        Ok(found)
    }

    fn may_wait(&self) -> bool {
        true
    }

    fn prefetch(&self, lookups: &[Lookup]) {
        // Of most objects the first one fetches the index, which all others need too.
        let Some((first, others)) = lookups.split_first() else { return };
        // Where one fails, the look-up itself says so, and no other is waited for.
        let _ = self.access.runtime.wait(async {
            Box::pin(self.read(self.fetch(first))).await?;
            let others = stream::iter(others).map(Ok);
            let fetch = |lookup| self.read(self.fetch(lookup));
            others.try_for_each_concurrent(SIDE_BY_SIDE, fetch).await
        });
    }
}

/// What is there instead of a state that could not be had.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) StoreError);

impl Snapshot for Unreadable {
    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Err(self.0.clone())
    }

    fn back(&self, _: Table, _: &[u8], _: &[u8], _: &mut Each<'_>) -> Result<(), StoreError> {
        Err(self.0.clone())
    }

    fn forward(&self, _: Table, _: &[u8], _: &[u8], _: &mut Each<'_>) -> Result<(), StoreError> {
        Err(self.0.clone())
    }

    fn scan(&self, _: Table, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Pair>, StoreError> {
        Err(self.0.clone())
    }
}
