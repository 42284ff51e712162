//! Entries of the log to the history: definitions, names, versions.
//!
//! One pass in the order of the log. Whatever cannot be followed makes the table unreadable from
//! that position on, with the reason; a row that contradicts what the log said before (an INSERT of
//! a key that has a row, a before image that is not the last after image) makes it unreadable from
//! the last position that was known. Nothing is guessed.

use super::changes;
use super::commit_index::{CommitIndexWriter, KnownPages};
use super::commits;
use super::engine::{Batch, Engine, InMemory, Snapshot, StoreError};
use super::gtid::GtidState;
use super::names::Names;
use super::patterns::Patterns;
use super::record::{FIRST, TableGeneration};
use super::schema::{Catalog, DefinitionId};
use super::store::{ChangeSequence, GenerationId, Versions, row_of};
use dbtrail_types::names::TableName;
use head_cache::{CachedHead, Fingerprint, HeadCache};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

mod absent_ranges;
mod all_rows;
mod bulk_insert;
mod cascade;
mod committed;
mod declared;
mod dirty;
mod doubt;
mod doubtful;
mod effects;
mod head_cache;
mod images;
mod not_followed;
mod noting;
mod numbered;
mod partitions;
pub(crate) mod pieces;
mod references;
mod rekeyed;
mod renames;
mod rows;
mod source;
mod target;
mod unchecked;

pub(super) use dirty::Dirty;
pub(super) use images::{RowError, base_key, base_prefix};
pub use source::{LogEnds, ReadError, ReadOptions};

/// Operations after which a batch is written, where nothing else says when.
const BATCH: usize = 10_000;

/// Takes entries in, and gives a [`History`] of what was taken in.
#[derive(Debug)]
pub struct Ingest {
    engine: Box<dyn Engine>,
    /// The store as of the last commit.
    snapshot: Option<Arc<dyn Snapshot>>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) names: Arc<Names>,
    pub(super) generations: Arc<Vec<TableGeneration>>,
    pub(super) entries: CommitIndexWriter,
    pub(super) pages: Arc<KnownPages>,
    pub(super) gtids: GtidState,
    pub(super) next: ChangeSequence,
    pub(super) changes: u64,
    /// Versions written: a change of a key makes two.
    pub(super) versions: u64,
    /// Definitions of the table maps of this range between two DDL statements.
    reconciled: HashMap<TableName, (Arc<super::log::MappedTable>, DefinitionId)>,
    /// Definitions that rows were read under; a definition never changes.
    columns: HashMap<DefinitionId, Arc<images::Columns>>,
    /// What is not committed yet.
    batch: Batch,
    pieces: pieces::Pieces,
    recent: HeadCache,
    unchecked: unchecked::Unchecked,
    /// The index of changes.
    index: changes::ChangeIndexWriter,
    commits: commits::CommitPageWriter,
    /// What is kept of the entry that comes in.
    noting: noting::Noting,
    /// Whether texts of statements are kept.
    pub(super) keeps_statements: bool,
    /// Memory for the row that is being taken in.
    images: images::Images,
    pub(super) dirty: Dirty,
    /// Which tables are captured; `None`: all.
    pub(super) tables: Option<Patterns>,
    /// Whether tables whose rows are unknown are read again.
    pub(super) rereads: bool,
    /// The entry that is taken in has rows of tables without transactions.
    without_transactions: bool,
    /// Rows that go into empty tables all at once.
    bulk_inserts: bulk_insert::BulkInserts,
    /// What foreign keys make of tables, in this range between two DDL statements.
    roles: HashMap<TableName, Arc<target::Roles>>,
    pending: references::Pending,
    /// Whether there were tables whose foreign keys are not known when this many were mentioned, in
    /// this range.
    unknown_children: Option<(usize, bool)>,
    /// The statement whose rows come in.
    under: cascade::Under,
    /// Generations of which rows may be on their way from the server.
    pub(super) being_read: BTreeSet<GenerationId>,
    /// Why tables are not known that a statement further on is about.
    pub(super) unknown_since: HashMap<TableName, String>,
}

impl Default for Ingest {
    fn default() -> Self {
        Self::upon(Box::new(InMemory::default()))
    }
}

