//! Bounds on what a client may take, and what ends a statement before its time.

mod kill;

use super::support::Agent;
use super::support::FLASHBACK;
use super::support::Outcome;
use super::support::Plan;
use super::support::RANGE;
use super::support::Raw;
use super::support::Reply;
use super::support::Then;
use super::support::certificates;
use super::support::error;
use super::support::pair;
use super::support::soon;
use super::support::wide_pair;
use dbtrail_shim::server::Threads;
use std::time::Duration;
use tokio::io::AsyncReadExt;

const HEADER: &str = concat!(
    r#"{"success":true,"columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},"#,
    r#"{"name":"v","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["id"]}"#,
    "\n"
);

/// Wherever the connections run, they end in the same way.
const THREADS: [Threads; 2] = [Threads::Shared, Threads::Dedicated];

#[tokio::test]
async fn a_full_server_says_so_and_has_room_again() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_connections: 2, ..Plan::before(&agent, &made) }.start().await;
    let mut first = shim.raw("a").await;
    let second = shim.raw("b").await;
    let mut third = Raw::connect(shim.port).await;
    // Who is not who he says learns nothing of it.
    let reported = error(&third.login("a", "wrong", None).await);
    assert_eq!(reported.code, 1045);
    let mut third = Raw::connect(shim.port).await;
    let reported = error(&third.login("a", "secret-a", None).await);
    assert_eq!(
        (reported.code, reported.state.as_str(), reported.message.as_str()),
        (1226, "42000", "User 'a' has exceeded the 'max_user_connections' resource (current value: 2)")
    );
    assert!(third.is_closed().await);
    assert_eq!(first.rows(FLASHBACK).await.len(), 3);
    drop(second);
    // The server sees the end of the other connection in its own time.
    let again = async {
        loop {
            let mut fourth = Raw::connect(shim.port).await;
            if fourth.login("b", "secret-b", None).await.first() == Some(&0) {
                return fourth;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut fourth = soon("room for a connection", again).await;
    assert_eq!(fourth.cell("SELECT 1").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_packet_over_the_limit_is_1153_and_the_end() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_packet: 100_000, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.cell("SELECT @@max_allowed_packet").await.as_deref(), Some("100000"));
    // The command byte counts: a statement of 99,999 bytes is the longest.
    let sql = format!("SELECT 1 /*{}*/", "x".repeat(99_999 - 13));
    assert_eq!(sql.len(), 99_999);
    assert_eq!(client.cell(&sql).await.as_deref(), Some("1"));
    client.send(&format!("{sql} ")).await;
    match client.outcome().await {
        Outcome::Error(reported) => assert_eq!(
            (reported.code, reported.state.as_str(), reported.message.as_str()),
            (1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes")
        ),
        other => panic!("{other:?}"),
    }
    assert!(client.is_closed().await);
    // Several times as much as any buffer holds: the error must not be lost to a reset.
    let mut client = shim.raw("a").await;
    client.send(&"x".repeat(12 << 20)).await;
    match client.outcome().await {
        Outcome::Error(reported) => assert_eq!((reported.code, reported.state.as_str()), (1153, "08S01")),
        other => panic!("{other:?}"),
    }
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn before_login_a_packet_has_64_kib() {
    let (_agent, shim) = pair().await;
    let mut client = Raw::connect(shim.port).await;
    client.write(&vec![b'x'; 64 * 1024 + 1]).await;
    let reported = error(&client.read().await.expect("an error"));
    assert_eq!((reported.code, reported.state.as_str()), (1153, "08S01"));
    assert!(client.is_closed().await);
    // Just as long, it is read, and is no login.
    let mut client = Raw::connect(shim.port).await;
    client.write(&vec![0; 64 * 1024]).await;
    let reported = error(&client.read().await.expect("an error"));
    assert_eq!((reported.code, reported.state.as_str()), (1835, "HY000"));
    assert!(client.is_closed().await);
}

/// The clock stands still but where nothing else can happen: then it jumps to the next timer.
#[tokio::test(start_paused = true)]
async fn a_login_has_ten_seconds() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    let begun = tokio::time::Instant::now();
    let mut client = Raw::connect(shim.port).await;
    // A peer that begins a packet and does not go on.
    tokio::io::AsyncWriteExt::write_all(&mut client.stream, &[200, 0, 0, 1, 5]).await.expect("written");
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).await.expect("the end");
    assert_eq!(rest, Vec::<u8>::new());
    let waited = begun.elapsed();
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_not_waited_for() {
    let (agent, shim) = wide_pair().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.query("SET net_write_timeout = 1").await, Outcome::Done(0));
    agent.always(Reply::part(200, HEADER, Then::Repeat(&ROWS)));
    client.send(RANGE).await;
    agent.asked(1).await;
    // The client takes nothing, and asks nothing more: after a second its statement and its request
    // are over.
    agent.left_alone(1).await;
    let mut other = shim.raw("a").await;
    let gone = async {
        while other.rows("SHOW STATUS LIKE 'Threads_connected'").await[0][1].as_deref() != Some("1") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the end of the connection", gone).await;
}

/// COM_SET_OPTION with MYSQL_OPTION_MULTI_STATEMENTS_ON.
async fn takes_several(client: &mut Raw) {
    client.command(0x1b, &[0, 0]).await;
    assert_eq!(client.read().await.as_deref(), Some([0xfe, 0, 0, 2, 0].as_slice()));
}

#[tokio::test]
async fn rows_that_stream_stand_between_other_answers() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    takes_several(&mut client).await;
    client.send(&format!("SELECT 1; {FLASHBACK}; DO 1; {FLASHBACK}; SELECT 2")).await;
    let rows = |outcome| match outcome {
        Outcome::Rows(rows, 0) => rows.len(),
        unexpected => panic!("{unexpected:?}"),
    };
    assert_eq!([rows(client.outcome().await), rows(client.outcome().await)], [1, 3]);
    assert_eq!(client.outcome().await, Outcome::Done(0));
    assert_eq!([rows(client.outcome().await), rows(client.outcome().await)], [3, 1]);
    assert_eq!(client.cell("SELECT 5").await.as_deref(), Some("5"));
}

/// Many rows in one write.
const ROWS: [u8; 13 * 1000] = {
    let row = *b"[\"1\",\"aaaa\"]\n";
    let mut all = [0; 13 * 1000];
    let mut i = 0;
    while i < all.len() {
        all[i] = row[i % 13];
        i += 1;
    }
    all
};

#[tokio::test]
async fn a_shutdown_lets_statements_end_and_idle_connections_go() {
    for threads in THREADS {
        a_shutdown_lets_statements_end_and_idle_connections_go_on(threads).await;
    }
}

async fn a_shutdown_lets_statements_end_and_idle_connections_go_on(threads: Threads) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let plan = Plan { shutdown_grace: Duration::from_secs(3600), threads, ..Plan::before(&agent, &made) };
    let shim = plan.start().await;
    let mut idle = shim.raw("a").await;
    let mut busy = shim.raw("a").await;
    agent.always(Reply::part(200, &format!("{HEADER}[\"1\",\"one\"]\n"), Then::Wait));
    busy.send(FLASHBACK).await;
    agent.asked(1).await;
    shim.stop.cancel();
    // An idle connection gets mysqld's error, and ends.
    match idle.unasked().await {
        Some(reported) => assert_eq!(
            (reported.code, reported.state.as_str(), reported.message.as_str()),
            (1053, "08S01", "Server shutdown in progress")
        ),
        None => panic!("closed without a word"),
    }
    assert!(idle.is_closed().await);
    // Nobody gets in.
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", shim.port)).await.is_err());
    // The statement still runs: its end is the client's own.
    assert!(!shim.task.is_finished());
    assert_eq!(agent.figures(), (1, 0));
    drop(busy);
    agent.left_alone(1).await;
    soon("the end of the server", shim.task).await.expect("no panic");
}

#[tokio::test]
async fn a_shutdown_past_its_grace_period_cancels_requests() {
    for threads in THREADS {
        a_shutdown_past_its_grace_period_cancels_requests_on(threads).await;
    }
}

async fn a_shutdown_past_its_grace_period_cancels_requests_on(threads: Threads) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let plan = Plan { shutdown_grace: Duration::from_millis(1), threads, ..Plan::before(&agent, &made) };
    let shim = plan.start().await;
    let mut busy = shim.raw("a").await;
    agent.always(Reply::nothing(Then::Wait));
    busy.send(FLASHBACK).await;
    agent.asked(1).await;
    shim.stop.cancel();
    agent.left_alone(1).await;
    assert_eq!(busy.outcome().await, Outcome::Closed);
    soon("the end of the server", shim.task).await.expect("no panic");
}

