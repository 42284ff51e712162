//! The rules of answering, on records made by hand: entries in, lines out.

use super::*;
use crate::changes;
use crate::engine::Table;
use crate::ingest::{Ingest, LogEnds};
use crate::log::{
    BinlogPosition, Change, CommittedTransaction, Gtid, LoggedStatement, MappedColumn, MappedTable, Origin,
    RowsEvent, ServerVersion, Stamp,
};
use crate::store::{row_key, row_of, sequence_of};
use dbtrail_types::agent_api::{DiffRequest, EventType, KeyChoice, KeyRange, Keys, Octets, RowsRequest};
use serde_json::{Value, json};

/// Instants of these tests are this many microseconds after 2026-01-01, with a fraction, so that
/// times count as known to the microsecond.
const START: i64 = 1_767_225_600_000_001;

pub(super) fn t(n: i64) -> Timestamp {
    Timestamp::from_micros(START + n * 1_000_000)
}

fn mapped(table: &str) -> Arc<MappedTable> {
    let column = |type_code, meta: &[u8], name: &str, collation| MappedColumn {
        unsigned: (type_code == 3).then_some(false),
        name: Some(name.to_owned()),
        collation,
        visible: Some(true),
        ..MappedColumn::plain(type_code, meta.to_vec(), name != "id")
    };
    Arc::new(MappedTable {
        name: TableName { schema: "s".into(), table: table.into() },
        columns: vec![column(3, &[], "id", None), column(15, &[80, 0], "v", Some(46))],
        primary_key: Some(vec![0]),
        mariadb: false,
        referred: false,
    })
}

/// A row of the table as an event has it: a bitmap of NULLs, INT, VARCHAR(80).
fn image(id: i32, v: &str) -> Vec<u8> {
    let length = u8::try_from(v.len()).unwrap();
    [&[0][..], &id.to_le_bytes(), &[length], v.as_bytes()].concat()
}

/// A rows event (version 2) of rows with these columns.
fn rows_event(table: &str, kind: EventType, present: u8, images: &[u8]) -> Change {
    let bitmaps = if kind == EventType::Update { vec![present; 2] } else { vec![present] };
    let body = [&[7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2][..], &bitmaps, images].concat();
    Change::Rows(RowsEvent::of_body(&body.into(), kind, &mapped(table)).unwrap())
}

fn row(table: &str, before: Option<(i32, &str)>, after: Option<(i32, &str)>) -> Change {
    let kind = match (before, after) {
        (None, _) => EventType::Insert,
        (_, None) => EventType::Delete,
        _ => EventType::Update,
    };
    let images: Vec<u8> = [before, after].into_iter().flatten().flat_map(|(id, v)| image(id, v)).collect();
    rows_event(table, kind, 0b11, &images)
}

pub(super) fn sql(text: &str) -> Change {
    Change::Statement(LoggedStatement {
        schema: Some("s".into()),
        sql_mode: Some(0),
        charsets: Some((45, 45, 46)),
        database_collation: Some(46),
        explicit_timestamps: Some(true),
        ..LoggedStatement::plain(text, ServerVersion { mariadb: true, number: (10, 11), patch: 19 }, t(0))
    })
}

const CREATE: &str = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_bin) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin";

/// Entries committed at these seconds, each with a GTID of MariaDB's form: 0-1-1, 0-1-2, ...
pub(super) fn history(entries: Vec<(i64, Vec<Change>)>) -> Arc<History> {
    taken_in(entries, Memory::Keeps)
}

/// What ingest remembers from one entry to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    Keeps,
    /// Not what keys held last.
    Loses,
    /// Nothing.
    Restarts,
    /// As `Loses`, and changes are compared later: in the end, or now and then.
    PutsOff {
        often: bool,
    },
}

fn taken_in(entries: Vec<(i64, Vec<Change>)>, memory: Memory) -> Arc<History> {
    stamped(entries, memory, Stamp::Commit)
}

fn stamped(entries: Vec<(i64, Vec<Change>)>, memory: Memory, stamp: Stamp) -> Arc<History> {
    let mut ingest = ingested(entries, memory, stamp);
    put_off::check(&mut ingest);
    finished(ingest)
}

