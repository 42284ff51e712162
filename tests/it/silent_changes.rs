//! Rows that change without row events: recorded logs of real servers against what the tables held
//! after each statement (tests/real/silent_changes.py).

mod bulk_insert;
mod numbered;
mod recorded_steps;

use dbtrail_history::schema::SilentChange;
use recorded_steps::{KINDS, Step, Table, recorded};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[test]
fn foreign_keys_change_rows_as_the_server_does() {
    for kind in KINDS {
        let recorded = recorded(kind, "foreign_keys").expect("it is recorded for all servers");
        let (right, refused) = recorded.answers();
        assert!(refused.is_empty() && right > 500, "{kind}: {right} right, {refused:#?}");
        // The whole tree went with its root, of which alone MariaDB and older MySQL log the change.
        let derived = if kind == "mysql-9.7" { Value::Null } else { Value::Bool(true) };
        assert_eq!(
            recorded.changes("tree", &["3"]),
            [
                serde_json::json!(["INSERT", null, null, ["3", "2"]]),
                serde_json::json!(["DELETE", derived, ["3", "2"], null])
            ],
            "{kind}"
        );
    }
}

/// Rows that refer to rows of their own table lose their references with them.
#[test]
fn a_table_that_refers_to_itself_is_followed() {
    for kind in KINDS {
        let recorded = recorded(kind, "foreign_keys_self").expect("it is recorded for all servers");
        let (right, refused) = recorded.answers();
        assert!(right > 150 && refused.is_empty(), "{kind}: {right} right, {refused:#?}");
        let kinds: Vec<Value> = recorded.changes("nodes", &["7"]).iter().map(|c| c[0].clone()).collect();
        assert_eq!(kinds.first(), Some(&Value::from("INSERT")), "{kind}");
        assert!(kinds.contains(&Value::from("UPDATE")), "{kind}: {kinds:?}");
    }
}

/// The log begins after the CREATE statements: nothing tells the foreign keys. MariaDB names the
/// children with each statement that may change them; MySQL only says that foreign keys refer to
/// the table.
#[test]
fn unknown_foreign_keys_put_the_children_in_doubt() {
    for kind in KINDS {
        let recorded =
            recorded(kind, "foreign_keys_from_the_middle").expect("it is recorded for all servers");
        let (right, refused) = recorded.answers();
        assert!(right > 20, "{kind}: {right} right");
        let child =
            refused.iter().filter(|(table, why)| table == "c" && why.contains("by a foreign key")).count();
        assert_eq!(child > 0, kind != "mysql-9.7", "{kind}: {refused:#?}");
        let other = refused.iter().any(|(table, why)| table == "other" && why.contains("by a foreign key"));
        assert_eq!(
            other,
            kind == "mysql-9.7-native",
            "{kind}: no table is doubted that the statement does not name"
        );
    }
}

/// Partitions that lose their rows: which rows these were follows from the rule, a hash of KEY too.
#[test]
fn partitions_lose_their_rows() {
    for kind in KINDS {
        let Some(recorded) = recorded(kind, "partitions") else { continue };
        let (right, refused) = recorded.answers();
        assert!(right > 900 && refused.is_empty(), "{kind}: {right} right, {refused:?}");
        let last = recorded.steps.last().expect("steps");
        let (_, rows) = recorded.row(last, "k", &["50".to_owned()]).expect("it changed since");
        assert_eq!(rows, [serde_json::json!(["50", "8"])]);
        let first = recorded.changes("r", &["500"]);
        assert_eq!(
            first.last(),
            Some(&serde_json::json!(["DELETE", null, ["4", "500", "1"], null])),
            "{kind}"
        );
    }
}

/// Partitions that lose their rows when not all of these are known: the table is not in doubt, and
/// only keys are that may have had a row which went unseen.
#[test]
fn partitions_of_a_table_that_is_half_known_lose_their_rows() {
    for kind in KINDS {
        let Some(recorded) = recorded(kind, "partitions_half_known") else { continue };
        let (right, refused) = recorded.answers();
        let known = |(_, why): &&(String, String)| {
            why.contains("REPAIR PARTITION") || why.contains("partitions of it were emptied")
        };
        let other: Vec<_> = refused.iter().filter(|r| !known(r)).collect();
        assert!(right > 250 && other.is_empty(), "{kind}: {right} right, {other:#?}");
        let step = |statement: &str| {
            recorded.steps.iter().find(|s| s.statement.starts_with(statement)).expect("a step")
        };
        let before = step("DELETE FROM r WHERE id = 2");
        let row = |key: &str| recorded.row(before, "r", &[key.to_owned()]);
        let rows = |key: &str| row(key).map(|(_, rows)| rows).expect("an answer");
        // Known, in the partition and outside of it, and certainly not there.
        assert_eq!(rows("1"), [serde_json::json!(["1", "2"])], "{kind}");
        assert_eq!(rows("11"), [serde_json::json!(["11", "1"])], "{kind}");
        assert_eq!(rows("15"), Vec::<Value>::new(), "{kind}");
        // Was there, and was not: nobody can tell the two apart.
        for key in ["3", "4"] {
            let why = row(key).expect_err("it may have gone");
            assert!(why.contains("partitions of it were emptied at"), "{kind}, {key}: {why}");
        }
        let after = step("ALTER TABLE r TRUNCATE PARTITION p0");
        for key in ["1", "3", "4"] {
            let (_, rows) = recorded.row(after, "r", &[key.to_owned()]).expect("an answer");
            assert!(rows.is_empty(), "{kind}, {key}: {rows:?}");
        }
    }
}

