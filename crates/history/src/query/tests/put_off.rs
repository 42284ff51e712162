//! Changes that contradict what was recorded before them, whatever ingest remembers, and those that
//! are compared with it later.

use super::*;

pub(super) const MEMORIES: [Memory; 5] = [
    Memory::Keeps,
    Memory::Loses,
    Memory::Restarts,
    Memory::PutsOff { often: false },
    Memory::PutsOff { often: true },
];

/// Compares all that was put off.
pub(super) fn check(ingest: &mut Ingest) {
    while ingest.has_unchecked() {
        let misfits = ingest.check_some(ChangeSequence(0), 2).unwrap();
        ingest.misfits(&misfits);
    }
}

#[test]
fn what_cannot_be_followed_makes_a_table_unreadable_from_there_on() {
    let partial = rows_event("t", EventType::Delete, 0b01, &[&[0][..], &1_i32.to_le_bytes()].concat());
    let cut = rows_event("t", EventType::Delete, 0b11, &image(1, "a")[..6]);
    let unfollowable = |tables| Change::Unfollowable { tables, reason: "an incident".into() };
    let named = vec![TableName { schema: "s".into(), table: "t".into() }];
    for (what, change) in [
        ("a partial image", partial),
        ("an image that is cut", cut),
        ("an event", unfollowable(named)),
        ("an event of unknown tables", unfollowable(vec![])),
        ("a second INSERT", row("t", None, Some((1, "b")))),
        ("a DELETE of nothing", row("t", Some((5, "b")), None)),
        ("another before image", row("t", Some((1, "other")), None)),
        ("an UPDATE of another row", row("t", Some((1, "other")), Some((1, "b")))),
    ] {
        for memory in MEMORIES {
            let log = vec![
                (1, vec![sql(CREATE)]),
                (2, vec![row("t", None, Some((1, "a")))]),
                (4, vec![change.clone()]),
                (6, vec![sql("DROP TABLE t")]),
            ];
            let h = taken_in(log, memory);
            let what = format!("{what}, ingest {memory:?}");
            assert_eq!(
                rows(&h, 1, &["1"]).is_ok(),
                !what.starts_with("a DELETE of nothing"),
                "{what}: before it"
            );
            assert_eq!(rows(&h, 4, &["1"]), Err("unreadable_table"), "{what}: from then on");
            assert_eq!(diff(&h, 1, 5, keys(&["1"])), Err("unreadable_table"), "{what}: a window across it");
            assert_eq!(rows(&h, 6, &["1"]), Err("unknown_table"), "{what}: dropped is dropped");
        }
    }
}

/// All rows at an instant.
fn scanned(h: &Arc<History>, at: i64) -> Result<Value, &'static str> {
    let choice = KeyChoice::Scan(dbtrail_types::agent_api::KeyScan::default());
    super::at(h, AsOf::Time(t(at)), Keys { columns: vec!["id".into()], choice }).map(|(rows, _)| rows)
}

/// Before a change is compared with what was before it, no answer says what it could contradict.
#[test]
fn what_is_not_compared_yet_is_not_answered_wrongly() {
    for (was, fits) in [("a", true), ("other", false)] {
        let log = vec![
            (1, vec![sql(CREATE)]),
            (2, vec![row("t", None, Some((1, "a")))]),
            (3, vec![row("t", None, Some((2, "x")))]),
            (5, vec![row("t", Some((1, was)), Some((1, "b")))]),
        ];
        let ingest = ingested(log, Memory::PutsOff { often: false }, Stamp::Commit);
        assert!(ingest.has_unchecked());
        let h = finished(ingest);
        let then = if fits { Ok(json!([["1", "a"]])) } else { Err("unreadable_table") };
        assert_eq!(rows(&h, 4, &["1"]), then, "{was}: before the change");
        assert_eq!(rows(&h, 5, &["1"]), Ok(json!([["1", "b"]])), "{was}: it was this afterwards");
        assert_eq!(rows(&h, 4, &["2"]), Ok(json!([["2", "x"]])), "{was}: another row");
        let all = scanned(&h, 4);
        let then = if fits { Ok(json!([["1", "a"], ["2", "x"]])) } else { Err("unreadable_table") };
        assert_eq!(all, then, "{was}: the whole table");
        assert_eq!(diff(&h, 1, 5, keys(&["1"])), Err("overloaded"), "{was}: a window");
    }
    // Of a table that was made in the record every row was put into it.
    let log = vec![(1, vec![sql(CREATE)]), (3, vec![row("t", Some((7, "c")), Some((7, "d")))])];
    let h = finished(ingested(log, Memory::PutsOff { often: false }, Stamp::Commit));
    assert_eq!(rows(&h, 2, &["7"]), Err("unreadable_table"));
    assert_eq!(scanned(&h, 2), Err("unreadable_table"));
}

