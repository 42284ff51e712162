//! What the agent tells of its histories: their status, whether they can be asked, and numbers.

use super::agent::{Admitted, Agent, unknown};
use super::readiness::{Readiness, readiness};
use super::served::ServedHistory;
use super::{answer, exposition};
use crate::history_handle::Statuses;
use crate::query::Refusal;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dbtrail_types::agent_api::code;
use dbtrail_types::timestamp::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// Which server is meant.
#[derive(Deserialize)]
pub(super) struct Which {
    server_id: Option<String>,
}

impl Which {
    fn is(&self, history: &ServedHistory) -> bool {
        self.server_id.as_ref().is_none_or(|named| *named == history.history_handle.server_id().0)
    }
}

pub(super) async fn status(Extension(admitted): Extension<Admitted>, Query(which): Query<Which>) -> Response {
    let chosen: Vec<&Arc<ServedHistory>> = admitted.histories().filter(|h| which.is(h)).collect();
    match (chosen.as_slice(), &which.server_id) {
        ([one], _) => answer::json(&one.history_handle.status(Timestamp::now())),
        ([], named) => answer::refusal(&unknown(named.as_deref().unwrap_or_default())),
        (several, _) => {
            let why = format!(
                "this agent has the histories of {} servers: name one (/v1/status?server_id=ID), or ask /v1/servers",
                several.len()
            );
            answer::refusal(&Refusal::new(400, code::MISSING_SERVER_ID, why))
        }
    }
}

pub(super) async fn servers(Extension(admitted): Extension<Admitted>) -> Response {
    let now = Timestamp::now();
    let servers = admitted.histories().map(|history| history.history_handle.status(now)).collect();
    answer::json(&Statuses { servers })
}

pub(super) async fn metrics(
    State(agent): State<Agent>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
) -> Response {
    let mut text = String::new();
    agent.write_metrics(admitted.histories(), &mut text);
    exposition::response(text, &headers)
}

pub(super) async fn ready(
    State(agent): State<Agent>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Response {
    let admitted = agent.admit(&headers);
    let trusted = |history: &Arc<ServedHistory>| {
        admitted.as_ref().is_some_and(|all| all.histories().any(|open| Arc::ptr_eq(open, history)))
    };
    let now = Timestamp::now();
    let mut all = Readiness::new(agent.names_them);
    for (number, history) in agent.histories.iter().enumerate() {
        let trusted = trusted(history);
        // Which servers there are is told to nobody without a token.
        if which.server_id.is_some() && !(trusted && which.is(history)) {
            continue;
        }
        let server = &history.history_handle.server_id().0;
        let name = if trusted { server.clone() } else { format!("sources[{number}]") };
        all.add(&name, readiness(&history.history_handle, agent.max_lag, trusted, now));
    }
    if all.is_empty() {
        return answer::refusal(&unknown(which.server_id.as_deref().unwrap_or_default()));
    }
    let (ready, text) = all.into_text();
    answer::text(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}
