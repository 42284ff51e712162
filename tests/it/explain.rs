//! EXPLAIN of a time-travel query, on the wire: the plan, no request for rows, and the refusals of
//! the query itself.

use crate::support::{Outcome, Raw, Reply, pair};

fn items(rows: Vec<Vec<Option<String>>>) -> Vec<(String, String)> {
    let pair = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().flatten();
        (cells.next().expect("an item"), cells.next().expect("a value"))
    };
    rows.into_iter().map(pair).collect()
}

async fn plan(client: &mut Raw, sql: &str) -> Vec<(String, String)> {
    items(client.rows(sql).await)
}

fn owned(items: &[(&str, &str)]) -> Vec<(String, String)> {
    items.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn the_plan_is_reported_and_no_row_is_asked_for() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    client.query("SET time_zone = 'Europe/Berlin'").await;
    let got = plan(
        &mut client,
        "EXPLAIN SELECT v, id AS i FROM _flashback.t AS OF '2020-07-01 10:00:00.5' WHERE id IN (3, '1', 3) ORDER BY id DESC LIMIT 2, 5",
    )
    .await;
    let endpoint = format!("POST https://localhost:{}/v1/flashback", agent.port);
    assert_eq!(
        got,
        owned(&[
            ("virtual schema", "_flashback: the rows as they were, from the recorded changes"),
            ("server", "server-a"),
            ("schema", "tt"),
            ("table", "t"),
            ("key columns", "id int"),
            ("keys", "2: (3), (1)"),
            ("instant (UTC)", "2020-07-01 08:00:00.500000"),
            ("instant (session)", "2020-07-01 10:00:00.500000 (Europe/Berlin)"),
            ("columns", "2: v, i"),
            ("order", "id DESC"),
            ("limit", "5 rows after the first 2"),
            ("endpoint", &endpoint),
        ])
    );
    let got = plan(
        &mut client,
        "/* tool */ DESC SELECT * FROM _diff.other.t BETWEEN '2020-07-01 10:00' AND '2020-07-01 10:30:00.25' WHERE id BETWEEN 5 AND 9",
    )
    .await;
    let endpoint = format!("POST https://localhost:{}/v1/diff", agent.port);
    assert_eq!(
        got,
        owned(&[
            ("virtual schema", "_diff: every change of the rows, oldest first"),
            ("server", "server-a"),
            ("schema", "other"),
            ("table", "t"),
            ("key columns", "id int"),
            ("keys", "id from 5 to 9, at most 1000"),
            ("from (UTC)", "2020-07-01 08:00:00.000000"),
            ("from (session)", "2020-07-01 10:00:00.000000 (Europe/Berlin)"),
            ("to (UTC)", "2020-07-01 08:30:00.250000"),
            ("to (session)", "2020-07-01 10:30:00.250000 (Europe/Berlin)"),
            ("window", "1800.250000 s, both ends inclusive"),
            (
                "columns",
                "17: event_id, event_timestamp, event_type, gtid, id, changed_columns, row_before, row_after, connection_id, server_id, ..."
            ),
            ("endpoint", &endpoint),
        ])
    );
    let gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:42";
    let got =
        plan(&mut client, &format!("explain select * from _snapshot.t at gtid '{gtid}' where id = 1")).await;
    assert!(got.contains(&("after transaction".to_owned(), gtid.to_owned())), "{got:?}");
    assert!(got.last().is_some_and(|(_, e)| e.ends_with("/v1/snapshot")), "{got:?}");
    assert_eq!(agent.figures().0, 0, "EXPLAIN asked for rows");
    // The question for the definition names the instant.
    let asked = agent.requests();
    let at = "/v1/servers/server-a/schemas/tt/tables/t?at=2020-07-01T08%3A00%3A00.500000Z";
    assert_eq!(asked.first().map(|r| r.path.as_str()), Some(at));
}