/// Of each way in which rows change without a row event that cannot be followed: which tables are
/// refused, and with which words.
#[test]
fn what_cannot_be_followed_is_refused_from_there_on() {
    for (scenario, table, words) in [
        ("repair", "m", "REPAIR TABLE m"),
        ("repair", "mp", "REPAIR PARTITION p0"),
        ("ignore", "t", "ALTER IGNORE"),
        ("engines", "m1", "a MERGE table"),
        ("engines", "m2", "a MERGE table"),
        ("engines", "merged", "in its UNION"),
    ] {
        for kind in KINDS {
            let Some(recorded) = recorded(kind, scenario) else { continue };
            let (right, refused) = recorded.answers();
            assert!(right > 2, "{kind}, {scenario}: {right} right");
            assert!(
                refused.iter().any(|(name, why)| name == table && why.contains(words)),
                "{kind}, {scenario}: {refused:#?}"
            );
            assert!(refused.iter().all(|(name, _)| name != "other"), "{kind}, {scenario}: {refused:#?}");
        }
    }
}

/// Rows of a partition and of a table change places: exact where all of them are known.
#[test]
fn rows_move_between_tables() {
    for (scenario, least) in [("exchange", 40), ("moves", 150), ("convert", 60)] {
        for kind in KINDS {
            let Some(recorded) = recorded(kind, scenario) else { continue };
            let (right, refused) = recorded.answers();
            // After WITHOUT VALIDATION rows lie in partitions that are not theirs.
            let wrong = refused
                .iter()
                .find(|(table, why)| scenario != "moves" || table != "r" || !why.contains("is not known"));
            assert!(right > least && wrong.is_none(), "{kind}, {scenario}: {right} right, {wrong:?}");
            // MariaDB 10.11 has no such words.
            let doubtful = scenario == "moves" && kind != "mariadb-10.11";
            assert_eq!(refused.is_empty(), !doubtful, "{kind}, {scenario}: {refused:?}");
        }
    }
}

/// What a session with sql_log_bin=0 did shows at the next change of the row: the table is refused
/// from the change before on, and no other table.
#[test]
fn an_unlogged_change_is_noticed() {
    for kind in KINDS {
        let Some(recorded) = recorded(kind, "unlogged") else { continue };
        let (last, key) = (recorded.steps.last().expect("steps"), ["1".to_owned()]);
        let why = recorded.row(last, "t", &key).expect_err("it is refused");
        assert!(why.contains("the log contradicts itself about silent.t"), "{kind}: {why}");
        let (_, rows) = recorded.row(last, "other", &key).expect("an answer");
        assert_eq!(rows, [serde_json::json!(["1", "2"])], "{kind}");
        let before = recorded.steps.iter().find(|s| s.statement.starts_with("CREATE TABLE other"));
        let (_, rows) = recorded.row(before.expect("a step"), "t", &key).expect("an answer");
        assert!(rows.is_empty(), "{kind}: {rows:?}");
    }
}

/// A table map of MariaDB does not tell BINARY, UUID and INET apart: these columns alone are not
/// known, and a table whose key is one.
#[test]
fn columns_without_a_type_are_not_known() {
    let recorded = recorded("mariadb-10.11", "untold_types").expect("it is recorded");
    let last = recorded.steps.last().expect("steps");
    let (_, rows) = recorded.row(last, "t", &["1".to_owned()]).expect("an answer");
    assert_eq!((&rows[0][0], &rows[0][2]), (&serde_json::json!("1"), &serde_json::json!("2")));
    for at in [1, 3, 4] {
        assert!(rows[0][at].to_string().contains("BINARY, UUID, INET4 or INET6"), "{}", rows[0]);
    }
    let key = ["00112233-4455-6677-8899-aabbccddeeff".to_owned()];
    let why = recorded.row(last, "k", &key).expect_err("it is refused");
    assert!(why.contains("key column k of silent.k"), "{why}");
}