fn finished(ingest: Ingest) -> Arc<History> {
    let ends = LogEnds { start: t(0), end: Some(t(100)), passed: None, previous: None, stopped: None };
    let history = ingest.finish(ServerId("x".into()), ends).unwrap();
    index_is_whole(&history);
    Arc::new(history)
}

fn ingested(entries: Vec<(i64, Vec<Change>)>, memory: Memory, stamp: Stamp) -> Ingest {
    let mut ingest = Ingest::default();
    if matches!(memory, Memory::PutsOff { .. }) {
        ingest.put_off_since(ChangeSequence(1));
    }
    for (i, (at, changes)) in entries.into_iter().enumerate() {
        let gtid = Some(Gtid::MariaDb { domain: 0, server: 1, sequence: i as u64 + 1 });
        let position = BinlogPosition { file: "binlog.000001".into(), offset: i as u64 };
        ingest
            .entry(CommittedTransaction {
                gtid,
                committed: t(at),
                stamp,
                position,
                origin: Origin::default(),
                changes: changes.into(),
            })
            .unwrap();
        if memory != Memory::Keeps {
            ingest.forget(memory == Memory::Restarts);
        }
        if (Memory::PutsOff { often: true }) == memory && i % 3 == 2 {
            put_off::check(&mut ingest);
        }
    }
    ingest
}

/// The index of changes tells of every version in order, and of every table that lost its rows.
fn index_is_whole(history: &History) {
    let (mut found, mut emptied) = (Vec::new(), Vec::new());
    changes::between(&*history.snapshot, ChangeSequence(0), ChangeSequence::END, &mut |change| {
        match change.key {
            Some(key) => found.push((change.sequence, row_key(change.generation, key))),
            None => emptied.push((change.sequence, change.generation)),
        }
        Ok(true)
    })
    .unwrap();
    assert!(found.is_sorted_by_key(|(sequence, _)| *sequence));
    found.sort();
    let versions = history.snapshot.scan(Table::Versions, &[], &[0xff; 40], usize::MAX).unwrap();
    let mut versions: Vec<(ChangeSequence, Vec<u8>)> =
        versions.iter().map(|(key, _)| (sequence_of(key).unwrap(), row_of(key).unwrap().to_vec())).collect();
    versions.sort();
    assert_eq!(found, versions);
    let generations = (0..).zip(history.generations.iter());
    let mut lost: Vec<_> = generations.filter_map(|(id, s)| Some((s.emptied?.0, GenerationId(id)))).collect();
    lost.sort();
    emptied.sort();
    assert_eq!(emptied, lost);
}

pub(super) fn keys(ids: &[&str]) -> Keys {
    let values = ids.iter().map(|k| vec![Octets(k.as_bytes().to_vec())]).collect();
    Keys { columns: vec!["id".into()], choice: KeyChoice::Values(values) }
}

fn range(from: &str, to: &str) -> Keys {
    let octets = |k: &str| Octets(k.as_bytes().to_vec());
    let range = KeyRange { prefix: vec![], from: octets(from), to: octets(to), max_keys: Some(3) };
    Keys { columns: vec!["id".into()], choice: KeyChoice::Range(range) }
}

fn collect(answer: impl Iterator<Item = Result<Vec<u8>, Refusal>>) -> Vec<Value> {
    collected(answer).unwrap()
}

/// The lines of an answer, or the code with which it broke off.
fn collected(answer: impl Iterator<Item = Result<Vec<u8>, Refusal>>) -> Result<Vec<Value>, &'static str> {
    let chunks: Vec<Vec<u8>> = answer.collect::<Result<_, _>>().map_err(|refused| refused.code)?;
    let bytes = chunks.concat();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.ends_with('\n'));
    let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
    // Who made changes is shown by tests of its own.
    Ok(lines.filter(|l: &Value| l.get("origin").is_none()).collect())
}

/// Rows and notes at a second, or the code of the refusal.
fn at(history: &Arc<History>, point: AsOf, keys: Keys) -> Result<(Value, Value), &'static str> {
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys,
        at: point,
        filter: None,
        limit: None,
    };
    let mut lines = forms::rows(history, &request)?;
    let end = lines.pop().unwrap();
    let rows = lines.split_off(1);
    assert_eq!(end["end"]["rows"], rows.len());
    Ok((Value::Array(rows), end["end"]["notes"].clone()))
}

