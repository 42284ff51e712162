//! How a transaction begins, takes changes in, and ends.

use super::super::event::Event;
use super::super::savepoints::Savepoints;
use super::super::{
    BinlogPosition, Change, CommittedTransaction, Origin, SpillError, TransactionChanges, stamp,
};
use super::{Assembly, Open};

/// The part of the memory for transactions that one of them may take when all of them together are
/// over it.
const SMALL: usize = 256;

/// What ends the DROP TABLE that MariaDB logs for a CREATE OR REPLACE TABLE ... SELECT that failed.
const FAILED_REPLACE: &str = "/* Generated to handle failed CREATE OR REPLACE */";

impl Assembly {
    pub(super) fn begin(&mut self, event: &Event, connection: Option<u32>, client: Option<u16>) {
        self.began = None;
        self.open = Some(Open {
            position: self.position(event),
            elsewhere: false,
            changes: TransactionChanges::default(),
            savepoints: Savepoints::default(),
            connection,
            client,
        });
    }

    pub(super) fn entry(
        &mut self,
        event: &Event,
        position: BinlogPosition,
        connection: Option<u32>,
        changes: TransactionChanges,
    ) -> CommittedTransaction {
        let announced = self.announced.take();
        let offset = if announced.is_some() { self.announced_at } else { position.offset };
        let connection = connection.or_else(|| announced.as_ref()?.connection);
        let relayed = announced.as_ref().is_some_and(|a| a.relayed);
        let origin = Origin { server: event.server, connection, offset, relayed };
        let began = self.began.take().filter(|_| changes.has_rows());
        let (committed, stamp) = stamp::of(event, announced.as_ref(), began, self.server);
        CommittedTransaction {
            gtid: announced.and_then(|a| a.gtid),
            committed,
            stamp,
            position,
            origin,
            changes,
        }
    }

    pub(super) fn commit(&mut self, event: &Event) -> Option<CommittedTransaction> {
        self.statement_ends();
        let open = self.open.take()?;
        Some(self.entry(event, open.position, open.connection, open.changes))
    }

    /// A transaction that changes nothing here, and counts as executed all the same if it has an
    /// id.
    pub(super) fn nothing(&mut self, event: &Event) -> Option<CommittedTransaction> {
        self.open = None;
        let position = self.position(event);
        self.announced.is_some().then(|| self.entry(event, position, None, TransactionChanges::default()))
    }

    /// What is rolled back never was; but for the table that MariaDB dropped for a CREATE OR
    /// REPLACE TABLE ... SELECT that failed.
    pub(super) fn rolled_back(&mut self, event: &Event) -> Result<Option<CommittedTransaction>, SpillError> {
        let stays =
            |c: &Change| matches!(c, Change::Statement(s) if s.sql.trim_end().ends_with(FAILED_REPLACE));
        if let Some(open) = &mut self.open {
            open.changes.retain(stays)?;
            if !open.changes.is_empty() {
                return Ok(self.commit(event));
            }
        }
        Ok(self.nothing(event))
    }

    /// A change of its own: inside of the open transaction, or an entry at once.
    pub(super) fn change(
        &mut self,
        event: &Event,
        change: Change,
    ) -> Result<Option<CommittedTransaction>, SpillError> {
        if self.open.is_some() {
            self.push(change)?;
            return Ok(None);
        }
        let position = self.position(event);
        let connection = if let Change::Statement(statement) = &change { statement.connection } else { None };
        Ok(Some(self.entry(event, position, connection, vec![change].into())))
    }

    /// Another change of the open transaction.
    pub(super) fn push(&mut self, change: Change) -> Result<(), SpillError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.changes.push(change)?;
        let used = open.changes.memory().saturating_add(self.prepared_memory);
        // Small ones are left alone: a file of its own for each would cost more than it gives.
        if used > self.spill.memory && open.changes.memory() > self.spill.memory / SMALL {
            open.changes.spill(&self.spill, &open.savepoints.marks())?;
        }
        Ok(())
    }

    pub(super) fn unfollowable(
        &mut self,
        event: &Event,
        reason: &str,
    ) -> Result<Option<CommittedTransaction>, SpillError> {
        self.change(event, Change::Unfollowable { tables: Vec::new(), reason: reason.to_owned() })
    }
}
