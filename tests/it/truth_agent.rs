//! The agent's answers against what real servers said at the time: every row of every recorded
//! tick, as of its instant and at its GTID, and every change. Byte for byte.

use dbtrail_history::History;
use dbtrail_history::query::{Reading, Refusal};
use dbtrail_types::agent_api::{DiffRequest, KeyChoice, KeyScan, Keys, Octets, RowsRequest};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub fn folder(fixture: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture)
}

pub fn history(fixture: &str) -> Arc<History> {
    let history =
        History::read(ServerId("truth".to_owned()), &[folder(fixture).join("binlog.000003")]).expect("reads");
    assert_eq!(history.stopped(), None);
    assert_eq!(history.unreadable(), []);
    Arc::new(history)
}

pub fn lines(fixture: &str, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder(fixture).join(file)).expect("the fixture is there");
    text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()
}

pub fn instant(as_of: &str) -> Timestamp {
    format!("{}Z", as_of.replace(' ', "T")).parse().expect("an instant")
}

pub fn octets(cells: &[Value]) -> Vec<Octets> {
    cells.iter().map(|c| serde_json::from_value(c.clone()).expect("a key value")).collect()
}

pub fn words(list: &Value) -> Vec<String> {
    serde_json::from_value(list.clone()).expect("names")
}

/// Header, lines between, trailer.
pub fn collect(answer: impl Iterator<Item = Result<Vec<u8>, Refusal>>) -> (Value, Vec<Value>, Value) {
    let bytes: Vec<u8> = answer.flat_map(|chunk| chunk.expect("no failure on the way")).collect();
    let mut lines: Vec<Value> = bytes
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).expect("JSON"))
        .collect();
    let end = lines.pop().expect("a trailer");
    let rows = lines.split_off(1);
    // Definitions, and transactions with who made them, are in front of the first event that names
    // them.
    let is_announced = |l: &&Value| l.is_object() && l.get("event").is_none();
    let announced = rows.iter().filter(is_announced).count();
    assert_eq!(end["end"]["rows"], rows.len() - announced);
    (lines.remove(0), rows, end)
}

/// Keys of one table over all ticks, by their JSON text.
type KnownKeys = BTreeMap<String, Vec<Octets>>;

fn key_of(table: &Value, row: &Value) -> Vec<Value> {
    let columns = words(&table["columns"]);
    let position = |name: &String| columns.iter().position(|c| c == name).expect("a key column");
    words(&table["pk"]).iter().map(|n| row[position(n)].clone()).collect()
}

fn tables(tick: &Value) -> impl Iterator<Item = (&String, &Value)> {
    tick["tables"].as_object().expect("tables").iter()
}

fn rows_of(table: &Value) -> &[Value] {
    table["rows"].as_array().expect("rows")
}

/// A row as mysqld shows it: of a FLOAT the agent tells all digits.
pub(super) fn as_shown(mut row: Value, columns: &Value) -> Value {
    let types = columns.as_array().expect("columns").iter().map(|c| c["type"].as_str().expect("a type"));
    for (cell, ty) in row.as_array_mut().into_iter().flatten().zip(types) {
        if let (Some(text), "float") = (cell.as_str(), ty) {
            let shown = dbtrail_types::float_text::shown_float(text.as_bytes());
            *cell = Value::from(String::from_utf8(shown).expect("ASCII"));
        }
    }
    row
}

/// Every row of every tick, by time and by GTID.
pub fn states(history: &Arc<History>, fixture: &str) {
    let ticks = lines(fixture, "truth.jsonl");
    let mut known: BTreeMap<String, KnownKeys> = BTreeMap::new();
    for (name, table) in ticks.iter().flat_map(tables) {
        for row in rows_of(table) {
            let key = key_of(table, row);
            known.entry(name.clone()).or_default().insert(Value::from(key.clone()).to_string(), octets(&key));
        }
    }
    let (mut compared, mut empty) = (0, 0);
    for tick in &ticks {
        let time = AsOf::Time(instant(tick["as_of"].as_str().expect("text")));
        let gtid = AsOf::Gtid(tick["gtid"].as_str().expect("text").to_owned());
        for (name, table) in tables(tick) {
            let alive: BTreeMap<String, &Value> =
                rows_of(table).iter().map(|r| (Value::from(key_of(table, r)).to_string(), r)).collect();
            for (text, key) in known.get(name).into_iter().flatten() {
                for at in [&time, &gtid] {
                    let request = RowsRequest {
                        server_id: ServerId("truth".to_owned()),
                        schema: "tt".to_owned(),
                        table: name.clone(),
                        keys: Keys {
                            columns: words(&table["pk"]),
                            choice: KeyChoice::Values(vec![key.clone()]),
                        },
                        at: at.clone(),
                        filter: None,
                        limit: None,
                    };
                    let answer = history.rows(&request, Reading::Flashback);
                    let (header, rows, _) =
                        collect(answer.unwrap_or_else(|e| panic!("{name} {text} {at:?}: {e}")));
                    let names: Vec<&Value> =
                        header["columns"].as_array().expect("columns").iter().map(|c| &c["name"]).collect();
                    assert_eq!(
                        names,
                        table["columns"].as_array().expect("columns").iter().collect::<Vec<_>>()
                    );
                    let rows: Vec<Value> =
                        rows.into_iter().map(|row| as_shown(row, &header["columns"])).collect();
                    let want: Vec<&Value> = alive.get(text).into_iter().copied().collect();
                    assert_eq!(rows.iter().collect::<Vec<_>>(), want, "{name} {text} {at:?}");
                    compared += 1;
                    empty += usize::from(want.is_empty());
                }
            }
        }
    }
    assert!(compared - empty > 1000 && empty > 500, "only {compared} states compared, {empty} of them empty");
}