pub(super) fn rows(history: &Arc<History>, second: i64, ids: &[&str]) -> Result<Value, &'static str> {
    at(history, AsOf::Time(t(second)), keys(ids)).map(|(rows, _)| rows)
}

fn notes(history: &Arc<History>, second: i64, ids: &[&str]) -> Value {
    at(history, AsOf::Time(t(second)), keys(ids)).unwrap().1
}

fn window(since: i64, until: i64, keys: Keys) -> DiffRequest {
    DiffRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys,
        since: Some(t(since)),
        until: Some(t(until)),
        transaction: None,
        filter: None,
        limit: None,
        connection_names: false,
    }
}

/// `[type, key, before, after]` of each event, or the code of the refusal.
fn diff(history: &Arc<History>, since: i64, until: i64, keys: Keys) -> Result<Vec<Value>, &'static str> {
    let mut lines = forms::changes(history, &window(since, until, keys))?;
    let end = lines.pop().unwrap();
    let events: Vec<Value> = lines.split_off(1);
    let ids: Vec<u64> = events.iter().map(|e| e["event"]["event_id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    assert_eq!(end["end"]["rows"], events.len());
    Ok(events
        .iter()
        .map(|e| &e["event"])
        .map(|e| json!([e["event_type"], e["key"][0], e["before"][1], e["after"][1]]))
        .collect())
}

fn lived() -> Arc<History> {
    history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (4, vec![row("t", Some((1, "a")), Some((1, "c"))), row("t", Some((1, "c")), Some((1, "d")))]),
        (6, vec![row("t", Some((2, "b")), None)]),
        (8, vec![row("t", Some((1, "d")), Some((7, "d")))]),
    ])
}

#[test]
fn a_row_is_as_it_was_at_the_timestamp() {
    let h = lived();
    for (second, ids, want) in [
        (1, vec!["1", "2"], json!([])),
        (2, vec!["1", "2"], json!([["1", "a"], ["2", "b"]])),
        (3, vec!["2", "1", "1"], json!([["1", "a"], ["2", "b"]])),
        (4, vec!["1"], json!([["1", "d"]])),
        (6, vec!["1", "2"], json!([["1", "d"]])),
        (8, vec!["1", "7"], json!([["7", "d"]])),
        (100, vec!["7", "-5"], json!([["7", "d"]])),
    ] {
        assert_eq!(rows(&h, second, &ids), Ok(want), "at {second}");
    }
    assert_eq!(rows(&h, 0, &["1"]), Err("unknown_table"), "before CREATE TABLE");
    assert_eq!(rows(&h, 101, &["1"]), Err("out_of_range"));
    assert_eq!(rows(&h, -1, &["1"]), Err("out_of_range"));
    assert_eq!(rows(&h, 2, &["x"]), Err("malformed_request"));
}

#[test]
fn notes_say_why_there_is_no_row() {
    let h = lived();
    assert_eq!(
        notes(&h, 1, &["1"]),
        json!([{"code": "not_yet_created", "key": ["1"], "at": t(2).to_string()}])
    );
    assert_eq!(
        notes(&h, 7, &["2", "1"]),
        json!([{"code": "deleted_at", "key": ["2"], "at": t(6).to_string()}])
    );
    assert_eq!(notes(&h, 9, &["1"]), json!([{"code": "deleted_at", "key": ["1"], "at": t(8).to_string()}]));
    assert_eq!(notes(&h, 9, &["3"]), json!([{"code": "never_existed", "key": ["3"]}]));
}

#[test]
fn a_gtid_is_the_state_after_its_transaction() {
    let h = lived();
    let rows = |gtid: &str| at(&h, AsOf::Gtid(gtid.into()), keys(&["1"])).map(|(rows, _)| rows);
    assert_eq!(rows("0-1-2"), Ok(json!([["1", "a"]])));
    assert_eq!(rows("0-1-3"), Ok(json!([["1", "d"]])));
    assert_eq!(rows("0-1-9"), Err("out_of_range"));
    assert_eq!(rows("nonsense"), Err("malformed_gtid"));
}

