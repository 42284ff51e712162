//! `_diff` without keys, COUNT(*) and GROUP BY, through shim and agent.

use crate::end_to_end::{chain, connect, refused};
use crate::truth_agent::lines;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::collections::BTreeMap;

const MYSQL: &str = "mysql-9.7";

/// An answer, as texts.
async fn asked(conn: &mut Conn, sql: &str) -> Vec<Vec<Option<String>>> {
    let rows: Vec<mysql_async::Row> = conn.query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let cell = |value| match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => Some(String::from_utf8(bytes).expect("UTF-8")),
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect()
}

fn text_of(text: &impl ToString) -> String {
    text.to_string()
}

/// `(type, id)` of the changes of orders in a range of ticks, by both keys of a key change.
fn orders(from: u64, to: u64) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    for change in lines(MYSQL, "changes.jsonl") {
        let tick = change["tick"].as_u64().expect("a number");
        if change["table"] != "orders" || tick <= from || tick > to {
            continue;
        }
        for key in [change.get("pk"), change.get("new_pk")].into_iter().flatten() {
            let kind = change["type"].as_str().expect("text").to_owned();
            changes.push((kind, key[0].as_str().expect("text").to_owned()));
        }
    }
    changes
}

/// A window of ticks in which orders changed, and the rest of the statement.
fn window() -> (String, Vec<(String, String)>) {
    let ticks = lines(MYSQL, "truth.jsonl");
    let tick = |at: usize| (ticks[at]["tick"].as_u64().expect("a number"), ticks[at]["as_of"].as_str());
    let (first, last) = (tick(0), tick(ticks.len() - 1));
    let between = format!("BETWEEN '{}' AND '{}'", first.1.expect("text"), last.1.expect("text"));
    (between, orders(first.0, last.0))
}

#[tokio::test]
async fn changes_without_keys_are_those_of_the_recording() {
    let chain = chain(MYSQL).await;
    let mut conn = connect(&chain, "app").await;
    let (between, all) = window();
    let want = |meets: &dyn Fn(&(String, String)) -> bool| -> Vec<Vec<Option<String>>> {
        all.iter()
            .filter(|c| meets(c))
            .map(|(kind, id)| vec![Some(text_of(kind)), Some(text_of(id))])
            .collect()
    };
    assert!(all.len() > 30, "{all:?}");
    let select = format!("SELECT event_type, id FROM _diff.orders {between} ALLOW SCAN");
    let number = |id: &str| id.parse::<u64>().expect("a number");
    for (condition, want) in [
        ("", want(&|_| true)),
        ("WHERE event_type = 'DELETE'", want(&|(kind, _)| kind == "DELETE")),
        ("WHERE id >= 12 AND NOT event_type = 'INSERT'", want(&|(k, id)| k != "INSERT" && number(id) >= 12)),
        ("WHERE connection_id = 0 AND cause IS NOT NULL", Vec::new()),
        ("LIMIT 3, 4", want(&|_| true).into_iter().skip(3).take(4).collect()),
        ("WHERE event_timestamp < '2001-01-01'", Vec::new()),
    ] {
        let sql = format!("{select} {condition}");
        assert_eq!(asked(&mut conn, &sql).await, want, "{sql}");
    }
    // With the whole key nobody need ask for more; one transaction costs what it changed.
    let (_, id) = &all[0];
    let sql = format!(
        "SELECT event_type, id FROM _diff.orders {between} WHERE id = {id} AND event_type = 'INSERT'"
    );
    assert_eq!(asked(&mut conn, &sql).await, want(&|(kind, key)| kind == "INSERT" && key == id), "{sql}");
    let sql = format!("SELECT gtid, COUNT(*) FROM _diff.orders {between} ALLOW SCAN GROUP BY gtid");
    let transactions = asked(&mut conn, &sql).await;
    assert!(transactions.len() > 5, "{transactions:?}");
    for transaction in &transactions {
        let gtid = transaction[0].as_deref().expect("a GTID");
        let sql = format!("SELECT gtid, COUNT(*) FROM _diff.orders AT GTID '{gtid}' GROUP BY gtid");
        assert_eq!(asked(&mut conn, &sql).await, std::slice::from_ref(transaction), "{sql}");
    }
    let reported = refused(&mut conn, &format!("SELECT * FROM _diff.orders {between}")).await;
    assert_eq!((reported.0, reported.1.as_str()), (1064, "HY000"));
    assert!(reported.2.contains("ALLOW SCAN"), "{reported:?}");
    for (condition, named) in [("row_after LIKE '%paid%'", "row_after"), ("nothing = 1", "nothing")] {
        let reported = refused(&mut conn, &format!("{select} WHERE {condition}")).await;
        assert!(reported.2.contains(named), "{condition}: {reported:?}");
    }
}

