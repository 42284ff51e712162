//! The log of a running shim: one line a statement, levels by who must act, and nothing in it that
//! it may not hold.

use crate::program::{Bare, Chain, Program, chain, error};
use serde_json::Value;

const JSON: &str = "log: {level: debug, format: json}\n";

/// The statement line that comes with this request id: the next one of a client that waits for its
/// answers.
fn statement(shim: &Program, table_or_kind: &str) -> Value {
    let line = shim.find(table_or_kind, |line| {
        serde_json::from_str::<Value>(line).is_ok_and(|v| {
            let fields = &v["fields"];
            fields["message"] == "statement"
                && (fields["kind"] == table_or_kind || fields["table"] == table_or_kind)
        })
    });
    serde_json::from_str(&line).expect("JSON")
}

fn ask(client: &mut Bare, sql: &str) -> Vec<Vec<u8>> {
    let mut packets = client.command(format!("\x03{sql}").as_bytes());
    if packets.last().is_some_and(|p| p.first() == Some(&0xfe)) {
        packets.extend(client.up_to_end());
    }
    packets
}

fn shim() -> (Chain, Bare) {
    let chain = chain(JSON);
    let (client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    (chain, client)
}

#[test]
fn a_statement_has_one_line_with_all_its_fields() {
    let (chain, mut client) = shim();
    let sql = "SELECT * FROM _flashback.orders AS OF '2026-11-23 07:12:39' WHERE id IN (8, 9)";
    // A count, seven columns at that time, EOF, the rows, EOF.
    let rows = ask(&mut client, sql).len() - 10;
    assert_eq!(rows, 2);
    let line = statement(&chain.shim, "_flashback");
    assert_eq!(line["level"], "DEBUG");
    let fields = &line["fields"];
    assert_eq!(fields["user"], "\"app\"");
    assert_eq!(fields["tenant"], "shop-1");
    assert_eq!(fields["table"], "tt.orders");
    assert_eq!(fields["rows"], 2);
    assert_eq!(fields["outcome"], "ok");
    assert!(fields["milliseconds"].is_u64(), "{line}");
    let request = fields["request"].as_str().expect("text");
    assert_eq!(request.split('-').next(), Some(fields["connection"].to_string().as_str()));
    let same = |l: &String| l.contains(&format!("\"request\":\"{request}\""));
    assert_eq!(chain.shim.lines().iter().filter(|l| same(l)).count(), 1);
}

#[test]
fn failures_have_the_level_of_who_must_act() {
    let (mut chain, mut client) = shim();
    for (sql, kind, level, code) in [
        ("SELECT * FROM _diff.orders WHERE", "refused", "DEBUG", 1064),
        ("SELECT * FROM _flashback.orders AS OF '2026-11-23 07:12:39'", "_flashback", "DEBUG", 1064),
    ] {
        assert_eq!(error(&ask(&mut client, sql)[0]).0, code, "{sql}");
        let line = statement(&chain.shim, kind);
        assert_eq!(
            (&line["level"], &line["fields"]["outcome"]),
            (&level.into(), &format!("error {code}").into())
        );
        assert!(line["fields"].get("detail").is_none(), "{line}");
    }
    chain.agent.terminate();
    assert!(chain.agent.ended().success());
    let sql = "SELECT * FROM _snapshot.orders AS OF '2026-11-23 07:12:39' WHERE id = 8";
    assert_eq!(error(&ask(&mut client, sql)[0]).0, 2002);
    let line = statement(&chain.shim, "_snapshot");
    assert_eq!((&line["level"], &line["fields"]["outcome"]), (&"WARN".into(), &"error 2002".into()));
    assert!(line["fields"]["detail"].as_str().is_some_and(|d| d.contains("http://127.0.0.1:")), "{line}");
}

#[test]
fn nothing_secret_and_no_literal_is_in_the_log() {
    let (chain, mut client) = shim();
    for sql in [
        "SELECT * FROM _flashback.orders AS OF '2026-11-23 07:12:39' WHERE id IN (8, 9) LIMIT 4711",
        "SELECT * FROM _flashback.orders AS OF '2026-11-23 07:12:39' WHERE id = 8 AND customer = 'hidden-word'",
        "SELECT * FROM _flashback.orders AS OF 'hidden-word' WHERE id = 8",
        "SELECT * FROM _flashback.orders AS OF '2020-01-01' WHERE id = 8",
        "SELECT 'hidden-word'",
        "SET @x = 'hidden-word'",
        "SET sql_mode = 'hidden-word'",
        "SELEC 'hidden-word'",
        "INSERT INTO customers VALUES ('hidden-word')",
        "SET PASSWORD = 'hidden-word'",
        "SHOW VARIABLES LIKE 'hidden-word'",
    ] {
        ask(&mut client, sql);
    }
    let (_, refused) = Bare::login(chain.port, "app", "hidden-word", 0);
    assert_eq!(error(&refused).0, 1045);
    chain.shim.line("login refused");
    assert_eq!(client.command(b"\x04last-one\0").len(), 1);
    statement(&chain.shim, "tt.last-one");
    let log = chain.shim.lines().join("\n");
    for secret in ["hidden-word", "pass-word", "agent-token", "4711", "2026-11-23 07:12", "2020-01-01"] {
        assert!(!log.contains(secret), "{secret} in\n{log}");
    }
    assert_eq!(log.matches("\"message\":\"statement\"").count(), 12, "{log}");
}

#[test]
fn refused_logins_are_reported_once_a_period() {
    let (chain, mut client) = shim();
    for _ in 0..5 {
        let (_, refused) = Bare::login(chain.port, "monitor", "monitor", 0);
        assert_eq!(
            error(&refused),
            (1045, "28000".to_owned(), "unknown tenant for MySQL user \"monitor\"".to_owned())
        );
    }
    let (_, refused) = Bare::login(chain.port, "app", "wrong", 0);
    assert_eq!(error(&refused).0, 1045);
    assert_eq!(client.command(b"\x04last-one\0").len(), 1);
    statement(&chain.shim, "tt.last-one");
    let lines = chain.shim.lines();
    let refused: Vec<Value> = lines
        .iter()
        .filter(|l| l.contains("login refused"))
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    // One line for five probes, one for the other user.
    assert_eq!(refused.len(), 2, "{refused:?}");
    for (line, user) in refused.iter().zip(["\"monitor\"", "\"app\""]) {
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["fields"]["user"], user);
        assert_eq!(line["fields"]["host"], "127.0.0.1");
        assert_eq!(line["fields"]["outcome"], "error 1045");
        assert_eq!(line["fields"]["left_out"], 0);
    }
}

#[test]
fn a_monitor_that_asks_too_much_is_reported_once_a_period() {
    let chain = chain(&format!("{JSON}monitor: {{user: monitor, password: probe}}\n"));
    let (mut client, _) = Bare::login(chain.port, "monitor", "probe", 0);
    for _ in 0..5 {
        assert_eq!(error(&ask(&mut client, "SHOW DATABASES")[0]).0, 1235);
    }
    assert_eq!(ask(&mut client, "SELECT @@global.read_only read_only").len(), 5);
    statement(&chain.shim, "select");
    let lines = chain.shim.lines();
    let level = |level: &str| {
        lines
            .iter()
            .filter(|l| l.contains(&format!("\"level\":\"{level}\"")) && l.contains("error 1235"))
            .count()
    };
    assert_eq!((level("INFO"), level("DEBUG")), (1, 4), "{lines:?}");
}
