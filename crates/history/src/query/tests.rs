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
        server: ServerVersion::default(),
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

/// A log of the seconds from 0 to 100.
fn ends() -> LogEnds {
    let (start, end) = (t(0), Some(t(100)));
    LogEnds { start, end, passed: None, applied: None, previous: None, stopped: None }
}

fn finished(ingest: Ingest) -> Arc<History> {
    let history = ingest.finish(ServerId("x".into()), ends()).unwrap();
    index_is_complete(&history);
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
fn index_is_complete(history: &History) {
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
    read(history, point, keys, Reading::Flashback)
}

fn read(
    history: &Arc<History>,
    point: AsOf,
    keys: Keys,
    reading: Reading,
) -> Result<(Value, Value), &'static str> {
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys,
        at: point,
        filter: None,
        limit: None,
    };
    let mut lines = forms::rows(history, &request, reading)?;
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

mod ddl;
mod engines;
mod forms;
mod model;
mod names;
mod net;
mod other_keys;
mod partitions;
mod put_off;
mod states;
mod times;
mod unplaced;
mod walks;
mod window_ends;
mod windows;