#[tokio::test]
async fn what_is_refused_is_refused_in_the_same_words() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    for query in [
        "SELECT * FROM _flashback.t AS OF '2020-01-01'",
        "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id > 1 ",
        "SELECT * FROM _flashback.t AS OF '2020-01-01', users WHERE id = 1",
        "SELECT * FROM _flashback.t AS OF '2999-01-01' WHERE id = 1",
        "SELECT * FROM _diff.t BETWEEN '2020-01-01' AND '2020-01-05' WHERE id = 1",
        "SELECT AVG(id) FROM _flashback.t AS OF '2020-01-01' WHERE id = 1",
        "SELECT nothing FROM _flashback.t AS OF '2020-01-01' WHERE id = 1",
        "DELETE FROM _flashback.t WHERE id = 1",
    ] {
        let plain = client.err_packet(query).await;
        // As many characters in front, so that the positions are the same.
        let spaced = client.err_packet(&format!("        {query}")).await;
        let explained = client.err_packet(&format!("EXPLAIN {query}")).await;
        assert_eq!(explained.code, plain.code, "{query}");
        let clock = |text: &str| text.split("time is").next().unwrap_or_default().to_owned();
        assert_eq!(clock(explained.plain().2), clock(spaced.plain().2), "{query}");
    }
    for option in ["ANALYZE", "FORMAT=JSON", "FORMAT = tree", "EXTENDED", "ANALYZE FORMAT=TREE"] {
        let reported = client
            .err_packet(&format!(
                "EXPLAIN {option} SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id = 1"
            ))
            .await;
        assert_eq!((reported.code, reported.state.as_str()), (1235, "42000"), "{option}: {reported:?}");
        assert!(reported.message.contains("write EXPLAIN SELECT"), "{option}: {reported:?}");
    }
    for elsewhere in ["EXPLAIN SELECT * FROM users", "EXPLAIN FOR CONNECTION 5", "EXPLAIN ANALYZE SELECT 1"] {
        assert_eq!(client.err_packet(elsewhere).await.code, 1235, "{elsewhere}");
    }
    assert_eq!(agent.figures().0, 0, "a refused statement asked for rows");
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
}

/// A binary key is compared with the bytes that the client means, and texts travel as UTF-8: `ä` of
/// a client that writes latin1 would be another key.
#[tokio::test]
async fn text_of_another_character_set_names_a_binary_key_by_its_own_bytes() {
    const DEFINITION: &str = r#""columns":[{"name":"k","type":"varbinary(8)","nullable":false,"key":"primary"}],"primary_key":["k"]"#;
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    agent.set_metadata(Reply::json(
        200,
        &format!(r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"t",{DEFINITION}}}"#),
    ));
    agent.always(Reply::ndjson(&format!("{{\"success\":true,{DEFINITION}}}\n{{\"end\":{{\"rows\":0}}}}\n")));
    let mut asked = 0;
    for (names, key, reported) in [
        ("utf8mb4", &b"'\xc3\xa4'"[..], true),
        ("latin1", b"'a'", true),
        ("latin1", b"x'e4'", true),
        ("latin1", b"'\xe4'", true),
        ("utf8mb4, character_set_connection = ascii", b"'\xc3\xa4'", false),
    ] {
        assert_eq!(client.query(&format!("SET NAMES {names}")).await, Outcome::Done(0));
        for verb in ["SELECT", "EXPLAIN SELECT"] {
            let sql = format!("{verb} * FROM _flashback.t AS OF '2020-01-01' WHERE k = ");
            client.command(3, &[sql.as_bytes(), key].concat()).await;
            match client.outcome().await {
                Outcome::Rows(..) if reported => asked += usize::from(verb == "SELECT"),
                Outcome::Error(error) if !reported => {
                    assert_eq!(error.code, 1235);
                    assert!(
                        error.message.contains("character_set_connection cannot hold"),
                        "{}",
                        error.message
                    );
                }
                other => panic!("{verb} {names} {key:?}: {other:?}"),
            }
            assert_eq!(agent.figures().0, asked, "{verb} {names} {key:?}");
        }
    }
    assert_eq!(asked, 4);
    assert!(agent.last().body.contains(r#""values":[[{"hex":"e4"}]]"#), "{}", agent.last().body);
}
