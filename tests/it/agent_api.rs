//! The agent over HTTP, held against `docs/agent-api.yaml`: every route, every error code, and real
//! answers against the schemas.

use crate::truth_agent::history;
use dbtrail_history::HistoryHandle;
use dbtrail_history::capture::Gap;
use dbtrail_history::history_handle::BaselineProgress;
use dbtrail_history::serve::{Certificate, Local, ServeOptions, Tokens, exposure, serve, tls_config};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use futures_util::StreamExt;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Version};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

const SPECIFICATION: &str = include_str!("../../docs/agent-api.yaml");
const TOKEN: &str = "the-token";

fn specification() -> Value {
    serde_saphyr::from_str(SPECIFICATION).expect("docs/agent-api.yaml is YAML")
}

/// A running agent; it stops when this is dropped.
struct Agent {
    address: SocketAddr,
    base: String,
    client: Client,
    task: JoinHandle<()>,
    stop: DropGuard,
}

async fn start(options: ServeOptions, scheme: &str, client: Client) -> Agent {
    let history_handle = Arc::new(HistoryHandle::fixed(history("mysql-9.7")));
    serving(history_handle, options, scheme, client).await
}

async fn serving(
    history_handle: Arc<HistoryHandle>,
    options: ServeOptions,
    scheme: &str,
    client: Client,
) -> Agent {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, history_handle, options, stop.clone()));
    Agent {
        address,
        base: format!("{scheme}://localhost:{}", address.port()),
        client,
        task,
        stop: stop.drop_guard(),
    }
}

async fn agent() -> Agent {
    let options = ServeOptions {
        tokens: vec![Secret::new("another".into()), Secret::new(TOKEN.into())].into(),
        ..ServeOptions::default()
    };
    start(options, "http", Client::new()).await
}

impl Agent {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(TOKEN)
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Vec<Value>) {
        answer(self.request(Method::POST, path).body(body.to_string())).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, mut lines) = answer(self.request(Method::GET, path)).await;
        (status, lines.remove(0))
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Vec<Value>) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a whole body");
    (status, text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect())
}

fn flashback(keys: &[&str], at: &Value) -> Value {
    let values: Vec<Vec<&str>> = keys.iter().map(|k| vec![*k]).collect();
    json!({"server_id": "truth", "schema": "tt", "table": "orders", "keys": {"columns": ["id"], "values": values}, "at": at})
}

fn time(text: &str) -> Value {
    json!({"time": text})
}

const MIDDLE: &str = "2026-11-23T07:12:55Z";

/// Whether `value` fits `schema`, by the part of JSON Schema that the document uses: where it does
/// not, and why.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema.get("$ref") {
        let pointer = reference.as_str().expect("text").trim_start_matches('#');
        return check(root, root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")), value, at);
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let fitting = choices.iter().filter(|c| check(root, c, value, at).is_ok()).count();
        return if fitting == 1 {
            Ok(())
        } else {
            Err(format!("{at}: {fitting} of {} forms fit {value}", choices.len()))
        };
    }
    if schema.get("const").is_some_and(|c| c != value)
        || schema.get("enum").and_then(Value::as_array).is_some_and(|e| !e.contains(value))
    {
        return Err(format!("{at}: {value} is not allowed"));
    }
    let fits = match schema.get("type").and_then(Value::as_str) {
        None => true,
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("type {other} is not checked here"),
    };
    if !fits {
        return Err(format!("{at}: {value} is not {}", schema["type"]));
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        check(root, &schema["items"], item, &format!("{at}[{i}]"))?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(required.as_str().expect("text")) {
            return Err(format!("{at}: {required} is missing"));
        }
    }
    for (name, value) in object {
        let property =
            schema["properties"].get(name).ok_or_else(|| format!("{at}: {name} is not in the document"))?;
        check(root, property, value, &format!("{at}.{name}"))?;
    }
    Ok(())
}

