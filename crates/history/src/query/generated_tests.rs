//! Generated columns as MariaDB logs them: INSERT has them, UPDATE and DELETE have not (bytes as
//! 11.8.9 and 10.11.19 write them).

use super::tests::{history, keys, rows, sql, t};
use super::*;
use crate::log::{Change, MappedColumn, MappedTable, RowsEvent, ServerVersion};
use dbtrail_types::agent_api::{DiffRequest, EventType};
use serde_json::{Value, json};

const CREATE: &str = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT, v INT AS (abs(a)) VIRTUAL, n INT)";

/// The columns of the table in a map without names, or with names and a key
/// (binlog_row_metadata=FULL).
fn mapped(full: bool) -> Arc<MappedTable> {
    let column = |name: &str| MappedColumn {
        unsigned: full.then_some(false),
        name: full.then(|| name.to_owned()),
        ..MappedColumn::plain(3, Vec::new(), name != "id")
    };
    Arc::new(MappedTable {
        name: TableName { schema: "s".into(), table: "t".into() },
        columns: ["id", "a", "v", "n"].map(column).to_vec(),
        primary_key: full.then(|| vec![0]),
        server: ServerVersion { mariadb: true, ..ServerVersion::default() },
        referred: false,
    })
}

/// An event whose images have the columns of these bitmaps.
fn event(full: bool, kind: EventType, present: &[u8], images: &[&[i32]]) -> Change {
    let mut body = [&[7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 4][..], present].concat();
    for image in images {
        body.push(0);
        body.extend(image.iter().flat_map(|n| n.to_le_bytes()));
    }
    Change::Rows(RowsEvent::of_body(&body.into(), kind, &mapped(full)).unwrap())
}

fn lived(full: bool) -> Arc<History> {
    use EventType::{Delete, Insert, Update};
    let mut log = vec![
        (2, vec![event(full, Insert, &[0b1111], &[&[1, -5, 5, 0], &[2, -6, 6, 0]])]),
        (3, vec![event(full, Update, &[0b1011; 2], &[&[1, -5, 0], &[1, -5, 1]])]),
        (4, vec![event(full, Update, &[0b1011; 2], &[&[1, -5, 1], &[1, 8, 1]])]),
        (5, vec![event(full, Update, &[0b1011; 2], &[&[1, 8, 1], &[1, -5, 2]])]),
        (6, vec![event(full, Delete, &[0b1011], &[&[2, -6, 0]])]),
        // FULL_NODUP: the image after a change has what changed.
        (7, vec![event(full, Update, &[0b1011, 0b1000], &[&[1, -5, 2], &[3]])]),
    ];
    if !full {
        log.insert(0, (1, vec![sql(CREATE)]));
    }
    history(log)
}

fn unknown(cell: &Value) -> bool {
    cell["unknown"].as_str().is_some_and(|why| why.contains("MariaDB"))
}

#[test]
fn a_generated_cell_that_no_image_holds_is_the_only_one_that_is_not_known() {
    let h = lived(false);
    let one = |second| rows(&h, second, &["1"]).unwrap();
    assert_eq!(one(2), json!([["1", "-5", "5", "0"]]));
    assert_eq!(one(3), json!([["1", "-5", "5", "1"]]), "what it is made of is as it was");
    let changed = one(4);
    assert_eq!((&changed[0][0], &changed[0][1], &changed[0][3]), (&json!("1"), &json!("8"), &json!("1")));
    assert!(unknown(&changed[0][2]), "{changed}");
    assert_eq!(one(5), json!([["1", "-5", "5", "2"]]), "a row that had the same value of a tells it");
    assert_eq!(one(7), json!([["1", "-5", "5", "3"]]), "FULL_NODUP");
    assert_eq!(rows(&h, 6, &["2"]), Ok(json!([])));
}

