//! Answers against the schemas of the document.

use super::{MIDDLE, agent, answer, flashback, specification, time};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whether `value` fits `schema`, by the part of JSON Schema that the document uses: where it does
/// not, and why.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema.get("$ref") {
        let pointer = reference.as_str().expect("text").trim_start_matches('#');
        return check(root, root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")), value, at);
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let fitting = choices.iter().filter(|c| check(root, c, value, at).is_ok()).count();
        return if fitting == 1 {
            Ok(())
        } else {
            Err(format!("{at}: {fitting} of {} forms fit {value}", choices.len()))
        };
    }
    if schema.get("const").is_some_and(|c| c != value)
        || schema.get("enum").and_then(Value::as_array).is_some_and(|e| !e.contains(value))
    {
        return Err(format!("{at}: {value} is not allowed"));
    }
    let fits = match schema.get("type").and_then(Value::as_str) {
        None => true,
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("type {other} is not checked here"),
    };
    if !fits {
        return Err(format!("{at}: {value} is not {}", schema["type"]));
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        check(root, &schema["items"], item, &format!("{at}[{i}]"))?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(required.as_str().expect("text")) {
            return Err(format!("{at}: {required} is missing"));
        }
    }
    for (name, value) in object {
        let property =
            schema["properties"].get(name).ok_or_else(|| format!("{at}: {name} is not in the document"))?;
        check(root, property, value, &format!("{at}.{name}"))?;
    }
    Ok(())
}

pub(super) fn fits(schema: &str, value: &Value) {
    let root = specification();
    let schema = root
        .pointer(&format!("/components/schemas/{schema}"))
        .unwrap_or_else(|| panic!("no schema {schema}"));
    check(&root, schema, value, "answer").unwrap_or_else(|why| panic!("{why}"));
}

