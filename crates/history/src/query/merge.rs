//! Versions of many keys in the order of the log, in bounded memory: a few versions of each key at
//! a time.

use super::{History, Refusal};
use crate::image::Image;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, EncodedKey, GenerationId, KeyMove, Version};
use dbtrail_types::agent_api::{EventType, code};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Versions of one key held at a time.
const AHEAD: usize = 16;

/// A key in a generation.
#[derive(Debug)]
pub(super) struct KeyOf {
    pub(super) generation: GenerationId,
    pub(super) key: EncodedKey,
    /// All rows went at once inside of the range, under this definition: the last one of this
    /// key, if there was one, too.
    pub(super) emptied: Option<(ChangeSequence, DefinitionId)>,
}

/// The versions of one key in a range of the log.
#[derive(Debug)]
struct KeyVersions {
    of: KeyOf,
    /// Where the next read begins.
    from: ChangeSequence,
    /// The row that the version before that left.
    before_row: Option<Image>,
    ready: VecDeque<Version>,
}

/// What comes next: by sequence; of the two sides of a key change, the old key first.
type NextChange = Reverse<(ChangeSequence, bool, usize)>;

/// A merge of sources.
#[derive(Debug)]
pub(super) struct Merge {
    to: ChangeSequence,
    sources: Vec<KeyVersions>,
    heap: BinaryHeap<NextChange>,
}

impl Merge {
    pub(super) fn new(
        history: &History,
        keys: Vec<KeyOf>,
        (from, to): (ChangeSequence, ChangeSequence),
    ) -> Result<Self, Refusal> {
        let wanted = keys.iter().map(|of| (of.generation, &*of.key));
        history.versions().prefetch(wanted, (from, to), false);
        let source = |of| KeyVersions { of, from, before_row: None, ready: VecDeque::new() };
        let sources = keys.into_iter().map(source).collect();
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
            let (KeyOf { generation, key, .. }, window) = (&source.of, (source.from, self.to));
            let before_row = source.before_row.as_ref();
            source.ready =
                history.versions().between_after(*generation, key, window, AHEAD, before_row)?.into();
            if let Some(last) = source.ready.back() {
                source.from = last.sequence.next();
                source.before_row = last.row_after().cloned();
            } else if let Some(emptied) = source.of.emptied.take() {
                source.ready.extend(history.lost((source.of.generation, &source.of.key), emptied)?);
            }
        }
        if let Some(next) = source.ready.front() {
            self.heap.push(Reverse((next.sequence, next.key_move == KeyMove::Arrived, index)));
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

impl History {
    /// The DELETE that nobody logged: of the row that a key had when all rows of its table were
    /// removed at once.
    pub(super) fn lost(
        &self,
        (generation, key): (GenerationId, &[u8]),
        (at, now): (ChangeSequence, DefinitionId),
    ) -> Result<Option<Version>, Refusal> {
        let Some((image, under)) = self.row_at_end(generation, key)? else { return Ok(None) };
        let before = if under == now {
            image
        } else {
            let carried = self.catalog.carry(under, now, self.catalog.unpack(under, &image));
            Image::pack_known(
                &carried.map_err(|why| Refusal::new(422, code::UNREADABLE_TABLE, why.to_string()))?,
            )
        };
        Ok(Some(Version {
            sequence: at,
            definition: now,
            kind: EventType::Delete,
            key_move: KeyMove::Same,
            cause: None,
            before: Some(before),
            after: None,
        }))
    }

    /// The last row of a key in a generation that has ended.
    fn row_at_end(
        &self,
        generation: GenerationId,
        key: &[u8],
    ) -> Result<Option<(Image, DefinitionId)>, Refusal> {
        let versions = self.versions();
        Ok(match versions.newest_before(generation, key, self.end)? {
            Some(held) => held.row.map(|row| (row, held.definition)),
            None => versions.base(generation, key)?.map(|base| (base.row, base.definition)),
        })
    }
}
