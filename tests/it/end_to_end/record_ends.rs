//! The ends of the record as instants.

use super::{chain, connect, refused};
use mysql_async::prelude::Queryable;
use std::path::Path;

/// `'now'`, NOW(), LATEST and EARLIEST are the ends of what can be answered, and a note says which
/// instants they were.
#[tokio::test]
async fn ends_of_the_record_are_timestamps() {
    let chain = chain("mysql-9.7").await;
    let mut conn = connect(&chain, "app").await;
    let ends: (String, String) = conn
        .query_first("SELECT @@dbtrail_oldest, @@DBTRAIL_NEWEST AS n")
        .await
        .expect("a row")
        .expect("a row");
    let (oldest, newest) = &ends;
    assert!(oldest < newest, "{ends:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mysql-9.7");
    let text = std::fs::read_to_string(folder.join("truth.jsonl")).expect("a record");
    let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a tick")).expect("JSON");
    let key = last["tables"]["orders"]["rows"][0][0].as_str().expect("a row").to_owned();
    let rows = |at: &str| format!("SELECT * FROM _flashback.orders AS OF {at} WHERE id = {key}");
    let written: Vec<mysql_async::Row> = conn.query(rows(&format!("'{newest}'"))).await.expect("rows");
    assert_eq!(written.len(), 1);
    for at in ["'now'", "NOW()", "NOW(6)", "LATEST", "'latest'", "CURRENT_TIMESTAMP", "TIMESTAMP 'now'"] {
        let got: Vec<mysql_async::Row> = conn.query(rows(at)).await.unwrap_or_else(|e| panic!("{at}: {e}"));
        assert_eq!(format!("{got:?}"), format!("{written:?}"), "{at}");
        let notes: Vec<(String, u16, String)> = conn.query("SHOW WARNINGS").await.expect("rows");
        let note = format!("asked as of {newest} (+00:00), the newest instant that can be answered");
        assert_eq!(notes, [("Note".to_owned(), 1105, note)], "{at}");
    }
    // The notes of an ORDER BY and of a LIMIT that is reached are not lost.
    for tail in ["ORDER BY id", "LIMIT 1"] {
        let sql = format!("{} {tail}", rows("LATEST"));
        let _: Vec<mysql_async::Row> = conn.query(&sql).await.expect("rows");
        let notes: Vec<(String, u16, String)> = conn.query("SHOW WARNINGS").await.expect("rows");
        assert_eq!(notes.len(), 1, "{tail}");
    }
    // The record of these files is shorter than the widest window, and does not tell the columns of
    // its first seconds.
    let first: serde_json::Value = serde_json::from_str(text.lines().next().expect("a tick")).expect("JSON");
    let since = first["as_of"].as_str().expect("text");
    let all = format!("SELECT event_id FROM _diff.orders BETWEEN '{since}' AND 'now' WHERE id = {key}");
    let _: Vec<u64> = conn.query(all).await.expect("events");
    let notes: Vec<(String, u16, String)> = conn.query("SHOW WARNINGS").await.expect("rows");
    let reported: Vec<&str> = notes.iter().map(|n| n.2.as_str()).collect();
    assert_eq!(reported, [format!("asked as of {newest} (+00:00), the newest instant that can be answered")]);
    let (code, _, text) = refused(&mut conn, &rows("EARLIEST")).await;
    assert!(code == 1064 && text.contains("says what its columns are"), "{code} {text}");
    // Reckoned from the clock, as before; the record of these files ended long ago.
    assert_eq!(refused(&mut conn, &rows("NOW() - INTERVAL 1 SECOND")).await.0, 1064);
    // A column of the answer can be a condition.
    let diff = |gtid: &str| {
        format!("SELECT gtid FROM _diff.orders BETWEEN '{since}' AND LATEST WHERE id = {key} AND gtid {gtid}")
    };
    let all: Vec<String> = conn.query(diff("LIKE '%'")).await.expect("changes");
    let one: Vec<String> = conn.query(diff(&format!("= '{}'", all[0]))).await.expect("changes");
    assert!(!one.is_empty() && one.iter().all(|gtid| *gtid == all[0]), "{one:?} of {all:?}");
    let none: Vec<String> = conn.query(diff("= 'x'")).await.expect("no change");
    assert_eq!(none, [""; 0]);
}
