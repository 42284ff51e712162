//! Entries of the log to the history: definitions, names, versions.
//!
//! One pass in the order of the log. Whatever cannot be followed makes the table unreadable from that place on, with the reason;
//! a row that contradicts what the log said before (an INSERT of a key that has a row, a before image that is not the last after image)
//! makes it unreadable from the last place that was certain. Nothing is guessed.

use super::gtid::{GtidIndex, GtidSet};
use super::log::{Change, Entry};
use super::moments::{Moment, Moments};
use super::names::Names;
use super::record::{Coverage, History, Space};
use super::schema::{Catalog, DefinitionId};
use super::store::{HistoryStore, MemoryStore, Sequence, SpaceId, StoreError};
use crate::ident::{ServerId, TableName};
use crate::instant::Instant;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

mod effects;
mod rows;
mod source;

pub use source::ReadError;

/// Builds a [`History`] out of entries.
#[derive(Debug)]
pub struct Ingest {
    catalog: Catalog,
    names: Names,
    spaces: Vec<Space>,
    store: MemoryStore,
    moments: Vec<Moment>,
    next: Sequence,
    changes: u64,
    /// Definitions of the table maps of this stretch between two DDL statements.
    observed: HashMap<TableName, (Arc<super::log::MappedTable>, DefinitionId)>,
    pending: rows::Pending,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            catalog: Catalog::default(),
            names: Names::default(),
            spaces: Vec::new(),
            store: MemoryStore::default(),
            moments: Vec::new(),
            next: Sequence(1),
            changes: 0,
            observed: HashMap::new(),
            pending: rows::Pending::default(),
        }
    }
}

impl Ingest {
    /// Takes one entry in.
    ///
    /// # Errors
    /// The store failed.
    pub fn entry(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.moments.push(Moment { first: self.next, committed: entry.committed, gtid: entry.gtid });
        for change in entry.changes {
            let at = self.take_number();
            match change {
                Change::Row(row) => {
                    self.changes += 1;
                    self.row(&row, at)?;
                }
                Change::Statement(statement) => {
                    self.flush()?;
                    self.observed.clear();
                    for effect in self.catalog.apply(&statement) {
                        self.effect(effect, at)?;
                    }
                }
                Change::Unfollowable { tables, reason } => self.unfollowable(&tables, &reason, at),
            }
        }
        self.flush()
    }

    /// The history. `end`: the time of the last event of the last file, or `None` when reading stopped early (`stopped` says why).
    #[must_use]
    pub fn finish(self, server_id: ServerId, log: LogEnds) -> History {
        let last = self.moments.iter().map(|m| m.committed).max();
        let newest = match (log.end, last) {
            // A log that goes on can have another commit stamped with the second of its last one.
            (None, last) if whole_seconds(&self.moments) => {
                Instant::from_micros(last.unwrap_or(log.start).micros() - 1)
            }
            // The last event's own time is known to the second.
            (Some(end), Some(last)) => last.max(end),
            (end, last) => end.or(last).unwrap_or(log.start),
        };
        let gtids = GtidIndex::new(&self.moments, log.previous);
        History {
            server_id,
            catalog: self.catalog,
            names: self.names,
            moments: Moments::new(self.moments, self.next),
            gtids,
            spaces: self.spaces,
            store: Box::new(self.store),
            coverage: Coverage { oldest: log.start, newest },
            stopped: log.stopped,
            changes: self.changes,
            heads: OnceLock::new(),
        }
    }

    fn take_number(&mut self) -> Sequence {
        let at = self.next;
        self.next = at.next();
        at
    }

    fn new_space(&mut self, space: Space) -> SpaceId {
        let id = SpaceId(u32::try_from(self.spaces.len()).unwrap_or(u32::MAX));
        self.spaces.push(space);
        id
    }

    fn space_mut(&mut self, id: SpaceId) -> Option<&mut Space> {
        self.spaces.get_mut(id.0 as usize)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let batch = self.pending.take();
        if batch.is_empty() { Ok(()) } else { self.store.apply(batch) }
    }
}

/// Whether commit times are known to the second only.
fn whole_seconds(moments: &[Moment]) -> bool {
    moments.iter().all(|m| m.committed.micros() % 1_000_000 == 0)
}

/// What the log says of itself as a whole.
#[derive(Clone, Debug)]
pub struct LogEnds {
    /// Time of the first event.
    pub start: Instant,
    /// Time of the last event; `None` when reading stopped early.
    pub end: Option<Instant>,
    /// GTIDs executed before the first file.
    pub previous: Option<GtidSet>,
    /// Why reading stopped early.
    pub stopped: Option<String>,
}
