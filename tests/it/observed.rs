//! What is seen from outside: health, metrics, and who looked at what.

use crate::program::{Bare, Chain, chain, error};
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{Local, ServeOptions};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// A row that is there.
const STATEMENT: &[u8] = b"\x03SELECT id FROM _flashback.tt.orders AS OF '2026-11-23 07:12:39' WHERE id = 8";
/// No key.
const REFUSED: &[u8] = b"\x03SELECT id FROM _flashback.tt.orders AS OF '2026-11-23 07:12:39'";

/// Rows of a statement, or its error. 0: an OK.
fn ask(client: &mut Bare, statement: &[u8]) -> Result<usize, (u16, String, String)> {
    client.send(0, statement);
    let (mut ends, mut packets) = (0, 0);
    loop {
        let packet = client.packet();
        match packet.first() {
            Some(0xff) => return Err(error(&packet)),
            Some(0) if packets == 0 => return Ok(0),
            Some(0xfe) if packet.len() < 9 => ends += 1,
            Some(_) => packets += usize::from(ends == 1),
            None => panic!("the connection ended"),
        }
        if ends == 2 {
            return Ok(packets);
        }
    }
}

/// Status and body of a GET.
fn get(address: &str, path: &str, accept: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).expect("it listens");
    write!(socket, "GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n")
        .expect("sent");
    let mut text = String::new();
    socket.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    (status, text.split_once("\r\n\r\n").expect("a head").1.to_owned())
}

/// Where a chain with `http.listen: 127.0.0.1:0` shows itself.
fn pages(chain: &Chain) -> String {
    let line = chain.shim.line("health and metrics are shown by http");
    let digits = line.split("127.0.0.1:").nth(1).expect("an address");
    format!("127.0.0.1:{}", digits.chars().take_while(char::is_ascii_digit).collect::<String>())
}

/// The value of a sample.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// What the text format of Prometheus wants of every line: HELP, TYPE, and samples of what was
/// declared, each once. Gives the names that were declared.
fn strict(text: &str) -> BTreeSet<String> {
    let (mut declared, mut seen, mut helped) = (BTreeSet::new(), BTreeSet::new(), String::new());
    let mut kind = "";
    let good = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("help has words");
            assert!(good(name) && help.len() > 3 && help.ends_with('.'), "{line}");
            name.clone_into(&mut helped);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name;
            (name, kind) = rest.split_once(' ').expect("a type");
            assert_eq!(name, helped, "help is in front of it");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(declared.insert(name.to_owned()), "{line} comes twice");
        } else {
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            let name = sample.split('{').next().expect("a name");
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|e| name.strip_suffix(e));
            let base = if kind == "histogram" { base.expect("of a histogram") } else { name };
            assert_eq!(base, helped, "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(seen.insert(sample.to_owned()), "{line} comes twice");
        }
    }
    declared
}

