//! Rows at an instant, and the requests that are refused.

use super::*;

#[test]
fn a_row_is_as_it_was_at_the_timestamp() {
    let h = lived();
    for (second, ids, want) in [
        (1, vec!["1", "2"], json!([])),
        (2, vec!["1", "2"], json!([["1", "a"], ["2", "b"]])),
        (3, vec!["2", "1", "1"], json!([["1", "a"], ["2", "b"]])),
        (4, vec!["1"], json!([["1", "d"]])),
        (6, vec!["1", "2"], json!([["1", "d"]])),
        (8, vec!["1", "7"], json!([["7", "d"]])),
        (100, vec!["7", "-5"], json!([["7", "d"]])),
    ] {
        assert_eq!(rows(&h, second, &ids), Ok(want), "at {second}");
    }
    assert_eq!(rows(&h, 0, &["1"]), Err("unknown_table"), "before CREATE TABLE");
    assert_eq!(rows(&h, 101, &["1"]), Err("out_of_range"));
    assert_eq!(rows(&h, -1, &["1"]), Err("out_of_range"));
    assert_eq!(rows(&h, 2, &["x"]), Err("malformed_request"));
}

#[test]
fn notes_say_why_there_is_no_row() {
    let h = lived();
    assert_eq!(
        notes(&h, 1, &["1"]),
        json!([{"code": "not_yet_created", "key": ["1"], "at": t(2).to_string()}])
    );
    assert_eq!(
        notes(&h, 7, &["2", "1"]),
        json!([{"code": "deleted_at", "key": ["2"], "at": t(6).to_string()}])
    );
    assert_eq!(notes(&h, 9, &["1"]), json!([{"code": "deleted_at", "key": ["1"], "at": t(8).to_string()}]));
    assert_eq!(notes(&h, 9, &["3"]), json!([{"code": "never_existed", "key": ["3"]}]));
}

#[test]
fn a_gtid_is_the_state_after_its_transaction() {
    let h = lived();
    let rows = |gtid: &str| at(&h, AsOf::Gtid(gtid.into()), keys(&["1"])).map(|(rows, _)| rows);
    assert_eq!(rows("0-1-2"), Ok(json!([["1", "a"]])));
    assert_eq!(rows("0-1-3"), Ok(json!([["1", "d"]])));
    assert_eq!(rows("0-1-9"), Err("out_of_range"));
    assert_eq!(rows("nonsense"), Err("malformed_gtid"));
}

#[test]
fn what_the_record_does_not_tell_is_refused() {
    // The table was there before the record began.
    let h = history(vec![
        (2, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (4, vec![row("t", None, Some((2, "x")))]),
        (6, vec![row("t", Some((3, "z")), None)]),
    ]);
    assert_eq!(
        rows(&h, 0, &["1", "2", "3"]),
        Ok(json!([["1", "a"], ["3", "z"]])),
        "before images tell the past"
    );
    assert_eq!(rows(&h, 9, &["1", "2", "3"]), Ok(json!([["1", "b"], ["2", "x"]])));
    assert_eq!(rows(&h, 9, &["1", "4"]), Err("not_recorded"));
    let of = |from, to| at(&h, AsOf::Time(t(9)), range(from, to)).map(|(rows, _)| rows);
    assert_eq!(of("1", "3"), Ok(json!([["1", "b"], ["2", "x"]])), "all three keys are known");
    assert_eq!(of("1", "4"), Err("not_recorded"));
    assert_eq!(of("3", "1"), Ok(json!([])), "an empty range holds nothing");
    assert_eq!(diff(&h, 0, 9, keys(&["4"])), Ok(vec![]), "no change is recorded, so there was none");
}

#[test]
fn ranges_of_a_table_whose_creation_is_recorded() {
    let h = lived();
    let of = |second, from, to| at(&h, AsOf::Time(t(second)), range(from, to)).map(|(rows, _)| rows);
    assert_eq!(of(3, "-100", "100"), Ok(json!([["1", "a"], ["2", "b"]])));
    assert_eq!(of(9, "2", "100"), Ok(json!([["7", "d"]])));
    let crowded =
        history(vec![(1, vec![sql(CREATE)]), (2, (0..5).map(|i| row("t", None, Some((i, "x")))).collect())]);
    assert_eq!(at(&crowded, AsOf::Time(t(3)), range("0", "9")).map(|r| r.0), Err("too_many_keys"));
}

#[test]
fn truncate_and_drop_lose_no_rows() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (3, vec![sql("TRUNCATE TABLE t")]),
        (4, vec![row("t", None, Some((1, "n")))]),
        (5, vec![sql("DROP TABLE t")]),
        (7, vec![sql(CREATE)]),
    ]);
    assert_eq!(rows(&h, 2, &["1", "2"]), Ok(json!([["1", "a"], ["2", "b"]])));
    assert_eq!(rows(&h, 3, &["1", "2"]), Ok(json!([])));
    assert_eq!(rows(&h, 4, &["1", "2"]), Ok(json!([["1", "n"]])));
    assert_eq!(rows(&h, 5, &["1"]), Err("unknown_table"));
    assert_eq!(rows(&h, 8, &["1"]), Ok(json!([])));
    assert_eq!(notes(&h, 8, &["2"]), json!([{"code": "deleted_at", "key": ["2"], "at": t(3).to_string()}]));
    assert_eq!(
        diff(&h, 1, 8, keys(&["1"])),
        Ok(vec![
            json!(["INSERT", "1", null, "a"]),
            json!(["DELETE", "1", "a", null]),
            json!(["INSERT", "1", null, "n"]),
            json!(["DELETE", "1", "n", null]),
        ])
    );
    // Emptied, and what was in it before is not all known.
    let h = history(vec![
        (2, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (3, vec![sql("TRUNCATE TABLE t")]),
    ]);
    assert_eq!(rows(&h, 4, &["1", "9"]), Ok(json!([])));
    assert_eq!(rows(&h, 2, &["9"]), Err("not_recorded"));
    assert_eq!(diff(&h, 2, 4, keys(&["9"])), Err("not_recorded"));
    assert_eq!(diff(&h, 2, 4, keys(&["1"])).map(|e| e.len()), Ok(2));
}

