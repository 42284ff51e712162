//! Each version against the one before it: the row before a change is the row after the change
//! before, the first one is that of the beginning, and the last one that of the end.

use super::compare::{Difference, key_in, shown_key};
use super::history::{History, No};
use super::key::{Key, Wanted, positions};
use super::windows::second_windows;
use dbtrail_types::agent_api::{RowCell, RowLine, code};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys that are held at most.
const HELD: usize = 500_000;
/// Keys that are asked for at a time.
const AT_ONCE: usize = 1_000;

/// The first and the last row that changes of a key tell, each with its definition.
struct Ends {
    first: Version,
    last: Version,
}

/// A row, or none, under a definition.
type Version = (Arc<TableDefinition>, Option<RowLine>);

/// What came of the versions of a table.
pub(super) struct Checked {
    /// Where they contradict each other.
    pub(super) found: Vec<Difference>,
    /// From when to when they were compared, where that is less than what was asked for.
    pub(super) instead: Option<(Timestamp, Timestamp)>,
}

/// Where the versions of a table since an instant contradict each other. Where the log does not
/// say on which side of the instant changes are, between whole seconds after it: of those the log
/// says it.
///
/// # Errors
/// The agent does not answer.
pub(super) async fn checked(history: &History, table: &TableName, since: Timestamp) -> Result<Checked, No> {
    let status = history.status().await?;
    let until = status.newest.ok_or_else(|| No::Failed("the record has not begun".to_owned()))?;
    let mut refused = match between(history, table, (since, until), true).await {
        Err(refused) if is_ambiguous(&refused) => refused,
        other => return other.map(|found| Checked { found, instead: None }),
    };
    for (from, to) in second_windows((since, until)) {
        // What was visible at the very ends is as little certain: versions alone are compared.
        match between(history, table, (from, to), false).await {
            Err(again) if is_ambiguous(&again) => refused = again,
            other => return other.map(|found| Checked { found, instead: Some((from, to)) }),
        }
    }
    Err(refused)
}

fn is_ambiguous(no: &No) -> bool {
    matches!(no, No::Refused(word, _) if word == code::AMBIGUOUS_TIME)
}

/// The same, in a window: with the rows at its ends, which are then outside of it.
async fn between(
    history: &History,
    table: &TableName,
    (since, until): (Timestamp, Timestamp),
    with_ends: bool,
) -> Result<Vec<Difference>, No> {
    let definition = Arc::new(history.definition(table, &AsOf::Time(until)).await?);
    let mut found = Vec::new();
    let mut ends: BTreeMap<Key, Ends> = BTreeMap::new();
    let first = super::table::plus(since, i64::from(with_ends));
    let mut changes = history.changes(table, &Wanted::all(&definition), (first, until)).await?;
    while let Some((under, events)) = changes.next().await? {
        let positions = positions(&under).unwrap_or_default();
        for event in events {
            let key: Key = event.key.into_iter().map(|value| value.0).collect();
            // Of a row that goes from one key to another, each key has one of the two images.
            let moved = event.before.is_some() && event.after.is_some();
            let mine = |row: &RowLine| !moved || key_in(&positions, row).as_ref() == Some(&key);
            let before = (Arc::clone(&under), event.before.filter(mine));
            let after = (Arc::clone(&under), event.after.filter(mine));
            if let Some(known) = ends.get_mut(&key) {
                if !agree(&known.last, &before) {
                    let what = format!(
                        "the row before the change of {} (event {}) is not the row after the change before it",
                        event.event_timestamp, event.event_id
                    );
                    found.push(Difference { key: shown_key(&under, &key), what });
                }
                known.last = after;
            } else {
                ends.insert(key, Ends { first: before, last: after });
                if ends.len() > HELD {
                    let why = format!(
                        "more than {HELD} rows of {table} changed since {since}: choose a later --since"
                    );
                    return Err(No::Refused(String::new(), why));
                }
            }
        }
    }
    if !with_ends {
        return Ok(found);
    }
    let keys: Vec<Key> = ends.keys().cloned().collect();
    for some in keys.chunks(AT_ONCE) {
        for (at, is_first) in [(since, true), (until, false)] {
            let wanted = Wanted::named(&definition, some);
            // A row may be in doubt at that very instant, and not be a contradiction.
            let rows = match history.rows(table, &wanted, AsOf::Time(at), AT_ONCE).await {
                Ok(rows) => rows,
                Err(No::Refused(..)) => continue,
                Err(no) => return Err(no),
            };
            let Some((under, rows)) = rows else { continue };
            for key in some {
                let Some(ends) = ends.get(key) else { continue };
                let reported = (Arc::clone(&under), rows.get(key).cloned());
                let agrees = agree(&reported, if is_first { &ends.first } else { &ends.last });
                if !agrees {
                    let what = if is_first {
                        format!("the row of {at} is not the row before the first change after it")
                    } else {
                        format!("the row of {at} is not the row after the last change before it")
                    };
                    found.push(Difference { key: shown_key(&under, key), what });
                }
            }
        }
    }
    Ok(found)
}