#[tokio::test]
async fn sockets_that_say_nothing_keep_nobody_out() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_connections: 2, ..Plan::before(&agent, &made) }.start().await;
    let mut silent = Vec::new();
    // More than may wait for a login of one address.
    for _ in 0..600 {
        silent.push(tokio::net::TcpStream::connect(("127.0.0.1", shim.port)).await.expect("connected"));
    }
    let mut first = shim.raw("a").await;
    let mut second = shim.raw("b").await;
    for client in [&mut first, &mut second] {
        assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    // The oldest one was sent away, to make room for the newest.
    let mut rest = Vec::new();
    soon("the end of the oldest", silent[0].read_to_end(&mut rest)).await.expect("read");
    drop(silent);
    assert_eq!(first.rows(FLASHBACK).await.len(), 3);
    assert_eq!(
        first.rows("SHOW STATUS LIKE 'Threads_connected'").await,
        [[Some("Threads_connected".to_owned()), Some("1".to_owned())]],
        "a tenant learns nothing of the others"
    );
}

/// The clock stands still but where nothing else can happen: then it jumps to the next timer.
#[tokio::test(start_paused = true)]
async fn a_packet_that_does_not_end_is_not_waited_for() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    for (set, seconds) in [("SELECT 1", 30), ("SET net_read_timeout = 7", 7)] {
        let mut client = shim.raw("a").await;
        client.query(set).await;
        let begun = tokio::time::Instant::now();
        tokio::io::AsyncWriteExt::write_all(&mut client.stream, &[200, 0, 0, 0, 3]).await.expect("written");
        let mut rest = Vec::new();
        client.stream.read_to_end(&mut rest).await.expect("the end");
        let reported = error(&rest[4..]);
        assert_eq!((reported.code, reported.state.as_str()), (1159, "08S01"));
        assert_eq!(begun.elapsed().as_secs(), seconds);
    }
}
