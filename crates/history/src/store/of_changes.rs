//! The versions of many changes that are known by their keys, read in the order of the keys: the
//! pages of what lies beside each other are at hand, and of a key that changed often each version
//! is read once.

use super::form::{
    GENERATION, SEQUENCE, Written, changed, damaged, is_full_row, leans_on_before, read_version, row_of,
    sequence_of,
};
use super::{ChangeSequence, DEPTH, GenerationId, Version, Versions};
use crate::engine::{Snapshot, StoreError, Table};
use crate::image::Image;
use std::cmp::Ordering;
use std::ops::Range;

/// A change: in which generation, of which key, and its number.
pub type ChangeOf<'k> = (GenerationId, &'k [u8], ChangeSequence);

/// How far two keys are apart, as numbers, that are read in one go: to begin again costs as much as
/// to pass over some twenty versions.
const NEAR: u64 = 4;
/// Rows that are read in one go.
const TOGETHER: usize = 64;
/// Versions that are passed over in one go on the way to the next wanted one.
const PASSED: usize = 24;
/// Rows that are read one by one where there were more.
const ALONE: usize = 64;

impl Versions<'_> {
    /// The versions that these changes left, in the order in which they are given. `None`: they
    /// take more than `budget` bytes; a single change may.
    ///
    /// # Errors
    /// The engine failed, or one of them is not there.
    pub fn of_changes(
        &self,
        wanted: &[ChangeOf<'_>],
        budget: usize,
    ) -> Result<Option<Vec<Version>>, StoreError> {
        let mut reader = Reader::new(wanted, budget);
        while !reader.is_done() {
            reader.read(self.0)?;
            if reader.is_over_budget() {
                return Ok(None);
            }
        }
        let gone = || damaged("a change has no version");
        reader.found.into_iter().collect::<Option<Vec<Version>>>().ok_or_else(gone).map(Some)
    }
}

/// The keys of versions, one behind the other in one block of memory.
struct Keys {
    bytes: Vec<u8>,
    /// Where each is, and its index among the wanted ones; from the last key back.
    spans: Vec<(Range<usize>, usize)>,
}

