//! Stamps of the log that are no times of commits.

use super::*;

/// MariaDB: `SET timestamp` into the future, then an UPDATE.
#[test]
fn a_stamp_that_is_later_than_the_log_is_no_commit_time() {
    const SECOND: i64 = 1_000_000;
    let mut r = recorder(Late::default(), SourceTime::Local);
    r.begin(start(AT)).unwrap();
    r.sight.came(&reading(0, false));
    r.clock(&reading(0, false).what).unwrap();
    let seen = |committed| {
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
    };
    let (committed, visible) = seen(later(300 * SECOND));
    assert!(committed <= AT, "it was in the log long before {committed}");
    assert!(visible >= later(300 * SECOND), "the clock may have been set forward instead");
    // As ever.
    let (committed, visible) = seen(AT);
    assert!(committed <= AT && visible <= later(SECOND), "{committed} {visible}");
}
