//! `_history.changes` through agent and shim; `_history` and `_undo` in lists of what there is, and
//! in prepared statements. The logs are those of `by_whom`.

use crate::by_whom::{KINDS, chain, history, rows};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Value};

const WINDOW: &str = "BETWEEN EARLIEST AND LATEST";

async fn refusal(client: &mut Conn, sql: &str) -> String {
    match client.query_drop(sql).await {
        Ok(()) => panic!("{sql}: answered"),
        Err(e) => e.to_string(),
    }
}

#[tokio::test]
async fn changes_of_all_tables_come_in_the_order_of_the_log() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let mut client = chain.client("all").await;
        let from = format!("FROM _history.changes {WINDOW}");
        let all = rows(
            &mut client,
            &format!("SELECT event_type, `schema`, `table`, primary_key, row_before, row_after {from}"),
        )
        .await;
        assert_eq!(all[0], "INSERT|s|t|{\"id\": 1}|NULL|{\"id\": 1, \"v\": \"a\"}", "{kind}");
        let short: Vec<String> = all
            .iter()
            .map(|row| row.split('|').take(4).collect::<Vec<_>>().join(" "))
            .map(|row| row.replace("{\"id\": ", "").replace('}', ""))
            .collect();
        let want = [
            "INSERT s t 1",
            "INSERT s t 2",
            "INSERT s t 3",
            "UPDATE s t 1",
            "DELETE s t 2",
            "INSERT hidden h 1",
            "UPDATE s t 3",
            "INSERT hidden h 2",
            "DELETE s t 1",
            "DELETE s t 3",
        ];
        assert_eq!(short, want, "{kind}");
        // As `_diff` tells them.
        let who = "event_id, event_timestamp, event_type, gtid, changed_columns, row_before, row_after, connection_id, server_id, binlog_file, \
                   binlog_position, statement, cause, connection_user, connection_host, connection_program";
        let diff = rows(&mut client, &format!("SELECT {who} FROM _diff.s.t {WINDOW} ALLOW SCAN")).await;
        let here = rows(&mut client, &format!("SELECT {who} {from} WHERE `schema` = 's'")).await;
        assert_eq!(here, diff, "{kind}");
        for (tail, want) in [
            ("WHERE `table` = 'h'", 2),
            ("WHERE event_type = 'DELETE' AND `schema` IN ('s', 'x')", 3),
            ("WHERE NOT (`schema` = 's' AND `table` = 't')", 2),
            ("WHERE row_before IS NULL", 5),
            ("WHERE changed_columns IS NOT NULL", 2),
            ("WHERE statement LIKE 'insert%'", 5),
            ("WHERE event_timestamp < '2001-01-01'", 0),
            ("LIMIT 3", 3),
            ("LIMIT 8, 5", 2),
            ("ORDER BY event_id DESC LIMIT 4", 4),
        ] {
            let got = rows(&mut client, &format!("SELECT event_id {from} {tail}")).await;
            assert_eq!(got.len(), want, "{kind}: {tail}");
        }
        let counted =
            format!("SELECT `schema`, `table`, COUNT(*) {from} GROUP BY `schema`, `table` ORDER BY COUNT(*)");
        assert_eq!(rows(&mut client, &counted).await, ["hidden|h|2", "s|t|8"], "{kind}");
        assert_eq!(rows(&mut client, &format!("SELECT COUNT(*) {from}")).await, ["10"]);
        let names = rows(&mut client, &format!("SELECT DISTINCT `table` {from} ORDER BY `table`")).await;
        assert_eq!(names, ["h", "t"]);
        // One transaction.
        let gtid = rows(&mut client, &format!("SELECT gtid {from} WHERE `table` = 'h' LIMIT 1")).await;
        let one = format!("SELECT event_type, `table` FROM _history.changes AT GTID '{}'", gtid[0]);
        assert_eq!(rows(&mut client, &one).await, ["INSERT|h", "UPDATE|t"], "{kind}");
        let two =
            format!("SELECT rows_inserted, rows_updated FROM _history.transactions AT GTID '{}'", gtid[0]);
        assert_eq!(rows(&mut client, &two).await, ["1|1"], "{kind}");
        // In the session's time zone, and read in it.
        client.query_drop("SET time_zone = '+05:00'").await.expect("a zone");
        let shown = rows(&mut client, &format!("SELECT event_timestamp, gtid {from} LIMIT 1")).await;
        let (at, _) = shown[0].split_once('|').expect("two cells");
        let again =
            rows(&mut client, &format!("SELECT COUNT(*) {from} WHERE event_timestamp = '{at}'")).await;
        assert_eq!(again, ["4"], "{kind}: {at}");
        for (sql, named) in [
            ("SELECT * FROM _history.changes".to_owned(), "BETWEEN"),
            (format!("SELECT * {from} WHERE row_before = '{{}}'"), "row_before"),
            (format!("SELECT nothing {from}"), "nothing"),
            (format!("SELECT * {from} WHERE nothing = 1"), "nothing"),
            (format!("SELECT event_id {from} GROUP BY `table`"), "event_id"),
            // What of a row it is not known, its negation is not known of either.
            (format!("SELECT event_id {from} WHERE NOT row_after = '{{}}'"), "row_after"),
            (format!("SELECT event_id {from} WHERE NOT (`table` = 't' AND nothing = 1)"), "nothing"),
            (format!("SELECT event_id {from} WHERE NOT changed_columns LIKE '%v%'"), "changed_columns"),
            ("SELECT * FROM _history.changes AT GTID 'nonsense'".to_owned(), "nonsense"),
        ] {
            let reported = refusal(&mut client, &sql).await;
            assert!(reported.contains(named), "{sql}: {reported}");
        }
    }
}

