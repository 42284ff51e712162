//! The failure table of the product on the wire: number, SQLSTATE, whole text, and that the
//! connection goes on.

mod bad_answers;
mod frames;
mod rules;
mod unreachable_agents;

use super::support::Agent;
use super::support::FLASHBACK;
use super::support::Outcome;
use super::support::Plan;
use super::support::RANGE;
use super::support::Raw;
use super::support::Reply;
use super::support::Then;
use super::support::certificates;
use super::support::pair;
use super::support::three_rows;
use super::support::wide_pair;

const HEADER_AND_ONE_ROW: &str = concat!(
    r#"{"success":true,"columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},"#,
    r#"{"name":"v","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["id"]}"#,
    "\n[\"1\",\"one\"]\n"
);

/// The session answers a constant, and rows again once the agent is well.
async fn goes_on(agent: Option<&Agent>, client: &mut Raw) {
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    if let Some(agent) = agent {
        agent.always(Reply::ndjson(&three_rows()));
        assert_eq!(client.rows(FLASHBACK).await.len(), 3);
    }
}

#[tokio::test]
async fn statuses_have_their_numbers_and_their_texts() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let body = r#"{"success":false,"error":"said the agent","code":"whatever"}"#;
    for (status, code, state, prefix) in [
        (400, 1064, "HY000", "dbtrail backend rejected request (HTTP 400): "),
        (401, 1064, "HY000", "dbtrail backend rejected request (HTTP 401): "),
        (403, 1064, "HY000", "dbtrail backend rejected request (HTTP 403): "),
        (404, 1064, "HY000", "dbtrail backend rejected request (HTTP 404): "),
        (422, 1064, "HY000", "dbtrail backend rejected request (HTTP 422): "),
        (429, 1064, "HY000", "dbtrail backend rejected request (HTTP 429): "),
        (500, 1317, "70100", "dbtrail backend returned HTTP 500: "),
        (502, 1317, "70100", "dbtrail backend returned HTTP 502: "),
        (503, 1317, "70100", "dbtrail backend returned HTTP 503: "),
    ] {
        for (reply, said) in [
            (Reply::json(status, body), "said the agent"),
            (Reply::http(status, "text/html", "<html>\r\n<b>Bad</b></html>\n"), "<html>  <b>Bad</b></html>"),
            // The connection breaks in the error body: the status was said.
            (Reply::part(status, "half a sen", Then::Reset), "half a sen"),
        ] {
            let reset = reply.then == Then::Reset;
            agent.always(reply);
            let reported = client.err_packet(FLASHBACK).await;
            let (got, got_state, text) = reported.plain();
            assert_eq!((got, got_state), (code, state), "{status}: {reported:?}");
            let complete = text == format!("{prefix}{said}");
            assert!(complete || (reset && text == prefix.trim_end_matches([':', ' '])), "{status}: {text}");
            goes_on(Some(&agent), &mut client).await;
        }
    }
    // No body at all, and no colon that promises one.
    agent.always(Reply::json(503, ""));
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!(reported.plain(), (1317, "70100", "dbtrail backend returned HTTP 503"));
}

#[tokio::test]
async fn a_definition_that_cannot_be_had_refuses_the_statement() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    let mut client = shim.raw("a").await;
    for (reply, code, want) in [
        (
            Reply::json(404, r#"{"success":false,"error":"no table t","code":"unknown_table"}"#),
            1064,
            "dbtrail backend rejected request (HTTP 404): no table t",
        ),
        (Reply::json(500, "oops"), 1317, "dbtrail backend returned HTTP 500: oops"),
        (
            Reply::json(200, r#"{"success":false,"error":"not now","code":"x"}"#),
            1815,
            "dbtrail-shim: not now",
        ),
        (Reply::json(200, r#"{"success":false,"error":"not now"}"#), 1815, "dbtrail-shim: not now"),
        (Reply::part(200, r#"{"success":tr"#, Then::Close), 2002, "Can't connect to dbtrail backend: "),
        (
            Reply::http(200, "text/html", "<html>"),
            1815,
            "dbtrail-shim: the agent's answer is not understood: expected value at line 1 column 1",
        ),
    ] {
        agent.set_metadata(reply);
        let reported = client.err_packet(FLASHBACK).await;
        assert_eq!(reported.plain().0, code, "{reported:?}");
        assert!(reported.plain().2.starts_with(want), "{reported:?}");
        assert_eq!(agent.figures().0, 0, "rows were asked for without a definition");
        assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    agent.truth();
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_request() {
    let (agent, shim) = pair().await;
    let mut left = 0;
    for reply in [
        Reply::nothing(Then::Wait),
        Reply::part(200, "", Then::Wait),
        Reply::part(200, HEADER_AND_ONE_ROW, Then::Wait),
        Reply::chunk(200, HEADER_AND_ONE_ROW, Then::Wait),
    ] {
        agent.always(reply);
        let mut client = shim.raw("a").await;
        client.send(FLASHBACK).await;
        left += 1;
        agent.asked(left).await;
        assert_eq!(agent.figures().1, left - 1);
        drop(client);
        agent.left_alone(left).await;
    }
    // Rows without end, which the client does not read: the shim must not take what it cannot pass
    // on.
    let (agent, shim) = wide_pair().await;
    agent.always(Reply::part(200, HEADER_AND_ONE_ROW, Then::Repeat(b"[\"1\",\"aaaaaaaaaaaaaaaa\"]\n")));
    let mut client = shim.raw("a").await;
    client.send(RANGE).await;
    agent.asked(1).await;
    drop(client);
    agent.left_alone(1).await;
}

#[tokio::test]
async fn an_agent_that_ends_idle_connections_is_not_seen() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    agent.always(Reply { then: Then::Close, ..Reply::ndjson(&three_rows()) });
    for count in 0..100 {
        match client.query(FLASHBACK).await {
            Outcome::Rows(rows, 0) => assert_eq!(rows.len(), 3),
            other => panic!("statement {count}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn many_rows_come_in_order_and_whole() {
    let (agent, shim) = wide_pair().await;
    let mut client = shim.raw("a").await;
    let rows = (0..50_000).map(|n| format!("[\"{n}\",null]\n")).collect::<Vec<_>>().concat();
    let header = HEADER_AND_ONE_ROW.split_inclusive('\n').next().expect("a line");
    agent.always(Reply::ndjson(&format!("{header}{rows}{{\"end\":{{\"rows\":50000,\"notes\":[]}}}}\n")));
    let got = client.rows(RANGE).await;
    let ids = got.iter().map(|r| r[0].as_deref().and_then(|id| id.parse::<usize>().ok()));
    assert!(ids.eq((0..50_000).map(Some)));
    let last = client.rows(&format!("{RANGE} ORDER BY id DESC LIMIT 2 OFFSET 49998")).await;
    assert_eq!(last, [[Some("1".to_owned()), None], [Some("0".to_owned()), None]]);
    let last = client.rows(&format!("{RANGE} LIMIT 49999, 5")).await;
    assert_eq!(last, [[Some("49999".to_owned()), None]]);
}
