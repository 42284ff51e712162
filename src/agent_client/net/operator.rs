//! What whoever looks after an agent asks it and tells it: no statement of a client comes this way.

use super::super::request::Size;
use super::super::{AgentClient, AgentRows, Caller, Expectation, not_a_header, not_written, transport};
use crate::failure::Failure;
use dbtrail_types::agent_api::DiffRequest;
use dbtrail_types::doubt::{DoubtRequest, DoubtTaken};
use dbtrail_types::names::RequestId;
use dbtrail_types::timestamp::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};

impl AgentClient {
    /// Changes of rows inside a window.
    ///
    /// # Errors
    /// Every agent failure before the first change.
    pub async fn changes(
        &self,
        caller: &Caller,
        asked: &DiffRequest,
        request: &RequestId,
    ) -> Result<AgentRows, Failure> {
        let body = serde_json::to_vec(asked).map_err(|e| not_written(&e))?;
        let endpoint = &self.endpoints.diff;
        let size = Size::Large;
        let (lines, first) = self.ask(size, endpoint, body, caller, request).await?;
        let (header, definition) = self.texts.header(&first).map_err(|e| not_a_header(&first, &e))?;
        if !header.success {
            return Err(not_a_header(&first, &"it says success: false"));
        }
        let until = asked.until.unwrap_or_else(|| Timestamp::from_micros(i64::MAX));
        let since = asked.since.unwrap_or_else(|| Timestamp::from_micros(i64::MIN));
        Ok(AgentRows::new(lines, definition, Expectation::Changes { since, until, last: 0 }))
    }

    /// Puts a table in doubt.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn put_in_doubt(
        &self,
        caller: &Caller,
        doubt: &DoubtRequest,
        request: &RequestId,
    ) -> Result<(), Failure> {
        let mut reported = Request::new(Method::POST, self.url(&["v1", "doubt"])?);
        *reported.body_mut() = Some(serde_json::to_vec(doubt).map_err(|e| not_written(&e))?.into());
        reported.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = transport::send(self, reported, caller, request).await?;
        let taken: DoubtTaken = transport::small(&self.base_url, response).await?;
        let why = "the agent did not say that it took the doubt";
        if taken.success { Ok(()) } else { Err(Failure::AgentNonsense(why.to_owned())) }
    }
}
