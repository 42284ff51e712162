//! `_diff` of whole tables against the recordings: every window between two ticks.

use crate::truth_agent::{as_shown, collect, history, instant, lines, octets, words};
use dbtrail_history::History;
use dbtrail_types::agent_api::{DiffRequest, KeyChoice, KeyScan, Keys};
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::names::ServerId;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The changes of every window between two ticks, of every table, without keys: in the order of the
/// log, a change of the key under both keys.
fn full_windows(history: &Arc<History>, fixture: &str) {
    let ticks = lines(fixture, "truth.jsonl");
    let all = lines(fixture, "changes.jsonl");
    let at = |value: &Value| instant(value.as_str().expect("text"));
    let columns = |table: &str| {
        let known = ticks.iter().find_map(|tick| tick["tables"].get(table)).expect("a table");
        words(&known["pk"])
    };
    let (mut compared, mut refused, mut most, mut images) = (0, 0, 0, 0);
    let names: BTreeSet<&str> = all.iter().map(|c| c["table"].as_str().expect("a name")).collect();
    for (first, last) in ticks.iter().zip(&ticks[1..]).chain([(&ticks[0], ticks.last().expect("ticks"))]) {
        let (since, until) = (at(&first["as_of"]), at(&last["as_of"]));
        for table in &names {
            let request = DiffRequest {
                server_id: ServerId("truth".to_owned()),
                schema: "tt".to_owned(),
                table: (*table).to_owned(),
                keys: Keys { columns: columns(table), choice: KeyChoice::Scan(KeyScan::default()) },
                since: Some(since),
                until: Some(until),
                transaction: None,
                filter: None,
                limit: None,
                connection_names: false,
            };
            let answer = match history.diff(&request) {
                Ok(answer) => answer,
                // It is not there at the end, or comes from nothing that is known on the way.
                Err(refusal) if matches!(refusal.status, 404 | 422) => {
                    refused += 1;
                    continue;
                }
                Err(refusal) => panic!("{table}: {refusal}"),
            };
            let (header, lines, _) = collect(answer);
            let events: Vec<&Value> = lines.iter().filter_map(|l| l.get("event")).collect();
            // Of each event the columns that it has.
            let mut columns = &header["columns"];
            let mut shaped = Vec::new();
            for line in &lines {
                if let Some(definition) = line.get("definition") {
                    columns = &definition["columns"];
                }
                shaped.extend(line.get("event").map(|event| (event, columns)));
            }
            let ids: Vec<u64> = events.iter().map(|e| e["event_id"].as_u64().expect("a number")).collect();
            assert!(ids.windows(2).all(|p| p[0] <= p[1]), "{table}: {ids:?}");
            let mut got: Vec<(String, String)> = Vec::new();
            for event in &events {
                let text = |value: &Value| value.as_str().expect("text").to_owned();
                got.push((text(&event["event_type"]), event["key"].to_string()));
            }
            let mut want: Vec<(String, String)> = Vec::new();
            let mut changes: Vec<&Value> = Vec::new();
            let tick = |line: &Value| line["tick"].as_u64().expect("a number");
            let inside =
                |c: &&Value| c["table"] == **table && (tick(first) + 1..=tick(last)).contains(&tick(c));
            for change in all.iter().filter(inside) {
                for pk in [change.get("pk"), change.get("new_pk")].into_iter().flatten() {
                    let key = serde_json::to_string(&octets(pk.as_array().expect("a key")));
                    want.push((change["type"].as_str().expect("text").to_owned(), key.expect("JSON")));
                    changes.push(change);
                }
            }
            assert_eq!(got, want, "{table} from {since} to {until}");
            for ((event, columns), change) in shaped.into_iter().zip(changes) {
                if change.get("images_not_recorded").is_some() {
                    continue;
                }
                for side in ["before", "after"] {
                    let image = as_shown(event[side].clone(), columns);
                    assert_eq!(image, change[side], "{side} of {table} {}", event["key"]);
                    images += 1;
                }
            }
            compared += 1;
            most = most.max(want.len());
        }
    }
    assert!(images > 500, "only {images} images compared");
    assert!(compared > 40 && most > 20, "{compared} windows of {most} changes at most ({refused} refused)");
}

#[test]
fn windows_of_mysql_9_7() {
    full_windows(&history("mysql-9.7"), "mysql-9.7");
}

#[test]
fn windows_of_mariadb_10_11() {
    full_windows(&history("mariadb-10.11"), "mariadb-10.11");
}

/// The changes of all tables of every window between two ticks, in the order of the log.
fn windows_of_all(history: &Arc<History>, fixture: &str) {
    let ticks = lines(fixture, "truth.jsonl");
    let all = lines(fixture, "changes.jsonl");
    let at = |value: &Value| instant(value.as_str().expect("text"));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let (mut compared, mut images) = (0, 0);
    let mut refused = Vec::new();
    for (first, last) in ticks.iter().zip(&ticks[1..]).chain([(&ticks[0], ticks.last().expect("ticks"))]) {
        let request = HistoryRequest {
            server_id: ServerId("truth".to_owned()),
            table: HistoryTable::Changes,
            schemas: Some(vec!["tt".to_owned()]),
            window: Some((at(&first["as_of"]), at(&last["as_of"]))),
            transaction: None,
            filter: None,
            limit: None,
            connection_names: false,
        };
        let chunks = history.happened(&request).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chunks = match chunks {
            Ok(chunks) => chunks,
            Err(refusal) => {
                refused.push(refusal.to_string());
                continue;
            }
        };
        let (_, lines, _) = collect(chunks.into_iter().map(Ok));
        let (mut table, mut columns) = (String::new(), Value::Null);
        let mut got = Vec::new();
        for line in &lines {
            if let Some(next) = line.get("table") {
                table = text(&next["table"]);
            } else if let Some(definition) = line.get("definition") {
                columns = definition["columns"].clone();
            } else if let Some(event) = line.get("event") {
                got.push((table.clone(), event, columns.clone()));
            }
        }
        let tick = |line: &Value| line["tick"].as_u64().expect("a number");
        let inside = |c: &&Value| (tick(first) + 1..=tick(last)).contains(&tick(c));
        let mut want = Vec::new();
        for change in all.iter().filter(inside) {
            for pk in [change.get("pk"), change.get("new_pk")].into_iter().flatten() {
                let key = serde_json::to_value(octets(pk.as_array().expect("a key"))).expect("JSON");
                want.push((text(&change["table"]), change, key));
            }
        }
        let short = |table: &str, kind: &Value, key: &Value| format!("{table} {kind} {key}");
        assert_eq!(
            got.iter().map(|(t, e, _)| short(t, &e["event_type"], &e["key"])).collect::<Vec<_>>(),
            want.iter().map(|(t, c, key)| short(t, &c["type"], key)).collect::<Vec<_>>(),
        );
        for ((table, event, columns), (_, change, _)) in got.iter().zip(&want) {
            if change.get("images_not_recorded").is_some() {
                continue;
            }
            for side in ["before", "after"] {
                let image = as_shown(event[side].clone(), columns);
                assert_eq!(image, change[side], "{side} of {table} {}", event["key"]);
                images += 1;
            }
        }
        compared += 1;
    }
    assert!(compared > 8 && images > 500, "{compared} windows, {images} images: {refused:?}");
}

#[test]
fn windows_of_all_tables_of_mysql_9_7() {
    windows_of_all(&history("mysql-9.7"), "mysql-9.7");
}

#[test]
fn windows_of_all_tables_of_mariadb_10_11() {
    windows_of_all(&history("mariadb-10.11"), "mariadb-10.11");
}