/// A refusal as the document has it for this route; gives its code.
pub(super) fn refused(route: &str, method: &str, (status, lines): (StatusCode, Vec<Value>)) -> String {
    let body = &lines[0];
    fits("Error", body);
    let root = specification();
    let documented = &root["paths"][route][method]["responses"][status.as_str()];
    let reference = documented["$ref"]
        .as_str()
        .unwrap_or_else(|| panic!("{method} {route} has no {status} in the document: {body}"));
    let code = body["code"].as_str().expect("text").to_owned();
    let described = root.pointer(reference.trim_start_matches('#')).expect("a response")["description"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(described.contains(&format!("`{code}`")), "{code} is not documented for {status}");
    code
}

#[test]
fn the_document_knows_every_error_code_of_the_contract() {
    let source = include_str!("../../../crates/types/src/agent_api.rs");
    let in_code: BTreeSet<String> = source
        .split("pub mod code {")
        .nth(1)
        .and_then(|m| m.split("\n}").next())
        .expect("the module")
        .lines()
        .filter_map(|l| l.split('"').nth(1).map(str::to_owned))
        .collect();
    let root = specification();
    let in_document: BTreeSet<String> =
        serde_json::from_value(root["components"]["schemas"]["Error"]["properties"]["code"]["enum"].clone())
            .expect("names");
    assert_eq!(in_code, in_document);
    let described: String = root["components"]["responses"]
        .as_object()
        .expect("responses")
        .values()
        .map(|r| r["description"].to_string())
        .collect();
    for code in in_code {
        assert!(described.contains(&format!("`{code}`")), "no response of the document says {code}");
    }
}

#[tokio::test]
async fn every_route_of_the_document_is_there() {
    let agent = agent().await;
    let root = specification();
    let paths = root["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 16);
    for (path, operations) in paths {
        let real =
            path.replace("{server_id}", "truth").replace("{schema}", "tt").replace("{table}", "orders");
        let (right, wrong) = if operations.get("post").is_some() {
            (Method::POST, Method::GET)
        } else {
            (Method::GET, Method::POST)
        };
        let response = agent.request(right, &real).send().await.expect("an answer");
        assert!(![404, 405].contains(&response.status().as_u16()), "{path}: {}", response.status());
        let (status, body) = answer(agent.request(wrong, &real)).await;
        assert_eq!((status.as_u16(), &body[0]["code"]), (405, &json!("method_not_allowed")), "{path}");
    }
    let (status, body) = agent.get("/v1/nothing").await;
    assert_eq!((status.as_u16(), &body["code"]), (404, &json!("not_found")));
    fits("Error", &body);
}

#[tokio::test]
async fn real_answers_fit_the_document() {
    let agent = agent().await;
    for path in ["/v1/flashback", "/v1/snapshot"] {
        let (status, lines) =
            agent.post(path, &flashback(&["1", "2", "3", "4", "77777"], &time(MIDDLE))).await;
        assert_eq!(status, 200);
        for line in &lines {
            fits("RowsLine", line);
        }
        fits("Header", &lines[0]);
        fits("End", lines.last().expect("a trailer"));
        assert!(lines.len() > 2, "no row in {lines:?}");
    }
    let mut diff = flashback(&["1", "2", "3", "4"], &Value::Null);
    let request = diff.as_object_mut().expect("an object");
    request.remove("at");
    request.insert("since".into(), json!("2026-11-23T07:12:38Z"));
    request.insert("until".into(), json!("2026-11-23T07:13:09Z"));
    fits("DiffRequest", &diff);
    let (status, lines) = agent.post("/v1/diff", &diff).await;
    assert_eq!(status, 200);
    for line in &lines {
        fits("DiffLine", line);
    }
    assert!(lines.iter().filter(|l| l.get("event").is_some()).count() > 5);
    assert!(
        lines.iter().any(|l| l.get("definition").is_some()),
        "the ALTER TABLE of the recording is in the window"
    );
    let net = json!({"server_id": "truth", "schema": "tt", "table": "orders",
        "span": {"window": {"since": "2026-11-23T07:12:38Z", "until": "2026-11-23T07:12:55Z"}}});
    fits("NetRequest", &net);
    let (status, lines) = agent.post("/v1/net_changes", &net).await;
    assert_eq!(status, 200, "{lines:?}");
    for line in &lines {
        fits("NetLine", line);
    }
    fits("NetHeader", &lines[0]);
    assert!(lines.iter().filter(|l| l.get("net").is_some()).count() > 2, "{lines:?}");
    let mut range = flashback(&[], &time(MIDDLE));
    range["keys"] =
        json!({"columns": ["id"], "range": {"prefix": [], "from": "1", "to": "20", "max_keys": 100}});
    fits("RowsRequest", &range);
    let (status, lines) = agent.post("/v1/flashback", &range).await;
    assert_eq!(status, 200, "{lines:?}");
    assert!(lines.len() > 4);
    for (path, schema) in [
        ("/v1/status", "Status"),
        ("/v1/servers/truth/schemas", "Schemas"),
        ("/v1/servers/truth/schemas/tt/tables", "Tables"),
        ("/v1/servers/truth/schemas/tt/tables/zoo", "TableAnswer"),
        ("/v1/servers/truth/schemas/tt/tables/orders?at=2026-11-23T07:12:55Z", "TableAnswer"),
    ] {
        let (status, body) = agent.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        fits(schema, &body);
    }
    let (_, tables) = agent.get("/v1/servers/truth/schemas/tt/tables").await;
    let names: Vec<&str> =
        tables["tables"].as_array().expect("tables").iter().filter_map(|t| t["table"].as_str()).collect();
    assert_eq!(names, ["devices", "order_items", "orders", "products", "zoo"]);
}

#[tokio::test]
async fn refusals_have_the_status_and_the_code_of_the_document() {
    let agent = agent().await;
    let good = flashback(&["1"], &time(MIDDLE));
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let values = |values: Value| json!({"columns": ["id"], "values": values});
    for (body, status, code) in [
        (with("server_id", json!("other")), 404, "unknown_server"),
        (with("server_id", Value::Null), 400, "missing_server_id"),
        (with("table", json!("nope")), 404, "unknown_table"),
        (with("at", time("yesterday")), 400, "malformed_timestamp"),
        (with("at", json!({"time": 7})), 400, "malformed_timestamp"),
        (with("at", json!({"gtid": "nonsense"})), 400, "malformed_gtid"),
        (with("at", json!({"gtid": "0-1-2"})), 400, "malformed_gtid"),
        (with("at", json!({"gtid": "00000000-0000-0000-0000-000000000000:1"})), 422, "out_of_range"),
        (with("at", time("2020-01-01T00:00:00Z")), 422, "out_of_range"),
        (with("at", time("2037-01-01T00:00:00Z")), 422, "out_of_range"),
        (with("at", json!({})), 400, "malformed_request"),
        (with("keys", values(json!([[1]]))), 400, "malformed_request"),
        (with("keys", values(json!([["x"]]))), 400, "malformed_request"),
        (with("keys", json!({"columns": ["customer"], "values": [["x"]]})), 422, "unsupported_key"),
        (with("keys", values(json!(vec![["1"]; 10_001]))), 422, "too_many_keys"),
        (with("surprise", json!(1)), 400, "malformed_request"),
        (json!([]), 400, "missing_server_id"),
    ] {
        let answer = agent.post("/v1/flashback", &body).await;
        assert_eq!((answer.0.as_u16(), answer.1[0]["code"].as_str()), (status, Some(code)), "{:?}", answer.1);
        refused("/v1/flashback", "post", answer);
    }
    let (_, lines) = agent.post("/v1/flashback", &with("at", time("2037-01-01T00:00:00Z"))).await;
    assert_eq!(lines[0]["asked"], "2037-01-01T00:00:00.000000Z");
    assert_eq!(
        (&lines[0]["oldest"], &lines[0]["newest"]),
        (&json!("2026-11-23T07:12:37.000000Z"), &json!("2026-11-23T07:16:27.000000Z"))
    );
    let raw = |body: Vec<u8>| answer(agent.request(Method::POST, "/v1/diff").body(body));
    assert_eq!(refused("/v1/diff", "post", raw(b"{\"server_id\":".to_vec()).await), "malformed_request");
    assert_eq!(refused("/v1/diff", "post", raw(vec![b' '; 1024 * 1024 + 1]).await), "body_too_large");
    for (path, code) in [
        ("/v1/servers/other/schemas", "unknown_server"),
        ("/v1/servers/truth/schemas/nope/tables", "unknown_table"),
        ("/v1/servers/truth/schemas/tt/tables/nope", "unknown_table"),
        ("/v1/servers/truth/schemas/tt/tables/orders?at=x", "malformed_timestamp"),
        ("/v1/servers/truth/schemas/tt/tables/orders?nonsense=x", "malformed_request"),
        ("/v1/servers/truth/schemas/tt/tables/orders?at=2037-01-01T00:00:00Z", "out_of_range"),
    ] {
        let (_, body) = agent.get(path).await;
        fits("Error", &body);
        assert_eq!(body["code"], code, "{path}");
    }
}
