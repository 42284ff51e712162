//! Which keys changed, in the order of the log: an index of the versions, so that a window costs
//! what happened in it, and not what is kept.
//!
//! Changes that follow each other are one pair of the store: its key is the number of the first of
//! them, its value says of each in what it differs from the one before. Keys of a table that change
//! one after the other mostly begin alike, so that a change takes a few bytes. What a change did is
//! in the versions (`store`) under its key and its number.

use super::engine::{Batch, Snapshot, StoreError, StoreFault, Table};
use super::number::{put_number, take_number};
use super::store::{ChangeSequence, GenerationId};

mod walk;

pub use walk::{OwnedChange, Walk};

/// Bytes from which on the next change begins another block. The last block is written again with
/// every commit until it is full.
const FULL: usize = 1024;
/// Blocks read at a time.
const AT_ONCE: usize = 16;

/// Of a change's first byte: its number is not the next one, but follows.
const STEP: u8 = 0x80;
/// Its generation is not that of the change before, but follows.
const OTHER: u8 = 0x40;
/// Its key is as long as the last one of its generation in this block; else the length of what
/// differs follows.
const AS_LONG: u8 = 0x20;
/// How many bytes it shares with that key, at most.
const SHARED: u8 = 0x1e;
/// Instead of those: all rows of the generation went at once.
const EMPTIED: u8 = 0x1f;

/// A change, as the index knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Which one. Two have the same number where a row went from one key to another (the old key
    /// comes first), and where one statement removed rows.
    pub sequence: ChangeSequence,
    /// In which generation of a table.
    pub generation: GenerationId,
    /// The key of the row; `None`: all rows of the generation went at once (TRUNCATE, DROP), and
    /// the versions do not tell which.
    pub key: Option<&'a [u8]>,
}

/// Takes a change, and says whether to go on.
pub type EachChange<'a> = dyn FnMut(Change<'_>) -> Result<bool, StoreError> + 'a;

/// The key that a generation's last change in a block has.
#[derive(Debug, Default)]
struct Last {
    generations: Vec<(GenerationId, Vec<u8>)>,
    /// Which of them the last change was of.
    at: usize,
}

impl Last {
    fn key(&self) -> &[u8] {
        self.generations.get(self.at).map_or(&[], |(_, key)| key)
    }

    fn keep(&mut self, shared: usize, rest: &[u8]) {
        if let Some((_, key)) = self.generations.get_mut(self.at) {
            key.truncate(shared);
            key.extend_from_slice(rest);
        }
    }
}

/// Writes the index.
#[derive(Debug, Default)]
pub struct ChangeIndexWriter {
    first: ChangeSequence,
    /// How many blocks before this one begin with a change of the same number.
    part: u32,
    before: ChangeSequence,
    last: Last,
    block: Vec<u8>,
    /// The open block has changes that are not written.
    changed: bool,
}

impl ChangeIndexWriter {
    /// Takes the next change. Numbers never become smaller.
    pub fn note(&mut self, batch: &mut Batch, change: Change<'_>) {
        if self.block.len() >= FULL {
            self.close(batch);
        }
        if self.block.is_empty() {
            self.part = if self.first == change.sequence { self.part.saturating_add(1) } else { 0 };
            self.first = change.sequence;
            // The first one's number is the block's own.
            self.before = ChangeSequence(change.sequence.0.wrapping_sub(1));
        }
        self.changed = true;
        let start = self.block.len();
        self.block.push(0);
        let mut flags = 0;
        let step = change.sequence.0.wrapping_sub(self.before.0);
        if step != 1 {
            flags |= STEP;
            put_number(&mut self.block, step);
        }
        self.before = change.sequence;
        flags |= self.turn_to(change.generation);
        flags |= change.key.map_or(EMPTIED, |key| self.key(key));
        if let Some(first) = self.block.get_mut(start) {
            *first = flags;
        }
    }

    fn turn_to(&mut self, generation: GenerationId) -> u8 {
        let Last { generations, at } = &mut self.last;
        if generations.get(*at).is_some_and(|(last, _)| *last == generation) {
            return 0;
        }
        if let Some(known) = generations.iter().position(|(known, _)| *known == generation) {
            *at = known;
            put_number(&mut self.block, known as u64);
        } else {
            *at = generations.len();
            generations.push((generation, Vec::new()));
            put_number(&mut self.block, *at as u64);
            put_number(&mut self.block, u64::from(generation.0));
        }
        OTHER
    }

