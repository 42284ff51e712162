//! Which path asks what.

use super::agent::Agent;
use super::answer::Begun;
use super::body::{accepted, collect, malformed_time, read};
use super::limit;
use super::served::ServedHistory;
use super::{ServeOptions, about, access, answer, doubts};
use crate::backup;
use crate::query::{Form, Reading, Refusal};
use crate::{History, HistoryHandle};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use dbtrail_types::agent_api::{DiffRequest, NetRequest, RowsRequest, code, path};
use dbtrail_types::change_counts::{self, ChangeCountsRequest};
use dbtrail_types::doubt::{self, DoubtRequest};
use dbtrail_types::happened::HistoryRequest;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use dbtrail_types::undo_script::{self, UndoScriptRequest};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The history that a request is for.
type Chosen = Extension<Arc<ServedHistory>>;

/// A route that is asked with one method.
fn only(route: MethodRouter<Agent>) -> MethodRouter<Agent> {
    route.fallback(wrong_method)
}

/// What whoever runs the agent may ask, beside the API: its status, and a backup.
pub(super) fn of_operator(
    history_handle: Arc<HistoryHandle>,
    options: &ServeOptions,
    stop: CancellationToken,
) -> Router {
    let agent = Agent::new(Arc::clone(&history_handle), options);
    let backup = |body: Body| backup(history_handle, body, stop);
    Router::new()
        .route(path::STATUS, only(get(about::status)))
        .route(path::BACKUP, only(post(backup)))
        .route_layer(from_fn_with_state(agent.clone(), access::guarded))
        .fallback(no_route)
        .layer(from_fn_with_state(agent.clone(), access::around))
        .with_state(agent)
}

/// All routes.
pub(super) fn router(agent: Agent) -> Router {
    let history = Router::new()
        .route(path::FLASHBACK, only(post(flashback)))
        .route(path::SNAPSHOT, only(post(snapshot)))
        .route(path::DIFF, only(post(diff)))
        .route(path::NET_CHANGES, only(post(net_changes)))
        .route(path::HISTORY, only(post(happened)))
        .route(change_counts::PATH, only(post(counted)))
        .route(undo_script::PATH, only(post(undo_of)))
        .route(doubt::PATH, only(post(doubted)))
        .route("/v1/servers/{server_id}/schemas", only(get(schemas)))
        .route("/v1/servers/{server_id}/schemas/{schema}/tables", only(get(tables)))
        .route("/v1/servers/{server_id}/schemas/{schema}/tables/{table}", only(get(table)))
        .route_layer(from_fn_with_state(agent.clone(), limit::limited));
    let guarded = history
        .route(path::STATUS, only(get(about::status)))
        .route(path::SERVERS, only(get(about::servers)))
        .route("/metrics", only(get(about::metrics)))
        .route_layer(from_fn_with_state(agent.clone(), access::guarded));
    Router::new()
        .route("/healthz", only(get(alive)))
        .route("/readyz", only(get(about::ready)))
        .merge(guarded)
        .fallback(no_route)
        .layer(from_fn_with_state(agent.clone(), access::around))
        .with_state(agent)
}

async fn flashback(Extension(history): Chosen, headers: HeaderMap, body: Body) -> Response {
    rows(&history, collect(body).await, Reading::Flashback, accepted(&headers)).await
}

async fn snapshot(Extension(history): Chosen, headers: HeaderMap, body: Body) -> Response {
    rows(&history, collect(body).await, Reading::Snapshot, accepted(&headers)).await
}

async fn diff(Extension(history): Chosen, headers: HeaderMap, body: Body) -> Response {
    changes(&history, collect(body).await, accepted(&headers)).await
}

async fn net_changes(Extension(history): Chosen, body: Body) -> Response {
    let request = collect(body).await.and_then(|body| read::<NetRequest>(&body));
    match history.caught_up(request, History::net).await {
        Ok(answer) => answer::long_lines(answer, Form::Lines).await,
        Err(refused) => answer::refusal(&refused),
    }
}

async fn happened(Extension(history): Chosen, headers: HeaderMap, body: Body) -> Response {
    let request = collect(body).await.and_then(|body| read::<HistoryRequest>(&body));
    let answer = history.caught_up(request, History::happened).await;
    match answer.map(|answer| answer.in_form(accepted(&headers))) {
        Ok((answer, form)) => answer::long_lines(answer, form).await,
        Err(refused) => answer::refusal(&refused),
    }
}

async fn counted(Extension(history): Chosen, body: Body) -> Response {
    let request = collect(body).await.and_then(|body| read::<ChangeCountsRequest>(&body));
    let answer = match request {
        Ok(request) => history.made(move |history| history.change_counts(&request)).await,
        Err(refused) => Err(refused),
    };
    match answer {
        Ok(answer) => answer::long_lines(answer, Form::Lines).await,
        Err(refused) => answer::refusal(&refused),
    }
}

async fn undo_of(Extension(history): Chosen, body: Body) -> Response {
    let request = match collect(body).await.and_then(|body| read::<UndoScriptRequest>(&body)) {
        Ok(request) => request,
        Err(refused) => return answer::refusal(&refused),
    };
    match history.undo.script(request).await {
        Ok(script) => answer::json(&script),
        Err(refused) => answer::refusal(&refused),
    }
}

