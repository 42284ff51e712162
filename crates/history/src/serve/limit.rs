//! Around every request that reads a history: which one, and a slot for it, or the refusal.

use super::agent::{Admitted, Agent};
use super::answer;
use super::body::collect;
use super::served::ServedHistory;
use super::tokens::TokenHash;
use crate::query::Refusal;
use axum::body::{Body, Bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Extension, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use dbtrail_types::agent_api::code;
use serde::Deserialize;
use std::sync::Arc;

/// What every body names.
#[derive(Deserialize)]
struct Named {
    server_id: String,
}

/// Around every request that reads a history. Its body comes first: one that never comes takes no
/// slot.
pub(super) async fn limited(
    State(agent): State<Agent>,
    Extension(admitted): Extension<Admitted>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let body = match in_time(&agent, body).await {
        Ok(body) => body,
        Err(refused) => return answer::refusal(&refused),
    };
    let in_path = path.ok().and_then(|path| {
        path.iter().find(|(key, _)| *key == "server_id").map(|(_, server)| server.to_owned())
    });
    let (history, token) = match chosen(&agent, admitted, in_path, &body) {
        Ok(chosen) => chosen,
        Err(refused) => return answer::refusal(&refused),
    };
    let mut request = Request::from_parts(head, Body::from(body));
    request.extensions_mut().insert(history.clone());
    match history.slots.take(token) {
        Ok(slot) => slot.held(next.run(request).await),
        Err(refused) => *refused,
    }
}

/// A body, if it comes soon enough after its head.
pub(super) async fn in_time(agent: &Agent, body: Body) -> Result<Bytes, Refusal> {
    tokio::time::timeout(agent.patience, collect(body)).await.unwrap_or_else(|_| {
        let why = format!("the body did not come within {} s of its head", agent.patience.as_secs());
        Err(Refusal::new(408, code::MALFORMED_REQUEST, why))
    })
}

/// The history that a request is for, with the token that it came with, by the server that its path
/// or its body names.
pub(super) fn chosen(
    agent: &Agent,
    admitted: Admitted,
    in_path: Option<String>,
    body: &[u8],
) -> Result<(Arc<ServedHistory>, Option<TokenHash>), Refusal> {
    // A single history is the one that is meant, or the question is refused by it.
    let in_body = || agent.names_them.then(|| serde_json::from_slice::<Named>(body).ok()).flatten();
    let named = in_path.or_else(|| in_body().map(|named| named.server_id));
    agent.chosen(admitted, named.as_deref())
}
