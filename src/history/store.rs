//! The versions of rows, by table incarnation, key and place in the log.
//!
//! One narrow interface, so that an engine on disk can take the place of the one in memory. The store knows bytes and
//! sequence numbers: no definitions, no times.

use super::image::Image;
use super::schema::DefinitionId;
use crate::agent_api::EventType;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The number of a change in the order of the log, from 1: the order of commits, and inside a transaction that of its changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub u64);

impl Sequence {
    /// Behind every change.
    pub const END: Self = Self(u64::MAX);

    /// The change behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One incarnation of a table under one definition of its key. TRUNCATE, CREATE and a change of the key begin another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceId(pub u32);

/// What an event means to one key: a change of the key itself is stored under both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The key stayed.
    Same,
    /// The row went to another key.
    Left,
    /// The row came from another key.
    Arrived,
}

/// One change of one row, seen from one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Which change.
    pub sequence: Sequence,
    /// Under which definition its images stand.
    pub definition: DefinitionId,
    /// What the statement did.
    pub kind: EventType,
    /// Whether this key kept the row.
    pub side: Side,
    /// Row before (UPDATE, DELETE).
    pub before: Option<Image>,
    /// Row after (INSERT, UPDATE).
    pub after: Option<Image>,
}

impl Version {
    /// The row under this key after the change.
    #[must_use]
    pub fn row_after(&self) -> Option<&Image> {
        if self.side == Side::Left { None } else { self.after.as_ref() }
    }

    /// The row under this key before the change.
    #[must_use]
    pub fn row_before(&self) -> Option<&Image> {
        if self.side == Side::Arrived { None } else { self.before.as_ref() }
    }
}

/// The store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history store failed: {0}")]
pub struct StoreError(pub String);

/// A key as the bytes that `key` makes of it.
pub type EncodedKey = Box<[u8]>;

/// A version and its place.
pub type Placed = (SpaceId, EncodedKey, Version);

/// What the history asks of an engine. Keys are encoded (`key`); versions of a key come in rising order.
pub trait HistoryStore: Send + Sync + std::fmt::Debug {
    /// Keeps all of these or none.
    ///
    /// # Errors
    /// The engine failed; nothing was kept.
    fn apply(&mut self, batch: Vec<Placed>) -> Result<(), StoreError>;

    /// The newest version of the key before `cut`.
    ///
    /// # Errors
    /// The engine failed.
    fn newest_before(&self, space: SpaceId, key: &[u8], cut: Sequence)
    -> Result<Option<Version>, StoreError>;

    /// Up to `limit` versions of the key in `[from, to)`, oldest first.
    ///
    /// # Errors
    /// The engine failed.
    fn between(
        &self,
        space: SpaceId,
        key: &[u8],
        window: (Sequence, Sequence),
        limit: usize,
    ) -> Result<Vec<Version>, StoreError>;

    /// Up to `limit` keys in `[from, to]`, in order.
    ///
    /// # Errors
    /// The engine failed.
    fn keys(
        &self,
        space: SpaceId,
        from: &[u8],
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Box<[u8]>>, StoreError>;
}

/// The first version of the key at or behind `from`.
///
/// # Errors
/// The engine failed.
pub fn first_from(
    store: &dyn HistoryStore,
    space: SpaceId,
    key: &[u8],
    from: Sequence,
) -> Result<Option<Version>, StoreError> {
    Ok(store.between(space, key, (from, Sequence::END), 1)?.pop())
}

/// The history in memory: for log files that are read at start-up.
#[derive(Debug, Default)]
pub struct MemoryStore {
    spaces: Vec<BTreeMap<Box<[u8]>, Vec<Version>>>,
}

impl MemoryStore {
    fn versions(&self, space: SpaceId, key: &[u8]) -> &[Version] {
        self.spaces.get(space.0 as usize).and_then(|s| s.get(key)).map_or(&[], Vec::as_slice)
    }
}

impl HistoryStore for MemoryStore {
    fn apply(&mut self, batch: Vec<Placed>) -> Result<(), StoreError> {
        for (space, key, version) in batch {
            let index = space.0 as usize;
            if self.spaces.len() <= index {
                self.spaces.resize_with(index + 1, BTreeMap::new);
            }
            self.spaces[index].entry(key).or_default().push(version);
        }
        Ok(())
    }