impl Ingest {
    /// Writes into an engine.
    #[must_use]
    pub fn upon(engine: Box<dyn Engine>) -> Self {
        let snapshot = Some(engine.snapshot());
        Self {
            engine,
            snapshot,
            catalog: Arc::default(),
            names: Arc::default(),
            generations: Arc::default(),
            entries: CommitIndexWriter::default(),
            pages: Arc::default(),
            gtids: GtidState::default(),
            next: FIRST,
            changes: 0,
            versions: 0,
            reconciled: HashMap::new(),
            columns: HashMap::new(),
            batch: Batch::default(),
            pieces: pieces::Pieces::default(),
            recent: HeadCache::default(),
            unchecked: unchecked::Unchecked::default(),
            index: changes::ChangeIndexWriter::default(),
            commits: commits::CommitPageWriter::default(),
            noting: noting::Noting::default(),
            keeps_statements: true,
            images: images::Images::default(),
            dirty: Dirty::default(),
            tables: None,
            rereads: false,
            without_transactions: false,
            bulk_inserts: bulk_insert::BulkInserts::default(),
            roles: HashMap::new(),
            pending: references::Pending::default(),
            unknown_children: None,
            under: cascade::Under::default(),
            being_read: BTreeSet::new(),
            unknown_since: HashMap::new(),
        }
    }

    /// More for the next commit.
    pub(super) fn add(&mut self, batch: &Batch) {
        self.batch.append(batch);
    }

    /// Whether rows of a table are kept.
    pub(super) fn captures(&self, name: &TableName) -> bool {
        self.tables.as_ref().is_none_or(|tables| tables.includes(name))
    }

    /// How many bytes are written at a time, in the middle of a transaction too.
    pub(super) fn write_pieces_of(&mut self, bytes: usize) {
        self.pieces.size = self.pieces.size.min(bytes);
    }

    /// How many operations wait to be committed.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.batch.len() + self.pending.len()
    }

    /// Bytes that wait to be committed, about.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.batch.bytes()
    }

    /// Writes what was taken in, and `more` with it.
    ///
    /// # Errors
    /// The store failed; nothing was written.
    pub fn commit(&mut self, more: &Batch) -> Result<(), StoreError> {
        self.flush();
        self.batch.append(more);
        if !self.batch.is_empty() {
            self.write()?;
            self.end_pieces()?;
        }
        self.make_references()
    }

    /// Everything into the batch.
    fn flush(&mut self) {
        self.entries.flush(&mut self.batch);
        self.index.flush(&mut self.batch);
        self.commits.flush(&mut self.batch);
        self.pending.flush(&mut self.batch);
    }

    /// Makes the definitions of the rows to come be looked up again.
    pub(super) fn forget_observed(&mut self) {
        self.reconciled.clear();
        self.roles.clear();
        self.unknown_children = None;
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// The store as of the last commit.
    pub(super) fn committed(&mut self) -> Arc<dyn Snapshot> {
        Arc::clone(self.snapshot.get_or_insert_with(|| self.engine.snapshot()))
    }

    fn take_number(&mut self) -> ChangeSequence {
        let at = self.next;
        self.next = at.next();
        at
    }

    /// Another generation of a table, of which no row is known yet.
    pub(super) fn new_generation(
        &mut self,
        name: &TableName,
        mut generation: TableGeneration,
    ) -> GenerationId {
        generation.indexed = self.catalog.followed_keys(name).iter().map(|key| key.number).collect();
        let generations = Arc::make_mut(&mut self.generations);
        let id = u32::try_from(generations.len()).unwrap_or(u32::MAX);
        generations.push(generation);
        self.dirty.generations.insert(id);
        GenerationId(id)
    }

    pub(super) fn generation_mut(&mut self, id: GenerationId) -> Option<&mut TableGeneration> {
        self.dirty.generations.insert(id.0);
        Arc::make_mut(&mut self.generations).get_mut(id.0 as usize)
    }

    pub(super) fn names_mut(&mut self) -> &mut Names {
        Arc::make_mut(&mut self.names)
    }

    /// What a key holds at the end of what was taken in; `fingerprint`: of its bytes; `new`: there
    /// should be nothing.
    fn last(
        &mut self,
        (generation, key): (GenerationId, &[u8]),
        row: &[u8],
        fingerprint: Fingerprint,
        new: bool,
    ) -> Result<Option<CachedHead>, StoreError> {
        if let Some(head) = self.recent.find(fingerprint) {
            return Ok(Some(head));
        }
        if self.recent.absent_ranges.is_new(row) {
            return Ok(None);
        }
        let snapshot = self.committed();
        let versions = Versions(&*snapshot);
        if new {
            let next = versions.next_key(row)?;
            let next = next.as_deref().map(row_of).transpose()?;
            if next != Some(row) {
                self.recent.absent_ranges.note(row, next.map(<[u8]>::to_vec));
                return Ok(None);
            }
        }
        let held = versions.newest_before(generation, key, self.next)?;
        Ok(held.map(|held| {
            let row =
                held.row.as_ref().map(|r| self.recent.row(&self.comparable(held.definition, r.bytes())));
            HeadCache::head(&held, row)
        }))
    }
}
