//! Scans and windows end with their statement: KILL, the time limit, a client that goes away and
//! LIMIT all end the request at the agent. `limits.max_rows` and `limits.table_scan`.

use crate::support::{
    Agent, DIFF, Outcome, Plan, Reply, Then, certificates, pair, soon, three_events, three_rows,
};
use dbtrail_shim::plan::{TableScan, guard};
use dbtrail_types::happened::HistoryTable;

const HEADER: &str = concat!(
    r#"{"success":true,"columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},"#,
    r#"{"name":"v","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["id"]}"#,
    "\n"
);
const EVENT: &str = concat!(
    r#"{"event":{"event_id":1,"event_timestamp":"2026-04-27T09:00:00Z","event_type":"INSERT","gtid":null,"key":["1"],"#,
    r#""before":null,"after":["1","a"]}}"#,
    "\n"
);

/// The first line of an answer about all changes.
fn changes_header() -> String {
    let mut head = serde_json::to_value(HistoryTable::Changes.definition()).expect("JSON");
    head["success"] = true.into();
    format!("{head}\n")
}

/// Statements that read without keys, and what an agent begins to answer.
fn readings() -> Vec<(&'static str, String)> {
    let row = format!("{HEADER}[\"1\",\"a\"]\n");
    let table = r#"{"table":{"schema":"tt","table":"t"}}"#;
    let definition = format!("{{\"definition\":{}}}", HEADER.trim_end().replace("\"success\":true,", ""));
    vec![
        ("SELECT * FROM _flashback.tt.t AS OF '2026-04-27 09:00:00' ALLOW SCAN", row.clone()),
        ("SELECT COUNT(*) FROM _snapshot.tt.t AS OF '2026-04-27 09:00:00' ALLOW SCAN", row),
        (
            "SELECT * FROM _diff.tt.t BETWEEN '2026-04-27 09:00:00' AND '2026-04-27 09:30:00' ALLOW SCAN",
            format!("{HEADER}{EVENT}"),
        ),
        (
            "SELECT * FROM _history.changes BETWEEN '2026-04-27 09:00:00' AND '2026-04-27 09:30:00'",
            format!("{}{table}\n{definition}\n{EVENT}", changes_header()),
        ),
        (
            "SELECT COUNT(*) FROM _history.changes BETWEEN '2026-04-27 09:00:00' AND '2026-04-27 09:30:00'",
            format!("{}{table}\n{definition}\n{EVENT}", changes_header()),
        ),
    ]
}

#[tokio::test]
async fn kill_and_the_time_limit_end_readings_at_the_agent() {
    let made = certificates("localhost", false);
    for (sql, begun) in readings() {
        let agent = Agent::start(&made).await;
        let shim = Plan::before(&agent, &made).start().await;
        let mut client = shim.raw("a").await;
        let mut other = shim.raw("a").await;
        agent.always(Reply::part(200, &begun, Then::Wait));
        client.send(sql).await;
        agent.asked(1).await;
        assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
        match soon("the end", client.outcome()).await {
            Outcome::Error(reported) | Outcome::Broken(_, reported) => {
                assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"), "{sql}");
            }
            unexpected => panic!("{sql}: {unexpected:?}"),
        }
        agent.left_alone(1).await;
        assert_eq!(client.query("SET max_execution_time = 300").await, Outcome::Done(0));
        client.send(sql).await;
        match soon("the end", client.outcome()).await {
            Outcome::Error(reported) | Outcome::Broken(_, reported) => {
                assert_eq!(reported.plain().0, 3024, "{sql}");
            }
            unexpected => panic!("{sql}: {unexpected:?}"),
        }
        agent.left_alone(2).await;
        // A client that goes away.
        client.send("SET max_execution_time = 0").await;
        let _ = client.outcome().await;
        client.send(sql).await;
        agent.asked(3).await;
        drop(client);
        agent.left_alone(3).await;
    }
}

/// More than the buffers between shim and client hold: the shim waits for its client, and the agent
/// for the shim.
const ROW: &[u8] =
    b"[\"1\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]\n";

#[tokio::test]
async fn the_time_limit_ends_a_reading_whose_client_does_not_read() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.query("SET max_execution_time = 1000").await, Outcome::Done(0));
    agent.always(Reply::part(200, HEADER, Then::Repeat(ROW)));
    client.send("SELECT * FROM _flashback.tt.t AS OF '2026-04-27 09:00:00' ALLOW SCAN").await;
    agent.asked(1).await;
    agent.left_alone(1).await;
    match soon("the end", client.outcome()).await {
        Outcome::Error(reported) | Outcome::Broken(_, reported) => assert_eq!(reported.plain().0, 3024),
        unexpected => panic!("{unexpected:?}"),
    }
}

#[tokio::test]
async fn limit_is_asked_to_the_agent_and_ends_what_comes_after_it() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    for (sql, begun) in readings().into_iter().filter(|(sql, _)| !sql.contains("COUNT")) {
        // The agent does not end: one row is enough.
        agent.always(Reply::part(200, &begun, Then::Wait));
        let (_, left) = agent.figures();
        assert_eq!(soon("a row", client.rows(&format!("{sql} LIMIT 1"))).await.len(), 1, "{sql}");
        agent.left_alone(left + 1).await;
        if !sql.contains("_snapshot") {
            assert!(agent.last().body.contains("\"limit\":1"), "{sql}: {}", agent.last().body);
        }
    }
}