fn fits(schema: &str, value: &Value) {
    let root = specification();
    let schema = root
        .pointer(&format!("/components/schemas/{schema}"))
        .unwrap_or_else(|| panic!("no schema {schema}"));
    check(&root, schema, value, "answer").unwrap_or_else(|why| panic!("{why}"));
}

/// A refusal as the document has it for this route; gives its code.
fn refused(route: &str, method: &str, (status, lines): (StatusCode, Vec<Value>)) -> String {
    let body = &lines[0];
    fits("Error", body);
    let root = specification();
    let documented = &root["paths"][route][method]["responses"][status.as_str()];
    let reference = documented["$ref"]
        .as_str()
        .unwrap_or_else(|| panic!("{method} {route} has no {status} in the document: {body}"));
    let code = body["code"].as_str().expect("text").to_owned();
    let described = root.pointer(reference.trim_start_matches('#')).expect("a response")["description"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(described.contains(&format!("`{code}`")), "{code} is not documented for {status}");
    code
}

#[test]
fn the_document_knows_every_error_code_of_the_contract() {
    let source = include_str!("../../crates/types/src/agent_api.rs");
    let in_code: BTreeSet<String> = source
        .split("pub mod code {")
        .nth(1)
        .and_then(|m| m.split("\n}").next())
        .expect("the module")
        .lines()
        .filter_map(|l| l.split('"').nth(1).map(str::to_owned))
        .collect();
    let root = specification();
    let in_document: BTreeSet<String> =
        serde_json::from_value(root["components"]["schemas"]["Error"]["properties"]["code"]["enum"].clone())
            .expect("names");
    assert_eq!(in_code, in_document);
    let described: String = root["components"]["responses"]
        .as_object()
        .expect("responses")
        .values()
        .map(|r| r["description"].to_string())
        .collect();
    for code in in_code {
        assert!(described.contains(&format!("`{code}`")), "no response of the document says {code}");
    }
}

/// Status and body of an answer without a connection.
async fn inside(local: &Local, method: &str, path: &str, token: &str, body: &str) -> (StatusCode, String) {
    let request =
        hyper::Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    let request = request.header("x-request-id", "7").body(body.to_owned().into()).expect("a request");
    let response = local.answer(request).await;
    let status = response.status();
    assert_eq!(response.headers().get("x-request-id").expect("an id"), "7", "{path}");
    let chunks: Vec<_> = response.into_body().map(|chunk| chunk.expect("a chunk")).collect().await;
    (status, String::from_utf8(chunks.concat()).expect("text"))
}

#[tokio::test]
async fn who_asks_without_a_connection_is_answered_the_same() {
    let agent = agent().await;
    let options = ServeOptions { tokens: vec![Secret::new(TOKEN.into())].into(), ..ServeOptions::default() };
    let local = Local::new(Arc::new(HistoryHandle::fixed(history("mysql-9.7"))), &options);
    let good = flashback(&["1", "2"], &time(MIDDLE)).to_string();
    let window = json!({"server_id": "truth", "schema": "tt", "table": "orders", "keys": {"columns": ["id"], "values": [["1"]]},
        "since": "2026-11-23T07:12:50Z", "until": MIDDLE})
    .to_string();
    let long = format!("\"{}\"", "x".repeat(1024 * 1024));
    let mut seen = BTreeSet::new();
    for (method, path, token, body) in [
        ("POST", "/v1/flashback", TOKEN, good.as_str()),
        ("POST", "/v1/snapshot", TOKEN, &good),
        ("POST", "/v1/diff", TOKEN, &window),
        ("POST", "/v1/flashback", "wrong", &good),
        ("POST", "/v1/diff", "", &window),
        ("POST", "/v1/flashback", TOKEN, "no JSON"),
        ("POST", "/v1/snapshot", TOKEN, &long),
        ("POST", "/v1/diff", TOKEN, &good),
        ("GET", "/v1/flashback", TOKEN, ""),
        ("GET", "/v1/servers/truth/schemas", TOKEN, ""),
        ("GET", "/v1/servers/truth/schemas", "wrong", ""),
        ("GET", "/v1/nothing", TOKEN, ""),
    ] {
        let method_of = method.parse().expect("a method");
        let request = agent.client.request(method_of, format!("{}{path}", agent.base)).bearer_auth(token);
        let response = request.body(body.to_owned()).send().await.expect("an answer");
        let over_http = (response.status(), response.text().await.expect("a body"));
        assert_eq!(inside(&local, method, path, token, body).await, over_http, "{method} {path} {token}");
        seen.insert(over_http.0.as_u16());
    }
    assert_eq!(seen, BTreeSet::from([200, 400, 401, 404, 405, 413]));
}

#[tokio::test]
async fn who_asks_without_a_connection_has_a_slot_until_the_answer_is_read() {
    let options = ServeOptions { max_requests: 1, ..ServeOptions::default() };
    let local = Local::new(Arc::new(HistoryHandle::fixed(history("mysql-9.7"))), &options);
    let body = flashback(&["1"], &time(MIDDLE)).to_string();
    let request = || hyper::Request::post("/v1/flashback").body(body.clone().into()).expect("a request");
    let held = local.answer(request()).await;
    assert_eq!(held.status(), StatusCode::OK);
    let refused = local.answer(request()).await;
    assert_eq!(
        (refused.status(), refused.headers()["retry-after"].as_bytes()),
        (StatusCode::SERVICE_UNAVAILABLE, &b"1"[..])
    );
    drop(held);
    assert_eq!(local.answer(request()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_route_of_the_document_is_there() {
    let agent = agent().await;
    let root = specification();
    let paths = root["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 15);
    for (path, operations) in paths {
        let real =
            path.replace("{server_id}", "truth").replace("{schema}", "tt").replace("{table}", "orders");
        let (right, wrong) = if operations.get("post").is_some() {
            (Method::POST, Method::GET)
        } else {
            (Method::GET, Method::POST)
        };
        let response = agent.request(right, &real).send().await.expect("an answer");
        assert!(![404, 405].contains(&response.status().as_u16()), "{path}: {}", response.status());
        let (status, body) = answer(agent.request(wrong, &real)).await;
        assert_eq!((status.as_u16(), &body[0]["code"]), (405, &json!("method_not_allowed")), "{path}");
    }
    let (status, body) = agent.get("/v1/nothing").await;
    assert_eq!((status.as_u16(), &body["code"]), (404, &json!("not_found")));
    fits("Error", &body);
}

#[tokio::test]
async fn real_answers_fit_the_document() {
    let agent = agent().await;
    for path in ["/v1/flashback", "/v1/snapshot"] {
        let (status, lines) =
            agent.post(path, &flashback(&["1", "2", "3", "4", "77777"], &time(MIDDLE))).await;
        assert_eq!(status, 200);
        for line in &lines {
            fits("RowsLine", line);
        }
        fits("Header", &lines[0]);
        fits("End", lines.last().expect("a trailer"));
        assert!(lines.len() > 2, "no row in {lines:?}");
    }
    let mut diff = flashback(&["1", "2", "3", "4"], &Value::Null);
    let request = diff.as_object_mut().expect("an object");
    request.remove("at");
    request.insert("since".into(), json!("2026-11-23T07:12:38Z"));
    request.insert("until".into(), json!("2026-11-23T07:13:09Z"));
    fits("DiffRequest", &diff);
    let (status, lines) = agent.post("/v1/diff", &diff).await;
    assert_eq!(status, 200);
    for line in &lines {
        fits("DiffLine", line);
    }
    assert!(lines.iter().filter(|l| l.get("event").is_some()).count() > 5);
    assert!(
        lines.iter().any(|l| l.get("definition").is_some()),
        "the ALTER TABLE of the recording is in the window"
    );
    let net = json!({"server_id": "truth", "schema": "tt", "table": "orders",
        "span": {"window": {"since": "2026-11-23T07:12:38Z", "until": "2026-11-23T07:12:55Z"}}});
    fits("NetRequest", &net);
    let (status, lines) = agent.post("/v1/net_changes", &net).await;
    assert_eq!(status, 200, "{lines:?}");
    for line in &lines {
        fits("NetLine", line);
    }
    fits("NetHeader", &lines[0]);
    assert!(lines.iter().filter(|l| l.get("net").is_some()).count() > 2, "{lines:?}");
    let mut range = flashback(&[], &time(MIDDLE));
    range["keys"] =
        json!({"columns": ["id"], "range": {"prefix": [], "from": "1", "to": "20", "max_keys": 100}});
    fits("RowsRequest", &range);
    let (status, lines) = agent.post("/v1/flashback", &range).await;
    assert_eq!(status, 200, "{lines:?}");
    assert!(lines.len() > 4);
    for (path, schema) in [
        ("/v1/status", "Status"),
        ("/v1/servers/truth/schemas", "Schemas"),
        ("/v1/servers/truth/schemas/tt/tables", "Tables"),
        ("/v1/servers/truth/schemas/tt/tables/zoo", "TableAnswer"),
        ("/v1/servers/truth/schemas/tt/tables/orders?at=2026-11-23T07:12:55Z", "TableAnswer"),
    ] {
        let (status, body) = agent.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        fits(schema, &body);
    }
    let (_, tables) = agent.get("/v1/servers/truth/schemas/tt/tables").await;
    let names: Vec<&str> =
        tables["tables"].as_array().expect("tables").iter().filter_map(|t| t["table"].as_str()).collect();
    assert_eq!(names, ["devices", "order_items", "orders", "products", "zoo"]);
}

#[tokio::test]
async fn refusals_have_the_status_and_the_code_of_the_document() {
    let agent = agent().await;
    let good = flashback(&["1"], &time(MIDDLE));
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let values = |values: Value| json!({"columns": ["id"], "values": values});
    for (body, status, code) in [
        (with("server_id", json!("other")), 404, "unknown_server"),
        (with("server_id", Value::Null), 400, "missing_server_id"),
        (with("table", json!("nope")), 404, "unknown_table"),
        (with("at", time("yesterday")), 400, "malformed_timestamp"),
        (with("at", json!({"time": 7})), 400, "malformed_timestamp"),
        (with("at", json!({"gtid": "nonsense"})), 400, "malformed_gtid"),
        (with("at", json!({"gtid": "0-1-2"})), 400, "malformed_gtid"),
        (with("at", json!({"gtid": "00000000-0000-0000-0000-000000000000:1"})), 422, "out_of_range"),
        (with("at", time("2020-01-01T00:00:00Z")), 422, "out_of_range"),
        (with("at", time("2037-01-01T00:00:00Z")), 422, "out_of_range"),
        (with("at", json!({})), 400, "malformed_request"),
        (with("keys", values(json!([[1]]))), 400, "malformed_request"),
        (with("keys", values(json!([["x"]]))), 400, "malformed_request"),
        (with("keys", json!({"columns": ["customer"], "values": [["x"]]})), 422, "unsupported_key"),
        (with("keys", values(json!(vec![["1"]; 10_001]))), 422, "too_many_keys"),
        (with("surprise", json!(1)), 400, "malformed_request"),
        (json!([]), 400, "missing_server_id"),
    ] {
        let answer = agent.post("/v1/flashback", &body).await;
        assert_eq!((answer.0.as_u16(), answer.1[0]["code"].as_str()), (status, Some(code)), "{:?}", answer.1);
        refused("/v1/flashback", "post", answer);
    }
    let (_, lines) = agent.post("/v1/flashback", &with("at", time("2037-01-01T00:00:00Z"))).await;
    assert_eq!(lines[0]["asked"], "2037-01-01T00:00:00.000000Z");
    assert_eq!(
        (&lines[0]["oldest"], &lines[0]["newest"]),
        (&json!("2026-11-23T07:12:37.000000Z"), &json!("2026-11-23T07:16:27.000000Z"))
    );
    let raw = |body: Vec<u8>| answer(agent.request(Method::POST, "/v1/diff").body(body));
    assert_eq!(refused("/v1/diff", "post", raw(b"{\"server_id\":".to_vec()).await), "malformed_request");
    assert_eq!(refused("/v1/diff", "post", raw(vec![b' '; 1024 * 1024 + 1]).await), "body_too_large");
    for (path, code) in [
        ("/v1/servers/other/schemas", "unknown_server"),
        ("/v1/servers/truth/schemas/nope/tables", "unknown_table"),
        ("/v1/servers/truth/schemas/tt/tables/nope", "unknown_table"),
        ("/v1/servers/truth/schemas/tt/tables/orders?at=x", "malformed_timestamp"),
        ("/v1/servers/truth/schemas/tt/tables/orders?nonsense=x", "malformed_request"),
        ("/v1/servers/truth/schemas/tt/tables/orders?at=2037-01-01T00:00:00Z", "out_of_range"),
    ] {
        let (_, body) = agent.get(path).await;
        fits("Error", &body);
        assert_eq!(body["code"], code, "{path}");
    }
}

#[tokio::test]
async fn a_token_opens_the_door_and_nothing_else_does() {
    let agent = agent().await;
    for given in [None, Some(""), Some("wrong"), Some("the-toke"), Some("the-token2")] {
        let mut request = agent.client.get(format!("{}/v1/servers/truth/schemas", agent.base));
        if let Some(given) = given {
            request = request.header("authorization", format!("Bearer {given}"));
        }
        assert_eq!(
            refused("/v1/servers/{server_id}/schemas", "get", answer(request).await),
            "unauthorized",
            "{given:?}"
        );
    }
    for open in ["/healthz", "/readyz"] {
        let response = agent.client.get(format!("{}{open}", agent.base)).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
    }
    for closed in ["/metrics", "/v1/status"] {
        let response = agent.client.get(format!("{}{closed}", agent.base)).send().await.expect("an answer");
        assert_eq!(response.status(), 401, "{closed}");
    }
    let metrics =
        agent.request(Method::GET, "/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("dbtrail_agent_requests_total{outcome=\"refused\"} 7\n"), "{metrics}");
    assert!(metrics.contains("dbtrail_agent_tables 5\n"), "{metrics}");
    let response = agent
        .request(Method::GET, "/healthz")
        .header("x-request-id", "7-42")
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.headers()["x-request-id"], "7-42");
}

#[tokio::test]
async fn https_speaks_http_2_and_http_1() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let tls =
        tls_config(key.cert.pem().as_bytes(), key.signing_key.serialize_pem().as_bytes()).expect("fits");
    let options = ServeOptions { tls: Some(tls.into()), ..ServeOptions::default() };
    let root = reqwest::Certificate::from_pem(key.cert.pem().as_bytes()).expect("a certificate");
    let client = Client::builder().tls_certs_only([root.clone()]).build().expect("a client");
    let agent = start(options, "https", client).await;
    let response = agent.request(Method::GET, "/v1/servers/truth/schemas").send().await.expect("an answer");
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
    let old = Client::builder().tls_certs_only([root]).http1_only().build().expect("a client");
    let response = old.get(format!("{}/healthz", agent.base)).send().await.expect("an answer");
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_11, 200));
}

#[test]
fn certificate_and_key_must_be_given_and_fit() {
    let pem = |_| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        (made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes())
    };
    let [(certificate, key), (_, other)] = [0, 1].map(pem);
    assert!(tls_config(&certificate, &key).is_ok());
    assert!(tls_config(&certificate, &other).is_err());
    assert!(tls_config(&key, &key).is_err());
    assert!(tls_config(&certificate, &certificate).is_err());
}