#[test]
fn what_the_record_does_not_tell_is_refused() {
    // The table was there before the record began.
    let h = history(vec![
        (2, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (4, vec![row("t", None, Some((2, "x")))]),
        (6, vec![row("t", Some((3, "z")), None)]),
    ]);
    assert_eq!(
        rows(&h, 0, &["1", "2", "3"]),
        Ok(json!([["1", "a"], ["3", "z"]])),
        "before images tell the past"
    );
    assert_eq!(rows(&h, 9, &["1", "2", "3"]), Ok(json!([["1", "b"], ["2", "x"]])));
    assert_eq!(rows(&h, 9, &["1", "4"]), Err("not_recorded"));
    let of = |from, to| at(&h, AsOf::Time(t(9)), range(from, to)).map(|(rows, _)| rows);
    assert_eq!(of("1", "3"), Ok(json!([["1", "b"], ["2", "x"]])), "all three keys are known");
    assert_eq!(of("1", "4"), Err("not_recorded"));
    assert_eq!(of("3", "1"), Ok(json!([])), "an empty range holds nothing");
    assert_eq!(diff(&h, 0, 9, keys(&["4"])), Ok(vec![]), "no change is recorded, so there was none");
}

#[test]
fn ranges_of_a_table_whose_creation_is_recorded() {
    let h = lived();
    let of = |second, from, to| at(&h, AsOf::Time(t(second)), range(from, to)).map(|(rows, _)| rows);
    assert_eq!(of(3, "-100", "100"), Ok(json!([["1", "a"], ["2", "b"]])));
    assert_eq!(of(9, "2", "100"), Ok(json!([["7", "d"]])));
    let crowded =
        history(vec![(1, vec![sql(CREATE)]), (2, (0..5).map(|i| row("t", None, Some((i, "x")))).collect())]);
    assert_eq!(at(&crowded, AsOf::Time(t(3)), range("0", "9")).map(|r| r.0), Err("too_many_keys"));
}

#[test]
fn truncate_and_drop_lose_no_rows() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (3, vec![sql("TRUNCATE TABLE t")]),
        (4, vec![row("t", None, Some((1, "n")))]),
        (5, vec![sql("DROP TABLE t")]),
        (7, vec![sql(CREATE)]),
    ]);
    assert_eq!(rows(&h, 2, &["1", "2"]), Ok(json!([["1", "a"], ["2", "b"]])));
    assert_eq!(rows(&h, 3, &["1", "2"]), Ok(json!([])));
    assert_eq!(rows(&h, 4, &["1", "2"]), Ok(json!([["1", "n"]])));
    assert_eq!(rows(&h, 5, &["1"]), Err("unknown_table"));
    assert_eq!(rows(&h, 8, &["1"]), Ok(json!([])));
    assert_eq!(notes(&h, 8, &["2"]), json!([{"code": "deleted_at", "key": ["2"], "at": t(3).to_string()}]));
    assert_eq!(
        diff(&h, 1, 8, keys(&["1"])),
        Ok(vec![
            json!(["INSERT", "1", null, "a"]),
            json!(["DELETE", "1", "a", null]),
            json!(["INSERT", "1", null, "n"]),
            json!(["DELETE", "1", "n", null]),
        ])
    );
    // Emptied, and what was in it before is not all known.
    let h = history(vec![
        (2, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (3, vec![sql("TRUNCATE TABLE t")]),
    ]);
    assert_eq!(rows(&h, 4, &["1", "9"]), Ok(json!([])));
    assert_eq!(rows(&h, 2, &["9"]), Err("not_recorded"));
    assert_eq!(diff(&h, 2, 4, keys(&["9"])), Err("not_recorded"));
    assert_eq!(diff(&h, 2, 4, keys(&["1"])).map(|e| e.len()), Ok(2));
}

#[test]
fn a_diff_holds_every_change_of_the_window() {
    let h = lived();
    let first = json!(["INSERT", "1", null, "a"]);
    let second = vec![json!(["UPDATE", "1", "a", "c"]), json!(["UPDATE", "1", "c", "d"])];
    assert_eq!(
        diff(&h, 2, 4, keys(&["1"])),
        Ok([vec![first], second.clone()].concat()),
        "both ends are inclusive"
    );
    assert_eq!(diff(&h, 3, 7, keys(&["1"])), Ok(second));
    let moved = json!(["UPDATE", "1", "d", "d"]);
    let arrived = json!(["UPDATE", "7", "d", "d"]);
    assert_eq!(diff(&h, 5, 9, keys(&["1"])), Ok(vec![moved.clone()]));
    assert_eq!(diff(&h, 5, 9, keys(&["7"])), Ok(vec![arrived.clone()]));
    assert_eq!(diff(&h, 7, 9, keys(&["7", "1"])), Ok(vec![moved, arrived]), "the old key first");
    assert_eq!(diff(&h, 9, 8, keys(&["1"])), Err("malformed_request"));
    assert_eq!(diff(&h, 5, 101, keys(&["1"])), Err("out_of_range"));
    assert_eq!(diff(&h, -1, 5, keys(&["1"])), Err("out_of_range"));
}

