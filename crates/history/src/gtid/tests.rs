use super::*;
use crate::commit_index::{Commit, CommitIndexWriter};
use crate::engine::{Engine, InMemory as TestEngine};
use dbtrail_types::timestamp::Timestamp;

impl CommitIndexWriter {
    fn note_and_flush(mut self, batch: &mut Batch, commit_entry: Commit, following: ChangeSequence) {
        self.note(batch, commit_entry, following);
        self.flush(batch);
    }
}

const A: &str = "a724770a-e70c-11f1-aab8-02fc00000001";

fn mysql(text: &str) -> GtidSet {
    GtidSet::parse(text).unwrap()
}

/// A record of transactions without changes but one each; positions count from 1.
struct Record(TestEngine, GtidState);

impl Record {
    fn following(&self, text: &str) -> Result<u64, GtidError> {
        let snapshot = self.0.snapshot();
        let gtids = Gtids { snapshot: &*snapshot, state: &self.1, dropped: false };
        gtids.end_of(&mysql(text), text).map(|s| s.0.saturating_sub(1))
    }
}

fn commit(gtid: &Gtid, first: u64) -> Commit {
    Commit {
        first: ChangeSequence(first),
        committed: Timestamp::from_micros(0),
        visible: Timestamp::from_micros(0),
        gtid: Some(gtid.clone()),
    }
}

fn index(gtids: &[Gtid], previous: Option<&str>) -> Record {
    let (mut engine, mut state, mut batch) = (TestEngine::default(), GtidState::default(), Batch::default());
    if let Some(previous) = previous {
        state.begin(ChangeSequence(0), mysql(previous));
    }
    let mut entries = CommitIndexWriter::default();
    for (gtid, first) in gtids.iter().zip(1..) {
        state.note(gtid);
        entries.note(&mut batch, commit(gtid, first), ChangeSequence(first + 1));
    }
    entries.close(&mut batch);
    engine.commit(&batch).unwrap();
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<GtidState>(&json).unwrap(), state);
    Record(engine, state)
}

fn m(number: u64, tag: Option<&str>) -> Gtid {
    let GtidSet::MySql(s) = mysql(&format!("{A}:1")) else { panic!() };
    Gtid::MySql { source: s.keys().next().unwrap().0, tag: tag.map(str::to_owned), number }
}

#[test]
fn sets_are_read_as_mysqld_reads_them() {
    assert_eq!(mysql(&format!("{A}:1-3:4,\n {A}:9")), mysql(&format!("{}:1-4:9", A.to_uppercase())));
    assert_eq!(mysql(&format!("{A}:1:Tag:2-3")), mysql(&format!("{A}:tag:2:3,{A}:1")));
    assert_eq!(GtidSet::parse("0-10-72, 1-2-3").unwrap(), GtidSet::MariaDb(vec![(0, 10, 72), (1, 2, 3)]));
    for bad in ["", ",", "x", A, "a:1", "0-1", "0-1-2-3", "0-1-x", "0-1-2,0-1-3", "-1-2-3"] {
        assert!(matches!(GtidSet::parse(bad), Err(GtidError::Malformed(_))), "{bad}");
    }
    for bad in [":0", ":5-4", ":", ":x-1", ":1-", ":tag", ":1:tag", ":99999999999999999999"] {
        assert!(GtidSet::parse(&format!("{A}{bad}")).is_err(), "{bad}");
    }
}

#[test]
fn a_mysql_set_is_the_state_after_its_last_transaction() {
    let record = index(&[m(5, None), m(7, None), m(6, None), m(1, Some("t"))], Some(&format!("{A}:1-4")));
    let after = |t: &str| record.following(&format!("{A}:{t}"));
    assert_eq!(after("1-5"), Ok(1));
    assert_eq!(after("5"), Ok(1));
    assert_eq!(after("1-6"), Ok(3), "6 was committed after 7");
    assert_eq!(after("1-7"), Ok(3));
    assert_eq!(after("1-7:t:1"), Ok(4));
    assert_eq!(after("1-4"), Ok(0));
    assert_eq!(after("1-3"), Err(GtidError::TooOld(format!("{A}:1-3"))));
    assert_eq!(after("1-8"), Err(GtidError::NotThere(format!("{A}:8"))));
    assert_eq!(after("9-18446744073709551615"), Err(GtidError::NotThere(format!("{A}:9"))));
    assert_eq!(after("t:2"), Err(GtidError::NotThere(format!("{A}:t:2"))));
    assert!(matches!(record.following("0-1-2"), Err(GtidError::WrongFamily { .. })));
    assert_eq!(index(&[], None).following("0-1-2"), Err(GtidError::NoGtids));
    assert_eq!(record.1.executed(), format!("{A}:1-7,{A}:t:1"));
}

#[test]
fn a_mariadb_list_is_the_state_after_all_of_it() {
    let g = |domain, sequence| Gtid::MariaDb { domain, server: 10, sequence };
    let record = index(&[g(0, 7), g(1, 3), g(0, 8)], Some("0-10-6,1-10-2"));
    let after = |t: &str| record.following(t);
    assert_eq!(after("0-10-7"), Ok(1));
    assert_eq!(after("0-10-7,1-10-3"), Ok(2));
    assert_eq!(after("0-10-7,1-10-2"), Ok(1));
    assert_eq!(after("0-10-6,1-10-2"), Ok(0));
    assert_eq!(after("0-10-5,1-10-2"), Err(GtidError::TooOld("0-10-5,1-10-2".into())));
    assert_eq!(after("0-11-7"), Err(GtidError::NotThere("0-11-7".into())));
    assert_eq!(after("0-10-9"), Err(GtidError::NotThere("0-10-9".into())));
    assert_eq!(record.1.executed(), "0-10-8,1-10-3");
}