#[test]
fn rows_are_not_offered_to_the_network_by_accident() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let tls = tls_config(key.cert.pem().as_bytes(), key.signing_key.serialize_pem().as_bytes())
        .ok()
        .map(Certificate::from);
    let tokens: Tokens = vec![Secret::new(TOKEN.into())].into();
    let open = ServeOptions::default();
    let network = SocketAddr::from(([0, 0, 0, 0], 8600));
    assert!(exposure(SocketAddr::from(([127, 0, 0, 1], 8600)), &open).is_none());
    assert!(exposure(network, &open).is_some());
    assert!(exposure(network, &ServeOptions { tokens: tokens.clone(), ..ServeOptions::default() }).is_some());
    assert!(exposure(network, &ServeOptions { tls: tls.clone(), ..ServeOptions::default() }).is_some());
    assert!(exposure(network, &ServeOptions { tls, tokens, ..ServeOptions::default() }).is_none());
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_the_task() {
    let agent = agent().await;
    let mut idle = TcpStream::connect(agent.address).await.expect("a connection");
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut buffer = [0; 1024];
    assert!(idle.read(&mut buffer).await.expect("an answer") > 0);
    drop(agent.stop);
    agent.task.await.expect("it ends");
    assert_eq!(idle.read(&mut buffer).await.expect("closed"), 0);
}

