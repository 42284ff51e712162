//! Around every request that reads a history: which one, and a slot for it, or the refusal.

use super::agent::{Admitted, Agent};
use super::answer;
use super::body::collect;
use crate::query::Refusal;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Extension, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use dbtrail_types::agent_api::code;
use serde::Deserialize;

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
    let body = match tokio::time::timeout(agent.patience, collect(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return answer::refusal(&refused),
        Err(_) => {
            let why = format!("the body did not come within {} s of its head", agent.patience.as_secs());
            return answer::refusal(&Refusal::new(408, code::MALFORMED_REQUEST, why));
        }
    };
    let in_path = path.ok().and_then(|path| {
        path.iter().find(|(key, _)| *key == "server_id").map(|(_, server)| server.to_owned())
    });
    // A single history is the one that is meant, or the question is refused by it.
    let in_body = || agent.names_them.then(|| serde_json::from_slice::<Named>(&body).ok()).flatten();
    let named = in_path.or_else(|| in_body().map(|named| named.server_id));
    let (history, token) = match agent.chosen(admitted, named.as_deref()) {
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
