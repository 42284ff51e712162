//! Which table a name means where the log leaves that open.

use super::*;

/// The row of key 1 in a table at a second, or why it is refused.
fn one(history: &Arc<History>, table: &str, second: i64) -> Result<Value, String> {
    let request = RowsRequest {
        server_id: ServerId("x".into()),
        schema: "s".into(),
        table: table.into(),
        keys: keys(&["1"]),
        at: AsOf::Time(t(second)),
        filter: None,
        limit: None,
    };
    let mut lines = collect(history.rows(&request, Reading::Flashback).map_err(|r| r.message)?);
    lines.pop();
    Ok(lines.get(1).map_or(Value::Null, |row| row[1].clone()))
}

fn refused(history: &Arc<History>, table: &str, second: i64, why: &str) {
    let got = one(history, table, second);
    assert!(got.as_ref().is_err_and(|message| message.contains(why)), "{table} at {second}: {got:?}");
}

fn made(table: &str) -> Change {
    sql(&CREATE.replacen("TABLE t", &format!("TABLE {table}"), 1))
}

/// With lower_case_table_names=1, `CREATE TABLE Foo` is logged as typed, and rows come as of `foo`.
#[test]
fn names_that_differ_in_case_alone_are_in_doubt_where_the_setting_is_not_known() {
    let later: Vec<(&str, Change)> = vec![
        ("a row", row("foo", None, Some((1, "b")))),
        ("TRUNCATE", sql("TRUNCATE TABLE foo")),
        ("DROP", sql("DROP TABLE IF EXISTS foo")),
        ("ALTER", sql("ALTER TABLE FOO ADD x INT")),
        ("OR REPLACE", sql(&CREATE.replacen("CREATE TABLE t", "CREATE OR REPLACE TABLE foo", 1))),
        ("IF NOT EXISTS", sql(&CREATE.replacen("TABLE t", "TABLE IF NOT EXISTS foo", 1))),
        ("RENAME", sql("RENAME TABLE foo TO bar")),
        ("DROP DATABASE", sql("DROP DATABASE S")),
    ];
    for (what, change) in later {
        let history = history(vec![
            (1, vec![made("Foo")]),
            (2, vec![row("Foo", None, Some((1, "a")))]),
            (4, vec![change]),
        ]);
        assert_eq!(one(&history, "Foo", 3), Ok(json!("a")), "{what}");
        let got = one(&history, "Foo", 5);
        assert!(got.as_ref().is_err_and(|m| m.contains("upper and lower case alone")), "{what}: {got:?}");
    }
    // Two tables at once: the server tells them apart.
    let history = history(vec![
        (1, vec![made("Foo")]),
        (2, vec![made("foo"), row("foo", None, Some((1, "b")))]),
        (3, vec![row("Foo", None, Some((1, "a"))), sql("DROP TABLE foo")]),
    ]);
    assert_eq!((one(&history, "Foo", 5), one(&history, "foo", 2)), (Ok(json!("a")), Ok(json!("b"))));
}

#[test]
fn names_count_as_the_server_has_been_seen_to_count_them() {
    for (setting, found) in [(1, true), (2, true), (0, false)] {
        let mut ingest = Ingest::default();
        Arc::make_mut(&mut ingest.catalog).set_lower_case_table_names(setting);
        let changes = vec![made("Foo"), row("foo", None, Some((1, "a"))), sql("ALTER TABLE FOO COMMENT='x'")];
        for (i, change) in (1..).zip(changes) {
            let position = BinlogPosition { file: "binlog.000001".into(), offset: 0 };
            let entry = CommittedTransaction {
                gtid: None,
                committed: t(i),
                stamp: Stamp::Commit,
                position,
                origin: Origin::default(),
                changes: vec![change].into(),
            };
            ingest.entry(entry).unwrap();
        }
        let history = Arc::new(ingest.finish(ServerId("x".into()), ends()).unwrap());
        for name in ["Foo", "foo", "FOO"] {
            assert_eq!(one(&history, name, 2) == Ok(json!("a")), found || name == "foo", "{setting} {name}");
        }
    }
}

fn renamed(following: Vec<Change>) -> Arc<History> {
    let first = vec![(1, vec![made("t")]), (2, vec![row("t", None, Some((1, "a")))])];
    let rename = (4, vec![sql("RENAME TABLE t TO u")]);
    let following = (6..).zip(following).map(|(at, change)| (at, vec![change]));
    history(first.into_iter().chain([rename]).chain(following).collect())
}

/// Seen in 10.11 and 11.8: RENAME TABLE of a temporary table that hides t is logged as that of t,
/// byte for byte.
#[test]
fn a_rename_of_mariadb_is_answered_only_when_the_log_has_settled_it() {
    let open = renamed(vec![]);
    assert_eq!(one(&open, "t", 3), Ok(json!("a")));
    refused(&open, "t", 5, "may have been of a session's temporary table");
    refused(&open, "u", 5, "may have been of a session's temporary table");
    for settled in [row("u", Some((1, "a")), Some((1, "b"))), sql("ALTER TABLE u COMMENT='x'"), made("t")] {
        let real = renamed(vec![settled]);
        assert_eq!(one(&real, "u", 5), Ok(json!("a")));
        refused(&real, "t", 5, "does not exist");
    }
    let other = renamed(vec![row("t", Some((1, "a")), Some((1, "b"))), sql("DROP TABLE IF EXISTS u")]);
    assert_eq!(one(&other, "t", 3), Ok(json!("a")));
    for second in [5, 7] {
        refused(&other, "t", second, "it was that of a temporary table");
    }
    refused(&other, "u", 5, "it was that of a temporary table");
    // ALTER TABLE of a temporary table is not logged.
    let altered = history(vec![(1, vec![made("t")]), (2, vec![sql("ALTER TABLE t RENAME TO u")])]);
    assert_eq!(one(&altered, "u", 5), Ok(Value::Null));
}