#[tokio::test]
async fn a_tenant_is_reported_changes_of_its_schemas_alone() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let mut narrow = chain.client("narrow").await;
        let all = rows(&mut narrow, &format!("SELECT * FROM _history.changes {WINDOW}")).await;
        assert_eq!(all.len(), 8, "{kind}");
        assert!(!all.concat().contains("hidden") && !all.concat().contains("secret"), "{all:?}");
        let reported = refusal(
            &mut narrow,
            &format!("SELECT event_id FROM _history.changes {WINDOW} WHERE statement LIKE '%hidden%'"),
        )
        .await;
        assert!(reported.contains("statement"), "{reported}");
        let none = format!("SELECT COUNT(*) FROM _history.changes {WINDOW} WHERE `schema` = 'hidden'");
        assert_eq!(rows(&mut narrow, &none).await, ["0"]);
        let mut none = chain.client("none").await;
        let seen = rows(&mut none, &format!("SELECT * FROM _history.changes {WINDOW}")).await;
        assert_eq!(seen, Vec::<String>::new());
        let mut stranger = chain.client("stranger").await;
        assert!(stranger.query_drop(format!("SELECT * FROM _history.changes {WINDOW}")).await.is_err());
    }
}

#[tokio::test]
async fn versions_of_tables_are_counted() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let mut client = chain.client("all").await;
        let sql = "SELECT `schema`, `table`, versions FROM _history.tables";
        // Rows that go by TRUNCATE leave no version.
        assert_eq!(rows(&mut client, sql).await, ["hidden|h|2", "hidden|last|0", "s|t|6"], "{kind}");
        let most = format!("{sql} WHERE versions > 1 ORDER BY versions DESC LIMIT 1");
        assert_eq!(rows(&mut client, &most).await, ["s|t|6"]);
        assert_eq!(
            rows(&mut client, "SELECT COUNT(*) FROM _history.tables WHERE readable = 'YES'").await,
            ["3"]
        );
    }
}

