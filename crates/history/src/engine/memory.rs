//! Tables in memory: for log files that are read at start-up.

use super::{Batch, Each, Engine, Pair, Snapshot, StoreError, Table};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Tables in memory. A snapshot shares them; a commit while one is held copies the tables that it
/// touches.
#[derive(Clone, Debug, Default)]
pub struct MemoryEngine {
    tables: HashMap<Table, Arc<Map>>,
}

/// See [`MemoryEngine`].
#[derive(Debug)]
struct Frozen(HashMap<Table, Arc<Map>>);

impl Engine for MemoryEngine {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for (table, key, value) in batch.operations() {
            let map = Arc::make_mut(self.tables.entry(table).or_default());
            match value {
                Some(value) => map.insert(key.to_vec(), value.to_vec()),
                None => map.remove(key),
            };
        }
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Frozen(self.tables.clone()))
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn bytes(&self) -> u64 {
        0
    }
}

impl Frozen {
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Option<std::collections::btree_map::Range<'_, Vec<u8>, Vec<u8>>> {
        // BTreeMap::range panics on reversed bounds.
        let map = self.0.get(&table).filter(|_| from < to)?;
        Some(map.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to))))
    }
}

fn owned((key, value): (&Vec<u8>, &Vec<u8>)) -> Pair {
    (key.clone(), value.clone())
}

impl Snapshot for Frozen {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&table).and_then(|m| m.get(key)).cloned())
    }

    fn back(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        for (key, value) in self.range(table, from, to).into_iter().flatten().rev() {
            if !each(key, value)? {
                break;
            }
        }
        Ok(())
    }

    fn forward(&self, table: Table, from: &[u8], to: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        for (key, value) in self.range(table, from, to).into_iter().flatten() {
            if !each(key, value)? {
                break;
            }
        }
        Ok(())
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        Ok(self.range(table, from, to).into_iter().flatten().take(limit).map(owned).collect())
    }
}
