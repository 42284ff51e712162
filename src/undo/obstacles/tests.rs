//! Rows of today in the way of others.

use super::super::{Undone, undo};
use super::*;
use crate::undo::literal::Text;
use dbtrail_types::agent_api::NetHeader;
use serde_json::{Value as Json, json};

/// `name (id, code UNIQUE, up)`, whose `up` refers to `id` of `parent`; `children` refer to it.
fn header(name: &str, parent: &str, children: &[&str]) -> NetHeader {
    let column = |name: &str| json!({"name": name, "type": "varchar(9)", "nullable": true, "collation": "utf8mb4_general_ci"});
    let named = |table: &str| json!({"schema": "s", "table": table});
    let reference = |child: &str, parent: &str| json!({"child": named(child), "columns": ["up"], "parent": named(parent), "referenced": ["id"], "changes_rows": false});
    let mut references: Vec<Json> = children.iter().map(|child| reference(child, name)).collect();
    references.push(reference(name, parent));
    let header = json!({
        "success": true,
        "columns": [column("id"), column("code"), column("up")],
        "primary_key": ["id"],
        "newest": "2026-01-01T00:00:00Z",
        "unique": [["code"]],
        "references": references,
    });
    serde_json::from_value(header).unwrap()
}

/// `[before, end]` of rows `[id, code, up]`.
fn changes(all: &Json) -> Vec<NetChange> {
    let change = |pair: &Json| {
        let key = if pair[0].is_null() { &pair[1][0] } else { &pair[0][0] };
        serde_json::from_value(
            json!({"key": [key], "before": pair[0], "end": pair[1], "since": pair[2] == true}),
        )
        .unwrap()
    };
    all.as_array().unwrap().iter().map(change).collect()
}

fn tables<'a>(
    rows: &'a [(usize, Vec<NetChange>)],
    names: &'a [TableName; 2],
    headers: &'a [NetHeader; 2],
) -> Vec<Changed<'a>> {
    let one = |(i, changes): &'a (usize, Vec<NetChange>)| Changed {
        name: &names[*i],
        header: &headers[*i],
        changes,
    };
    rows.iter().map(one).collect()
}

/// `c` refers to `p`. What was done to each, and how rows of each went from then to now.
fn undone(p: &Json, c: &Json, later_p: &Json, later_c: &Json) -> [Undone; 2] {
    let names = ["p", "c"].map(|table| TableName { schema: "s".to_owned(), table: table.to_owned() });
    let headers = [header("p", "none", &["c"]), header("c", "p", &[])];
    let of = |all: [&Vec<NetChange>; 2]| -> Vec<(usize, Vec<NetChange>)> {
        all.into_iter().cloned().enumerate().collect()
    };
    let (done, later) = ([changes(p), changes(c)], [changes(later_p), changes(later_c)]);
    let (done, later) = (of([&done[0], &done[1]]), of([&later[0], &later[1]]));
    let all = undo(&tables(&done, &names, &headers), &tables(&later, &names, &headers), Text::Utf8);
    all.try_into().unwrap()
}

#[test]
fn ok_a_row_to_which_one_of_today_refers_stays() {
    let came = json!([[null, ["1", "a", null]]]);
    let [p, c] = undone(&came, &json!([]), &json!([]), &json!([[null, ["10", "x", "1"]]]));
    assert_eq!((p.statements(), c.statements()), (0, 0));
    assert!(p.conflicts[0].starts_with("s.p id = '1': s.c (id = '10') refers to it"), "{:?}", p.conflicts);
    // One that goes with it is not in its way.
    let [p, c] =
        undone(&came, &json!([[null, ["10", "x", "1"]]]), &json!([]), &json!([[null, ["10", "x", "1"]]]));
    assert_eq!((p.deletes.len(), c.deletes.len(), p.conflicts.len()), (1, 1, 0));
    // Unless somebody changed that one since.
    let [p, c] = undone(
        &came,
        &json!([[null, ["10", "x", "1"], true]]),
        &json!([]),
        &json!([[null, ["10", "y", "1"]]]),
    );
    assert_eq!((p.statements(), c.statements()), (0, 0));
    assert_eq!((p.conflicts.len(), c.conflicts.len()), (1, 1));
}

/// A value that is not free leaves a row, which leaves the one that refers to it.
#[test]
fn ok_what_is_left_leaves_others() {
    let p = json!([[["1", "Zoë", null], null]]);
    let c = json!([[["10", "x", "1"], null], [["11", "y", null], ["11", "x", null]]]);
    let [p, c] = undone(&p, &c, &json!([[["1", "Zoë", null], null], [null, ["2", "ZOE", null]]]), &json!([]));
    assert_eq!(
        p.conflicts,
        ["s.p id = '1': the value of (code) that it had is that of another row by now, s.p (id = '2')"]
    );
    assert!(c.conflicts[0].contains("the row of s.p to which its (up) refers is gone"), "{:?}", c.conflicts);
    // The one that has its code is taken back, so that this one could come.
    assert_eq!((p.statements(), c.statements(), c.conflicts.len()), (0, 1, 1));
}

#[test]
fn ok_a_parent_that_went_since_is_missed() {
    let c = json!([[["10", "x", "1"], null], [["11", "y", "2"], ["11", "y", null]]]);
    let gone = json!([[["1", "a", null], null], [["2", "b", null], null]]);
    let [_, c] = undone(&json!([]), &c, &gone, &json!([]));
    assert_eq!((c.statements(), c.conflicts.len()), (0, 2));
    // One that comes back is there.
    let c = json!([[["10", "x", "1"], null]]);
    let p = json!([[["1", "a", null], null]]);
    let [p, c] = undone(&p, &c, &p, &json!([]));
    assert_eq!((p.inserts.len(), c.inserts.len()), (1, 1));
}

/// A long chain of rows that each hang on the one before: not a round for each.
#[test]
fn ok_many_rows_are_looked_up() {
    let rows: Vec<Json> =
        (0..3_000).map(|i| json!([null, [i.to_string(), i.to_string(), (i + 1).to_string()]])).collect();
    let name = TableName { schema: "s".to_owned(), table: "t".to_owned() };
    let header = header("t", "t", &[]);
    let done = changes(&Json::Array(rows));
    let later = changes(&json!([[null, ["x", "x", "0"]]]));
    let of = |changes| Changed { name: &name, header: &header, changes };
    let all = undo(&[of(&done)], &[of(&later)], Text::Utf8);
    assert_eq!((all[0].statements(), all[0].conflicts.len()), (0, 3_000));
}

#[test]
fn ok_what_has_to_be_known_of_now() {
    let names = ["p", "c"].map(|table| TableName { schema: "s".to_owned(), table: table.to_owned() });
    let (header, done) =
        (header("p", "none", &["c"]), changes(&json!([[null, ["1", "a", null]], [["2", "b", "7"], null]])));
    let all = wanted(&[Changed { name: &names[0], header: &header, changes: &done }]);
    let shown: Vec<Json> = all
        .iter()
        .flat_map(|(table, values)| values.iter().map(move |v| json!([table.table, v.columns, v.values])))
        .collect();
    assert_eq!(
        shown,
        [json!(["c", ["up"], [["1"]]]), json!(["none", ["id"], [["7"]]]), json!(["p", ["code"], [["b"]]])]
    );
}
