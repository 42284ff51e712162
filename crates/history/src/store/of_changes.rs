//! The versions of many changes that are known by their keys, read in the order of the keys: the
//! pages of what lies beside each other are at hand, and of a key that changed often each version
//! is read once.

use super::form::{Written, damaged, is_whole, leans_on_before, read_version, row_of, sequence_of};
use super::{ChangeSequence, DEPTH, GenerationId, Version, Versions, version_key};
use crate::engine::{Snapshot, StoreError, Table};
use crate::image::{self, Image};
use std::cmp::Ordering;

/// A change: in which generation, of which key, and its number.
pub type ChangeOf<'k> = (GenerationId, &'k [u8], ChangeSequence);

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

/// Reads from the last key back.
struct Reader {
    /// The keys of the versions, from the last one back, with the index of each.
    keys: Vec<(Vec<u8>, usize)>,
    found: Vec<Option<Version>>,
    /// The keys of the row that is being read: `keys[from..to]`.
    from: usize,
    to: usize,
    /// Versions of that row, the newest first.
    held: Vec<(ChangeSequence, Vec<u8>)>,
    /// Those of them that are older than all that are wanted.
    below: usize,
    bytes: usize,
    budget: usize,
}

impl Reader {
    fn new(wanted: &[ChangeOf<'_>], budget: usize) -> Self {
        let key = |(index, (generation, key, sequence)): (usize, &ChangeOf<'_>)| {
            (version_key(*generation, key, *sequence), index)
        };
        let mut keys: Vec<(Vec<u8>, usize)> = wanted.iter().enumerate().map(key).collect();
        keys.sort_unstable_by(|a, b| b.cmp(a));
        let mut reader = Self {
            found: vec![None; keys.len()],
            keys,
            from: 0,
            to: 0,
            held: Vec::new(),
            below: 0,
            bytes: 0,
            budget,
        };
        reader.next_row();
        reader
    }

    fn is_done(&self) -> bool {
        self.from >= self.keys.len()
    }

    fn is_over_budget(&self) -> bool {
        self.bytes > self.budget && self.keys.len() > 1
    }

    /// Goes on to the next row.
    fn next_row(&mut self) {
        self.from = self.to;
        (self.held, self.below) = (Vec::new(), 0);
        let Some((first, _)) = self.keys.get(self.from) else { return };
        let row = row_of(first).ok();
        self.to += self.keys[self.from..].iter().take_while(|(key, _)| row_of(key).ok() == row).count();
    }

    /// The oldest of the versions of the row that are wanted.
    fn oldest(&self) -> Option<ChangeSequence> {
        self.keys[self.from..self.to].last().and_then(|(key, _)| sequence_of(key))
    }

    /// Reads the next row. A range over several rows would cost more: what lies between them is
    /// read too, and each file that has something of it is looked at.
    fn read(&mut self, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
        let Some((newest, _)) = self.keys.get(self.from) else { return Ok(()) };
        let (lower, upper) = (row_of(newest)?.to_vec(), [newest.as_slice(), &[0]].concat());
        let before = self.from;
        snapshot.back(Table::Versions, &lower, &upper, &mut |stored, value| {
            self.take(stored, value)?;
            Ok(self.from == before && !self.is_over_budget())
        })?;
        if self.is_over_budget() || self.from > before {
            return Ok(());
        }
        Err(if self.held.is_empty() { damaged("a change has no version") } else { gone() })
    }

    /// Takes the next older version of the row.
    fn take(&mut self, stored: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let (Some((newest, _)), Some(oldest)) = (self.keys.get(self.from), self.oldest()) else {
            return Ok(());
        };
        if row_of(stored)? != row_of(newest)? || self.held.is_empty() && stored != newest {
            return Err(if self.held.is_empty() { damaged("a change has no version") } else { gone() });
        }
        let sequence = sequence_of(stored).ok_or_else(|| damaged("a version has no position"))?;
        self.bytes += value.len() + size_of::<Version>();
        self.held.push((sequence, value.to_vec()));
        self.below += usize::from(sequence < oldest);
        // A version is never further from its row than that.
        if self.below > usize::from(DEPTH) + 1 {
            return Err(gone());
        }
        let stands = match sequence.cmp(&oldest) {
            Ordering::Greater => false,
            Ordering::Equal => !leans_on_before(value),
            Ordering::Less => is_whole(value),
        };
        if stands {
            self.replay()?;
            self.next_row();
        }
        Ok(())
    }

    /// Makes the wanted versions of a row of which all is read that they lean on.
    fn replay(&mut self) -> Result<(), StoreError> {
        let held = std::mem::take(&mut self.held);
        let (newer, older) = held.split_at(held.len() - self.below);
        let mut row = row_after(older)?.map(|row| Image::of_bytes(&row));
        let mut wanted = self.keys[self.from..self.to].iter().rev().peekable();
        for (sequence, value) in newer.iter().rev() {
            let version = read(*sequence, value)?.applied_to(row.as_ref())?;
            row = version.row_after().cloned();
            let Some((_, index)) = wanted.next_if(|(key, _)| sequence_of(key) == Some(*sequence)) else {
                continue;
            };
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

/// The row that the first of these versions left: the last one has it as a whole.
fn row_after(versions: &[(ChangeSequence, Vec<u8>)]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut row: Option<Vec<u8>> = None;
    for (sequence, value) in versions.iter().rev() {
        let written = read(*sequence, value)?;
        row = match written.changes {
            None => written.version.row_after().map(|row| row.bytes().to_vec()),
            Some(changes) => Some(image::changed(&row.ok_or_else(gone)?, changes).ok_or_else(gone)?),
        };
    }
    Ok(row)
}

fn gone() -> StoreError {
    damaged("the version before a change is gone")
}

#[cfg(test)]
mod tests;
