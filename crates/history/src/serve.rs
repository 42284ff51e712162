//! The agent's HTTP: the agent API over the history that is [`HistoryHandle`], with TLS or without.
//!
//! Transport alone lives here (connections, TLS, tokens, limits, status codes); every answer and
//! every refusal comes from `query`.

use super::HistoryHandle;
use axum::body::{Body, BodyDataStream, Bytes};
use dbtrail_types::secret::Secret;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

mod about;
mod access;
mod agent;
mod ahead;
mod answer;
mod body;
mod catch_up;
mod connections;
mod direct;
mod doubts;
mod exposition;
mod exposure;
mod front;
mod limit;
mod metrics;
mod pages;
mod readiness;
mod request_slots;
mod routes;
mod served;
mod tls;
mod tokens;
mod ui;
mod undo;

use agent::Agent;
use connections::Connections;
use direct::DirectRequest;
use front::Front;

pub use exposition::Exposition;
pub use exposure::exposure;
pub use pages::{Pages, serve_pages};
pub use served::Served;
pub use tls::{Certificate, TlsError, tls_config};
pub use tokens::{TokenFileError, Tokens};
pub use undo::WritesUndo;

/// The longest request body.
const MAX_BODY: usize = 1024 * 1024;
/// For the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For a request's head, the idle time of a kept connection included: longer than clients keep idle
/// connections.
const HEAD: Duration = Duration::from_secs(120);
/// Between HTTP/2 pings.
const PING: Duration = Duration::from_secs(30);

/// Limits, tokens and address of the agent's API.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Certificate and key; `None`: plain HTTP.
    pub tls: Option<Certificate>,
    /// Any of these opens the door.
    pub tokens: Tokens,
    /// Any of these opens the door too, and may put tables in doubt; `None`: nobody may.
    pub doubt_tokens: Option<Tokens>,
    /// Connections at a time. For one more, the oldest goes that has asked nothing yet; else the
    /// new one is closed.
    pub max_connections: usize,
    /// Requests that read the history at a time; others are told to come again.
    pub max_requests: usize,
    /// How far a live history may be after its server and still be called ready.
    pub max_lag: Duration,
    /// How long a question about changes waits while the agent has too much of the log to take in
    /// to answer it; then it is told to come again.
    pub catch_up_wait: Duration,
    /// For the first byte of a connection, and for the body of a request after its head.
    pub patience: Duration,
    /// How long answers may go on after `stop`.
    pub grace: Duration,
    /// Whether the page is there, at `/ui`.
    pub ui: bool,
    /// Who writes SQL that takes changes back; `None`: nobody.
    pub undo: Option<Arc<dyn WritesUndo>>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            tls: None,
            tokens: Tokens::default(),
            doubt_tokens: None,
            max_connections: 1024,
            max_requests: 256,
            max_lag: Duration::from_secs(60),
            catch_up_wait: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            grace: Duration::from_secs(30),
            ui: false,
            undo: None,
        }
    }
}

/// Serves until `stop`, then lets answers end for `options.grace` at most.
pub async fn serve(
    listener: TcpListener,
    history_handle: Arc<HistoryHandle>,
    options: ServeOptions,
    stop: CancellationToken,
) {
    serve_agent(listener, Agent::new(history_handle, &options), options, stop).await;
}

/// The same of several histories, each under the name of its server. Requests of one take neither
/// slots nor time of the others.
pub async fn serve_all(
    listener: TcpListener,
    served: Vec<Served>,
    options: ServeOptions,
    stop: CancellationToken,
) {
    serve_agent(listener, Agent::of_all(served, &options), options, stop).await;
}

async fn serve_agent(listener: TcpListener, agent: Agent, options: ServeOptions, stop: CancellationToken) {
    let mut router = routes::router(agent.clone());
    if options.ui {
        router = router.merge(ui::routes());
    }
    run(listener, Front { agent: Some(Arc::new(agent)), ..Front::of(router) }, options, stop).await;
}

/// The same API for who is in this process: tokens and limits hold, connections there are none.
#[derive(Clone, Debug)]
pub struct Local {
    agent: Agent,
    routes: TowerToHyperService<axum::Router>,
}

impl Local {
    /// Answers from what is published.
    #[must_use]
    pub fn new(history_handle: Arc<HistoryHandle>, options: &ServeOptions) -> Self {
        let agent = Agent::new(history_handle, options);
        Self { routes: TowerToHyperService::new(routes::router(agent.clone())), agent }
    }

    /// Appends the agent's metrics, in OpenMetrics without its end.
    pub fn metrics(&self, into: &mut String) {
        self.agent.write_metrics(self.agent.histories.iter(), into);
    }

    /// The answer to a request; its body comes as it is made.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<BodyDataStream> {
        let response = if let Some(asked) = DirectRequest::by(request.method(), request.uri().path()) {
            let (head, body) = request.into_parts();
            asked.answered(&self.agent, &head, ready(body::short(body))).await
        } else {
            let Ok(response) = self.routes.call(request.map(Body::from)).await;
            response
        };
        response.map(Body::into_data_stream)
    }
}

/// Serves `GET /v1/status` and `POST /v1/backup`, and nothing else, to whoever has the key, until
/// `stop`.
pub async fn serve_operator(
    listener: TcpListener,
    history_handle: Arc<HistoryHandle>,
    key: Secret,
    stop: CancellationToken,
) {
    let options = ServeOptions {
        tokens: vec![key].into(),
        max_connections: 16,
        grace: Duration::from_secs(1),
        ..ServeOptions::default()
    };
    let router = routes::of_operator(history_handle, &options, stop.clone());
    run(listener, Front::of(router), options, stop).await;
}

async fn run(listener: TcpListener, front: Front, options: ServeOptions, stop: CancellationToken) {
    let connections = Arc::new(Connections::new(options.max_connections.max(1)));
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, mostly: a short pause instead of a busy loop.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // As it is now: it may have been replaced.
        let acceptor = options.tls.as_ref().map(|certificate| TlsAcceptor::from(certificate.now()));
        let Some(seat) = connections.enter() else { continue };
        let connection = Connection {
            front: Front { asked: seat.asked(), ..front.clone() },
            acceptor,
            watcher: graceful.watcher(),
            patience: options.patience,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = connection.run(stream) => {}
                () = seat.gave_way() => tracing::debug!("a connection that asked nothing was closed for another"),
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(options.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("answers were still being sent when the grace period ended");
    }
}

struct Connection {
    front: Front,
    acceptor: Option<TlsAcceptor>,
    watcher: hyper_util::server::graceful::Watcher,
    patience: Duration,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        // Answers are written whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        // Whoever says nothing at all holds a connection for no longer than this.
        match tokio::time::timeout(self.patience, stream.peek(&mut [0])).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(_) | Err(_)) => return,
            Err(_) => return tracing::debug!("a connection on which nothing came is closed"),
        }
        let service = self.front;
        let Some(acceptor) = self.acceptor else {
            let builder = builder(false);
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            report(self.watcher.watch(connection.into_owned()).await);
            return;
        };
        match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let builder = builder(http2);
                let connection = builder.serve_connection(TokioIo::new(stream), service);
                report(self.watcher.watch(connection.into_owned()).await);
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }
}

fn report<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The protocol is fixed beforehand (ALPN, else HTTP/1.1): guessing it from the first bytes would
/// wait for them without a limit.
fn builder(http2: bool) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        // One shim asks for all of its clients over one connection, and a client may take its rows
        // slowly.
        .max_concurrent_streams(4096)
        .max_header_list_size(64 * 1024);
    builder
}
