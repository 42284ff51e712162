//! What ProxySQL was seen to do to a backend: a pool of connections that goes from user to user by
//! COM_CHANGE_USER, schemas set by COM_INIT_DB, settings replayed before a statement, a monitor,
//! and a killer that logs in beside.

mod backend;

use super::support::Agent;
use super::support::COLUMNS;
use super::support::Plan;
use super::support::Reply;
use super::support::Request;
use super::support::Shim;
use super::support::Then;
use super::support::certificates;
use super::support::error;
use super::support::rounds;
use super::support::soon;
use backend::{Backend, Said};
use std::sync::Arc;
use tokio::sync::Mutex;

/// SERVER_SESSION_STATE_CHANGED
const SESSION_STATE_CHANGED: u16 = 1 << 14;
/// The flags that ProxySQL 2.7.2 sends to a backend, and those of its monitor.
const PROXY: u32 = 0x81bb_a28c;
const MONITOR: u32 = 0x00b8_a284;
const ATTRIBUTES: [(&str, &str); 4] = [
    ("program_name", "proxysql"),
    ("_client_name", "libmariadb"),
    ("_pid", "4711"),
    ("mysql_bug_102266", "Avoid MySQL bug"),
];
const USERS: usize = 8;
const STATEMENTS: usize = 10_000;
const SCHEMAS: [&str; 2] = ["tt", "other"];

/// Every value names the server, the token and the schema that were asked with.
fn answer_by_token(request: &Request) -> Reply {
    let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    let (server, schema) =
        (body["server_id"].as_str().expect("a server"), body["schema"].as_str().expect("a schema"));
    let who = format!("{server} {} {schema}", request.header("authorization").expect("a token"));
    let (lines, count) = if request.path == "/v1/diff" {
        let event = format!(
            "{{\"event\":{{\"event_id\":1,\"event_timestamp\":\"2020-01-01T12:10:00.000000Z\",\"event_type\":\"INSERT\",\"gtid\":\"{who}\",\
             \"key\":[\"1\"],\"before\":null,\"after\":[\"1\",\"{who}\"]}}}}\n"
        );
        (event, 1)
    } else {
        ([1, 2, 3].map(|n| format!("[\"{n}\",\"{who}\"]\n")).concat(), 3)
    };
    Reply::ndjson(&format!(
        "{{\"success\":true,{COLUMNS}}}\n{lines}{{\"end\":{{\"rows\":{count},\"notes\":[]}}}}\n"
    ))
}

/// One statement of a user, and whether what came is this user's.
async fn statement(backend: &mut Backend, user: usize, schema: &'static str, zone: &str, kind: usize) {
    let who = format!("server-t{user} Bearer token-t{user} {schema}");
    let flashback = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2, 3)";
    let mine = |said: Said, flags: u16| match said {
        Said::Rows(rows, status, 0) => {
            assert_eq!(status, flags);
            let want: Vec<_> = (1..=3).map(|n: u8| vec![Some(n.to_string()), Some(who.clone())]).collect();
            assert_eq!(rows, want);
        }
        other => panic!("{other:?}"),
    };
    match kind {
        0 | 1 => mine(backend.query(flashback).await, 2),
        2 => {
            let sql = "SELECT event_timestamp, gtid FROM _diff.t BETWEEN '2020-01-01T12:00:00Z' AND '2020-01-01T12:30:00Z' WHERE id = 1";
            let Said::Rows(rows, 2, 0) = backend.query(sql).await else { panic!("no rows") };
            // In the user's own time zone.
            let local = format!("2020-01-01 {}:10:00.000000", 12 + user);
            assert_eq!(rows, [vec![Some(local), Some(who)]]);
        }
        3 => {
            let sql = "SELECT USER(), DATABASE(), @@time_zone, @mine";
            let Said::Rows(rows, 2, 0) = backend.query(sql).await else { panic!("no rows") };
            let user = format!("t{user}@127.0.0.1");
            assert_eq!(rows, [vec![Some(user), Some(schema.to_owned()), Some(zone.to_owned()), None]]);
        }
        4 => {
            assert_eq!(backend.ok("BEGIN").await, 3);
            mine(backend.query(flashback).await, 3);
            assert_eq!(backend.ok("COMMIT").await, 2);
        }
        5 => {
            assert_eq!(backend.ok("SET autocommit=0").await, 0);
            mine(backend.query(flashback).await, 0);
            assert_eq!(backend.ok("SET autocommit=1").await, 2);
        }
        _ => {
            let sql = format!("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE v = 'of {user}'");
            let said = backend.query(&sql).await;
            assert!(matches!(said, Said::Error(1064)), "{said:?}");
            // The connection is the client's until it has asked.
            let Said::Rows(rows, _, _) = backend.query("SHOW WARNINGS").await else { panic!("no rows") };
            assert_eq!((rows.len(), rows[0][1].as_deref()), (1, Some("1064")));
            let settings = format!("SET @mine = {user}, @u=@@sql_mode, sql_mode=''");
            backend.ok(&settings).await;
            let Said::Rows(rows, _, _) = backend.query("SELECT @mine").await else { panic!("no rows") };
            assert_eq!(rows, [vec![Some(user.to_string())]]);
            // A session with variables of its own is not shared: ProxySQL gives the connection to
            // nobody before COM_CHANGE_USER.
            backend.user = None;
        }
    }
}

