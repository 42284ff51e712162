//! When what a server runs can have begun: narrower than the ages of its list of processes, which
//! are whole seconds.
//!
//! A connection that had nothing to do in the list before this one, or was not in it, has begun
//! what it runs now since then.

use std::collections::HashMap;

const SECOND: i64 = 1_000_000;

/// A connection in the list of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) id: Option<u32>,
    /// For how many seconds, cut off, it has run what it runs; `None`: it runs nothing.
    pub(super) age: Option<i64>,
}

/// What the lists before have shown. Times are microseconds by the server's clock.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// When the last list was asked for.
    looked: Option<i64>,
    /// The time before which what a connection runs next, or still runs, has not begun; `None`: not
    /// known.
    since: HashMap<u32, Option<i64>>,
}

impl Running {
    /// Takes note of a list that was asked for at `now`: the time before which nothing that runs
    /// has begun; `None`: nothing runs.
    pub(super) fn earliest(&mut self, now: i64, list: &[Connection]) -> Option<i64> {
        if self.looked.is_some_and(|looked| looked > now) {
            // The clock was set back: what it said before tells nothing.
            *self = Self::default();
        }
        let mut earliest = None;
        let mut since = HashMap::with_capacity(list.len());
        for connection in list {
            let known = match connection.id {
                Some(id) => self.since.get(&id).copied().unwrap_or(self.looked),
                None => None,
            };
            let begun = match connection.age {
                None => Some(now),
                Some(age) => {
                    let by_age = now.saturating_sub(age.max(0).saturating_add(1).saturating_mul(SECOND));
                    let begun = known.map_or(by_age, |known| known.max(by_age));
                    earliest = Some(earliest.map_or(begun, |e: i64| e.min(begun)));
                    known
                }
            };
            if let Some(id) = connection.id {
                since.insert(id, begun);
            }
        }
        self.since = since;
        self.looked = Some(now);
        earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(connections: &[(u32, Option<i64>)]) -> Vec<Connection> {
        connections.iter().map(|&(id, age)| Connection { id: Some(id), age }).collect()
    }

    #[test]
    fn what_was_idle_before_has_begun_since() {
        let mut running = Running::default();
        let mut at = |now: i64, connections: &[(u32, Option<i64>)]| {
            running.earliest(now * 100_000, &list(connections)).map(|t| t / 100_000)
        };
        // Nothing is known yet: by the age, which is cut off.
        assert_eq!(at(1_000, &[(1, Some(0)), (2, None)]), Some(990));
        // 1 still runs or runs again; 2 was idle at 1000, and 3 was not there.
        assert_eq!(at(1_005, &[(1, Some(0)), (2, None)]), Some(995));
        assert_eq!(at(1_010, &[(2, Some(0))]), Some(1_005));
        assert_eq!(at(1_015, &[(3, Some(0)), (2, None)]), Some(1_010));
        // A long one keeps the time of the list before it.
        assert_eq!(at(1_020, &[(2, Some(0))]), Some(1_015));
        assert_eq!(at(1_025, &[(2, Some(0))]), Some(1_015));
        assert_eq!(at(1_035, &[(2, Some(1))]), Some(1_015));
        // By its age it has started over meanwhile.
        assert_eq!(at(1_045, &[(2, Some(0))]), Some(1_035));
        assert_eq!(at(1_050, &[]), None);
        // The clock was set back.
        assert_eq!(at(900, &[(4, Some(0))]), Some(890));
        assert_eq!(at(905, &[(5, Some(0)), (4, Some(2))]), Some(875));
    }

    #[test]
    fn a_connection_without_a_number_is_known_by_its_age() {
        let mut running = Running::default();
        let unnumbered = [Connection { id: None, age: Some(3) }];
        assert_eq!(running.earliest(10_000_000, &unnumbered), Some(6_000_000));
        assert_eq!(running.earliest(10_500_000, &unnumbered), Some(6_500_000));
    }
}
