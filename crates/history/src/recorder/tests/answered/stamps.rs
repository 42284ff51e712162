//! Stamps of the log that are no times of commits.

use super::*;

const SECOND: i64 = 1_000_000;

/// When a transaction without changes that has this stamp was committed, and when everybody could
/// see it.
fn seen(r: &mut Recorder, committed: Timestamp) -> (Timestamp, Timestamp) {
    let mut entry = CommittedTransaction {
        gtid: None,
        committed,
        stamp: Stamp::Second,
        position: position(190),
        origin: Origin::default(),
        changes: Vec::new().into(),
    };
    let visible = r.visible(&mut entry, &position(200), Timer::now());
    (entry.committed, visible)
}

fn shows(r: &mut Recorder, clock: i64) {
    let reading = reading(clock, false);
    r.sight.came(&reading);
    r.clock(&reading.what).unwrap();
}

/// MariaDB: `SET timestamp` into the future, then an UPDATE; or a clock that is set forward.
#[test]
fn a_stamp_that_is_later_than_the_log_is_no_commit_time() {
    let mut r = recorder(Late::default(), SourceTime::Local);
    r.begin(start(AT)).unwrap();
    shows(&mut r, 0);
    let blurred = |r: &Recorder| format!("{:?}", r.ingest.entries.clock).contains("[Blurred");
    for (then, is_forward) in [(SECOND / 2, false), (400 * SECOND, true)] {
        let (committed, visible) = seen(&mut r, later(300 * SECOND));
        assert!(committed <= AT, "it was in the log long before {committed}");
        assert!(visible < later(100 * SECOND), "{visible}");
        shows(&mut r, then);
        assert_eq!(blurred(&r), is_forward);
    }
    // As ever.
    let (committed, visible) = seen(&mut r, later(400 * SECOND));
    assert!(committed <= later(400 * SECOND) && visible <= later(401 * SECOND), "{committed} {visible}");
}

/// MySQL: the clock has shown 5 s, is set back, and shows 2 s to 5 s once more.
#[test]
fn what_changed_since_a_clock_was_set_back_is_in_doubt_at_times_that_it_shows_twice() {
    let mut r = recorder(Late::default(), SourceTime::Local);
    r.begin(start(AT)).unwrap();
    shows(&mut r, 0);
    taken_in(&mut r, 200, later(SECOND));
    shows(&mut r, 5 * SECOND);
    taken_in(&mut r, 300, later(195 * SECOND / 100));
    shows(&mut r, 2 * SECOND);
    taken_in(&mut r, 400, later(4 * SECOND));
    shows(&mut r, 6 * SECOND);
    taken_in(&mut r, 500, later(7 * SECOND));
    shows(&mut r, 8 * SECOND);
    r.commit().unwrap();
    r.ingest.engine().sync().unwrap();
    for (tenths, columns) in [(5, 1), (15, 2), (55, 4), (75, 5)] {
        assert_eq!(columns_at(&r, later(tenths * SECOND / 10)), Ok(columns), "{tenths}");
    }
    for tenths in [25, 35, 45] {
        assert!(columns_at(&r, later(tenths * SECOND / 10)).is_err(), "{tenths}");
    }
}
