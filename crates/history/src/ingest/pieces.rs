//! A large transaction is written in pieces, and seen as a whole or not at all.
//!
//! Nothing of what is written is read before the batch comes that ends the transaction: an answer
//! keeps to the snapshot and to the last change of the batch before. What a process leaves behind
//! that is killed in between is taken back when the record is opened, before anything else: the
//! versions by the index of changes, which is written in the same pieces; of all else each piece
//! says what was there before.

use super::Ingest;
use crate::changes;
use crate::engine::{Batch, Engine, Snapshot, StoreError, StoreFault, Table};
use crate::number::{put_number, take_number};
use crate::store::{ChangeSequence, version_key};

/// Bytes from which on what is taken in is written, also in the middle of a transaction.
const PIECE: usize = 8 << 20;
/// Operations of a batch that takes something back.
const SLICE: usize = 10_000;
/// In front of what was somewhere before a piece.
const UNDO: u8 = b'u';

/// How much is written in pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    /// After the last change of the last whole batch; `None`: nobody opens the record again.
    pub(super) base: Option<ChangeSequence>,
    /// Bytes of a piece.
    pub(super) size: usize,
    /// What was noted to be taken back.
    noted: u64,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { base: None, size: PIECE, noted: 0 }
    }
}

fn undo_key(base: ChangeSequence, number: u64) -> Vec<u8> {
    [&[UNDO][..], &base.0.to_be_bytes(), &number.to_be_bytes()].concat()
}

/// The change after which a note was made.
fn base_of(key: &[u8]) -> Option<ChangeSequence> {
    Some(ChangeSequence(u64::from_be_bytes(*key.get(1..)?.first_chunk()?)))
}

fn damaged() -> StoreError {
    StoreFault::Damaged("what a piece of a transaction replaced cannot be read").into()
}

/// Notes what is under a key: the table, the key, and the value if there is one.
fn note(out: &mut Vec<u8>, table: Table, key: &[u8], value: Option<&[u8]>) {
    out.push(table as u8);
    put_number(out, key.len() as u64);
    out.extend_from_slice(key);
    if let Some(value) = value {
        out.push(1);
        out.extend_from_slice(value);
    }
}

/// Puts back what was noted.
fn put_back(mut noted: &[u8], batch: &mut Batch) -> Option<()> {
    let (table, rest) = noted.split_first()?;
    let table = *Table::ALL.iter().find(|t| **t as u8 == *table)?;
    noted = rest;
    let length = usize::try_from(take_number(&mut noted)?).ok()?;
    let (key, value) = noted.split_at_checked(length)?;
    match value.split_first() {
        Some((_, value)) => batch.put(table, key, value),
        None => batch.remove(table, key),
    }
    Some(())
}

impl Ingest {
    /// Writes what was taken in, if that is much, in the middle of a transaction.
    pub(super) fn commit_piece_if_full(&mut self) -> Result<(), StoreError> {
        if self.batch.size() < self.pieces.size {
            return Ok(());
        }
        self.flush();
        if let Some(base) = self.pieces.base {
            self.note_replaced(base)?;
        }
        self.write_piece()
    }

    /// Writes the batch.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        self.write_by(|engine, batch| engine.commit(batch))
    }

    /// The same of a part of a large transaction.
    fn write_piece(&mut self) -> Result<(), StoreError> {
        self.write_by(|engine, batch| engine.load(batch))
    }

    fn write_by(
        &mut self,
        write: impl FnOnce(&mut dyn Engine, &Batch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // The engine in memory copies what a snapshot still holds.
        self.snapshot = None;
        let written = write(&mut *self.engine, &self.batch);
        self.batch.clear();
        self.recent.settle();
        self.snapshot = Some(self.engine.snapshot());
        written
    }

    /// Notes what the operations of the batch replace. New versions, and blocks of the index of
    /// changes that begin after the base, are found without.
    fn note_replaced(&mut self, base: ChangeSequence) -> Result<(), StoreError> {
        let snapshot = self.committed();
        let mut notes = Batch::default();
        let following = |key: &[u8]| key >= changes::key_of(base).as_slice();
        let replaced = self.batch.operations().filter(|(table, key, _)| match table {
            Table::Versions => false,
            Table::Changes => !following(key),
            Table::Baseline
            | Table::CommitIndex
            | Table::MaxCommitTimestamps
            | Table::Visible
            | Table::ClockRegressions
            | Table::Gtids
            | Table::References
            | Table::Commits
            | Table::Meta
            | Table::Sessions => true,
        });
        for (table, key, _) in replaced {
            let value = snapshot.get(table, key)?;
            let at = undo_key(base, self.pieces.noted);
            self.pieces.noted += 1;
            notes.write(
                Table::Meta,
                |out| out.extend_from_slice(&at),
                |out| note(out, table, key, value.as_deref()),
            );
        }
        if self.pieces.noted == 0 {
            // That there are pieces at all.
            let at = undo_key(base, 0);
            self.pieces.noted = 1;
            notes.write(
                Table::Meta,
                |out| out.extend_from_slice(&at),
                |out| note(out, Table::Changes, &changes::key_of(ChangeSequence::END), None),
            );
        }
        self.batch.append(&notes);
        Ok(())
    }

    /// The transaction is whole: what was noted is of no use any more.
    pub(super) fn end_pieces(&mut self) -> Result<(), StoreError> {
        if self.pieces.base.is_some() {
            if std::mem::take(&mut self.pieces.noted) > 0 {
                forget(&mut *self.engine)?;
                self.snapshot = Some(self.engine.snapshot());
            }
            self.pieces.base = Some(self.next);
        }
        Ok(())
    }

    /// Takes back what was written in pieces of a transaction that did not come to its end; `next`:
    /// after the last change of the last whole batch.
    pub(crate) fn take_back(&mut self, next: ChangeSequence) -> Result<(), StoreError> {
        self.snapshot = None;
        let taken = take_back(&mut *self.engine, next);
        self.snapshot = Some(self.engine.snapshot());
        self.pieces.base = Some(next);
        taken
    }
}

