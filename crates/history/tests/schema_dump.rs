//! Log files of tables that were made before them, with what `mysqldump --no-data` says of the
//! tables, against what the servers held (recorded by `tests/real/schema_dump_record.py`).

#![expect(clippy::expect_used, reason = "a test")]

use dbtrail_history::query::Reading;
use dbtrail_history::schema_dump::SchemaDump;
use dbtrail_history::{History, ReadOptions};
use dbtrail_types::agent_api::{KeyChoice, Keys, Octets, RowsRequest};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SERVERS: [&str; 2] = ["mysql-9.7", "mariadb-11.8"];

fn folder(server: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema").join(server)
}

fn dump(server: &str) -> String {
    std::fs::read_to_string(folder(server).join("dump.sql")).expect("the dump")
}

/// A day later than it was written.
fn late(dump: &str) -> String {
    dump.replace("-- Dump completed on 2026-11-28", "-- Dump completed on 2026-11-30")
}

fn read(server: &str, options: &ReadOptions) -> Result<Arc<History>, String> {
    // In no order, and without what it says of it.
    let files = ["binlog.000003", "binlog.000002"].map(|name| folder(server).join(name));
    History::read_with(ServerId("x".into()), &files, options).map(Arc::new).map_err(|e| e.to_string())
}

fn with(server: &str, dump: &str) -> Arc<History> {
    let schema = Some(SchemaDump::read(dump).expect("a dump"));
    let position = std::env::temp_dir();
    let options = ReadOptions { schema, store: Some(position), ..ReadOptions::default() };
    read(server, &options).expect("the log")
}

/// The rows of these ids, or the message of the refusal.
fn rows(history: &Arc<History>, table: &str, ids: &[&str], at: Timestamp) -> Result<Vec<Value>, String> {
    let values = ids.iter().map(|id| vec![Octets(id.as_bytes().to_vec())]).collect();
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: table.into(),
        keys: Keys { columns: vec!["id".into()], choice: KeyChoice::Values(values) },
        at: AsOf::Time(at),
        filter: None,
        limit: None,
    };
    let mut text = Vec::new();
    for chunk in history.rows(&request, Reading::Flashback).map_err(|r| r.message.clone())? {
        text.extend(chunk.map_err(|r| r.message.clone())?);
    }
    let text = String::from_utf8(text).expect("text");
    let mut lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    // The definition in front, and the end.
    lines.pop();
    Ok(lines.split_off(1))
}

fn truth(server: &str) -> BTreeMap<String, Vec<Vec<Option<String>>>> {
    let text = std::fs::read_to_string(folder(server).join("rows.json")).expect("the truth");
    serde_json::from_str(&text).expect("JSON")
}

fn held(server: &str, table: &str, ids: &[&str]) -> Vec<Value> {
    let rows = truth(server).remove(table).expect("a table");
    let of = |row: &&Vec<Option<String>>| row[0].as_deref().is_some_and(|id| ids.contains(&id));
    rows.iter().filter(of).map(|row| serde_json::json!(row)).collect()
}

#[test]
fn a_table_without_a_statement_in_the_files_is_as_the_dump_has_it() {
    for server in SERVERS {
        let history = with(server, &dump(server));
        let coverage = history.coverage();
        for (table, ids) in [("same", &["1", "2", "4"][..]), ("made", &["1", "2", "3"]), ("parent", &["1"])] {
            let got = rows(&history, table, ids, coverage.newest);
            assert_eq!(got, Ok(held(server, table, ids)), "{server} {table}");
        }
        // The cascade, which MySQL 9.7 logs. MariaDB does not, and rows from before the files may
        // have been in it.
        let child = rows(&history, "child", &["30"], coverage.newest);
        match (server, child) {
            ("mysql-9.7", child) => assert_eq!(child, Ok(vec![])),
            (_, Err(why)) => assert!(why.contains("a foreign key (p) may have changed"), "{why}"),
            (_, Ok(rows)) => assert!(rows.is_empty(), "{server}: {rows:?} is not known"),
        }
        // Without a dump the files say too little of it.
        let alone = read(server, &ReadOptions::default()).expect("the log");
        assert!(rows(&alone, "same", &["1"], coverage.newest).is_err(), "{server}");
        assert!(rows(&alone, "made", &["1"], coverage.newest).is_ok(), "{server}");
        // Before its first change a row is as the image before that change. (MariaDB's log does not
        // say when in its first second that was.)
        let first = rows(&history, "same", &["1", "2"], coverage.oldest);
        if server == "mariadb-11.8" {
            assert!(first.is_err(), "{first:?}");
            continue;
        }
        let first = first.expect("rows");
        let want = serde_json::json!([
            ["1", "one", "1.50", "a", null],
            ["2", "two", "1.50", "b", "2026-01-02 03:04:05.678"]
        ]);
        assert_eq!(Value::from(first), want, "{server}");
    }
}

#[test]
fn after_the_last_statement_a_table_is_as_a_later_dump_has_it() {
    for server in SERVERS {
        let early = with(server, &dump(server));
        let newest = early.coverage().newest;
        let why = rows(&early, "altered", &["1"], newest).expect_err("a refusal");
        assert!(why.contains("--schema is older than a statement of"), "{server}: {why}");
        let late = with(server, &late(&dump(server)));
        assert_eq!(
            rows(&late, "altered", &["1"], newest),
            Ok(held(server, "altered", &["1"])),
            "{server}: names as the server has them"
        );
        let why = rows(&late, "altered", &["1"], late.coverage().oldest).expect_err("a refusal");
        // MariaDB's log does not tell the two apart: all is in one second.
        let mariadb = server == "mariadb-11.8" && why.contains("the log does not say from which");
        assert!(
            mariadb || why.contains("its record begins after that: ALTER TABLE altered"),
            "{server}: {why}"
        );
    }
}

#[test]
fn a_dump_that_does_not_fit_is_noticed_by_the_rows() {
    for server in SERVERS {
        let narrow = dump(server).replace("  `d` decimal(9,2) DEFAULT NULL,\n", "");
        let history = with(server, &narrow);
        let why = rows(&history, "same", &["1"], history.coverage().newest);
        assert!(why.is_err(), "{server}: {why:?}");
    }
}

#[test]
fn the_record_ends_where_it_was_asked_to() {
    for server in SERVERS {
        let all = read(server, &ReadOptions::default()).expect("the log").coverage();
        let middle = Timestamp::from_micros(i64::midpoint(all.oldest.micros(), all.newest.micros()));
        let options = ReadOptions { from: Some(middle), ..ReadOptions::default() };
        let coverage = read(server, &options).expect("the log").coverage();
        assert_eq!((coverage.oldest, coverage.newest), (middle.max(all.oldest), all.newest));
        let options = ReadOptions { to: Some(middle), ..ReadOptions::default() };
        let history = read(server, &options).expect("the log");
        assert_eq!((history.coverage().oldest, history.coverage().newest), (all.oldest, middle));
        let why = rows(&history, "made", &["1"], all.newest).expect_err("a refusal");
        assert!(why.contains("is after the end of the record"), "{why}");
        let before = Some(Timestamp::from_micros(all.oldest.micros() - 1));
        let why = read(server, &ReadOptions { to: before, ..ReadOptions::default() }).expect_err("nothing");
        assert!(why.contains("hold nothing of the time that was asked for"), "{why}");
    }
}
