//! Which path asks what.

use super::metrics::Metrics;
use super::{MAX_BODY, access, answer};
use crate::agent_api::{DiffRequest, RowsRequest, code, path};
use crate::history::History;
use crate::history::query::{Reading, Refusal};
use crate::ident::{ServerId, TableName};
use crate::instant::{Instant, Point};
use crate::secret::Secret;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// What the handlers share.
#[derive(Clone)]
pub(super) struct Agent {
    pub(super) history: Arc<History>,
    pub(super) tokens: Arc<[Secret]>,
    pub(super) metrics: Arc<Metrics>,
}

/// All routes.
pub(super) fn router(history: Arc<History>, tokens: Vec<Secret>) -> Router {
    let agent = Agent { history, tokens: tokens.into(), metrics: Arc::new(Metrics::default()) };
    let only = |route: MethodRouter<Agent>| route.fallback(wrong_method);
    let guarded = Router::new()
        .route(path::FLASHBACK, only(post(flashback)))
        .route(path::SNAPSHOT, only(post(snapshot)))
        .route(path::DIFF, only(post(diff)))
        .route("/v1/servers/{server_id}/schemas", only(get(schemas)))
        .route("/v1/servers/{server_id}/schemas/{schema}/tables", only(get(tables)))
        .route("/v1/servers/{server_id}/schemas/{schema}/tables/{table}", only(get(table)))
        .route("/metrics", only(get(metrics)))
        .route_layer(from_fn_with_state(agent.clone(), access::guarded));
    Router::new()
        .route("/healthz", only(get(ready)))
        .route("/readyz", only(get(ready)))
        .merge(guarded)
        .fallback(no_route)
        .layer(from_fn_with_state(agent.clone(), access::around))
        .with_state(agent)
}

async fn flashback(State(agent): State<Agent>, body: Body) -> Response {
    rows(&agent, body, Reading::Flashback).await
}

async fn snapshot(State(agent): State<Agent>, body: Body) -> Response {
    rows(&agent, body, Reading::Snapshot).await
}

async fn rows(agent: &Agent, body: Body, reading: Reading) -> Response {
    let request = read::<RowsRequest>(body).await;
    answer::lines(request.and_then(|request| agent.history.rows(&request, reading)))
}

async fn diff(State(agent): State<Agent>, body: Body) -> Response {
    let request = read::<DiffRequest>(body).await;
    answer::lines(request.and_then(|request| agent.history.diff(&request)))
}

async fn schemas(State(agent): State<Agent>, server: Result<Path<String>, PathRejection>) -> Response {
    let checked = path_of(server).and_then(|server| agent.history.check_server(&ServerId(server)));
    match checked {
        Ok(()) => answer::json(&agent.history.schemas()),
        Err(refused) => answer::refusal(&refused),
    }
}

async fn tables(State(agent): State<Agent>, at: Result<Path<(String, String)>, PathRejection>) -> Response {
    let tables = path_of(at).and_then(|(server, schema)| {
        agent.history.check_server(&ServerId(server))?;
        agent.history.tables(&schema)
    });
    tables.map_or_else(|refused| answer::refusal(&refused), |tables| answer::json(&tables))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    at: Option<String>,
    gtid: Option<String>,
}

async fn table(
    State(agent): State<Agent>,
    at: Result<Path<(String, String, String)>, PathRejection>,
    when: Result<Query<When>, QueryRejection>,
) -> Response {
    let table = path_of(at).and_then(|(server, schema, table)| {
        agent.history.check_server(&ServerId(server))?;
        let Query(when) = when.map_err(|e| Refusal::malformed(e.body_text()))?;
        agent.history.table(&TableName { schema, table }, point(when)?.as_ref())
    });
    table.map_or_else(|refused| answer::refusal(&refused), |table| answer::json(&table))
}

fn point(when: When) -> Result<Option<Point>, Refusal> {
    match (when.at, when.gtid) {
        (None, None) => Ok(None),
        (Some(at), None) => {
            let at: Instant =
                at.parse().map_err(|e: crate::instant::NotAnInstant| malformed_time(&e.to_string()))?;
            Ok(Some(Point::Time(at)))
        }
        (None, Some(gtid)) => Ok(Some(Point::Gtid(gtid))),
        (Some(_), Some(_)) => Err(Refusal::malformed("give at or gtid, not both".to_owned())),
    }
}

fn path_of<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Refusal> {
    path.map(|Path(parts)| parts).map_err(|e| Refusal::malformed(e.body_text()))
}

async fn metrics(State(agent): State<Agent>) -> Response {
    answer::text(agent.metrics.text(&agent.history))
}

async fn ready() -> Response {
    answer::text("ok\n".to_owned())
}

async fn wrong_method() -> Response {
    answer::refusal(&Refusal::new(
        405,
        code::METHOD_NOT_ALLOWED,
        "this path is asked with another method (rows with POST, all else with GET)".to_owned(),
    ))
}

async fn no_route() -> Response {
    answer::refusal(&Refusal::new(404, code::NOT_FOUND, "this agent has no such path".to_owned()))
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let too_large = || {
        Refusal::new(
            413,
            code::BODY_TOO_LARGE,
            format!("the request is longer than {MAX_BODY} bytes, or was cut"),
        )
    };
    let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| too_large())?;
    serde_json::from_slice(&bytes).map_err(|error| what_is_wrong(&bytes, &error))
}

/// The most telling refusal of a body that is not a request.
fn what_is_wrong(bytes: &[u8], error: &serde_json::Error) -> Refusal {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return Refusal::malformed(format!("the request is not JSON: {error}")),
    };
    if value.get("server_id").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Refusal::new(400, code::MISSING_SERVER_ID, "the request names no server_id".to_owned());
    }
    for (name, time) in
        [("at.time", value.pointer("/at/time")), ("since", value.get("since")), ("until", value.get("until"))]
    {
        let Some(time) = time else { continue };
        let parsed = time.as_str().map(str::parse::<Instant>);
        match parsed {
            Some(Ok(_)) => {}
            Some(Err(why)) => return malformed_time(&format!("{name}: {why}")),
            None => return malformed_time(&format!("{name} is not text")),
        }
    }
    Refusal::malformed(format!("the request is not understood: {error}"))
}

fn malformed_time(why: &str) -> Refusal {
    Refusal::new(400, code::MALFORMED_TIMESTAMP, why.to_owned())
}
