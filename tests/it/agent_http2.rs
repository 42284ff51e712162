//! The same faults over HTTP/2, which agents offer and the shim prefers: a stream that is reset is
//! not a connection that is closed.

use super::support::{
    COLUMNS, Certificates, FLASHBACK, Outcome, Plan, RANGE, Raw, Shim, certificates, soon, three_rows,
};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, Version};
use axum::response::Response;
use dbtrail_history::serve::tls_config;
use dbtrail_shim::plan::guard;
use futures_util::{StreamExt, stream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// In order.
    Clean,
    /// RST_STREAM.
    Reset,
    /// The connection is closed under it.
    Gone,
    /// The connection is closed before the answer begins; the next question is answered in order.
    Unanswered,
    /// Not at all.
    Never,
    /// Row upon row.
    Endless,
}

struct Agent {
    body: Mutex<(String, Ending)>,
    /// How many questions about rows came.
    asked: watch::Sender<usize>,
    /// How many bodies were dropped before their end.
    cancelled: watch::Sender<usize>,
    /// On which connection each of them came, counted from 0.
    positions: Mutex<Vec<usize>>,
}

/// What a question knows of the connection that it came on.
#[derive(Clone)]
struct ResumePosition {
    number: usize,
    /// Closes it.
    close: CancellationToken,
}

/// Counts a body that is dropped.
struct Dropped(Arc<Agent>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.cancelled.send_modify(|n| *n += 1);
    }
}

async fn answer(
    State(agent): State<Arc<Agent>>,
    Extension(position): Extension<ResumePosition>,
    request: Request,
) -> Response {
    assert_eq!(request.version(), Version::HTTP_2);
    let (kind, body) = if request.uri().path().starts_with("/v1/servers/") {
        let table =
            format!(r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"t",{COLUMNS}}}"#);
        ("application/json", Body::from(table))
    } else {
        let (text, ending) = agent.body.lock().expect("a lock").clone();
        agent.positions.lock().expect("a lock").push(position.number);
        agent.asked.send_modify(|n| *n += 1);
        let first = stream::iter([Ok(Bytes::from(text))]);
        let end = match ending {
            Ending::Clean => stream::empty().boxed(),
            Ending::Endless => {
                stream::repeat_with(|| Ok(Bytes::from("[\"1\",\"aaaaaaaaaaaaaaaa\"]\n".repeat(1000)))).boxed()
            }
            Ending::Reset => stream::iter([Err(std::io::Error::other("a fault of the test"))]).boxed(),
            Ending::Unanswered => {
                agent.body.lock().expect("a lock").1 = Ending::Clean;
                position.close.cancel();
                return std::future::pending().await;
            }
            Ending::Gone => {
                let close = position.close;
                // The bytes before go out first: the shim has had its chance at them.
                stream::once(async move {
                    tokio::task::yield_now().await;
                    close.cancel();
                    std::future::pending().await
                })
                .boxed()
            }
            Ending::Never => {
                let dropped = Dropped(Arc::clone(&agent));
                stream::once(async move {
                    let _dropped = dropped;
                    std::future::pending().await
                })
                .boxed()
            }
        };
        ("application/x-ndjson", Body::from_stream(first.chain(end)))
    };
    Response::builder().status(StatusCode::OK).header("content-type", kind).body(body).expect("a response")
}

async fn pair() -> (Arc<Agent>, Shim) {
    with(1000).await
}

async fn with(max_keys: u64) -> (Arc<Agent>, Shim) {
    let made: Certificates = certificates("localhost", false);
    let agent = Arc::new(Agent {
        body: Mutex::new((three_rows(), Ending::Clean)),
        asked: watch::Sender::new(0),
        cancelled: watch::Sender::new(0),
        positions: Mutex::default(),
    });
    let acceptor = TlsAcceptor::from(tls_config(made.chain.as_bytes(), made.key.as_bytes()).expect("TLS"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&agent));
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((socket, _)) = listener.accept().await else { return };
            let close = CancellationToken::new();
            let position = ResumePosition { number, close: close.clone() };
            let service = TowerToHyperService::new(router.clone().layer(Extension(position)));
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let server = auto::Builder::new(TokioExecutor::new());
                let connection = server.serve_connection(TokioIo::new(stream), service);
                tokio::select! {
                    _ = connection => {}
                    () = close.cancelled() => {}
                }
            });
        }
    });
    (agent, Plan { guard: guard::PlanSettings::of_keys(max_keys), ..Plan::at(url, &made) }.start().await)
}

