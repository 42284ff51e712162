//! What the agent is asked for, and what it does not answer.

use super::super::support::{Agent, Outcome, Reply, pair};
use super::{ask, tree, world};

pub(super) fn asked(agent: &Agent, from: usize) -> Vec<String> {
    let paths = agent.requests().split_off(from).into_iter().map(|r| r.path);
    paths.map(|p| p.replace("/v1/servers/server-a/schemas", "")).collect()
}

#[tokio::test]
async fn the_agent_is_asked_for_no_more_than_a_statement_needs() {
    let (agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    for (sql, want) in [
        (
            "SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '_flashback' AND TABLE_NAME = 'orders'",
            vec!["", "/tt/tables", "/tt/tables/orders"],
        ),
        // Four schemas show one table: its definition is asked for once.
        (
            "SELECT * FROM information_schema.COLUMNS WHERE TABLE_NAME = 'pairs'",
            vec!["", "/other/tables", "/tt/tables", "/tt/tables/pairs"],
        ),
        // A join takes what one side says of schema and table for the other.
        (
            "SELECT 1 FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.STATISTICS s ON k.TABLE_SCHEMA = s.TABLE_SCHEMA AND s.TABLE_NAME = k.TABLE_NAME WHERE k.TABLE_SCHEMA = DATABASE() AND k.TABLE_NAME LIKE 'ord%'",
            vec!["", "/tt/tables", "/tt/tables/orders"],
        ),
        ("SELECT * FROM information_schema.TABLES WHERE 1 = 0", vec![""]),
        ("SELECT * FROM information_schema.COLLATIONS", vec![]),
        ("SHOW COLLATION", vec![]),
        ("SHOW DATABASES", vec![""]),
    ] {
        let before = agent.requests().len();
        ask(&mut client, sql).await;
        let mut paths = asked(&agent, before);
        paths.sort();
        assert_eq!(paths, want, "{sql}");
    }
}

#[tokio::test]
async fn more_tables_than_the_agent_can_be_asked_for_are_refused_and_not_cut() {
    let (agent, shim) = tree().await;
    agent.world(|path| {
        if path.ends_with("/tt/tables") {
            let entry = |n: usize| {
                format!(r#"{{"table":"t{n:04}","oldest":"2020-01-01T00:00:00Z","newest":"2020-01-02T00:00:00Z","dropped":false}}"#)
            };
            let entries: Vec<String> = (0..1001).map(entry).collect();
            return Reply::json(200, &format!(r#"{{"success":true,"tables":[{}]}}"#, entries.join(",")));
        }
        world(&path.replace("tables/t0007", "tables/orders"))
    });
    let mut client = shim.raw("a").await;
    let before = agent.requests().len();
    let reported = client
        .err_packet("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'tt'")
        .await;
    assert_eq!(reported.code, 1235);
    assert!(reported.message.contains("the columns or keys of 1001 tables"), "{reported:?}");
    assert_eq!(asked(&agent, before), ["", "/tt/tables"]);
    assert_eq!(ask(&mut client, "SHOW TABLES").await.1.len(), 1001);
    let one = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'tt' AND TABLE_NAME = 't0007' LIMIT 1, 1";
    assert_eq!(ask(&mut client, one).await.1, ["customer"]);
}

#[tokio::test]
async fn a_table_without_a_definition_is_left_out_with_a_warning() {
    let (agent, shim) = tree().await;
    agent.world(|path| {
        if path.ends_with("/tables/orders") {
            return Reply::json(422, r#"{"success":false,"error":"the record does not say its columns","code":"unreadable_table"}"#);
        }
        world(path)
    });
    let mut client = shim.raw("a").await;
    let sql =
        "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '_flashback'";
    assert_eq!(
        client.query(sql).await,
        Outcome::Rows(
            vec![
                vec![Some("pairs".to_owned()), Some("a".to_owned())],
                vec![Some("pairs".to_owned()), Some("b".to_owned())],
            ],
            1,
        )
    );
    assert_eq!(
        ask(&mut client, "SHOW WARNINGS").await.1,
        ["Warning|1105|the columns of _flashback.orders are left out: the record does not say its columns"]
    );
    let reported = client.err_packet("DESCRIBE _flashback.orders").await;
    assert_eq!((reported.code, reported.state.as_str()), (1064, "HY000"));
    assert!(reported.message.contains("the record does not say its columns"), "{reported:?}");
    // An agent that is gone is an error, and no empty tree.
    agent.world(|_| Reply::json(503, r#"{"success":false,"error":"down","code":"internal"}"#));
    for sql in ["SHOW DATABASES", "SHOW TABLES", "SELECT * FROM information_schema.tables", "DESCRIBE orders"]
    {
        assert_eq!(client.err_packet(sql).await.code, 1317, "{sql}");
    }
}

/// A schema with a table that has no key and one that could not be followed.
fn in_part(path: &str) -> Reply {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    match parts[..] {
        [_, "schemas", "tt", "tables"] => Reply::json(
            200,
            r#"{"success":true,"tables":[{"table":"orders","oldest":"2020-01-01T00:00:00.000000Z","newest":"2020-01-02T00:00:00.000000Z","dropped":false}],
               "refused":[{"table":"ledger","since":"2020-01-01T00:00:00.000000Z","reason":"its declaration cannot be followed"},{"table":"log","reason":"it has no primary key"}]}"#,
        ),
        [_, "schemas", "tt", "tables", "ledger"] => Reply::json(
            422,
            r#"{"success":false,"code":"table_unreadable","error":"table tt.ledger cannot be read at that instant: its declaration cannot be followed"}"#,
        ),
        _ => world(path),
    }
}

#[tokio::test]
async fn tables_that_are_not_answered_are_named_with_the_reason() {
    let (agent, shim) = pair().await;
    agent.world(in_part);
    let mut client = shim.raw("a").await;
    for sql in ["SHOW TABLES", "SHOW FULL TABLES FROM _flashback"] {
        assert_eq!(ask(&mut client, sql).await.1.len(), 1, "{sql}");
        assert_eq!(
            ask(&mut client, "SHOW WARNINGS").await.1,
            [
                "Note|1105|no row of tt.ledger is answered: its declaration cannot be followed",
                "Note|1105|no row of tt.log is answered: it has no primary key",
            ],
            "{sql}"
        );
    }
    for sql in ["DESCRIBE ledger", "SHOW CREATE TABLE tt.ledger", "DESCRIBE _flashback.ledger"] {
        let reported = client.err_packet(sql).await;
        assert_eq!(reported.code, 1064, "{sql}");
        assert!(reported.message.contains("its declaration cannot be followed"), "{reported:?}");
    }
}