async fn doubted(
    State(agent): State<Agent>,
    Extension(history): Chosen,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !agent.may_doubt(&history, &headers) {
        return answer::refusal(&Refusal::new(403, code::UNAUTHORIZED, doubts::NOT_ENTITLED.to_owned()));
    }
    let request = collect(body).await.and_then(|body| read::<DoubtRequest>(&body));
    match request.and_then(|request| doubts::take(&history.history_handle, request)) {
        Ok(taken) => answer::json(&taken),
        Err(refused) => answer::refusal(&refused),
    }
}

pub(super) async fn rows(
    served: &ServedHistory,
    body: Result<Bytes, Refusal>,
    reading: Reading,
    form: Form,
) -> Response {
    let request = match body.and_then(|body| read::<RowsRequest>(&body)) {
        Ok(request) => request,
        Err(refused) => return answer::refusal(&refused),
    };
    let begun = served.made(move |history| {
        let answer = history.rows(&request, reading)?.in_form(form);
        Ok(Begun::of(answer.is_long(), answer, form))
    });
    answer::begun(begun.await, form).await
}

pub(super) async fn changes(served: &ServedHistory, body: Result<Bytes, Refusal>, form: Form) -> Response {
    let request = body.and_then(|body| read::<DiffRequest>(&body));
    let begin = move |history: &Arc<History>, request: &DiffRequest| {
        let answer = history.diff(request)?.in_form(form);
        Ok(Begun::of(answer.is_long(), answer, form))
    };
    answer::begun(served.caught_up(request, begin).await, form).await
}

async fn schemas(Extension(served): Chosen, server: Result<Path<String>, PathRejection>) -> Response {
    let schemas = path_of(server).and_then(|server| {
        let history = served.history()?;
        history.check_server(&ServerId(server))?;
        Ok(history.schemas())
    });
    schemas.map_or_else(|refused| answer::refusal(&refused), |schemas| answer::json(&schemas))
}

async fn tables(Extension(served): Chosen, at: Result<Path<(String, String)>, PathRejection>) -> Response {
    let tables = match path_of(at) {
        Err(refused) => Err(refused),
        Ok((server, schema)) => {
            let tables = move |history: Arc<History>| {
                history.check_server(&ServerId(server))?;
                history.tables(&schema)
            };
            served.made(tables).await
        }
    };
    tables.map_or_else(|refused| answer::refusal(&refused), |tables| answer::json(&tables))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    at: Option<String>,
    gtid: Option<String>,
}

async fn table(
    Extension(served): Chosen,
    at: Result<Path<(String, String, String)>, PathRejection>,
    when: Result<Query<When>, QueryRejection>,
) -> Response {
    let table = match path_of(at) {
        Err(refused) => Err(refused),
        Ok((server, schema, table)) => {
            let table = move |history: Arc<History>| {
                history.check_server(&ServerId(server))?;
                let Query(when) = when.map_err(|e| Refusal::malformed(e.body_text()))?;
                history.table(&TableName { schema, table }, as_of(when)?.as_ref())
            };
            served.made(table).await
        }
    };
    table.map_or_else(|refused| answer::refusal(&refused), |table| answer::json(&table))
}

fn as_of(when: When) -> Result<Option<AsOf>, Refusal> {
    match (when.at, when.gtid) {
        (None, None) => Ok(None),
        (Some(at), None) => {
            let at: Timestamp = at
                .parse()
                .map_err(|e: dbtrail_types::timestamp::NotATimestamp| malformed_time(&e.to_string()))?;
            Ok(Some(AsOf::Time(at)))
        }
        (None, Some(gtid)) => Ok(Some(AsOf::Gtid(gtid))),
        (Some(_), Some(_)) => Err(Refusal::malformed("give at or gtid, not both".to_owned())),
    }
}

fn path_of<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Refusal> {
    path.map(|Path(parts)| parts).map_err(|e| Refusal::malformed(e.body_text()))
}

/// Where a copy of the store is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    to: PathBuf,
}

async fn backup(handle: Arc<HistoryHandle>, body: Body, stop: CancellationToken) -> Response {
    let refused = |why: String| answer::refusal(&Refusal::new(409, "conflict", why));
    let wanted = match collect(body).await.and_then(|body| read::<Wanted>(&body)) {
        Ok(wanted) if wanted.to.is_absolute() => wanted,
        Ok(_) => return answer::refusal(&Refusal::malformed("`to` is no absolute path".to_owned())),
        Err(refused) => return answer::refusal(&refused),
    };
    // Whoever asks may go away: the copy is then given up, since nobody hears how it went.
    let asked = CancellationToken::new();
    let _gone = asked.clone().drop_guard();
    let made = tokio::task::spawn_blocking(move || {
        let stopped = || stop.is_cancelled() || asked.is_cancelled();
        backup::of_running(&handle, &wanted.to, &stopped)
    });
    match made.await {
        Ok(Ok(copied)) => answer::json(&copied),
        Ok(Err(why)) => refused(why.to_string()),
        Err(why) => refused(format!("a bug: the backup panicked: {why}")),
    }
}

async fn alive() -> Response {
    answer::text(StatusCode::OK, "ok\n".to_owned())
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
