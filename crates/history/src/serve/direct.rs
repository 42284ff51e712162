//! Requests for rows and changes, without the way through the routes: on that way, much of the time
//! of a look-up went by. What goes around a request is the same.

use super::access::{self, RequestLine};
use super::agent::Agent;
use super::body::accepted;
use super::{answer, limit, routes};
use crate::query::{Reading, Refusal};
use axum::body::Bytes;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use dbtrail_types::agent_api::path;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum DirectRequest {
    /// Rows at an instant.
    Rows(Reading),
    /// Changes.
    Changes,
}

impl DirectRequest {
    /// By a request with this method and path; `None`: by that, something else.
    pub(super) fn by(method: &Method, path: &str) -> Option<Self> {
        match path {
            _ if method != Method::POST => None,
            path::FLASHBACK => Some(Self::Rows(Reading::Flashback)),
            path::SNAPSHOT => Some(Self::Rows(Reading::Snapshot)),
            path::DIFF => Some(Self::Changes),
            _ => None,
        }
    }

    /// The answer to a request with this head, whose body may still have to come.
    pub(super) async fn answered(
        self,
        agent: &Agent,
        head: &Parts,
        body: impl Future<Output = Result<Bytes, Refusal>>,
    ) -> Response {
        let answer = async {
            let Some(admitted) = agent.admit(&head.headers) else { return access::unauthorized() };
            // One that never comes takes no slot.
            let body = match body.await {
                Ok(body) => body,
                Err(refused) => return answer::refusal(&refused),
            };
            let (served, token) = match limit::chosen(agent, admitted, None, &body) {
                Ok(chosen) => chosen,
                Err(refused) => return answer::refusal(&refused),
            };
            let slot = match served.slots.take(token) {
                Ok(slot) => slot,
                Err(refused) => return *refused,
            };
            let form = accepted(&head.headers);
            slot.held(match self {
                Self::Rows(reading) => routes::rows(&served, Ok(body), reading, form).await,
                Self::Changes => routes::changes(&served, Ok(body), form).await,
            })
        };
        RequestLine::of(head).answered(agent, answer).await
    }
}
