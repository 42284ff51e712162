//! The history that was read: definitions, names, times and versions together. Built by `ingest`, asked by `query`.

use super::gtid::GtidIndex;
use super::moments::Moments;
use super::names::Names;
use super::schema::{Catalog, DefinitionId};
use super::store::{HistoryStore, Sequence, SpaceId};
use crate::ident::ServerId;
use crate::instant::Instant;
use std::sync::OnceLock;

/// What is known of one incarnation of a table as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// The change from which it holds.
    pub started: Sequence,
    /// Whether it began without rows in the record: then a key without versions never had a row in it.
    pub complete: bool,
    /// The change that removed all of its rows at once (TRUNCATE, DROP).
    pub emptied: Option<Sequence>,
    /// A definition with its key.
    pub definition: DefinitionId,
    /// The incarnation before it under the same name.
    pub before: Option<SpaceId>,
    /// Why rows cannot be found by key in it: a row was written whose key has no certain place.
    pub uncertain: Option<String>,
    /// The log contradicts itself: from this place on nothing read here is certain.
    pub doubt: Option<(Sequence, String)>,
    /// Rows that were removed at once and whose images under the definition of that moment cannot be told.
    pub losses: Vec<(Sequence, String)>,
}

impl Space {
    /// A new incarnation.
    #[must_use]
    pub const fn new(definition: DefinitionId, started: Sequence, complete: bool) -> Self {
        Self {
            started,
            complete,
            emptied: None,
            definition,
            before: None,
            uncertain: None,
            doubt: None,
            losses: Vec::new(),
        }
    }
}

/// The instants between which states can be told, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The first event of the first file.
    pub oldest: Instant,
    /// The last event of the last file; less, where that cannot be told from commits that may follow.
    pub newest: Instant,
}

/// The history of one server.
#[derive(Debug)]
pub struct History {
    pub(super) server_id: ServerId,
    pub(super) catalog: Catalog,
    pub(super) names: Names,
    pub(super) moments: Moments,
    pub(super) gtids: GtidIndex,
    pub(super) spaces: Vec<Space>,
    pub(super) store: Box<dyn HistoryStore>,
    pub(super) coverage: Coverage,
    /// Why reading stopped before the end of the files.
    pub(super) stopped: Option<String>,
    /// How many row changes it holds.
    pub(super) changes: u64,
    /// The header line of each definition, without its end: made once, since every answer begins with one.
    pub(super) heads: OnceLock<Vec<Vec<u8>>>,
}

impl History {
    /// Whose history it is.
    #[must_use]
    pub fn server_id(&self) -> &ServerId {
        &self.server_id
    }

    /// From when to when states can be told.
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
    pub fn entries(&self) -> usize {
        self.moments.len()
    }

    /// How many row changes were read.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn space(&self, id: SpaceId) -> Option<&Space> {
        self.spaces.get(id.0 as usize)
    }
}
