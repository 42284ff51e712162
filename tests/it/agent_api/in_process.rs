//! Requests without a connection.

use super::{MIDDLE, TOKEN, agent, flashback, time};
use crate::truth_agent::history;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{Local, ServeOptions};
use dbtrail_types::secret::Secret;
use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Status and body of an answer without a connection.
pub(super) async fn inside(
    local: &Local,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> (StatusCode, String) {
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
