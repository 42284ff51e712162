//! Peers of the agent that say nothing, or stop in the middle: they keep nobody else out.

use crate::truth_agent::history;
use dbtrail_history::HistoryHandle;
use dbtrail_history::serve::{ServeOptions, serve};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

const BODY: &str = r#"{"server_id": "truth", "schema": "tt", "table": "orders", "keys": {"columns": ["id"], "values": [["1"]]}, "at": {"time": "2026-11-23T07:12:55Z"}}"#;

async fn agent(options: ServeOptions) -> (u16, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let stop = CancellationToken::new();
    tokio::spawn(serve(
        listener,
        Arc::new(HistoryHandle::fixed(history("mysql-9.7"))),
        options,
        stop.clone(),
    ));
    (port, stop.drop_guard())
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.expect("a connection")
}

/// All that comes in answer, up to the end of the connection.
async fn said(socket: &mut TcpStream, request: &str) -> String {
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), socket.read_to_end(&mut all)).await;
    // A socket that is closed with something unread is reset.
    let _ = read.expect("an end");
    String::from_utf8_lossy(&all).into_owned()
}

fn head(length: usize) -> String {
    format!("POST /v1/flashback HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
}

#[tokio::test]
async fn a_body_that_never_comes_takes_no_slot_and_has_an_end() {
    let patience = Duration::from_millis(300);
    let (port, _stop) = agent(ServeOptions { max_requests: 1, patience, ..ServeOptions::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut socket = connect(port).await;
        socket.write_all(format!("{}{{", head(BODY.len())).as_bytes()).await.expect("sent");
        silent.push(socket);
    }
    let begun = Instant::now();
    let answer = said(&mut connect(port).await, &format!("{}{BODY}", head(BODY.len()))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    for mut socket in silent {
        let answer = said(&mut socket, "").await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("did not come within"), "{answer}");
    }
}

#[tokio::test]
async fn sockets_that_say_nothing_give_way_and_have_an_end() {
    let patience = Duration::from_secs(30);
    let (port, _stop) = agent(ServeOptions { max_connections: 8, patience, ..ServeOptions::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(connect(port).await);
    }
    let answer = said(&mut connect(port).await, &format!("{}{BODY}", head(BODY.len()))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // The oldest went.
    assert_eq!(said(&mut silent[0], "").await, "");
    drop(silent);
    let (port, _stop) =
        agent(ServeOptions { patience: Duration::from_millis(100), ..ServeOptions::default() }).await;
    assert_eq!(said(&mut connect(port).await, "").await, "");
}
