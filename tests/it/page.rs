//! What the page at `/ui` is made of: its files and their headers, counts of changes, and the SQL
//! that takes changes back. The page itself is tried in a browser: `tests/real/ui.py`.

use crate::program::{Program, recording, said};
use crate::truth_agent::{collect, history};
use dbtrail_types::change_counts::ChangeCountsRequest;
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SINCE: &str = "2026-11-23T07:12:39Z";
const UNTIL: &str = "2026-11-23T07:16:27Z";

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn request(step_seconds: u32, table: Option<&str>) -> ChangeCountsRequest {
    let table = table.map(|table| TableName { schema: "tt".to_owned(), table: table.to_owned() });
    ChangeCountsRequest {
        server_id: ServerId("truth".to_owned()),
        since: instant(SINCE),
        until: instant(UNTIL),
        step_seconds,
        table,
        schemas: None,
    }
}

/// Inserted, updated and deleted rows of each step, by where it begins.
type Counts = BTreeMap<i64, [u64; 3]>;

fn counted(request: &ChangeCountsRequest) -> Counts {
    let answer = history("mysql-9.7").change_counts(request).expect("an answer");
    let text: Vec<u8> = answer.flat_map(|chunk| chunk.expect("a chunk")).collect();
    let all = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let all: Vec<Value> = all.map(|line| serde_json::from_slice(line).expect("JSON")).collect();
    let [header, lines @ .., end] = &*all else { panic!("{all:?}") };
    assert_eq!(header["step_seconds"], request.step_seconds);
    assert_eq!(end["end"]["rows"], lines.len());
    let step = |line: &Value| {
        let step = &line["step"];
        let number = |name: &str| step[name].as_u64().expect("a number");
        assert!(number("transactions") > 0, "{line}");
        let from = instant(step["from"].as_str().expect("text")).micros();
        assert_eq!(from % (i64::from(request.step_seconds) * 1_000_000), 0, "{line}");
        (from, ["inserted", "updated", "deleted"].map(number))
    };
    lines.iter().map(step).collect()
}

/// The same from each change by itself.
fn by_hand(table: &str, step_seconds: u32) -> Counts {
    let diff = json!({"server_id": "truth", "schema": "tt", "table": table, "since": SINCE, "until": UNTIL,
        "keys": {"columns": history("mysql-9.7").table(&TableName { schema: "tt".to_owned(), table: table.to_owned() }, None)
            .expect("a table").definition.primary_key, "scan": {}}});
    let diff = serde_json::from_value(diff).expect("a request");
    let (_, lines, _) = collect(history("mysql-9.7").diff(&diff).expect("an answer"));
    let mut counts = Counts::new();
    let mut before = Value::Null;
    for event in lines.iter().filter_map(|line| line.get("event")) {
        // A row that went from one key to another is given twice, and counts once.
        let is_same = before == event["event_id"] && event["event_type"] == "UPDATE";
        before = event["event_id"].clone();
        if is_same {
            continue;
        }
        let length = i64::from(step_seconds) * 1_000_000;
        let at = instant(event["event_timestamp"].as_str().expect("text")).micros();
        let kinds = ["INSERT", "UPDATE", "DELETE"].map(|kind| u64::from(event["event_type"] == kind));
        let step = counts.entry(at.div_euclid(length) * length).or_default();
        step.iter_mut().zip(kinds).for_each(|(all, one)| *all += one);
    }
    counts
}