/// The table in docs/agent.md is the list in the code.
#[test]
fn the_docs_have_every_way() {
    let text = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/agent.md"));
    let text = text.expect("docs/agent.md");
    let (_, table) = text.split_once("| way | what is answered |").expect("the table of ways");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let titles: Vec<&str> = lines.filter_map(|line| line.split('|').nth(1)).map(str::trim).collect();
    assert_eq!(titles, SilentChange::ALL.map(SilentChange::title));
}

/// What is not there any more for the server is not answered either.
#[test]
fn tables_whose_engine_keeps_no_rows_are_refused() {
    for (kind, scenario, table, words) in [
        ("mysql-9.7", "engines", "hole", "keeps no rows"),
        ("mysql-9.7", "engines", "t", "keeps no rows"),
        ("mysql-9.7", "tablespace", "t", "put in or taken away"),
        ("mariadb-11.8", "tablespace", "t", "put in or taken away"),
    ] {
        let recorded = recorded(kind, scenario).expect("it is recorded");
        let last = recorded.steps.last().expect("steps");
        let with_table = Step {
            statement: String::new(),
            gtid: last.gtid.clone(),
            tables: [(
                table.to_owned(),
                Table { columns: vec![], primary_key: vec!["id".to_owned()], rows: vec![] },
            )]
            .into(),
        };
        let why = recorded.row(&with_table, table, &["1".to_owned()]).expect_err("it is refused");
        assert!(why.contains(words), "{kind}, {scenario}: {why}");
    }
}

/// MariaDB's system-versioned tables: the rows of now at each instant. Rows of the past, which the
/// log has as rows too, are none.
#[test]
fn system_versioned_tables_have_their_rows_of_now() {
    for kind in ["mariadb-11.8", "mariadb-10.11"] {
        let recorded = recorded(kind, "versioned").expect("it is recorded");
        let (right, refused) = recorded.answers();
        assert!(
            right > 50 && refused.iter().all(|(table, _)| table != "t"),
            "{kind}: {right} right, {refused:#?}"
        );
        let altered = crate::silent_changes::recorded(kind, "versioned_alter");
        let (right, refused) = altered.map_or((99, Vec::new()), |recorded| recorded.answers());
        assert!(right > 90 && refused.is_empty(), "{kind}: {right} right, {refused:#?}");
        let kinds: Vec<Value> =
            recorded.changes("t", &["2"]).iter().map(|change| change[0].clone()).collect();
        assert_eq!(kinds, ["INSERT", "DELETE", "INSERT", "UPDATE"], "{kind}");
    }
}

/// A statement gives the rows of a table other keys, none of which is in the log: all of them are
/// known right after it, and so is what foreign keys do to them then.
#[test]
fn rows_go_to_their_new_keys() {
    for kind in KINDS {
        let recorded = recorded(kind, "other_keys").expect("it is recorded for all servers");
        let (right, refused) = recorded.answers();
        assert!(right > 200 && refused.is_empty(), "{kind}: {right} right, {refused:#?}");
    }
}

/// CONVERT TO a character set whose letters are not bytes of ASCII makes other labels of ENUM: from
/// there on the table is refused.
#[test]
fn labels_are_damaged_by_wide_character_sets() {
    for kind in ["mysql-9.7", "mysql-9.7-native"] {
        let recorded = recorded(kind, "labels").expect("it is recorded");
        let (right, refused) = recorded.answers();
        let wide = refused.iter().all(|(_, why)| why.contains("CHARACTER SET ucs2"));
        assert!(right >= 6 && refused.len() == 6 && wide, "{kind}: {right} right, {refused:#?}");
    }
}

/// What a server writes of CREATE TABLE ... SELECT is in UTF-8, whatever the client's character set
/// is; so is that of ... LIKE a temporary table, which on MySQL nothing tells from a client's text.
/// Of a text with question marks for what the connection lacks, the log has what the client sent.
#[test]
fn texts_of_statements_are_in_the_character_set_of_who_wrote_them() {
    for kind in KINDS {
        let recorded = recorded(kind, "texts").expect("it is recorded for all servers");
        let (right, refused) = recorded.answers();
        let unread: BTreeSet<&str> = refused.iter().map(|(table, _)| table.as_str()).collect();
        let lacks = |(table, why): &(String, String)| {
            table == "l" && why.contains("cannot be decoded")
                || why.contains("character_set_connection lacks")
        };
        assert!(right > 35 && refused.iter().all(lacks), "{kind}: {right} right, {refused:#?}");
        let expected: &[&str] = if kind.starts_with("mysql") { &["l", "n", "t"] } else { &["n", "t"] };
        assert_eq!(unread.into_iter().collect::<Vec<_>>(), expected, "{kind}");
    }
}
