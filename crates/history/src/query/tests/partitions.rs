//! Partitions that lose their rows when not all of these are known: `REPAIR` makes them unknown.

use super::*;

const CREATE: &str = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_bin) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin \
     PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20), PARTITION z VALUES LESS THAN MAXVALUE)";

fn emptied() -> Arc<History> {
    let mut ingest = Ingest::default();
    let log = vec![
        (1, vec![sql(CREATE)]),
        (2, [1, 2, 3, 11, 12, 30].map(|id| row("t", None, Some((id, "a")))).into()),
        (3, vec![sql("ALTER TABLE t REPAIR PARTITION a")]),
        (4, vec![row("t", Some((1, "a")), Some((1, "b"))), row("t", Some((11, "a")), Some((11, "b")))]),
        (6, vec![sql("ALTER TABLE t TRUNCATE PARTITION a")]),
        (8, [3, 4, 15].map(|id| row("t", None, Some((id, "n")))).into()),
        (9, vec![row("t", Some((12, "a")), Some((12, "c")))]),
    ];
    for (i, (at, changes)) in log.into_iter().enumerate() {
        // Statements that empty partitions look at what is committed.
        ingest.commit(&crate::engine::Batch::default()).unwrap();
        let position = BinlogPosition { file: "binlog.000001".into(), offset: i as u64 };
        let gtid = Some(Gtid::MariaDb { domain: 0, server: 1, sequence: i as u64 + 1 });
        let (stamp, origin) = (Stamp::Commit, Origin::default());
        let entry =
            CommittedTransaction { gtid, committed: t(at), stamp, position, origin, changes: changes.into() };
        ingest.entry(entry).unwrap();
    }
    finished(ingest)
}

#[test]
fn only_keys_that_may_have_gone_are_unknown() {
    let h = emptied();
    // Known before, and gone.
    assert_eq!(rows(&h, 5, &["1"]), Ok(json!([["1", "b"]])));
    assert_eq!(rows(&h, 7, &["1"]), Ok(json!([])));
    assert_eq!(notes(&h, 7, &["1"]), json!([{"code": "deleted_at", "key": ["1"], "at": t(6).to_string()}]));
    // The statement did not touch them.
    assert_eq!(rows(&h, 7, &["11", "12"]), Ok(json!([["11", "b"], ["12", "a"]])));
    assert_eq!(rows(&h, 5, &["11", "12", "15"]), Ok(json!([["11", "b"], ["12", "a"]])));
    // A row with this key may have been there, and is afterwards a new one.
    for key in ["3", "4"] {
        assert_eq!(rows(&h, 5, &[key]), Err("not_recorded"), "{key}");
        assert_eq!(rows(&h, 6, &[key]), Ok(json!([])), "{key}");
        assert_eq!(rows(&h, 8, &[key]), Ok(json!([[key, "n"]])));
    }
    // Nothing was ever known of them.
    assert_eq!(rows(&h, 5, &["2"]), Err("not_recorded"));
    assert_eq!(rows(&h, 7, &["30"]), Err("not_recorded"));
    // Before the rows became unknown all of them are known.
    assert_eq!(rows(&h, 2, &["2", "3", "4"]), Ok(json!([["2", "a"], ["3", "a"]])));
}

#[test]
fn ranges_and_windows_around_it() {
    let h = emptied();
    let range_at = |second, from, to| at(&h, AsOf::Time(t(second)), range(from, to)).map(|(rows, _)| rows);
    assert_eq!(range_at(5, "11", "12"), Ok(json!([["11", "b"], ["12", "a"]])));
    assert_eq!(range_at(5, "3", "4"), Err("not_recorded"));
    assert_eq!(range_at(7, "3", "4"), Ok(json!([])));
    let delete = json!(["DELETE", "1", "b", null]);
    assert_eq!(diff(&h, 5, 9, keys(&["1"])), Ok(vec![delete]));
    assert_eq!(diff(&h, 5, 9, keys(&["11"])), Ok(vec![]));
    assert_eq!(diff(&h, 5, 9, keys(&["15"])), Ok(vec![json!(["INSERT", "15", null, "n"])]));
    assert_eq!(diff(&h, 5, 9, keys(&["3"])), Err("not_recorded"));
    assert_eq!(diff(&h, 5, 9, keys(&["2"])), Err("not_recorded"));
    assert_eq!(diff(&h, 7, 9, keys(&["3", "2"])), Ok(vec![json!(["INSERT", "3", null, "n"])]));
    assert_eq!(diff(&h, 5, 9, range("3", "4")), Err("not_recorded"));
    assert_eq!(diff(&h, 5, 9, range("11", "12")), Ok(vec![json!(["UPDATE", "12", "a", "c"])]));
}

#[test]
fn the_refusal_says_when_and_why() {
    let h = emptied();
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys: keys(&["4"]),
        at: AsOf::Time(t(5)),
        filter: None,
        limit: None,
    };
    let refused = h.rows(&request, Reading::Snapshot).unwrap_err();
    assert!(refused.message.contains(&format!("emptied at {}", t(6))), "{}", refused.message);
    let refused = h.diff(&window(5, 9, keys(&["4"]))).unwrap_err();
    assert!(refused.message.contains("DROP or TRUNCATE PARTITION"), "{}", refused.message);
}
