//! Questions without a key: whole tables, prefixes of keys, open ranges.

use crate::end_to_end::{chain, connect, refused};
use crate::truth_agent;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::Value;
use std::path::Path;

#[test]
fn whole_tables_are_what_mysql_said() {
    truth_agent::full_tables(&truth_agent::history("mysql-9.7"), "mysql-9.7");
}

#[test]
fn whole_tables_are_what_mariadb_said() {
    truth_agent::full_tables(&truth_agent::history("mariadb-10.11"), "mariadb-10.11");
}

/// The ticks of a recording.
fn ticks(fixture: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture).join("truth.jsonl");
    let text = std::fs::read_to_string(path).expect("a record");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The first columns of an answer, as texts.
async fn asked(conn: &mut Conn, sql: &str) -> Vec<Vec<Option<String>>> {
    let rows: Vec<mysql_async::Row> = conn.query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let cell = |value| match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => Some(String::from_utf8(bytes).expect("UTF-8")),
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect()
}

/// The keys of the orders of a tick that meet a condition.
fn ids(tick: &Value, meets: impl Fn(u64) -> bool) -> Vec<Vec<Option<String>>> {
    let rows = tick["tables"]["orders"]["rows"].as_array().expect("rows");
    let ids = rows.iter().map(|row| row[0].as_str().expect("text").to_owned());
    ids.filter(|id| meets(id.parse().expect("a number"))).map(|id| vec![Some(id)]).collect()
}

#[tokio::test]
async fn a_table_and_its_stretches_are_read_for_who_asks() {
    let chain = chain("mysql-9.7").await;
    let mut conn = connect(&chain, "app").await;
    for tick in &ticks("mysql-9.7") {
        let at = tick["as_of"].as_str().expect("text");
        let select = format!("SELECT id FROM _flashback.orders AS OF '{at}' ALLOW SCAN");
        for (condition, want) in [
            ("", ids(tick, |_| true)),
            ("WHERE id >= 12", ids(tick, |id| id >= 12)),
            ("WHERE 12 < id", ids(tick, |id| id > 12)),
            ("WHERE id < 18446744073709551613 AND id > 5", ids(tick, |id| (6..u64::MAX - 2).contains(&id))),
            ("WHERE id BETWEEN 1 AND 100000", ids(tick, |id| (1..=100_000).contains(&id))),
            ("WHERE id <= 12 LIMIT 1, 2", ids(tick, |id| id <= 12).into_iter().skip(1).take(2).collect()),
            ("WHERE id > 20 AND id < 10", Vec::new()),
        ] {
            let sql = format!("{select} {condition}");
            assert_eq!(asked(&mut conn, &sql).await, want, "{sql}");
        }
        let mut items = tick["tables"]["order_items"]["rows"].as_array().expect("rows").clone();
        items.retain(|row| row[0] == "13");
        let sql =
            format!("SELECT line FROM _flashback.order_items AS OF '{at}' ALLOW SCAN WHERE order_id = 13");
        assert_eq!(asked(&mut conn, &sql).await.len(), items.len(), "{sql}");
        let sql = format!("{sql} AND line > 2");
        items.retain(|row| row[1].as_str().expect("text").parse::<i64>().expect("a number") > 2);
        assert_eq!(asked(&mut conn, &sql).await.len(), items.len(), "{sql}");
    }
}

#[tokio::test]
async fn conditions_on_any_column_are_carried_out_or_refused_by_name() {
    let chain = chain("mysql-9.7").await;
    let mut conn = connect(&chain, "app").await;
    let tick = ticks("mysql-9.7").pop().expect("ticks");
    let at = tick["as_of"].as_str().expect("text");
    let columns = tick["tables"]["orders"]["columns"].as_array().expect("columns");
    let position = |name: &str| columns.iter().position(|c| c == name).expect("a column");
    let rows = tick["tables"]["orders"]["rows"].as_array().expect("rows");
    let meeting = |meets: &dyn Fn(&Value) -> bool| -> Vec<Vec<Option<String>>> {
        let met = rows.iter().filter(|row| meets(row));
        met.map(|row| vec![row[0].as_str().map(str::to_owned)]).collect()
    };
    let (status, note, amount, updated) =
        (position("status"), position("note"), position("amount"), position("updated_at"));
    let number = |row: &Value| row[amount].as_str().map(|text| text.parse::<f64>().expect("a number"));
    let select = format!("SELECT id FROM _flashback.orders AS OF '{at}'");
    for (condition, want) in [
        ("status = 'paid'", meeting(&|row| row[status] == "paid")),
        ("status <> 'paid'", meeting(&|row| row[status] != "paid" && !row[status].is_null())),
        (
            "NOT status IN ('paid', 'shipped')",
            meeting(&|row| !row[status].is_null() && row[status] != "paid" && row[status] != "shipped"),
        ),
        ("note IS NULL", meeting(&|row| row[note].is_null())),
        ("note IS NOT NULL AND amount > 0", meeting(&|row| !row[note].is_null() && number(row) > Some(0.0))),
        // Labels compare with a string as text, and not in the order in which they are.
        ("status < 'paid'", meeting(&|row| row[status].as_str().is_some_and(|text| text < "paid"))),
        ("status >= 'PAID'", meeting(&|row| row[status].as_str().is_some_and(|text| text >= "paid"))),
        (
            "status BETWEEN 'o' AND 'q' OR status = 'nothing'",
            meeting(&|row| row[status].as_str().is_some_and(|text| ("o".."q").contains(&text))),
        ),
        ("status NOT LIKE '%e%'", meeting(&|row| row[status].as_str().is_some_and(|t| !t.contains('e')))),
        ("amount LIKE '-%'", meeting(&|row| row[amount].as_str().is_some_and(|t| t.starts_with('-')))),
        (
            "updated_at >= '2026-01-01' AND updated_at < '2027-01-01'",
            meeting(&|row| row[updated].as_str().is_some_and(|t| t.starts_with("2026-"))),
        ),
        ("NULL", Vec::new()),
        ("amount = NULL OR id < 0", Vec::new()),
    ] {
        let sql = format!("{select} ALLOW SCAN WHERE {condition}");
        assert_eq!(asked(&mut conn, &sql).await, want, "{sql}");
        let limited = asked(&mut conn, &format!("{sql} LIMIT 1")).await;
        assert_eq!(limited, want.iter().take(1).cloned().collect::<Vec<_>>(), "{sql}");
    }
    // With the whole key nobody need ask for more.
    let paid = rows.iter().find(|row| row[status] == "paid").and_then(|row| row[0].as_str()).expect("one");
    let found = asked(&mut conn, &format!("{select} WHERE id = {paid} AND status = 'paid'")).await;
    assert_eq!(found.len(), 1);
    assert!(
        asked(&mut conn, &format!("{select} WHERE status = 'shipped' AND id IN ({paid})")).await.is_empty()
    );
    for (condition, named) in
        [("amount + 1 = 2", "the condition at"), ("note LIKE '%\\\\%'", "note"), ("nothing = 1", "nothing")]
    {
        let reported = refused(&mut conn, &format!("{select} ALLOW SCAN WHERE {condition}")).await;
        assert!(reported.2.contains(named), "{condition}: {reported:?}");
    }
}

