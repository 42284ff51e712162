//! `doctor` as a process: against a whole chain, against each broken link, and against a ProxySQL
//! whose admin port is played.

use crate::program::{Chain, chain, said};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

const MONITOR: &str = "monitor: {user: monitor, password: probing}\n";

/// Runs `doctor` on the chain with the configuration edited.
fn doctor(chain: &Chain, edit: impl Fn(String) -> String, more: &[&str]) -> (Option<i32>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("edited.yaml");
    // Owner-only, so that no warning of the mode is among the findings.
    let text = edit(chain.yaml.replace("listen: 127.0.0.1:0", &format!("listen: 127.0.0.1:{}", chain.port)));
    std::fs::write(&path, text).expect("a file");
    let mode: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).expect("it is ours");
    let path = path.to_str().expect("UTF-8");
    // The recording is old: its age is no fault here.
    let patient: &[&str] = if more.contains(&"--max-lag") { &[] } else { &["--max-lag", "4000000000"] };
    let arguments = [&["doctor", "--config", path], patient, more].concat();
    let (code, out, err) = said(&arguments);
    assert_eq!(err, "", "{out}");
    for secret in ["pass-word", "agent-token", "probing", "let-me-in", "*BE8615"] {
        assert!(!out.contains(secret), "{secret} is in {out}");
    }
    (code, out.lines().map(str::to_owned).collect())
}

/// The findings that are not OK, without what fixes them; each has a fix.
fn faults(lines: &[String]) -> Vec<&str> {
    let bad = lines.iter().filter(|l| l.starts_with("WARN  ") || l.starts_with("FAIL  "));
    bad.map(|l| l.split_once(" -> ").unwrap_or_else(|| panic!("nothing mends {l}")).0).collect()
}

#[test]
fn a_healthy_chain() {
    let chain = chain(MONITOR);
    let (code, lines) = doctor(&chain, |y| y, &["--agent"]);
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(faults(&lines), [""; 0]);
    let links: Vec<&str> =
        lines.iter().filter_map(|l| l.strip_prefix("OK    ")?.split_once(": ").map(|(l, _)| l)).collect();
    let agent = links.iter().find(|l| l.starts_with("agent http")).expect("an agent");
    let clock = format!("clock of {}", agent.trim_start_matches("agent "));
    let wanted = [
        "config",
        "port of the shim",
        "login of app",
        "login of the monitor user monitor",
        agent,
        &clock,
        "token of app",
        "server_id of app",
        "schemas of app",
        "tables of app",
        "history of app",
    ];
    assert_eq!(links, wanted);
    assert_eq!(lines.last().map(String::as_str), Some("11 OK, 0 WARN, 0 FAIL"));
    let (code, lines) = doctor(&chain, |y| y, &["--json"]);
    assert_eq!(code, Some(0));
    let json: serde_json::Value = serde_json::from_str(&lines.concat()).expect("JSON");
    assert_eq!((&json["ok"], &json["fail"]), (&serde_json::json!(10), &serde_json::json!(0)));
    assert_eq!(json["checks"][2]["component"], "login of app");
}

type Edit<'a> = Box<dyn Fn(String) -> String + 'a>;

