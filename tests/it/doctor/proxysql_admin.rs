//! The admin port of a ProxySQL, played.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

type Row = BTreeMap<String, Option<String>>;

pub(super) type Tables = BTreeMap<&'static str, Vec<Row>>;

pub(super) fn row(fields: &[(&str, &str)]) -> Row {
    fields.iter().map(|(k, v)| ((*k).to_owned(), (*v != "NULL").then(|| (*v).to_owned()))).collect()
}

/// The rows that ProxySQL has after the file of `proxysql-config` was fed to it: the patterns are
/// read out of the golden file.
pub(super) fn proxysql_tables(port: u16) -> Tables {
    let golden = include_str!("../../data/proxysql/golden.sql");
    let rules: Vec<Row> = golden
        .lines()
        .filter(|l| l.contains("INTO mysql_query_rules"))
        .map(|line| {
            let values = line.split_once(" VALUES (").expect("values").1;
            let parts: Vec<&str> = values.split('\'').collect();
            row(&[
                ("rule_id", values.split(',').next().expect("an id")),
                ("active", "1"),
                ("username", "NULL"),
                ("schemaname", "NULL"),
                ("flagIN", "0"),
                ("match_digest", parts[1]),
                ("match_pattern", parts[3]),
                ("negate_match_pattern", "0"),
                ("re_modifiers", "CASELESS"),
                ("flagOUT", "NULL"),
                ("destination_hostgroup", "991"),
                ("timeout", "NULL"),
                ("apply", "1"),
                ("comment", "dbtrail-shim"),
            ])
        })
        .collect();
    let server = |group: &str, host: &str, port: &str| {
        row(&[
            ("hostgroup_id", group),
            ("hostname", host),
            ("port", port),
            ("status", "ONLINE"),
            ("use_ssl", "0"),
        ])
    };
    let user = |frontend: &str, backend: &str| {
        row(&[
            ("username", "app"),
            // SELECT PASSWORD('pass-word') of MariaDB.
            ("password", "*BE8615372129088020741A9CC1B25C917AB05EE1"),
            ("active", "1"),
            ("default_hostgroup", "990"),
            ("transaction_persistent", "0"),
            ("fast_forward", "0"),
            ("frontend", frontend),
            ("backend", backend),
        ])
    };
    let variable = |name: &str, value: &str| row(&[("variable_name", name), ("variable_value", value)]);
    BTreeMap::from([
        (
            "runtime_mysql_servers",
            vec![server("990", "10.0.0.5", "3306"), server("991", "127.0.0.1", &port.to_string())],
        ),
        ("runtime_mysql_users", vec![user("1", "0"), user("0", "1")]),
        ("runtime_mysql_query_rules", rules.clone()),
        ("mysql_query_rules", rules),
        (
            "runtime_global_variables",
            vec![
                variable("admin-version", "2.7.2-played"),
                variable("mysql-server_version", "8.0.36"),
                variable("mysql-monitor_enabled", "true"),
                variable("mysql-monitor_username", "monitor"),
                variable("mysql-monitor_password", "probing"),
                variable("mysql-query_digests", "true"),
                variable("mysql-query_digests_keep_comment", "false"),
                variable("mysql-default_query_timeout", "86400000"),
            ],
        ),
    ])
}

/// Plays ProxySQL's admin port: mysql_native_password for admin/let-me-in, SELECTs on the tables
/// alone, an error for all else.
pub(super) fn admin(tables: Tables) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let tables = Arc::new(tables);
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let tables = Arc::clone(&tables);
            std::thread::spawn(move || Admin { socket, sequence: 0 }.converse(&tables));
        }
    });
    format!("mysql://admin:let-me-in@{address}")
}

pub(super) struct Admin {
    socket: TcpStream,
    sequence: u8,
}

impl Admin {
    fn send(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("short").to_le_bytes();
        let head = [length[0], length[1], length[2], self.sequence];
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.write_all(&[&head, payload].concat()).expect("the client is there");
    }

    fn read(&mut self) -> Option<Vec<u8>> {
        let mut head = [0; 4];
        self.socket.read_exact(&mut head).ok()?;
        let mut payload =
            vec![0; usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16];
        self.socket.read_exact(&mut payload).ok()?;
        self.sequence = head[3].wrapping_add(1);
        Some(payload)
    }

