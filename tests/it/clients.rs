//! What clients ask beside time travel, answered as MySQL 9.7.4 answers it.

use crate::program::{Bare, chain};
use crate::support::{self, Outcome, pair, soon};
use std::time::{Duration, Instant};

/// Cells of the rows of an answer, or the error, or `OK`.
fn said(client: &mut Bare, sql: &str) -> String {
    client.send(0, format!("\x03{sql}").as_bytes());
    let first = client.packet();
    match first[0] {
        0 => return "OK".to_owned(),
        0xff => {
            let (code, state, _) = crate::program::error(&first);
            return format!("{code} ({state})");
        }
        columns => {
            for _ in 0..=columns {
                client.packet();
            }
        }
    }
    let mut rows = Vec::new();
    loop {
        let packet = client.packet();
        if packet[0] == 0xfe && packet.len() < 9 {
            return rows.join("; ");
        }
        let cells = support::cells(&packet);
        let cells: Vec<String> = cells.into_iter().map(|c| c.unwrap_or_else(|| "NULL".to_owned())).collect();
        rows.push(cells.join(","));
    }
}

/// Statement and answer, in this order in one session.
fn conversation(asked: &[(&str, &str)]) {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for (sql, want) in asked {
        assert_eq!(said(&mut client, sql), *want, "{sql}");
    }
}

#[test]
fn savepoints_are_those_of_the_transaction() {
    conversation(&[
        // In a statement that is a transaction of its own, nothing stays.
        ("SAVEPOINT a", "OK"),
        ("RELEASE SAVEPOINT a", "1305 (42000)"),
        ("ROLLBACK TO a", "1305 (42000)"),
        ("SET autocommit=0", "OK"),
        ("SAVEPOINT A", "OK"),
        ("ROLLBACK TO SAVEPOINT a", "OK"),
        ("ROLLBACK WORK TO a", "OK"),
        ("SAVEPOINT b", "OK"),
        // What was set after it is gone.
        ("ROLLBACK TO a", "OK"),
        ("ROLLBACK TO b", "1305 (42000)"),
        ("RELEASE SAVEPOINT a", "OK"),
        ("RELEASE SAVEPOINT a", "1305 (42000)"),
        ("SAVEPOINT c", "OK"),
        ("COMMIT", "OK"),
        ("ROLLBACK TO c", "1305 (42000)"),
        ("SAVEPOINT c", "OK"),
        ("SET autocommit=1", "OK"),
        ("ROLLBACK TO c", "1305 (42000)"),
        ("BEGIN", "OK"),
        ("SAVEPOINT `été 1`", "OK"),
        ("SAVEPOINT d", "OK"),
        ("SAVEPOINT `ÉTÉ 1`", "OK"),
        // The older one of the name is gone, and d is before the newer.
        ("ROLLBACK TO d", "OK"),
        ("ROLLBACK TO `été 1`", "1305 (42000)"),
        ("BEGIN", "OK"),
        ("ROLLBACK TO d", "1305 (42000)"),
        ("SAVEPOINT", "1064 (42000)"),
        ("SAVEPOINT a b", "1064 (42000)"),
        ("RELEASE a", "1235 (42000)"),
        ("PREPARE s FROM 'SAVEPOINT a'", "1295 (HY000)"),
    ]);
}

#[test]
fn a_select_without_a_table_takes_where() {
    conversation(&[
        ("SELECT 1 FROM DUAL WHERE @@sql_mode LIKE '%ansi_quotes%'", ""),
        ("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", "OK"),
        ("SELECT 1 FROM DUAL WHERE @@sql_mode LIKE '%ansi_quotes%'", "1"),
        ("SET sql_mode = DEFAULT", "OK"),
        ("SELECT '' TABLE_SCHEM, '' TABLE_CATALOG  FROM DUAL WHERE 1=0", ""),
        ("SELECT 1 WHERE 1=1", "1"),
        ("SELECT 1 WHERE NULL", ""),
        ("SELECT 1+1 FROM DUAL WHERE 0 LIMIT 3", ""),
        // Where there is no row, nothing is assigned and nobody sleeps.
        ("SELECT @q:=1, SLEEP(1000) FROM DUAL WHERE FALSE", ""),
        ("SELECT @q", "NULL"),
        ("SELECT @q:=1 FROM DUAL WHERE TRUE", "1"),
        ("SELECT @q", "1"),
        ("SELECT 1 WHERE nosuch = 1", "1054 (42S22)"),
        ("SELECT 1 FROM orders WHERE 1=1", "1235 (42000)"),
    ]);
}