#[test]
fn a_clock_that_steps_back_is_no_reason_to_guess() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (9, vec![row("t", Some((1, "a")), Some((1, "c")))]),
        (5, vec![row("t", Some((1, "c")), Some((1, "d")))]),
    ]);
    assert_eq!(rows(&h, 7, &["1"]), Err("ambiguous_time"));
    assert_eq!(rows(&h, 7, &["2"]), Ok(json!([["2", "b"]])), "nothing of this row happened meanwhile");
    assert_eq!(rows(&h, 4, &["1"]), Ok(json!([["1", "a"]])));
    assert_eq!(rows(&h, 9, &["1"]), Ok(json!([["1", "d"]])), "the log's order counts");
    assert_eq!(diff(&h, 4, 6, keys(&["1"])), Ok(vec![json!(["UPDATE", "1", "c", "d"])]));
}

#[test]
fn inside_of_its_second_a_change_is_not_reported_and_what_did_not_change_is() {
    let log = vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (5, vec![row("t", Some((1, "a")), Some((1, "c")))]),
        (7, vec![sql("CREATE TABLE u (id INT NOT NULL PRIMARY KEY)"), sql("DROP TABLE t")]),
    ];
    let h = stamped(log, Memory::Keeps, Stamp::Second);
    let asked = |micros: i64, key: &str| {
        let at = AsOf::Time(Timestamp::from_micros(t(0).micros() + micros));
        let server_id = ServerId("x".into());
        let request = RowsRequest {
            server_id,
            schema: "s".into(),
            table: "t".into(),
            keys: keys(&[key]),
            at,
            filter: None,
            limit: None,
        };
        h.rows(&request, Reading::Flashback).map(Iterator::count)
    };
    for (micros, key, reported) in [
        (4_999_999, "1", true),
        (5_000_000, "1", false),
        (5_000_000, "2", true),
        (5_999_999, "1", false),
        (6_000_000, "1", true),
        (6_999_999, "2", true),
        (7_000_000, "2", false),
        (7_999_999, "2", false),
    ] {
        let refused = asked(micros, key).err().map(|refused| refused.code);
        assert_eq!(refused.is_none(), reported, "key {key} at {micros}");
        assert!(refused.is_none_or(|code| code == "ambiguous_time"), "{refused:?}");
    }
    let message = asked(5_500_000, "1").unwrap_err().message;
    let named = format!("(GTID 0-1-3) that could be seen from some instant between {} and {} on", t(5), t(6));
    assert!(message.contains(&named), "{message}");
    assert_eq!(rows(&h, 6, &["1"]), Ok(json!([["1", "c"]])));
    assert_eq!(rows(&h, 8, &["1"]), Err("unknown_table"));
}

#[test]
fn changes_of_one_key_follow_each_other_beyond_what_is_read_at_once() {
    let text = |n: i64| format!("a value of some length, number {n}");
    let mut log = vec![(0, vec![sql(CREATE), row("t", None, Some((1, &text(0))))])];
    log.extend((1..60).map(|n| (n, vec![row("t", Some((1, &text(n - 1))), Some((1, &text(n))))])));
    let h = history(log);
    let want: Vec<Value> = (5..=50).map(|n| json!(["UPDATE", "1", text(n - 1), text(n)])).collect();
    assert_eq!(diff(&h, 5, 50, keys(&["1"])), Ok(want));
    assert_eq!(rows(&h, 33, &["1"]), Ok(json!([["1", text(33)]])));
}

