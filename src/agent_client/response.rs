//! What the head of an answer says; and answers that did not come through reqwest, as its own.

use super::errors::cleaned;
use super::lines::Form;
use crate::failure::Failure;
use dbtrail_types::agent_api::NDJSON;
use dbtrail_types::agent_api::frames::FRAMES;
use hyper::Response as Answer;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use reqwest::{Response, ResponseBuilderExt, Version};

/// What is wanted of an answer of rows: the binary form, or whatever the agent has.
pub(super) const ROWS: &str = "application/vnd.dbtrail.frames, */*;q=0.5";

/// An answer under the URL that was asked. Without one, reqwest reads another for each answer.
pub(super) fn came_from(url: &reqwest::Url, answer: Answer<reqwest::Body>) -> Response {
    let (mut head, body) = answer.into_parts();
    // A URL that was read is good for a header too; else reqwest makes up its own.
    if let Ok(named) = Answer::builder().url(url.clone()).body(()) {
        head.extensions.extend(named.into_parts().0.extensions);
    }
    Answer::from_parts(head, body).into()
}

/// The media type that an answer says it has, in lower case and without parameters.
pub(super) fn media_type(response: &Response) -> String {
    let text = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// Whether HTTP tells where the body ends ([Message Body
/// Length](https://www.rfc-editor.org/rfc/rfc9112#section-6.3), RFC 9112; END_STREAM, RFC 9113): by
/// a length, by a last chunk, or by the end of a stream. A body that ends with its connection may
/// have been cut anywhere.
pub(super) fn is_framed(response: &Response) -> bool {
    let headers = response.headers();
    response.version() >= Version::HTTP_2
        || headers.contains_key(CONTENT_LENGTH)
        || headers.get(TRANSFER_ENCODING).is_some_and(|v| v.as_bytes().ends_with(b"chunked"))
}

/// Refuses a page of some proxy or portal before a byte of it is read: only an answer or a refusal
/// of an agent goes on.
pub(super) fn streamed(response: Response) -> Result<(Response, Form), Failure> {
    let kind = media_type(&response);
    match kind.as_str() {
        FRAMES => return Ok((response, Form::Frames)),
        NDJSON | "application/json" => return Ok((response, Form::Lines)),
        _ => {}
    }
    let kind = if kind.is_empty() { "of no media type" } else { &kind };
    Err(Failure::AgentNonsense(format!(
        "the agent's answer is not understood: it is {}, and not {NDJSON}",
        cleaned(kind)
    )))
}
