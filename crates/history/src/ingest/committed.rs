//! Committed transactions, one after the other, and the history that comes of them.

use super::{Ingest, LogEnds, cascade};
use crate::commit_index::Commit;
use crate::engine::{Batch, StoreError, StoreFault};
use crate::gtid::Gtids;
use crate::log::{Change, CommittedTransaction, Gtid};
use crate::record::{Coverage, History, RetentionHorizon};
use crate::store::ChangeSequence;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;

/// After this change no entry begins: the last one may have as many changes as any transaction has.
const RESERVE: ChangeSequence = ChangeSequence(ChangeSequence::LAST.0 - (1 << 40));

impl Ingest {
    /// Takes one entry in, visible when its log says.
    ///
    /// # Errors
    /// The store failed.
    pub fn entry(&mut self, entry: CommittedTransaction) -> Result<(), StoreError> {
        let visible = entry.stamp.visible(entry.committed);
        self.entry_seen(entry, visible)
    }

    /// Takes one entry in that everybody could see from `visible` on.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) fn entry_seen(
        &mut self,
        entry: CommittedTransaction,
        visible: Timestamp,
    ) -> Result<(), StoreError> {
        if self.next > RESERVE {
            return Err(StoreFault::RecordFull.into());
        }
        self.under = cascade::Under::default();
        self.without_transactions = entry.stamp.is_of_rows_without_transactions();
        let committed = entry.committed;
        let visible = visible.max(committed);
        let commit_entry = Commit { first: self.next, committed, visible, gtid: entry.gtid };
        for change in entry.changes {
            match change.map_err(|e| StoreFault::Transaction(e.to_string()))? {
                Change::Rows(mut event) => {
                    self.fold(&mut event);
                    self.inserts_in_bulk(&event)?;
                    self.rows(&event, &entry.position.file)?;
                }
                Change::Statement(statement) => {
                    let at = self.take_number();
                    self.forget_observed();
                    self.dirty.catalog = true;
                    self.note_statement(&statement, at);
                    for effect in Arc::make_mut(&mut self.catalog).apply(&statement) {
                        self.effect(effect, at)?;
                    }
                    Arc::make_mut(&mut self.catalog).note_renames(at);
                    self.touch_renames(at);
                    self.end_statement();
                }
                Change::Unfollowable { tables, reason } => {
                    let at = self.take_number();
                    let tables: Vec<TableName> = tables.into_iter().map(|t| self.catalog.folded(t)).collect();
                    self.unfollowable(&tables, &reason, at);
                }
            }
        }
        self.bulk_inserts_end();
        if let Some(gtid) = &commit_entry.gtid {
            self.gtids.note(gtid);
        }
        self.note_commit(commit_entry.first, entry.origin, &entry.position.file);
        self.entries.note(&mut self.batch, commit_entry, self.next);
        Ok(())
    }

    /// What comes next does not follow at once on what was taken in.
    pub(crate) fn interrupt(&mut self) {
        self.entries.close(&mut self.batch);
    }

    /// Whether a transaction was taken in before.
    pub(crate) fn has(&mut self, gtid: &Gtid) -> Result<bool, StoreError> {
        let snapshot = self.committed();
        let gtids = Gtids { snapshot: &*snapshot, state: &self.gtids, dropped: false };
        gtids.has(gtid).map_err(|e| StoreFault::Gtids(e.to_string()).into())
    }

    /// The history of log files. `end`: the time of the last event of the last file, or `None` when
    /// reading stopped early (`stopped` says why).
    ///
    /// # Errors
    /// The store failed.
    pub fn finish(mut self, server_id: ServerId, log: LogEnds) -> Result<History, StoreError> {
        self.commit(&Batch::default())?;
        let newest = log.newest(self.entries.clock.latest, self.entries.clock.fractions);
        if let Some(previous) = log.previous {
            self.gtids.begin(ChangeSequence(0), previous);
        }
        let coverage = Coverage { oldest: log.start, newest };
        let mut history = self.history(server_id, coverage);
        history.stopped = log.stopped;
        Ok(history)
    }

    /// The history as of the last commit.
    pub(crate) fn history(&mut self, server_id: ServerId, coverage: Coverage) -> History {
        History {
            server_id,
            catalog: Arc::clone(&self.catalog),
            names: Arc::clone(&self.names),
            generations: Arc::clone(&self.generations),
            snapshot: self.committed(),
            end: self.next,
            clock: self.entries.clock.clone(),
            pages: Arc::clone(&self.pages),
            gtids: self.gtids.clone(),
            coverage,
            log_gaps: Arc::default(),
            horizon: RetentionHorizon::default(),
            stopped: None,
            changes: self.changes,
            unchecked: self.has_unchecked(),
        }
    }
}