/// The whole of every table at every tick, by time and by GTID, in the order of the key.
pub fn full_tables(history: &Arc<History>, fixture: &str) {
    let (mut compared, mut most) = (0, 0);
    for tick in &lines(fixture, "truth.jsonl") {
        let time = AsOf::Time(instant(tick["as_of"].as_str().expect("text")));
        let gtid = AsOf::Gtid(tick["gtid"].as_str().expect("text").to_owned());
        for (name, table) in tables(tick) {
            let want: Vec<&Value> = rows_of(table).iter().collect();
            for (at, limit) in [(&time, None), (&gtid, None), (&time, Some(2))] {
                let request = RowsRequest {
                    server_id: ServerId("truth".to_owned()),
                    schema: "tt".to_owned(),
                    table: name.clone(),
                    keys: Keys { columns: words(&table["pk"]), choice: KeyChoice::Scan(KeyScan::default()) },
                    at: at.clone(),
                    filter: None,
                    limit,
                };
                let answer = history.rows(&request, Reading::Flashback);
                let (header, rows, _) = collect(answer.unwrap_or_else(|e| panic!("{name} {at:?}: {e}")));
                let rows: Vec<Value> =
                    rows.into_iter().map(|row| as_shown(row, &header["columns"])).collect();
                let few =
                    want.iter().take(limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)));
                // The recording has them in the order of the key too.
                let few: Vec<&Value> = few.copied().collect();
                assert_eq!(rows.iter().collect::<Vec<_>>(), few, "{name} {at:?}");
                compared += 1;
                most = most.max(rows.len());
            }
        }
    }
    assert!(compared > 50 && most > 5, "only {compared} tables compared, of {most} rows at most");
}

/// Every change of every key.
pub fn changes(history: &Arc<History>, fixture: &str) {
    let ticks = lines(fixture, "truth.jsonl");
    let mut wanted: BTreeMap<(String, String), (Value, Vec<Value>)> = BTreeMap::new();
    for change in lines(fixture, "changes.jsonl") {
        for pk in [change.get("pk"), change.get("new_pk")].into_iter().flatten() {
            let table = change["table"].as_str().expect("a name").to_owned();
            wanted.entry((table, pk.to_string())).or_insert((pk.clone(), Vec::new())).1.push(change.clone());
        }
    }
    let edge = |tick: Option<&Value>| instant(tick.expect("ticks")["as_of"].as_str().expect("text"));
    let since = Timestamp::from_micros(edge(ticks.first()).micros() - 1_000_000);
    let mut compared = 0;
    for ((table, text), (pk, changes)) in &wanted {
        let request = DiffRequest {
            server_id: ServerId("truth".to_owned()),
            schema: "tt".to_owned(),
            table: table.clone(),
            keys: Keys {
                columns: words(&ticks[0]["tables"][table]["pk"]),
                choice: KeyChoice::Values(vec![octets(pk.as_array().expect("a key"))]),
            },
            since: Some(since),
            until: Some(edge(ticks.last())),
            transaction: None,
            filter: None,
            limit: None,
            connection_names: false,
        };
        let (header, lines, _) =
            collect(history.diff(&request).unwrap_or_else(|e| panic!("{table} {text}: {e}")));
        let events: Vec<&Value> = lines.iter().filter_map(|l| l.get("event")).collect();
        let types =
            |list: &[&Value], name: &str| list.iter().map(|e| e[name].clone()).collect::<Vec<Value>>();
        assert_eq!(
            types(&events, "event_type"),
            types(&changes.iter().collect::<Vec<_>>(), "type"),
            "{table} {text}"
        );
        let ids: Vec<u64> = events.iter().map(|e| e["event_id"].as_u64().expect("a number")).collect();
        assert!(ids.windows(2).all(|p| p[0] < p[1]), "{table} {text}: {ids:?}");
        for (event, change) in events.iter().zip(changes) {
            if change.get("images_not_recorded").is_some() {
                continue;
            }
            for side in ["before", "after"] {
                let image = as_shown(event[side].clone(), &header["columns"]);
                assert_eq!(image, change[side], "{side} of {table} {text}");
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "only {compared} images compared");
}

#[test]
fn states_of_mysql_9_7() {
    states(&history("mysql-9.7"), "mysql-9.7");
}

#[test]
fn states_of_mariadb_10_11() {
    states(&history("mariadb-10.11"), "mariadb-10.11");
}

#[test]
fn changes_of_mysql_9_7() {
    changes(&history("mysql-9.7"), "mysql-9.7");
}

#[test]
fn changes_of_mariadb_10_11() {
    changes(&history("mariadb-10.11"), "mariadb-10.11");
}
