//! What goes around every request: its id, its token, its count, and the panic that must not go unanswered.

use super::answer;
use super::routes::Agent;
use crate::agent_api::{REQUEST_ID, code};
use crate::history::query::Refusal;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Longest request id that is echoed.
const MAX_ID: usize = 128;

/// Around every request.
pub(super) async fn around(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).filter(|v| v.len() <= MAX_ID).cloned();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let run = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = run.unwrap_or_else(|_| {
        tracing::error!(%path, "a request made the agent panic");
        let why = "the agent failed on this request; its log says more";
        answer::refusal(&Refusal::internal(why.to_owned()))
    });
    let status = response.status().as_u16();
    agent.metrics.count(status);
    let shown = id.as_ref().and_then(|v| v.to_str().ok()).unwrap_or("-");
    tracing::debug!(%method, %path, status, request_id = shown, "answered");
    if let Some(id) = id {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), id);
    }
    response
}

/// Around every request that shows rows or counts.
pub(super) async fn guarded(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    if agent.tokens.allow(request.headers()) {
        return next.run(request).await;
    }
    let mut response = answer::refusal(&Refusal::new(
        401,
        code::UNAUTHORIZED,
        "this agent wants one of its tokens: Authorization: Bearer <token>".to_owned(),
    ));
    response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
    response
}