    fn newest_before(
        &self,
        space: SpaceId,
        key: &[u8],
        cut: Sequence,
    ) -> Result<Option<Version>, StoreError> {
        let versions = self.versions(space, key);
        let end = versions.partition_point(|v| v.sequence < cut);
        Ok(versions[..end].last().cloned())
    }

    fn between(
        &self,
        space: SpaceId,
        key: &[u8],
        (from, to): (Sequence, Sequence),
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        let versions = self.versions(space, key);
        let start = versions.partition_point(|v| v.sequence < from);
        Ok(versions[start..].iter().take_while(|v| v.sequence < to).take(limit).cloned().collect())
    }

    fn keys(
        &self,
        space: SpaceId,
        from: &[u8],
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Box<[u8]>>, StoreError> {
        let Some(keys) = self.spaces.get(space.0 as usize) else { return Ok(Vec::new()) };
        // BTreeMap::range panics on reversed bounds.
        let reversed = match to {
            Bound::Included(to) => from > to,
            Bound::Excluded(to) => from >= to,
            Bound::Unbounded => false,
        };
        if reversed {
            return Ok(Vec::new());
        }
        Ok(keys.range::<[u8], _>((Bound::Included(from), to)).take(limit).map(|(k, _)| k.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(sequence: u64) -> Version {
        Version {
            sequence: Sequence(sequence),
            definition: DefinitionId(0),
            kind: EventType::Update,
            side: Side::Same,
            before: None,
            after: Some(Image::pack(&[Some(sequence.to_string().into_bytes())])),
        }
    }

    #[test]
    fn versions_are_found_by_their_place() {
        let mut store = MemoryStore::default();
        let space = SpaceId(2);
        let batch = [2_u64, 5, 9].map(|n| (space, Box::from(&b"k"[..]), version(n))).to_vec();
        store.apply(batch).unwrap();
        store.apply(vec![(space, Box::from(&b"m"[..]), version(7))]).unwrap();
        let newest = |cut| store.newest_before(space, b"k", Sequence(cut)).unwrap().map(|v| v.sequence.0);
        assert_eq!(
            [newest(2), newest(3), newest(5), newest(6), newest(99)],
            [None, Some(2), Some(2), Some(5), Some(9)]
        );
        let first = |from| first_from(&store, space, b"k", Sequence(from)).unwrap().map(|v| v.sequence.0);
        assert_eq!([first(0), first(2), first(3), first(10)], [Some(2), Some(2), Some(5), None]);
        let window: Vec<u64> = store
            .between(space, b"k", (Sequence(2), Sequence(9)), 9)
            .unwrap()
            .iter()
            .map(|v| v.sequence.0)
            .collect();
        assert_eq!(window, [2, 5]);
        assert_eq!(store.keys(space, b"a", Bound::Included(b"m"), 9).unwrap().len(), 2);
        assert_eq!(store.keys(space, b"m", Bound::Included(b"a"), 9).unwrap().len(), 0);
        assert!(store.keys(SpaceId(9), b"a", Bound::Unbounded, 9).unwrap().is_empty());
        assert!(store.newest_before(SpaceId(0), b"k", Sequence::END).unwrap().is_none());
    }

    #[test]
    fn a_key_change_is_seen_from_both_sides() {
        let mut v = version(1);
        v.before = v.after.clone();
        v.side = Side::Left;
        assert!(v.row_after().is_none() && v.row_before().is_some());
        v.side = Side::Arrived;
        assert!(v.row_after().is_some() && v.row_before().is_none());
    }
}
