//! Changes without keys, with conditions, and of one transaction.

use super::*;
use dbtrail_types::agent_api::{Comparison, Filter, KeyBound, KeyScan, Relation};

fn scan(lower: Option<&str>) -> Keys {
    let bound = |value: &str| KeyBound { value: Octets(value.as_bytes().to_vec()), inclusive: true };
    let scan = KeyScan { prefix: Vec::new(), lower: lower.map(bound), upper: None };
    Keys { columns: vec!["id".into()], choice: KeyChoice::Scan(scan) }
}

fn is(column: &str, is: Relation, value: &str) -> Filter {
    Filter::Compare(Comparison { column: column.into(), is, value: Octets(value.as_bytes().to_vec()) })
}

fn request(keys: Keys) -> DiffRequest {
    DiffRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys,
        since: Some(t(1)),
        until: Some(t(50)),
        transaction: None,
        filter: None,
        limit: None,
        connection_names: false,
    }
}

/// `[type, key]` of each event, or the sentence of the refusal.
fn events(history: &Arc<History>, request: &DiffRequest) -> Result<Value, String> {
    let answer = history.diff(request).map_err(|r| r.message)?;
    let chunks: Result<Vec<Vec<u8>>, Refusal> = answer.collect();
    chunks.map_err(|r| r.message)?;
    let lines = forms::changes(history, request)?;
    let events = lines.iter().filter_map(|line| line.get("event"));
    Ok(events.map(|e| json!([e["event_type"], e["key"][0]])).collect())
}

#[test]
fn a_window_without_keys_has_every_change_in_order() {
    let h = lived();
    let all = json!([
        ["INSERT", "1"],
        ["INSERT", "2"],
        ["UPDATE", "1"],
        ["UPDATE", "1"],
        ["DELETE", "2"],
        ["UPDATE", "1"],
        ["UPDATE", "7"]
    ]);
    assert_eq!(events(&h, &request(scan(None))), Ok(all));
    let some = json!([["INSERT", "2"], ["DELETE", "2"], ["UPDATE", "7"]]);
    assert_eq!(events(&h, &request(scan(Some("2")))), Ok(some));
    let limited = DiffRequest { limit: Some(2), ..request(scan(None)) };
    assert_eq!(events(&h, &limited), Ok(json!([["INSERT", "1"], ["INSERT", "2"]])));
    let short = DiffRequest { since: Some(t(3)), until: Some(t(6)), ..request(scan(None)) };
    assert_eq!(events(&h, &short), Ok(json!([["UPDATE", "1"], ["UPDATE", "1"], ["DELETE", "2"]])));
}

#[test]
fn rows_that_went_at_once_are_reported_one_by_one() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, (1..200).map(|id| row("t", None, Some((id, "a")))).collect()),
        (3, vec![row("t", Some((150, "a")), None)]),
        (4, vec![sql("TRUNCATE t")]),
        (5, vec![row("t", None, Some((7, "b")))]),
    ]);
    let asked = DiffRequest { since: Some(t(4)), ..request(scan(None)) };
    let reported = events(&h, &asked).unwrap();
    let mut want: Vec<Value> =
        (1..200).filter(|id| *id != 150).map(|id| json!(["DELETE", id.to_string()])).collect();
    want.push(json!(["INSERT", "7"]));
    assert_eq!(reported, Value::Array(want));
    let last = DiffRequest { since: Some(t(4)), ..request(scan(Some("198"))) };
    assert_eq!(events(&h, &last), Ok(json!([["DELETE", "198"], ["DELETE", "199"]])));
}

#[test]
fn a_condition_holds_before_or_after() {
    let h = lived();
    for (filter, want) in [
        (is("v", Relation::Equal, "c"), json!([["UPDATE", "1"], ["UPDATE", "1"]])),
        (is("v", Relation::Equal, "b"), json!([["INSERT", "2"], ["DELETE", "2"]])),
        (is("event_type", Relation::Equal, "DELETE"), json!([["DELETE", "2"]])),
        // The key under which it is shown.
        (is("id", Relation::Equal, "7"), json!([["UPDATE", "7"]])),
        (is("gtid", Relation::Equal, "0-1-4"), json!([["DELETE", "2"]])),
        (
            is("event_timestamp", Relation::Less, "2026-01-01 00:00:04.000000"),
            json!([["INSERT", "1"], ["INSERT", "2"]]),
        ),
        (
            Filter::And(vec![
                is("event_type", Relation::Equal, "UPDATE"),
                Filter::Not(Box::new(is("v", Relation::Equal, "d"))),
            ]),
            json!([["UPDATE", "1"], ["UPDATE", "1"]]),
        ),
        (Filter::IsNull("cause".into()), events(&h, &request(scan(None))).unwrap()),
        (is("server_id", Relation::Different, "0"), json!([])),
    ] {
        let asked = DiffRequest { filter: Some(filter.clone()), ..request(scan(None)) };
        assert_eq!(events(&h, &asked), Ok(want), "{filter:?}");
    }
    let asked = DiffRequest {
        filter: Some(is("event_type", Relation::Equal, "DELETE")),
        ..request(keys(&["1", "2"]))
    };
    assert_eq!(events(&h, &asked), Ok(json!([["DELETE", "2"]])));
    let unknown = DiffRequest { filter: Some(is("w", Relation::Equal, "1")), ..request(scan(None)) };
    assert!(events(&h, &unknown).unwrap_err().contains("column w"));
}

#[test]
fn a_condition_on_a_column_that_changed_its_type_is_refused() {
    let h = history(vec![
        (
            1,
            vec![sql(
                "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_bin, n INT) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin",
            )],
        ),
        (2, vec![sql("ALTER TABLE t DROP COLUMN n")]),
        (3, vec![row("t", None, Some((1, "a")))]),
        (4, vec![sql("ALTER TABLE t MODIFY v VARCHAR(30) COLLATE utf8mb4_general_ci")]),
    ]);
    let asked = DiffRequest { filter: Some(is("v", Relation::Equal, "A")), ..request(scan(None)) };
    let refused = events(&h, &asked).unwrap_err();
    assert!(refused.contains("column v") && refused.contains("before and after"), "{refused}");
}

#[test]
fn one_transaction_by_its_gtid() {
    let h = lived();
    let of = |gtid: &str| DiffRequest {
        since: None,
        until: None,
        transaction: Some(gtid.into()),
        ..request(scan(None))
    };
    assert_eq!(events(&h, &of("0-1-3")), Ok(json!([["UPDATE", "1"], ["UPDATE", "1"]])));
    assert_eq!(events(&h, &of("0-1-5")), Ok(json!([["UPDATE", "1"], ["UPDATE", "7"]])));
    assert_eq!(events(&h, &of("0-1-1")), Ok(json!([])), "CREATE TABLE changes no row");
    assert!(events(&h, &of("0-1-99")).is_err());
    let both = DiffRequest { transaction: Some("0-1-3".into()), ..request(scan(None)) };
    assert!(events(&h, &both).unwrap_err().contains("since and until"));
}