#[test]
fn each_broken_link_is_named() {
    let chain = chain(MONITOR);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let agent =
        chain.yaml.split("agent_url: ").nth(1).and_then(|t| t.lines().next()).expect("a URL").to_owned();
    let nobody = format!("http://127.0.0.1:{free}");
    let no_tls = agent.replace("http://", "https://");
    let swap =
        |from: &'static str, to: &'static str| -> Edit<'_> { Box::new(move |y: String| y.replace(from, to)) };
    let cases: Vec<(Edit<'_>, Vec<String>, i32)> = vec![
        (swap("agent-token", "another"), vec!["FAIL  token of app: HTTP 401".into()], 1),
        (swap("server_id: shop-1", "server_id: shop-2"), vec!["FAIL  server_id of app: HTTP 404".into()], 1),
        (
            swap("default_schema: tt", "default_schema: nowhere"),
            vec!["FAIL  schemas of app: the agent has no record of schema 'nowhere', only of ".into()],
            1,
        ),
        (
            swap("pass-word", "wrong-word"),
            vec!["FAIL  login of app: refused: Access denied for user 'app'".into()],
            1,
        ),
        (swap("probing", "wrong-word"), vec!["FAIL  login of the monitor user monitor: refused: ".into()], 1),
        (
            swap("mysql_user: app", "mysql_user: new"),
            vec!["FAIL  login of new: refused: unknown tenant".into()],
            1,
        ),
        (
            swap(
                "mysql_password: pass-word",
                "mysql_pass_sha1: \"*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9\"",
            ),
            vec!["WARN  login of app: not tried: the configuration has only the hash of the password".into()],
            0,
        ),
        (
            Box::new(|y| format!("server_version: 8.4.0-other\n{y}")),
            vec!["WARN  login of app: it works, and answers with 8.0.36-dbtrail".into()],
            0,
        ),
        (
            Box::new(|y| y.replace(&format!("127.0.0.1:{}", chain.port), &format!("127.0.0.1:{free}"))),
            vec![format!("FAIL  port of the shim: 127.0.0.1:{free}: ")],
            1,
        ),
        (Box::new(|y| y.replace(&agent, &nobody)), vec![format!("FAIL  agent {nobody}: {nobody}: ")], 1),
        (Box::new(|y| y.replace(&agent, &no_tls)), vec![format!("FAIL  agent {no_tls}: {no_tls}: ")], 1),
    ];
    for (edit, wanted, code) in cases {
        let (got, lines) = doctor(&chain, edit, &[]);
        let faults = faults(&lines);
        assert_eq!((got, faults.len()), (Some(code), wanted.len()), "{wanted:?}: {lines:#?}");
        for (fault, want) in faults.iter().zip(&wanted) {
            assert!(fault.starts_with(want.as_str()), "{fault} is not {want}");
        }
    }
    let (code, lines) = doctor(&chain, |y| y.replace("server_id", "serverid"), &[]);
    assert_eq!(code, Some(78), "{lines:#?}");
    assert!(lines.iter().any(|l| l.starts_with("FAIL  config: ") && l.contains("serverid")), "{lines:#?}");
    let (_, lines) = doctor(&chain, |y| y, &["--max-lag", "0"]);
    assert!(
        lines.iter().any(|l| l.starts_with("WARN  history of app: the newest record is of 2026-")),
        "{lines:#?}"
    );
}

#[test]
fn a_shim_with_tls() {
    let made = crate::support::certificates("localhost", false);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (cert, key) = (path("cert.pem", &made.chain), path("key.pem", &made.key));
    let tls = format!("tls: {{mode: required, cert_file: {cert}, key_file: {key}}}\n");
    let chain = chain(&tls);
    let (code, lines) = doctor(&chain, |y| y, &[]);
    assert_eq!((code, faults(&lines)), (Some(0), vec![]), "{lines:#?}");
    // What runs has TLS, and the file says that it has none.
    let (code, lines) = doctor(&chain, |y| y.replace(&tls, ""), &[]);
    assert_eq!(code, Some(1));
    assert!(faults(&lines)[0].starts_with("FAIL  login of app: "), "{lines:#?}");
    // ProxySQL must use TLS towards it.
    let (code, lines) = doctor(
        &chain,
        |y| format!("{y}{MONITOR}"),
        &["--proxysql-admin", &admin(proxysql_tables(chain.port))],
    );
    assert_eq!(code, Some(1));
    let wanted = format!(
        "FAIL  ProxySQL servers: the shim 127.0.0.1:{} in hostgroup 991 has use_ssl=0, and the shim has tls.mode required",
        chain.port
    );
    assert!(faults(&lines).contains(&wanted.as_str()), "{lines:#?}");
}