#[test]
fn names_of_variables_may_be_quoted() {
    conversation(&[
        ("SET @`x` = 7, @'my var' = 3", "OK"),
        ("SELECT @`x`, @'x', @\"x\", @x, @`my var` + 1", "7,7,7,7,4"),
        ("SELECT @x := 8, @`x`", "8,8"),
        ("SHOW GRANTS FOR 'app'@'%'", "1235 (42000)"),
        ("SET @`` = 1", "1064 (42000)"),
    ]);
}

#[test]
fn the_server_says_what_it_is() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let sql = "SELECT @@port, @@report_port, @@socket, @@datadir, @@basedir, @@tmpdir, @@server_id, @@general_log, @@report_host";
    assert_eq!(said(&mut client, sql), format!("{0},{0},,,,,0,0,NULL", chain.port));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    assert_eq!(said(&mut client, "SELECT @@hostname"), host.trim());
    let uuid = said(&mut client, "SELECT @@server_uuid");
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"), "{uuid}");
    assert_eq!(said(&mut client, "SELECT @@server_uuid"), uuid);
    assert_eq!(said(&mut client, "SELECT @@innodb_version = @@version"), "1");
    assert_eq!(said(&mut client, "SET GLOBAL server_id = 1"), "1238 (HY000)");
    assert_eq!(said(&mut client, "SELECT @@tokudb_version"), "1193 (HY000)");
}

#[test]
fn the_character_set_of_the_server_can_be_set() {
    conversation(&[
        ("SET collation_server='utf8mb4_unicode_ci'", "OK"),
        ("SELECT @@collation_server, @@character_set_server", "utf8mb4_unicode_ci,utf8mb4"),
        ("SET character_set_server = 'latin1'", "OK"),
        ("SELECT @@collation_server, @@character_set_server", "latin1_swedish_ci,latin1"),
        ("SET character_set_database = 'latin1'", "OK"),
        ("SELECT @@collation_database, @@character_set_database", "latin1_swedish_ci,latin1"),
        // By which SET CHARACTER SET goes.
        ("SET CHARACTER SET utf8mb4", "OK"),
        ("SELECT @@character_set_connection, @@collation_connection", "latin1,latin1_swedish_ci"),
        ("SET collation_server = nosuch", "1273 (HY000)"),
        ("SET character_set_server = nosuch", "1115 (42000)"),
        ("SET collation_server = 1", "1231 (42000)"),
    ]);
}

#[test]
fn functions_that_tools_ask_for() {
    conversation(&[
        ("SELECT SLEEP(0)", "0"),
        ("SELECT SLEEP(0.01) AS x, 1", "0,1"),
        ("SELECT SLEEP(NULL)", "1210 (HY000)"),
        ("SELECT SLEEP(-1)", "1210 (HY000)"),
        ("SELECT SLEEP('a')", "0"),
        ("DO SLEEP(0.01)", "OK"),
        ("SELECT 1+SLEEP(0)", "1235 (42000)"),
        ("SELECT ROW_COUNT()", "-1"),
        ("DO 1", "OK"),
        ("SELECT ROW_COUNT()", "0"),
        ("SELECT ROW_COUNT()", "-1"),
        ("SELECT CRC32('test-string'), CRC32(NULL), CRC32(123), CRC32('')", "1922069637,NULL,2286445522,0"),
        ("SELECT CRC32('é'), CRC32(1.50)", "235179326,3756579112"),
        ("SELECT UUID() = UUID(), LENGTH(UUID()), SUBSTRING(UUID(), 15, 1)", "0,36,1"),
        ("SELECT UUID() FROM information_schema.ENGINES", "1235 (42000)"),
    ]);
}

