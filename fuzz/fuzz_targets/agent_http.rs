//! Any requests to the agent's routes: an answer of the contract, to its end.
//!
//! An input is a request as HTTP/1.1 writes it: method and path, headers, an empty line, the body.
#![no_main]

use dbtrail_history::serve::{Local, ServeOptions, Tokens};
use dbtrail_shim_fuzz::recorded;
use dbtrail_types::secret::Secret;
use futures_util::StreamExt;
use hyper::Request;
use hyper::body::Bytes;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static AGENT: OnceLock<(tokio::runtime::Runtime, Local)> = OnceLock::new();

fn start() -> (tokio::runtime::Runtime, Local) {
    let tokens: Tokens = vec![Secret::new("t".to_owned())].into();
    let options = ServeOptions { doubt_tokens: Some(tokens.clone()), tokens, ..ServeOptions::default() };
    (tokio::runtime::Runtime::new().expect("a runtime"), Local::new(recorded(), &options))
}

/// The request of an input, if it can be one at all. The token is the right one unless it has a
/// header `x`.
fn request(input: &[u8]) -> Option<Request<Bytes>> {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((input, &b""[..]), |end| (&input[..end], &input[end + 2..]));
    let mut lines = head.split(|b| *b == b'\n');
    let mut first = lines.next()?.split(|b| *b == b' ');
    let mut request = Request::builder().method(first.next()?).uri(first.next()?);
    let mut anyone = true;
    for line in lines {
        let colon = line.iter().position(|b| *b == b':')?;
        anyone &= &line[..colon] != b"x";
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    if anyone {
        request = request.header("authorization", "Bearer t");
    }
    request.body(Bytes::copy_from_slice(body)).ok()
}

fuzz_target!(|input: &[u8]| {
    let Some(request) = request(input) else { return };
    let (runtime, agent) = AGENT.get_or_init(start);
    runtime.block_on(async {
        let response = agent.answer(request).await;
        let status = response.status();
        assert!(!status.is_server_error() || status == 503, "{status}");
        let json = response.headers().get("content-type").is_some_and(|t| {
            t.to_str()
                .is_ok_and(|t| t.starts_with("application/json") || t.starts_with("application/x-ndjson"))
        });
        let mut body = response.into_body();
        let mut text = Vec::new();
        while let Some(piece) = body.next().await {
            text.extend(piece.expect("an agent inside cuts nothing"));
        }
        if json {
            for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                serde_json::from_slice::<serde_json::Value>(line).expect("each line is JSON");
            }
        }
    });
});
