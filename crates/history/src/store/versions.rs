//! Reads versions and rows of the baseline from a snapshot.

use super::form::{
    self, DEPTH, GENERATION, SEQUENCE, Written, changed, damaged, generation_of, read_version, row_key,
    row_of, sequence_of, version_key,
};
use super::{BaseRow, ChangeSequence, CurrentRow, EncodedKey, GenerationId, Version, range_reader};
use crate::engine::{Batch, Lookup, Pair, Snapshot, StoreError, Table};
use crate::image::Image;

/// After every key: no generation has this number.
const END: [u8; GENERATION] = [0xff; GENERATION];

/// Writes a version with its row after as a whole, where it is not: what it differs from is about
/// to go.
///
/// # Errors
/// The version cannot be read.
pub fn make_full_row(
    batch: &mut Batch,
    snapshot: &dyn Snapshot,
    (stored, value): &Pair,
) -> Result<(), StoreError> {
    form::put_full_row(batch, stored, value, || {
        let gone = || damaged("the version before a change is gone");
        let (row, sequence) = (row_of(stored)?, sequence_of(stored).ok_or_else(gone)?);
        let generation = generation_of(row).ok_or_else(gone)?;
        let held = Versions(snapshot).newest_before(generation, &row[GENERATION..], sequence.next())?;
        held.and_then(|held| held.row).ok_or_else(gone)
    })
}

/// Reads versions from a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a>(pub &'a dyn Snapshot);