#[test]
fn images_of_a_diff_hold_what_is_known() {
    let h = lived(false);
    let request = DiffRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: "t".into(),
        keys: keys(&["1", "2"]),
        since: Some(t(2)),
        until: Some(t(9)),
        transaction: None,
        filter: None,
        limit: None,
        connection_names: false,
    };
    let text: Vec<u8> = h.diff(&request).unwrap().flat_map(Result::unwrap).collect();
    let lines: Vec<Value> =
        std::str::from_utf8(&text).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let events: Vec<&Value> = lines.iter().filter_map(|l| l.get("event")).collect();
    assert_eq!(events.len(), 7);
    assert_eq!(events[2]["before"], json!(["1", "-5", "5", "0"]));
    assert_eq!(events[2]["after"], json!(["1", "-5", "5", "1"]));
    assert!(unknown(&events[3]["after"][2]), "{}", events[3]);
    assert!(unknown(&events[4]["before"][2]), "{}", events[4]);
    assert_eq!(events[5]["before"], json!(["2", "-6", "6", "0"]), "as the INSERT had it");
}

/// Without the CREATE the log does not say which columns are generated, nor of what.
#[test]
fn columns_that_rows_leave_out_are_not_known_where_only_table_maps_tell() {
    let h = lived(true);
    assert_eq!(rows(&h, 2, &["1"]), Ok(json!([["1", "-5", "5", "0"]])));
    for (second, a, n) in [(3, "-5", "1"), (4, "8", "1"), (5, "-5", "2"), (7, "-5", "3")] {
        let row = rows(&h, second, &["1"]).unwrap();
        assert_eq!((&row[0][1], &row[0][3]), (&json!(a), &json!(n)), "second {second}");
        assert!(unknown(&row[0][2]), "{row}");
    }
}

/// MINIMAL leaves out what is no generated column: such a table is refused as before.
#[test]
fn a_plain_column_that_is_missing_is_refused() {
    let update = event(false, EventType::Update, &[0b0001, 0b1000], &[&[1], &[9]]);
    let h = history(vec![
        (1, vec![sql(CREATE)]),
        (2, vec![event(false, EventType::Insert, &[0b1111], &[&[1, -5, 5, 0]])]),
        (3, vec![update]),
    ]);
    assert_eq!(rows(&h, 2, &["1"]), Ok(json!([["1", "-5", "5", "0"]])));
    assert_eq!(rows(&h, 3, &["1"]), Err("unreadable_table"));
}

/// A VIRTUAL column of what the session or the clock decides has no value that another row could
/// tell.
#[test]
fn what_the_clock_decides_is_not_taken_from_another_row() {
    let create = CREATE.replace("abs(a)", "a + unix_timestamp()");
    let h = history(vec![
        (1, vec![sql(&create)]),
        (2, vec![event(false, EventType::Insert, &[0b1111], &[&[1, -5, 5, 0]])]),
        (3, vec![event(false, EventType::Update, &[0b1011; 2], &[&[1, -5, 0], &[1, -5, 1]])]),
    ]);
    assert!(unknown(&rows(&h, 3, &["1"]).unwrap()[0][2]));
}

/// With binlog_row_metadata=FULL alone, MariaDB's UUID and INET6 look as BINARY(16) does, and INET4
/// as BINARY(4).
#[test]
fn an_address_is_not_taken_for_bytes() {
    let table = |length: u8| {
        let column = |type_code, meta: &[u8], name: &str| MappedColumn {
            unsigned: Some(false),
            name: Some(name.to_owned()),
            collation: (type_code == 254).then_some(63),
            ..MappedColumn::plain(type_code, meta.to_vec(), name != "id")
        };
        Arc::new(MappedTable {
            name: TableName { schema: "s".into(), table: "t".into() },
            columns: vec![column(3, &[], "id"), column(254, &[254, length], "k")],
            primary_key: Some(vec![0]),
            server: ServerVersion { mariadb: true, ..ServerVersion::default() },
            referred: false,
        })
    };
    for (length, known) in [(16, false), (4, false), (8, true)] {
        let body = [7, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 3, 0, 1, 0, 0, 0, 1, 9];
        let event = RowsEvent::of_body(&body.to_vec().into(), EventType::Insert, &table(length)).unwrap();
        let h = history(vec![(2, vec![Change::Rows(event)])]);
        let cell = &rows(&h, 3, &["1"]).unwrap()[0][1];
        assert_eq!(cell.get("unknown").is_none(), known, "BINARY({length}): {cell}");
    }
}
