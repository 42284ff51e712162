//! What a request says of its caller, as headers.

use super::Caller;
use crate::failure::Failure;
use dbtrail_types::names::RequestId;
use reqwest::header::HeaderValue;

/// The token of the caller, as a header.
pub(super) fn bearer(caller: &Caller) -> Result<Option<HeaderValue>, Failure> {
    let Some(token) = &caller.token else { return Ok(None) };
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        Failure::Internal("the agent token has characters that no HTTP header can hold".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The id of a request, as a header.
pub(super) fn request_id(id: &RequestId) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(id.as_str())
        .map_err(|e| Failure::Internal(format!("a request id is no header: {e}")))
}
