//! Foreign keys that differ from the server's.
//!
//! MariaDB shows a child with the new name of its parent a little before it logs the RENAME, and
//! does not make whoever looks at the child wait for it, so that one look may be ahead of the log.
//! What is seen again some seconds later is in the log, if it ever will be.

use super::Recorder;
use crate::capture::CaptureCommand;
use crate::schema::Difference;
use dbtrail_types::names::TableName;
use std::time::{Duration, Instant as Timer};

/// From one look to the next.
const LATER: Duration = Duration::from_secs(2);

/// A difference that was seen once.
#[derive(Debug)]
pub(super) struct SeenOnce {
    difference: Difference,
    at: Timer,
    asked: bool,
}

impl Recorder {
    /// Whether a difference is to be believed: where columns differ, or for the second time.
    pub(super) fn is_believed(&mut self, name: &TableName, create: &str, difference: &Difference) -> bool {
        if !self.ingest.catalog.has_columns(name, create, self.version()) {
            return true;
        }
        let before = self.seen_once.remove(name);
        if before.is_some_and(|seen| seen.difference == *difference && seen.at.elapsed() >= LATER) {
            return true;
        }
        tracing::debug!(table = %name, "is looked at again: {difference}");
        let seen = SeenOnce { difference: difference.clone(), at: Timer::now(), asked: false };
        self.seen_once.insert(name.clone(), seen);
        false
    }

    /// Asks for those that are to be looked at again.
    pub(super) fn look_again(&mut self) {
        let due: Vec<TableName> = self
            .seen_once
            .iter_mut()
            .filter(|(_, seen)| !seen.asked && seen.at.elapsed() >= LATER)
            .map(|(name, seen)| {
                seen.asked = true;
                name.clone()
            })
            .collect();
        if !due.is_empty() {
            self.command(CaptureCommand::Compare(due));
        }
    }
}
