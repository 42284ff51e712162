//! One agent for several servers (`sources`): each answers under its own name, to its own tokens,
//! and what one of them lacks is said of that one.

use crate::program::{Program, said};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn recorded(fixture: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture).join("binlog.000003")
}

/// Three of log files, the last of which are not there, and one with a server that is not there;
/// the first has tokens of its own.
struct Several {
    folder: tempfile::TempDir,
    agent: Program,
    url: String,
}

impl Several {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let down = gone.local_addr().expect("bound");
        drop(gone);
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("room");
            path.to_str().expect("UTF-8").to_owned()
        };
        let (all, own) = (file("tokens", "all-1\n"), file("own", "own-1\n"));
        let (mysql, mariadb) = (recorded("mysql-9.7"), recorded("mariadb-10.11"));
        let yaml = format!(
            "listen: 127.0.0.1:0\ndata: {data}\ntoken_file: {all}\nsources:\n\
             - {{server_id: shop, binlog: [{mysql}], token_file: {own}}}\n\
             - {{server_id: crm, binlog: [{mariadb}]}}\n\
             - {{server_id: lost, binlog: [/nonexistent/binlog.000001]}}\n\
             - {{server_id: down, url: 'mysql://u@{down}'}}\n",
            data = folder.path().join("data").display(),
            mysql = mysql.display(),
            mariadb = mariadb.display(),
        );
        let config = file("agent.yaml", &yaml);
        let agent = Program::start(&["agent", "--config", &config]);
        let url = agent.line("listens on http").rsplit(' ').next().expect("an address").to_owned();
        // Both of the files are read, and what cannot be is said.
        for server in ["shop", "crm"] {
            agent.find("the record of each", |line| {
                line.contains("the record goes from") && line.contains(&format!("server_id={server}"))
            });
        }
        for (server, why) in [("lost", "the log files are not read"), ("down", "cannot be asked")] {
            agent.find(why, |line| line.contains(why) && line.contains(&format!("server_id={server}")));
        }
        Self { folder, agent, url }
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (StatusCode, String) {
        let request = Client::new().get(format!("{}{path}", self.url));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.expect("an answer");
        (response.status(), response.text().await.expect("a whole body"))
    }

    async fn json(&self, path: &str, token: &str) -> (StatusCode, Value) {
        let (status, text) = self.get(path, Some(token)).await;
        (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
    }

    async fn row(&self, server: &str, token: &str) -> (StatusCode, Vec<Value>) {
        let mut asked = json!({
            "server_id": server, "schema": "tt", "table": "orders",
            "keys": {"columns": ["id"], "values": [["1"]]}, "at": {"time": "2026-11-23T07:12:55Z"},
        });
        if server.is_empty() {
            asked.as_object_mut().expect("an object").remove("server_id");
        }
        let request = Client::new().post(format!("{}/v1/flashback", self.url)).bearer_auth(token);
        let response = request.body(asked.to_string()).send().await.expect("an answer");
        let status = response.status();
        let text = response.text().await.expect("a whole body");
        (status, text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
    }

    fn status(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let tokens = self.folder.path().join("tokens");
        let mut arguments = vec!["agent", "status", "--url", &self.url, "--token-file"];
        arguments.push(tokens.to_str().expect("UTF-8"));
        arguments.extend(more);
        said(&arguments)
    }
}

#[tokio::test]
async fn each_server_answers_under_its_name_and_to_its_tokens() {
    let mut several = Several::start();
    let names = |all: &Value| -> Vec<String> {
        let servers = all["servers"].as_array().expect("a list");
        servers.iter().map(|one| one["server_id"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&several.json("/v1/servers", "all-1").await.1), ["shop", "crm", "lost", "down"]);
    assert_eq!(names(&several.json("/v1/servers", "own-1").await.1), ["shop"]);
    assert_eq!(several.get("/v1/servers", Some("other")).await.0, StatusCode::UNAUTHORIZED);

    for (path, token, status, what) in [
        ("/v1/status?server_id=crm", "all-1", 200, "crm"),
        ("/v1/status", "own-1", 200, "shop"),
        ("/v1/status", "all-1", 400, "missing_server_id"),
        ("/v1/status?server_id=crm", "own-1", 404, "unknown_server"),
        ("/v1/status?server_id=none", "all-1", 404, "unknown_server"),
        ("/v1/servers/none/schemas", "all-1", 404, "unknown_server"),
        ("/v1/servers/crm/schemas", "own-1", 404, "unknown_server"),
        ("/v1/servers/down/schemas", "all-1", 503, "not_ready"),
    ] {
        let (found, body) = several.json(path, token).await;
        let word = body["code"].as_str().or(body["server_id"].as_str());
        assert_eq!((found.as_u16(), word), (status, Some(what)), "{path} with {token}: {body}");
    }
    for server in ["shop", "crm"] {
        let (status, body) = several.json(&format!("/v1/servers/{server}/schemas"), "all-1").await;
        assert_eq!((status, &body["schemas"]), (StatusCode::OK, &json!(["tt"])), "{server}");
    }

    // Rows come from the history that is named: the two recordings differ in their times.
    let (status, shop) = several.row("shop", "own-1").await;
    assert_eq!(status, StatusCode::OK, "{shop:?}");
    assert_eq!(several.row("shop", "all-1").await.1, shop);
    let (status, crm) = several.row("crm", "all-1").await;
    assert_ne!((status, &crm), (StatusCode::OK, &shop), "another server's row");
    for (server, token, status, word) in [
        ("crm", "own-1", 404, "unknown_server"),
        ("none", "all-1", 404, "unknown_server"),
        ("lost", "all-1", 503, "not_ready"),
        ("", "all-1", 400, "missing_server_id"),
    ] {
        let (found, body) = several.row(server, token).await;
        assert_eq!((found.as_u16(), body[0]["code"].as_str()), (status, Some(word)), "{server}: {body:?}");
    }
    several.agent.terminate();
    assert_eq!(several.agent.ended().code(), Some(0));
}

#[tokio::test]
async fn what_one_lacks_is_said_of_that_one() {
    let several = Several::start();
    let (status, lines) = several.get("/readyz", Some("all-1")).await;
    assert_eq!(status, StatusCode::OK, "{lines}");
    let has = |line: &str| lines.lines().any(|own| own.starts_with(line));
    assert!(lines.starts_with("ok\n") && has("shop: ok") && has("crm: ok"), "{lines}");
    assert!(
        has("lost: the record has not begun") && has("lost: the history is not written: the log files"),
        "{lines}"
    );
    assert!(
        has("down: the record has not begun") && has("down: disconnected from the server since "),
        "{lines}"
    );
    // Who has no token learns no name and no reason.
    let (_, lines) = several.get("/readyz", None).await;
    assert!(lines.contains("sources[3]: disconnected from the server since "), "{lines}");
    assert!(!lines.contains("down") && !lines.contains("nonexistent"), "{lines}");
    for (server, status) in [("shop", 200), ("down", 503), ("none", 404)] {
        let path = format!("/readyz?server_id={server}");
        assert_eq!(several.get(&path, Some("all-1")).await.0.as_u16(), status, "{server}");
    }

    let (_, text) = several.get("/metrics", Some("all-1")).await;
    for line in [
        "dbtrail_agent_tables{server_id=\"shop\"} 5\n",
        "dbtrail_agent_tables{server_id=\"crm\"} 5\n",
        "dbtrail_agent_connected{server_id=\"down\"} 0\n",
        "dbtrail_agent_requests_in_flight{server_id=\"shop\"} 0\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(text.matches("# TYPE dbtrail_agent_tables gauge").count(), 1);
    let (_, own) = several.get("/metrics", Some("own-1")).await;
    assert!(own.contains("{server_id=\"shop\"}") && !own.contains("\"crm\""), "{own}");

    let (code, out, _) = several.status(&[]);
    let servers: Vec<&str> = out.lines().filter(|line| line.starts_with("server ")).collect();
    assert_eq!(servers, ["server     shop", "server     crm", "server     lost", "server     down"]);
    assert_eq!(code, Some(2), "the worst of them");
    let (code, out, _) = several.status(&["--server-id", "crm"]);
    assert!(code == Some(0) && out.starts_with("server     crm\nstate      read from log files\n"), "{out}");
    let (code, out, err) = several.status(&["--server-id", "none"]);
    assert!(code == Some(2) && out.is_empty() && err.contains("no history of server 'none'"), "{err}");
    let (code, out, _) = several.status(&["--json"]);
    let all: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, all.as_array().map(Vec::len)), (Some(2), Some(4)));
    assert_eq!(all[3]["connected"], json!(false));
}

#[test]
fn a_dump_names_the_server() {
    let several = Several::start();
    let tokens = several.folder.path().join("tokens");
    let dump = |more: &[&str]| {
        let mut arguments = vec!["dump", "--agent", &several.url, "--token-file"];
        arguments.push(tokens.to_str().expect("UTF-8"));
        arguments.extend(["--table", "tt.orders", "--as-of", "2026-11-23 07:12:55", "--format", "csv"]);
        arguments.extend(more);
        said(&arguments)
    };
    let (code, _, err) = dump(&[]);
    assert!(code == Some(1) && err.contains("name one") && err.contains("--server-id ID"), "{code:?} {err}");
    let (code, out, err) = dump(&["--server-id", "shop"]);
    assert!(code == Some(0) && out.starts_with("id,"), "{out} {err}");
    let (code, _, err) = dump(&["--server-id", "none"]);
    assert!(code == Some(1) && err.contains("no history of server 'none'"), "{err}");
}