/// An agent that captures, without a token.
async fn living(history_handle: &Arc<HistoryHandle>) -> Agent {
    serving(Arc::clone(history_handle), ServeOptions::default(), "http", Client::new()).await
}

async fn ready(agent: &Agent) -> (u16, String) {
    let response = agent.request(Method::GET, "/readyz").send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("text"))
}

#[tokio::test]
async fn a_history_that_changes_is_served_as_it_is_at_each_request() {
    let now = Timestamp::now();
    let history_handle = Arc::new(HistoryHandle::live(ServerId("truth".to_owned()), now));
    let agent = living(&history_handle).await;
    let (status, lines) = ready(&agent).await;
    assert_eq!(status, 503);
    assert_eq!(
        lines,
        format!(
            "the record has not begun\ndisconnected from the server since {now}: the agent is starting\nno instant of the server is known yet\n"
        )
    );
    let code = refused(
        "/v1/servers/{server_id}/schemas",
        "get",
        answer(agent.request(Method::GET, "/v1/servers/truth/schemas")).await,
    );
    assert_eq!(code, "not_ready");
    let code = refused(
        "/v1/flashback",
        "post",
        agent.post("/v1/flashback", &flashback(&["1"], &time(MIDDLE))).await,
    );
    assert_eq!(code, "not_ready");
    let (_, status) = agent.get("/v1/status").await;
    fits("Status", &status);
    assert_eq!(
        (&status["live"], &status["connected"], &status["oldest"]),
        (&json!(true), &json!(false), &Value::Null)
    );

    history_handle.set(history("mysql-9.7"));
    history_handle.update(|live| {
        live.connected(Ok(()), now);
        live.clock = Some(now);
        live.baseline = BaselineProgress { done: 2, total: 5, rows: 1000 };
        live.gaps = vec![Gap { from: now, to: now, reason: "the server purged binlog.000007".to_owned() }];
    });
    assert_eq!(agent.post("/v1/flashback", &flashback(&["1"], &time(MIDDLE))).await.0, 200);
    let (status, lines) = ready(&agent).await;
    let gap = format!("gap from {now} to {now}: the server purged binlog.000007");
    assert_eq!((status, lines), (200, format!("ok\nbaseline: 2 of 5 tables, 1000 rows\n{gap}\n")));
    let (_, status) = agent.get("/v1/status").await;
    fits("Status", &status);
    assert_eq!(status["baseline"], json!({"done": 2, "total": 5, "rows": 1000}));
    assert_eq!(status["tables"].as_array().map(Vec::len), Some(5));
    assert_eq!(status["gaps"][0]["reason"], "the server purged binlog.000007");

    let before = Timestamp::from_micros(now.micros() - 3_600_000_000);
    history_handle.update(|live| live.clock = Some(before));
    let (status, lines) = ready(&agent).await;
    assert!(status == 200 && lines.starts_with("ok\nlag of 36"), "{lines}");
    history_handle.update(|live| live.connected(Err("connection reset".to_owned()), now));
    let (_, lines) = ready(&agent).await;
    assert!(
        lines.starts_with(&format!("ok\ndisconnected from the server since {now}: connection reset\n")),
        "{lines}"
    );
}