#[test]
fn a_table_tells_its_columns_without_rows() {
    let all = 8;
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for (sql, columns) in [
        ("SELECT * FROM _flashback.orders LIMIT 0", all),
        ("SELECT * FROM _flashback.tt.orders WHERE 1=0", all),
        ("SELECT o.* FROM _snapshot.orders AS o WHERE (FALSE)", all),
        ("SELECT id, NULL, o.status AS s FROM `_flashback`.`orders` o WHERE 1 <> 1 LIMIT 10", 3),
        // Clients ask it of whatever SHOW TABLES showed them.
        ("SELECT * FROM  `orders` LIMIT 0", all),
        ("select id from orders where 1=0", 1),
        ("SELECT NULL FROM orders WHERE FALSE", 1),
        ("SELECT * FROM orders WHERE NULL LIMIT 5", all),
    ] {
        client.send(0, format!("\x03{sql}").as_bytes());
        let first = client.packet();
        assert_eq!(first, [columns], "{sql}");
        for _ in 0..=columns {
            client.packet();
        }
        assert_eq!(client.packet()[0], 0xfe, "{sql}: a row");
    }
    for (sql, want) in [
        ("SELECT nosuch FROM _flashback.orders LIMIT 0", "1054 (42S22)"),
        ("SELECT x.* FROM _flashback.orders LIMIT 0", "1054 (42S22)"),
        ("SELECT * FROM _flashback.nosuch LIMIT 0", "1146 (42S02)"),
        ("SELECT * FROM nosuch.orders LIMIT 0", "1049 (42000)"),
        // These may have rows.
        ("SELECT * FROM _flashback.orders LIMIT 1", "1064 (42000)"),
        ("SELECT * FROM orders WHERE 1=1", "1235 (42000)"),
        ("SELECT * FROM orders WHERE 0=0", "1235 (42000)"),
        ("SELECT * FROM orders WHERE id=0", "1235 (42000)"),
        ("SELECT COUNT(*) FROM orders LIMIT 0", "1235 (42000)"),
    ] {
        assert_eq!(said(&mut client, sql), want, "{sql}");
    }
}

#[test]
fn nine_decimals_are_cut_to_those_of_the_record() {
    conversation(&[
        ("SELECT id FROM _flashback.orders AS OF '2026-11-23 07:12:39.999999999' WHERE id = 8", "8"),
        ("SELECT id FROM _flashback.orders AS OF '2026-11-23T07:12:39.9999999Z' WHERE id = 8", "8"),
        (
            "SELECT id FROM _flashback.orders AS OF '2026-11-23 22:05:56.1234567890' WHERE id = 42",
            "1292 (22007)",
        ),
        (
            "SELECT id FROM _flashback.orders AS OF '2026-11-23 22:05:56.12345678x' WHERE id = 42",
            "1292 (22007)",
        ),
    ]);
}

#[tokio::test]
async fn whoever_kills_itself_is_reported() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let reported = client.err_packet("KILL QUERY CONNECTION_ID()").await;
    assert_eq!(reported.plain().0, 1317);
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    let reported = client.err_packet("KILL CONNECTION_ID()").await;
    assert_eq!((reported.plain().0, reported.plain().1), (1317, "70100"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_kill_ends_a_sleep() {
    let (_agent, shim) = pair().await;
    let (mut sleeper, mut other) = (shim.raw("a").await, shim.raw("a").await);
    let id = sleeper.cell("SELECT CONNECTION_ID()").await.expect("a number");
    let begun = Instant::now();
    sleeper.send("SELECT SLEEP(1000)").await;
    // KILL finds the statement once it runs.
    let reported = loop {
        assert_eq!(other.query(&format!("KILL QUERY {id}")).await, Outcome::Done(0));
        if let Ok(outcome) = tokio::time::timeout(Duration::from_millis(50), sleeper.outcome()).await {
            break outcome;
        }
    };
    let Outcome::Error(reported) = reported else { panic!("{reported:?}") };
    assert_eq!(reported.plain().0, 1317);
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(sleeper.query("SET max_execution_time = 20").await, Outcome::Done(0));
    assert_eq!(soon("the end", sleeper.err_packet("SELECT SLEEP(1000)")).await.plain().0, 3024);
}
