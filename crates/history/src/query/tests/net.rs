//! What a window did, all in all.

use super::*;
use dbtrail_types::agent_api::{NetRequest, Span};

fn asked(history: &Arc<History>, request: &NetRequest) -> Result<Vec<Value>, &'static str> {
    let mut lines = collect(history.net(request).map_err(|r| r.code)?);
    let end = lines.pop().unwrap();
    let changes = lines.split_off(1);
    assert_eq!(end["end"]["rows"], changes.len());
    Ok(changes.into_iter().map(|mut line| line["net"].take()).collect())
}

fn request(span: Span) -> NetRequest {
    let table = TableName { schema: "s".to_owned(), table: "t".to_owned() };
    NetRequest::all(ServerId("x".into()), table, span)
}

/// Of each change `[before, end]`, or `[before, end, now]`.
fn net(history: &Arc<History>, since: i64, until: i64) -> Result<Value, &'static str> {
    let span = Span::Window { since: t(since), until: t(until) };
    asked(history, &request(span)).map(|changes| changes.iter().map(short).collect())
}

fn short(change: &Value) -> Value {
    let cell = |row: &Value| row.get(1).cloned().unwrap_or(Value::Null);
    let mut parts = vec![change["key"][0].clone(), cell(&change["before"]), cell(&change["end"])];
    if change["since"] == true {
        parts.push(cell(&change["now"]));
    }
    Value::Array(parts)
}

fn shop() -> Arc<History> {
    history(vec![
        (1, vec![sql(CREATE)]),
        (2, (1..=4).map(|id| row("t", None, Some((id, "a")))).collect()),
        (3, vec![row("t", Some((1, "a")), Some((1, "b"))), row("t", Some((2, "a")), None)]),
        (4, vec![row("t", Some((1, "b")), Some((1, "c"))), row("t", None, Some((9, "n")))]),
        // There and back again.
        (5, vec![row("t", Some((3, "a")), Some((3, "x"))), row("t", Some((3, "x")), Some((3, "a")))]),
        // A change of the key.
        (6, vec![row("t", Some((4, "a")), Some((5, "a")))]),
        (7, vec![row("t", Some((1, "c")), Some((1, "d"))), row("t", Some((9, "n")), None)]),
    ])
}

#[test]
fn ok_a_window_is_netted_out() {
    let h = shop();
    assert_eq!(net(&h, 3, 3), Ok(json!([["1", "a", "b", "d"], ["2", "a", null]])));
    assert_eq!(net(&h, 3, 4), Ok(json!([["1", "a", "c", "d"], ["2", "a", null], ["9", null, "n", null]])));
    assert_eq!(net(&h, 5, 5), Ok(json!([])));
    assert_eq!(net(&h, 6, 6), Ok(json!([["4", "a", null], ["5", null, "a"]])));
    assert_eq!(
        net(&h, 3, 7),
        Ok(json!([["1", "a", "d"], ["2", "a", null], ["4", "a", null], ["5", null, "a"]]))
    );
    assert_eq!(net(&h, 5, 4), Err("malformed_request"));
    assert_eq!(net(&h, 5, 400), Err("out_of_range"));
}

#[test]
fn ok_one_transaction_and_some_keys() {
    let h = shop();
    let of = |gtid: &str| {
        let changes = asked(&h, &request(Span::Transaction(gtid.to_owned())));
        changes.map(|all| all.iter().map(short).collect::<Value>())
    };
    assert_eq!(of("0-1-4"), Ok(json!([["1", "b", "c", "d"], ["9", null, "n", null]])));
    assert_eq!(of("0-1-1"), Ok(json!([])), "a statement that made the table");
    assert_eq!(of("0-1-99"), Err("out_of_range"));
    assert_eq!(of("0-1-4,1-1-4"), Err("malformed_gtid"));
    assert_eq!(of("x"), Err("malformed_gtid"));
    let span = Span::Window { since: t(3), until: t(4) };
    for (keys, expected) in
        [(keys(&["2", "3"]), json!([["2", "a", null]])), (range("5", "10"), json!([["9", null, "n", null]]))]
    {
        let changes = asked(&h, &NetRequest { keys: Some(keys), ..request(span.clone()) });
        assert_eq!(changes.map(|all| all.iter().map(short).collect::<Value>()), Ok(expected));
    }
}

#[test]
fn ok_rows_that_went_at_once_are_among_them() {
    let truncated = vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a"))), row("t", None, Some((2, "b")))]),
        (3, vec![sql("TRUNCATE TABLE t")]),
        (4, vec![row("t", None, Some((1, "n")))]),
    ];
    let h = history(truncated.clone());
    assert_eq!(net(&h, 3, 3), Ok(json!([["1", "a", null, "n"], ["2", "b", null]])));
    assert_eq!(net(&h, 3, 4), Ok(json!([["1", "a", "n"], ["2", "b", null]])));
    let gtid = asked(&h, &request(Span::Transaction("0-1-3".to_owned())));
    assert_eq!(gtid.map(|all| all.len()), Ok(2), "a TRUNCATE has a GTID of its own");
    let mut dropped = truncated;
    dropped.push((5, vec![sql("DROP TABLE t")]));
    assert_eq!(
        net(&history(dropped.clone()), 5, 5),
        Err("unknown_table"),
        "there is no table to bring it back to"
    );
    dropped.push((6, vec![sql(CREATE)]));
    assert_eq!(net(&history(dropped), 5, 5), Ok(json!([["1", "n", null]])));
    // What was in it is not all known.
    let h = history(vec![
        (2, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (3, vec![sql("TRUNCATE TABLE t")]),
    ]);
    assert_eq!(net(&h, 3, 3), Err("not_recorded"));
    assert_eq!(net(&h, 2, 2), Ok(json!([["1", "a", "b", null]])));
}

