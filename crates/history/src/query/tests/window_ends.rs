//! Ends of windows with a fraction of a second, over logs of whole seconds and of microseconds.

use super::*;
use dbtrail_types::agent_api::{NetRequest, Span};
use dbtrail_types::happened::{HistoryRequest, HistoryTable};

/// Seconds of these tests count from here, and have no fraction.
const SECOND_START: i64 = START - 1;

/// Microseconds after the beginning.
fn micros(n: i64) -> Timestamp {
    Timestamp::from_micros(SECOND_START + n)
}

/// Entries of these seconds, which could be seen up to so many microseconds later.
fn seen_within(entries: Vec<(i64, i64, Vec<Change>)>) -> Arc<History> {
    let mut ingest = Ingest::default();
    for (i, (at, width, changes)) in entries.into_iter().enumerate() {
        let entry = CommittedTransaction {
            gtid: Some(Gtid::MariaDb { domain: 0, server: 1, sequence: i as u64 + 1 }),
            committed: micros(at * 1_000_000),
            stamp: Stamp::Second,
            position: BinlogPosition { file: "binlog.000001".into(), offset: i as u64 },
            origin: Origin::default(),
            changes: changes.into(),
        };
        ingest.entry_seen(entry, micros(at * 1_000_000 + width)).unwrap();
    }
    let (start, end) = (micros(0), Some(micros(100_000_000)));
    let ends = LogEnds { start, end, ..ends() };
    Arc::new(ingest.finish(ServerId("x".into()), ends).unwrap())
}

/// Key 1 changes in second 5, and may be seen up to the end of it; key 2 in second 7, in its first
/// 300 ms; key 3 by a statement of seconds 10 to 14.
fn record() -> Arc<History> {
    let insert = (1..=3).map(|id| row("t", None, Some((id, "a")))).collect();
    seen_within(vec![
        (1, 1_000_000, vec![sql(CREATE)]),
        (2, 1_000_000, insert),
        (5, 1_000_000, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (7, 300_000, vec![row("t", Some((2, "a")), Some((2, "b")))]),
        (10, 5_000_000, vec![row("t", Some((3, "a")), Some((3, "b")))]),
    ])
}

/// How many changes there are between two times in milliseconds.
fn count(history: &Arc<History>, window: (i64, i64), keys: Keys) -> Result<usize, Refusal> {
    let request = DiffRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys,
        since: Some(micros(window.0 * 1000)),
        until: Some(micros(window.1 * 1000)),
        transaction: None,
        filter: None,
        limit: None,
        connection_names: false,
    };
    history.diff(&request).map(|answer| collect(answer).len() - 2)
}

fn all_keys() -> Keys {
    let choice = KeyChoice::Scan(dbtrail_types::agent_api::KeyScan::default());
    Keys { columns: vec!["id".into()], choice }
}

#[test]
fn a_window_does_not_end_inside_of_the_second_of_a_change_that_matters() {
    let h = record();
    let refused = None;
    for (window, key, want) in [
        // Whole seconds count as the log has them, both ends with all of them.
        ((5_000, 6_000), "1", Some(1)),
        ((4_000, 5_000), "1", Some(1)),
        ((6_000, 9_000), "1", Some(0)),
        ((3_000, 4_999), "1", Some(0)),
        // It may have happened before and after 5.5.
        ((5_500, 9_000), "1", refused),
        ((3_000, 5_500), "1", refused),
        ((5_200, 5_500), "1", refused),
        ((3_000, 5_999), "1", refused),
        // Nothing of that row happened there.
        ((5_500, 9_000), "2", Some(1)),
        // It is known to have happened before 7.3.
        ((7_200, 9_000), "2", refused),
        ((7_300, 9_000), "2", Some(0)),
        ((7_000, 7_300), "2", Some(1)),
        ((3_000, 7_100), "2", refused),
        // A statement of several seconds: whole seconds inside of them are no better.
        ((12_000, 20_000), "3", refused),
        ((3_000, 12_000), "3", refused),
        ((15_000, 20_000), "3", Some(0)),
        ((10_000, 14_000), "3", Some(1)),
        ((3_000, 9_999), "3", Some(0)),
    ] {
        let got = count(&h, window, keys(&[key]));
        assert_eq!(got.as_ref().ok().copied(), want, "key {key} in {window:?}: {got:?}");
        if let Err(why) = got {
            assert_eq!(why.code, "ambiguous_time");
        }
    }
    let message = count(&h, (5_500, 9_000), keys(&["1"])).unwrap_err().message;
    assert!(message.contains("(GTID 0-1-3) that changed rows of s.t"), "{message}");
    let advice = format!("begin at {}, which takes it in, or at {}", micros(5_000_000), micros(6_000_000));
    assert!(message.contains(&advice), "{message}");
    let message = count(&h, (3_000, 12_000), keys(&["3"])).unwrap_err().message;
    let advice = format!("end at {}, which takes it in, or before", micros(14_000_000));
    assert!(message.contains(&advice), "{message}");
}