#[tokio::test]
async fn streams_that_break_are_2002_and_whole_ones_without_a_trailer_1815() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let body = three_rows();
    let lines: Vec<&str> = body.split_inclusive('\n').collect();
    let say = |text: String, ending| *agent.body.lock().expect("a lock") = (text, ending);
    for ending in [Ending::Clean, Ending::Reset, Ending::Gone] {
        for count in 0..lines.len() {
            say(lines[..count].concat(), ending);
            let position = format!("{ending:?} after {count} lines");
            let reported = match client.query(FLASHBACK).await {
                Outcome::Error(reported) => reported,
                Outcome::Broken(rows, reported) => {
                    assert!(rows.len() < count, "{position}: {rows:?}");
                    reported
                }
                other => panic!("{position}: {other:?}"),
            };
            let (code, state, text) = reported.plain();
            // END_STREAM says that this is all: nothing was cut on the way.
            let (wanted, words) = match ending {
                Ending::Clean => (1815, "dbtrail-shim: the agent's answer is complete by HTTP, and its "),
                _ => (2002, ": the connection was lost"),
            };
            assert_eq!((code, state), (wanted, "HY000"), "{position}: {reported:?}");
            assert!(text.contains(words), "{position}: {text}");
            say(body.clone(), Ending::Clean);
            assert_eq!(client.rows(FLASHBACK).await.len(), 3, "{position}");
        }
    }
    // All lines are there, but the stream was reset after them: nobody can say that this was all.
    say(body.clone(), Ending::Reset);
    match client.query(FLASHBACK).await {
        Outcome::Error(reported) | Outcome::Broken(_, reported) => {
            assert_eq!(reported.code, 2002, "{reported:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_that_leaves_resets_the_stream() {
    let (agent, shim) = pair().await;
    let mut other = shim.raw("a").await;
    let first: String = three_rows().split_inclusive('\n').take(2).collect();
    for count in 0..3 {
        *agent.body.lock().expect("a lock") = (first.clone(), Ending::Never);
        let mut client = shim.raw("a").await;
        client.send(FLASHBACK).await;
        let mut asked = agent.asked.subscribe();
        // Every round has two questions.
        soon("a question", asked.wait_for(|n| *n > 2 * count)).await.expect("the agent lives");
        assert_eq!(*agent.cancelled.borrow(), count);
        drop(client);
        let mut cancelled = agent.cancelled.subscribe();
        soon("a reset stream", cancelled.wait_for(|n| *n > count)).await.expect("the agent lives");
        // Others go on on the same connection.
        *agent.body.lock().expect("a lock") = (three_rows(), Ending::Clean);
        assert_eq!(other.rows(FLASHBACK).await.len(), 3);
    }
}

/// What a client does not read waits at the agent, and takes nothing of the connection that others
/// share.
#[tokio::test]
async fn clients_that_do_not_read_hold_up_nobody() {
    let (agent, shim) = with(u64::MAX).await;
    let first: String = three_rows().split_inclusive('\n').take(2).collect();
    *agent.body.lock().expect("a lock") = (first, Ending::Endless);
    let mut idle = Vec::new();
    for _ in 0..8 {
        let mut client = shim.raw("a").await;
        client.send(RANGE).await;
        idle.push(client);
    }
    let mut asked = agent.asked.subscribe();
    soon("eight questions", asked.wait_for(|n| *n == 8)).await.expect("the agent lives");
    // All that fits into sockets and windows is on its way.
    let mut other = shim.raw("a").await;
    for _ in 0..2000 {
        assert_eq!(other.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    *agent.body.lock().expect("a lock") = (three_rows(), Ending::Clean);
    assert_eq!(other.rows(FLASHBACK).await.len(), 3);
}

/// The connection of the last question about rows.
fn last(agent: &Agent) -> usize {
    *agent.positions.lock().expect("a lock").last().expect("a question")
}

/// Asks until the questions come on another connection than this one.
async fn elsewhere(agent: &Agent, client: &mut Raw, from: usize) -> usize {
    let moved = async {
        loop {
            assert_eq!(client.rows(FLASHBACK).await.len(), 3);
            if last(agent) != from {
                return last(agent);
            }
        }
    };
    soon("questions on another connection", moved).await
}

#[tokio::test]
async fn rows_have_a_connection_of_their_own_that_all_share() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    let common = last(&agent);
    let own = elsewhere(&agent, &mut client, common).await;
    let before = agent.positions.lock().expect("a lock").len();
    let mut others = Vec::new();
    for _ in 0..8 {
        others.push(shim.raw("a").await);
    }
    for other in &mut others {
        other.send(FLASHBACK).await;
    }
    let mut asked = agent.asked.subscribe();
    soon("eight questions", asked.wait_for(|n| *n == before + 8)).await.expect("the agent lives");
    assert_eq!(agent.positions.lock().expect("a lock")[before..], [own; 8]);
}

#[tokio::test]
async fn what_a_broken_connection_did_not_begin_to_answer_is_asked_again() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    let common = last(&agent);
    let own = elsewhere(&agent, &mut client, common).await;
    let before = agent.positions.lock().expect("a lock").len();
    agent.body.lock().expect("a lock").1 = Ending::Unanswered;
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    assert_eq!(agent.positions.lock().expect("a lock")[before..], [own, common]);
    // And there is a new one instead of the broken one.
    assert_ne!(elsewhere(&agent, &mut client, common).await, own);
}
