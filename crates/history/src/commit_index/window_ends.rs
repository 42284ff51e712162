//! Entries of which it is not known on which side of a window's end they were committed: logs of
//! whole seconds (MariaDB, MySQL 5.7) do not tell what happened before `09:00:00.5`.
//!
//! A window is compared with commit times as the log has them. Where these are exact (MySQL 8), or
//! the end is a whole second as they are, that is the answer; where the end lies inside of the time
//! in which an entry became visible, there is none.

use super::{ChangeSequence, Commit, CommitIndex, Page, StoreError};
use crate::log::Gtid;
use dbtrail_types::timestamp::Timestamp;

const SECOND: i64 = 1_000_000;

/// An end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowEnd {
    /// The first instant that belongs to it.
    Since(Timestamp),
    /// The last instant that belongs to it.
    Until(Timestamp),
}

/// An entry that may lie on either side of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Straddling {
    /// The end.
    pub end: WindowEnd,
    /// The entry.
    pub commit: Commit,
    /// After its last change.
    pub following: ChangeSequence,
}

pub(super) fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(1))
}

fn is_full_second(at: Timestamp) -> bool {
    at.micros().rem_euclid(SECOND) == 0
}

impl WindowEnd {
    /// The first instant on the far side of the end. A whole second ends with its last microsecond
    /// for times that are whole seconds: they tell no more.
    fn border(self, commit: &Commit) -> Timestamp {
        match self {
            Self::Since(since) => since,
            Self::Until(until) if is_full_second(until) && is_full_second(commit.committed) => {
                Timestamp::from_micros(until.micros().saturating_add(SECOND))
            }
            Self::Until(until) => after(until),
        }
    }

    /// Whether the log leaves open on which side of this end an entry is.
    fn is_in_doubt(self, commit: &Commit) -> bool {
        let inexact = is_full_second(commit.committed) || matches!(commit.gtid, Some(Gtid::MariaDb { .. }));
        let border = self.border(commit);
        inexact && commit.committed < border && border < commit.visible
    }
}

impl CommitIndex<'_> {
    /// The entries that may lie on either side of an end of a window, in the order of the log.
    ///
    /// # Errors
    /// The engine failed.
    pub fn straddling(&self, end: WindowEnd) -> Result<Vec<Straddling>, StoreError> {
        let mut found = Vec::new();
        if !self.clock.wide {
            return Ok(found);
        }
        let last = match end {
            WindowEnd::Since(since) => since.micros().saturating_sub(1),
            WindowEnd::Until(until) if is_full_second(until) => until.micros().saturating_add(SECOND - 1),
            WindowEnd::Until(until) => until.micros(),
        };
        let position = self.cut(Timestamp::from_micros(last))?;
        let (mut at, mut page) = (position.at, Page::default());
        while at < position.doubtful {
            let Some(commit) = self.of_near(at, &mut page)?.cloned() else { break };
            let entry = page.entries.partition_point(|m| m.first <= at).saturating_sub(1);
            let following = page.end_of(entry).max(at.next());
            if end.is_in_doubt(&commit) {
                found.push(Straddling { end, commit, following });
            }
            at = following;
        }
        Ok(found)
    }
}
