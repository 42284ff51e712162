//! `POST /v1/doubt`: what is taken and what is not. What comes of it is tried beside a real server:
//! `tests/real/verify.py`.

use crate::program::said;
use crate::truth_agent::history;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{Local, ServeOptions};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;

fn doubt() -> Value {
    json!({"server_id": "truth", "table": {"schema": "tt", "table": "orders"}, "since": "2026-11-23T07:13:00Z", "reason": "id = 5 \u{1b}[2J"})
}

async fn asked(handle: &Arc<HistoryHandle>, body: &Value) -> (u16, Value) {
    asked_with(handle, body, "doubting").await
}

async fn asked_with(handle: &Arc<HistoryHandle>, body: &Value, token: &str) -> (u16, Value) {
    let tokens = |token: &str| vec![Secret::new(token.to_owned())].into();
    let options = ServeOptions {
        tokens: tokens("reading"),
        doubt_tokens: (token != "nobody").then(|| tokens("doubting")),
        ..ServeOptions::default()
    };
    let local = Local::new(Arc::clone(handle), &options);
    let request = hyper::Request::post("/v1/doubt")
        .header("authorization", format!("Bearer {token}"))
        .body(body.to_string().into())
        .expect("a request");
    let answer = local.answer(request).await;
    let status = answer.status().as_u16();
    let bytes: Vec<_> = answer.into_body().map(|chunk| chunk.expect("a chunk")).collect().await;
    (status, serde_json::from_slice(&bytes.concat()).expect("JSON"))
}

#[tokio::test]
async fn a_table_of_a_capture_can_be_put_in_doubt() {
    let handle = Arc::new(HistoryHandle::live(ServerId("truth".to_owned()), Timestamp::now()));
    assert_eq!(asked(&handle, &doubt()).await.1["code"], "not_ready");
    handle.set(history("mysql-9.7"));
    assert_eq!(asked(&handle, &doubt()).await, (200, json!({"success": true})));
    let taken = handle.take_doubts();
    assert_eq!((taken.len(), taken[0].reason.as_str()), (1, "id = 5  [2J"));
    assert_eq!(taken[0].since.to_string(), "2026-11-23T07:13:00.000000Z");
    let mut early = doubt();
    early["since"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(asked(&handle, &early).await.0, 200);
    assert_eq!(handle.take_doubts()[0].since.to_string(), "2026-11-23T07:12:37.000000Z", "its beginning");
    for (name, value, status, code) in [
        ("server_id", json!("other"), 404, "unknown_server"),
        ("table", json!({"schema": "tt", "table": "none"}), 404, "unknown_table"),
        ("since", json!("2037-01-01T00:00:00Z"), 400, "malformed_request"),
        ("since", json!("soon"), 400, "malformed_timestamp"),
        ("reason", json!(" "), 400, "malformed_request"),
        ("reason", json!("x".repeat(1001)), 400, "malformed_request"),
        ("more", json!(1), 400, "malformed_request"),
    ] {
        let mut body = doubt();
        body[name] = value;
        let (got, reported) = asked(&handle, &body).await;
        assert_eq!((got, reported["code"].as_str()), (status, Some(code)), "{body}: {reported}");
    }
    assert!(handle.take_doubts().is_empty());
    for n in 0..1001 {
        assert_eq!(asked(&handle, &doubt()).await.0, if n < 1000 { 200 } else { 503 }, "{n}");
    }
}

#[tokio::test]
async fn a_token_that_reads_puts_nothing_in_doubt() {
    let handle = Arc::new(HistoryHandle::live(ServerId("truth".to_owned()), Timestamp::now()));
    handle.set(history("mysql-9.7"));
    for (token, status) in [("reading", 403), ("other", 401), ("nobody", 401)] {
        let (got, reported) = asked_with(&handle, &doubt(), token).await;
        assert_eq!((got, reported["code"].as_str()), (status, Some("unauthorized")), "{token}: {reported}");
    }
    assert!(handle.take_doubts().is_empty());
}

#[tokio::test]
async fn a_history_of_log_files_takes_no_doubt() {
    let handle = Arc::new(HistoryHandle::fixed(history("mysql-9.7")));
    let (status, reported) = asked(&handle, &doubt()).await;
    assert_eq!((status, reported["code"].as_str()), (404, Some("not_found")), "{reported}");
}

#[test]
fn verify_says_what_it_needs() {
    let arguments = ["verify", "--agent", "http://127.0.0.1:1", "--source", "mysql://u@127.0.0.1:1"];
    let (code, out, err) = said(&arguments);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.starts_with("dbtrail-shim: verify: the source: "), "{err}");
    assert_eq!(said(&["verify", "--agent", "http://127.0.0.1:1"]).0, Some(2));
    let (code, _, err) = said(&[&arguments[..], &["--table", "orders"]].concat());
    assert!(code == Some(2) && err.contains("write schema.table"), "{err}");
}
