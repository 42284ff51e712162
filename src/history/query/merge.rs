//! Versions of many keys in the order of the log, in bounded memory: a few versions of each key at a time.

use super::{History, Refusal};
use crate::history::store::{EncodedKey, Sequence, Side, SpaceId, Version};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Versions of one key held at a time.
const AHEAD: usize = 16;

/// A key in an incarnation.
pub(super) type KeyOf = (SpaceId, EncodedKey);

/// The versions of one key in a stretch of the log.
#[derive(Debug)]
struct Source {
    space: SpaceId,
    key: EncodedKey,
    /// Where the next read begins.
    from: Sequence,
    ready: VecDeque<Version>,
}

/// What comes next: by sequence; of the two sides of a key change, the old key first.
type Place = Reverse<(Sequence, bool, usize)>;

/// A merge of sources.
#[derive(Debug)]
pub(super) struct Merge {
    to: Sequence,
    sources: Vec<Source>,
    heap: BinaryHeap<Place>,
}

impl Merge {
    pub(super) fn new(
        history: &History,
        keys: Vec<KeyOf>,
        (from, to): (Sequence, Sequence),
    ) -> Result<Self, Refusal> {
        let sources = keys
            .into_iter()
            .map(|(space, key)| Source { space, key, from, ready: VecDeque::new() })
            .collect();
        let mut merge = Self { to, sources, heap: BinaryHeap::new() };
        for index in 0..merge.sources.len() {
            merge.offer(history, index)?;
        }
        Ok(merge)
    }

    /// Puts the next version of a source in line.
    fn offer(&mut self, history: &History, index: usize) -> Result<(), Refusal> {
        let Some(source) = self.sources.get_mut(index) else { return Ok(()) };
        if source.ready.is_empty() {
            source.ready =
                history.store.between(source.space, &source.key, (source.from, self.to), AHEAD)?.into();
            if let Some(last) = source.ready.back() {
                source.from = last.sequence.next();
            }
        }
        if let Some(next) = source.ready.front() {
            self.heap.push(Reverse((next.sequence, next.side == Side::Arrived, index)));
        }
        Ok(())
    }

    pub(super) fn next(&mut self, history: &History) -> Result<Option<Version>, Refusal> {
        let Some(Reverse((_, _, index))) = self.heap.pop() else { return Ok(None) };
        let version = self.sources.get_mut(index).and_then(|s| s.ready.pop_front());
        self.offer(history, index)?;
        Ok(version)
    }
}
