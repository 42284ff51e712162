//! Spans to a collector: one a connection, one a statement, one a request of the agent in the
//! statement's trace, and nothing of what was asked for.

use crate::program::{Bare, chain_with, recording};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const STATEMENT: &[u8] = b"\x03SELECT id FROM _flashback.tt.orders AS OF '2026-11-23 07:12:39' WHERE id = 8";
const REFUSED: &[u8] = b"\x03SELECT id FROM _flashback.tt.orders AS OF '2026-11-23 07:12:39'";

/// A collector on loopback: its address, and the requests that come, head and body.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (to, requests) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let to = to.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(socket);
                loop {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if reader.read_line(&mut head).unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let head = head.to_lowercase();
                    let length = head.split("content-length: ").nth(1).expect("a length");
                    let length = length.split("\r\n").next().and_then(|n| n.parse().ok()).expect("a number");
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).expect("a body");
                    let _ = to.send((head, serde_json::from_slice(&body).expect("JSON")));
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                    reader.get_mut().write_all(answer).expect("sent");
                }
            });
        }
    });
    (address, requests)
}

fn spans_of(body: &Value) -> Vec<Value> {
    let resource = &body["resourceSpans"][0];
    assert!(resource["resource"]["attributes"].to_string().contains("\"service.name\""));
    resource["scopeSpans"][0]["spans"].as_array().expect("spans").clone()
}

/// The value of an attribute.
fn attribute<'a>(span: &'a Value, name: &str) -> Option<&'a str> {
    let all = span["attributes"].as_array()?;
    let value = &all.iter().find(|a| a["key"] == name)?["value"];
    value["stringValue"].as_str().or_else(|| value["intValue"].as_str())
}

#[test]
fn a_statement_has_a_span_and_the_agent_s_request_is_in_its_trace() {
    let (address, requests) = collector();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc"),
        ("RUST_LOG", "dbtrail_shim=debug"),
    ];
    let chain = chain_with(&recording(), "tt", "", &environment);
    chain.shim.line("spans are exported");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for statement in [STATEMENT, REFUSED] {
        client.send(0, statement);
        let mut ends = 0;
        while ends < 2 {
            let packet = client.packet();
            match packet.first() {
                Some(0xff) => break,
                first => ends += u8::from(first == Some(&0xfe)),
            }
        }
    }
    drop(client);
    // RUST_LOG counts: a line a statement is debug.
    chain.shim.line("DEBUG");
    let (mut spans, end) = (Vec::new(), Instant::now() + PATIENCE);
    let one = |spans: &[Value], test: &dyn Fn(&Value) -> bool| spans.iter().find(|s| test(s)).cloned();
    let (asked, statement, refused, connection) = loop {
        let left = end.saturating_duration_since(Instant::now());
        let (head, body) = requests.recv_timeout(left).expect("all spans come");
        assert!(head.starts_with("post /v1/traces http/1.1") && head.contains("x-key: abc"), "{head}");
        spans.extend(spans_of(&body));
        let statement = one(&spans, &|s| s["name"] == "_flashback" && s["status"].is_null());
        let refused = one(&spans, &|s| s["name"] == "_flashback" && s["status"]["code"] == 2);
        let asked = one(&spans, &|s| s["name"] == "POST /v1/flashback");
        let connection = one(&spans, &|s| s["name"] == "connection");
        if let (Some(a), Some(s), Some(r), Some(c)) = (asked, statement, refused, connection) {
            break (a, s, r, c);
        }
    };
    assert_eq!(asked["traceId"], statement["traceId"]);
    assert_eq!(asked["parentSpanId"], statement["spanId"]);
    assert_eq!(attribute(&asked, "dbtrail.request_id"), attribute(&statement, "dbtrail.request_id"));
    assert_eq!(attribute(&statement, "db.collection.name"), Some("tt.orders"));
    assert_eq!(attribute(&statement, "db.response.returned_rows"), Some("1"));
    assert_eq!(attribute(&refused, "db.response.status_code"), Some("1064"));
    assert_ne!(refused["traceId"], statement["traceId"]);
    for one in [&statement, &refused] {
        assert_eq!(one["links"][0]["traceId"], connection["traceId"]);
        let nanos = |name: &str| one[name].as_str().and_then(|n| n.parse::<u128>().ok()).expect("a time");
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"));
    }
    // Neither the statement nor the instant nor a secret.
    for span in &spans {
        let text = span.to_string();
        let hidden = ["SELECT", "2026-11-23 07", "pass-word", "agent-token"];
        assert!(hidden.iter().all(|value| !text.contains(value)), "{text}");
    }
}

/// A collector that is not there costs no statement, and the end of the program no time.
#[test]
fn a_collector_that_is_gone_harms_nobody() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let address = format!("http://{gone}");
    let mut chain = chain_with(&recording(), "tt", "", &[("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str())]);
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    client.send(0, STATEMENT);
    assert_ne!(client.packet().first(), Some(&0xff));
    chain.shim.line("spans are not taken, and are dropped");
    drop(client);
    chain.shim.terminate();
    assert_eq!(chain.shim.ended().code(), Some(0));
}
