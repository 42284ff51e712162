//! What 53 clients and tools were seen to send to MySQL 9.7.4, played to a shim: each statement has
//! an answer of the kind that MySQL gave, or is in the list of those that are refused, with the
//! reason.
//!
//! `tests/data/clients/statements.jsonl` has each statement once, with what MySQL answered: `ok`,
//! `rows` and the number of columns, `error` and its number. `clients.jsonl` has what each client
//! sent, in order: `q` and `p` with the line of a statement (counted from 0) are COM_QUERY and
//! COM_STMT_PREPARE. `refused.txt` may only shrink.

use super::support::{Agent, Raw, Reply, Shim, error, pair};
use std::collections::{BTreeMap, BTreeSet};

/// The tables of the server that the clients asked.
const TABLES: &[(&str, &str, &str)] = &[
    ("orders", r#"["id"]"#, "id int!,customer varchar(50),amount decimal(10,2)"),
    ("cmp", r#"["a","b"]"#, "a int!,b varchar(20)!,c int"),
    ("b1", r#"["id"]"#, "id int!,v varchar(10)"),
    ("b2", r#"["id"]"#, "id int!,v varchar(10)"),
    ("b3", r#"["id"]"#, "id int!,v varchar(10)"),
    ("b4", r#"["id"]"#, "id int!,v varchar(10)"),
    ("b5", r#"["id"]"#, "id int!,v varchar(10)"),
    ("b6", r#"["id"]"#, "id int!,v varchar(10)"),
    ("b7", r#"["id"]"#, "id int!,v varchar(10)"),
    ("big", r#"["id"]"#, "id int!,v varchar(10)"),
    ("e1", r#"["id"]"#, "id int!,v varchar(10)"),
    ("t_all", r#"["id"]"#, "id int!,v varchar(10)"),
    ("v1", r#"["id"]"#, "id int!,v varchar(10)"),
    ("v2", r#"["id"]"#, "id int!,v varchar(10)"),
    ("v3", r#"["id"]"#, "id int!,v varchar(10)"),
    (
        "t_a",
        r#"["id"]"#,
        "id bigint unsigned!,c_int int,c_bool tinyint(1),c_mint mediumint,c_dec decimal(12,3),c_dbl double,\
         c_flt float,c_date date,c_dt datetime(6),c_ts timestamp,c_time time,c_year year,c_char char(5),\
         c_vc varchar(40),c_vb varbinary(20),c_bin binary(4),c_txt text,c_blob blob,c_bit bit(10),c_bit1 bit(1),\
         c_enum enum('a','b'),c_set set('x','y'),c_json json,c_lat varchar(20),c_utf16 varchar(10),\
         c_bincol varchar(20),c_geo geometry",
    ),
];

fn definition(columns: &str) -> String {
    let mut found = Vec::new();
    // A comma before a name parts two columns; those of types are between parentheses.
    let mut depth = 0;
    let parts = columns.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    for part in parts {
        let (name, ty) = part.split_once(' ').expect("a name and a type");
        let (ty, nullable) = ty.strip_suffix('!').map_or((ty, true), |ty| (ty, false));
        let is_text = ["char", "varchar", "text", "enum", "set"].iter().any(|t| ty.starts_with(t));
        let collation = if is_text { r#","collation":"utf8mb4_0900_ai_ci""# } else { "" };
        found.push(format!(r#"{{"name":"{name}","type":"{ty}","nullable":{nullable}{collation}}}"#));
    }
    found.join(",")
}

fn world(path: &str) -> Reply {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    match parts[..] {
        [_, "schemas"] => Reply::json(200, r#"{"success":true,"schemas":["shop"]}"#),
        [_, "schemas", "shop", "tables"] => {
            let entry = |(name, ..): &(&str, &str, &str)| {
                format!(
                    r#"{{"table":"{name}","oldest":"2020-01-01T00:00:00.000000Z","newest":"2020-01-02T00:00:00.000000Z","dropped":false}}"#
                )
            };
            let entries: Vec<String> = TABLES.iter().map(entry).collect();
            Reply::json(200, &format!(r#"{{"success":true,"tables":[{}]}}"#, entries.join(",")))
        }
        [server, "schemas", "shop", "tables", table] => {
            let Some((_, key, columns)) = TABLES.iter().find(|(name, ..)| *name == table) else {
                return Reply::json(
                    404,
                    r#"{"success":false,"error":"no such table","code":"unknown_table"}"#,
                );
            };
            let columns = definition(columns);
            Reply::json(
                200,
                &format!(
                    r#"{{"success":true,"server_id":"{server}","schema":"shop","table":"{table}","columns":[{columns}],"primary_key":{key}}}"#
                ),
            )
        }
        _ => Reply::json(404, r#"{"success":false,"error":"no such thing","code":"unknown_table"}"#),
    }
}

fn lines(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/tests/data/clients/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect(name);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Statements by number, with the reason for which each is refused.
fn refused() -> BTreeMap<usize, String> {
    let path = format!("{}/tests/data/clients/refused.txt", env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut reason) = (BTreeMap::new(), String::new());
    for line in std::fs::read_to_string(path).expect("refused.txt").lines() {
        if let Some(text) = line.strip_prefix("# ") {
            text.clone_into(&mut reason);
        }
        for number in line.split(' ').filter_map(|word| word.parse().ok()) {
            assert!(!line.starts_with('#') && !reason.is_empty(), "a number without a reason");
            found.insert(number, reason.clone());
        }
    }
    found
}

/// SERVER_MORE_RESULTS_EXISTS
const MORE: u8 = 8;

/// The answer to COM_QUERY, in the words of `statements.jsonl`.
async fn answer(client: &mut Raw) -> String {
    let first = client.read().await.expect("an answer");
    match first[0] {
        0 => return "ok".to_owned(),
        0xff => return format!("error {}", error(&first).code),
        _ => {}
    }
    // The columns and the rows have an end each; after the last one more results may come.
    let mut ends = 0;
    while ends < 2 {
        let packet = client.read().await.expect("a column, a row or an end");
        assert_ne!(packet[0], 0xff, "{:?}", error(&packet));
        let is_end = packet[0] == 0xfe && packet.len() == 5;
        ends += usize::from(is_end);
        if is_end && ends == 2 && packet[3] & MORE != 0 {
            client.read().await.expect("the next result");
            ends = 0;
        }
    }
    format!("rows {}", first[0])
}

/// The answer to COM_STMT_PREPARE.
async fn prepared(client: &mut Raw) -> String {
    let first = client.read().await.expect("an answer");
    if first[0] == 0xff {
        return format!("error {}", error(&first).code);
    }
    let (columns, parameters) = (first[5], first[7]);
    for count in [parameters, columns] {
        for _ in 0..if count > 0 { count + 1 } else { 0 } {
            client.read().await.expect("a definition or its end");
        }
    }
    client.command(0x19, &first[1..5]).await;
    format!("rows {columns}")
}

async fn connected(shim: &Shim) -> Raw {
    let mut client = Raw::connect(shim.port).await;
    let ok = client.login("a", "secret-a", Some("shop")).await;
    assert_eq!(ok[0], 0, "{ok:?}");
    // COM_SET_OPTION: several statements in a packet.
    client.command(0x1b, &[0, 0]).await;
    assert_eq!(client.read().await.expect("an end")[0], 0xfe);
    client
}

/// What MySQL answers alike: an OK and an empty result do not differ, nor do two errors.
fn is_alike(wanted: &str, got: &str) -> bool {
    wanted == got || (wanted.starts_with("error") && got.starts_with("error"))
}

#[tokio::test]
async fn every_client_gets_what_it_asks_for_or_the_reason_is_listed() {
    let (agent, shim): (Agent, Shim) = pair().await;
    agent.world(world);
    let statements = lines("statements.jsonl");
    let refused = refused();
    let (mut wrong, mut still) = (BTreeSet::new(), BTreeSet::new());
    let clients = lines("clients.jsonl");
    for client in &clients {
        let name = client["client"].as_str().expect("a name");
        let mut raw = connected(&shim).await;
        for sent in client["sent"].as_array().expect("a list") {
            let sent = sent.as_str().expect("a word");
            let (command, rest) = sent.split_once(' ').unwrap_or((sent, ""));
            match command {
                "login" => raw = connected(&shim).await,
                "ping" => {
                    raw.command(0x0e, b"").await;
                    assert_eq!(answer(&mut raw).await, "ok", "{name}");
                }
                "reset_connection" => {
                    raw.command(0x1f, b"").await;
                    assert_eq!(answer(&mut raw).await, "ok", "{name}");
                    // Which leaves the database that the login named.
                    raw.command(2, b"shop").await;
                    assert_eq!(answer(&mut raw).await, "ok", "{name}");
                }
                "statistics" => {
                    raw.command(9, b"").await;
                    let text = raw.read().await.expect("a text");
                    assert!(text.starts_with(b"Uptime: "), "{name}: {text:?}");
                }
                "db" => {
                    raw.command(2, rest.as_bytes()).await;
                    let got = answer(&mut raw).await;
                    assert!(got == "ok" || rest != "shop", "{name}: {sent}: {got}");
                }
                "fields" => {
                    raw.command(4, &[rest.as_bytes(), b"\0"].concat()).await;
                    while raw.read().await.expect("a column or the end")[0] != 0xfe {}
                }
                _ => {
                    let number: usize = sent[1..].parse().expect("a number");
                    let (wanted, text) = (statements[number][0].as_str(), statements[number][1].as_str());
                    let (wanted, text) = (wanted.expect("an answer"), text.expect("a text"));
                    // Its connection was, in the middle of it.
                    if wanted == "killed" {
                        continue;
                    }
                    let got = if sent.starts_with('q') {
                        raw.send(text).await;
                        answer(&mut raw).await
                    } else {
                        raw.command(0x16, text.as_bytes()).await;
                        prepared(&mut raw).await
                    };
                    // Without columns a statement is prepared too.
                    let got = if wanted == "ok" && got == "rows 0" { "ok".to_owned() } else { got };
                    if is_alike(wanted, &got) {
                        continue;
                    }
                    if refused.contains_key(&number) {
                        still.insert(number);
                    } else {
                        wrong.insert(format!("{number} of {name}: {wanted} at MySQL, {got} here: {text}"));
                    }
                }
            }
        }
    }
    let shown: Vec<String> = wrong.into_iter().collect();
    assert!(shown.is_empty(), "{} statements:\n{}", shown.len(), shown.join("\n"));
    let gone: Vec<&usize> = refused.keys().filter(|n| !still.contains(n)).collect();
    assert!(gone.is_empty(), "these work by now, and go from refused.txt: {gone:?}");
    assert!(clients.len() == 53 && statements.len() >= 460, "{} clients", clients.len());
}
