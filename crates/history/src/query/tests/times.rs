//! Instants of which the log does not say enough.

use super::*;

#[test]
fn a_clock_that_steps_back_is_no_reason_to_guess() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (9, vec![row("t", Some((1, "a")), Some((1, "c")))]),
        (5, vec![row("t", Some((1, "c")), Some((1, "d")))]),
    ]);
    assert_eq!(rows(&h, 7, &["1"]), Err("ambiguous_time"));
    assert_eq!(rows(&h, 7, &["2"]), Ok(json!([["2", "b"]])), "nothing of this row happened meanwhile");
    assert_eq!(rows(&h, 4, &["1"]), Ok(json!([["1", "a"]])));
    assert_eq!(rows(&h, 9, &["1"]), Ok(json!([["1", "d"]])), "the log's order counts");
    assert_eq!(diff(&h, 4, 6, keys(&["1"])), Ok(vec![json!(["UPDATE", "1", "c", "d"])]));
}

#[test]
fn inside_of_its_second_a_change_is_not_reported_and_what_did_not_change_is() {
    let log = vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (5, vec![row("t", Some((1, "a")), Some((1, "c")))]),
        (7, vec![sql("CREATE TABLE u (id INT NOT NULL PRIMARY KEY)"), sql("DROP TABLE t")]),
    ];
    let h = stamped(log, Memory::Keeps, Stamp::Second);
    let asked = |micros: i64, key: &str| {
        let at = AsOf::Time(Timestamp::from_micros(t(0).micros() + micros));
        let server_id = ServerId("x".into());
        let request = RowsRequest {
            server_id,
            schema: "s".into(),
            table: "t".into(),
            keys: keys(&[key]),
            at,
            filter: None,
            limit: None,
        };
        h.rows(&request, Reading::Flashback).map(Iterator::count)
    };
    for (micros, key, reported) in [
        (4_999_999, "1", true),
        (5_000_000, "1", false),
        (5_000_000, "2", true),
        (5_999_999, "1", false),
        (6_000_000, "1", true),
        (6_999_999, "2", true),
        (7_000_000, "2", false),
        (7_999_999, "2", false),
    ] {
        let refused = asked(micros, key).err().map(|refused| refused.code);
        assert_eq!(refused.is_none(), reported, "key {key} at {micros}");
        assert!(refused.is_none_or(|code| code == "ambiguous_time"), "{refused:?}");
    }
    let message = asked(5_500_000, "1").unwrap_err().message;
    let named = format!("(GTID 0-1-3) that could be seen from some instant between {} and {} on", t(5), t(6));
    assert!(message.contains(&named), "{message}");
    assert_eq!(rows(&h, 6, &["1"]), Ok(json!([["1", "c"]])));
    assert_eq!(rows(&h, 8, &["1"]), Err("unknown_table"));
}

#[test]
fn the_last_second_of_an_open_log_of_whole_seconds_is_not_answered() {
    let newest_of = |committed, end, passed| {
        let mut ingest = Ingest::default();
        let position = BinlogPosition { file: "binlog.000001".into(), offset: 4 };
        ingest
            .entry(CommittedTransaction {
                gtid: None,
                committed: Timestamp::from_micros(committed),
                stamp: Stamp::Commit,
                position,
                origin: Origin::default(),
                changes: Vec::new().into(),
            })
            .unwrap();
        let ends = LogEnds {
            start: Timestamp::from_micros(0),
            end,
            passed,
            applied: None,
            previous: None,
            stopped: None,
        };
        ingest.finish(ServerId("x".into()), ends).unwrap().coverage().newest.micros()
    };
    let end = Some(Timestamp::from_micros(9_000_000));
    let newest = |committed, end| newest_of(committed, end, None);
    assert_eq!(newest(8_000_000, end), 9_000_000, "the file was closed in second 9");
    assert_eq!(newest(8_000_001, end), 9_000_000);
    assert_eq!(newest(9_500_001, end), 9_500_001, "the last event's time is cut to the second");
    assert_eq!(newest(8_000_000, None), 7_999_999, "another commit of second 8 may follow");
    assert_eq!(newest(8_000_001, None), 8_000_001);
    assert_eq!(newest_of(8_000_000, None, end), 9_000_000, "the open file has no commit yet");
    assert_eq!(newest_of(9_000_000, None, end), 8_999_999, "it has, and another may follow");
    assert_eq!(newest_of(9_500_001, None, end), 9_500_001);
}
