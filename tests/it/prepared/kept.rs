//! What sessions keep between their commands is bounded for each user, and for all.

use super::super::support::{Agent, COLUMNS, Outcome, Plan, RANGE, Raw, Reply, certificates, error};
use super::{CURSOR, PLAIN, bound};
use dbtrail_shim::plan::guard::PlanSettings;
use dbtrail_shim::session::MemoryLimits;
use std::time::Duration;

const MIB: usize = 1 << 20;

/// Keeps 1 MiB in one of four ways; the number of the error, where there is no room.
async fn keep(client: &mut Raw, way: usize) -> Option<u16> {
    let text = "x".repeat(MIB);
    let outcome = match way {
        0 => client.query(&format!("SET @a = '{text}'")).await,
        1 => client.query(&format!("PREPARE p FROM 'SELECT \"{text}\"'")).await,
        2 => return client.prepare(&format!("SELECT '{text}'")).await.err().map(|reported| reported.code),
        _ => {
            let ready = client.ready("SELECT LENGTH(?)").await;
            for _ in 0..2 {
                client.long_data(ready.id, 0, &text.as_bytes()[..MIB / 2]).await;
            }
            // Not executed: the pieces stay.
            let probe = client.ready("SELECT 1").await;
            client.execute(&bound(probe.id, PLAIN, &[])).await.expect("a row");
            return None;
        }
    };
    match outcome {
        Outcome::Error(reported) => Some(reported.code),
        Outcome::Done(_) => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sessions_of_one_user_keep_leaves_room_for_the_others() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let plan = Plan {
        memory: MemoryLimits { all: 12 * MIB, user: 6 * MIB },
        max_packet: 16 * MIB,
        max_connections: 100,
        ..Plan::before(&agent, &made)
    };
    let shim = plan.start().await;
    let mut other = shim.raw("b").await;
    let mut clients = Vec::new();
    let mut refused = [0; 4];
    for turn in 0..12 {
        let mut client = shim.raw("a").await;
        // COM_RESET_CONNECTION forgets what is kept, and not with whom the memory is shared.
        client.command(31, b"").await;
        assert_eq!(client.read().await.expect("an answer")[0], 0);
        if let Some(code) = keep(&mut client, turn % 4).await {
            assert_eq!(code, 1041, "turn {turn}");
            refused[turn % 4] += 1;
            assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"), "the session goes on");
        }
        clients.push(client);
    }
    assert!(refused[..3].iter().all(|count| *count > 0), "{refused:?}");
    let long = format!("SET @a = '{}'", "x".repeat(2 * MIB));
    assert_eq!(other.query(&long).await, Outcome::Done(0), "the others' half is there");
    // What is given up can be had again: by what forgets it, and by the end of a connection.
    let mut last = clients.pop().expect("a client");
    drop(clients);
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..5 {
        assert_eq!(last.query(&long).await, Outcome::Done(0));
        assert_eq!(last.query("SET @a = 1").await, Outcome::Done(0));
        assert_eq!(keep(&mut last, 1).await, None);
        assert_eq!(last.query("DEALLOCATE PREPARE p").await, Outcome::Done(0));
        let ready = last.ready("SELECT LENGTH(?)").await;
        last.long_data(ready.id, 0, &vec![b'x'; MIB]).await;
        assert_eq!(last.reset(ready.id).await[0], 0);
    }
}

/// How often a limit ended or refused something of this user.
async fn reached(client: &mut Raw, limit: &str) -> u64 {
    let rows = client.rows(&format!("SHOW STATUS LIKE 'Dbtrail_limits_{limit}'")).await;
    rows[0][1].as_deref().and_then(|count| count.parse().ok()).expect("a number")
}

/// Figures are of the process: other tests have users of the same name, and none of them less.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_limits_of_memory_and_packets_refuse_is_counted() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let memory = MemoryLimits { all: 12 * MIB, user: 6 * MIB };
    let shim = Plan { memory, max_packet: 5 * MIB, ..Plan::before(&agent, &made) }.start().await;
    let (mut client, mut other) = (shim.raw("b").await, shim.raw("b").await);
    let text = "x".repeat(MIB);
    assert_eq!(client.query(&format!("SET @a = '{text}'")).await, Outcome::Done(0));
    let (memory, compute) = (reached(&mut other, "memory").await, reached(&mut other, "compute").await);
    match client.query("SELECT LENGTH(CONCAT(@a, @a, @a, @a, @a, @a, @a))").await {
        Outcome::Error(reported) => assert_eq!(reported.code, 1235, "{reported:?}"),
        answer => panic!("{answer:?}"),
    }
    let again = reached(&mut other, "memory").await;
    assert!(again > memory, "values without room");
    let ready = client.ready("SELECT LENGTH(?)").await;
    for _ in 0..6 {
        client.long_data(ready.id, 0, text.as_bytes()).await;
    }
    let sent = [(super::TEXT, Some(Vec::new()))];
    let reported = client.execute(&bound(ready.id, PLAIN, &sent)).await.expect_err("no room");
    assert_eq!(reported.code, 1041, "{reported:?}");
    assert!(reached(&mut other, "memory").await > again, "no room to keep a parameter");
    assert_eq!(reached(&mut other, "compute").await, compute, "it was not for computing too much");
    let before = reached(&mut other, "max_packet").await;
    let mut long = shim.raw("b").await;
    match long.query(&format!("SELECT '{}'", text.repeat(6))).await {
        Outcome::Error(reported) => assert_eq!(reported.code, 1153, "{reported:?}"),
        other => panic!("{other:?}"),
    }
    assert!(reached(&mut other, "max_packet").await > before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_in_pieces_without_room_is_reported_at_its_execution() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let memory = MemoryLimits { all: 8 * MIB, user: 4 * MIB };
    let shim = Plan { memory, max_packet: 16 * MIB, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready("SELECT LENGTH(?)").await;
    for _ in 0..6 {
        client.long_data(ready.id, 0, &vec![b'x'; MIB]).await;
    }
    let sent = [(super::TEXT, Some(Vec::new()))];
    let reported = client.execute(&bound(ready.id, PLAIN, &sent)).await.expect_err("no room");
    assert_eq!(reported.code, 1041, "{reported:?}");
    assert_eq!(client.reset(ready.id).await[0], 0);
    client.long_data(ready.id, 0, &vec![b'x'; MIB]).await;
    assert_eq!(client.execute(&bound(ready.id, PLAIN, &sent)).await.expect("a row").1.len(), 1);
}

/// Opens a cursor; the number of the error, where there is none.
async fn open(client: &mut Raw, id: u32) -> Option<u16> {
    client.command(0x17, &bound(id, CURSOR, &[])).await;
    let head = client.read().await.expect("an answer");
    if head[0] == 0xff {
        return Some(error(&head).code);
    }
    assert_eq!(head, [1], "one column");
    for _ in 0..2 {
        client.read().await.expect("its definition, and the end of definitions");
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_cursors_count_until_they_are_fetched_or_closed() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let memory = MemoryLimits { all: 12 * MIB, user: 6 * MIB };
    let shim = Plan { memory, max_packet: 16 * MIB, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(client.ready("SELECT @a").await.id);
    }
    let text = "x".repeat(MIB);
    assert_eq!(client.query(&format!("SET @a = '{text}'")).await, Outcome::Done(0));
    let mut opened = Vec::new();
    for id in &ids {
        match open(&mut client, *id).await {
            None => opened.push(*id),
            // Where the value has no room it is 1235, where it is to be kept 1041.
            Some(code) => assert!(matches!(code, 1041 | 1235), "{code}"),
        }
    }
    assert!((2..=5).contains(&opened.len()), "{} cursors of 1 MiB in 6 MiB", opened.len());
    // Closed by COM_STMT_RESET, fetched to its end, or followed by another execution.
    for (turn, id) in opened.iter().enumerate() {
        match turn % 3 {
            0 => assert_eq!(client.reset(*id).await[0], 0),
            1 => assert_eq!(client.fetch(*id, 5).await.expect("a row").0.len(), 1),
            _ => assert_eq!(client.execute(&bound(*id, PLAIN, &[])).await.expect("a row").1.len(), 1),
        }
    }
    for id in &ids[..opened.len()] {
        assert_eq!(open(&mut client, *id).await, None, "there is room again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_sorted_count_too() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.set_metadata(Reply::json(
        200,
        &format!(r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"t",{COLUMNS}}}"#),
    ));
    let row = |id: u32| format!("[\"{id}\",\"{}\"]\n", "x".repeat(100));
    let rows = (1..=20_000).map(row).collect::<Vec<_>>().concat();
    agent.always(Reply::ndjson(&format!(
        "{{\"success\":true,{COLUMNS}}}\n{rows}{{\"end\":{{\"rows\":20000,\"notes\":[]}}}}\n"
    )));
    let memory = MemoryLimits { all: 4 * MIB, user: 2 * MIB };
    let guard = PlanSettings::of_keys(u64::MAX);
    let shim = Plan { memory, guard, max_packet: 16 * MIB, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    assert!(
        matches!(client.query(RANGE).await, Outcome::Rows(rows, _) if rows.len() == 20_000),
        "as they come"
    );
    match client.query(&format!("{RANGE} ORDER BY id DESC")).await {
        Outcome::Error(reported) => assert_eq!(reported.code, 1041, "{reported:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"), "what was held is given back");
}