#[test]
fn certificates_of_the_agent() {
    let made = crate::support::certificates("localhost", false);
    let other = crate::support::certificates("localhost", false);
    let elsewhere = crate::support::certificates("elsewhere.example", false);
    let expired = crate::support::certificates("localhost", true);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let chain = chain(MONITOR);
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    for (served, trusted, wanted, fix) in [
        (&made, &made, "OK    agent https://localhost:", "its certificate is trusted"),
        (&made, &other, "its certificate is not trusted", " -> agent_tls.ca_file must hold the authority"),
        (&elsewhere, &elsewhere, "its certificate is for another host", " -> agent_tls.ca_file must hold"),
        (&expired, &expired, "its certificate has expired", " -> give the agent a new certificate"),
    ] {
        let agent = runtime.block_on(crate::support::Agent::start(served));
        std::fs::write(&ca, &trusted.authority).expect("a file");
        let edit = |y: String| {
            let url = y.split("agent_url: ").nth(1).and_then(|t| t.lines().next()).expect("a URL").to_owned();
            let new = format!("https://localhost:{}", agent.port);
            format!("agent_tls:\n  ca_file: {}\n{}", ca.display(), y.replace(&url, &new))
        };
        let (code, lines) = doctor(&chain, edit, &[]);
        // The scripted agent says nothing that makes sense beyond TLS.
        assert_eq!(code, Some(1), "{lines:#?}");
        assert!(lines.iter().any(|l| l.contains(wanted) && l.contains(fix)), "{wanted}: {lines:#?}");
    }
}

type Row = BTreeMap<String, Option<String>>;
type Tables = BTreeMap<&'static str, Vec<Row>>;

fn row(fields: &[(&str, &str)]) -> Row {
    fields.iter().map(|(k, v)| ((*k).to_owned(), (*v != "NULL").then(|| (*v).to_owned()))).collect()
}

