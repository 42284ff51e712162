//! A clock that is set back shows the same times twice: what changed from then on is in doubt at
//! each of them. Where it was read, that is known also of times at which nothing was committed.

use super::super::Recorder;
use super::{Sight, later};
use crate::capture::ClockReading;
use crate::commit_index::Blurred;
use crate::log::SourceTime;
use crate::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;
use std::time::Duration;

/// By how much two clocks may differ between two readings without one of them having been set; and
/// by a tenth of the time between them, where one is corrected by and by.
const JITTER: Duration = Duration::from_millis(100);

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

impl Sight {
    /// What the clock showed twice, if it has been set back between the last reading that was
    /// reached and this one.
    fn set_back(&self, reading: &ClockReading, next: ChangeSequence) -> Option<Blurred> {
        let (reached, (asked, took), (from, _)) = (self.reached?, self.reached_at?, self.settled?);
        // Between the two it went on by `least` at least, and by no more than `most`.
        let least = reading.asked.saturating_duration_since(asked + took);
        let least = least.saturating_sub(least / 10 + JITTER);
        let most = reading.asked.saturating_duration_since(asked) + reading.took + JITTER;
        (reading.now < later(reached, least)).then(|| Blurred {
            from,
            to: next,
            since: earlier(reading.now, most),
            until: later(reached, most),
        })
    }
}

impl Recorder {
    /// Notes what the clock shows twice, where it has been set back.
    pub(super) fn look_back(&mut self, reading: &ClockReading, next: ChangeSequence) {
        if reading.follows || self.options.source_time == SourceTime::Original {
            self.sight.twice = None;
            return;
        }
        let before = self.sight.twice.map(|twice| Blurred { to: next, ..twice });
        let again = self.sight.set_back(reading, next);
        self.sight.twice = match (before, again) {
            // Twice in a row: all that it showed by then.
            (Some(before), Some(again)) => Some(Blurred {
                since: before.since.min(again.since),
                until: before.until.max(again.until),
                ..before
            }),
            (before, again) => again.or(before),
        };
        let Some(twice) = self.sight.twice else { return };
        if twice.from < next {
            self.ingest.entries.clock.blur_up_to(twice);
            self.unwritten = true;
        }
        if reading.now >= twice.until {
            self.sight.twice = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant as Timer;

    const MILLISECOND: i64 = 1000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + millis * MILLISECOND)
    }

    /// A sight whose clock showed 10 s when it was asked at 0 s and answered 20 ms later; what a
    /// reading says that is asked after so many milliseconds.
    fn after(asked: u64, shows: i64) -> Option<Blurred> {
        let start = Timer::now();
        let sight = Sight {
            reached: Some(at(10_000)),
            reached_at: Some((start, Duration::from_millis(20))),
            settled: Some((ChangeSequence(7), Duration::ZERO)),
            ..Sight::default()
        };
        let reading = ClockReading {
            asked: start + Duration::from_millis(asked),
            took: Duration::from_millis(30),
            ..ClockReading::plain(at(shows))
        };
        sight.set_back(&reading, ChangeSequence(9))
    }

    #[test]
    fn a_clock_that_shows_less_than_has_gone_by_was_set_back() {
        for (asked, shows) in [(500, 10_500), (500, 10_350), (500, 99_000), (5_000, 14_400), (0, 10_000)] {
            assert_eq!(after(asked, shows), None, "{shows} after {asked} ms");
        }
        let (from, to) = (ChangeSequence(7), ChangeSequence(9));
        let back = |since, until| Some(Blurred { from, to, since: at(since), until: at(until) });
        assert_eq!(after(500, 3_500), back(2_870, 10_630));
        // By less than it goes on from one reading to the next.
        assert_eq!(after(500, 10_200), back(9_570, 10_630));
    }
}
