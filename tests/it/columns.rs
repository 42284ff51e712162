//! Columns that are not like the others: invisible ones, and cells that the agent does not know.

use super::support::{Agent, Outcome, Reply, Shim, pair};

/// The columns of MySQL 9.7's `CREATE TABLE t (id INT PRIMARY KEY, h INT INVISIBLE, v
/// VARCHAR(20))`.
const COLUMNS: &str = r#""columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},{"name":"h","type":"int","nullable":true,"invisible":true},{"name":"v","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["id"]"#;

/// An agent with such a table, and these lines for every question about rows.
async fn with(lines: &str) -> (Agent, Shim) {
    let (agent, shim) = pair().await;
    agent.world(|asked| {
        let server = asked.split('/').next().unwrap_or_default();
        if asked.ends_with("/schemas") {
            return Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#);
        }
        if asked.ends_with("/tables") {
            let tables = r#"{"success":true,"tables":[{"table":"t","oldest":"2020-01-01T00:00:00Z","newest":"2026-01-01T00:00:00Z","dropped":false}]}"#;
            return Reply::json(200, tables);
        }
        let body =
            format!(r#"{{"success":true,"server_id":"{server}","schema":"tt","table":"t",{COLUMNS}}}"#);
        Reply::json(200, &body)
    });
    let body = format!(
        "{{\"success\":true,{COLUMNS}}}\n{lines}\n{{\"end\":{{\"rows\":{},\"notes\":[]}}}}\n",
        lines.lines().count()
    );
    agent.always(Reply::ndjson(&body));
    (agent, shim)
}

/// What MariaDB leaves out of a row of the log.
#[tokio::test]
async fn a_cell_that_is_not_known_is_refused_only_where_it_is_asked_for() {
    let (_agent, shim) = with("[\"1\",\"7\",\"one\"]\n[\"2\",\"8\",{\"unknown\":\"it is generated\"}]").await;
    let mut client = shim.raw("a").await;
    let tail = "FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2)";
    let ids = [["1", "7"], ["2", "8"]].map(|r| r.map(|c| Some(c.to_owned())).to_vec());
    assert_eq!(client.rows(&format!("SELECT id, h {tail}")).await, ids);
    assert_eq!(client.rows(&format!("SELECT id, h {tail} ORDER BY id")).await, ids);
    for sql in [format!("SELECT * {tail}"), format!("SELECT id, v {tail}")] {
        let reported = match client.query(&sql).await {
            Outcome::Error(reported) | Outcome::Broken(_, reported) => reported,
            other => panic!("{sql}: {other:?}"),
        };
        let want = "dbtrail-shim: what column v held is not known (it is generated). Leave it out: SELECT id FROM ...";
        assert!(reported.code == 1064 && reported.message.starts_with(want), "{sql}: {reported:?}");
    }
}

#[tokio::test]
async fn a_cell_that_is_not_known_says_so_in_the_images_of_a_change() {
    let (_agent, shim) = with(
        r#"{"event":{"event_id":1,"event_timestamp":"2020-01-01T00:01:00.000000Z","event_type":"UPDATE","gtid":null,"key":["1"],"before":["1","7","one"],"after":["1","8",{"unknown":"why"}]}}"#,
    )
    .await;
    let mut client = shim.raw("a").await;
    let sql = "SELECT changed_columns, row_after FROM _diff.t BETWEEN '2020-01-01 00:00:00' AND \
        '2020-01-01 00:30:00' WHERE id = 1";
    let want =
        [r#"["h", {"dbtrail_unknown": "v"}]"#, r#"{"id": 1, "h": 8, "v": {"dbtrail_unknown": "why"}}"#];
    assert_eq!(client.rows(sql).await, row(&want.map(Some)));
}

fn row(cells: &[Option<&str>]) -> Vec<Vec<Option<String>>> {
    vec![cells.iter().map(|cell| cell.map(str::to_owned)).collect()]
}

#[tokio::test]
async fn an_invisible_column_is_asked_for_by_name() {
    let (_agent, shim) = with(r#"["1","7","one"]"#).await;
    let mut client = shim.raw("a").await;
    let tail = "FROM _flashback.t AS OF '2020-01-01' WHERE id = 1";
    for (list, want) in [
        ("*", row(&[Some("1"), Some("one")])),
        ("id, h", row(&[Some("1"), Some("7")])),
        ("H AS hidden, v", row(&[Some("7"), Some("one")])),
        ("*, h", row(&[Some("1"), Some("one"), Some("7")])),
    ] {
        assert_eq!(client.rows(&format!("SELECT {list} {tail}")).await, want, "{list}");
    }
    let described = client.rows("DESCRIBE _flashback.t").await;
    let extra: Vec<Option<&str>> = described.iter().map(|r| r[5].as_deref()).collect();
    assert_eq!(extra, [Some(""), Some("INVISIBLE"), Some("")], "as MySQL 9.7 shows it: {described:?}");
}

/// MySQL keeps an invisible column in the row; `row_before` and `row_after` hold all of it.
#[tokio::test]
async fn an_invisible_column_is_in_the_images_of_a_change() {
    let (_agent, shim) = with(
        r#"{"event":{"event_id":1,"event_timestamp":"2020-01-01T00:01:00.000000Z","event_type":"UPDATE","gtid":null,"key":["1"],"before":["1","7","one"],"after":["1","8","one"]}}"#,
    )
    .await;
    let mut client = shim.raw("a").await;
    let sql = "SELECT changed_columns, row_before, row_after FROM _diff.t BETWEEN '2020-01-01 00:00:00' AND \
        '2020-01-01 00:30:00' WHERE id = 1";
    let want = [r#"["h"]"#, r#"{"id": 1, "h": 7, "v": "one"}"#, r#"{"id": 1, "h": 8, "v": "one"}"#];
    assert_eq!(client.rows(sql).await, row(&want.map(Some)));
}