#[tokio::test]
async fn more_rows_than_max_rows_are_an_error_and_never_fewer_rows() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let settings = guard::PlanSettings {
        max_rows: Some(2),
        table_scan: TableScan::Allow,
        ..guard::PlanSettings::of_keys(100)
    };
    let shim = Plan { guard: settings, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    let scan = "SELECT * FROM _flashback.tt.t AS OF '2020-01-01'";
    for (sql, answer) in [
        (scan.to_owned(), three_rows()),
        (format!("{scan} WHERE v = 'one'"), three_rows()),
        (format!("{scan} ORDER BY id DESC"), three_rows()),
        (format!("{scan} LIMIT 3"), three_rows()),
        (DIFF.to_owned(), three_events()),
    ] {
        agent.always(Reply::ndjson(&answer));
        client.send(&sql).await;
        match soon("the end", client.outcome()).await {
            Outcome::Error(reported) | Outcome::Broken(_, reported) => {
                assert_eq!(reported.plain().0, 1104, "{sql}");
                assert!(reported.message.contains("limits.max_rows"), "{sql}: {}", reported.message);
            }
            unexpected => panic!("{sql}: {unexpected:?}"),
        }
    }
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.rows(&format!("{scan} LIMIT 2")).await.len(), 2);
    assert_eq!(client.rows(&format!("{scan} LIMIT 1, 2")).await.len(), 2);
    assert_eq!(
        client.cell("SELECT COUNT(*) FROM _flashback.tt.t AS OF '2020-01-01'").await.as_deref(),
        Some("3")
    );
}

#[tokio::test]
async fn who_may_scan_is_configured() {
    let made = certificates("localhost", false);
    let plain = "SELECT id FROM _flashback.tt.t AS OF '2020-01-01'";
    let hinted =
        "SELECT /*+ SET_VAR(dbtrail_allow_table_scan=ON) */ id FROM _flashback.tt.t AS OF '2020-01-01'";
    let asked = format!("{plain} ALLOW SCAN");
    for (policy, answered) in [
        (TableScan::Refuse, [false, false, false, false]),
        (TableScan::OnRequest, [false, true, true, true]),
        (TableScan::Allow, [true, true, true, true]),
    ] {
        let agent = Agent::start(&made).await;
        let settings = guard::PlanSettings { table_scan: policy, ..guard::PlanSettings::of_keys(100) };
        let shim = Plan { guard: settings, ..Plan::before(&agent, &made) }.start().await;
        let mut client = shim.raw("a").await;
        for (at, sql) in [plain, hinted, &asked, plain].into_iter().enumerate() {
            if at == 3 {
                assert_eq!(client.query("SET @dbtrail_allow_table_scan = ON").await, Outcome::Done(0));
            }
            if answered[at] {
                assert_eq!(client.rows(sql).await.len(), 3, "{policy:?}: {sql}");
            } else {
                let reported = client.err_packet(sql).await;
                assert_eq!(reported.plain().0, 1064, "{policy:?}: {sql}");
                let way =
                    if policy == TableScan::Refuse { "limits.table_scan: refuse" } else { "ALLOW SCAN" };
                assert!(reported.message.contains(way), "{policy:?}: {}", reported.message);
            }
        }
    }
}

#[tokio::test]
async fn wide_windows_are_for_who_asks() {
    let (agent, shim) = pair().await;
    let wide = "BETWEEN '2020-01-01 00:00:00' AND '2020-01-01 02:00:00'";
    let begun = format!("{}{{\"end\":{{\"rows\":0,\"notes\":[]}}}}\n", changes_header());
    for (before, table, tail, answer) in
        [("SELECT", "_diff.tt.t", "WHERE id = 1", three_events()), ("SELECT", "_history.changes", "", begun)]
    {
        agent.always(Reply::ndjson(&answer));
        let mut client = shim.raw("a").await;
        let reported = client.err_packet(&format!("{before} * FROM {table} {wide} {tail}")).await;
        assert!(reported.message.contains("ALLOW WIDE"), "{}", reported.message);
        let hint = "SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */";
        for sql in [
            format!("{before} * FROM {table} {wide} ALLOW WIDE {tail}"),
            format!("{before} * FROM {table} {wide} ALLOW SCAN ALLOW WIDE {tail}"),
            format!("{hint} * FROM {table} {wide} {tail}"),
        ] {
            client.rows(&sql).await;
        }
        assert_eq!(client.query("SET @dbtrail_allow_wide_diff = ON").await, Outcome::Done(0));
        client.rows(&format!("{before} * FROM {table} {wide} {tail}")).await;
        let off = format!("SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=OFF) */ * FROM {table} {wide} {tail}");
        assert!(client.err_packet(&off).await.message.contains("ALLOW WIDE"));
    }
}
