//! Net changes of small tables to statements.

use super::*;
use dbtrail_types::agent_api::Reference;
use dbtrail_types::column::{Column, TableDefinition};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;

fn column(name: &str, ty: &str, collation: Option<&str>) -> Column {
    Column::new(name.to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
}

fn named(table: &str) -> TableName {
    TableName { schema: "shop".to_owned(), table: table.to_owned() }
}

/// `orders (id INT PRIMARY KEY, code VARCHAR UNIQUE, up INT -> orders.id, made TIMESTAMP)`,
/// `lines.order_id -> orders.id`.
fn header() -> NetHeader {
    let columns = vec![
        column("id", "int", None),
        column("code", "varchar(9)", Some("utf8mb4_general_ci")),
        column("up", "int", None),
    ];
    let reference = |child: &str, column: &str| Reference {
        child: named(child),
        columns: vec![column.to_owned()],
        parent: named("orders"),
        referenced: vec!["id".to_owned()],
        changes_rows: true,
    };
    NetHeader {
        success: true,
        definition: TableDefinition { columns, primary_key: vec!["id".to_owned()] },
        newest: Timestamp::from_micros(0),
        generated: Vec::new(),
        unique: Some(vec![vec!["code".to_owned()]]),
        references: Some(vec![reference("orders", "up"), reference("lines", "order_id")]),
        below: Vec::new(),
        lost: Vec::new(),
    }
}

fn row(id: &str, code: &str, up: Option<&str>) -> RowLine {
    let value = |text: &str| RowCell::Value(Octets(text.as_bytes().to_vec()));
    vec![value(id), value(code), up.map_or(RowCell::Null, value)]
}

fn change(before: Option<RowLine>, end: Option<RowLine>) -> NetChange {
    let RowCell::Value(key) = before.as_ref().or(end.as_ref()).unwrap()[0].clone() else { panic!() };
    NetChange { key: vec![key], before, end, since: false, now: None, change: None, cause: None }
}

fn undone_with(changes: &[NetChange], later: &[NetChange]) -> Undone {
    let (name, header) = (named("orders"), header());
    let of = |changes| Changed { name: &name, header: &header, changes };
    undo(&[of(changes)], &[of(later)], Text::Utf8).pop().unwrap()
}

fn undone(changes: &[NetChange]) -> Undone {
    undone_with(changes, &[])
}

#[test]
fn ok_each_kind_of_change_is_taken_back_under_its_guard() {
    let all = undone(&[
        change(None, Some(row("1", "a", None))),
        change(Some(row("2", "b", None)), Some(row("2", "c", Some("9")))),
        change(Some(row("3", "d", Some("9"))), None),
    ]);
    assert_eq!(
        all.deletes,
        [
            "DELETE FROM `shop`.`orders` WHERE `id` = 1 AND CAST(`code` AS BINARY) = 'a' AND `up` <=> NULL AND NOT EXISTS (SELECT 1 FROM (SELECT 1 FROM \
          `shop`.`orders` AS r WHERE r.`up` = 1 LIMIT 1) AS others) AND NOT EXISTS (SELECT 1 FROM `shop`.`lines` AS r WHERE r.`order_id` = 1)"
        ]
    );
    assert_eq!(
        all.updates,
        [
            "UPDATE `shop`.`orders` SET `code` = 'b', `up` = NULL WHERE `id` = 2 AND CAST(`code` AS BINARY) = 'c' AND `up` = 9"
        ]
    );
    assert_eq!(
        all.inserts,
        [
            "INSERT INTO `shop`.`orders` (`id`, `code`, `up`) SELECT 3, 'd', 9 FROM DUAL WHERE EXISTS (SELECT 1 FROM `shop`.`orders` AS r WHERE r.`id` = 9)"
        ]
    );
    assert_eq!((all.conflicts.len(), all.rows, all.statements()), (0, 3, 3));
}

#[test]
fn ok_what_somebody_changed_since_gets_no_statement() {
    let mut changed = change(Some(row("2", "b", None)), Some(row("2", "c", None)));
    (changed.since, changed.now) = (true, Some(row("2", "x", Some("7"))));
    let mut deleted = change(None, Some(row("1", "a", None)));
    deleted.since = true;
    let mut back = change(Some(row("3", "d", None)), None);
    (back.since, back.now) = (true, Some(row("3", "d", None)));
    let mut other = change(Some(row("4", "d", None)), None);
    (other.since, other.now) = (true, Some(row("4", "e", None)));
    let all = undone(&[changed, deleted, back, other]);
    assert_eq!(
        all.conflicts,
        [
            "shop.orders id = 2: somebody changed the row since: code was 'c' and is 'x', up was NULL and is 7",
            "shop.orders id = 1: it is already what it was before",
            "shop.orders id = 3: it is already what it was before",
            "shop.orders id = 4: somebody inserted a row with this key since",
        ]
    );
    assert_eq!(all.statements(), 0);
}

/// The value that one row gets back is that of the next one: the last one first.
#[test]
fn ok_values_of_a_unique_index_move_on_one_after_the_other() {
    let all = undone(&[
        change(Some(row("1", "B", None)), Some(row("1", "a", None))),
        change(Some(row("2", "C", None)), Some(row("2", "b", None))),
        change(Some(row("3", "d", None)), Some(row("3", "c", None))),
    ]);
    let order: Vec<bool> = ["`id` = 3", "`id` = 2", "`id` = 1"]
        .iter()
        .zip(&all.updates)
        .map(|(id, sql)| sql.contains(id))
        .collect();
    assert_eq!(order, [true, true, true], "{:?}", all.updates);
}

#[test]
fn ok_values_of_a_unique_index_that_were_swapped_are_swapped_back() {
    let all = undone(&[
        change(Some(row("1", "a", None)), Some(row("1", "b", None))),
        change(Some(row("2", "b", None)), Some(row("2", "a", None))),
    ]);
    assert_eq!((all.deletes.len(), all.updates.len(), all.inserts.len(), all.rows), (1, 1, 1, 2));
    assert!(all.deletes[0].contains("@@session.foreign_key_checks = 0"), "{:?}", all.deletes);
}

#[test]
fn ok_rows_come_back_after_those_to_which_they_refer() {
    let all = undone(&[
        change(Some(row("1", "a", Some("2"))), None),
        change(Some(row("2", "b", Some("3"))), None),
        change(Some(row("3", "c", Some("3"))), None),
    ]);
    let firsts: Vec<&str> = all
        .inserts
        .iter()
        .map(|sql| {
            if sql.contains("SELECT 1, ") {
                "1"
            } else if sql.contains("SELECT 2, ") {
                "2"
            } else {
                "3"
            }
        })
        .collect();
    assert_eq!(firsts, ["3", "2", "1"]);
    assert!(all.inserts[0].contains("VALUES (3, 'c', 3)"), "{:?}", all.inserts);
}

#[test]
fn ok_a_row_goes_though_others_refer_to_it_that_are_taken_back_too() {
    let all = undone(&[
        change(None, Some(row("5", "m", None))),
        change(Some(row("6", "n", None)), Some(row("6", "n", Some("5")))),
    ]);
    assert!(all.deletes[0].contains("AND NOT (r.`id` = 6) LIMIT 1"), "{:?}", all.deletes);
    assert!(all.deletes[0].contains("@@session.foreign_key_checks = 0"), "{:?}", all.deletes);
}

#[test]
fn refused_what_is_not_known_or_cannot_be_written() {
    let mut before = row("1", "a", None);
    before[2] = RowCell::Unknown("MODIFY cut it".to_owned());
    let all = undone(&[change(Some(before), Some(row("1", "b", None)))]);
    assert_eq!(all.conflicts, ["shop.orders id = 1: what column up held is not known (MODIFY cut it)"]);
    assert_eq!(all.rows, 0);
}

#[test]
fn ok_a_session_that_would_read_the_values_otherwise_changes_nothing() {
    let mut header = header();
    header.references = None;
    header.definition.columns[0].auto_increment = true;
    header.definition.columns[2] = Column { on_update_now: true, ..column("up", "timestamp", None) };
    let time = "2026-01-01 00:00:00";
    let changes = [
        change(Some(row("0", "a", Some(time))), None),
        change(Some(row("1", "a", Some(time))), Some(row("1", "b", Some(time)))),
    ];
    let name = named("orders");
    let only = Changed { name: &name, header: &header, changes: &changes };
    let all = undo(&[only], &[], Text::Utf8).pop().unwrap();
    assert_eq!(
        all.inserts,
        [
            "INSERT INTO `shop`.`orders` (`id`, `code`, `up`) SELECT 0, 'a', '2026-01-01 00:00:00' FROM DUAL WHERE @@session.time_zone = '+00:00' AND \
          FIND_IN_SET('NO_AUTO_VALUE_ON_ZERO', @@session.sql_mode) > 0"
        ]
    );
    // A column that the server would set to the present is set to what it was.
    assert_eq!(
        all.updates,
        [
            "UPDATE `shop`.`orders` SET `code` = 'a', `up` = '2026-01-01 00:00:00' WHERE `id` = 1 AND CAST(`code` AS BINARY) = 'b' AND `up` = \
          '2026-01-01 00:00:00' AND @@session.time_zone = '+00:00'"
        ]
    );
}

/// A bare TIMESTAMP may be set by the server in each UPDATE without a word of it; where no
/// declaration is known, a DATETIME may be too, and a number may be numbered.
#[test]
fn ok_what_a_server_may_set_by_itself_is_set() {
    let time = "2026-01-01 00:00:00";
    for (ty, declared, set) in [
        ("timestamp", true, true),
        ("datetime", true, false),
        ("datetime", false, true),
        ("date", false, false),
    ] {
        let mut header = header();
        header.references = None;
        header.unique = header.unique.filter(|_| declared);
        header.definition.columns[2] = column("up", ty, None);
        let changes = [
            change(Some(row("0", "a", Some(time))), Some(row("0", "b", Some(time)))),
            change(Some(row("1", "a", None)), None),
        ];
        let name = named("orders");
        let only = Changed { name: &name, header: &header, changes: &changes };
        let all = undo(&[only], &[], Text::Utf8).pop().unwrap();
        assert_eq!(all.updates[0].contains(", `up` = '2026-01-01"), set, "{ty}: {}", all.updates[0]);
        let asks = all.updates[0].contains("NO_AUTO_VALUE_ON_ZERO");
        assert_eq!(asks, !declared, "{ty}: {}", all.updates[0]);
    }
}

#[test]
fn ok_a_script_is_one_transaction_with_parents_before_children() {
    let part = |table: &str, changes: &[NetChange]| {
        let name = named(table);
        let mut header = header();
        if table == "lines" {
            header.definition.columns[2].name = "order_id".to_owned();
        }
        let only = Changed { name: &name, header: &header, changes };
        script::Part {
            undone: undo(&[only], &[], Text::Utf8).pop().unwrap(),
            newest: None,
            references: header.references,
            name,
        }
    };
    let changes = [change(None, Some(row("1", "a", None))), change(Some(row("3", "d", None)), None)];
    // `lines` has the columns of `orders` here, and refers to it.
    let parts = [part("lines", &changes), part("orders", &changes)];
    let frame = script::Frame { span: "from a to b\n", commit: false, incomplete: &[], steps: None };
    let text = script::script(&parts, &frame);
    let steps: Vec<&str> = text
        .lines()
        .filter(|line| {
            ["DELETE", "INSERT", "START", "ROLLBACK", "COMMIT"].iter().any(|word| line.starts_with(word))
        })
        .map(|line| line.split(" WHERE").next().unwrap().split(" (").next().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "START TRANSACTION;",
            "DELETE FROM `shop`.`lines`",
            "DELETE FROM `shop`.`orders`",
            "INSERT INTO `shop`.`orders`",
            "INSERT INTO `shop`.`lines`",
            "ROLLBACK;"
        ]
    );
    assert!(text.contains("4 AS rows_expected"), "{text}");
    let of = |table| format!("(event_object_schema = 'shop' AND event_object_table = '{table}')");
    let triggers = format!("FROM information_schema.triggers WHERE {} OR {};\n", of("lines"), of("orders"));
    assert!(text.contains(&triggers), "{text}");
    let frame = script::Frame { commit: true, incomplete: &["a child\nis in doubt".to_owned()], ..frame };
    let text = script::script(&parts, &frame);
    assert!(text.contains("\n-- NOT COMPLETE: a child is in doubt\n"), "{text}");
    let checked = text.find("(SELECT 1 UNION ALL SELECT 2)").unwrap();
    assert!(text.ends_with("COMMIT;\n") && checked < text.find("COMMIT;\n").unwrap(), "{text}");
}
