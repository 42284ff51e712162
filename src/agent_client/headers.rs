//! What a request says of its caller, as headers.

use super::Caller;
use crate::failure::Failure;
use dbtrail_types::agent_api::REQUEST_ID;
use dbtrail_types::names::RequestId;
use dbtrail_types::trace::{TRACEPARENT, TraceContext};
use reqwest::header::{HeaderMap, HeaderValue};

/// The token of the caller, as a header.
pub(super) fn bearer(caller: &Caller) -> Result<Option<HeaderValue>, Failure> {
    let Some(token) = &caller.token else { return Ok(None) };
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        Failure::Internal("the agent token has characters that no HTTP header can hold".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The id of a request, and its trace.
pub(super) fn identify(headers: &mut HeaderMap, id: &RequestId) -> Result<(), Failure> {
    let header = |text: &str| {
        HeaderValue::from_str(text).map_err(|e| Failure::Internal(format!("a request id is no header: {e}")))
    };
    headers.insert(REQUEST_ID, header(id.as_str())?);
    headers.insert(TRACEPARENT, header(&TraceContext::of(id.as_str()).to_string())?);
    Ok(())
}
