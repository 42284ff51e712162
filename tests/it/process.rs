//! The command line as a process: what it prints, its exit codes, its signals.

use crate::program::{Bare, Program, chain, error, recording, said};
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

const GOOD: &str = "listen: 127.0.0.1:0\nagent_url: https://127.0.0.1:1\ntenants:\n  - {mysql_user: a, mysql_password: b, server_id: s}\n";

/// A file that only its owner may read, as tempfile makes them.
fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("room");
    let path = file.path().to_str().expect("UTF-8").to_owned();
    (file, path)
}

#[test]
fn version_and_help() {
    // After the version is the commit where the build knew it.
    let (code, version, err) = said(&["--version"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(version.starts_with(concat!("dbtrail-shim ", env!("CARGO_PKG_VERSION"))), "{version}");
    let (code, help, _) = said(&["--help"]);
    assert_eq!(code, Some(0));
    for word in ["serve", "check", "agent", "up", "demo", "proxysql-config", "doctor", "--config"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    let (code, _, err) = said(&[]);
    assert_eq!(
        (code, err.as_str()),
        (Some(1), "dbtrail-shim: --config FILE or a subcommand is needed; see --help\n")
    );
    assert_eq!(said(&["travel"]).0, Some(2));
}

#[test]
fn check_says_good_or_all_that_is_wrong() {
    let (_good, path) = file(GOOD);
    assert_eq!(said(&["check", "--config", &path]), (Some(0), format!("{path}: good\n"), String::new()));
    let (_bad, path) =
        file("listen: here\ntenants:\n  - mysql_user: a\n    colour: blue\n    server_id: s\n");
    let (code, out, err) = said(&["check", "--config", &path]);
    assert_eq!((code, out.as_str()), (Some(78), ""));
    let lines: Vec<&str> = err.lines().collect();
    for (line, want) in lines.iter().zip([
        "1: listen: ",
        "3: tenants[0]: exactly one of mysql_password, ",
        "3: tenants[0].agent_url: neither ",
        "4: tenants[0].colour: there is no such key",
    ]) {
        assert!(line.starts_with(&format!("mistake: {path}:{want}")), "{line} is not {want}");
    }
    assert_eq!(lines.len(), 4, "{err}");
    let (code, _, err) = said(&["check", "--config", "/nonexistent/shim.yaml"]);
    assert_eq!(code, Some(78));
    assert!(err.starts_with("mistake: /nonexistent/shim.yaml: the file cannot be read: "), "{err}");
}

#[test]
fn check_warns_of_what_is_allowed_and_unwise() {
    use std::os::unix::fs::PermissionsExt;
    let (held, path) =
        file(&GOOD.replace("https://127.0.0.1:1", "http://db.example:1").replace("127.0.0.1:0", "0.0.0.0:0"));
    held.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    let (code, _, err) = said(&["check", "--config", &path]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = err.lines().collect();
    for (line, want) in lines.iter().zip([
        "warning: listen: 0.0.0.0:0 can be reached from outside and tls is off".to_owned(),
        "warning: agent_url: http://db.example:1 is not encrypted".to_owned(),
        format!("warning: {path} holds secrets and others can read it (mode 644)"),
    ]) {
        assert!(line.starts_with(&want), "{line} is not {want}");
    }
    assert_eq!(lines.len(), 3, "{err}");
}

#[test]
fn serve_does_not_start_with_a_bad_file_or_without_its_port() {
    let (_bad, path) = file(&GOOD.replace("server_id", "serverid"));
    let (code, _, err) = said(&["serve", "--config", &path]);
    assert_eq!(code, Some(78));
    assert!(err.contains(&format!("mistake: {path}:4: tenants[0].serverid: there is no such key")), "{err}");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let (_good, path) = file(&GOOD.replace("127.0.0.1:0", &address));
    let (code, _, err) = said(&["--config", &path]);
    assert_eq!(code, Some(1));
    assert!(err.contains(&format!("listen: {address} cannot be listened on: ")), "{err}");
}

#[test]
fn sigterm_drains_and_ends_with_0() {
    let mut chain = chain("shutdown_grace: 300ms\n");
    let (mut client, ok) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(ok, [0, 0, 0, 2, 0, 0, 0]);
    chain.shim.terminate();
    // An idle connection is informed why it ends.
    assert_eq!(error(&client.packet()), (1053, "08S01".to_owned(), "Server shutdown in progress".to_owned()));
    assert_eq!(client.packet(), b"");
    assert_eq!(chain.shim.ended().code(), Some(0));
    // The client has not closed its end, so the grace period went by; but no statement ran. What
    // was written is read a little later.
    std::thread::sleep(Duration::from_millis(300));
    let reported = chain.shim.lines();
    assert!(!reported.iter().any(|line| line.contains("still ran")), "nothing ran: {reported:?}");
    chain.agent.terminate();
    assert_eq!(chain.agent.ended().code(), Some(0));
}

#[test]
fn agent_says_which_file_is_missing() {
    let (code, _, err) = said(&[
        "agent",
        "--binlog",
        "/nonexistent/binlog.000001",
        "--server-id",
        "s",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(code, Some(65));
    assert!(err.contains("/nonexistent/binlog.000001"), "{err}");
    let recording = recording();
    let path = recording.to_str().expect("UTF-8");
    let (code, _, err) = said(&["agent", "--binlog", path, "--server-id", "s", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(78));
    assert!(err.contains("will not listen on 0.0.0.0:0"), "{err}");
}

#[test]
fn demo_once_shows_an_incident_and_its_undo_and_ends() {
    let (code, out, err) = said(&["demo", "--listen", "127.0.0.1:0", "--once"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for line in [
        "mysql> SELECT id, customer, status, amount, updated_at FROM _flashback.orders AS OF '2026-11-23 22:05:56' WHERE id = 42;",
        "| 42 | Grace Hopper | paid   | 99.90  | 2026-11-23 22:05:55.463887 |",
        "FROM _history.transactions BETWEEN ",
        "| d0a3c9ca-e789-11f1-b800-02fc00000001:8 |",
        "| 41 | DELETE     | {",
        "| UPDATE     | ",
        "| INSERT INTO `shop`.`orders` (`id`, ",
        "FROM _snapshot.order_items AT GTID ",
        "-u demo -ptimetravel shop",
    ] {
        assert!(out.contains(line), "{line} in\n{out}");
    }
    // The picture in README shows what it writes; longer lines are cut where the terminal ends.
    let picture = include_str!("../../docs/pictures/terminal.svg");
    let shown = picture.lines().filter_map(|l| l.strip_prefix("<text ")?.strip_suffix("</text>"));
    let shown = shown.filter_map(|l| l.split_once('>')).map(|(_, text)| text.replace("&#160;", " "));
    let shown: Vec<String> = shown.map(|text| text.replace("&gt;", ">")).collect();
    assert!(shown.len() > 20, "{shown:?}");
    for line in shown.iter().filter(|line| !["$ dbtrail-shim demo", "..."].contains(&line.as_str())) {
        assert!(out.contains(line), "{line}, of the picture, in\n{out}");
    }
}

#[test]
fn demo_stays_until_it_is_asked_to_end() {
    let mut demo = Program::start(&["demo", "--listen", "127.0.0.1:0", "--ui", "127.0.0.1:0"]);
    let page = demo.line("/ui");
    let address = page.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/ui"));
    let asked = |path: &str, token: &str| {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address.expect("an address")).expect("a page");
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(asked("/ui", "nothing"), "HTTP/1.1 200 OK", "the page holds no row");
    assert_eq!(asked("/v1/servers/demo/schemas", "nothing"), "HTTP/1.1 401 Unauthorized");
    assert_eq!(asked("/v1/servers/demo/schemas", "timetravel"), "HTTP/1.1 200 OK");
    demo.line("Ctrl-C ends it.");
    demo.terminate();
    assert_eq!(demo.ended().code(), Some(0));
}

/// behaviour.md: 1226 at login, which ProxySQL neither counts nor retries; the others go on.
#[test]
fn a_full_server_says_1226_at_login() {
    let chain = chain("limits: {max_connections: 2}\n");
    let (mut first, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let (second, ok) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(ok, [0, 0, 0, 2, 0, 0, 0]);
    let full = (
        1226,
        "42000".to_owned(),
        "User 'app' has exceeded the 'max_user_connections' resource (current value: 2)".to_owned(),
    );
    let (mut third, refused) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(error(&refused), full);
    assert_eq!(third.packet(), b"", "the connection ends");
    // Only who has the right password learns that the server is full.
    let (_, refused) = Bare::login(chain.port, "app", "wrong", 0);
    assert_eq!(error(&refused).0, 1045);
    assert_eq!(first.command(b"\x0e"), [[0, 0, 0, 2, 0, 0, 0]], "those who are in go on");
    drop((second, third));
    // Somebody left, and the server takes the place back as soon as it has seen that.
    let again = (0..1000).find(|_| Bare::login(chain.port, "app", "pass-word", 0).1.first() == Some(&0));
    assert!(again.is_some());
}
