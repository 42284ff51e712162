//! Answers and refusals as HTTP responses.

use super::ahead::{Ahead, Chunk};
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

/// Lines that take long to make: on threads of their own, and ahead of what was taken. Why it does
/// not go on is the last line where rows were sent before; there is no trailer then.
pub(super) async fn long_lines<I>(chunks: I, form: Form) -> Response
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    let mut ahead = Ahead::of(chunks);
    match ahead.next().await {
        Some(Ok(first)) => streamed(vec![first], ahead, form),
        Some(Err(refused)) => refusal(&refused),
        None => streamed(Vec::new(), ahead, form),
    }
}

/// An answer of these chunks, and then of those that are being made.
fn streamed<I>(begun: Vec<Vec<u8>>, ahead: Ahead<I>, form: Form) -> Response
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    let more = futures_util::stream::unfold(ahead, move |mut ahead| async move {
        let chunk = match ahead.next().await? {
            Ok(chunk) => chunk,
            Err(refused) => {
                if refused.status >= 500 {
                    tracing::error!(error = %refused, "the agent failed");
                }
                let mut line = serde_json::to_vec(&refused.body()).unwrap_or_default();
                line.push(b'\n');
                form.of_line(line)
            }
        };
        Some((chunk, ahead))
    });
    let all = futures_util::stream::iter(begun).chain(more);
    let filled = all.filter(|chunk| std::future::ready(!chunk.is_empty()));
    let stream = filled.map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    response(StatusCode::OK, form.media_type(), Body::from_stream(stream))
}

/// An answer of which as much is there as is made at once.
pub(super) enum Begun<I> {
    /// All, or its beginning.
    Here(Response),
    /// Nothing yet.
    Long(I),
}

impl<I> Begun<I>
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    pub(super) fn of(is_long: bool, answer: I, form: Form) -> Self {
        if is_long { Self::Long(answer) } else { Self::Here(lines(answer, form)) }
    }
}

/// The same as a response, or the refusal.
pub(super) async fn begun<I>(answer: Result<Begun<I>, Refusal>, form: Form) -> Response
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    match answer {
        Ok(Begun::Here(response)) => response,
        Ok(Begun::Long(answer)) => long_lines(answer, form).await,
        Err(refused) => refusal(&refused),
    }
}

/// Lines, the first chunks of which are made at once: most answers have no more, and get a length
/// and no stream.
fn lines<I>(mut chunks: I, form: Form) -> Response
where
    I: Iterator<Item = Chunk> + Send + 'static,
{
    match chunks.next() {
        Some(Ok(first)) => match chunks.next() {
            None => response(StatusCode::OK, form.media_type(), first.into()),
            Some(Ok(second)) => streamed(vec![first, second], Ahead::of(chunks), form),
            Some(Err(refused)) => refusal(&refused),
        },
        Some(Err(refused)) => refusal(&refused),
        None => response(StatusCode::OK, form.media_type(), Body::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::agent_api::code;

    fn chunks(texts: &[&str]) -> Vec<Chunk> {
        texts.iter().map(|text| Ok(text.as_bytes().to_vec())).collect()
    }

    fn refused() -> Chunk {
        Err(Refusal::new(422, code::GAP, "there is a gap".to_owned()))
    }

    async fn read(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_answer_ends_with_why_it_does_not_go_on() {
        let cases: [(Vec<Chunk>, u16, &str, bool); 6] = [
            (vec![], 200, "", false),
            (chunks(&["a\n"]), 200, "a\n", false),
            (chunks(&["a\n", "", "b\n", "c\n"]), 200, "a\nb\nc\n", false),
            ([vec![refused()], chunks(&["a\n"])].concat(), 422, "", true),
            ([chunks(&["a\n", "b\n"]), vec![refused()], chunks(&["c\n"])].concat(), 200, "a\nb\n", true),
            ([chunks(&["a\n", "b\n", "c\n"]), vec![refused()]].concat(), 200, "a\nb\nc\n", true),
        ];
        for (chunks, status, lines_before, ends_early) in cases {
            let long = long_lines(chunks.clone().into_iter(), Form::Lines).await;
            for answer in [long, lines(chunks.into_iter(), Form::Lines)] {
                let (answered, text) = read(answer).await;
                assert_eq!(answered, status, "{text}");
                let rest = text.strip_prefix(lines_before).unwrap();
                assert_eq!(rest.contains("there is a gap"), ends_early, "{text}");
                assert!(ends_early || rest.is_empty(), "{text}");
            }
        }
    }
}