/// The rows that ProxySQL has after the file of `proxysql-config` was fed to it: the patterns are
/// read out of the golden file.
fn proxysql_tables(port: u16) -> Tables {
    let golden = include_str!("../data/proxysql/golden.sql");
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
fn admin(tables: Tables) -> String {
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

struct Admin {
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

fn set(tables: &mut Tables, table: &str, at: usize, field: &str, value: &str) {
    let row = &mut tables.get_mut(table).expect("a table")[at];
    row.insert(field.to_owned(), (value != "NULL").then(|| value.to_owned()));
}

fn variable(tables: &mut Tables, name: &str, value: &str) {
    let rows = tables.get_mut("runtime_global_variables").expect("a table");
    rows.retain(|r| r["variable_name"].as_deref() != Some(name));
    rows.push(row(&[("variable_name", name), ("variable_value", value)]));
}

/// Another rule in force: of the columns of ours.
fn add_rule(tables: &mut Tables, fields: &[(&str, &str)]) {
    let rows = tables.get_mut("runtime_mysql_query_rules").expect("a table");
    let mut rule = rows[0].clone();
    for field in ["match_digest", "match_pattern", "comment"] {
        rule.insert(field.to_owned(), None);
    }
    rule.extend(row(fields));
    rows.push(rule);
}

#[test]
fn a_proxysql_that_is_right() {
    let chain = chain(MONITOR);
    let url = admin(proxysql_tables(chain.port));
    let (code, lines) = doctor(&chain, |y| y, &["--proxysql-admin", &url]);
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(faults(&lines), [""; 0]);
    for line in [
        "OK    ProxySQL rules: all 5 are there and active",
        "OK    ProxySQL routing: time-travel statements go to the shim, others do not",
        "OK    ProxySQL user app: it is there, with the password of the configuration",
        "OK    ProxySQL server_version: both say 8.0.36",
        "OK    ProxySQL monitor: 'monitor' on both sides",
        "OK    ProxySQL query timeouts: mysql-default_query_timeout is 86400000 ms",
        "OK    ProxySQL digests: they are made",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} is not in {lines:#?}");
    }
    assert!(
        lines.iter().any(|l| l.starts_with("OK    ProxySQL admin: ") && l.ends_with("ProxySQL 2.7.2-played"))
    );
    let wrong = url.replace("let-me-in", "let-me-see");
    let (code, lines) = doctor(&chain, |y| y, &["--proxysql-admin", &wrong]);
    assert_eq!(code, Some(1));
    assert!(!lines.concat().contains("let-me-see"), "{lines:#?}");
    assert!(faults(&lines)[0].starts_with("FAIL  ProxySQL admin: 127.0.0.1:"), "{lines:#?}");
    let (code, lines) = doctor(&chain, |y| y, &["--proxysql-admin", "admin:let-me-in@x"]);
    assert_eq!(code, Some(1));
    assert_eq!(faults(&lines), ["FAIL  ProxySQL admin: --proxysql-admin is no MySQL URL"]);
}

type Fault = (&'static str, fn(&mut Tables), &'static [&'static str]);

const SELECT_FIRST: &str = "goes to hostgroup 20: SELECT * FROM _flashback.orders";

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn proxysql_faults() -> Vec<Fault> {
    vec![
        (
            "a rule is missing",
            |t| {
                t.get_mut("runtime_mysql_query_rules").expect("rules").remove(0);
                t.get_mut("mysql_query_rules").expect("rules").remove(0);
            },
            &[
                "FAIL  ProxySQL rules: the rule for FROM and JOIN of a virtual table",
                "FAIL  ProxySQL routing: no rule catches it",
            ],
        ),
        (
            "all rules are missing",
            |t| {
                t.insert("runtime_mysql_query_rules", vec![]);
                t.insert("mysql_query_rules", vec![]);
            },
            &[
                "FAIL  ProxySQL rules: the rule for FROM",
                "FAIL  ProxySQL rules: the rule for a virtual table after a comma",
                "FAIL  ProxySQL rules: the rule for DESCRIBE",
                "FAIL  ProxySQL rules: the rule for SHOW",
                "FAIL  ProxySQL rules: the rule for virtual tables in the quotes",
                "FAIL  ProxySQL routing: no rule catches it: it goes to hostgroup 990",
            ],
        ),
        (
            "a rule is not active",
            |t| {
                t.get_mut("runtime_mysql_query_rules").expect("rules").remove(3);
                set(t, "mysql_query_rules", 3, "active", "0");
            },
            &[
                "FAIL  ProxySQL rules: the rule for SHOW of what a virtual schema holds (990004) is not active",
                "FAIL  ProxySQL routing: no rule",
            ],
        ),
        (
            "a rule is not loaded",
            |t| {
                t.get_mut("runtime_mysql_query_rules").expect("rules").remove(3);
            },
            &[
                "FAIL  ProxySQL rules: the rule for SHOW of what a virtual schema holds (990004) is written and not loaded",
                "FAIL  ProxySQL routing: no rule",
            ],
        ),
        (
            "a rule with a smaller id catches it",
            |t| {
                add_rule(
                    t,
                    &[("rule_id", "100"), ("match_digest", "^SELECT"), ("destination_hostgroup", "20")],
                );
            },
            &[
                "FAIL  ProxySQL routing: rule 100 comes first: it goes to hostgroup 20",
                "FAIL  ProxySQL servers: hostgroup 20, ",
            ],
        ),
        (
            "a rule with the smallest id catches it",
            |t| {
                add_rule(
                    t,
                    &[
                        ("rule_id", "1"),
                        ("match_digest", "^SELECT .* FROM _"),
                        ("destination_hostgroup", "20"),
                    ],
                );
            },
            &["FAIL  ProxySQL routing: rule 1 comes first: it goes to hostgroup 20"],
        ),
        (
            "a rule of one schema may catch it",
            |t| {
                add_rule(
                    t,
                    &[
                        ("rule_id", "100"),
                        ("match_digest", "^SELECT"),
                        ("schemaname", "shop"),
                        ("destination_hostgroup", "20"),
                    ],
                );
            },
            &["WARN  ProxySQL routing: rule 100 catches time travel where schemaname shop"],
        ),
        (
            "a pattern that only PCRE knows",
            |t| {
                add_rule(
                    t,
                    &[
                        ("rule_id", "100"),
                        ("match_digest", "^SELECT(?!.*FOR UPDATE)"),
                        ("destination_hostgroup", "20"),
                    ],
                );
            },
            &["WARN  ProxySQL rules: rule 100 has a pattern that cannot be judged here"],
        ),
        (
            "the wrong hostgroup",
            |t| set(t, "runtime_mysql_query_rules", 0, "destination_hostgroup", "20"),
            &[
                "FAIL  ProxySQL rules: the rule for FROM and JOIN of a virtual table, in whatever statement (990001) leads to hostgroup 20 and not to 991",
                SELECT_FIRST,
            ],
        ),
        (
            "a rule that takes everything",
            |t| add_rule(t, &[("rule_id", "100"), ("match_digest", "."), ("destination_hostgroup", "991")]),
            &["FAIL  ProxySQL routing: rule 100 sends to the shim: SELECT * FROM orders WHERE id = 42"],
        ),
        (
            "rules of one user",
            |t| set(t, "runtime_mysql_query_rules", 3, "username", "other"),
            &[
                "FAIL  ProxySQL rules: the rule for SHOW of what a virtual schema holds (990004) is for username other alone",
                "FAIL  ProxySQL routing: no rule",
            ],
        ),
        (
            "rules made by hand",
            |t| {
                for table in ["runtime_mysql_query_rules", "mysql_query_rules"] {
                    for at in 0..5 {
                        set(t, table, at, "comment", "NULL");
                    }
                }
            },
            &["WARN  ProxySQL rules: none has the comment 'dbtrail-shim'"],
        ),
        (
            "no user",
            |t| {
                t.insert("runtime_mysql_users", vec![]);
            },
            &["FAIL  ProxySQL user app: ProxySQL does not know it"],
        ),
        (
            "no backend user",
            |t| {
                t.get_mut("runtime_mysql_users").expect("users").remove(1);
            },
            &[
                "FAIL  ProxySQL user app: it cannot be used for the servers behind it: there is no row with backend=1",
            ],
        ),
        (
            "another password",
            |t| set(t, "runtime_mysql_users", 0, "password", "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"),
            &["FAIL  ProxySQL user app: its frontend password is not that of the configuration"],
        ),
        (
            "fast forward",
            |t| set(t, "runtime_mysql_users", 0, "fast_forward", "1"),
            &["FAIL  ProxySQL user app: it has fast_forward=1"],
        ),
        (
            "the shim for everything",
            |t| set(t, "runtime_mysql_users", 0, "default_hostgroup", "991"),
            &[
                "FAIL  ProxySQL routing: the user's default_hostgroup sends to the shim",
                "FAIL  ProxySQL user app: its default_hostgroup is 991, the shim's",
            ],
        ),
        (
            "shunned",
            |t| set(t, "runtime_mysql_servers", 1, "status", "SHUNNED"),
            &["FAIL  ProxySQL servers: the shim 127.0.0.1:"],
        ),
        (
            "shunned and reached again",
            |t| {
                set(t, "runtime_mysql_servers", 1, "status", "SHUNNED");
                let port = t["runtime_mysql_servers"][1]["port"].clone().expect("a port");
                let ping =
                    |error: &str| row(&[("hostname", "127.0.0.1"), ("port", &port), ("ping_error", error)]);
                t.insert("monitor.mysql_server_ping_log", vec![ping("NULL"), ping("timeout")]);
            },
            &[],
        ),
        (
            "init_connect",
            |t| variable(t, "mysql-init_connect", "SET x"),
            &["WARN  ProxySQL variables: mysql-init_connect is sent to the shim too (SET x)"],
        ),
        (
            "init_connect that the hostgroup overrides",
            |t| {
                variable(t, "mysql-init_connect", "SET x");
                let own = row(&[("hostgroup_id", "991"), ("init_connect", "DO 1")]);
                t.insert("runtime_mysql_hostgroup_attributes", vec![own]);
            },
            &[],
        ),
        (
            "short digests",
            |t| variable(t, "mysql-query_digests_max_query_length", "20"),
            &["WARN  ProxySQL variables: mysql-query_digests_max_query_length is 20"],
        ),
        (
            "short transactions",
            |t| variable(t, "mysql-max_transaction_time", "5000"),
            &["WARN  ProxySQL variables: mysql-max_transaction_time is 5000 ms"],
        ),
        (
            "a hash before MySQL 9",
            |t| variable(t, "mysql-server_version", "9.7.4"),
            &[
                "WARN  ProxySQL user app: its password is kept as a hash of mysql_native_password",
                "WARN  ProxySQL server_version: ProxySQL says 9.7.4 and the shim 8.0.36-dbtrail",
            ],
        ),
        (
            "offline",
            |t| set(t, "runtime_mysql_servers", 1, "status", "OFFLINE_SOFT"),
            &["FAIL  ProxySQL servers: the shim 127.0.0.1:"],
        ),
        (
            "no server",
            |t| {
                t.get_mut("runtime_mysql_servers").expect("servers").remove(1);
            },
            &["FAIL  ProxySQL servers: hostgroup 991 has no server"],
        ),
        (
            "another port",
            |t| set(t, "runtime_mysql_servers", 1, "port", "1"),
            &[
                "WARN  ProxySQL servers: the shim 127.0.0.1:1 in hostgroup 991: the configuration listens on port ",
            ],
        ),
        (
            "another version",
            |t| variable(t, "mysql-server_version", "5.7.44"),
            &["WARN  ProxySQL server_version: ProxySQL says 5.7.44 and the shim 8.0.36-dbtrail"],
        ),
        (
            "a short timeout",
            |t| variable(t, "mysql-default_query_timeout", "1000"),
            &["FAIL  ProxySQL query timeouts: mysql-default_query_timeout is 1000 ms"],
        ),
        (
            "a short timeout of a rule",
            |t| set(t, "runtime_mysql_query_rules", 0, "timeout", "5000"),
            &["WARN  ProxySQL query timeouts: the timeout of rule 990001 is 5000 ms"],
        ),
        (
            "no digests",
            |t| variable(t, "mysql-query_digests", "false"),
            &[
                "FAIL  ProxySQL digests: mysql-query_digests is off",
                "FAIL  ProxySQL routing: rule 990001 sends to the shim: SELECT * FROM orders WHERE note",
            ],
        ),
        (
            "comments in digests",
            |t| variable(t, "mysql-query_digests_keep_comment", "true"),
            &["WARN  ProxySQL digests: mysql-query_digests_keep_comment is on"],
        ),
        (
            "another monitor",
            |t| variable(t, "mysql-monitor_username", "probe"),
            &["FAIL  ProxySQL monitor: ProxySQL probes as 'probe', and the shim knows 'monitor'"],
        ),
        (
            "another password of the monitor",
            |t| variable(t, "mysql-monitor_password", "else"),
            &["WARN  ProxySQL monitor: the password of 'monitor' is another one in ProxySQL"],
        ),
    ]
}

#[test]
fn each_fault_of_proxysql_is_named() {
    let chain = chain(MONITOR);
    for (name, fault, wanted) in proxysql_faults() {
        let mut tables = proxysql_tables(chain.port);
        fault(&mut tables);
        let url = admin(tables);
        let (code, lines) = doctor(&chain, |y| y, &["--proxysql-admin", &url]);
        let faults = faults(&lines);
        assert_eq!(faults.len(), wanted.len(), "{name}: {faults:#?}");
        for (fault, want) in faults.iter().zip(wanted) {
            assert!(
                fault.starts_with(want) || want == &SELECT_FIRST && fault.contains(want),
                "{name}: {fault} is not {want}"
            );
        }
        let fails = faults.iter().any(|f| f.starts_with("FAIL"));
        assert_eq!(code, Some(i32::from(fails)), "{name}");
    }
}
