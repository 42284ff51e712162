//! `/healthz`, `/readyz` and `/metrics` of a program that has no other HTTP.

use super::front::Front;
use super::{ServeOptions, answer, exposition, run};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What is shown.
pub trait Pages: Send + Sync {
    /// Whether it can be asked now, and lines that say more.
    fn ready(&self) -> (bool, String);
    /// Appends the metrics, in OpenMetrics without its end.
    fn metrics(&self, into: &mut String);
}

type SharedPages = Arc<dyn Pages>;

/// Shows them until `stop`, to whoever reaches the port.
pub async fn serve_pages(listener: TcpListener, pages: Arc<dyn Pages>, stop: CancellationToken) {
    let options =
        ServeOptions { max_connections: 64, grace: Duration::from_secs(1), ..ServeOptions::default() };
    let router = Router::new()
        .route("/healthz", get(|| async { answer::text(StatusCode::OK, "ok\n".to_owned()) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(pages);
    run(listener, Front::of(router), options, stop).await;
}

async fn ready(State(pages): State<SharedPages>) -> Response {
    let (ready, text) = pages.ready();
    answer::text(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}

async fn metrics(State(pages): State<SharedPages>, headers: HeaderMap) -> Response {
    let mut text = String::new();
    pages.metrics(&mut text);
    exposition::response(text, &headers)
}