async fn proxied(slow: bool) -> (Agent, Shim) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.script(move |request| if slow { Reply::nothing(Then::Wait) } else { answer_by_token(request) });
    let shim = Plan { tenants: USERS, max_connections: 100, ..Plan::before(&agent, &made) }.start().await;
    (agent, shim)
}

#[tokio::test]
async fn ten_thousand_statements_of_eight_users_over_four_connections() {
    let (agent, shim) = proxied(false).await;
    let mut pool = Vec::new();
    for _ in 0..4 {
        let (backend, ok) = Backend::login(shim.port, "t0", PROXY, &ATTRIBUTES).await;
        assert_eq!(ok[0], 0, "{ok:?}");
        pool.push(Arc::new(Mutex::new(backend)));
    }
    let mut tasks = tokio::task::JoinSet::new();
    for user in 0..USERS {
        let pool = pool.clone();
        tasks.spawn(async move {
            let zone = format!("+{user:02}:00");
            // A walk through connections, schemas and kinds that differs from user to user.
            let mut seed = 0x9e37_79b9_u64 + user as u64;
            for _ in 0..rounds(STATEMENTS) / USERS {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let random = usize::try_from(seed >> 40).expect("24 bits");
                let mut backend = pool[random % pool.len()].lock().await;
                let schema = SCHEMAS[random / 8 % 2];
                backend.prepare(user, schema, &zone).await;
                statement(&mut backend, user, schema, &zone, random / 64 % 7).await;
            }
        });
    }
    // The monitor asks its own questions meanwhile.
    for _ in 0..50 {
        let (mut monitor, ok) =
            Backend::login(shim.port, "monitor", MONITOR, &[("program_name", "proxysql_monitor")]).await;
        assert_eq!(ok[0], 0, "{ok:?}");
        monitor.raw.command(0x0e, b"").await;
        assert_eq!(monitor.raw.read().await.expect("OK")[0], 0);
        monitor.ok("SET wait_timeout=30").await;
        monitor.raw.command(3, b"SELECT @@global.read_only read_only").await;
        // EOF packets, since the monitor has no DEPRECATE_EOF.
        let lengths: Vec<usize> = [1, 0, 5, 2, 5].into();
        for (at, length) in lengths.into_iter().enumerate() {
            let packet = monitor.raw.read().await.expect("a packet");
            assert!(length == 0 || packet.len() == length, "packet {at}: {packet:?}");
        }
        let said = monitor.raw.query("SELECT * FROM _flashback.tt.t AS OF '2020-01-01' WHERE id = 1").await;
        assert!(
            matches!(said, super::support::Outcome::Error(ref reported) if reported.code == 1235),
            "{said:?}"
        );
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a user got what is not theirs");
    }
    assert!(agent.figures().0 > rounds(STATEMENTS) / 2, "{:?}", agent.figures());
}

#[tokio::test]
async fn the_killer_ends_a_request_at_the_agent() {
    let (agent, shim) = proxied(true).await;
    let (mut backend, _) = Backend::login(shim.port, "t1", PROXY, &ATTRIBUTES).await;
    backend.prepare(1, "tt", "+01:00").await;
    for round in 1..=21 {
        backend.raw.send("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1").await;
        agent.asked(round).await;
        let list = [("program_name", "proxysql_killer")];
        // Another user may not, and nothing happens to the victim.
        let (mut stranger, _) = Backend::login(shim.port, "t2", PROXY, &list).await;
        let said = stranger.query(&format!("KILL QUERY {}", backend.raw.id)).await;
        assert!(matches!(said, Said::Error(1095)), "{said:?}");
        let (mut killer, _) = Backend::login(shim.port, "t1", PROXY, &list).await;
        killer.ok(&format!("KILL QUERY {}", backend.raw.id)).await;
        agent.left_alone(round).await;
        let reported = error(&backend.raw.read().await.expect("an error"));
        assert_eq!((reported.code, reported.state.as_str()), (1317, "70100"));
        assert!(reported.message.starts_with("Query execution was interrupted"), "{reported:?}");
        assert_eq!(backend.ok("SET time_zone='+01:00'").await, 2);
    }
}

#[tokio::test]
async fn pings_do_not_wait_for_slow_statements() {
    let (agent, shim) = proxied(true).await;
    let mut slow = Vec::new();
    for user in 0..32 {
        let (mut backend, _) =
            Backend::login(shim.port, &format!("t{}", user % USERS), PROXY, &ATTRIBUTES).await;
        backend.prepare(user % USERS, "tt", "+00:00").await;
        backend.raw.send("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1").await;
        slow.push(backend);
    }
    agent.asked(32).await;
    let (mut backend, _) = Backend::login(shim.port, "t0", PROXY, &ATTRIBUTES).await;
    for _ in 0..1000 {
        let said = soon("a pong", backend.command(0x0e, b"")).await;
        assert!(matches!(said, Said::Ok(2)), "{said:?}");
    }
    // None of them has been answered meanwhile.
    assert_eq!(agent.figures(), (32, 0));
}
