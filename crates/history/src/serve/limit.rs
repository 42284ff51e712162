//! Around every request that reads the history: a slot for it, or the refusal.

use super::agent::Agent;
use super::answer;
use super::body::collect;
use super::tokens::TokenHash;
use crate::query::Refusal;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use dbtrail_types::agent_api::code;

/// Around every request that reads the history. Its body comes first: one that never comes takes no
/// slot.
pub(super) async fn limited(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let token = head.extensions.get::<TokenHash>().copied();
    let body = match tokio::time::timeout(agent.patience, collect(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return answer::refusal(&refused),
        Err(_) => {
            let why = format!("the body did not come within {} s of its head", agent.patience.as_secs());
            return answer::refusal(&Refusal::new(408, code::MALFORMED_REQUEST, why));
        }
    };
    let request = Request::from_parts(head, Body::from(body));
    match agent.slots.take(token) {
        Ok(slot) => slot.held(next.run(request).await),
        Err(refused) => *refused,
    }
}
