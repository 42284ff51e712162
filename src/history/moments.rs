//! Instants to places in the log.
//!
//! The order of commits is the order of the log, also where clocks step back. The state at an instant T is the state after the
//! longest prefix of the log whose every entry was committed at or before T: never half a transaction. Where the clock stepped back,
//! later entries may bear times at or before T as well; then the state at T is certain only for what none of those entries changed. [`Cut`]
//! carries both ends of that doubtful stretch, and the query refuses what lies inside of it.
//!
//! The commit time is the stamp that the log gives. MariaDB and MySQL 5.7 log whole seconds: there `AS OF 12:00:00` holds every commit stamped
//! 12:00:00, and so does `12:00:00.5`; two commits of one second cannot be told apart by time, only by GTID.

use super::log::Gtid;
use super::store::Sequence;
use crate::instant::Instant;

/// One committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its first change (or the first of the next entry, if it has none).
    pub first: Sequence,
    /// Its commit time.
    pub committed: Instant,
    /// Its id.
    pub gtid: Option<Gtid>,
}

/// A place between two changes. All versions before `at` are in; `doubtful` is `at`, or further where the clock stepped back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first change that is not in.
    pub at: Sequence,
    /// Up to here (exclusive), entries are stamped both before and after the instant.
    pub doubtful: Sequence,
}

/// All entries, in the order of the log.
#[derive(Debug)]
pub struct Moments {
    entries: Vec<Moment>,
    /// The latest commit time up to each entry.
    latest: Vec<Instant>,
    /// The earliest commit time from each entry on.
    earliest: Vec<Instant>,
    /// Behind the last change.
    end: Sequence,
}

impl Moments {
    /// Of entries in the order of the log; `end` is behind the last change.
    #[must_use]
    pub fn new(entries: Vec<Moment>, end: Sequence) -> Self {
        let mut latest: Vec<Instant> = entries.iter().map(|e| e.committed).collect();
        let mut earliest = latest.clone();
        for i in 1..latest.len() {
            latest[i] = latest[i].max(latest[i - 1]);
        }
        for i in (1..earliest.len()).rev() {
            earliest[i - 1] = earliest[i - 1].min(earliest[i]);
        }
        Self { entries, latest, earliest, end }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The place behind the `count` first entries.
    #[must_use]
    pub fn behind(&self, count: usize) -> Sequence {
        self.entries.get(count).map_or(self.end, |e| e.first)
    }

    /// The state at an instant.
    #[must_use]
    pub fn cut(&self, at: Instant) -> Cut {
        let prefix = self.latest.partition_point(|t| *t <= at);
        let last = self.earliest.partition_point(|t| *t <= at);
        Cut { at: self.behind(prefix), doubtful: self.behind(prefix.max(last)) }
    }

    /// The smallest stretch of the log that holds every entry committed in `[since, until]`. Other entries may lie in it too.
    #[must_use]
    pub fn stretch(&self, since: Instant, until: Instant) -> (Sequence, Sequence) {
        let from = self.latest.partition_point(|t| *t < since);
        let to = self.earliest.partition_point(|t| *t <= until);
        (self.behind(from), self.behind(to.max(from)))
    }

    /// The entry of a change.
    #[must_use]
    pub fn of(&self, sequence: Sequence) -> Option<&Moment> {
        let behind = self.entries.partition_point(|e| e.first <= sequence);
        self.entries.get(behind.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of two changes each, committed at these times.
    fn moments(times: &[i64]) -> Moments {
        let entries = times.iter().zip(0_u64..).map(|(t, i)| Moment {
            first: Sequence(1 + 2 * i),
            committed: Instant::from_micros(*t),
            gtid: None,
        });
        Moments::new(entries.collect(), Sequence(1 + 2 * times.len() as u64))
    }

    #[test]
    fn the_state_at_an_instant_is_a_prefix_of_the_log() {
        for (times, at, want) in [
            (&[10, 20, 20, 30][..], 9, (1, 1)),
            (&[10, 20, 20, 30], 10, (3, 3)),
            (&[10, 20, 20, 30], 19, (3, 3)),
            (&[10, 20, 20, 30], 20, (7, 7)),
            (&[10, 20, 20, 30], 99, (9, 9)),
            // The clock stepped back: at 15 the second entry (20) is not in, but the third is stamped 12.
            (&[10, 20, 12, 30], 15, (3, 7)),
            (&[10, 20, 12, 30], 20, (7, 7)),
            (&[10, 20, 12, 30], 11, (3, 3)),
            (&[], 5, (1, 1)),
        ] {
            let cut = moments(times).cut(Instant::from_micros(at));
            assert_eq!((cut.at.0, cut.doubtful.0), want, "{times:?} at {at}");
        }
    }

    #[test]
    fn a_stretch_holds_every_entry_of_the_window() {
        for (times, since, until, want) in [
            (&[10, 20, 30][..], 10, 20, (1, 5)),
            (&[10, 20, 30], 11, 29, (3, 5)),
            (&[10, 20, 30], 21, 29, (5, 5)),
            (&[10, 20, 12, 30], 11, 13, (3, 7)),
        ] {
            let (from, to) = moments(times).stretch(Instant::from_micros(since), Instant::from_micros(until));
            assert_eq!((from.0, to.0), want, "{times:?} {since}..{until}");
        }
    }

    #[test]
    fn a_change_knows_its_entry() {
        let m = moments(&[10, 20]);
        let at = |s| m.of(Sequence(s)).map(|e| e.committed.micros());
        assert_eq!([at(0), at(1), at(2), at(3), at(4)], [None, Some(10), Some(10), Some(20), Some(20)]);
    }
}