/// Whether two versions can be of one row; under two definitions nobody can tell.
fn agree((one, row): &Version, (other, version): &Version) -> bool {
    let same = |(a, b): (&RowCell, &RowCell)| {
        a == b || matches!(a, RowCell::Unknown(_)) || matches!(b, RowCell::Unknown(_))
    };
    one != other
        || match (row, version) {
            (None, None) => true,
            (Some(row), Some(version)) => row.len() == version.len() && row.iter().zip(version).all(same),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent_client::{AgentClient, InProcessAgent, InProcessBody};
    use bytes::Bytes;
    use futures_util::future::BoxFuture;
    use futures_util::{FutureExt, StreamExt, stream};
    use hyper::{Request, Response};
    use serde_json::{Value, json};

    const SINCE: &str = "2026-04-27T09:00:00.000000Z";
    const UNTIL: &str = "2026-04-27T10:00:00.000000Z";

    /// An agent that says what it is told to say.
    #[derive(Debug)]
    struct Verdict {
        events: Value,
        begin: Value,
        end: Value,
    }

    fn columns() -> Value {
        json!({"columns": [{"name": "id", "type": "int", "nullable": false}, {"name": "v", "type": "int", "nullable": true}], "primary_key": ["id"]})
    }

    fn with(mut value: Value, more: &Value) -> Value {
        for (name, value_of) in more.as_object().unwrap() {
            value[name] = value_of.clone();
        }
        value
    }

    impl Verdict {
        fn lines(&self, path: &str, asked: &Value) -> Vec<Value> {
            let end = |rows: usize| json!({"end": {"rows": rows, "notes": []}});
            let header = with(json!({"success": true}), &columns());
            match path {
                "/v1/status" => vec![json!({
                    "server_id": "s", "live": true, "connected": true, "reason": null, "disconnected_since": null, "position": null, "gtids": null,
                    "oldest": SINCE, "newest": UNTIL, "lag_seconds": 0.0, "tables": [], "transactions": 0, "row_changes": 0, "events": 0, "bytes": 0,
                    "bytes_on_disk": 0, "versions": 0, "purged": 0, "gaps": [], "baseline": null})],
                "/v1/diff" => {
                    let events = self.events.as_array().unwrap();
                    [vec![header], events.clone(), vec![end(events.len())]].concat()
                }
                "/v1/snapshot" => {
                    let is_begin = asked["at"]["time"] == SINCE;
                    let rows = if is_begin { &self.begin } else { &self.end }.as_array().unwrap();
                    let header = with(header, &json!({"at": asked["at"]}));
                    [vec![header], rows.clone(), vec![end(rows.len())]].concat()
                }
                _ => vec![with(
                    json!({"success": true, "server_id": "s", "schema": "a", "table": "t"}),
                    &columns(),
                )],
            }
        }
    }

    impl InProcessAgent for Verdict {
        fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<InProcessBody>> {
            let asked = serde_json::from_slice(request.body()).unwrap_or_default();
            let lines = self.lines(request.uri().path(), &asked);
            let kind = if lines.len() > 1 { "application/x-ndjson" } else { "application/json" };
            let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
            let body = stream::iter([Ok(Bytes::from(text))]).boxed();
            let response = Response::builder().header("content-type", kind).body(body).unwrap();
            async move { response }.boxed()
        }
    }

    fn event(id: u64, key: &str, before: &Value, after: &Value) -> Value {
        let row = |v: &Value| if v.is_null() { Value::Null } else { json!([key, v]) };
        let kind = match (before.is_null(), after.is_null()) {
            (true, _) => "INSERT",
            (_, true) => "DELETE",
            _ => "UPDATE",
        };
        json!({"event": {"event_id": id, "event_timestamp": "2026-04-27T09:30:00.000000Z", "event_type": kind, "gtid": null,
            "key": [key], "before": row(before), "after": row(after)}})
    }

    async fn found(events: Value, begin: Value, end: Value) -> Vec<String> {
        let client = AgentClient::in_process(Arc::new(Verdict { events, begin, end })).unwrap();
        let history = History::of(client, "s");
        let table = TableName { schema: "a".to_owned(), table: "t".to_owned() };
        let checked = checked(&history, &table, SINCE.parse().unwrap()).await.unwrap();
        assert_eq!(checked.instead, None);
        checked.found.into_iter().map(|d| format!("{}: {}", d.key, d.what)).collect()
    }

    #[tokio::test]
    async fn each_version_is_checked_against_the_one_before_it() {
        let (none, one, two, three) = (Value::Null, json!("1"), json!("2"), json!("3"));
        // Row 1 is changed twice, 2 is made, 3 goes.
        let events = |first: &Value, second: &Value| {
            json!([
                event(5, "1", first, &two),
                event(6, "1", second, &three),
                event(7, "2", &none, &one),
                event(8, "3", &one, &none),
            ])
        };
        let begin = json!([["1", "1"], ["3", "1"]]);
        let end = json!([["1", "3"], ["2", "1"]]);
        assert_eq!(found(events(&one, &two), begin.clone(), end.clone()).await, Vec::<String>::new());
        let broken = found(events(&one, &one), begin.clone(), end.clone()).await;
        assert!(
            broken.len() == 1 && broken[0].starts_with("id = '1': the row before the change of "),
            "{broken:?}"
        );
        let broken = found(events(&two, &two), begin.clone(), end.clone()).await;
        assert!(
            broken.len() == 1 && broken[0].contains("is not the row before the first change"),
            "{broken:?}"
        );
        for end in [json!([["1", "3"]]), json!([["1", "3"], ["2", "2"]])] {
            let broken = found(events(&one, &two), begin.clone(), end).await;
            assert!(broken.len() == 1 && broken[0].starts_with("id = '2': the row of "), "{broken:?}");
        }
        let broken = found(events(&one, &two), json!([["1", "1"]]), end).await;
        assert!(broken.len() == 1 && broken[0].starts_with("id = '3': "), "{broken:?}");
    }
}