/// MariaDB finds one row by an index where MySQL finds all between.
#[tokio::test]
async fn between_of_texts_that_may_be_one_is_refused_on_every_way() {
    let chain = chain("mysql-9.7").await;
    let mut conn = connect(&chain, "app").await;
    let tick = ticks("mysql-9.7").pop().expect("ticks");
    let select =
        format!("SELECT sku FROM _flashback.products AS OF '{}'", tick["as_of"].as_str().expect("text"));
    for condition in [
        "WHERE sku BETWEEN 'A' AND 'a'",
        "ALLOW SCAN WHERE sku BETWEEN 'A' AND 'a'",
        "ALLOW SCAN WHERE sku NOT BETWEEN 'A' AND 'a'",
        "ALLOW SCAN WHERE sku BETWEEN 'A' AND 'a' AND price > 0",
        "ALLOW SCAN WHERE title BETWEEN 'e' AND 'É'",
    ] {
        let (code, _, message) = refused(&mut conn, &format!("{select} {condition}")).await;
        assert!(code == 1235 && message.contains("BETWEEN of two texts for ="), "{condition}: {message}");
    }
    let rows = tick["tables"]["products"]["rows"].as_array().expect("rows");
    let skus = rows.iter().filter_map(|row| row[0].as_str()).filter(|sku| ("A"..="a").contains(sku));
    let mut want: Vec<_> = skus.map(|sku| vec![Some(sku.to_owned())]).collect();
    want.sort();
    assert!(!want.is_empty());
    assert_eq!(asked(&mut conn, &format!("{select} ALLOW SCAN WHERE sku >= 'A' AND sku <= 'a'")).await, want);
}

#[tokio::test]
async fn who_does_not_ask_gets_the_documented_refusal() {
    let chain = chain("mysql-9.7").await;
    let mut conn = connect(&chain, "app").await;
    let at = ticks("mysql-9.7").pop().expect("ticks")["as_of"].as_str().expect("text").to_owned();
    let plain = format!("SELECT id FROM _flashback.orders AS OF '{at}'");
    let rows = asked(&mut conn, &format!("{plain} ALLOW SCAN")).await.len();
    assert!(rows > 10);
    let (code, state, message) = refused(&mut conn, &plain).await;
    assert_eq!((code, state.as_str()), (1064, "HY000"));
    assert!(message.starts_with("dbtrail-shim: time-travel queries require a PK predicate: "), "{message}");
    for way in ["ALLOW SCAN", "SET_VAR(dbtrail_allow_table_scan=ON)", "SET @dbtrail_allow_table_scan = ON"] {
        assert!(message.contains(way), "{message}");
    }
    let hinted =
        format!("SELECT /*+ SET_VAR(dbtrail_allow_table_scan=ON) */ id FROM _flashback.orders AS OF '{at}'");
    assert_eq!(asked(&mut conn, &hinted).await.len(), rows);
    assert_eq!(
        asked(&mut conn, &format!("{plain} AS o ALLOW SCAN ALLOW WIDE WHERE o.id > 0")).await.len(),
        rows
    );
    assert_eq!(asked(&mut conn, &format!("{plain} ALLOW SCAN AS o")).await.len(), rows);
    conn.query_drop("SET @dbtrail_allow_table_scan = ON").await.expect("a variable");
    assert_eq!(asked(&mut conn, &plain).await.len(), rows);
    let off =
        format!("SELECT /*+ SET_VAR(dbtrail_allow_table_scan=OFF) */ id FROM _flashback.orders AS OF '{at}'");
    assert_eq!(refused(&mut conn, &off).await.0, 1064);
    let late = refused(&mut conn, &format!("{plain} WHERE id > 0 ALLOW SCAN")).await;
    assert!(late.2.contains("right after the time clause"), "{late:?}");
}
