//! Transactions that were in the log before their stamps: their sessions have times of their own
//! (MariaDB and MySQL 5.7, `SET timestamp`), or the clock was set forward since it was last read.
//! The next reading shows which: at a clock that is still before the stamp, it was no time of a
//! commit.

use super::super::Recorder;
use super::{Sight, later};
use crate::capture::ClockReading;
use crate::commit_index::Blurred;
use crate::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;

/// One of them, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Early {
    /// The first change.
    pub(super) from: ChangeSequence,
    /// Nobody saw them before.
    pub(super) since: Timestamp,
    /// The earliest stamp.
    pub(super) stamped: Timestamp,
    /// By their stamps, all of them could be seen from here on.
    pub(super) until: Timestamp,
}

impl Sight {
    pub(super) fn note_early(&mut self, next: Early) {
        let all = self.early.map_or(next, |before| Early {
            from: before.from,
            since: before.since.min(next.since),
            stamped: before.stamped.min(next.stamped),
            until: before.until.max(next.until),
        });
        self.early = Some(all);
    }
}

impl Recorder {
    /// Puts in doubt what was early, where the clock may have been set forward.
    pub(super) fn look_ahead(&mut self, reading: &ClockReading, next: ChangeSequence) {
        let Some(Early { from, since, stamped, until }) = self.sight.early.take() else { return };
        if later(reading.now, reading.took) >= stamped {
            self.ingest.entries.clock.blur(Blurred { from, to: next, since, until });
            self.unwritten = true;
        }
    }
}
