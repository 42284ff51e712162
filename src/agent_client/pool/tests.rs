//! Agents behind a name with several addresses, and agents with the histories of several servers.

use super::*;
use crate::agent_client::AgentSettings;
use dbtrail_types::secret::Secret;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The status of an answer to `/readyz`, by the path that was asked for.
type Readiness = fn(&str) -> u16;

/// An agent that knows the schema `AT`, the end of its own address, and answers `/readyz`.
struct Fake {
    asked: Arc<AtomicUsize>,
    ready: Arc<Mutex<Readiness>>,
}

impl Fake {
    /// On an address of this machine.
    async fn start(end: u8, port: u16) -> (Self, u16) {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, end), port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, ready) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(always as Readiness)));
        let fake = Self { asked: Arc::clone(&asked), ready: Arc::clone(&ready) };
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (asked, ready) = (Arc::clone(&asked), Arc::clone(&ready));
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    let read = socket.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let (status, body) = if path.starts_with("/readyz") {
                        (ready.lock().unwrap()(&head), "{}".to_owned())
                    } else {
                        asked.fetch_add(1, Ordering::Relaxed);
                        (200, format!(r#"{{"success":true,"schemas":["at{end}"]}}"#))
                    };
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\n\
                         content-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = socket.write_all(answer.as_bytes()).await;
                });
            }
        });
        (fake, port)
    }

    fn is_ready(&self, ready: Readiness) {
        *self.ready.lock().unwrap() = ready;
    }
}

fn always(_: &str) -> u16 {
    200
}

fn client(host: &str, port: u16) -> AgentClient {
    let base_url = format!("http://{host}:{port}");
    AgentClient::new(&AgentSettings { base_url, ca_pem: None, identity_pem: None }).unwrap()
}

fn caller() -> Caller {
    Caller { tenant: "a".to_owned(), token: Some(Secret::new("a-token".to_owned())) }
}

fn pool(agents: Vec<AgentClient>, names: Names) -> AgentPool {
    AgentPool { members: Arc::new(Members::new(agents, names).by_hand()), newest: Arc::default() }
}

/// The end of the address of the agent that answers.
async fn at(pool: &AgentPool, server: &str) -> String {
    let server = ServerId(server.to_owned());
    let schemas = pool.schemas(&caller(), &server, &RequestId::next(0)).await;
    schemas.map_or_else(|failure| format!("{failure:?}"), |schemas| schemas.concat())
}

/// All that answer, of many questions.
async fn answering(pool: &AgentPool, server: &str) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..40 {
        all.push(at(pool, server).await);
    }
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn each_address_of_a_name_is_an_agent() {
    let (_first, port) = Fake::start(1, 0).await;
    let (_second, _) = Fake::start(2, port).await;
    let (_third, _) = Fake::start(3, port).await;
    let ends: Arc<Mutex<Vec<u8>>> = Arc::new(Mutex::new(vec![2]));
    let shared = Arc::clone(&ends);
    let names = Names::by(move |name| {
        assert_eq!(name, "agents.invalid");
        let ends = shared.lock().unwrap().clone();
        Box::pin(async move {
            if ends.is_empty() {
                return Err(std::io::Error::other("the resolver is away"));
            }
            Ok(ends.into_iter().map(|end| IpAddr::V4(Ipv4Addr::new(127, 0, 0, end))).collect())
        })
    });
    let pool = pool(vec![client("agents.invalid", port)], names);
    let named = |pool: &AgentPool| pool.members.named();
    let url = format!("http://agents.invalid:{port}");
    pool.members.resolve().await;
    assert_eq!(named(&pool), [url.as_str()], "one address: whoever connects looks it up");
    *ends.lock().unwrap() = vec![2, 1];
    pool.members.resolve().await;
    assert_eq!(named(&pool), [format!("{url} at 127.0.0.1"), format!("{url} at 127.0.0.2")]);
    assert_eq!(answering(&pool, "s").await, ["at1", "at2"], "both share the questions");
    // One goes, one comes, one stays.
    *ends.lock().unwrap() = vec![3, 2];
    pool.members.resolve().await;
    assert_eq!(answering(&pool, "s").await, ["at2", "at3"]);
    // What was known goes on.
    ends.lock().unwrap().clear();
    pool.members.resolve().await;
    assert_eq!(answering(&pool, "s").await, ["at2", "at3"]);
    // Nobody is there.
    *ends.lock().unwrap() = vec![3, 9];
    pool.members.resolve().await;
    assert_eq!(answering(&pool, "s").await, ["at3"], "another address instead of an error");
}

#[tokio::test]
async fn who_is_ready_for_one_server_is_not_asked_first_about_another() {
    let (first, port) = Fake::start(1, 0).await;
    let (second, other) = Fake::start(2, 0).await;
    let pool = pool(vec![client("127.0.0.1", port), client("127.0.0.2", other)], Names::of_the_system());
    // Only who has the token is told of one of them.
    first.is_ready(|head| match (head.contains("server_id=shop"), head.contains("Bearer a-token")) {
        (true, true) => 503,
        _ => 200,
    });
    assert_eq!(answering(&pool, "shop").await, ["at1", "at2"], "before they were asked");
    assert_eq!(answering(&pool, "crm").await, ["at1", "at2"]);
    pool.members.look_once().await;
    assert_eq!(answering(&pool, "shop").await, ["at2"]);
    assert_eq!(answering(&pool, "crm").await, ["at1", "at2"]);
    // One that tells of no single one.
    second.is_ready(|head| if head.contains("server_id=") { 404 } else { 200 });
    pool.members.look_once().await;
    assert_eq!(answering(&pool, "shop").await, ["at2"]);
    second.is_ready(|head| if head.contains("server_id=") { 404 } else { 503 });
    first.is_ready(always);
    pool.members.look_once().await;
    assert_eq!(answering(&pool, "shop").await, ["at1"]);
    let before = second.asked.load(Ordering::Relaxed);
    assert_eq!(answering(&pool, "crm").await, ["at1"]);
    assert_eq!(second.asked.load(Ordering::Relaxed), before);
}