    fn converse(&mut self, tables: &Tables) -> Option<()> {
        // Greeting: PROTOCOL_41, CONNECT_WITH_DB, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH;
        // scramble of twenty letters.
        let capabilities: u32 = 1 << 3 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 19;
        let bytes = capabilities.to_le_bytes();
        let mut greeting = b"\x0a8.0.11 (ProxySQL Admin Module)\0\x07\0\0\0abcdefgh\0".to_vec();
        greeting.extend([bytes[0], bytes[1], 33, 2, 0, bytes[2], bytes[3], 21]);
        greeting.extend([0; 10]);
        greeting.extend(b"ijklmnopqrst\0mysql_native_password\0");
        self.send(&greeting);
        let response = self.read()?;
        let right = crate::program::native_response(b"abcdefghijklmnopqrst", "let-me-in");
        if !response.windows(20).any(|w| w == right) {
            self.send(
                b"\xff\x15\x04#28000ProxySQL Error: Access denied for user 'admin' (using password: YES)",
            );
            return None;
        }
        self.send(&[0, 0, 0, 2, 0, 0, 0]);
        loop {
            let command = self.read()?;
            match command.split_first()? {
                (1, _) => return None,
                (14, _) => self.send(&[0, 0, 0, 2, 0, 0, 0]),
                (3, text) => self.query(std::str::from_utf8(text).expect("UTF-8"), tables),
                _ => self.send(b"\xff\x15\x04#42000Command not supported"),
            }
        }
    }

    fn query(&mut self, text: &str, tables: &Tables) {
        let name = text.split(" FROM ").nth(1).and_then(|t| t.split(' ').next()).unwrap_or_default();
        let Some(rows) = tables.get(name) else {
            return self.send(b"\xff\x15\x04#42000near: syntax error");
        };
        let names: Vec<&String> = rows.first().map(|r| r.keys().collect()).unwrap_or_default();
        if names.is_empty() {
            // Like SQLite, a table without rows has its columns.
            self.send(&[1]);
            self.column("rule_id");
        } else {
            self.send(&[u8::try_from(names.len()).expect("few")]);
            for name in &names {
                self.column(name);
            }
        }
        self.send(&[0xfe, 0, 0, 2, 0]);
        for row in rows {
            let mut cells = Vec::new();
            for cell in row.values() {
                match cell {
                    None => cells.push(0xfb),
                    Some(text) => lenenc(&mut cells, text.as_bytes()),
                }
            }
            self.send(&cells);
        }
        self.send(&[0xfe, 0, 0, 2, 0]);
    }

    fn column(&mut self, name: &str) {
        let mut out = Vec::new();
        for text in ["def", "", "", "", name, ""] {
            lenenc(&mut out, text.as_bytes());
        }
        out.extend([0x0c, 33, 0, 0xff, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
        self.send(&out);
    }
}

fn lenenc(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("short");
    if length < 0xfb {
        out.push(length.to_le_bytes()[0]);
    } else {
        out.push(0xfc);
        out.extend(length.to_le_bytes());
    }
    out.extend(bytes);
}

pub(super) fn set(tables: &mut Tables, table: &str, at: usize, field: &str, value: &str) {
    let row = &mut tables.get_mut(table).expect("a table")[at];
    row.insert(field.to_owned(), (value != "NULL").then(|| value.to_owned()));
}

pub(super) fn variable(tables: &mut Tables, name: &str, value: &str) {
    let rows = tables.get_mut("runtime_global_variables").expect("a table");
    rows.retain(|r| r["variable_name"].as_deref() != Some(name));
    rows.push(row(&[("variable_name", name), ("variable_value", value)]));
}

/// Another rule in force: of the columns of ours.
pub(super) fn add_rule(tables: &mut Tables, fields: &[(&str, &str)]) {
    let rows = tables.get_mut("runtime_mysql_query_rules").expect("a table");
    let mut rule = rows[0].clone();
    for field in ["match_digest", "match_pattern", "comment"] {
        rule.insert(field.to_owned(), None);
    }
    rule.extend(row(fields));
    rows.push(rule);
}
