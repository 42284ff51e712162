//! Changes of small tables, one by one.

use super::*;
use dbtrail_types::agent_api::NetHeader;
use dbtrail_types::names::TableName;
use serde_json::{Value as Json, json};

fn named(table: &str) -> TableName {
    TableName { schema: "s".to_owned(), table: table.to_owned() }
}

/// `p (id, up)` and `c (id, up)`, whose `up` refers to `p.id`.
fn header() -> NetHeader {
    let column = |name: &str| json!({"name": name, "type": "int", "nullable": true});
    let reference = json!({
        "child": {"schema": "s", "table": "c"}, "columns": ["up"], "parent": {"schema": "s", "table": "p"},
        "referenced": ["id"], "changes_rows": true,
    });
    let header = json!({
        "success": true, "columns": [column("id"), column("up")], "primary_key": ["id"],
        "newest": "2026-01-01T00:00:00Z", "references": [reference], "unique": [],
    });
    serde_json::from_value(header).unwrap()
}

/// `[number, before, end]` or `[number, before, end, cause]`.
fn changes(all: &Json) -> Vec<NetChange> {
    let one = |c: &Json| {
        let key = if c[1].is_null() { &c[2][0] } else { &c[1][0] };
        let mut net = json!({"key": [key], "before": c[1], "end": c[2], "change": c[0]});
        if !c[3].is_null() {
            net["cause"] = c[3].clone();
        }
        serde_json::from_value(net).unwrap()
    };
    all.as_array().unwrap().iter().map(one).collect()
}

fn taken(p: &Json, c: &Json) -> StepwiseUndo {
    let (names, header) = ([named("p"), named("c")], header());
    let (p, c) = (changes(p), changes(c));
    let of = |name, changes| Changed { name, header: &header, changes };
    steps(&[of(&names[0], &p), of(&names[1], &c)], &[], &[0, 1], Text::Utf8)
}

fn short(steps: &StepwiseUndo) -> Vec<String> {
    let short = |sql: &String| {
        let sql = sql.replace("`s`.", "").replace('`', "");
        sql.split(" AND ").next().unwrap().split(" FROM DUAL").next().unwrap().to_owned()
    };
    steps.statements.iter().map(short).collect()
}

#[test]
fn ok_each_change_is_taken_back_the_newest_first() {
    let all = taken(
        &json!([[5, ["1", "7"], ["1", "8"]], [9, ["1", "8"], ["1", "9"]], [7, null, ["2", null]]]),
        &json!([]),
    );
    assert_eq!(
        short(&all),
        [
            "UPDATE p SET up = 8 WHERE id = 1",
            "DELETE FROM p WHERE id = 2",
            "UPDATE p SET up = 7 WHERE id = 1"
        ]
    );
    assert_eq!((all.tables[0].rows, all.tables[0].conflicts.len()), (2, 0));
}

/// The rows below went with the one above them, and are given after it: it comes back first.
#[test]
fn ok_what_a_foreign_key_did_goes_with_its_cause() {
    let all = taken(
        &json!([[5, ["1", null], null]]),
        &json!([[3, ["10", "1"], ["10", "1"]], [6, ["10", "1"], null, 5], [7, ["11", "1"], ["11", null], 6]]),
    );
    assert_eq!(
        short(&all),
        [
            "UPDATE c SET up = 1 WHERE id = 11",
            "INSERT INTO p (id, up) VALUES (1, NULL)",
            "INSERT INTO c (id, up) SELECT 10, 1"
        ]
    );
}

/// Half of what happened to a row is not taken back.
#[test]
fn ok_a_key_that_somebody_changed_since_keeps_all_of_its_changes() {
    let mut p = changes(&json!([[5, ["1", "7"], ["1", "8"]], [9, ["1", "8"], ["1", "9"]]]));
    for change in &mut p {
        change.since = true;
    }
    let (name, header) = (named("p"), header());
    let all = steps(&[Changed { name: &name, header: &header, changes: &p }], &[], &[0], Text::Utf8);
    assert_eq!((all.statements.len(), all.tables[0].conflicts.len()), (0, 1));
}

/// MySQL 9.6 and newer log what a change of a parent's key did to its children before that change,
/// and name no cause: no statement may ask for a parent, or for rows that refer.
#[test]
fn ok_children_that_the_server_logged_before_their_parent() {
    let all = taken(
        &json!([[7, ["1", null], null], [8, null, ["2", null]]]),
        &json!([[5, ["10", "1"], ["10", "2"]], [6, ["11", "1"], null]]),
    );
    assert_eq!(
        short(&all),
        [
            "DELETE FROM p WHERE id = 2",
            "INSERT INTO p (id, up) VALUES (1, NULL)",
            "INSERT INTO c (id, up) SELECT 11, 1",
            "UPDATE c SET up = 1 WHERE id = 10"
        ]
    );
    assert!(all.statements.iter().all(|sql| !sql.contains("EXISTS")), "{:?}", all.statements);
    assert_eq!(
        all.orphans,
        [
            "SELECT COUNT(*) FROM `s`.`c` AS r WHERE (r.`up` = 1 OR r.`up` = 2) AND NOT EXISTS (SELECT 1 FROM `s`.`p` AS p WHERE p.`id` = r.`up`)"
        ]
    );
}

/// The value of a unique index that a row had in between is that of another one by now.
#[test]
fn ok_a_row_that_cannot_pass_through_stays() {
    let (name, mut header) = (named("p"), header());
    header.unique = Some(vec![vec!["up".to_owned()]]);
    let changed = changes(&json!([[5, ["1", "7"], ["1", "8"]], [9, ["1", "8"], ["1", "9"]]]));
    let later = changes(&json!([[11, ["2", "1"], ["2", "8"]]]));
    let of = |changes| Changed { name: &name, header: &header, changes };
    let all = steps(&[of(&changed)], &[of(&later)], &[0], Text::Utf8);
    assert_eq!(
        all.tables[0].conflicts,
        ["s.p id = 1: the value of (up) that it had on the way is that of another row by now, s.p (id = 2)"]
    );
    assert_eq!(all.statements.len(), 0);
}
