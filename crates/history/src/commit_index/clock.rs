//! The clock of the commits: how far it has got, and where it is blurred.

use super::super::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// What must be remembered from one entry to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// How many entries there were.
    pub entries: u64,
    /// The latest commit time so far.
    pub latest: Option<Timestamp>,
    /// The latest commit time in the pages that are full.
    pub(super) maximum: Option<Timestamp>,
    /// The entries since the clock stepped back, if it has not caught up: the first change, and the
    /// last time.
    pub(super) run: Option<(ChangeSequence, Timestamp)>,
    /// The furthest that an entry was stamped before the latest one, in microseconds.
    pub(super) deepest: i64,
    /// A commit time was not a whole second.
    pub fractions: bool,
    /// The latest time at which an entry could be seen.
    #[serde(default)]
    pub(super) visible: Option<Timestamp>,
    /// The same in the pages that are full.
    #[serde(default)]
    pub(super) visible_maximum: Option<Timestamp>,
    /// Some entry could be seen later than it was committed.
    #[serde(default)]
    pub(super) wide: bool,
    /// Stretches of which it became known too late how long the server had waited with them.
    #[serde(default)]
    pub(super) blurred: Vec<Blurred>,
}

/// Entries that became visible at some time inside of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blurred {
    /// The first change.
    pub from: ChangeSequence,
    /// After the last one.
    pub to: ChangeSequence,
    /// None of them was seen before.
    pub since: Timestamp,
    /// All of them could be seen from here on.
    pub until: Timestamp,
}

impl Clock {
    /// Stretches that are remembered; the two oldest become one then.
    pub(super) const BLURRED: usize = 64;

    /// Notes a range.
    pub fn blur(&mut self, range: Blurred) {
        if self.blurred.len() >= Self::BLURRED && self.blurred.len() > 1 {
            let Blurred { from, since, .. } = self.blurred.remove(0);
            if let Some(next) = self.blurred.first_mut() {
                next.from = next.from.min(from);
                next.since = next.since.min(since);
            }
        }
        self.blurred.push(range);
    }

    /// Notes a range, of which a part was noted last, or may have been.
    pub fn blur_up_to(&mut self, range: Blurred) {
        let same = |noted: &Blurred| Blurred { to: range.to, ..*noted } == range;
        match self.blurred.last_mut() {
            Some(noted) if same(noted) => noted.to = range.to,
            Some(_) | None => self.blur(range),
        }
    }
}