#[test]
fn ok_rows_are_reported_under_the_definition_of_today() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (3, vec![row("t", Some((1, "a")), Some((1, "b")))]),
        (4, vec![sql("ALTER TABLE t ADD COLUMN w INT NOT NULL DEFAULT 7")]),
    ]);
    let span = Span::Window { since: t(3), until: t(3) };
    let changes = asked(&h, &request(span)).unwrap();
    assert_eq!(changes, [json!({"key": ["1"], "before": ["1", "a", "7"], "end": ["1", "b", "7"]})]);
    // A key that is another one now.
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (4, vec![sql("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (v)")]),
    ]);
    assert_eq!(net(&h, 2, 2), Err("unreadable_table"));
}

/// A change of a system-versioned table: the columns of the others, and from when on a row is so.
fn versioned(kind: EventType, rows: &[(i32, &str, u32)]) -> Change {
    let mut table = mapped("t").as_ref().clone();
    for name in ["row_start", "row_end"] {
        let time = MappedColumn::plain(17, vec![6], false);
        table.columns.push(MappedColumn { name: Some(name.to_owned()), ..time });
    }
    let times = |start: u32| [start, 0x7FFF_FFFF].map(u32::to_be_bytes);
    let form = |(id, v, start): &(i32, &str, u32)| {
        let [start, end] = times(*start);
        [image(*id, v), start.to_vec(), vec![0, 0, 0], end.to_vec(), vec![0x0F, 0x42, 0x3F]].concat()
    };
    let images: Vec<u8> = rows.iter().flat_map(form).collect();
    let bitmaps = if kind == EventType::Update { vec![0b1111; 2] } else { vec![0b1111] };
    let body = [&[7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 4][..], &bitmaps, &images].concat();
    Change::Rows(RowsEvent::of_body(&body.into(), kind, &Arc::new(table)).unwrap())
}

/// No statement can name what the server keeps of a row's time, nor bring it back.
#[test]
fn ok_the_time_of_a_versioned_row_is_nothing_to_take_back() {
    let h = history(vec![
        (1, vec![sql(&format!("{CREATE} WITH SYSTEM VERSIONING"))]),
        (2, vec![versioned(EventType::Insert, &[(1, "a", 2), (2, "a", 2), (3, "a", 2)])]),
        (3, vec![versioned(EventType::Update, &[(1, "a", 2), (1, "b", 3)])]),
        (4, vec![versioned(EventType::Update, &[(2, "a", 2), (2, "x", 4)])]),
        (5, vec![versioned(EventType::Update, &[(2, "x", 4), (2, "a", 5)])]),
    ]);
    let window = |since, until| request(Span::Window { since: t(since), until: t(until) });
    let lines = collect(h.net(&window(3, 5)).unwrap());
    assert_eq!(lines[0]["generated"], json!(["row_start", "row_end"]));
    assert_eq!(net(&h, 3, 5), Ok(json!([["1", "a", "b"]])), "the second one is what it was");
    assert_eq!(net(&h, 4, 4), Ok(json!([["2", "a", "x", "a"]])), "taken back by somebody");
}

/// No statement about rows brings back what a statement about columns took away, also where another
/// column has the name of one that was dropped.
#[test]
fn ok_columns_that_lost_values_in_the_window_are_reported() {
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (3, vec![sql("ALTER TABLE t ADD w INT")]),
        (4, vec![sql("ALTER TABLE t RENAME COLUMN w TO x, ADD y INT AS (x + 1)")]),
        (5, vec![sql("ALTER TABLE t DROP y, DROP x")]),
        (6, vec![sql("ALTER TABLE t ADD w INT, ADD n INT")]),
        (7, vec![sql("ALTER TABLE t MODIFY n BIGINT")]),
        (8, vec![sql("ALTER TABLE t MODIFY n SMALLINT")]),
        (9, vec![sql("ALTER TABLE t MODIFY n INT")]),
    ]);
    let reported = |since, until| {
        let span = Span::Window { since: t(since), until: t(until) };
        collect(h.net(&request(span)).unwrap()).remove(0)["lost"].take()
    };
    let lost = |column: &str, statement: &str, dropped: bool| {
        let statement = format!("ALTER TABLE t {statement}");
        json!([{"column": column, "statement": statement, "dropped": dropped}])
    };
    assert_eq!(reported(4, 6), lost("x", "DROP y, DROP x", true), "the name that the statement has");
    assert_eq!(reported(5, 5), lost("x", "DROP y, DROP x", true));
    assert_eq!(reported(7, 9), lost("n", "MODIFY n SMALLINT", false));
    for (since, until) in [(2, 4), (3, 6), (6, 7), (6, 9), (9, 9)] {
        assert_eq!(reported(since, until), Value::Null, "{since} to {until}");
    }
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![row("t", None, Some((1, "a")))]),
        (3, vec![sql("DROP TABLE t")]),
        (4, vec![sql("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, w INT)")]),
    ]);
    let lines = collect(h.net(&request(Span::Window { since: t(3), until: t(4) })).unwrap());
    let statement = "DROP TABLE and a CREATE TABLE without it";
    assert_eq!(lines[0]["lost"], json!([{"column": "v", "statement": statement, "dropped": true}]));
}
