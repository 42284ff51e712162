//! From when on everybody could see a commit: by its stamp, by when it came, and by how long the
//! server waits between the two.
//!
//! The log alone tells it to the second at best (MariaDB, MySQL 5.7), and where a statement is
//! stamped with its beginning not even that. What is read live tells more: what follows the end of
//! the log at one reading of the server's clock was committed after it, and what lies before the
//! end at another reading, or has come, was committed before that. What was logged while nobody
//! looked (the agent was away) is known by its stamp.
//!
//! A clock that is set back shows the same times twice: what changed from then on is in doubt at
//! each of them. Where it was read, that is known also of times at which nothing was committed.

mod early;
mod set_back;

use super::{Recorder, Waiting};
use crate::binlog_position::{BinlogPosition, Identity};
use crate::capture::{ClockReading, ValidFrom};
use crate::commit_index::Blurred;
use crate::log::{CommittedTransaction, Gtid, SourceTime, Stamp};
use crate::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;
use early::Early;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant as Timer};

const SECOND: i64 = 1_000_000;
/// What a server takes from the end of its waiting to the commit in the engine, generously. Seen: 8
/// ms.
const AFTER_WAITING: Duration = Duration::from_millis(100);
/// Readings of the clock that are remembered: they come twice a second, and events may be taken in
/// some seconds after they came.
const READINGS: usize = 16;

/// What is known of the server's clock since this connection.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// The last readings that came, whether the log is there yet or not: what the clock showed, and
    /// when it was asked for here.
    came: VecDeque<(Timestamp, Timer)>,
    /// The end of the log at the first reading: what follows it was logged while the clock was
    /// watched.
    watched: Option<BinlogPosition>,
    /// What the clock showed at the last reading up to which the log was taken in.
    reached: Option<Timestamp>,
    /// When that was, here: when it was asked for, and how long it took.
    reached_at: Option<(Timer, Duration)>,
    /// The clock was set back, and has not yet come to what it had shown: what it shows twice, and
    /// what changed meanwhile.
    twice: Option<Blurred>,
    /// What was in the log before its stamp, until the next reading shows why.
    early: Option<Early>,
    /// The change that came next then, and the longest that the server waited by that reading.
    settled: Option<(ChangeSequence, Duration)>,
    /// The longest that the server waits between the stamp of a commit and showing it, by all
    /// readings that may concern what comes.
    delay: Duration,
    /// The log has the times of another server.
    follows: bool,
    /// The last commit time of what was applied, by domain (MariaDB) or server.
    applied: BTreeMap<u128, Timestamp>,
}

/// Later by this much.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

/// Whether a GTID's source is this server itself.
fn is_uuid_of(server: &Identity, source: [u8; 16]) -> bool {
    let own = server.uuid.as_deref().map(|uuid| uuid.replace('-', "").to_lowercase());
    own.is_some_and(|own| own == hex::encode(source))
}

impl Sight {
    /// A reading has come.
    pub(super) fn came(&mut self, reading: &ValidFrom<ClockReading>) {
        if self.came.len() >= READINGS {
            self.came.pop_front();
        }
        self.came.push_back((reading.what.now, reading.what.asked));
        self.watched.get_or_insert_with(|| reading.after.clone());
        self.delay = self.delay.max(reading.what.delay);
        self.follows = reading.what.follows;
    }

    /// A transaction of this commit time was taken in.
    pub(super) fn took(&mut self, gtid: Option<&Gtid>, committed: Timestamp, server: &Identity) {
        if !self.follows {
            return;
        }
        let from = match gtid {
            Some(Gtid::MariaDb { server: from, .. }) if *from == server.server_id => return,
            Some(Gtid::MySql { source, .. }) if is_uuid_of(server, *source) => return,
            Some(Gtid::MariaDb { domain, .. }) => u128::from(*domain),
            Some(Gtid::MySql { source, .. }) => u128::from_be_bytes(*source),
            None => 0,
        };
        let last = self.applied.entry(from).or_insert(committed);
        *last = committed.max(*last);
    }

    /// The newest instant by what was applied: another commit of the same time may follow, from
    /// each of the sources.
    pub(super) fn applied(&self) -> Option<Timestamp> {
        let last = self.applied.values().min().filter(|_| self.follows)?;
        Some(Timestamp::from_micros(last.micros() - 1))
    }

    /// The server's clock cannot have been later than this at that time, by the last reading
    /// before it.
    fn clock_at(&self, time: Timer) -> Option<Timestamp> {
        let before = self.came.iter().rev().find(|(_, asked)| *asked <= time);
        let (shown, asked) = before.or_else(|| self.came.front())?;
        Some(later(*shown, time.saturating_duration_since(*asked)))
    }

    /// Whether the entry that ends here was logged while the clock was watched.
    fn saw(&self, end: &BinlogPosition) -> bool {
        self.watched.as_ref().is_some_and(|from| end.compare(from) == Some(Ordering::Greater))
    }

    /// The clock had shown this for certain when it was first watched, by all readings that are
    /// remembered.
    fn least(&self) -> Option<Timestamp> {
        self.came.iter().map(|(shown, _)| *shown).min()
    }

    /// The clock went on from the last reading that was reached: it was not set back since.
    fn runs(&self) -> Option<Timestamp> {
        self.reached.filter(|reached| self.came.back().is_some_and(|(shown, _)| shown >= reached))
    }
}