#[tokio::test]
async fn history_and_undo_are_listed_and_described() {
    let chain = chain(history("mysql-9.7", true)).await;
    let mut client = chain.client("all").await;
    let schemas = rows(&mut client, "SHOW DATABASES").await;
    for name in ["_history", "_undo", "_diff", "s"] {
        assert!(schemas.iter().any(|s| s == name), "{schemas:?}");
    }
    let names = ["changes", "ddl", "gaps", "tables", "transactions"];
    assert_eq!(rows(&mut client, "SHOW TABLES FROM _history").await, names);
    assert_eq!(rows(&mut client, "SHOW FULL TABLES FROM _history LIKE 'g%'").await, ["gaps|BASE TABLE"]);
    let described = rows(&mut client, "DESCRIBE _history.transactions").await;
    assert!(described[0].starts_with("commit_time|timestamp(6)|NO|"), "{described:?}");
    let columns = rows(&mut client, "SHOW COLUMNS FROM changes FROM _history LIKE 'row%'").await;
    assert_eq!(columns.len(), 2, "{columns:?}");
    let undo = rows(&mut client, "DESCRIBE _undo.s.t").await;
    assert_eq!(undo.len(), 2, "{undo:?}");
    let reported = rows(
        &mut client,
        "SELECT table_name, COUNT(*) FROM information_schema.columns WHERE table_schema = '_history' GROUP BY table_name ORDER BY table_name",
    )
    .await;
    assert_eq!(reported[0], "changes|19", "{reported:?}");
    assert_eq!(reported.len(), 5);
    let created = rows(&mut client, "SHOW CREATE TABLE _history.gaps").await;
    assert!(created[0].contains("`gap_from` timestamp(6) NOT NULL"), "{created:?}");
    assert!(
        rows(&mut client, "SHOW CREATE DATABASE _history").await[0].contains("CREATE DATABASE `_history`")
    );
    let empty = client.query_iter("SELECT * FROM _history.gaps LIMIT 0").await.expect("columns");
    assert_eq!(empty.columns_ref().len(), 3);
    drop(empty);
    client.query_drop("USE _history").await.expect("a database");
    assert_eq!(rows(&mut client, "SELECT DATABASE()").await, ["_history"]);
    assert_eq!(rows(&mut client, "SHOW TABLES").await, names);
    assert!(refusal(&mut client, "DESCRIBE _history.nothing").await.contains("nothing"));
    client.query_drop("USE _undo").await.expect("a database");
}

#[tokio::test]
async fn history_is_prepared_with_parameters() {
    for kind in KINDS {
        let chain = chain(history(kind, true)).await;
        let mut client = chain.client("all").await;
        let ends = rows(&mut client, "SELECT @@dbtrail_oldest, @@dbtrail_newest").await;
        let (oldest, newest) = ends[0].split_once('|').expect("two ends");
        let sql = "SELECT `table`, event_id FROM _history.changes BETWEEN ? AND ? WHERE event_type = ? AND `schema` = ? LIMIT ?";
        let prepared = client.prep(sql).await.expect("a statement");
        assert_eq!((prepared.num_params(), prepared.num_columns()), (5, 2));
        for (event, count) in [("INSERT", 3), ("DELETE", 3), ("UPDATE", 2)] {
            let values = Params::Positional(vec![
                Value::from(oldest),
                Value::from(newest),
                Value::from(event),
                Value::from("s"),
                Value::from(10),
            ]);
            let got: Vec<(String, u64)> = client.exec(&prepared, values).await.expect("rows");
            assert_eq!(got.len(), count, "{kind}: {event}");
            assert!(got.iter().all(|(table, _)| table == "t"));
        }
        let got: Vec<(u64, Option<String>)> = client
            .exec(
                "SELECT rows_inserted, gtid FROM _history.transactions BETWEEN ? AND ? WHERE rows_inserted > ? ORDER BY rows_inserted DESC",
                (oldest, newest, 0),
            )
            .await
            .expect("rows");
        assert_eq!(got.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 1, 1], "{kind}");
        let gtid = got[0].1.clone().expect("a GTID");
        let one: Vec<u64> = client
            .exec("SELECT rows_inserted FROM _history.transactions AT GTID ?", (gtid,))
            .await
            .expect("rows");
        assert_eq!(one, [3]);
        client
            .query_drop("PREPARE p FROM 'SELECT versions FROM _history.tables WHERE `table` = ?'")
            .await
            .expect("a name");
        client.query_drop("SET @t = 'h'").await.expect("a value");
        assert_eq!(rows(&mut client, "EXECUTE p USING @t").await, ["2"]);
    }
}
