//! The tree of a graphical client: SHOW, DESCRIBE and information_schema, as clients ask, with
//! every name and cell written out.

mod assigned;
mod questions;
mod show;
mod tenants;
mod trees;

use super::program::{Bare, chain};
use super::support::Agent;
use super::support::Raw;
use super::support::Reply;
use super::support::Shim;
use super::support::cells;
use super::support::error;
use super::support::pair;

/// What came for a statement: names of columns, and rows as cells between bars.
type Table = (Vec<String>, Vec<String>);

/// The name and the column's own name in a column definition.
fn names(packet: &[u8]) -> (String, String) {
    let (mut at, mut found) = (0, Vec::new());
    for _ in 0..6 {
        let end = at + 1 + usize::from(packet[at]);
        found.push(String::from_utf8(packet[at + 1..end].to_vec()).expect("UTF-8"));
        at = end;
    }
    (found.remove(4), found.remove(4))
}

async fn ask(client: &mut Raw, sql: &str) -> Table {
    client.send(sql).await;
    let first = client.read().await.expect("an answer");
    assert!(first[0] != 0xff, "{sql}: {:?}", error(&first));
    assert!(first[0] != 0, "{sql}: OK and no result set");
    let mut columns = Vec::new();
    for _ in 0..first[0] {
        columns.push(names(&client.read().await.expect("a column")).0);
    }
    assert_eq!(client.read().await.expect("EOF").first(), Some(&0xfe), "{sql}");
    let mut rows = Vec::new();
    loop {
        let packet = client.read().await.expect("a row");
        if packet[0] == 0xfe && packet.len() == 5 {
            return (columns, rows);
        }
        let cells = cells(&packet).into_iter().map(|c| c.unwrap_or_else(|| "NULL".to_owned()));
        rows.push(cells.collect::<Vec<_>>().join("|"));
    }
}

const ORDERS: &str = r#""columns":[
    {"name":"id","type":"bigint unsigned","nullable":false,"key":"primary","auto_increment":true,"has_default":true},
    {"name":"customer","type":"varchar(50)","collation":"utf8mb4_0900_ai_ci","nullable":false,"key":"multiple"},
    {"name":"amount","type":"decimal(10,2)","nullable":true,"has_default":true},
    {"name":"changed","type":"timestamp(3)","nullable":true,"on_update_now":true,"has_default":true}
],"primary_key":["id"]"#;
const PAIRS: &str = r#""columns":[
    {"name":"a","type":"int","nullable":false,"key":"primary"},
    {"name":"b","type":"varchar(20)","collation":"utf8mb4_bin","nullable":false,"key":"primary"}
],"primary_key":["a","b"]"#;