/// What gh-ost and pt-online-schema-change end with: the old name goes to another table in the same
/// statement.
#[test]
fn a_swap_of_mariadb_is_settled_by_a_row_of_the_new_table() {
    let swap = |following: Vec<Change>| {
        history(vec![
            (
                1,
                vec![
                    made("t"),
                    row("t", None, Some((1, "old"))),
                    made("n"),
                    row("n", None, Some((1, "new"))),
                ],
            ),
            (2, vec![sql("RENAME TABLE t TO o, n TO t")]),
            (4, following),
        ])
    };
    let open = swap(vec![]);
    refused(&open, "t", 3, "may have been of a session's temporary table");
    let settled = swap(vec![row("t", Some((1, "new")), Some((1, "newer")))]);
    let at_three = (one(&settled, "t", 3), one(&settled, "o", 3), one(&settled, "t", 5));
    assert_eq!(at_three, (Ok(json!("new")), Ok(json!("old")), Ok(json!("newer"))));
}

/// Each of these logs is that of a session with temporary tables t and n, or with one of them, as
/// MariaDB 11.8.9 and 10.11.19 write it, beside that of none.
#[test]
fn a_swap_of_mariadb_may_have_been_of_temporary_tables_in_whole_or_in_part() {
    let before = |t: &str, n: &str| {
        vec![made("t"), row("t", None, Some((1, t))), made("n"), row("n", None, Some((1, n)))]
    };
    let swap = |t: &str, n: &str, following: Vec<Change>| {
        let following = (4..).zip(following).map(|(at, change)| (at, vec![change]));
        history(
            [(1, before(t, n)), (2, vec![sql("RENAME TABLE t TO o, n TO t")])]
                .into_iter()
                .chain(following)
                .collect(),
        )
    };
    // Of both: t goes on.
    let neither = swap("old", "new", vec![row("t", Some((1, "old")), Some((1, "older")))]);
    for (name, at) in [("t", 3), ("t", 5), ("o", 3), ("n", 3)] {
        let found = one(&neither, name, at);
        assert!(found.is_err(), "{name} {at}: {found:?}");
    }
    assert_eq!(one(&neither, "t", 1), Ok(json!("old")));
    // Of n alone: t has become o, and n is there.
    let half = swap(
        "old",
        "new",
        vec![row("o", Some((1, "old")), Some((1, "older"))), row("n", Some((1, "new")), Some((1, "newer")))],
    );
    for (name, at) in [("t", 3), ("n", 3), ("n", 6)] {
        let found = one(&half, name, at);
        assert!(found.is_err(), "{name} {at}: {found:?}");
    }
    // Rows of o say that t has become o, and nothing of n.
    let open = swap("old", "new", vec![row("o", Some((1, "old")), Some((1, "older")))]);
    assert_eq!((one(&open, "o", 3), one(&open, "o", 5)), (Ok(json!("old")), Ok(json!("older"))));
    refused(&open, "t", 3, "may have been of a session's temporary table");
    refused(&open, "n", 3, "may have been of a session's temporary table");
    // Tables with the same rows cannot be told apart, until they differ.
    let same = swap("x", "x", vec![row("t", Some((1, "x")), Some((1, "y")))]);
    refused(&same, "t", 5, "may have been of a session's temporary table");
    let reported = swap(
        "x",
        "x",
        vec![row("t", Some((1, "x")), Some((1, "y"))), made("n"), row("o", Some((1, "x")), None)],
    );
    assert_eq!((one(&reported, "t", 5), one(&reported, "o", 5)), (Ok(json!("y")), Ok(json!("x"))));
}

/// A temporary table can have been renamed twice; that one was made later by the old name says
/// nothing of it.
#[test]
fn renames_one_after_the_other_are_settled_from_the_last_one_on() {
    let twice = |following: Vec<Change>| {
        let following = (6..).zip(following).map(|(at, change)| (at, vec![change]));
        let first = vec![
            (1, vec![made("t"), row("t", None, Some((1, "a")))]),
            (2, vec![sql("RENAME TABLE t TO o")]),
            (4, vec![sql("RENAME TABLE o TO x")]),
        ];
        history(first.into_iter().chain(following).collect())
    };
    let open = twice(vec![]);
    for (name, at) in [("t", 3), ("o", 3), ("o", 5), ("x", 5)] {
        refused(&open, name, at, "may have been of a session's temporary table");
    }
    let real = twice(vec![row("x", Some((1, "a")), Some((1, "b")))]);
    assert_eq!((one(&real, "o", 3), one(&real, "x", 5)), (Ok(json!("a")), Ok(json!("a"))));
    refused(&real, "t", 5, "does not exist");
    for following in [vec![made("o")], vec![row("t", Some((1, "a")), Some((1, "b")))]] {
        let other = twice(following);
        for (name, at) in [("t", 3), ("o", 3), ("o", 5), ("x", 5)] {
            let found = one(&other, name, at);
            assert!(found.is_err(), "{name} {at}: {found:?}");
        }
    }
}

/// A name that a table has already cannot be the new one of a table.
#[test]
fn a_rename_that_no_table_can_have_had_changes_nothing() {
    let history = history(vec![
        (1, vec![made("t"), row("t", None, Some((1, "a"))), made("u"), row("u", None, Some((1, "b")))]),
        (2, vec![sql("RENAME TABLE t TO u")]),
    ]);
    assert_eq!((one(&history, "t", 3), one(&history, "u", 3)), (Ok(json!("a")), Ok(json!("b"))));
}