#[test]
fn after_a_gap_only_what_is_recorded_or_whole_is_known() {
    let mut record = index(&[m(5, None), m(6, None)], Some(&format!("{A}:1-4")));
    record.1.begin(ChangeSequence(4), mysql(&format!("{A}:1-9")));
    let mut batch = Batch::default();
    record.1.note(&m(10, None));
    CommitIndexWriter::default().note_and_flush(&mut batch, commit(&m(10, None), 4), ChangeSequence(5));
    record.0.commit(&batch).unwrap();
    let after = |t: &str| record.following(&format!("{A}:{t}"));
    assert_eq!([after("1-5"), after("1-6"), after("1-10")], [Ok(1), Ok(2), Ok(4)]);
    assert_eq!(after("1-9"), Ok(3), "all that was executed after the gap");
    assert!(matches!(after("1-7"), Err(GtidError::TooOld(_))), "inside of the gap");
    assert!(matches!(after("1-11"), Err(GtidError::NotThere(_))));
    assert_eq!(record.1.executed(), format!("{A}:1-10"));
}

#[test]
fn numbers_that_were_given_out_again_mean_the_new_transactions() {
    let mariadb = |sequence| Gtid::MariaDb { domain: 0, server: 7, sequence };
    let gtids: [fn(u64) -> (Gtid, String); 2] = [
        |n| (m(n, None), format!("{A}:1-{n}")),
        |n| (Gtid::MariaDb { domain: 0, server: 7, sequence: n }, format!("0-7-{n}")),
    ];
    for gtid in gtids {
        let before: Vec<Gtid> = (1..=6).map(|n| gtid(n).0).collect();
        let mut record = index(&before, None);
        // The log was reset, and two transactions are in the gap.
        record.1.start_over(ChangeSequence(8), Some(mysql(&gtid(2).1)), NumbersAfterGap::GoOn);
        let mut batch = Batch::default();
        let snapshot = record.0.snapshot();
        let has = |record: &Record, n| {
            Gtids { snapshot: &*snapshot, state: &record.1, dropped: false }.has(&gtid(n).0)
        };
        assert_eq!((has(&record, 3), has(&record, 6)), (Ok(false), Ok(false)), "another transaction");
        let mut entries = CommitIndexWriter::default();
        record.1.note(&gtid(3).0);
        entries.note(&mut batch, commit(&gtid(3).0, 8), ChangeSequence(9));
        entries.close(&mut batch);
        record.0.commit(&batch).unwrap();
        let after = |n: u64| record.following(&gtid(n).1);
        assert_eq!(
            (after(2), after(3)),
            (Ok(7), Ok(8)),
            "the state after the gap, and the one after the next"
        );
        assert!(
            after(1).is_err() && after(4).is_err() && after(6).is_err(),
            "what these were before is not known"
        );
        assert_eq!(record.1.executed(), gtid(3).1);
    }
    // A server that goes on has all that was recorded.
    let mut goes_on = index(&[mariadb(1), mariadb(2)], None);
    goes_on.1.start_over(ChangeSequence(4), Some(mysql("0-7-9")), NumbersAfterGap::GoOn);
    assert_eq!((goes_on.following("0-7-1"), goes_on.following("0-7-9")), (Ok(1), Ok(3)));
    // One that was reset has executed nothing yet.
    let mut reset = index(&[mariadb(1), mariadb(2)], None);
    reset.1.start_over(ChangeSequence(4), None, NumbersAfterGap::Again);
    let has = |n| Gtids { snapshot: &*reset.0.snapshot(), state: &reset.1, dropped: false }.has(&mariadb(n));
    assert_eq!((has(1), has(2)), (Ok(false), Ok(false)), "what comes is not passed over");
    assert!(reset.following("0-7-1").is_err());
    // One whose log was cut has given out the same numbers again, and more, when it is seen.
    let mut cut = index(&[mariadb(1), mariadb(2)], None);
    cut.1.start_over(ChangeSequence(4), Some(mysql("0-7-9")), NumbersAfterGap::Again);
    assert!(cut.following("0-7-1").is_err() && cut.following("0-7-2").is_err());
    assert_eq!(cut.following("0-7-9"), Ok(3));
}

#[test]
fn what_was_executed_before_and_after_a_crash_is_two_states() {
    let mut record = index(&[m(1, None), m(2, None), m(3, None)], None);
    record.1.start_over(ChangeSequence(5), Some(mysql(&format!("{A}:1-3"))), NumbersAfterGap::Crashed);
    let after = |t: &str| record.following(&format!("{A}:{t}"));
    assert_eq!((after("1-2"), after("3")), (Ok(2), Ok(3)), "a transaction is as it was committed");
    assert_eq!(after("1-3"), Err(GtidError::Crash(format!("{A}:1-3"))));
}
