//! The body of a request, and the form in which its answer is wanted.

use super::MAX_BODY;
use crate::query::{Form, Refusal};
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use dbtrail_types::agent_api::code;
use dbtrail_types::agent_api::frames::FRAMES;
use dbtrail_types::timestamp::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn too_large() -> Refusal {
    let why = format!("the request is longer than {MAX_BODY} bytes, or was cut");
    Refusal::new(413, code::BODY_TOO_LARGE, why)
}

/// The form in which rows are wanted: frames only where they are named.
pub(super) fn accepted(headers: &HeaderMap) -> Form {
    let named = |kind: &str| {
        let (kind, weight) = kind.split_once(';').unwrap_or((kind, ""));
        let none = matches!(weight.trim().strip_prefix("q="), Some("0" | "0." | "0.0" | "0.00" | "0.000"));
        kind.trim().eq_ignore_ascii_case(FRAMES) && !none
    };
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if values.flat_map(|value| value.split(',')).any(named) { Form::Frames } else { Form::Lines }
}

/// A body that comes bit by bit.
pub(super) async fn collect(body: Body) -> Result<Bytes, Refusal> {
    axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| too_large())
}

/// A body that is there.
pub(super) fn short(body: Bytes) -> Result<Bytes, Refusal> {
    if body.len() > MAX_BODY { Err(too_large()) } else { Ok(body) }
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| what_is_wrong(body, &error))
}

/// The most telling refusal of a body that is not a request.
fn what_is_wrong(bytes: &[u8], error: &serde_json::Error) -> Refusal {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return Refusal::malformed(format!("the request is not JSON: {error}")),
    };
    if value.get("server_id").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Refusal::new(400, code::MISSING_SERVER_ID, "the request names no server_id".to_owned());
    }
    for (name, time) in [
        ("at.time", value.pointer("/at/time")),
        ("since", value.get("since")),
        ("until", value.get("until")),
        ("span.window.since", value.pointer("/span/window/since")),
        ("span.window.until", value.pointer("/span/window/until")),
    ] {
        let Some(time) = time else { continue };
        let parsed = time.as_str().map(str::parse::<Timestamp>);
        match parsed {
            Some(Ok(_)) => {}
            Some(Err(why)) => return malformed_time(&format!("{name}: {why}")),
            None => return malformed_time(&format!("{name} is not text")),
        }
    }
    Refusal::malformed(format!("the request is not understood: {error}"))
}

pub(super) fn malformed_time(why: &str) -> Refusal {
    Refusal::new(400, code::MALFORMED_TIMESTAMP, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn frames_are_for_who_names_them() {
        for (accept, form) in [
            ("application/vnd.dbtrail.frames", Form::Frames),
            ("application/x-ndjson, Application/vnd.dbtrail.Frames;q=0.5", Form::Frames),
            ("application/vnd.dbtrail.frames, */*;q=0.5", Form::Frames),
            ("application/vnd.dbtrail.frames;q=0, */*", Form::Lines),
            ("*/*", Form::Lines),
            ("application/x-ndjson", Form::Lines),
            ("", Form::Lines),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepted(&headers), form, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), Form::Lines);
    }
}
