//! Stretches without keys: most new rows have keys where no key was, after all others or after the
//! last one of their customer or day, and looking each up to learn that it is new would take longer
//! than all else.
//!
//! A range is found by one look-up and holds until a key is put into it, which cuts it in two.
//! What is said here can be relied on; what is not known is looked up.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Beyond this many, all are forgotten and learned again: keys that come one after the other leave
/// ranges into which nothing goes any more.
const MOST: usize = 4096;

/// Keys of rows (generation first) that are there. With each the key after which nothing is known,
/// where that is known: there is none in between.
#[derive(Debug, Default)]
pub(super) struct AbsentRanges {
    following: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// How many are there without knowing what follows them.
    blind: usize,
    /// More of these, that no range was found after.
    waiting: Vec<Vec<u8>>,
}

impl AbsentRanges {
    /// Whether it is known that there is no such key.
    pub(super) fn is_new(&self, row: &[u8]) -> bool {
        matches!(self.below(row), Some((key, Some(end))) if key != row && row < end.as_slice())
    }

    fn below(&self, row: &[u8]) -> Option<(&[u8], &Option<Vec<u8>>)> {
        let upto = (Bound::Unbounded, Bound::Included(row));
        self.following.range::<[u8], _>(upto).next_back().map(|(key, end)| (key.as_slice(), end))
    }

    /// The store has no such key, and `next` is the first one after it; `None`: there is none. Keys
    /// that are not in the store yet were given to `put` since the last `settle`.
    pub(super) fn note(&mut self, row: &[u8], next: Option<Vec<u8>>) {
        for waiting in self.waiting.drain(..) {
            self.blind += 1;
            self.following.entry(waiting).or_insert(None);
        }
        let following = (Bound::Excluded(row), Bound::Unbounded);
        let waiting = self.following.range::<[u8], _>(following).next().map(|(key, _)| key);
        let end = match (next, waiting) {
            (Some(next), Some(waiting)) => next.min(waiting.clone()),
            (None, Some(waiting)) => waiting.clone(),
            (Some(next), None) => next,
            (None, None) => END.to_vec(),
        };
        // The row itself is no key yet; but it begins a range.
        self.following.insert(row.to_vec(), Some(end));
    }

    /// The key is there from now on.
    pub(super) fn put(&mut self, row: &[u8]) {
        let upto = (Bound::Unbounded, Bound::Included(row));
        let Some((key, end)) = self.following.range_mut::<[u8], _>(upto).next_back() else {
            return self.waiting.push(row.to_vec());
        };
        if key == row {
            return;
        }
        let Some(range_end) = end.take_if(|end| row < end.as_slice()) else {
            return self.waiting.push(row.to_vec());
        };
        *end = Some(row.to_vec());
        self.following.insert(row.to_vec(), Some(range_end));
    }

    /// The store has all keys that were put: those after which nothing is known are of no use any
    /// more.
    pub(super) fn settle(&mut self) {
        self.waiting.clear();
        if self.following.len() > MOST {
            self.following.clear();
        } else if self.blind > 0 {
            self.following.retain(|_, end| end.is_some());
        }
        self.blind = 0;
    }
}

/// After all keys.
const END: [u8; 4] = [0xff; 4];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// As ingest uses it, with a store that has what was put at the last commit. A row that was
        /// changed is put without a look at what follows it.
        #[test]
        fn what_is_new_was_never_put(keys in prop::collection::vec((0_u8..40, any::<bool>(), any::<bool>()), 0..200)) {
            let (mut absent_ranges, mut stored, mut all) = (AbsentRanges::default(), BTreeSet::new(), BTreeSet::new());
            for (key, learns, commits) in keys {
                let row = vec![key];
                if absent_ranges.is_new(&row) {
                    prop_assert!(!all.contains(&row), "{row:?}");
                } else if learns && !stored.contains(&row) {
                    let next = stored.range::<Vec<u8>, _>(row.clone()..).next().cloned();
                    absent_ranges.note(&row, next);
                }
                if all.insert(row.clone()) {
                    absent_ranges.put(&row);
                }
                if commits {
                    stored = all.clone();
                    absent_ranges.settle();
                }
            }
        }
    }

    #[test]
    fn keys_one_after_the_other_are_looked_up_once() {
        let mut absent_ranges = AbsentRanges::default();
        assert!(!absent_ranges.is_new(b"a1"));
        absent_ranges.note(b"a1", Some(b"b7".to_vec()));
        absent_ranges.put(b"a1");
        for row in [b"a2", b"a3", b"a9", b"a8"] {
            assert!(absent_ranges.is_new(row));
            absent_ranges.put(row);
            assert!(!absent_ranges.is_new(row));
        }
        assert!(!absent_ranges.is_new(b"b7") && !absent_ranges.is_new(b"b8") && !absent_ranges.is_new(b"a0"));
        absent_ranges.settle();
        assert!(absent_ranges.is_new(b"b6"), "it holds over a commit");
    }

    #[test]
    fn it_does_not_grow() {
        let mut absent_ranges = AbsentRanges::default();
        absent_ranges.note(&[0; 8], None);
        for n in 0..10_000_u64 {
            absent_ranges.put(&n.to_be_bytes());
        }
        absent_ranges.settle();
        assert!(absent_ranges.following.len() <= MOST);
    }
}
