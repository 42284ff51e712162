//! What a preflight finds at a real server.

use super::harness::{config, mariadb, sql, url};
use dbtrail_history::patterns::Patterns;
use dbtrail_history::source::{Finding, Severity, SourceConfig, preflight};

fn has(found: &[Finding], severity: Severity, what: &str, fix: &str) -> bool {
    found.iter().any(|f| f.severity == severity && f.what.contains(what) && f.fix.contains(fix))
}

#[tokio::test]
async fn settings_tables_and_privileges() {
    let maria = mariadb().await;
    sql(&[
        "DROP DATABASE IF EXISTS pre",
        "CREATE DATABASE pre",
        "CREATE TABLE pre.good (id INT PRIMARY KEY, v INT)",
        "CREATE TABLE pre.keyless (id INT)",
        "CREATE TABLE pre.plain (id INT PRIMARY KEY) ENGINE=MyISAM",
        "DROP USER IF EXISTS looker@localhost",
        "CREATE USER looker@localhost IDENTIFIED BY 'x'",
        "GRANT SELECT (id) ON pre.good TO looker@localhost",
    ])
    .await;
    let mut all = config();
    all.tables = Patterns::new(&["pre.*".to_owned()], &[]).unwrap();
    let found = preflight(&all, None).await.unwrap();
    assert!(
        has(&found, Severity::Warn, "not captured: pre.keyless: it has no primary key", "ADD PRIMARY KEY"),
        "{found:?}"
    );
    assert!(has(&found, Severity::Warn, "pre.plain: their engine is MyISAM", "ENGINE=InnoDB"), "{found:?}");
    assert!(found.iter().all(|f| f.severity < Severity::Refuse), "{found:?}");

    let address = url().replace("root@", "looker:x@");
    let mut weak = SourceConfig::from_url(&address).unwrap();
    weak.tables = all.tables.clone();
    let found = preflight(&weak, None).await.unwrap();
    let grant = if maria {
        "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR, PROCESS ON *.* TO 'looker'@'localhost';"
    } else {
        "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'looker'@'localhost';"
    };
    for what in ["(REPLICATION SLAVE)", "where the log ends", "(SELECT)"] {
        assert!(has(&found, Severity::Refuse, what, grant), "{what}: {found:?}");
    }
    assert_eq!(has(&found, Severity::Refuse, "(PROCESS)", grant), maria);
    // What it names is enough.
    sql(&[grant]).await;
    let found = preflight(&weak, None).await.unwrap();
    assert!(found.iter().all(|f| f.severity < Severity::Refuse), "{found:?}");

    sql(&["SET GLOBAL binlog_row_image = MINIMAL", "SET GLOBAL binlog_row_metadata = MINIMAL"]).await;
    let found = preflight(&all, None).await;
    sql(&["SET GLOBAL binlog_row_image = FULL", "SET GLOBAL binlog_row_metadata = FULL"]).await;
    let found = found.unwrap();
    assert!(
        has(&found, Severity::Refuse, "binlog_row_image is MINIMAL", "SET GLOBAL binlog_row_image = FULL;"),
        "{found:?}"
    );
    assert!(
        has(&found, Severity::Note, "binlog_row_metadata is MINIMAL", "binlog_row_metadata = FULL"),
        "{found:?}"
    );
    assert_eq!(found[0].severity, Severity::Refuse, "what weighs most comes first");
}
