//! KILL, and statements that take too long.

use super::super::support::{
    Agent, FLASHBACK, Outcome, Plan, RANGE, Raw, Reply, Then, certificates, error, pair, pair_on, soon,
    three_rows, wide_pair,
};
use super::{HEADER, ROWS, THREADS, takes_several};
use dbtrail_shim::server::Threads;
use std::time::{Duration, Instant};

#[tokio::test]
async fn kill_query_cancels_the_request() {
    for threads in THREADS {
        kill_query_cancels_the_request_on(threads).await;
    }
}

async fn kill_query_cancels_the_request_on(threads: Threads) {
    let (agent, shim) = pair_on(threads).await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    let mut stranger = shim.raw("b").await;
    let row = format!("{HEADER}[\"1\",\"one\"]\n");
    for (count, reply) in
        [Reply::nothing(Then::Wait), Reply::part(200, HEADER, Then::Wait), Reply::part(200, &row, Then::Wait)]
            .into_iter()
            .enumerate()
    {
        agent.always(reply);
        client.send(FLASHBACK).await;
        agent.asked(2 * count + 1).await;
        let reported = stranger.err_packet(&format!("KILL QUERY {}", client.id)).await;
        assert_eq!(
            (reported.code, reported.plain().2.to_owned()),
            (1095, format!("You are not owner of thread {}", client.id))
        );
        assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
        match client.outcome().await {
            Outcome::Error(reported) | Outcome::Broken(_, reported) => {
                assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
            }
            unexpected => panic!("{unexpected:?}"),
        }
        agent.left_alone(count + 1).await;
        // A kill of a connection that does nothing leaves its next statement alone.
        assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
        agent.always(Reply::ndjson(&three_rows()));
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
}

#[tokio::test]
async fn kill_query_reaches_a_statement_whose_client_does_not_read() {
    let (agent, shim) = wide_pair().await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    agent.always(Reply::part(200, HEADER, Then::Repeat(&ROWS)));
    client.send(RANGE).await;
    agent.asked(1).await;
    // The result has begun, and from here on the client takes nothing.
    let mut first = [0; 4];
    soon("the beginning of a result", client.stream.peek(&mut first)).await.expect("bytes");
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    agent.left_alone(1).await;
    match client.outcome().await {
        Outcome::Broken(rows, reported) => {
            assert!(rows.iter().all(|r| r[0].as_deref() == Some("1")));
            assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
        }
        unexpected => panic!("{unexpected:?}"),
    }
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
}

#[tokio::test]
async fn kill_query_ends_the_statements_after_it_too() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    takes_several(&mut client).await;
    agent.always(Reply::nothing(Then::Wait));
    client.send(&format!("SET @a = 1; {FLASHBACK}; SET @a = 2")).await;
    agent.asked(1).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    assert_eq!(client.outcome().await, Outcome::Done(0));
    match client.outcome().await {
        Outcome::Error(reported) => {
            assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
        }
        unexpected => panic!("{unexpected:?}"),
    }
    agent.left_alone(1).await;
    assert_eq!(client.cell("SELECT @a").await.as_deref(), Some("1"));
}

/// Rows that come in the other order than the one that is wanted, of which not one is shown before
/// all are sorted.
#[tokio::test(flavor = "multi_thread")]
async fn kill_query_ends_a_long_sort_at_any_time() {
    const ROWS: usize = 150_000;
    let (agent, shim) = wide_pair().await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    let rows: Vec<_> = (0..ROWS).map(|n| format!("[\"{n}\",\"{:020}\"]\n", ROWS - n)).collect();
    let rows = rows.concat();
    agent.always(Reply::ndjson(&format!("{HEADER}{rows}{{\"end\":{{\"rows\":{ROWS},\"notes\":[]}}}}\n")));
    let statement = format!("{RANGE} ORDER BY id DESC LIMIT {}, 1", ROWS - 1);
    let begun = Instant::now();
    assert_eq!(client.rows(&statement).await, [[Some("0".to_owned()), Some(format!("{ROWS:020}"))]]);
    let took = begun.elapsed();
    for eighth in 1..8 {
        client.send(&statement).await;
        tokio::time::sleep(took * eighth / 8).await;
        let killed = Instant::now();
        assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
        let interrupted = match client.outcome().await {
            Outcome::Error(reported) | Outcome::Broken(_, reported) => reported,
            // It was done sooner than the first time.
            Outcome::Rows(..) if eighth > 4 => continue,
            unexpected => panic!("{eighth}: {unexpected:?}"),
        };
        assert_eq!(interrupted.plain(), (1317, "70100", "Query execution was interrupted"));
        assert!(killed.elapsed() < Duration::from_secs(2), "{eighth}: {:?} of {took:?}", killed.elapsed());
    }
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn max_execution_time_ends_a_statement_and_its_request() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    // The definition is known, so that the time is spent on the rows.
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    agent.always(Reply::nothing(Then::Wait));
    assert_eq!(client.query("SET max_execution_time = 1500").await, Outcome::Done(0));
    let late = "Query execution was interrupted, maximum statement execution time exceeded";
    assert_eq!(client.err_packet(FLASHBACK).await.plain(), (3024, "HY000", late));
    agent.left_alone(1).await;
    // Also while the rows come.
    agent.always(Reply::part(200, HEADER, Then::Wait));
    assert_eq!(client.err_packet(FLASHBACK).await.plain(), (3024, "HY000", late));
    agent.left_alone(2).await;
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.query("SET max_execution_time = 0").await, Outcome::Done(0));
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
}

#[tokio::test]
async fn kill_ends_a_connection_and_its_request() {
    for threads in THREADS {
        kill_ends_a_connection_and_its_request_on(threads).await;
    }
}

async fn kill_ends_a_connection_and_its_request_on(threads: Threads) {
    let (agent, shim) = pair_on(threads).await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    agent.always(Reply::nothing(Then::Wait));
    client.send(FLASHBACK).await;
    agent.asked(1).await;
    assert_eq!(other.query(&format!("KILL {}", client.id)).await, Outcome::Done(0));
    agent.left_alone(1).await;
    assert_eq!(client.outcome().await, Outcome::Closed);
    let reported = other.err_packet("KILL 4000000000").await;
    assert_eq!(reported.plain(), (1094, "HY000", "Unknown thread id: 4000000000"));
}

#[tokio::test]
async fn a_change_of_database_can_be_killed_and_left() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    agent.set_metadata(Reply::nothing(Then::Wait));
    client.command(2, b"other").await;
    agent.questions(1).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    match client.outcome().await {
        Outcome::Error(reported) => {
            assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
        }
        unexpected => panic!("{unexpected:?}"),
    }
    agent.left_alone(1).await;
    assert_eq!(client.cell("SELECT DATABASE()").await.as_deref(), Some("tt"));
    client.command(2, b"other").await;
    agent.questions(2).await;
    drop(client);
    agent.left_alone(2).await;
}

#[tokio::test]
async fn a_full_server_lets_in_who_kills_a_statement() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_connections: 1, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let id = client.cell("SELECT CONNECTION_ID()").await.expect("a number");
    let mut other = Raw::connect(shim.port).await;
    assert_eq!(error(&other.login("a", "secret-a", None).await).code, 1226);
    let mut killer = Raw::connect(shim.port).await;
    killer.attributes = vec![("program_name", "proxysql_killer")];
    let answer = killer.login("a", "secret-a", None).await;
    assert_eq!(answer.first(), Some(&0), "{answer:?}");
    assert!(matches!(killer.query(&format!("KILL CONNECTION {id}")).await, Outcome::Done(..)));
    assert!(client.is_closed().await);
}
