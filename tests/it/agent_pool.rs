//! Several agents that keep the history of one server: who is asked, and who instead.

use super::support::{Agent, FLASHBACK, Outcome, Plan, Raw, Reply, Request, Then, certificates, three_rows};
use std::net::{Ipv4Addr, TcpListener};

const STATEMENTS: usize = 30;

/// Two agents with the three rows, and a client of a shim in front of both.
async fn two() -> (Agent, Agent, Raw) {
    let made = certificates("localhost", false);
    let (first, second) = (Agent::start(&made).await, Agent::start(&made).await);
    let more_agents = vec![format!("https://localhost:{}", second.port)];
    let shim = Plan { more_agents, ..Plan::before(&first, &made) }.start().await;
    let client = shim.raw("a").await;
    (first, second, client)
}

/// Requests for rows that came to an agent.
fn asked_for_rows(agent: &Agent) -> usize {
    agent.requests().iter().filter(|request| request.path == "/v1/flashback").count()
}

/// An agent that says that it is ready, and answers requests for rows like this.
fn ready_but(rows: Reply) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| if request.path.starts_with("/readyz") { Reply::json(200, "{}") } else { rows.clone() }
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::json(status, &format!(r#"{{"success":false,"error":"said the agent","code":"{code}"}}"#))
}

#[tokio::test]
async fn ready_agents_share_the_statements() {
    let (first, second, mut client) = two().await;
    for _ in 0..STATEMENTS {
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
    let asked = (asked_for_rows(&first), asked_for_rows(&second));
    assert_eq!(asked.0 + asked.1, STATEMENTS);
    assert!(asked.0 > 0 && asked.1 > 0, "{asked:?}");
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_costs_no_statement() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    // A port on which nobody listens.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let more_agents = vec![format!("https://localhost:{free}")];
    let shim = Plan { more_agents, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    for _ in 0..STATEMENTS {
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
    assert_eq!(asked_for_rows(&agent), STATEMENTS);
}

#[tokio::test]
async fn another_agent_is_asked_before_the_first_row() {
    let (first, second, mut client) = two().await;
    for reply in [
        refusal(503, "overloaded"),
        refusal(500, "internal"),
        refusal(422, "out_of_range"),
        refusal(422, "gap"),
        refusal(503, "not_ready"),
        refusal(404, "unknown_server"),
        Reply::nothing(Then::Reset),
        Reply::part(200, "{\"success\":true,", Then::Reset),
    ] {
        first.script(ready_but(reply.clone()));
        for _ in 0..4 {
            assert_eq!(client.rows(FLASHBACK).await.len(), 3, "{reply:?}");
        }
    }
    assert_eq!(asked_for_rows(&second), 32, "each was answered by the one that has the rows");
}

#[tokio::test]
async fn what_all_would_refuse_is_asked_of_one() {
    for (status, code) in [(404, "unknown_table"), (422, "ambiguous_time"), (401, "unauthorized")] {
        let (first, second, mut client) = two().await;
        first.script(ready_but(refusal(status, code)));
        second.script(ready_but(refusal(status, code)));
        let refused = client.err_packet(FLASHBACK).await;
        assert_eq!(refused.plain().0, 1064, "{code}: {refused:?}");
        assert_eq!(asked_for_rows(&first) + asked_for_rows(&second), 1, "{code}");
    }
}

#[tokio::test]
async fn rows_that_began_are_never_begun_again() {
    let (first, second, mut client) = two().await;
    let cut = three_rows().split_inclusive('\n').take(2).collect::<String>();
    first.script(ready_but(Reply::chunk(200, &cut, Then::Reset)));
    second.script(ready_but(Reply::chunk(200, &cut, Then::Reset)));
    match client.query(FLASHBACK).await {
        Outcome::Broken(rows, reported) => assert_eq!((rows.len(), reported.plain().0), (1, 2002)),
        other => panic!("{other:?}"),
    }
    assert_eq!(asked_for_rows(&first) + asked_for_rows(&second), 1);
}

#[tokio::test]
async fn where_all_fail_the_first_says_why() {
    let (first, second, mut client) = two().await;
    first.script(ready_but(refusal(503, "overloaded")));
    second.script(ready_but(refusal(503, "overloaded")));
    let refused = client.err_packet(FLASHBACK).await;
    assert_eq!(refused.plain().0, 1317, "{refused:?}");
    assert!(refused.plain().2.contains("said the agent"), "{refused:?}");
    assert_eq!((asked_for_rows(&first), asked_for_rows(&second)), (1, 1));
}

#[tokio::test]
async fn an_agent_that_says_it_is_not_ready_is_asked_last() {
    let (first, second, mut client) = two().await;
    first.script(|request| {
        if request.path.starts_with("/readyz?server_id=") {
            refusal(503, "not_ready")
        } else {
            Reply::ndjson(&three_rows())
        }
    });
    // The first question is also that from which on they are watched.
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    let said = |agent: &Agent| agent.requests().iter().filter(|r| r.path.starts_with("/readyz")).count();
    super::support::soon("they are asked whether they are ready", async {
        while said(&first) < 2 || said(&second) < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let before = (asked_for_rows(&first), asked_for_rows(&second));
    for _ in 0..STATEMENTS {
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
    assert_eq!((asked_for_rows(&first), asked_for_rows(&second)), (before.0, before.1 + STATEMENTS));
}

#[tokio::test]
async fn the_newest_instant_never_goes_back() {
    let (first, second, mut client) = two().await;
    let ends = |newest: &str| {
        let body = format!(
            r#"{{"success":false,"error":"not so far back","code":"out_of_range","oldest":"2020-01-01T00:00:00Z","newest":"{newest}"}}"#
        );
        move |_: &str| Reply::json(422, &body)
    };
    first.world(ends("2020-03-01T00:00:00Z"));
    second.world(ends("2020-02-01T00:00:00Z"));
    let mut seen = Vec::new();
    let is_newer = |newest: &String| newest.starts_with("2020-03-01 00:00:00");
    while !seen.last().is_some_and(is_newer) {
        seen.push(client.cell("SELECT @@dbtrail_newest").await.expect("an instant"));
        assert!(seen.len() < 200, "both are asked: {seen:?}");
    }
    for _ in 0..STATEMENTS {
        seen.push(client.cell("SELECT @@dbtrail_newest").await.expect("an instant"));
    }
    assert!(seen.is_sorted(), "{seen:?}");
    // Only the one that lags is there: that is no newest instant.
    first.world(|_| refusal(503, "overloaded"));
    let refused = client.err_packet("SELECT @@dbtrail_newest").await;
    assert_eq!(refused.plain().0, 1317, "{refused:?}");
    second.world(ends("2020-03-01T00:00:01Z"));
    let newest = client.cell("SELECT @@dbtrail_newest").await.expect("an instant");
    assert!(newest.starts_with("2020-03-01 00:00:01"), "{newest}");
}