#[test]
fn health_and_metrics_are_shown_by_http() {
    let mut chain = chain("http: {listen: 127.0.0.1:0}\n");
    let address = pages(&chain);
    for open in ["/healthz", "/readyz"] {
        assert_eq!(get(&address, open, "*/*"), (200, "ok\n".to_owned()));
    }
    assert_eq!(get(&address, "/other", "*/*").0, 404);
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(error(&Bare::login(chain.port, "app", "wrong", 0).1).0, 1045);
    for _ in 0..3 {
        assert_eq!(ask(&mut client, STATEMENT), Ok(1));
    }
    assert_eq!(ask(&mut client, REFUSED).expect_err("no key").0, 1064);
    // Whoever knocked with a wrong password may still be on its way out.
    let text = (0..500).map(|_| get(&address, "/metrics", "text/plain").1);
    let text = text
        .inspect(|_| std::thread::sleep(std::time::Duration::from_millis(5)))
        .find(|text| sample(text, "dbtrail_shim_connections") == Some(1.0))
        .expect("one connection is open");
    for (name, want) in [
        ("dbtrail_shim_connections_opened_total", 2.0),
        ("dbtrail_shim_logins_total{outcome=\"let_in\",code=\"0\"}", 1.0),
        ("dbtrail_shim_logins_total{outcome=\"refused\",code=\"1045\"}", 1.0),
        ("dbtrail_shim_statements_total{class=\"_flashback\",code=\"0\"}", 3.0),
        ("dbtrail_shim_statements_total{class=\"_flashback\",code=\"1064\"}", 1.0),
        ("dbtrail_shim_statement_duration_seconds_count{class=\"_flashback\"}", 4.0),
        ("dbtrail_shim_first_row_duration_seconds_count", 3.0),
        ("dbtrail_shim_rows_total", 3.0),
        ("dbtrail_shim_reload_good", 1.0),
    ] {
        assert_eq!(sample(&text, name), Some(want), "{name} in {text}");
    }
    assert!(sample(&text, "dbtrail_shim_agent_requests_total{outcome=\"answered\"}") >= Some(3.0), "{text}");
    assert!(strict(&text).contains("dbtrail_shim_build_info"));
    let open = get(&address, "/metrics", "application/openmetrics-text; version=1.0.0").1;
    assert!(open.ends_with("# EOF\n") && open.contains("# UNIT dbtrail_shim_row_bytes bytes\n"), "{open}");
    // A file that is not taken shows.
    chain.configure(&chain.yaml.replace("server_id", "serverid"));
    chain.shim.hang_up();
    chain.shim.line("nothing is taken");
    let text = get(&address, "/metrics", "*/*").1;
    assert_eq!(sample(&text, "dbtrail_shim_reload_good"), Some(0.0));
    drop(client);
    chain.shim.terminate();
    assert_eq!(chain.shim.ended().code(), Some(0));
}

/// Every name that shim and agent can export.
fn exported() -> BTreeSet<String> {
    let at = Timestamp::now();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mysql-9.7/binlog.000003");
    let server_id = ServerId("s".to_owned());
    let history = dbtrail_history::History::read(server_id.clone(), &[file.into()]).expect("a recording");
    let handle = Arc::new(HistoryHandle::live(server_id, at));
    handle.set(Arc::new(history));
    handle.update(|live| {
        live.connected(Ok(()), at);
        (live.clock, live.disk_free) = (Some(at), Some(1));
        live.verification = Some(dbtrail_history::history_handle::Verification::default());
    });
    let mut text = String::new();
    dbtrail_shim::telemetry::metrics::metrics().write("1", &mut text);
    Local::new(handle, &ServeOptions::default()).metrics(&mut text);
    let mut names = BTreeSet::new();
    for declared in text.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
        let (name, kind) = declared.split_once(' ').expect("a type");
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        names.extend(endings.iter().map(|ending| format!("{name}{ending}")));
    }
    names
}

/// Names of metrics in a text.
fn used(text: &str) -> BTreeSet<String> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !of_name(c))
        .filter(|word| word.starts_with("dbtrail_shim_") || word.starts_with("dbtrail_agent_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn dashboard_and_alerts_use_what_is_exported_and_the_docs_name_it_all() {
    let exported = exported();
    let read = |path: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("it is there")
    };
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana-dashboard.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() >= 10));
    for (path, least) in [("deploy/grafana-dashboard.json", 12), ("deploy/prometheus-alerts.yaml", 8)] {
        let used = used(&read(path));
        assert!(used.len() >= least, "{path}: {used:?}");
        let unknown: Vec<_> = used.difference(&exported).collect();
        assert!(unknown.is_empty(), "{path}: nobody exports {unknown:?}");
    }
    let documented = used(&read("docs/operations.md"));
    let base = |name: &String| {
        let ending = ["_bucket", "_sum", "_count"].iter().find_map(|e| name.strip_suffix(e));
        ending.map_or_else(|| name.clone(), str::to_owned)
    };
    let all: BTreeSet<String> = exported.iter().map(base).collect();
    assert_eq!(documented, all, "docs/operations.md says what each metric means");
}

/// The lines of an audit log and of its full files.
fn lines(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("audit")) {
            let text = std::fs::read_to_string(path).expect("text");
            assert!(text.is_empty() || text.ends_with('\n'), "no half line");
            found.extend(text.lines().map(|l| serde_json::from_str::<Value>(l).expect("JSON")));
        }
    }
    found
}

