//! The agent over HTTP, held against `docs/agent-api.yaml`: every route, every error code, and real
//! answers against the schemas.

mod changing;
mod document;
mod in_process;

use crate::truth_agent::history;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::Certificate;
use dbtrail_history::serve::ServeOptions;
use dbtrail_history::serve::Tokens;
use dbtrail_history::serve::exposure;
use dbtrail_history::serve::serve;
use dbtrail_history::serve::tls_config;
use dbtrail_types::secret::Secret;
use document::refused;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Version};
use serde_json::{Value, json};
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
    assert!(exposure(SocketAddr::from(([127, 0, 0, 1], 8600)), &open, true).is_none());
    assert!(exposure(network, &open, true).is_some());
    assert!(
        exposure(network, &ServeOptions { tokens: tokens.clone(), ..ServeOptions::default() }, false)
            .is_some()
    );
    assert!(exposure(network, &ServeOptions { tls: tls.clone(), ..ServeOptions::default() }, true).is_some());
    assert!(exposure(network, &ServeOptions { tls, tokens, ..ServeOptions::default() }, false).is_none());
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