#[test]
fn a_table_that_is_swapped_in_is_another_table() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "old")))]),
        (3, vec![sql(&CREATE.replace("TABLE t", "TABLE t_new"))]),
        (4, vec![row("t_new", None, Some((1, "new")))]),
        (5, vec![sql("RENAME TABLE t TO t_old, t_new TO t")]),
        // It settles that the RENAME was none of temporary tables.
        (7, vec![row("t", Some((1, "new")), Some((1, "newer")))]),
    ]);
    assert_eq!(rows(&h, 4, &["1"]), Ok(json!([["1", "old"]])));
    assert_eq!(rows(&h, 5, &["1"]), Ok(json!([["1", "new"]])));
    assert_eq!(diff(&h, 1, 6, keys(&["1"])), Err("unreadable_table"));
    assert_eq!(diff(&h, 1, 4, keys(&["1"])).map(|e| e.len()), Ok(1));
    let tables: Vec<(String, bool)> =
        h.tables("s").unwrap().tables.into_iter().map(|t| (t.table, t.dropped)).collect();
    assert_eq!(tables, [("t".into(), false), ("t_new".into(), true), ("t_old".into(), false)]);
}

#[test]
fn requests_that_do_not_fit_the_table_are_refused() {
    let h = lived();
    let with = |keys| at(&h, AsOf::Time(t(3)), keys).map(|r| r.0);
    let named = |columns: &[&str], value: &[&str]| Keys {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        choice: KeyChoice::Values(vec![value.iter().map(|v| Octets(v.as_bytes().to_vec())).collect()]),
    };
    assert_eq!(with(named(&["v"], &["a"])), Err("unsupported_key"));
    assert_eq!(with(named(&["id", "v"], &["1", "a"])), Err("unsupported_key"));
    assert_eq!(with(named(&["ID"], &["1"])), Ok(json!([["1", "a"]])), "column names have no case");
    assert_eq!(with(named(&["id"], &["1", "2"])), Err("malformed_request"));
    let many = Keys {
        columns: vec!["id".into()],
        choice: KeyChoice::Values(vec![vec![Octets(b"1".to_vec())]; MAX_KEYS + 1]),
    };
    assert_eq!(with(many), Err("too_many_keys"));
    let mut other = RowsRequest {
        server_id: ServerId("y".into()),
        schema: "s".into(),
        table: "t".into(),
        keys: keys(&["1"]),
        at: AsOf::Time(t(3)),
        filter: None,
        limit: None,
    };
    assert_eq!(h.rows(&other, Reading::Snapshot).unwrap_err().code, "unknown_server");
    other.server_id = ServerId("x".into());
    other.table = "nope".into();
    assert_eq!(h.rows(&other, Reading::Snapshot).unwrap_err().code, "unknown_table");
}

#[test]
fn a_range_with_a_limit_is_read_from_json() {
    let text = r#"{"server_id":"x","schema":"s","table":"t","keys":{"columns":["id"],"range":{"prefix":[],"from":"1","to":"20","max_keys":100}},"at":{"time":"2026-11-23T07:12:55Z"}}"#;
    let request: RowsRequest = serde_json::from_str(text).unwrap();
    let KeyChoice::Range(range) = request.keys.choice else { panic!() };
    assert_eq!(range.max_keys, Some(100));
}