/// The log gives time between its parts: nothing is put off then.
#[test]
fn nothing_is_put_off_while_the_log_gives_time() {
    let mut ingest = Ingest::default();
    ingest.put_off_since(ChangeSequence(1));
    ingest.is_lagging(false);
    for (n, changes) in [
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (3, vec![row("t", Some((1, "a")), Some((1, "b")))]),
    ] {
        let entry = CommittedTransaction {
            gtid: None,
            committed: t(n),
            stamp: Stamp::Commit,
            position: BinlogPosition { file: "binlog.000001".into(), offset: u64::try_from(n).unwrap() },
            origin: Origin::default(),
            changes: changes.into(),
        };
        ingest.entry(entry).unwrap();
        ingest.forget(false);
    }
    assert!(!ingest.has_unchecked());
}

/// The rows of a change that was put off are those of the log.
#[test]
fn what_is_compared_later_is_answered_meanwhile() {
    let mut log = vec![(1, vec![sql(CREATE)]), (2, vec![row("t", None, Some((1, "a")))])];
    log.extend([
        (3, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (4, vec![row("t", Some((1, "b")), Some((1, "c")))]),
    ]);
    let h = taken_in(log, Memory::PutsOff { often: false });
    assert_eq!(rows(&h, 3, &["1"]), Ok(json!([["1", "b"]])));
    let want = vec![json!(["UPDATE", "1", "a", "b"]), json!(["UPDATE", "1", "b", "c"])];
    assert_eq!(diff(&h, 3, 5, keys(&["1"])), Ok(want));
    let versions = h.snapshot.scan(Table::Versions, &[], &[0xff; 40], usize::MAX).unwrap();
    let unchecked = versions.iter().filter(|(_, value)| crate::store::is_unchecked(value)).count();
    assert_eq!(unchecked, 2, "that they were put off can be seen");
}

/// A table that began again after the contradiction is not concerned by it.
#[test]
fn a_contradiction_that_is_found_late_is_of_its_own_generation() {
    let log = vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (3, vec![row("t", Some((1, "other")), Some((1, "b")))]),
        (4, vec![sql("TRUNCATE TABLE t")]),
        (5, vec![row("t", None, Some((1, "c")))]),
    ];
    let h = taken_in(log, Memory::PutsOff { often: false });
    assert_eq!(rows(&h, 2, &["1"]), Err("unreadable_table"), "from the last row that was known on");
    assert_eq!(rows(&h, 3, &["1"]), Err("unreadable_table"));
    assert_eq!(rows(&h, 5, &["1"]), Ok(json!([["1", "c"]])));
}

/// As the table was read, a row was another one than its first change says.
#[test]
fn a_row_that_was_read_is_compared_with_its_first_change() {
    for (was, readable) in [("a", true), ("other", false)] {
        let mut ingest = Ingest::default();
        let entry = |n: u64, changes: Vec<Change>| CommittedTransaction {
            gtid: None,
            committed: t(i64::try_from(n).unwrap()),
            stamp: Stamp::Commit,
            position: BinlogPosition { file: "binlog.000001".into(), offset: n },
            origin: Origin::default(),
            changes: changes.into(),
        };
        ingest.entry(entry(1, vec![row("t", Some((9, "x")), Some((9, "y")))])).unwrap();
        let name = TableName { schema: "s".into(), table: "t".into() };
        let TableState::Table(generation, definition) = ingest.names.current(&name) else { panic!() };
        ingest.generation_mut(generation).unwrap().baseline = crate::record::Baseline::Complete;
        let columns = ingest.catalog.definition(definition).unwrap().clone();
        let cells = vec![Some(b"1".to_vec()), Some(was.as_bytes().to_vec())];
        let key = crate::ingest::base_key(&columns, &cells).unwrap();
        let mut batch = crate::engine::Batch::default();
        let base = crate::store::BaseRow { definition, row: crate::image::Image::pack(&cells) };
        crate::store::put_base(&mut batch, generation, &key, &base);
        ingest.commit(&batch).unwrap();
        ingest.put_off_since(ingest.next);
        ingest.entry(entry(2, vec![row("t", Some((1, "a")), Some((1, "b")))])).unwrap();
        ingest.commit(&crate::engine::Batch::default()).unwrap();
        assert!(ingest.has_unchecked());
        check(&mut ingest);
        assert_eq!(ingest.checked(), ingest.next);
        let state = ingest.names.current(&name);
        assert_eq!(matches!(state, TableState::Table(..)), readable, "{was}");
    }
}
