//! A statement gives all rows of a table other keys.

use super::*;

/// Three rows, of which one changes; with `before` in between, and after it the other keys.
fn altered(before: &[&str]) -> Arc<History> {
    let mut ingest = Ingest::default();
    let mut log = vec![
        vec![sql("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_bin)")],
        [1, 2, 3].map(|id| row("t", None, Some((id, "a")))).into(),
    ];
    log.extend(before.iter().map(|statement| vec![sql(statement)]));
    log.push(vec![row("t", Some((1, "a")), Some((1, "b")))]);
    log.push(vec![sql("ALTER TABLE t MODIFY id DECIMAL(20,0) NOT NULL")]);
    for ((second, i), changes) in (1_i64..).zip(0_u64..).zip(log) {
        // What is known of the rows is looked up in what is committed.
        ingest.commit(&crate::engine::Batch::default()).unwrap();
        let position = BinlogPosition { file: "binlog.000001".into(), offset: i };
        let gtid = Some(Gtid::MariaDb { domain: 0, server: 1, sequence: i + 1 });
        let (stamp, origin, committed) = (Stamp::Commit, Origin::default(), t(second));
        let entry =
            CommittedTransaction { gtid, committed, stamp, position, origin, changes: changes.into() };
        ingest.entry(entry).unwrap();
    }
    finished(ingest)
}

fn snapshot(history: &Arc<History>, second: i64, key: &str) -> Result<Value, &'static str> {
    read(history, AsOf::Time(t(second)), keys(&[key]), Reading::Snapshot).map(|(rows, _)| rows)
}

#[test]
fn rows_that_are_all_known_are_kept() {
    let h = altered(&[]);
    assert_eq!(snapshot(&h, 5, "1"), Ok(json!([["1", "b"]])));
    assert_eq!(snapshot(&h, 5, "2"), Ok(json!([["2", "a"]])));
    assert_eq!(snapshot(&h, 5, "4"), Ok(json!([])));
    for (key, want) in [("1", json!([["1", "b"]])), ("2", json!([["2", "a"]])), ("4", json!([]))] {
        assert_eq!(rows(&h, 5, &[key]), Ok(want), "of recorded changes alone");
    }
}

/// One that is not in the record may be there: none of them is said not to be.
#[test]
fn rows_of_a_table_that_is_known_in_part_are_not() {
    let h = altered(&["REPAIR TABLE t"]);
    assert_eq!(snapshot(&h, 4, "1"), Ok(json!([["1", "b"]])));
    for key in ["1", "2", "4"] {
        assert_eq!(snapshot(&h, 6, key), Err("not_recorded"), "{key}");
    }
}
