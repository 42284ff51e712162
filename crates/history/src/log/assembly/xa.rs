//! XA transactions: rows that are prepared, and kept until another event commits them.

use super::super::bytes::Bytes;
use super::super::event::Event;
use super::super::{BinlogPosition, CommittedTransaction, LogFault, LoggedStatement, SpillError, TakeError};
use super::{Assembly, Open};
use std::fmt::Write;

/// Prepared XA transactions kept at most; a server allows few (`max_connections`).
const PREPARED: usize = 100_000;

impl Assembly {
    /// XA_PREPARE_LOG_EVENT: one phase (a commit) or two (the rows wait for XA COMMIT).
    pub(super) fn xa_prepare(&mut self, event: &Event) -> Result<Option<CommittedTransaction>, TakeError> {
        let mut body = Bytes(event.body());
        if body.u8()? != 0 {
            return Ok(self.commit(event));
        }
        let format = body.u32()?;
        let (global, branch) = (body.length(4)?, body.length(4)?);
        let mut name = String::new();
        for part in [body.take(global)?, body.take(branch)?] {
            // Writing to a String cannot fail.
            let _ = write!(name, "x'{}',", hex::encode(part));
        }
        let _ = write!(name, "{format}");
        self.statement_ends();
        if let Some(open) = self.open.take() {
            if self.prepared.len() >= PREPARED {
                return Err(LogFault::TooManyPrepared.into());
            }
            self.take_prepared(&name);
            self.prepared_memory += open.changes.memory();
            self.prepared.insert(name, open);
        }
        Ok(self.nothing(event))
    }

    /// Where the oldest prepared transaction begins that this server's log has.
    pub(in crate::log) fn oldest_prepared(&self) -> Option<&BinlogPosition> {
        let order = |a: &BinlogPosition, b: &BinlogPosition| {
            a.compare(b).unwrap_or_else(|| (&a.file, a.offset).cmp(&(&b.file, b.offset)))
        };
        let here = self.prepared.values().filter(|open| !open.elsewhere);
        here.map(|open| &open.position).min_by(|a, b| order(a, b))
    }

    /// What comes next is in the log of another server, which has what is prepared elsewhere.
    pub(in crate::log) fn server_changes(&mut self) {
        self.prepared.values_mut().for_each(|open| open.elsewhere = true);
    }

    /// A part of the log was not read: what was prepared before it may have been rolled back there,
    /// and its name given to another transaction.
    pub(in crate::log) fn forget_prepared(&mut self) {
        self.prepared.clear();
        self.prepared_memory = 0;
    }

    pub(super) fn take_prepared(&mut self, name: &str) -> Option<Open> {
        let open = self.prepared.remove(name)?;
        self.prepared_memory = self.prepared_memory.saturating_sub(open.changes.memory());
        Some(open)
    }

    pub(super) fn xa_commit(
        &mut self,
        event: &Event,
        statement: &LoggedStatement,
    ) -> Result<Option<CommittedTransaction>, SpillError> {
        if let Some(Open { connection, changes, .. }) = self.take_prepared(&xa_name(&statement.sql)) {
            self.open = None;
            self.announced.iter_mut().for_each(|a| a.relayed = true);
            return Ok(Some(self.entry(event, self.position(event), connection, changes)));
        }
        self.open = None;
        self.unfollowable(
            event,
            "an XA transaction was committed whose rows were logged before the record begins",
        )
    }
}

/// The XID of an XA statement: lower case, no white space, without options after it.
pub(super) fn xa_name(sql: &str) -> String {
    let following = sql.trim_start().splitn(3, char::is_whitespace).nth(2).unwrap_or_default();
    let lower = following.to_ascii_lowercase().replace("one phase", "");
    let mut name: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    if name.matches(',').count() == 1 {
        name.push_str(",1");
    }
    name
}
