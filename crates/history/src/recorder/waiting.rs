//! What was learned out of band, until the log is taken in up to where it was learned.

use super::Recorder;
use crate::binlog_position::BinlogPosition;
use crate::capture::{BaselineRows, ClockReading, Looked, SessionsLook, ValidFrom};
use crate::engine::StoreError;
use dbtrail_types::names::TableName;

/// What waits for the log.
#[derive(Debug)]
pub(super) enum Waiting {
    Clock(ValidFrom<ClockReading>),
    Definition(ValidFrom<Looked>),
    Sessions(ValidFrom<SessionsLook>),
    Baseline(ValidFrom<BaselineRows>, tokio::sync::oneshot::Sender<bool>),
}

impl Waiting {
    pub(super) fn after(&self) -> &BinlogPosition {
        match self {
            Self::Clock(b) => &b.after,
            Self::Definition(b) => &b.after,
            Self::Sessions(b) => &b.after,
            Self::Baseline(b, _) => &b.after,
        }
    }
}

impl Recorder {
    /// What waits for positions in the log of another server, or in front of a gap, waits for
    /// nothing. Gives the tables that are not compared now; the clock comes again by itself, and so
    /// do rows.
    pub(super) fn forget_waiting(&mut self) -> Vec<TableName> {
        let mut names: Vec<TableName> = std::mem::take(&mut self.touched).into_keys().collect();
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Definition(learned) => names.push(learned.what.name),
                // Whoever sent rows waits for this word.
                Waiting::Baseline(_, answer) => drop(answer.send(false)),
                Waiting::Clock(_) | Waiting::Sessions(_) => {}
            }
        }
        self.last_fault = None;
        names
    }

    /// Whether the log that is followed is certainly the one whose positions the record has. Where
    /// a server's log was begun again, the new one can be as long as the old one: what was learned
    /// at its end would hold for rows of the old one.
    fn is_same_log(&self) -> bool {
        !self.awaiting_resync && !self.reconnected && self.expected.is_none()
    }

    /// Takes what waited for the log to come this far.
    pub(super) fn reached(&mut self) -> Result<(), StoreError> {
        while self.is_same_log()
            && self.waiting.front().is_some_and(|w| self.reader.position().reaches(w.after()))
        {
            match self.waiting.pop_front() {
                Some(Waiting::Clock(learned)) => self.clock(&learned.what)?,
                Some(Waiting::Definition(learned)) => self.definition(&learned.what),
                Some(Waiting::Sessions(learned)) => self.sessions(&learned),
                Some(Waiting::Baseline(learned, answer)) => {
                    let kept = self.baseline(&learned.what)?;
                    self.commit()?;
                    let _ = answer.send(kept);
                }
                None => {}
            }
        }
        Ok(())
    }
}
