//! The history as it is at one time of its recording: definitions, names, times and versions
//! together. Made by `ingest`, asked by `query`.
//!
//! A [`History`] never changes. While the record goes on, the writing half makes one after the
//! other, each upon a snapshot of the store, so that an answer is made of one state of everything,
//! however long it takes.

use super::capture::Gap;
use super::commit_index::{Clock, CommitIndex, KnownPages};
use super::engine::Snapshot;
use super::gtid::{GtidState, Gtids};
use super::log_gap::LogGap;
use super::names::Names;
use super::schema::{Catalog, DefinitionId};
use super::store::{ChangeSequence, GenerationId, Versions};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

mod lost;
mod unplaced;

pub use lost::LostRows;
pub use unplaced::UnplacedKeys;

/// The first change of a record.
pub const FIRST: ChangeSequence = ChangeSequence(1);

/// Whether the rows that a table had when the record of it began are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Baseline {
    /// They are not, and will not be.
    #[default]
    None,
    /// They are being read.
    Reading,
    /// Every key without a version has the row of the baseline, or none.
    #[serde(rename = "Whole")]
    Complete,
}

/// What is known of one generation of a table as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableGeneration {
    /// The change from which it holds.
    pub started: ChangeSequence,
    /// Whether it began without rows in the record: then a key without versions never had a row in
    /// it.
    pub complete: bool,
    /// The rows from before the record.
    #[serde(default)]
    pub baseline: Baseline,
    /// The rows of the baseline are those of the generation before it, which was complete, under
    /// other keys: all that is known of them is recorded.
    #[serde(default)]
    pub rekeyed: bool,
    /// The change that removed all of its rows at once (TRUNCATE, DROP), and the definition then.
    pub emptied: Option<(ChangeSequence, DefinitionId)>,
    /// A definition with its key.
    pub definition: DefinitionId,
    /// The generation before it under the same name.
    pub before: Option<GenerationId>,
    /// Why rows cannot be found by key in it: a row was written whose key has no known position.
    #[serde(rename = "uncertain")]
    pub unfindable: Option<String>,
    /// How the keys begin of which that is so of some alone.
    #[serde(default)]
    pub unplaced: Vec<UnplacedKeys>,
    /// The log contradicts itself: from this position on nothing read here can be relied on.
    pub doubt: Option<(ChangeSequence, String)>,
    /// Rows changed here in a way that the log does not tell (how): what was in the table before
    /// and after it is not joined, and what is known of this generation holds only after it.
    #[serde(default)]
    pub known_from: Option<(ChangeSequence, String)>,
    /// A row of it is kept.
    #[serde(default)]
    pub used: bool,
    /// The numbers of the foreign keys by which its rows can be found.
    #[serde(default)]
    pub indexed: Vec<u32>,
    /// Where partitions lost rows of which the record knew nothing.
    #[serde(default)]
    pub lost: Vec<LostRows>,
}

impl TableGeneration {
    /// A generation of a table that begins at `started` under this definition.
    #[must_use]
    pub const fn new(definition: DefinitionId, started: ChangeSequence, complete: bool) -> Self {
        Self {
            started,
            complete,
            baseline: Baseline::None,
            rekeyed: false,
            emptied: None,
            definition,
            before: None,
            unfindable: None,
            unplaced: Vec::new(),
            doubt: None,
            known_from: None,
            used: false,
            indexed: Vec::new(),
            lost: Vec::new(),
        }
    }
}

/// The instants between which states are known, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The first event of the first file; where retention has dropped what is older, the horizon.
    pub oldest: Timestamp,
    /// The last event of the last file; less, where that cannot be distinguished from commits that
    /// may follow.
    pub newest: Timestamp,
}

impl Coverage {
    /// A record that begins at an instant: no state is known yet, since what the log has from where
    /// it begins up to that instant is still to come.
    pub(super) const fn beginning(at: Timestamp) -> Self {
        Self { oldest: at, newest: just_before(at) }
    }

    /// Whether no state is known yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.newest < self.oldest
    }

    /// The newest instant whose state is known; `None`: there is none yet.
    #[must_use]
    pub fn known(&self) -> Option<Timestamp> {
        (!self.is_empty()).then_some(self.newest)
    }
}

/// The last instant before this one.
pub(super) const fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_sub(1))
}

/// What retention has dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionHorizon {
    /// Of each key the last version before this change is kept, and none older.
    pub at: ChangeSequence,
    /// Versions dropped since the record began.
    pub dropped: u64,
}

/// The history of one server.
#[derive(Debug)]
pub struct History {
    pub(super) server_id: ServerId,
    pub(super) catalog: Arc<Catalog>,
    pub(super) names: Arc<Names>,
    pub(super) generations: Arc<Vec<TableGeneration>>,
    pub(super) snapshot: Arc<dyn Snapshot>,
    /// After the last change.
    pub(super) end: ChangeSequence,
    pub(super) clock: Clock,
    /// Pages that were looked at, whichever history of this record looked.
    pub(super) pages: Arc<KnownPages>,
    pub(super) gtids: GtidState,
    pub(super) coverage: Coverage,
    pub(super) log_gaps: Arc<Vec<LogGap>>,
    pub(super) horizon: RetentionHorizon,
    /// Why reading stopped before the end of the files.
    pub(super) stopped: Option<String>,
    /// How many row changes it holds.
    pub(super) changes: u64,
    /// Whether there are changes that are not compared yet with what was before them.
    pub(super) unchecked: bool,
}

impl History {
    /// Whose history it is.
    #[must_use]
    pub fn server_id(&self) -> &ServerId {
        &self.server_id
    }

    /// From when to when states are known.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Why reading the log stopped before its end, if it did.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// How many transactions and DDL statements were read.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.clock.entries
    }

    /// How many row changes were read.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Parts of the log that were not read, oldest first.
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.log_gaps.iter().map(|h| &h.gap)
    }

    /// Whether reading of it may wait for another machine.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.snapshot.may_wait()
    }

    pub(super) fn generation(&self, id: GenerationId) -> Option<&TableGeneration> {
        self.generations.get(id.0 as usize)
    }

    pub(super) fn versions(&self) -> Versions<'_> {
        Versions(&*self.snapshot)
    }

    pub(super) fn commit_index(&self) -> CommitIndex<'_> {
        CommitIndex {
            snapshot: &*self.snapshot,
            end: self.end,
            clock: &self.clock,
            log_gaps: &self.log_gaps,
            known: &self.pages,
        }
    }

    pub(super) fn gtids(&self) -> Gtids<'_> {
        Gtids { snapshot: &*self.snapshot, state: &self.gtids, dropped: self.horizon.at > ChangeSequence(0) }
    }
}
