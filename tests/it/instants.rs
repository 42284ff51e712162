//! Instants in a zone whose clocks change: shown as local times, and in the order in which they
//! were.

use super::support::{Agent, Outcome, Reply, Shim, pair};

/// `CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP)`
const COLUMNS: &str = r#""columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},{"name":"at","type":"timestamp","nullable":true}],"primary_key":["id"]"#;

/// An agent with such a table, and these lines for every question about rows.
async fn with(lines: &[&str]) -> (Agent, Shim) {
    let (agent, shim) = pair().await;
    agent.world(|asked| {
        let server = asked.split('/').next().unwrap_or_default();
        if asked.ends_with("/schemas") {
            return Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#);
        }
        let body =
            format!(r#"{{"success":true,"server_id":"{server}","schema":"tt","table":"t",{COLUMNS}}}"#);
        Reply::json(200, &body)
    });
    let trailer = format!("{{\"end\":{{\"rows\":{},\"notes\":[]}}}}", lines.len());
    let body = format!("{{\"success\":true,{COLUMNS}}}\n{}\n{trailer}\n", lines.join("\n"));
    agent.always(Reply::ndjson(&body));
    (agent, shim)
}

fn ids(rows: Vec<Vec<Option<String>>>) -> Vec<String> {
    rows.into_iter().map(|row| row[0].clone().expect("an id")).collect()
}

/// On 25 October 2020 at 01:00 UTC, clocks in Berlin went from 03:00 back to 02:00. MySQL 9.7 and
/// MariaDB 10.11 sort a TIMESTAMP by the instant.
#[tokio::test]
async fn a_timestamp_is_in_the_order_of_instants_where_clocks_are_put_back() {
    let lines = [
        r#"["1","2020-10-25 00:30:00"]"#,
        r#"["2","2020-10-25 01:10:00"]"#,
        r#"["3",null]"#,
        r#"["4","2020-10-25 00:40:00"]"#,
        r#"["5","0000-00-00 00:00:00"]"#,
    ];
    let (_agent, shim) = with(&lines).await;
    let mut client = shim.raw("a").await;
    let from = "FROM _flashback.t AS OF '2020-12-01' WHERE id IN (1, 2, 3, 4, 5)";
    for zone in ["Europe/Berlin", "+00:00"] {
        client.query(&format!("SET time_zone = '{zone}'")).await;
        let list = format!("SELECT id {from} ORDER BY at, id");
        assert_eq!(ids(client.rows(&list).await), ["3", "5", "1", "4", "2"], "{zone}");
        let last = format!("SELECT id {from} ORDER BY at DESC LIMIT 1");
        assert_eq!(ids(client.rows(&last).await), ["2"], "{zone}");
    }
    client.query("SET time_zone = 'Europe/Berlin'").await;
    let shown = client.rows(&format!("SELECT at, id, at AS a {from} ORDER BY a DESC, id LIMIT 2")).await;
    let row = |at: &str, id: &str| vec![Some(at.to_owned()), Some(id.to_owned()), Some(at.to_owned())];
    assert_eq!(shown, [row("2020-10-25 02:10:00", "2"), row("2020-10-25 02:40:00", "4")]);
}

#[tokio::test]
async fn changes_are_in_the_order_of_instants_where_clocks_are_put_back() {
    let event = |id: u32, at: &str| {
        format!(
            r#"{{"event":{{"event_id":{id},"event_timestamp":"2020-10-25T{at}Z","event_type":"INSERT","gtid":null,"key":["{id}"],"before":null,"after":["{id}",null]}}}}"#
        )
    };
    let events = [event(1, "00:50:00.000000"), event(2, "01:10:00.000001")];
    let (_agent, shim) = with(&events.each_ref().map(String::as_str)).await;
    let mut client = shim.raw("a").await;
    client.query("SET time_zone = 'Europe/Berlin'").await;
    let from = "FROM _diff.t BETWEEN '2020-10-25 00:00:00' AND '2020-10-25 04:00:00' ALLOW WIDE ALLOW SCAN";
    let list = format!("SELECT event_id, event_timestamp {from} ORDER BY event_timestamp DESC");
    let row = |id: &str, at: &str| vec![Some(id.to_owned()), Some(format!("2020-10-25 {at}"))];
    let want = [row("2", "02:10:00.000001"), row("1", "02:50:00.000000")];
    assert_eq!(client.rows(&list).await, want);
    // The last of local times is not that of instants.
    for sql in [
        format!("SELECT MAX(event_timestamp) {from}"),
        format!("SELECT event_timestamp, COUNT(*) {from} GROUP BY event_timestamp"),
        format!("SELECT COUNT(DISTINCT event_timestamp) {from}"),
    ] {
        match client.query(&sql).await {
            Outcome::Error(refused) => {
                assert!(refused.message.contains("SET time_zone = '+00:00'"), "{sql}: {refused:?}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    client.query("SET time_zone = '+00:00'").await;
    let last = client.rows(&format!("SELECT MAX(event_timestamp) {from}")).await;
    assert_eq!(last, [[Some("2020-10-25 01:10:00.000001".to_owned())]]);
}