#[test]
fn changes_are_counted_step_by_step() {
    for table in ["orders", "order_items", "products"] {
        for step in [1, 60] {
            let by_hand = by_hand(table, step);
            assert!(by_hand.len() > 1, "{table}: {by_hand:?}");
            let counted = counted(&request(step, Some(table)));
            // A statement that changed the definition alone has a step of its own.
            let counted: Counts = counted.into_iter().filter(|(_, kinds)| *kinds != [0; 3]).collect();
            assert_eq!(counted, by_hand, "{table} by {step} s");
        }
    }
    let sum = |counts: &Counts| counts.values().fold([0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
    let all = counted(&request(60, None));
    let tables = ["devices", "order_items", "orders", "products", "zoo"];
    let apart = tables.map(|table| sum(&counted(&request(60, Some(table)))));
    assert_eq!(sum(&all), apart.into_iter().fold([0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]));
    assert_eq!(sum(&all), sum(&counted(&request(3600, None))));
    let hidden = |schemas: &[&str]| ChangeCountsRequest {
        schemas: Some(schemas.iter().map(|s| (*s).to_owned()).collect()),
        ..request(60, None)
    };
    assert_eq!(counted(&hidden(&["tt", "other"])), all);
    assert!(counted(&hidden(&["other"])).is_empty());
    assert!(counted(&ChangeCountsRequest { until: instant(SINCE), ..request(60, None) }).len() < 2);
}

#[test]
fn windows_that_cannot_be_counted_are_refused() {
    let refused = |request: ChangeCountsRequest| {
        let refused = history("mysql-9.7").change_counts(&request).expect_err("a refusal");
        (refused.status, refused.code, refused.message)
    };
    let many = refused(ChangeCountsRequest { since: instant("2026-11-23T05:12:37Z"), ..request(1, None) });
    assert_eq!((many.0, many.1), (400, "malformed_request"));
    assert!(many.2.contains("7431 steps of 1 s, and 2000 are counted at most"), "{}", many.2);
    assert_eq!(refused(request(0, None)).2, "step_seconds is 0");
    let reversed = ChangeCountsRequest { since: instant(UNTIL), until: instant(SINCE), ..request(1, None) };
    assert_eq!(refused(reversed).0, 400);
    let early = ChangeCountsRequest { since: instant("2026-11-23T07:00:00Z"), ..request(60, None) };
    assert_eq!(refused(early).1, "out_of_range");
    let other = ChangeCountsRequest { server_id: ServerId("other".to_owned()), ..request(60, None) };
    assert_eq!(refused(other).1, "unknown_server");
}

/// An agent on the recording, and its address.
fn agent(more: &[&str]) -> (Program, String) {
    let recording = recording();
    let recording = recording.to_str().expect("UTF-8");
    let arguments = ["agent", "--binlog", recording, "--server-id", "truth", "--listen", "127.0.0.1:0"];
    let agent = Program::start(&[&arguments[..], more].concat());
    let line = agent.line("listens on http");
    let url = line.rsplit(' ').next().expect("an address").to_owned();
    (agent, url)
}

#[tokio::test]
async fn the_page_is_there_and_holds_to_its_own_origin() {
    let (_agent, url) = agent(&[]);
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let get = async |path: &str| -> Response {
        client.get(format!("{url}{path}")).send().await.expect("an answer")
    };
    let page = get("/ui").await;
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let text = page.text().await.expect("text");
    for file in text.split('"').filter(|part| part.starts_with("ui/")) {
        let part = get(&format!("/{file}")).await;
        assert_eq!(part.status(), StatusCode::OK, "{file}");
        assert_eq!(part.headers()["x-content-type-options"], "nosniff");
        assert!(!part.text().await.expect("text").is_empty(), "{file}");
    }
    let moved = get("/ui/").await;
    assert_eq!((moved.status().as_u16(), moved.headers()["location"].as_bytes()), (308, &b"../ui"[..]));
    assert_eq!(get("/ui/other.js").await.status(), StatusCode::NOT_FOUND);
    let (_agent, url) = agent(&["--no-ui"]);
    assert_eq!(client.get(format!("{url}/ui")).send().await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn an_undo_script_is_the_one_of_the_command() {
    let (_agent, url) = agent(&[]);
    let client = Client::new();
    let post = async |body: Value| -> (u16, Value) {
        let answer = client.post(format!("{url}/v1/undo_script")).body(body.to_string());
        let answer = answer.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    };
    let (since, until) = ("2026-11-23T07:12:40Z", "2026-11-23T07:12:55Z");
    let window = json!({"window": {"since": since, "until": until}});
    let table = |name: &str| json!({"schema": "tt", "table": name});
    for (tables, commit) in [(vec!["orders"], false), (vec!["order_items", "orders"], true)] {
        let mut line = vec!["undo", "--agent", &url, "--between", since, until];
        for name in &tables {
            line.extend(["--table", if *name == "orders" { "tt.orders" } else { "tt.order_items" }]);
        }
        line.extend(commit.then_some("--commit"));
        let (code, out, err) = said(&line);
        assert_eq!(code, Some(0), "{err}");
        let named: Vec<Value> = tables.iter().map(|name| table(name)).collect();
        let asked = json!({"server_id": "truth", "tables": named, "span": window, "commit": commit});
        let (status, reported) = post(asked).await;
        assert_eq!((status, reported["script"].as_str()), (200, Some(&*out)), "{reported}");
        let statements = reported["statements"].as_u64().expect("a number");
        assert!(statements > 2 && err.starts_with(&format!("{statements} statements; ")), "{err}");
        assert!(reported["rows"].as_u64().expect("a number") > 2);
    }
    let keys = json!({"columns": ["id"], "values": [["1"], ["2"]]});
    let (status, reported) =
        post(json!({"server_id": "truth", "tables": [table("orders")], "span": window, "keys": keys})).await;
    assert_eq!((status, reported["rows"].as_u64().is_some_and(|rows| rows <= 2)), (200, true), "{reported}");
    let both = [table("orders"), table("order_items")];
    for (body, status, code) in [
        (
            json!({"server_id": "truth", "tables": both, "span": window, "keys": keys}),
            400,
            "malformed_request",
        ),
        (json!({"server_id": "truth", "tables": [], "span": window}), 400, "malformed_request"),
        (json!({"server_id": "other", "tables": [table("orders")], "span": window}), 404, "unknown_server"),
        (json!({"server_id": "truth", "tables": [table("none")], "span": window}), 404, "unknown_table"),
        (
            json!({"server_id": "truth", "tables": [table("orders")], "span": {"transaction": "no"}}),
            400,
            "malformed_gtid",
        ),
        (json!({"tables": [table("orders")], "span": window}), 400, "missing_server_id"),
    ] {
        let (got, reported) = post(body.clone()).await;
        assert_eq!((got, reported["code"].as_str()), (status, Some(code)), "{body}: {reported}");
    }
}