#[tokio::test]
async fn what_the_server_said_is_asked_to_those_who_have_a_token() {
    let now = Timestamp::now();
    let history_handle = Arc::new(HistoryHandle::live(ServerId("truth".to_owned()), now));
    history_handle.set(history("mysql-9.7"));
    history_handle.update(|live| live.connected(Err("access denied for 'repl'@'10.0.0.7'".to_owned()), now));
    let tokens: Tokens = vec![Secret::new(TOKEN.into())].into();
    let options = ServeOptions { tokens, ..ServeOptions::default() };
    let agent = serving(history_handle, options, "http", Client::new()).await;
    let open = agent.client.get(format!("{}/readyz", agent.base)).send().await.expect("an answer");
    let open = open.text().await.expect("text");
    assert!(open.starts_with("ok\ndisconnected") && !open.contains("denied"), "{open}");
    assert!(ready(&agent).await.1.contains("access denied for 'repl'"));
}

#[tokio::test]
async fn requests_beyond_the_limit_are_asked_to_come_again() {
    let options = ServeOptions { max_requests: 2, ..ServeOptions::default() };
    let local = Local::new(Arc::new(HistoryHandle::fixed(history("mysql-9.7"))), &options);
    let body = flashback(&["1"], &time(MIDDLE)).to_string();
    // Two answers that nobody has read yet.
    let mut held = Vec::new();
    for _ in 0..2 {
        let request = hyper::Request::post("/v1/flashback").body(body.clone().into()).expect("a request");
        held.push(local.answer(request).await);
        assert_eq!(held.last().map(hyper::Response::status), Some(StatusCode::OK));
    }
    let schemas = "/v1/servers/truth/schemas";
    let request = hyper::Request::get(schemas).body(Vec::new().into()).expect("a request");
    let response = local.answer(request).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"1".parse().expect("text"))
    );
    let (status, text) = inside(&local, "GET", schemas, TOKEN, "").await;
    let again = (status, vec![serde_json::from_str::<Value>(&text).expect("JSON")]);
    assert_eq!(again.1[0]["error"], "this agent answers 2 requests at a time: ask again in a second");
    assert_eq!(refused("/v1/servers/{server_id}/schemas", "get", again), "overloaded");
    for watched in ["/healthz", "/readyz", "/metrics", "/v1/status"] {
        let answer = inside(&local, "GET", watched, TOKEN, "").await;
        assert_eq!(answer.0, 200, "{watched} is for those who look why");
    }
    let metrics = inside(&local, "GET", "/metrics", TOKEN, "").await.1;
    assert!(metrics.contains("dbtrail_agent_requests_in_flight 2\n"), "{metrics}");
    assert!(metrics.contains("dbtrail_agent_requests_turned_away_total 2\n"), "{metrics}");
    held.remove(0);
    assert_eq!(inside(&local, "GET", schemas, TOKEN, "").await.0, 200, "a place is free again");
}

#[tokio::test]
async fn tokens_are_rotated_without_a_restart() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{TOKEN}\nold\n")).expect("room");
    let tokens = Tokens::from_file(file.path()).expect("two tokens");
    let agent =
        start(ServeOptions { tokens: tokens.clone(), ..ServeOptions::default() }, "http", Client::new())
            .await;
    let opens = async |token: &str| {
        let request = agent.client.get(format!("{}/v1/status", agent.base)).bearer_auth(token);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!([opens(TOKEN).await, opens("old").await, opens("new").await], [200, 200, 401]);
    std::fs::write(file.path(), format!("{TOKEN}\nnew\n")).expect("room");
    assert!(tokens.take_over(&Tokens::from_file(file.path()).expect("two tokens")));
    assert_eq!([opens(TOKEN).await, opens("old").await, opens("new").await], [200, 401, 200]);
    std::fs::write(file.path(), "").expect("room");
    assert!(Tokens::from_file(file.path()).is_err());
    assert_eq!([opens(TOKEN).await, opens("new").await, opens("").await], [200, 200, 401]);
}
