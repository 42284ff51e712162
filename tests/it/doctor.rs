//! `doctor` as a process: against a whole chain, against each broken link, and against a ProxySQL
//! whose admin port is played.

mod proxysql_admin;
mod proxysql_faults;

use crate::program::{Chain, chain, said};
use proxysql_admin::admin;
use proxysql_admin::proxysql_tables;
use proxysql_faults::{SELECT_FIRST, proxysql_faults};
use std::net::TcpListener;

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