#[test]
fn a_table_that_is_swapped_in_is_another_table() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "old")))]),
        (3, vec![sql(&CREATE.replace("TABLE t", "TABLE t_new"))]),
        (4, vec![row("t_new", None, Some((1, "new")))]),
        (5, vec![sql("RENAME TABLE t TO t_old, t_new TO t")]),
        // It settles that the RENAME was none of temporary tables.
        (7, vec![row("t", Some((1, "new")), Some((1, "newer")))]),
    ]);
    assert_eq!(rows(&h, 4, &["1"]), Ok(json!([["1", "old"]])));
    assert_eq!(rows(&h, 5, &["1"]), Ok(json!([["1", "new"]])));
    assert_eq!(diff(&h, 1, 6, keys(&["1"])), Err("unreadable_table"));
    assert_eq!(diff(&h, 1, 4, keys(&["1"])).map(|e| e.len()), Ok(1));
    let tables: Vec<(String, bool)> =
        h.tables("s").unwrap().tables.into_iter().map(|t| (t.table, t.dropped)).collect();
    assert_eq!(tables, [("t".into(), false), ("t_new".into(), true), ("t_old".into(), false)]);
}

#[test]
fn requests_that_do_not_fit_the_table_are_refused() {
    let h = lived();
    let with = |keys| at(&h, AsOf::Time(t(3)), keys).map(|r| r.0);
    let named = |columns: &[&str], value: &[&str]| Keys {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        choice: KeyChoice::Values(vec![value.iter().map(|v| Octets(v.as_bytes().to_vec())).collect()]),
    };
    assert_eq!(with(named(&["v"], &["a"])), Err("unsupported_key"));
    assert_eq!(with(named(&["id", "v"], &["1", "a"])), Err("unsupported_key"));
    assert_eq!(with(named(&["ID"], &["1"])), Ok(json!([["1", "a"]])), "column names have no case");
    assert_eq!(with(named(&["id"], &["1", "2"])), Err("malformed_request"));
    let many = Keys {
        columns: vec!["id".into()],
        choice: KeyChoice::Values(vec![vec![Octets(b"1".to_vec())]; MAX_KEYS + 1]),
    };
    assert_eq!(with(many), Err("too_many_keys"));
    let mut other = RowsRequest {
        server_id: ServerId("y".into()),
        schema: "s".into(),
        table: "t".into(),
        keys: keys(&["1"]),
        at: AsOf::Time(t(3)),
        filter: None,
        limit: None,
    };
    assert_eq!(h.rows(&other, Reading::Snapshot).unwrap_err().code, "unknown_server");
    other.server_id = ServerId("x".into());
    other.table = "nope".into();
    assert_eq!(h.rows(&other, Reading::Snapshot).unwrap_err().code, "unknown_table");
}

mod model {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What happens to one of eight keys, or to all.
    #[derive(Clone, Debug)]
    enum Step {
        Put(i32, u8),
        Delete(i32),
        Move(i32, i32),
        Empty,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..8_i32, any::<u8>()).prop_map(|(k, v)| Step::Put(k, v)),
            3 => (0..8_i32).prop_map(Step::Delete),
            3 => (0..8_i32, 0..8_i32).prop_map(|(a, b)| Step::Move(a, b)),
            1 => Just(Step::Empty),
        ]
    }

    /// Carries out steps on a plain map, and says what the log would hold.
    fn carry_out(state: &mut BTreeMap<i32, String>, steps: &[Step]) -> Vec<Change> {
        let mut changes = Vec::new();
        for step in steps {
            match step {
                Step::Put(k, v) => {
                    let old = state.insert(*k, v.to_string());
                    changes.push(row("t", old.as_deref().map(|o| (*k, o)), Some((*k, &v.to_string()))));
                }
                Step::Delete(k) => {
                    if let Some(old) = state.remove(k) {
                        changes.push(row("t", Some((*k, &old)), None));
                    }
                }
                Step::Move(a, b) => {
                    if state.contains_key(b) {
                        continue;
                    }
                    if let Some(v) = state.remove(a) {
                        changes.push(row("t", Some((*a, &v)), Some((*b, &v))));
                        state.insert(*b, v);
                    }
                }
                Step::Empty => {}
            }
        }
        changes
    }

    proptest! {
        #[test]
        fn states_are_those_of_a_plain_map(entries in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..20), created: bool,
            memory in prop::sample::select(put_off::MEMORIES.to_vec())) {
            let mut state = BTreeMap::new();
            let mut log = Vec::new();
            if created {
                log.push((0, vec![sql(CREATE)]));
            }
            let mut states = vec![state.clone()];
            for (at, steps) in (1_i64..).zip(&entries) {
                if matches!(steps.as_slice(), [Step::Empty, ..]) {
                    state.clear();
                    log.push((at, vec![sql("TRUNCATE TABLE t")]));
                } else {
                    log.push((at, carry_out(&mut state, steps)));
                }
                states.push(state.clone());
            }
            let h = taken_in(log, memory);
            let ids: Vec<String> = (0..8).map(|k| k.to_string()).collect();
            for (second, state) in (0_i64..).zip(&states) {
                for id in &ids {
                    let number: i32 = id.parse().unwrap();
                    let want: Vec<Value> = state.get(&number).map(|v| json!([id, v])).into_iter().collect();
                    let got = rows(&h, second, &[id]);
                    // Without the CREATE a key may be unknown, but never wrong.
                    if created || got.is_ok() {
                        prop_assert_eq!(got, Ok(Value::Array(want)), "key {} at {}", id, second);
                    }
                }
            }
        }
    }
}