/// COUNT, MIN, MAX and SUM of columns, against the same rows.
async fn computed(
    conn: &mut Conn,
    table: &serde_json::Value,
    from: &str,
    counts: &BTreeMap<Option<String>, usize>,
) {
    let rows = table["rows"].as_array().expect("rows");
    let columns = table["columns"].as_array().expect("columns");
    let of = |name: &str| {
        let at = columns.iter().position(|c| c == name).expect("a column");
        rows.iter().filter_map(move |row| row[at].as_str())
    };
    let ids = || of("id").map(|id| id.parse::<u64>().expect("a number"));
    let cents = of("amount").map(|text| text.replace('.', "").parse::<i128>().expect("a number"));
    let cents = cents.sum::<i128>();
    let sum = format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
    let want = [
        of("note").count().to_string(),
        of("created_at").collect::<std::collections::BTreeSet<_>>().len().to_string(),
        ids().min().expect("rows").to_string(),
        ids().max().expect("rows").to_string(),
        sum,
        of("created_at").min().expect("rows").to_owned(),
        ids().map(u128::from).sum::<u128>().to_string(),
    ];
    let sql = format!(
        "SELECT COUNT(note), COUNT(DISTINCT created_at), MIN(id), MAX(orders.id) most, SUM(amount), MIN(created_at), SUM(id) {from}"
    );
    let mut answer = conn.query_iter(&sql).await.expect("an answer");
    let names: Vec<String> = answer.columns_ref().iter().map(|c| c.name_str().into_owned()).collect();
    assert_eq!(names[..4], ["COUNT(note)", "COUNT(DISTINCT created_at)", "MIN(id)", "most"]);
    let lengths: Vec<u32> = answer.columns_ref().iter().map(mysql_async::Column::column_length).collect();
    assert_eq!(lengths, [21, 21, 20, 20, 36, 19, 43], "as MySQL 9.7 declares them");
    answer.collect::<mysql_async::Row>().await.expect("rows");
    drop(answer);
    let want: Vec<Option<String>> = want.into_iter().map(Some).collect();
    assert_eq!(asked(conn, &sql).await, [want]);
    // The same place in the result is another aggregate now.
    let smallest = asked(conn, &format!("SELECT MIN(id) x {from}")).await;
    let largest = asked(conn, &format!("SELECT MAX(id) x {from}")).await;
    assert_ne!(smallest, largest);
    let none = asked(conn, &format!("SELECT MIN(id), SUM(id), COUNT(id) {from} WHERE id = 0")).await;
    assert_eq!(none, [[None, None, Some("0".to_owned())]]);
    // HAVING: by an alias, by what is not shown, with parameters.
    let few = counts.values().copied().min().expect("groups");
    let more = counts.values().filter(|count| **count > few).count();
    for sql in [
        format!("SELECT status, COUNT(*) AS n {from} GROUP BY status HAVING n > {few}"),
        format!("SELECT status {from} GROUP BY status HAVING NOT (COUNT(*) <= {few} OR MAX(id) IS NULL)"),
        format!("SELECT status {from} GROUP BY status HAVING COUNT(1) BETWEEN {} AND 100000", few + 1),
    ] {
        assert_eq!(asked(conn, &sql).await.len(), more, "{sql}");
    }
    let prepared =
        format!("SELECT status, MAX(id) {from} GROUP BY status HAVING COUNT(*) > ? ORDER BY MAX(id) DESC");
    let prepared = conn.prep(prepared).await.expect("a statement");
    let found: Vec<(String, u64)> = conn.exec(&prepared, (few,)).await.expect("rows");
    assert_eq!(found.len(), more);
    assert!(found.is_sorted_by(|a, b| a.1 >= b.1), "{found:?}");
    let explained =
        asked(conn, &format!("EXPLAIN SELECT status {from} GROUP BY status HAVING COUNT(*) > 1")).await;
    assert!(explained.iter().any(|row| row[0].as_deref() == Some("having")), "{explained:?}");
}

