//! What goes around every request: its id, its token, its count, and the panic that must not go
//! unanswered.

use super::agent::Agent;
use super::answer;
use crate::query::Refusal;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use dbtrail_types::agent_api::{REQUEST_ID, code};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// Longest request id that is echoed.
const MAX_ID: usize = 128;

/// What is noted of a request.
pub(super) struct RequestLine {
    id: Option<HeaderValue>,
    method: Method,
    path: String,
    began: Instant,
}

impl RequestLine {
    pub(super) fn of<B>(request: &hyper::Request<B>) -> Self {
        Self {
            id: request.headers().get(REQUEST_ID).filter(|v| v.len() <= MAX_ID).cloned(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            began: Instant::now(),
        }
    }

    /// The answer, counted and with the request's id; where making it panics, one that says so.
    pub(super) async fn answered(self, agent: &Agent, answer: impl Future<Output = Response>) -> Response {
        let Self { id, method, path, began } = self;
        let mut response = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(%path, "a request made the agent panic");
            let why = "the agent failed on this request; its log says more";
            answer::refusal(&Refusal::internal(why.to_owned()))
        });
        let status = response.status().as_u16();
        agent.metrics.count(&path, status, began.elapsed());
        let shown = id.as_ref().and_then(|v| v.to_str().ok()).unwrap_or("-");
        tracing::debug!(%method, %path, status, request_id = shown, "answered");
        if let Some(id) = id {
            response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), id);
        }
        response
    }
}

/// Around every request.
pub(super) async fn around(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    RequestLine::of(&request).answered(&agent, next.run(request)).await
}

/// Around every request that shows rows or counts.
pub(super) async fn guarded(State(agent): State<Agent>, mut request: Request, next: Next) -> Response {
    let Ok(token) = agent.admit(request.headers()) else { return unauthorized() };
    if let Some(token) = token {
        request.extensions_mut().insert(token);
    }
    next.run(request).await
}

/// The answer to who has no token of this agent.
pub(super) fn unauthorized() -> Response {
    let mut response = answer::refusal(&Refusal::new(
        401,
        code::UNAUTHORIZED,
        "this agent wants one of its tokens: Authorization: Bearer <token>".to_owned(),
    ));
    response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
    response
}