/// Schemas tt (orders, pairs, and gone, which was dropped) and other (secret).
fn world(path: &str) -> Reply {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let entry = |name: &str, dropped: bool| {
        format!(
            r#"{{"table":"{name}","oldest":"2020-01-01T00:00:00.000000Z","newest":"2020-01-02T00:00:00.000000Z","dropped":{dropped}}}"#
        )
    };
    let tables = |entries: &[String]| {
        Reply::json(200, &format!(r#"{{"success":true,"tables":[{}]}}"#, entries.join(",")))
    };
    let table = |server: &str, schema: &str, table: &str, columns: &str| {
        let columns = columns.replace('\n', " ");
        Reply::json(
            200,
            &format!(
                r#"{{"success":true,"server_id":"{server}","schema":"{schema}","table":"{table}",{columns}}}"#
            ),
        )
    };
    match parts[..] {
        [_, "schemas"] => Reply::json(200, r#"{"success":true,"schemas":["other","tt"]}"#),
        [_, "schemas", "tt", "tables"] => {
            tables(&[entry("gone", true), entry("orders", false), entry("pairs", false)])
        }
        [_, "schemas", "other", "tables"] => tables(&[entry("secret", false)]),
        [server, "schemas", "tt", "tables", "orders"] => table(server, "tt", "orders", ORDERS),
        [server, "schemas", "tt", "tables", "pairs"] => table(server, "tt", "pairs", PAIRS),
        [server, "schemas", "other", "tables", "secret"] => table(server, "other", "secret", PAIRS),
        _ => Reply::json(404, r#"{"success":false,"error":"no such thing","code":"unknown_table"}"#),
    }
}

async fn tree() -> (Agent, Shim) {
    let (agent, shim) = pair().await;
    agent.world(world);
    (agent, shim)
}

/// A statement, the names of its columns, its rows.
type Case<'a> = (&'a str, &'a str, &'a [&'a str]);

async fn holds(client: &mut Raw, cases: &[Case<'_>]) {
    for (sql, columns, rows) in cases {
        let (got_columns, got_rows) = ask(client, sql).await;
        assert_eq!(got_columns.join("|"), *columns, "{sql}");
        assert_eq!(got_rows, *rows, "{sql}");
    }
}

#[tokio::test]
async fn errors_are_those_of_mysqld_and_the_session_goes_on() {
    let (_agent, shim) = tree().await;
    let mut client = shim.raw("a").await;
    for (sql, code, state, text) in [
        ("SHOW TABLES FROM nosuch", 1049, "42000", "Unknown database 'nosuch'"),
        ("SHOW COLUMNS FROM nosuch", 1146, "42S02", "Table 'tt.nosuch' doesn't exist"),
        ("SHOW COLUMNS FROM gone", 1146, "42S02", "Table 'tt.gone' doesn't exist"),
        ("DESCRIBE _flashback.nosuch", 1146, "42S02", "Table '_flashback.nosuch' doesn't exist"),
        ("DESCRIBE orders FROM nosuch", 1064, "42000", "You have an error in your SQL syntax; "),
        ("SHOW INDEX FROM orders FROM nosuch", 1049, "42000", "Unknown database 'nosuch'"),
        ("SHOW CREATE TABLE nosuch", 1146, "42S02", "Table 'tt.nosuch' doesn't exist"),
        ("SHOW CREATE DATABASE nosuch", 1049, "42000", "Unknown database 'nosuch'"),
        (
            "SELECT * FROM information_schema.nosuch",
            1109,
            "42S02",
            "Unknown table 'NOSUCH' in information_schema",
        ),
        (
            "SELECT nosuch FROM information_schema.tables",
            1054,
            "42S22",
            "Unknown column 'nosuch' in 'field list'",
        ),
        (
            "SELECT 1 FROM information_schema.tables WHERE x.y = 1",
            1054,
            "42S22",
            "Unknown column 'x.y' in 'where clause'",
        ),
        (
            "SELECT 1 FROM information_schema.tables ORDER BY nosuch",
            1054,
            "42S22",
            "Unknown column 'nosuch' in 'order clause'",
        ),
        (
            "SHOW COLUMNS FROM orders WHERE nosuch = 1",
            1054,
            "42S22",
            "Unknown column 'nosuch' in 'where clause'",
        ),
        (
            "SELECT table_name FROM information_schema.tables a JOIN information_schema.columns b USING (table_schema)",
            1052,
            "23000",
            "Column 'table_name' in field list is ambiguous",
        ),
        // What would be computed otherwise than mysqld does is refused.
        ("SELECT 1 FROM information_schema.tables WHERE table_name = 1", 1235, "42000", "dbtrail-shim: "),
        (
            "SELECT 1 FROM information_schema.tables WHERE table_name REGEXP 'o'",
            1235,
            "42000",
            "dbtrail-shim: ",
        ),
        ("SELECT table_name, COUNT(*) FROM information_schema.tables", 1235, "42000", "dbtrail-shim: "),
        ("SELECT (SELECT 1 UNION SELECT 2) FROM information_schema.tables", 1235, "42000", "dbtrail-shim: "),
        ("SELECT 1 FROM information_schema.tables UNION SELECT 2, 3", 1235, "42000", "dbtrail-shim: "),
        (
            "SELECT 1 FROM information_schema.tables t, mysql.user u",
            1235,
            "42000",
            "dbtrail-shim: this server answers",
        ),
        ("SELECT id - 8 FROM information_schema.collations", 1690, "22003", "BIGINT UNSIGNED value is out"),
        ("SELECT SUM(table_rows) FROM information_schema.tables", 1235, "42000", "dbtrail-shim: "),
        (
            "SELECT NOSUCH(1) FROM information_schema.tables",
            1235,
            "42000",
            "dbtrail-shim: not supported: the expression 'NOSUCH(1)'",
        ),
        ("SHOW INDEX FROM orders LIKE 'x'", 1064, "42000", "You have an error in your SQL syntax; "),
        ("SHOW TABLES tt", 1064, "42000", "You have an error in your SQL syntax; "),
        ("SHOW COLUMNS FROM a.b.c", 1064, "42000", "You have an error in your SQL syntax; "),
    ] {
        let reported = client.err_packet(sql).await;
        assert_eq!((reported.code, reported.state.as_str()), (code, state), "{sql}: {reported:?}");
        assert!(reported.message.starts_with(text), "{sql}: {reported:?}");
        assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    // A chain that is too long is refused wherever CASE is in it.
    for chain in [
        format!("SELECT {}1 FROM information_schema.tables", "1 + ".repeat(400)),
        format!("SELECT CASE WHEN {}1 THEN 1 END FROM information_schema.tables", "1 + ".repeat(400)),
        format!("SELECT 1{} FROM information_schema.tables", " + when".repeat(400)),
        format!("SELECT 1{} FROM information_schema.tables", " + case".repeat(400)),
        format!(
            "SELECT {}1{} FROM information_schema.tables",
            "CASE WHEN 1 THEN ".repeat(200),
            " END".repeat(200)
        ),
    ] {
        assert!(matches!(client.err_packet(&chain).await.code, 1064 | 1235), "{chain}");
    }
    let wide = format!(
        "SELECT CASE {} END AS x FROM information_schema.engines",
        "WHEN engine = 'a' THEN 'b' ".repeat(300)
    );
    assert_eq!(ask(&mut client, &wide).await.1, ["NULL"]);
}

/// The same against the agent that ships, on the recording of a real server: information_schema
/// says of it what it said of the table.
#[test]
fn the_recording_has_its_tree() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let rows = |client: &mut Bare, sql: &str| {
        let mut packets = client.command(format!("\x03{sql}").as_bytes());
        packets.extend(client.up_to_end());
        let eof = packets.iter().position(|p| p.first() == Some(&0xfe)).expect("after the columns");
        let row = |p: &Vec<u8>| {
            cells(p).into_iter().map(|c| c.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join("|")
        };
        packets[eof + 1..packets.len() - 1].iter().map(row).collect::<Vec<String>>()
    };
    let tables = rows(&mut client, "SHOW TABLES FROM _flashback");
    assert!(
        ["devices", "order_items", "orders", "products", "zoo"].iter().all(|t| tables.iter().any(|x| x == t)),
        "{tables:?}"
    );
    assert_eq!(
        rows(&mut client, "SHOW FULL COLUMNS FROM _snapshot.products"),
        [
            "sku|varchar(20)|utf8mb4_bin|NO|PRI|NULL||select|",
            "title|varchar(80)|latin1_swedish_ci|NO||NULL||select|",
            "price|double|NULL|NO||NULL||select|",
            "attrs|json|NULL|YES||NULL||select|",
        ]
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT TABLE_SCHEMA, COLUMN_NAME, ORDINAL_POSITION FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_NAME = 'order_items' AND TABLE_SCHEMA IN ('tt', '_flashback')"
        ),
        ["_flashback|order_id|1", "_flashback|line|2", "tt|order_id|1", "tt|line|2"]
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT COUNT(*) > 40, COUNT(DISTINCT TABLE_SCHEMA) FROM information_schema.COLUMNS WHERE TABLE_NAME IN ('zoo', 'devices')"
        ),
        ["1|5"]
    );
}
