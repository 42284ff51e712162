//! Answers and refusals as HTTP responses.

use crate::query::{Form, Refusal};
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::StreamExt;
use serde::Serialize;
use std::convert::Infallible;

fn response(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A small answer.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => response(StatusCode::OK, "application/json", body.into()),
        Err(error) => refusal(&Refusal::internal(format!("an answer could not be written: {error}"))),
    }
}

/// Plain text.
pub(super) fn text(status: StatusCode, body: String) -> Response {
    response(status, "text/plain; charset=utf-8", body.into())
}

/// A refusal.
pub(super) fn refusal(refusal: &Refusal) -> Response {
    // 503 says how things are, and comes in numbers: whoever finds it so says it once.
    if refusal.status >= 500 && refusal.status != 503 {
        tracing::error!(error = %refusal, "the agent failed");
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&refusal.body()).unwrap_or_default();
    response(status, "application/json", body.into())
}

/// Lines that take long to make: on threads of their own, one chunk at a time, and only as they are
/// taken. Why it does not go on is its last line where rows were sent before; there is no trailer
/// then.
pub(super) async fn long_lines<I>(chunks: I, form: Form) -> Response
where
    I: Iterator<Item = Result<Vec<u8>, Refusal>> + Send + 'static,
{
    // Chunks without a line stand for time that goes by before the first one, which may still be a
    // refusal. Between two of them, a request whose client is gone ends.
    let (mut first, mut rest) = (Vec::new(), Some(chunks));
    while first.is_empty()
        && let Some(chunks) = rest.take()
    {
        match next_chunk(chunks).await {
            (Some(Ok(chunk)), more) => (first, rest) = (chunk, more),
            (Some(Err(refused)), _) => return refusal(&refused),
            (None, _) => {}
        }
    }
    let more = futures_util::stream::unfold(rest, move |rest| async move {
        let (next, rest) = next_chunk(rest?).await;
        match next? {
            Ok(chunk) => Some((chunk, rest)),
            Err(refused) => {
                if refused.status >= 500 {
                    tracing::error!(error = %refused, "the agent failed");
                }
                let mut line = serde_json::to_vec(&refused.body()).unwrap_or_default();
                line.push(b'\n');
                Some((form.of_line(line), None))
            }
        }
    });
    let all = futures_util::stream::iter([first]).chain(more);
    let filled = all.filter(|chunk| std::future::ready(!chunk.is_empty()));
    let stream = filled.map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    response(StatusCode::OK, form.media_type(), Body::from_stream(stream))
}

/// One chunk, and what makes the next ones.
async fn next_chunk<I>(mut chunks: I) -> (Option<Result<Vec<u8>, Refusal>>, Option<I>)
where
    I: Iterator<Item = Result<Vec<u8>, Refusal>> + Send + 'static,
{
    let made = tokio::task::spawn_blocking(move || (chunks.next(), Some(chunks))).await;
    made.unwrap_or_else(|error| {
        (Some(Err(Refusal::internal(format!("a chunk was not made: {error}")))), None)
    })
}

/// Lines, sent as they are made. A failure on the way cuts the body: it then has no trailer, which
/// says so.
pub(super) fn lines<I>(answer: Result<I, Refusal>, form: Form) -> Response
where
    I: Iterator<Item = Result<Vec<u8>, Refusal>> + Send + 'static,
{
    let mut chunks = match answer {
        Ok(chunks) => chunks,
        Err(refused) => return refusal(&refused),
    };
    let first = match chunks.next() {
        Some(Ok(first)) => first,
        Some(Err(refused)) => return refusal(&refused),
        None => Vec::new(),
    };
    // Most answers are one chunk: they get a length and no stream.
    let Some(second) = chunks.next() else {
        return response(StatusCode::OK, form.media_type(), first.into());
    };
    let all = std::iter::once(Ok(first)).chain(std::iter::once(second)).chain(chunks);
    let stream = futures_util::stream::iter(all.map(|chunk| chunk.map(Bytes::from)));
    response(StatusCode::OK, form.media_type(), Body::from_stream(stream))
}
