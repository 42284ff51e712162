//! What a tenant sees, and which schemas are for the past.

use super::super::support::Outcome;
use super::{ask, holds, tree};

#[tokio::test]
async fn a_tenant_sees_its_own_schemas_alone() {
    let (agent, shim) = tree().await;
    let mut client = shim.raw("b").await;
    holds(
        &mut client,
        &[
            (
                "SHOW DATABASES",
                "Database",
                &["_diff", "_flashback", "_history", "_snapshot", "_undo", "information_schema", "tt"],
            ),
            (
                "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'other'",
                "SCHEMA_NAME",
                &[],
            ),
            (
                "SELECT DISTINCT table_schema FROM information_schema.tables",
                "TABLE_SCHEMA",
                &["_diff", "_flashback", "_history", "_snapshot", "_undo", "information_schema", "tt"],
            ),
            // No database is selected, and only one could be meant.
            ("SHOW TABLES FROM _flashback", "Tables_in__flashback", &["orders", "pairs"]),
        ],
    )
    .await;
    for table in ["tables", "columns", "statistics", "key_column_usage", "table_constraints"] {
        let sql = format!(
            "SELECT 1 FROM information_schema.{table} WHERE table_schema = 'other' OR table_name = 'secret'"
        );
        assert_eq!(ask(&mut client, &sql).await.1, Vec::<String>::new(), "{sql}");
    }
    for sql in [
        "SHOW TABLES FROM other",
        "SHOW TABLE STATUS FROM other",
        "DESCRIBE other.secret",
        "SHOW INDEX FROM secret FROM other",
        "SHOW CREATE TABLE other.secret",
        "SHOW CREATE TABLE _flashback.other.secret",
        "DESCRIBE _diff.other.secret",
        "SHOW CREATE DATABASE other",
        "SHOW TRIGGERS FROM other",
        "USE other",
        // What is not there is not distinguished from what is not the tenant's.
        "SHOW TABLES FROM nosuch",
    ] {
        let reported = client.err_packet(sql).await;
        let schema = if sql.ends_with("nosuch") { "nosuch" } else { "other" };
        let text = format!("Access denied for user 'b'@'127.0.0.1' to database '{schema}'");
        assert_eq!(reported.plain(), (1044, "42000", text.as_str()), "{sql}");
    }
    assert_eq!(client.err_packet("SHOW TABLES").await.code, 1046);
    assert_eq!(client.err_packet("DESCRIBE orders").await.code, 1046);
    for request in agent.requests() {
        assert!(!request.path.contains("other") && request.path.contains("server-b"), "{request:?}");
    }
}

const ROW: &str = "SELECT * FROM _flashback.orders AS OF '2020-01-01' WHERE id = 1";

#[tokio::test]
async fn virtual_schemas_can_be_used_but_no_past_is_guessed() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.query("USE other").await, Outcome::Done(0));
    assert_eq!(ask(&mut client, "SHOW TABLES FROM _flashback").await.1, ["secret"]);
    assert_eq!(client.query("USE _Flashback").await, Outcome::Done(0));
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("_flashback"));
    // The tenant's default, and not what happened to be used before: a pool hands connections on.
    assert_eq!(
        ask(&mut client, "SHOW TABLES").await,
        (vec!["Tables_in__flashback".into()], vec!["orders".into(), "pairs".into()])
    );
    assert_eq!(ask(&mut client, "DESCRIBE pairs").await.1.len(), 2);
    let reported = client.err_packet(ROW).await;
    assert_eq!(reported.code, 1235);
    assert!(
        reported.message.contains("USE the real database, or write _flashback.<database>.orders"),
        "{reported:?}"
    );
    assert_eq!(client.query("USE information_schema").await, Outcome::Done(0));
    assert_eq!(ask(&mut client, "SELECT engine FROM engines").await.1, ["DBTRAIL"]);
    assert_eq!(ask(&mut client, "SHOW TABLES LIKE 'KEYW%'").await.1, ["KEYWORDS"]);
    assert_eq!(
        ask(&mut client, "DESCRIBE keywords").await.1,
        ["WORD|varchar(128)|YES||NULL|", "RESERVED|int|YES||NULL|"]
    );
    assert_eq!(client.err_packet(ROW).await.code, 1235);
    assert_eq!(client.cell("SELECT 1 FROM DUAL").await.as_deref(), Some("1"));
    // With one schema that could be meant, it is meant.
    let mut only = shim.raw("b").await;
    assert_eq!(only.query("USE _diff").await, Outcome::Done(0));
    assert_eq!(ask(&mut only, "SHOW TABLES").await.1, ["orders", "pairs"]);
}