#[test]
fn each_statement_has_one_line_in_the_audit_log() {
    const CLIENTS: usize = 4;
    const EACH: usize = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("audit.jsonl");
    let mut chain = chain(&format!("audit: {{file: {}, max_size: 64KiB, keep: 1000}}\n", file.display()));
    let port = chain.port;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            std::thread::spawn(move || {
                let (mut client, _) = Bare::login(port, "app", "pass-word", 0);
                for n in 0..EACH {
                    if n % 10 == 9 {
                        assert_eq!(ask(&mut client, REFUSED).expect_err("no key").0, 1064);
                    } else {
                        assert_eq!(ask(&mut client, STATEMENT), Ok(1));
                    }
                    // No line of these.
                    if n % 50 == 0 {
                        assert_eq!(ask(&mut client, b"\x03SET NAMES utf8mb4"), Ok(0));
                    }
                }
            })
        })
        .collect();
    // Moved away while it is written to, as logrotate does it.
    std::thread::sleep(std::time::Duration::from_millis(100));
    std::fs::rename(&file, folder.path().join("audit-moved")).expect("it is there");
    chain.shim.hang_up();
    for client in clients {
        client.join().expect("answered");
    }
    // Clients that go away at once are reported too.
    for _ in 0..20 {
        let (mut client, _) = Bare::login(port, "app", "pass-word", 0);
        client.send(0, STATEMENT);
    }
    chain.shim.terminate();
    assert_eq!(chain.shim.ended().code(), Some(0));
    let found = lines(folder.path());
    let of = |key: &str, value: &str| found.iter().filter(|l| l[key] == value).count();
    let answered = CLIENTS * EACH / 10 * 9;
    let vanished = found.len() - CLIENTS * EACH;
    // A statement that had not been read when its client was gone was none.
    assert!(vanished <= 20 && found.len() >= CLIENTS * EACH, "{} lines", found.len());
    assert_eq!(of("outcome", "failed"), CLIENTS * EACH / 10);
    assert!((answered..=answered + 20).contains(&of("outcome", "answered")));
    let ids: BTreeSet<&str> = found.iter().filter_map(|l| l["request"].as_str()).collect();
    assert_eq!(ids.len(), found.len(), "each has its own id");
    let one = found.iter().find(|l| l["outcome"] == "answered").expect("there are some");
    for (key, want) in [
        ("user", Value::from("app")),
        ("host", Value::from("127.0.0.1")),
        ("server_id", Value::from("shop-1")),
        ("kind", Value::from("_flashback")),
        ("table", Value::from("tt.orders")),
        ("instants", serde_json::json!(["2026-11-23T07:12:39.000000Z"])),
        ("keys", serde_json::json!({"columns": ["id"], "values": [["8"]]})),
        ("rows", Value::from(1)),
        ("error", Value::Null),
    ] {
        assert_eq!(one[key], want, "{key} in {one}");
    }
    let failed = found.iter().find(|l| l["outcome"] == "failed").expect("there are some");
    assert_eq!((&failed["error"], &failed["word"]), (&Value::from(1064), &Value::from("primary_key_needed")));
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert!(files > 3, "a file of 64 KiB was full more than once");
}

#[test]
fn nothing_is_answered_without_a_line_where_that_is_asked_for() {
    for (policy, code) in [("refuse", Some(1290)), ("go_on", None)] {
        let chain = chain(&format!(
            "audit: {{file: /dev/full, on_failure: {policy}}}\nhttp: {{listen: 127.0.0.1:0}}\n"
        ));
        let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
        assert_eq!(ask(&mut client, STATEMENT).err().map(|e| e.0), code, "{policy}");
        assert_eq!(ask(&mut client, b"\x03SET NAMES utf8mb4"), Ok(0));
        let text = get(&pages(&chain), "/metrics", "*/*").1;
        assert_eq!(sample(&text, "dbtrail_shim_audit_writable"), Some(0.0));
        assert!(sample(&text, "dbtrail_shim_audit_failures_total") >= Some(1.0));
    }
}