#[test]
fn all_ways_to_ask_for_a_window_refuse_alike() {
    let h = record();
    let net = |since: i64, until: i64, keys: Option<Keys>, to_the_end| {
        let span = Span::Window { since: micros(since * 1000), until: micros(until * 1000) };
        let table = TableName { schema: "s".into(), table: "t".into() };
        let request = NetRequest { keys, to_the_end, ..NetRequest::all(ServerId("x".into()), table, span) };
        h.net(&request).map(|answer| collect(answer).len() - 2).map_err(|r| r.code)
    };
    let doubtful = Err("ambiguous_time");
    assert_eq!(count(&h, (5_500, 9_000), all_keys()).map_err(|r| r.code), doubtful);
    assert_eq!(count(&h, (5_000, 9_000), all_keys()).map_err(|r| r.code), Ok(2));
    assert_eq!(count(&h, (8_500, 9_500), all_keys()).map_err(|r| r.code), Ok(0));
    assert_eq!(net(5_500, 9_000, None, false), doubtful);
    assert_eq!(net(5_500, 9_000, Some(keys(&["2"])), false), Ok(1));
    assert_eq!(net(5_000, 9_000, None, false), Ok(2));
    assert_eq!(net(3_000, 5_500, None, false), doubtful);
    // To the end of the record only the beginning counts.
    assert_eq!(net(3_000, 5_500, None, true), Ok(3));
    assert_eq!(net(5_500, 5_600, None, true), doubtful);
    let happened = |table, since: i64, until: i64, schemas: Option<&str>| {
        let schemas = schemas.map(|schema| vec![schema.to_owned()]);
        let window = Some((micros(since * 1000), micros(until * 1000)));
        let server_id = ServerId("x".into());
        let (transaction, filter, limit) = (None, None, None);
        let request = HistoryRequest {
            server_id,
            table,
            schemas,
            window,
            transaction,
            filter,
            limit,
            connection_names: false,
        };
        h.happened(&request).map(|answer| collect(answer).len() - 2).map_err(|r| r.code)
    };
    let transactions = HistoryTable::Transactions;
    assert_eq!(happened(transactions, 5_500, 9_000, None), doubtful);
    assert_eq!(happened(transactions, 5_500, 9_000, Some("other")), Ok(0));
    assert_eq!(happened(transactions, 5_000, 9_000, None), Ok(2));
    assert_eq!(happened(HistoryTable::Changes, 5_500, 9_000, None), doubtful);
    assert!(happened(HistoryTable::Changes, 5_000, 9_000, None).is_ok());
    assert_eq!(happened(HistoryTable::Ddl, 1_500, 9_000, None), doubtful);
    assert_eq!(happened(HistoryTable::Ddl, 5_500, 9_000, None), Ok(0));
    assert_eq!(happened(HistoryTable::Ddl, 0, 9_000, None), Ok(1));
}

#[test]
fn exact_times_are_compared_as_they_are() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (5, vec![row("t", Some((1, "a")), Some((1, "b")))]),
    ]);
    for (window, want) in [((5_000, 6_000), 1), ((5_001, 6_000), 0), ((3_000, 5_000), 0), ((3_000, 5_001), 1)]
    {
        assert_eq!(count(&h, window, keys(&["1"])).unwrap(), want, "{window:?}");
    }
}
