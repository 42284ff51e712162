//! `/healthz`, `/readyz` and `/metrics` of `serve` and `up`.

use crate::server::{self, Port};
use crate::telemetry::metrics::metrics;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{Local, Pages, serve_pages};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What this process shows.
struct ShimPages {
    /// The agent in this process, and what it answers from.
    agent: Option<(Local, Arc<HistoryHandle>)>,
    stop: CancellationToken,
}

impl Pages for ShimPages {
    fn ready(&self) -> (bool, String) {
        if self.stop.is_cancelled() {
            return (false, "it is ending\n".to_owned());
        }
        match &self.agent {
            Some((_, handle)) if handle.current().is_none() => {
                let reason = handle.status(dbtrail_types::timestamp::Timestamp::now()).reason;
                let reason: String = reason.map(|why| format!(": {why}")).unwrap_or_default();
                let line = format!("the record has not begun{reason}");
                (false, line.chars().map(|c| if c.is_control() { ' ' } else { c }).chain(['\n']).collect())
            }
            Some(_) | None => (true, "ok\n".to_owned()),
        }
    }

    fn metrics(&self, into: &mut String) {
        metrics().write(env!("DBTRAIL_VERSION"), into);
        if let Some((agent, _)) = &self.agent {
            agent.metrics(into);
        }
    }
}

/// Takes the port.
///
/// # Errors
/// It is not available.
pub(super) fn bind(listen: SocketAddr, port: Port) -> Result<TcpListener, String> {
    server::listen(listen, port).map_err(|error| format!("http: {listen} cannot be listened on: {error}"))
}

/// Serves until the connections have ended: who asks meanwhile is informed that it is ending.
/// `stop`: the process was told to end.
pub(super) fn show(
    listener: TcpListener,
    agent: Option<(Local, Arc<HistoryHandle>)>,
    stop: CancellationToken,
) -> CancellationToken {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "health and metrics are shown by http");
    }
    let over = CancellationToken::new();
    tokio::spawn(serve_pages(listener, Arc::new(ShimPages { agent, stop }), over.clone()));
    over
}
