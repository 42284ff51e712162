//! A history that changes, and tokens and limits of requests.

use super::document::{fits, refused};
use super::in_process::inside;
use super::{Agent, MIDDLE, TOKEN, answer, flashback, serving, start, time};
use crate::truth_agent::history;
use dbtrail_history::HistoryHandle;
use dbtrail_history::capture::{Disconnected, Gap};
use dbtrail_history::history_handle::BaselineProgress;
use dbtrail_history::serve::{Local, ServeOptions, Tokens};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

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
    history_handle
        .update(|live| live.connected(Err(Disconnected::NotReady("connection reset".to_owned())), now));
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
    history_handle.update(|live| {
        live.connected(Err(Disconnected::NotReady("access denied for 'repl'@'10.0.0.7'".to_owned())), now);
    });
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
async fn questions_for_rows_count_for_the_token_that_they_came_with() {
    let tokens = ["one", "two"].map(|token| Secret::new(token.to_owned())).to_vec();
    let options = ServeOptions { max_requests: 4, tokens: tokens.into(), ..ServeOptions::default() };
    let local = Local::new(Arc::new(HistoryHandle::fixed(history("mysql-9.7"))), &options);
    let body = flashback(&["1"], &time(MIDDLE)).to_string();
    // Nobody reads them.
    let mut held = Vec::new();
    for (token, status) in
        [("one", 200), ("one", 200), ("one", 200), ("one", 503), ("two", 200), ("two", 503)]
    {
        let request =
            hyper::Request::post("/v1/flashback").header("authorization", format!("Bearer {token}"));
        held.push(local.answer(request.body(body.clone().into()).expect("a request")).await);
        assert_eq!(held.last().map(|answer| answer.status().as_u16()), Some(status), "{token}");
    }
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
