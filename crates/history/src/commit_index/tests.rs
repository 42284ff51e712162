use super::*;

use crate::capture::Gap;
use crate::engine::testing::TestEngine;
use crate::engine::{Batch, Engine};
use proptest::prelude::*;

/// Entries of two changes each, committed at these times.
fn with<T: PartialEq + std::fmt::Debug>(times: &[i64], ask: impl Fn(CommitIndex<'_>) -> T) -> T {
    let answer = asked(times, false, &ask);
    assert_eq!(asked(times, true, &ask), answer);
    answer
}

fn asked<T>(times: &[i64], pages: bool, ask: impl Fn(CommitIndex<'_>) -> T) -> T {
    // Once with full pages, and once with one page for each entry and the last one open.
    let (mut engine, mut batch, mut entries) =
        (TestEngine::default(), Batch::default(), CommitIndexWriter::default());
    for (i, t) in times.iter().enumerate() {
        let first = ChangeSequence(1 + 2 * i as u64);
        let committed = Timestamp::from_micros(*t);
        let commit_entry = Commit { first, committed, visible: committed, gtid: None };
        if pages {
            entries.close(&mut batch);
        }
        entries.note(&mut batch, commit_entry, ChangeSequence(first.0 + 2));
    }
    entries.flush(&mut batch);
    engine.commit(&batch).unwrap();
    let end = ChangeSequence(1 + 2 * times.len() as u64);
    let (snapshot, known) = (engine.snapshot(), KnownPages::default());
    let commit_times =
        CommitIndex { snapshot: &*snapshot, end, clock: &entries.clock, log_gaps: &[], known: &known };
    // What was looked at once is known the second time.
    ask(commit_times);
    ask(commit_times)
}

#[test]
fn timestamps_stay_on_their_side_of_a_gap() {
    let log_gap = |at, from, to| LogGap {
        at: ChangeSequence(at),
        gap: Gap {
            from: Timestamp::from_micros(from),
            to: Timestamp::from_micros(to),
            reason: String::new(),
        },
    };
    // Entries begin at 1, 3, 5 and 7; the end is 9.
    let (times, log_gaps) = ([10, 48, 49, 80], [log_gap(2, 25, 40), log_gap(6, 50, 50)]);
    for (at, want) in
        [(9, 1), (10, 2), (20, 2), (25, 2), (40, 3), (45, 3), (48, 5), (50, 6), (51, 7), (79, 7), (80, 9)]
    {
        let at = Timestamp::from_micros(at);
        let cut = with(&times, |m| CommitIndex { log_gaps: &log_gaps, ..m }.cut(at).unwrap());
        assert_eq!(cut.at.0, want, "at {at}");
    }
    for (since, until, want) in [(10, 25, (1, 2)), (20, 25, (2, 2)), (41, 50, (3, 6)), (60, 90, (7, 9))] {
        let window = (Timestamp::from_micros(since), Timestamp::from_micros(until));
        let (from, to) = with(&times, |m| {
            CommitIndex { log_gaps: &log_gaps, ..m }.sequence_range(window.0, window.1).unwrap()
        });
        assert_eq!((from.0, to.0), want, "{since}..{until}");
    }
    // The clock of the server after the gap is slower: the last entry before it is none of
    // those after it.
    let slow = [log_gap(4, 20, 20)];
    let cut = |at| {
        with(&[10, 30], |m| CommitIndex { log_gaps: &slow, ..m }.cut(Timestamp::from_micros(at)).unwrap())
    };
    assert_eq!((cut(20).at.0, cut(21).at.0), (3, 5));
}

proptest! {
    /// Pages that a later snapshot made known, or another question, answer as a search would:
    /// asked at times of entries and beside them, those that end a page above all.
    #[test]
    fn known_pages_answer_as_a_search_would(
        steps in prop::collection::vec(prop_oneof![9 => 0_i64..4, 1 => -20_i64..0], 60..400),
        early in 1_usize..400,
        asked in prop::collection::vec((any::<prop::sample::Index>(), -1_i64..2, any::<bool>(), any::<bool>()), 1..60),
    ) {
        let times: Vec<i64> = steps.iter().scan(100, |now, step| { *now += step; Some(*now) }).collect();
        let (mut engine, mut entries) = (TestEngine::default(), CommitIndexWriter::default());
        let mut snapshots = Vec::new();
        for (i, t) in (0_u64..).zip(&times) {
            let mut batch = Batch::default();
            let committed = Timestamp::from_micros(*t);
            let commit_entry = Commit { first: ChangeSequence(1 + i), committed, visible: committed, gtid: None };
            entries.note(&mut batch, commit_entry, ChangeSequence(2 + i));
            entries.flush(&mut batch);
            engine.commit(&batch).unwrap();
            if i + 1 == times.len() as u64 || i + 1 == early as u64 {
                snapshots.push((engine.snapshot(), ChangeSequence(2 + i), entries.clock.clone()));
            }
        }
        let known = KnownPages::default();
        for (entry, offset, ends_page, late) in asked {
            let mut entry = entry.index(times.len());
            if ends_page {
                entry = (entry | 63).min(times.len() - 1);
            }
            let (snapshot, end, clock) = if late { snapshots.last() } else { snapshots.first() }.unwrap();
            let with = |known| CommitIndex { snapshot: &**snapshot, end: *end, clock, log_gaps: &[], known };
            let fresh = KnownPages::default();
            let at = Timestamp::from_micros(times[entry] + offset);
            prop_assert_eq!(with(&known).cut(at).unwrap(), with(&fresh).cut(at).unwrap());
        }
    }
}

#[test]
fn the_state_at_an_timestamp_is_a_prefix_of_the_log() {
    for (times, at, want) in [
        (&[10, 20, 20, 30][..], 9, (1, 1)),
        (&[10, 20, 20, 30], 10, (3, 3)),
        (&[10, 20, 20, 30], 19, (3, 3)),
        (&[10, 20, 20, 30], 20, (7, 7)),
        (&[10, 20, 20, 30], 99, (9, 9)),
        // The clock stepped back: at 15 the second entry (20) is not in, but the third is
        // stamped 12.
        (&[10, 20, 12, 30], 15, (3, 7)),
        (&[10, 20, 12, 30], 20, (7, 7)),
        (&[10, 20, 12, 30], 11, (3, 3)),
        (&[], 5, (1, 1)),
    ] {
        let cut = with(times, |m| m.cut(Timestamp::from_micros(at)).unwrap());
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
        let window = (Timestamp::from_micros(since), Timestamp::from_micros(until));
        let (from, to) = with(times, |m| m.sequence_range(window.0, window.1).unwrap());
        assert_eq!((from.0, to.0), want, "{times:?} {since}..{until}");
    }
}

#[test]
fn a_change_knows_its_entry() {
    with(&[10, 20], |m| {
        let at = |s| m.committed(ChangeSequence(s)).unwrap().map(Timestamp::micros);
        assert_eq!([at(0), at(1), at(2), at(3), at(4)], [None, Some(10), Some(10), Some(20), Some(20)]);
    });
}

/// The definition of the state at an instant, taken literally.
fn plain(times: &[i64], at: i64) -> (u64, u64) {
    let prefix = times.iter().take_while(|t| **t <= at).count();
    let last = times.iter().rposition(|t| *t <= at).map_or(0, |i| i + 1);
    (1 + 2 * prefix as u64, 1 + 2 * prefix.max(last) as u64)
}

proptest::proptest! {
    #[test]
    fn any_order_of_times_is_cut_as_defined(times in proptest::collection::vec(0_i64..12, 0..20), at in -1_i64..13) {
        let cut = with(&times, |m| m.cut(Timestamp::from_micros(at)).unwrap());
        proptest::prop_assert_eq!((cut.at.0, cut.doubtful.0), plain(&times, at));
    }
}
/// Entries of one change each, with their times; the same at once and page by page.
fn wide(times: &[(i64, i64)], ask: impl Fn(CommitIndex<'_>)) {
    let (mut engine, mut entries) = (TestEngine::default(), CommitIndexWriter::default());
    for (i, (committed, width)) in (1_u64..).zip(times) {
        let mut batch = Batch::default();
        let committed = Timestamp::from_micros(*committed);
        let visible = Timestamp::from_micros(committed.micros() + width);
        entries.note(
            &mut batch,
            Commit { first: ChangeSequence(i), committed, visible, gtid: None },
            ChangeSequence(i + 1),
        );
        entries.flush(&mut batch);
        engine.commit(&batch).unwrap();
    }
    let (snapshot, end) = (engine.snapshot(), ChangeSequence(times.len() as u64 + 1));
    let known = KnownPages::default();
    ask(CommitIndex { snapshot: &*snapshot, end, clock: &entries.clock, log_gaps: &[], known: &known });
}

proptest! {
    /// The definition of the state at an instant, taken literally, over several pages.
    #[test]
    fn what_may_have_been_seen_is_in_doubt(
        steps in prop::collection::vec((prop_oneof![9 => 0_i64..4, 1 => -20_i64..0], 0_i64..9), 0..300),
        asked in prop::collection::vec(-5_i64..600, 1..20),
    ) {
        let times: Vec<(i64, i64)> =
            steps.iter().scan(100, |now, (step, width)| { *now += step; Some((*now, *width)) }).collect();
        wide(&times, |commit_times| for at in &asked {
            let visible = times.iter().take_while(|(l, w)| l + w <= *at).count();
            let possible = times.iter().rposition(|(l, _)| *l <= *at).map_or(0, |i| i + 1);
            let cut = commit_times.cut(Timestamp::from_micros(*at)).unwrap();
            assert_eq!((cut.at.0, cut.doubtful.0), (1 + visible as u64, 1 + possible.max(visible) as u64), "{at}");
        });
    }
}

#[test]
fn what_was_waited_for_unknown_is_in_doubt_as_a_whole() {
    wide(&[(10, 0), (20, 0), (30, 0), (40, 0)], |commit_times| {
        let mut clock = commit_times.clock.clone();
        let at = Timestamp::from_micros;
        clock.blur(Blurred { from: ChangeSequence(2), to: ChangeSequence(4), since: at(20), until: at(35) });
        let blurred = CommitIndex { clock: &clock, ..commit_times };
        for (instant, want) in [(19, (2, 2)), (20, (2, 4)), (34, (2, 4)), (35, (4, 4)), (40, (5, 5))] {
            let cut = blurred.cut(at(instant)).unwrap();
            assert_eq!((cut.at.0, cut.doubtful.0), want, "at {instant}");
        }
    });
    let mut clock = Clock::default();
    for i in 0..200 {
        let (from, to) = (ChangeSequence(10 * i), ChangeSequence(10 * i + 5));
        let since = Timestamp::from_micros(10 * i.cast_signed());
        clock.blur(Blurred { from, to, since, until: since });
    }
    assert_eq!(clock.blurred.len(), Clock::BLURRED);
    assert_eq!(clock.blurred[0].from, ChangeSequence(0), "the oldest are one");
}