#[test]
fn a_range_with_a_limit_is_read_from_json() {
    let text = r#"{"server_id":"x","schema":"s","table":"t","keys":{"columns":["id"],"range":{"prefix":[],"from":"1","to":"20","max_keys":100}},"at":{"time":"2026-11-23T07:12:55Z"}}"#;
    let request: RowsRequest = serde_json::from_str(text).unwrap();
    let KeyChoice::Range(range) = request.keys.choice else { panic!() };
    assert_eq!(range.max_keys, Some(100));
}

#[test]
fn long_answers_come_in_chunks() {
    let mut log = vec![(1, vec![sql(CREATE)])];
    log.push((2, (0..3000).map(|i| row("t", None, Some((i, "a value")))).collect()));
    log.push((3, (0..3000).map(|i| row("t", Some((i, "a value")), Some((i, "another")))).collect()));
    let h = history(log);
    let ids: Vec<String> = (0..3000).rev().map(|i| i.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let request = window(2, 3, keys(&ids));
    let chunks: Vec<Vec<u8>> = h.diff(&request).unwrap().map(Result::unwrap).collect();
    assert!(
        chunks.len() > 10 && chunks.iter().all(|c| c.len() < lines::CHUNK + 1024),
        "{} chunks",
        chunks.len()
    );
    let events = diff(&h, 2, 3, request.keys).unwrap();
    assert_eq!(events.len(), 6000);
    assert_eq!(events[0], json!(["INSERT", "0", null, "a value"]));
    assert_eq!(events[5999], json!(["UPDATE", "2999", "a value", "another"]));
    assert_eq!(rows(&h, 3, &ids).unwrap().as_array().unwrap().len(), 3000);
}

#[test]
fn the_last_second_of_an_open_log_of_whole_seconds_is_not_answered() {
    let newest_of = |committed, end, passed| {
        let mut ingest = Ingest::default();
        let position = BinlogPosition { file: "binlog.000001".into(), offset: 4 };
        ingest
            .entry(CommittedTransaction {
                gtid: None,
                committed: Timestamp::from_micros(committed),
                stamp: Stamp::Commit,
                position,
                origin: Origin::default(),
                changes: Vec::new().into(),
            })
            .unwrap();
        let ends = LogEnds { start: Timestamp::from_micros(0), end, passed, previous: None, stopped: None };
        ingest.finish(ServerId("x".into()), ends).unwrap().coverage().newest.micros()
    };
    let end = Some(Timestamp::from_micros(9_000_000));
    let newest = |committed, end| newest_of(committed, end, None);
    assert_eq!(newest(8_000_000, end), 9_000_000, "the file was closed in second 9");
    assert_eq!(newest(8_000_001, end), 9_000_000);
    assert_eq!(newest(9_500_001, end), 9_500_001, "the last event's time is cut to the second");
    assert_eq!(newest(8_000_000, None), 7_999_999, "another commit of second 8 may follow");
    assert_eq!(newest(8_000_001, None), 8_000_001);
    assert_eq!(newest_of(8_000_000, None, end), 9_000_000, "the open file has no commit yet");
    assert_eq!(newest_of(9_000_000, None, end), 8_999_999, "it has, and another may follow");
    assert_eq!(newest_of(9_500_001, None, end), 9_500_001);
}
mod forms;
mod names;
mod net;
mod partitions;
mod put_off;
mod walks;
mod window_ends;