impl Versions<'_> {
    fn read<'v>(key: &[u8], stored: &[u8], value: &'v [u8]) -> Result<Written<'v>, StoreError> {
        if stored.len() != GENERATION + key.len() + SEQUENCE {
            return Err(damaged("a version is where another key's are"));
        }
        sequence_of(stored)
            .and_then(|s| read_version(s, value))
            .ok_or_else(|| damaged("a version cannot be read"))
    }

    /// Fetches what is about to be looked up: what these keys held just before a change, and the
    /// first version from there on; `base`: their rows in the baseline too.
    pub fn prefetch<'k>(
        &self,
        keys: impl ExactSizeIterator<Item = (GenerationId, &'k [u8])>,
        (cut, end): (ChangeSequence, ChangeSequence),
        base: bool,
    ) {
        // One key gains nothing.
        if keys.len() < 2 {
            return;
        }
        let mut lookups = Vec::new();
        for (generation, key) in keys {
            let [first, middle, to] =
                [ChangeSequence(0), cut, end].map(|at| version_key(generation, key, at));
            let table = Table::Versions;
            lookups.push(Lookup { table, from: first, to: middle.clone(), last: true });
            lookups.push(Lookup { table, from: middle, to, last: false });
            if base {
                let from = row_key(generation, key);
                let to = [&*from, &[0]].concat();
                lookups.push(Lookup { table: Table::Baseline, from, to, last: false });
            }
        }
        self.0.prefetch(&lookups);
    }

    /// What the key held just before the change `cut`; `None`: nothing is recorded of it before.
    ///
    /// # Errors
    /// The engine failed.
    pub fn newest_before(
        &self,
        generation: GenerationId,
        key: &[u8],
        cut: ChangeSequence,
    ) -> Result<Option<CurrentRow>, StoreError> {
        let (from, to) = (version_key(generation, key, ChangeSequence(0)), version_key(generation, key, cut));
        let mut newest = None;
        let mut changes: Vec<Vec<u8>> = Vec::new();
        self.0.back(Table::Versions, &from, &to, &mut |stored, value| {
            let written = Self::read(key, stored, value)?;
            let held = newest.get_or_insert_with(|| written.version.current_row());
            if let Some(more) = written.changes {
                changes.push(more.to_vec());
                // A version is never further from its row than that; if it seems so, the row is
                // missing below.
                return Ok(changes.len() <= usize::from(DEPTH));
            }
            held.row = written.version.row_after().cloned();
            Ok(false)
        })?;
        let Some(mut held) = newest else { return Ok(None) };
        for more in changes.iter().rev() {
            let row = held.row.ok_or_else(|| damaged("the version before a change is gone"))?;
            held.row = Some(changed(&row, more)?);
            held.depth += 1;
        }
        Ok(Some(held))
    }

    /// The key of the first version from this row on, of whatever row and generation.
    ///
    /// # Errors
    /// The engine failed.
    pub fn next_key(&self, row: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let next = self.0.scan(Table::Versions, row, &END, 1)?.pop();
        Ok(next.map(|(key, _)| key))
    }

    /// Up to `limit` versions of the key in `[from, to)`, oldest first.
    ///
    /// # Errors
    /// The engine failed.
    pub fn between(
        &self,
        generation: GenerationId,
        key: &[u8],
        window: (ChangeSequence, ChangeSequence),
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        self.between_after(generation, key, window, limit, None)
    }

    /// The same; `before_row`: the row that the version just before the first of them left, where
    /// it is known already.
    ///
    /// # Errors
    /// The engine failed.
    pub fn between_after(
        &self,
        generation: GenerationId,
        key: &[u8],
        (from, to): (ChangeSequence, ChangeSequence),
        limit: usize,
        before_row: Option<&Image>,
    ) -> Result<Vec<Version>, StoreError> {
        let (start, end) = (version_key(generation, key, from), version_key(generation, key, to));
        let pairs = self.0.scan(Table::Versions, &start, &end, limit)?;
        let mut versions: Vec<Version> = Vec::with_capacity(pairs.len());
        for (stored, value) in &pairs {
            let written = Self::read(key, stored, value)?;
            let earlier;
            let row = match versions.last() {
                _ if !written.before_depth => None,
                Some(last) => last.row_after(),
                None if before_row.is_some() => before_row,
                None => {
                    earlier = self.newest_before(generation, key, written.version.sequence)?;
                    earlier.as_ref().and_then(|held| held.row.as_ref())
                }
            };
            let version = written.applied_to(row)?;
            versions.push(version);
        }
        Ok(versions)
    }

    /// The first version of the key in `[from, to)`.
    ///
    /// # Errors
    /// The engine failed.
    pub fn first(
        &self,
        generation: GenerationId,
        key: &[u8],
        window: (ChangeSequence, ChangeSequence),
    ) -> Result<Option<Version>, StoreError> {
        Ok(self.between(generation, key, window, 1)?.pop())
    }

    /// Up to `limit` keys in `[from, to]` with a version before `cut`, in order.
    ///
    /// # Errors
    /// The engine failed.
    pub fn keys(
        &self,
        generation: GenerationId,
        (from, to): (&[u8], &[u8]),
        cut: ChangeSequence,
        limit: usize,
    ) -> Result<Vec<EncodedKey>, StoreError> {
        let mut keys = Vec::new();
        let mut start = row_key(generation, from);
        let end = version_key(generation, to, ChangeSequence::END);
        while keys.len() < limit {
            let Some((stored, _)) = self.0.scan(Table::Versions, &start, &end, 1)?.pop() else { break };
            let (key, first) = stored
                .split_at_checked(stored.len().saturating_sub(SEQUENCE))
                .and_then(|(key, _)| Some((key.get(GENERATION..)?, sequence_of(&stored)?)))
                .ok_or_else(|| damaged("a version has a key that is too short"))?;
            start = version_key(generation, key, ChangeSequence::END);
            if first < cut {
                keys.push(key.into());
            }
        }
        Ok(keys)
    }

    /// The key's row in the baseline.
    ///
    /// # Errors
    /// The engine failed.
    pub fn base(&self, generation: GenerationId, key: &[u8]) -> Result<Option<BaseRow>, StoreError> {
        let Some(value) = self.0.get(Table::Baseline, &row_key(generation, key))? else { return Ok(None) };
        range_reader::base_row(&value).map(Some)
    }

    /// Up to `limit` keys of the baseline in `[from, to]`, in order.
    ///
    /// # Errors
    /// The engine failed.
    pub fn base_keys(
        &self,
        generation: GenerationId,
        (from, to): (&[u8], &[u8]),
        limit: usize,
    ) -> Result<Vec<EncodedKey>, StoreError> {
        let mut end = row_key(generation, to);
        end.push(0);
        let pairs = self.0.scan(Table::Baseline, &row_key(generation, from), &end, limit)?;
        Ok(pairs.into_iter().map(|(key, _)| key[GENERATION..].into()).collect())
    }
}
