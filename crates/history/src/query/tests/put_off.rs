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
        ingest.generation_mut(generation).unwrap().baseline = crate::record::Baseline::Whole;
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
