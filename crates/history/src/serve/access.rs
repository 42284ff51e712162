//! What goes around every request: its id, its token, its count, and the panic that must not go
//! unanswered.

use super::agent::Agent;
use super::answer;
use crate::query::Refusal;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use dbtrail_types::agent_api::{REQUEST_ID, code};
use dbtrail_types::trace::{self, Span, TRACEPARENT, TraceContext};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// Longest request id that is echoed.
const MAX_ID: usize = 128;

/// What is noted of a request.
pub(super) struct RequestLine {
    id: Option<HeaderValue>,
    /// The span that it is a part of.
    parent: Option<TraceContext>,
    method: Method,
    path: String,
    began: Instant,
}

impl RequestLine {
    pub(super) fn of(head: &Parts) -> Self {
        Self {
            id: head.headers.get(REQUEST_ID).filter(|v| v.len() <= MAX_ID).cloned(),
            parent: parent(&head.headers),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            began: Instant::now(),
        }
    }

    /// The answer, counted and with the request's id; where making it panics, one that says so.
    pub(super) async fn answered(self, agent: &Agent, answer: impl Future<Output = Response>) -> Response {
        let Self { id, parent, method, path, began } = self;
        let mut response = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(%path, "a request made the agent panic");
            let why = "the agent failed on this request; its log says more";
            answer::refusal(&Refusal::internal(why.to_owned()))
        });
        let status = response.status().as_u16();
        agent.metrics.count(&path, status, began.elapsed());
        trace::record(|| {
            let context = parent.map_or_else(TraceContext::begin, |parent| parent.child());
            let span = Span::new(format!("{method} {}", route(&path)), context, began.elapsed())
                .number("http.response.status_code", u64::from(status));
            let span = match id.as_ref().and_then(|id| id.to_str().ok()) {
                Some(id) => span.text("dbtrail.request_id", id),
                None => span,
            };
            let error = (status >= 500).then(|| format!("status {status}"));
            Span { parent: parent.map(|parent| parent.span), error, ..span }
        });
        let shown = id.as_ref().and_then(|v| v.to_str().ok()).unwrap_or("-");
        tracing::debug!(%method, %path, status, request_id = shown, "answered");
        if let Some(id) = id {
            response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), id);
        }
        response
    }
}

/// What the header says, where anybody asks.
fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    if !trace::is_on() {
        return None;
    }
    TraceContext::read(headers.get(TRACEPARENT)?.to_str().ok()?)
}

/// The first two parts of a path: after these are names.
fn route(path: &str) -> &str {
    path.match_indices('/').nth(2).map_or(path, |(at, _)| &path[..at])
}

/// Around every request.
pub(super) async fn around(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let line = RequestLine::of(&head);
    line.answered(&agent, next.run(Request::from_parts(head, body))).await
}

/// Around every request that shows rows or counts.
pub(super) async fn guarded(State(agent): State<Agent>, mut request: Request, next: Next) -> Response {
    let Some(admitted) = agent.admit(request.headers()) else { return unauthorized() };
    request.extensions_mut().insert(admitted);
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
