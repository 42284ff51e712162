//! `agent` and `agent status` as processes: agent.yaml, tokens that are rotated, and what a person
//! is shown.

use crate::program::{Program, recording, said};
use serde_json::Value;
use std::path::Path;

fn path(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// An agent on the recording by its agent.yaml, with the token `first`; and where it listens.
fn agent(folder: &Path, more: &str) -> (Program, String) {
    let (config, tokens) = (folder.join("agent.yaml"), folder.join("tokens"));
    std::fs::write(&tokens, "# ours\nfirst\n").expect("room");
    let yaml = format!(
        "server_id: shop-1\nlisten: 127.0.0.1:0\nbinlog: [{}]\ntoken_file: {}\n{more}",
        recording().display(),
        tokens.display()
    );
    std::fs::write(&config, yaml).expect("room");
    let agent = Program::start(&["agent", "--config", &path(&config)]);
    let line = agent.line("listens on http");
    let url = line.rsplit(' ').next().expect("an address").to_owned();
    (agent, url)
}

#[test]
fn agent_yaml_with_mistakes_is_reported_all_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("agent.yaml");
    std::fs::write(&config, "listen: here\nsource:\n  url: mysql://u:hidden@h\n  colour: blue\nkeep: long\n")
        .expect("room");
    let config = path(&config);
    let (code, out, err) = said(&["agent", "--config", &config]);
    assert_eq!((code, out.as_str()), (Some(78), ""));
    for (line, want) in err.lines().zip([
        "1: data: a source needs a folder",
        "1: listen: 'here' is not an address",
        "1: server_id: it is missing",
        "4: source.colour: there is no such key",
        "5: keep: 'long' is not a duration",
    ]) {
        assert!(line.starts_with(&format!("mistake: {config}:{want}")), "{line} is not {want}");
    }
    assert_eq!(err.lines().count(), 5, "{err}");
    assert!(!err.contains("hidden"), "{err}");
}

#[test]
fn an_agent_tells_how_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut agent, url) = agent(folder.path(), "");
    let tokens = path(&folder.path().join("tokens"));
    let (code, out, err) = said(&["agent", "status", "--url", &url, "--token-file", &tokens]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "server     shop-1",
            "state      read from log files",
            "record     from 2026-11-23T07:12:37.000000Z to 2026-11-23T07:16:27.000000Z"
        ]
    );
    assert!(
        out.contains("\ntables     5, 0 of them not readable now\n           tt.devices  from 2026-"),
        "{out}"
    );
    let (code, out, _) = said(&["agent", "status", "--url", &url, "--token-file", &tokens, "--json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, json["live"].as_bool(), json["tables"].as_array().map(Vec::len)),
        (Some(0), Some(false), Some(5))
    );
    let (code, _, err) = said(&["agent", "status", "--url", &url]);
    let want = format!("dbtrail-shim: {url} wants one of its tokens: --token-file FILE\n");
    assert_eq!((code, err), (Some(2), want));
    agent.terminate();
    assert_eq!(agent.ended().code(), Some(0));
    let (code, _, err) = said(&["agent", "status", "--url", &url]);
    assert!(code == Some(2) && err.starts_with(&format!("dbtrail-shim: {url}: ")), "{err}");
    let empty = tempfile::tempdir().expect("a folder");
    let (code, _, err) = said(&["agent", "status", "--data", &path(empty.path())]);
    assert!(code == Some(2) && err.contains("no agent runs on "), "{err}");
}

#[test]
fn a_token_that_is_taken_out_of_the_file_opens_nothing_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let (agent, url) = agent(folder.path(), "");
    let (tokens, mine) = (folder.path().join("tokens"), folder.path().join("mine"));
    let opens = |token: &str| {
        std::fs::write(&mine, token).expect("room");
        said(&["agent", "status", "--url", &url, "--token-file", &path(&mine)]).0 == Some(0)
    };
    assert_eq!([opens("first"), opens("second")], [true, false]);
    std::fs::write(&tokens, "second\n").expect("room");
    agent.hang_up();
    agent.line("tokens and certificate are read again");
    assert_eq!([opens("first"), opens("second")], [false, true]);
    std::fs::write(&tokens, "").expect("room");
    agent.hang_up();
    let line = agent.line("holds no token");
    assert!(line.contains("ERROR"), "{line}");
    assert!(opens("second"));
}

#[test]
fn up_says_what_is_wrong_with_its_arguments() {
    let arguments = ["up", "--source", "mysql://u:hidden@h", "--data", "/nonexistent/d", "--include", "shop"];
    let (code, out, err) = said(&arguments);
    let want = "mistake: --include: 'shop' is not a pattern of tables: write schema.table, with * for any characters (shop.*, *.orders)\n";
    assert_eq!((code, out.as_str(), err.as_str()), (Some(78), "", want));
    assert_eq!(said(&["up"]).0, Some(2));
}

#[test]
fn a_source_that_is_down_at_the_start_is_waited_for() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let source = format!("mysql://u@{}", gone.local_addr().expect("bound"));
    drop(gone);
    let folder = tempfile::tempdir().expect("a folder");
    let data = path(&folder.path().join("data"));
    let mut agent = Program::start(&[
        "agent",
        "--source",
        &source,
        "--data",
        &data,
        "--server-id",
        "s",
        "--listen",
        "127.0.0.1:0",
    ]);
    agent.line("listens on http://");
    let line = agent.line("it is waited for");
    assert!(line.contains("cannot be asked: "), "{line}");
    let (code, out, _) = said(&["agent", "status", "--data", &data]);
    assert_eq!(code, Some(2), "it cannot answer");
    assert!(out.contains("disconnected since") && out.contains("cannot be asked: "), "{out}");
    agent.terminate();
    assert_eq!(agent.ended().code(), Some(0));
    // Without anything but the source, and at once.
    let (code, _, err) = said(&["agent", "--source", &source, "--preflight-only"]);
    assert!(code == Some(69) && err.contains("cannot be asked: "), "{err}");
}