#[tokio::test]
async fn rows_and_changes_are_counted() {
    let chain = chain(MYSQL).await;
    let mut conn = connect(&chain, "app").await;
    let (between, all) = window();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, _) in &all {
        *kinds.entry(kind).or_default() += 1;
    }
    let want: Vec<Vec<Option<String>>> =
        kinds.iter().map(|(kind, n)| vec![Some(text_of(kind)), Some(text_of(n))]).collect();
    let sql = format!(
        "SELECT event_type, COUNT(*) AS n FROM _diff.orders {between} ALLOW SCAN GROUP BY event_type ORDER BY event_type"
    );
    assert_eq!(asked(&mut conn, &sql).await, want, "{sql}");
    let sql = format!("SELECT COUNT(*) FROM _diff.orders {between} ALLOW SCAN");
    assert_eq!(asked(&mut conn, &sql).await, [[Some(text_of(&all.len()))]], "{sql}");

    let tick = lines(MYSQL, "truth.jsonl").pop().expect("ticks");
    let (at, table) = (tick["as_of"].as_str().expect("text"), &tick["tables"]["orders"]);
    let rows = table["rows"].as_array().expect("rows");
    let status = table["columns"].as_array().expect("columns").iter().position(|c| c == "status");
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row[status.expect("a column")].as_str().map(str::to_owned)).or_default() += 1;
    }
    let from = format!("FROM _flashback.orders AS OF '{at}' ALLOW SCAN");
    assert_eq!(asked(&mut conn, &format!("SELECT count( * ) {from}")).await, [[Some(text_of(&rows.len()))]]);
    assert_eq!(
        asked(&mut conn, &format!("SELECT COUNT(*) {from} WHERE id = 0")).await,
        [[Some(text_of(&0))]]
    );
    assert!(asked(&mut conn, &format!("SELECT status {from} WHERE id = 0 GROUP BY status")).await.is_empty());
    let reported = asked(&mut conn, &format!("SELECT status, COUNT(*) {from} GROUP BY status")).await;
    let reported: BTreeMap<Option<String>, usize> = reported
        .into_iter()
        .map(|row| (row[0].clone(), row[1].as_deref().expect("a number").parse().expect("a number")))
        .collect();
    assert_eq!(reported, counts);
    let most = counts.values().max().expect("groups");
    let sql = format!("SELECT COUNT(*) {from} GROUP BY status ORDER BY COUNT(*) DESC LIMIT 1");
    assert_eq!(asked(&mut conn, &sql).await, [[Some(text_of(most))]]);
    // Text and binary protocol say the same; names and types are MySQL's.
    let statement =
        conn.prep(format!("SELECT Count( * ), COUNT(*) AS n {from} WHERE id > ?")).await.expect("it");
    let names: Vec<String> = statement.columns().iter().map(|c| c.name_str().into_owned()).collect();
    assert_eq!(names, ["Count( * )", "n"]);
    let column = &statement.columns()[0];
    assert_eq!(column.column_type(), mysql_async::consts::ColumnType::MYSQL_TYPE_LONGLONG);
    let counted: Option<(i64, i64)> = conn.exec_first(&statement, (0,)).await.expect("a count");
    let count = i64::try_from(rows.len()).expect("few");
    assert_eq!(counted, Some((count, count)));
    let one = asked(&mut conn, &format!("SELECT COUNT(1) {from}")).await;
    assert_eq!(one, asked(&mut conn, &format!("SELECT COUNT(*) {from}")).await);
    let distinct = asked(&mut conn, &format!("SELECT DISTINCT status {from}")).await;
    let grouped = asked(&mut conn, &format!("SELECT status {from} GROUP BY status")).await;
    assert!(distinct.len() > 1 && distinct == grouped, "{distinct:?} {grouped:?}");
    let limited = asked(&mut conn, &format!("SELECT DISTINCT status {from} LIMIT 1")).await;
    assert_eq!(limited.len(), 1);
    computed(&mut conn, table, &from, &counts).await;
    for (sql, named) in [
        (format!("SELECT id, COUNT(*) {from}"), "id"),
        (format!("SELECT * {from} GROUP BY status"), "id"),
        (format!("SELECT COUNT(*) {from} GROUP BY nothing"), "nothing"),
        (format!("SELECT status {from} GROUP BY status HAVING status = 'paid'"), "status"),
        (format!("SELECT COUNT(*) {from} HAVING AVG(id) > 1"), "HAVING"),
        (format!("SELECT id {from} HAVING id > 1"), "HAVING"),
        (format!("SELECT SUM(status) {from}"), "SUM(status)"),
        (format!("SELECT MIN(status) {from}"), "MIN(status)"),
        (format!("SELECT AVG(amount) {from}"), "AVG"),
        (format!("SELECT SUM(amount + 1) {from}"), "SUM"),
        (format!("SELECT id {from} ORDER BY COUNT(*)"), "COUNT(*)"),
        (format!("SELECT DISTINCT * {from}"), "DISTINCT"),
        (format!("SELECT COUNT(nothing) {from}"), "nothing"),
        (format!("SELECT DISTINCT COUNT(*) {from}"), "DISTINCT"),
    ] {
        let reported = refused(&mut conn, &sql).await;
        assert!(reported.2.contains(named), "{sql}: {reported:?}");
    }
}
