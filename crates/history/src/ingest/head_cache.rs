//! What keys held last, as far as it is remembered: most changes are of rows that changed lately,
//! or of new ones, and looking each up in the store would take longer than all else.
//!
//! Keys and rows are here as fingerprints of 128 bits under a seed of this process, so that the
//! memory is small and of a fixed size. Two different rows with one fingerprint are less likely
//! than a fault of the memory.

use super::absent_ranges::AbsentRanges;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, CurrentRow, GenerationId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroU128;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Keys that are remembered. A power of two.
const SLOTS: usize = 1 << 19;
/// Slots that one key may be in.
const WAYS: usize = 2;

/// A fingerprint. Never zero, so that having none takes no room.
pub(super) type Fingerprint = NonZeroU128;

/// What a key held last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CachedHead {
    pub(super) sequence: ChangeSequence,
    pub(super) definition: DefinitionId,
    /// How many versions back its row is kept as a whole.
    pub(super) depth: u8,
    /// The row's fingerprint; `None`: there was no row.
    pub(super) row: Option<Fingerprint>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: Fingerprint,
    head: CachedHead,
}

/// Fingerprints are as good as hashes.
#[derive(Debug, Default)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct HeadCache {
    seed: u64,
    slots: Vec<Option<Slot>>,
    /// Keys of the batch that is not committed: these must not be forgotten.
    batch: HashMap<Fingerprint, CachedHead, BuildHasherDefault<Same>>,
    /// Where there are no keys.
    pub(super) absent_ranges: AbsentRanges,
}

impl Default for HeadCache {
    fn default() -> Self {
        let mut seed = [0; 8];
        // Without random bytes the seed is known; fingerprints are fingerprints all the same.
        let _ = aws_lc_rs::rand::fill(&mut seed);
        Self {
            seed: u64::from_le_bytes(seed),
            slots: Vec::new(),
            batch: HashMap::default(),
            absent_ranges: AbsentRanges::default(),
        }
    }
}

fn fingerprint(bytes: &[u8], seed: u64) -> Fingerprint {
    Fingerprint::new(xxh3_128_with_seed(bytes, seed)).unwrap_or(Fingerprint::MIN)
}

impl HeadCache {
    pub(super) fn key(&self, generation: GenerationId, key: &[u8]) -> Fingerprint {
        fingerprint(key, self.seed ^ u64::from(generation.0).rotate_left(32))
    }

    /// Of a packed row.
    pub(super) fn row(&self, image: &[u8]) -> Fingerprint {
        fingerprint(image, self.seed)
    }

    /// `row`: of its row, as rows are compared.
    pub(super) fn head(held: &CurrentRow, row: Option<Fingerprint>) -> CachedHead {
        CachedHead { sequence: held.sequence, definition: held.definition, depth: held.depth, row }
    }

    fn slots(key: Fingerprint) -> [usize; WAYS] {
        let [.., a, b, c, d, e] = key.get().to_be_bytes();
        let low = usize::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        [low & (SLOTS - 1), (low >> 20) & (SLOTS - 1)]
    }

    #[cfg(test)]
    pub(super) fn forget(&mut self, restarts: bool) {
        self.slots.fill(None);
        if restarts {
            self.absent_ranges = AbsentRanges::default();
        }
    }

    /// What the key held last, if that is remembered.
    pub(super) fn find(&self, key: Fingerprint) -> Option<CachedHead> {
        if let Some(head) = self.batch.get(&key) {
            return Some(*head);
        }
        let slot = |position: usize| self.slots.get(position).copied().flatten().filter(|s| s.key == key);
        Self::slots(key).into_iter().find_map(slot).map(|s| s.head)
    }

    /// The key holds this now.
    pub(super) fn remember(&mut self, key: Fingerprint, head: CachedHead) {
        self.batch.insert(key, head);
    }

    /// The batch is committed.
    pub(super) fn settle(&mut self) {
        if self.slots.is_empty() && !self.batch.is_empty() {
            self.slots.resize(SLOTS, None);
        }
        self.absent_ranges.settle();
        for (key, head) in self.batch.drain() {
            let [first, second] = Self::slots(key);
            let keeps = |slot: &Option<Slot>| slot.is_none_or(|s| s.key == key);
            let position = match (keeps(&self.slots[first]), keeps(&self.slots[second])) {
                (_, true) if self.slots[second].is_some() => second,
                (true, _) => first,
                (false, true) => second,
                // The one that changed last stays.
                (false, false) => {
                    let age = |p: usize| self.slots[p].map(|s| s.head.sequence);
                    if age(first) <= age(second) { first } else { second }
                }
            };
            self.slots[position] = Some(Slot { key, head });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Batch;
    use crate::ingest::Ingest;

    impl Ingest {
        /// Commits, and forgets what keys held last, as it does for lack of room; with `restarts`,
        /// also where there are no keys.
        pub(crate) fn forget(&mut self, restarts: bool) {
            self.commit(&Batch::default()).expect("the engine in memory does not fail");
            self.recent.forget(restarts);
        }
    }

    fn head(n: u64) -> CachedHead {
        CachedHead {
            sequence: ChangeSequence(n),
            definition: DefinitionId(0),
            depth: 0,
            row: Fingerprint::new(u128::from(n)),
        }
    }

    #[test]
    fn a_slot_is_small() {
        assert_eq!(size_of::<Option<Slot>>(), 48);
    }

    #[test]
    fn the_last_word_on_a_key_is_remembered_or_nothing() {
        let mut recent = HeadCache::default();
        let key = |n: u32| recent_key(n);
        for n in 0..10_000 {
            recent.remember(key(n), head(1));
            recent.remember(key(n), head(2));
        }
        assert_eq!(recent.find(key(7)), Some(head(2)));
        recent.settle();
        for n in 0..10_000 {
            recent.remember(key(n), head(3));
        }
        recent.settle();
        let found = (0..10_000).filter_map(|n| recent.find(key(n)));
        assert!(found.clone().all(|t| t == head(3)), "never an older one");
        assert!(found.count() > 9_000);
        assert_eq!(recent.find(key(10_001)), None);
    }

    fn recent_key(n: u32) -> Fingerprint {
        fingerprint(&n.to_be_bytes(), 5)
    }

    #[test]
    fn keys_of_two_incarnations_are_two() {
        let recent = HeadCache::default();
        assert_ne!(recent.key(GenerationId(1), b"a"), recent.key(GenerationId(2), b"a"));
    }
}