impl Recorder {
    /// From when on everybody could see the entry that ends here; raises its commit time where that
    /// is known to be later than the log says.
    pub(super) fn visible(
        &mut self,
        entry: &mut CommittedTransaction,
        end: &BinlogPosition,
        received: Timer,
    ) -> Timestamp {
        let sight = &self.sight;
        if sight.follows || self.options.source_time == SourceTime::Original {
            // Times of the source. What it stamped at or before an instant that was answered
            // already counts from after it on: no answer changes.
            let answered = self.state.as_ref().map(|s| s.coverage.newest);
            let not_before = answered.map(|at| later(at, Duration::from_micros(1)));
            entry.committed = entry.committed.max(not_before.unwrap_or(entry.committed));
        }
        if sight.follows {
            return entry.stamp.visible(entry.committed);
        }
        let logged = entry.stamp.visible(entry.committed);
        let (from, mut early) = (self.ingest.next, None);
        let visible = match entry.stamp {
            Stamp::Commit | Stamp::Span(_) => logged,
            Stamp::Second | Stamp::Start if !sight.saw(end) => logged,
            Stamp::Second | Stamp::Start => {
                let runs = sight.runs();
                // In whole seconds, as all commit times of such a server.
                let second = |at: Timestamp| Timestamp::from_micros(at.micros().div_euclid(SECOND) * SECOND);
                let stamped = entry.committed;
                if let Some(reached) = runs {
                    entry.committed = entry.committed.max(second(reached));
                }
                let by = self.logged_by(end, received);
                match by {
                    // It was in the log before its stamp.
                    Some(by) if by < stamped && self.options.source_time == SourceTime::Local => {
                        entry.committed = second(runs.or(sight.least()).unwrap_or(by)).min(by);
                        early = Some(Early { from, since: entry.committed, stamped, until: logged });
                        by
                    }
                    // A commit is stamped in its second, unless it was held up.
                    Some(by) if entry.stamp == Stamp::Second && runs.is_none_or(|r| r < logged) => {
                        by.min(logged)
                    }
                    Some(by) => by,
                    None => logged,
                }
            }
        };
        let delay = sight.delay;
        if let Some(early) = early {
            self.sight.note_early(early);
        }
        if delay.is_zero() { visible } else { later(visible, delay + AFTER_WAITING) }
    }

    /// The server's clock when the entry that ends here was in the log for certain.
    fn logged_by(&self, end: &BinlogPosition, received: Timer) -> Option<Timestamp> {
        let reading = self.waiting.iter().find_map(|waiting| match waiting {
            Waiting::Clock(reading) if reading.after.reaches(end) => Some(&reading.what),
            Waiting::Clock(_) | Waiting::Definition(_) | Waiting::Sessions(_) | Waiting::Baseline(..) => None,
        });
        let read = reading.map(|reading| later(reading.now, reading.took));
        match (read, self.sight.clock_at(received)) {
            (Some(read), Some(now)) => Some(read.min(now)),
            (read, now) => read.or(now),
        }
    }

    /// The log is taken in up to a reading of the clock.
    pub(super) fn sight_reached(&mut self, reading: &ClockReading) {
        let next = self.ingest.next;
        if let Some((from, delay)) = self.sight.settled
            && reading.delay > delay
            && from < next
        {
            // The server was made to wait at some time since the last reading: what came between
            // may have been seen that much later than is noted.
            let until = later(reading.now, reading.took + reading.delay + AFTER_WAITING);
            let since = self.sight.reached.unwrap_or(reading.now);
            self.ingest.entries.clock.blur(Blurred { from, to: next, since, until });
            self.unwritten = true;
        }
        self.look_back(reading, next);
        self.look_ahead(reading, next);
        let waiting = self.waiting.iter().filter_map(|waiting| match waiting {
            Waiting::Clock(reading) => Some(reading.what.delay),
            Waiting::Definition(_) | Waiting::Sessions(_) | Waiting::Baseline(..) => None,
        });
        self.sight.delay = waiting.max().unwrap_or_default().max(reading.delay);
        self.sight.settled = Some((next, reading.delay));
        self.sight.reached = Some(reading.now);
        self.sight.reached_at = Some((reading.asked, reading.took));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_in_late_counts_by_when_it_came() {
        let (start, mut sight) = (Timer::now(), Sight::default());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(sight.clock_at(at(0)), None);
        for i in 0..20_u32 {
            // Two readings a second, by a clock that is ten seconds further.
            let now = Timestamp::from_micros(10_000_000 + i64::from(i) * 500_000);
            let reading = ClockReading {
                now,
                safe: None,
                asked: at(u64::from(i) * 500),
                took: Duration::ZERO,
                delay: Duration::ZERO,
                follows: false,
            };
            let after = BinlogPosition { file: "binlog.000001".to_owned(), offset: 4 };
            sight.came(&ValidFrom { after, what: reading });
        }
        let shown = |millis| sight.clock_at(at(millis)).map(Timestamp::micros);
        assert_eq!(shown(9_600), Some(19_600_000));
        // It came long before the last reading, and is taken in now.
        assert_eq!(shown(7_200), Some(17_200_000));
        // Before all that are remembered: their first is late enough.
        assert_eq!(shown(100), Some(12_000_000));
    }
}
