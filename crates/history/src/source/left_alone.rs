//! Tables that cannot be read for a while.

use crate::store::GenerationId;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long a table that cannot be read is left alone: twice as long each time.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Tables that could not be read, until when each is left alone, and for how long that is. The
/// others are read meanwhile.
#[derive(Debug, Default)]
pub(super) struct LeftAlone(HashMap<GenerationId, (Instant, Duration)>);

impl LeftAlone {
    pub(super) fn put(&mut self, table: GenerationId, now: Instant) {
        let pause = self.0.get(&table).map_or(PAUSE, |(_, last)| (*last * 2).min(LONGEST));
        self.0.insert(table, (now + pause, pause));
    }

    /// It can be read.
    pub(super) fn done(&mut self, table: GenerationId) {
        self.0.remove(&table);
    }

    pub(super) fn at(&self, now: Instant) -> Vec<GenerationId> {
        self.0.iter().filter(|(_, (until, _))| *until > now).map(|(table, _)| *table).collect()
    }

    /// When the next of them is tried again.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.0.values().map(|(until, _)| *until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ok_a_table_is_left_alone_for_longer_each_time() {
        let (mut left, now) = (LeftAlone::default(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        left.put(GenerationId(1), now);
        left.put(GenerationId(2), after(1));
        assert_eq!((left.at(now).len(), left.next(now)), (2, Some(after(1))));
        assert_eq!((left.at(after(1)), left.next(after(1))), (vec![GenerationId(2)], Some(after(2))));
        for (at, until) in [(1, 3), (3, 7), (7, 15), (15, 31), (31, 61), (61, 91)] {
            left.put(GenerationId(1), after(at));
            assert_eq!(left.next(after(at).max(after(2))), Some(after(until)));
        }
        assert_eq!((left.at(after(91)), left.next(after(91))), (Vec::new(), None));
        left.done(GenerationId(1));
        left.put(GenerationId(1), after(100));
        assert_eq!(left.next(after(100)), Some(after(101)), "what could be read starts over");
    }
}