impl Keys {
    fn new(wanted: &[ChangeOf<'_>]) -> Self {
        let length = wanted.iter().map(|(_, key, _)| GENERATION + key.len() + SEQUENCE).sum();
        let (mut bytes, mut spans) = (Vec::with_capacity(length), Vec::with_capacity(wanted.len()));
        for (index, (generation, key, sequence)) in wanted.iter().enumerate() {
            let start = bytes.len();
            bytes.extend(generation.0.to_be_bytes());
            bytes.extend_from_slice(key);
            bytes.extend(sequence.bytes());
            spans.push((start..bytes.len(), index));
        }
        spans.sort_unstable_by(|(a, _), (b, _)| bytes[b.clone()].cmp(&bytes[a.clone()]));
        Self { bytes, spans }
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        self.spans.get(at).map(|(span, _)| &self.bytes[span.clone()])
    }

    /// The key of the row of one of them.
    fn row(&self, at: usize) -> Option<&[u8]> {
        row_of(self.get(at)?).ok()
    }

    /// After the last one that is of the same row as this one.
    fn end_of_row(&self, at: usize) -> usize {
        let row = self.row(at);
        at + (at..self.spans.len()).take_while(|other| self.row(*other) == row).count()
    }
}

/// Whether there can be few keys between two of one length, `lower` before `upper`.
fn is_near(lower: &[u8], upper: &[u8]) -> bool {
    let Some((head, last)) = lower.split_at_checked(upper.len().saturating_sub(8)) else { return false };
    let Some(upper_last) = upper.strip_prefix(head).filter(|_| lower.len() == upper.len()) else {
        return false;
    };
    let number = |tail: &[u8]| tail.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number(upper_last).wrapping_sub(number(last)) <= NEAR
}

/// Reads from the last key back.
struct Reader {
    keys: Keys,
    found: Vec<Option<Version>>,
    /// The keys of the row that is being read: `keys[from..to]`.
    from: usize,
    to: usize,
    /// Versions of that row, the newest first: their numbers, and where their bytes are.
    held: Vec<(ChangeSequence, Range<usize>)>,
    held_bytes: Vec<u8>,
    /// Those of them that are older than all that are wanted.
    below: usize,
    /// Versions passed over since the last one that was of use.
    passed: usize,
    /// Rows to come that are read one by one.
    alone: usize,
    bytes: usize,
    budget: usize,
}

impl Reader {
    fn new(wanted: &[ChangeOf<'_>], budget: usize) -> Self {
        let keys = Keys::new(wanted);
        let to = keys.end_of_row(0);
        Self {
            found: vec![None; wanted.len()],
            keys,
            from: 0,
            to,
            held: Vec::new(),
            held_bytes: Vec::new(),
            below: 0,
            passed: 0,
            alone: 0,
            bytes: 0,
            budget,
        }
    }

    fn is_done(&self) -> bool {
        self.from >= self.found.len()
    }

    fn is_over_budget(&self) -> bool {
        self.bytes > self.budget && self.found.len() > 1
    }

    /// Goes on to the next row.
    fn next_row(&mut self) {
        self.from = self.to;
        self.to = self.keys.end_of_row(self.from);
        self.held.clear();
        self.held_bytes.clear();
        self.below = 0;
    }

    /// The oldest of the versions of the row that are wanted.
    fn oldest(&self) -> Option<ChangeSequence> {
        self.keys.get(self.to.checked_sub(1)?).and_then(sequence_of)
    }

    /// The row from which on the next rows are read in one go: what lies between rows is read too,
    /// and each file that has something of it is looked at, so that only near ones are.
    fn lowest(&self) -> Option<&[u8]> {
        let mut lowest = self.keys.row(self.from)?;
        let mut next = self.to;
        for _ in 1..if self.alone > 0 { 1 } else { TOGETHER } {
            let Some(row) = self.keys.row(next).filter(|row| is_near(row, lowest)) else { break };
            lowest = row;
            next = self.keys.end_of_row(next);
        }
        Some(lowest)
    }

    /// Reads the next row, and those near to it.
    fn read(&mut self, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
        let (Some(newest), Some(lowest)) = (self.keys.get(self.from), self.lowest()) else { return Ok(()) };
        let (lower, upper) = (lowest.to_vec(), [newest, &[0]].concat());
        let before = self.from;
        self.passed = 0;
        self.alone = self.alone.saturating_sub(1);
        snapshot.back(Table::Versions, &lower, &upper, &mut |stored, value| {
            self.take(stored, value)?;
            let on = self.keys.row(self.from).is_some_and(|row| row >= lower.as_slice());
            Ok(on && self.passed <= PASSED && !self.is_over_budget())
        })?;
        if self.passed > PASSED {
            self.alone = ALONE;
        }
        if self.is_over_budget() || self.from > before && self.held.is_empty() {
            return Ok(());
        }
        Err(if self.held.is_empty() { damaged("a change has no version") } else { gone() })
    }

    /// Takes the next older version.
    fn take(&mut self, stored: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let (Some(newest), Some(oldest)) = (self.keys.get(self.from), self.oldest()) else {
            return Ok(());
        };
        if self.held.is_empty() && stored > newest {
            self.passed += 1;
            return Ok(());
        }
        if self.held.is_empty() && stored != newest {
            return Err(damaged("a change has no version"));
        }
        if row_of(stored)? != row_of(newest)? {
            return Err(gone());
        }
        self.passed = 0;
        let sequence = sequence_of(stored).ok_or_else(|| damaged("a version has no position"))?;
        self.bytes += value.len() + size_of::<Version>();
        let start = self.held_bytes.len();
        self.held_bytes.extend_from_slice(value);
        self.held.push((sequence, start..self.held_bytes.len()));
        self.below += usize::from(sequence < oldest);
        // A version is never further from its row than that.
        if self.below > usize::from(DEPTH) + 1 {
            return Err(gone());
        }
        let complete = match sequence.cmp(&oldest) {
            Ordering::Greater => false,
            Ordering::Equal => !leans_on_before(value),
            Ordering::Less => is_full_row(value),
        };
        if complete {
            self.replay()?;
            self.next_row();
        }
        Ok(())
    }

    /// Makes the wanted versions of a row of which all is read that they lean on.
    fn replay(&mut self) -> Result<(), StoreError> {
        let (newer, older) = self.held.split_at(self.held.len() - self.below);
        let written = |(sequence, span): &(ChangeSequence, Range<usize>)| {
            read(*sequence, &self.held_bytes[span.clone()])
        };
        let mut row: Option<Image> = None;
        // The oldest of them has its row as a whole.
        for version in older.iter().rev() {
            let version = written(version)?;
            row = match version.changes {
                None => version.into_row_after(),
                Some(changes) => Some(changed(&row.ok_or_else(gone)?, changes)?),
            };
        }
        let mut wanted = self.keys.spans[self.from..self.to].iter().rev().peekable();
        for version in newer.iter().rev() {
            let sequence = version.0;
            let version = written(version)?.applied_to(row.as_ref())?;
            row = version.row_after().cloned();
            let is_it = |(span, _): &&(Range<usize>, usize)| {
                sequence_of(&self.keys.bytes[span.clone()]) == Some(sequence)
            };
            let Some((_, index)) = wanted.next_if(is_it) else { continue };
            self.bytes += version.before.iter().chain(&version.after).map(|i| i.bytes().len()).sum::<usize>();
            if let Some(found) = self.found.get_mut(*index) {
                *found = Some(version);
            }
        }
        Ok(())
    }
}

fn read(sequence: ChangeSequence, value: &[u8]) -> Result<Written<'_>, StoreError> {
    read_version(sequence, value).ok_or_else(|| damaged("a version cannot be read"))
}

fn gone() -> StoreError {
    damaged("the version before a change is gone")
}

#[cfg(test)]
mod tests;
