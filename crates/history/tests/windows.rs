//! When a change could be seen, in logs of changes that took long (recorded by
//! `tests/real/windows_record.py`): an instant before that has the old state, one after it the new
//! one, and what lies in between is refused and names the change.

#![expect(clippy::expect_used, clippy::cast_possible_truncation, reason = "a test")]

use dbtrail_history::History;
use dbtrail_history::query::Reading;
use dbtrail_types::agent_api::{KeyChoice, Keys, Octets, RowsRequest};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// A change, and what another connection saw of it.
#[derive(Deserialize)]
struct Change {
    name: String,
    table: String,
    began: f64,
    ended: f64,
    /// When the old state was asked for the last time.
    old: f64,
    /// When the new one had been seen.
    new: f64,
    before: i64,
    after: i64,
}

/// The state that a change changes, at an instant: the value, the number of columns, whether the
/// table is there. Or the refusal.
fn state(history: &Arc<History>, change: &Change, at: f64) -> Result<i64, (String, String)> {
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: change.table.clone(),
        keys: Keys {
            columns: vec!["id".into()],
            choice: KeyChoice::Values(vec![vec![Octets(b"1".to_vec())]]),
        },
        at: AsOf::Time(Timestamp::from_micros((at * 1e6) as i64)),
        filter: None,
        limit: None,
    };
    let refusal = |r: &dbtrail_history::query::Refusal| (r.code.to_owned(), r.message.clone());
    let mut text = Vec::new();
    match history.rows(&request, Reading::Flashback) {
        Err(refused) if change.name == "drop" && refused.code == "unknown_table" => return Ok(0),
        Err(refused) => return Err(refusal(&refused)),
        Ok(chunks) => {
            for chunk in chunks {
                text.extend(chunk.map_err(|r| refusal(&r))?);
            }
        }
    }
    let text = String::from_utf8(text).expect("text");
    let row: Vec<Option<String>> =
        serde_json::from_str(text.lines().nth(1).expect("a row")).expect("a row of texts");
    Ok(match change.name.as_str() {
        "held" | "copied" => i64::try_from(row.len()).expect("few columns"),
        "drop" => 1,
        _ => row[1].as_deref().expect("a value").parse().expect("a number"),
    })
}

#[test]
fn a_change_is_seen_when_it_was_seen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/windows");
    let mut wrong = Vec::new();
    for server in ["mariadb-10.11", "mariadb-11.8", "mysql-9.7"] {
        let log = folder.join(format!("{server}.binlog"));
        let history = Arc::new(History::read(ServerId("x".into()), &[log]).expect("the log"));
        let text_of_seen =
            std::fs::read_to_string(folder.join(format!("{server}.json"))).expect("what was seen");
        let changes: Vec<Change> = serde_json::from_str(&text_of_seen).expect("JSON");
        for change in &changes {
            // Of an UPDATE without BEGIN this server logs the second in which it began, and no more
            // (docs/agent.md): what a file cannot tell, a captured server's clock does.
            let unanswerable = server == "mariadb-10.11" && change.name == "update";
            let mut refused = Vec::new();
            let mut check = |at: f64, want: Option<i64>, must: bool| {
                let what =
                    format!("{server}, {}, {:+.3} s from when it was seen", change.name, at - change.new);
                match state(&history, change, at) {
                    Ok(found) if Some(found) == want => {}
                    Ok(found) if want.is_none() && (found == change.before || found == change.after) => {}
                    Ok(found) => wrong.push(format!("{what}: {found} instead of {want:?}")),
                    Err((code, message)) => {
                        refused.push(at - change.new);
                        if must || code != "ambiguous_time" || !message.contains("GTID") {
                            wrong.push(format!("{what}: {code}: {message}"));
                        }
                    }
                }
            };
            for tenths in 0..60 {
                let off = f64::from(tenths) / 10.0;
                let before = change.old - off;
                // There are four seconds between a change and the next.
                if before > change.began - 2.5 && (!unanswerable || before < change.began - 1.1) {
                    check(before, Some(change.before), before < change.began - 1.1);
                }
                let after = change.new + off;
                if off < 3.0 {
                    check(after, Some(change.after), after > change.ended + 1.1);
                }
            }
            // Whole seconds are refused around a change, and no more.
            let some = if server.starts_with("mysql") || unanswerable { 0..=0 } else { 8..=12 };
            if !some.contains(&refused.len()) {
                wrong.push(format!("{server}, {}: refused at {refused:?}", change.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