/// The keys of all notes.
const NOTES: ([u8; 1], [u8; 1]) = ([UNDO], [UNDO + 1]);

/// Removes all notes.
fn forget(engine: &mut dyn Engine) -> Result<(), StoreError> {
    loop {
        let pairs = engine.snapshot().scan(Table::Meta, &NOTES.0, &NOTES.1, SLICE)?;
        let mut batch = Batch::default();
        for (key, _) in &pairs {
            batch.remove(Table::Meta, key);
        }
        if batch.is_empty() {
            return Ok(());
        }
        engine.commit(&batch)?;
    }
}

/// Whether a store holds pieces of a transaction that is not whole; `next`: after the last change
/// of its last whole batch.
pub(crate) fn in_progress(snapshot: &dyn Snapshot, next: ChangeSequence) -> Result<bool, StoreError> {
    let Some((newest, _)) = snapshot.last(Table::Meta, &NOTES.0, &NOTES.1)? else { return Ok(false) };
    Ok(base_of(&newest).ok_or_else(damaged)? == next)
}

fn take_back(engine: &mut dyn Engine, next: ChangeSequence) -> Result<(), StoreError> {
    let snapshot = engine.snapshot();
    let Some((newest, _)) = snapshot.last(Table::Meta, &NOTES.0, &NOTES.1)? else { return Ok(()) };
    if base_of(&newest).ok_or_else(damaged)? != next {
        // The transaction came to its end, and only these are left of it.
        return forget(engine);
    }
    tracing::info!("taking back the first part of a large transaction, which will be read again");
    versions_go(engine, &*snapshot, next)?;
    drop(snapshot);
    // The index of changes tells which versions there are: it goes after all of them.
    loop {
        let snapshot = engine.snapshot();
        let from = changes::key_of(next);
        let end = [changes::key_of(ChangeSequence::END).as_slice(), &[0xff; 8]].concat();
        let mut batch = Batch::default();
        for (key, _) in snapshot.scan(Table::Changes, &from, &end, SLICE)? {
            batch.remove(Table::Changes, &key);
        }
        if batch.is_empty() {
            break;
        }
        engine.commit(&batch)?;
    }
    loop {
        let snapshot = engine.snapshot();
        let mut batch = Batch::default();
        // The last first: what was noted first was there before all of it.
        snapshot.back(Table::Meta, &NOTES.0, &NOTES.1, &mut |key, noted| {
            if base_of(key) == Some(next) {
                put_back(noted, &mut batch).ok_or_else(damaged)?;
            }
            batch.remove(Table::Meta, key);
            Ok(batch.len() < SLICE)
        })?;
        drop(snapshot);
        if batch.is_empty() {
            return Ok(());
        }
        engine.commit(&batch)?;
    }
}

/// Removes all versions from a change on.
fn versions_go(
    engine: &mut dyn Engine,
    snapshot: &dyn Snapshot,
    next: ChangeSequence,
) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    changes::between(snapshot, next, ChangeSequence::END, &mut |change| {
        if let Some(key) = change.key {
            batch.remove(Table::Versions, &version_key(change.generation, key, change.sequence));
        }
        if batch.len() >= SLICE {
            engine.commit(&batch)?;
            batch.clear();
        }
        Ok(true)
    })?;
    engine.commit(&batch)
}

#[cfg(test)]
mod tests;
