//! Logs with odd events, as servers wrote them, against what the servers held when they ended
//! (recorded by `tests/real/events_record.py`).

#![expect(clippy::expect_used, reason = "a test")]

use dbtrail_history::History;
use dbtrail_history::query::Reading;
use dbtrail_types::agent_api::{KeyChoice, Keys, Octets, RowsRequest};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::AsOf;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Deserialize)]
struct Truth {
    rows: Vec<Vec<Option<String>>>,
    /// The log does not tell its rows.
    doubt: bool,
}

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/events");
    let files = std::fs::read_dir(folder).expect("the recordings");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "binlog"));
    files.sort();
    files
}

fn read(file: &Path) -> Arc<History> {
    Arc::new(History::read(ServerId("x".into()), &[file.to_owned()]).expect("the log"))
}

/// The rows of these ids at the end of the record, or the message of the refusal.
fn rows(history: &Arc<History>, table: &str, ids: &[&str]) -> Result<Vec<Value>, String> {
    let values = ids.iter().map(|id| vec![Octets(id.as_bytes().to_vec())]).collect();
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: table.into(),
        keys: Keys { columns: vec!["id".into()], choice: KeyChoice::Values(values) },
        at: AsOf::Time(history.coverage().newest),
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

/// A table whose rows the log tells is answered as the server answered; of another one nothing is
/// said that is wrong.
#[test]
fn odd_events_harm_their_own_tables_alone() {
    let mut wrong = Vec::new();
    let files = recordings();
    assert!(files.len() > 20, "{}", files.len());
    for file in files {
        let history = read(&file);
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        if let Some(stopped) = history.stopped() {
            wrong.push(format!("{name}: {stopped}"));
            continue;
        }
        let text = std::fs::read_to_string(file.with_extension("json")).expect("the truth");
        let truth: BTreeMap<String, Truth> = serde_json::from_str(&text).expect("JSON");
        for (table, Truth { rows: held, doubt }) in truth {
            let mut ids: Vec<&str> = held.iter().filter_map(|row| row[0].as_deref()).collect();
            ids.push("424242");
            let want: Vec<Value> = held.iter().map(|row| serde_json::json!(row)).collect();
            match rows(&history, &table, &ids) {
                Ok(got) if got == want => {}
                Ok(got) => wrong.push(format!("{name}: {table} has {got:?}, and had {want:?}")),
                Err(_) if doubt => {}
                Err(why) => wrong.push(format!("{name}: {table} is refused: {why}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
