//! A question whose answer comes line by line.

use super::lines::Lines;
use super::request::Size;
use super::{AgentClient, Caller, Endpoint, response, transport};
use crate::failure::Failure;
use dbtrail_types::names::RequestId;

impl AgentClient {
    /// Sends a question; gives the lines of the answer, and the first of them, its header.
    pub(super) async fn ask(
        &self,
        size: Size,
        endpoint: &Endpoint,
        body: Vec<u8>,
        caller: &Caller,
        request: &RequestId,
    ) -> Result<(Lines, Vec<u8>), Failure> {
        let answer = transport::post(self, size, endpoint, body.into(), caller, request).await?;
        let framed = self.is_inside() || response::is_framed(&answer);
        let (answer, form) = response::streamed(answer)?;
        let mut lines = Lines::new(&self.base_url, answer, form, framed);
        let first = lines.header().await?;
        Ok((lines, first))
    }
}