    fn key(&mut self, key: &[u8]) -> u8 {
        let before = self.last.key();
        let alike = before.iter().zip(key).take(usize::from(SHARED)).take_while(|(a, b)| a == b).count();
        let shared = u8::try_from(alike).unwrap_or(SHARED);
        let rest = key.get(alike..).unwrap_or_default();
        let as_long = before.len() == key.len();
        if !as_long {
            put_number(&mut self.block, rest.len() as u64);
        }
        self.block.extend_from_slice(rest);
        self.last.keep(alike, rest);
        if as_long { shared | AS_LONG } else { shared }
    }

    /// Writes the block that is not full yet.
    pub fn flush(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.changed) {
            let mut key = key_of(self.first).to_vec();
            if self.part > 0 {
                key.extend(self.part.to_be_bytes());
            }
            batch.put(Table::Changes, &key, &self.block);
        }
    }

    fn close(&mut self, batch: &mut Batch) {
        self.flush(batch);
        self.block.clear();
        self.last = Last::default();
    }
}

/// The key of the first block that begins with this change; after those of others with the same
/// number follows which one they are.
#[must_use]
pub const fn key_of(first: ChangeSequence) -> [u8; 8] {
    first.0.to_be_bytes()
}

/// Gives the changes of `[from, to)` in the order of the log, until `each` has had enough (false).
///
/// # Errors
/// The engine failed, the index is damaged, or `each` failed.
pub fn between(
    snapshot: &dyn Snapshot,
    from: ChangeSequence,
    to: ChangeSequence,
    each: &mut EachChange<'_>,
) -> Result<(), StoreError> {
    if from >= to {
        return Ok(());
    }
    // A block that begins with this very number may go on from the end of the one before.
    let before = snapshot.last(Table::Changes, &[], &key_of(from))?;
    let mut start = before.map_or_else(|| key_of(from).to_vec(), |(key, _)| key);
    let end = key_of(to);
    loop {
        let blocks = snapshot.scan(Table::Changes, &start, &end, AT_ONCE)?;
        for (key, block) in &blocks {
            if !read(key, block, from, to, each)? {
                return Ok(());
            }
        }
        match blocks.last() {
            Some((last, _)) if blocks.len() == AT_ONCE => start = [last.as_slice(), &[0]].concat(),
            _ => return Ok(()),
        }
    }
}

/// Gives the changes of a block that lie in `[from, to)`; false: there is no need to read on.
fn read(
    key: &[u8],
    block: &[u8],
    from: ChangeSequence,
    to: ChangeSequence,
    each: &mut EachChange<'_>,
) -> Result<bool, StoreError> {
    let first = key.first_chunk().map(|first| u64::from_be_bytes(*first)).ok_or_else(damaged)?;
    let mut before = ChangeSequence(first.wrapping_sub(1));
    let mut last = Last::default();
    let mut rest = block;
    while !rest.is_empty() {
        let (step, emptied) = take(&mut rest, &mut last).ok_or_else(damaged)?;
        before = ChangeSequence(before.0.wrapping_add(step));
        if before >= to {
            return Ok(false);
        }
        if before < from {
            continue;
        }
        let (generation, key) = last.generations.get(last.at).ok_or_else(damaged)?;
        let key = (!emptied).then_some(key.as_slice());
        if !each(Change { sequence: before, generation: *generation, key })? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads the next change of a block: how far its number lies after the one before, and whether all
/// rows went; `last` has its key then.
fn take(rest: &mut &[u8], last: &mut Last) -> Option<(u64, bool)> {
    let (flags, following) = rest.split_first()?;
    *rest = following;
    let step = if flags & STEP == 0 { 1 } else { take_number(rest)? };
    if flags & OTHER != 0 {
        last.at = usize::try_from(take_number(rest)?).ok()?;
        if last.at == last.generations.len() {
            let generation = u32::try_from(take_number(rest)?).ok()?;
            last.generations.push((GenerationId(generation), Vec::new()));
        }
    }
    let shared = flags & EMPTIED;
    if shared == EMPTIED {
        return Some((step, true));
    }
    let shared = usize::from(shared);
    let before = last.generations.get(last.at)?.1.len();
    let different = before.checked_sub(shared)?;
    let length = if flags & AS_LONG == 0 { usize::try_from(take_number(rest)?).ok()? } else { different };
    let (key, following) = rest.split_at_checked(length)?;
    *rest = following;
    last.keep(shared, key);
    Some((step, false))
}

fn damaged() -> StoreError {
    StoreFault::Damaged("the index of changes cannot be read").into()
}

#[cfg(test)]
mod tests;
