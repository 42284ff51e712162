//! Questions about the history as a whole.

use super::answer::{AgentRows, Expectation};
use super::headers::bearer;
use super::request::Size;
use super::{AgentClient, Caller, not_a_header, not_written, transport, with_query};
use crate::failure::Failure;
use dbtrail_types::agent_api::{Header, Schemas, Tables};
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::names::{RequestId, ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Request, StatusCode};
use std::sync::Arc;

impl AgentClient {
    /// The oldest and the newest instant that can be asked for; `None`: the agent does not say.
    ///
    /// Every agent names both where an instant lies outside of its record (`out_of_range`), and
    /// 1970 lies outside of every record.
    ///
    /// # Errors
    /// The agent cannot be reached, or fails.
    pub async fn ends(
        &self,
        caller: &Caller,
        server: &ServerId,
        table: &TableName,
        request: &RequestId,
    ) -> Result<Option<(Timestamp, Timestamp)>, Failure> {
        let url =
            self.url(&["v1", "servers", &server.0, "schemas", &table.schema, "tables", &table.table])?;
        let url = with_query(url, "at", &Timestamp::from_micros(0).to_string());
        transport::refusal(self, Request::new(Method::GET, url), caller, request)
            .await
            .map(|refused| refused.and_then(|body| body.oldest.zip(body.newest)))
    }

    /// A table of `_history`: sends the request and reads the header of its answer.
    ///
    /// # Errors
    /// Every agent failure before the first row.
    pub async fn happened(
        &self,
        caller: &Caller,
        asked: &HistoryRequest,
        request: &RequestId,
    ) -> Result<AgentRows, Failure> {
        let body = serde_json::to_vec(asked).map_err(|e| not_written(&e))?;
        let (size, endpoint) = (Size::Large, &self.endpoints.history);
        let (lines, first) = self.ask(size, endpoint, body, caller, request).await?;
        let header: Header = serde_json::from_slice(&first).map_err(|e| not_a_header(&first, &e))?;
        if !header.success {
            return Err(not_a_header(&first, &"it says success: false"));
        }
        let definition = Arc::new(header.definition);
        let asked = match (asked.table, asked.window) {
            (HistoryTable::Changes, Some((since, until))) => Expectation::Changes { since, until, last: 0 },
            (HistoryTable::Changes, None) => Expectation::any_changes(),
            _ => Expectation::Rows { most: u64::MAX },
        };
        Ok(AgentRows::new(lines, definition, asked))
    }

    /// The schemas that the agent knows of a server.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn schemas(
        &self,
        caller: &Caller,
        server: &ServerId,
        request: &RequestId,
    ) -> Result<Vec<String>, Failure> {
        let url = self.url(&["v1", "servers", &server.0, "schemas"])?;
        let response = transport::send(self, Request::new(Method::GET, url), caller, request).await?;
        transport::small::<Schemas>(&self.base_url, response).await.map(|s| s.schemas)
    }

    /// The tables that the agent knows of a schema, dropped ones too, each with the span of time
    /// that can be asked for; and those of which no row is answered, with the reason.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn recorded(
        &self,
        caller: &Caller,
        server: &ServerId,
        schema: &str,
        request: &RequestId,
    ) -> Result<Tables, Failure> {
        let url = self.url(&["v1", "servers", &server.0, "schemas", schema, "tables"])?;
        let response = transport::send(self, Request::new(Method::GET, url), caller, request).await?;
        transport::small::<Tables>(&self.base_url, response).await
    }

    /// The record, and how capturing goes; of this server, where the agent has the histories of
    /// several.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn status<T: serde::de::DeserializeOwned>(
        &self,
        caller: &Caller,
        server: Option<&ServerId>,
        request: &RequestId,
    ) -> Result<T, Failure> {
        let mut url = self.url(&["v1", "status"])?;
        if let Some(server) = server {
            url.query_pairs_mut().append_pair("server_id", &server.0);
        }
        let response = transport::send(self, Request::new(Method::GET, url), caller, request).await?;
        transport::small(&self.base_url, response).await
    }

    /// The same of all servers of which the agent has the history.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn statuses<T: serde::de::DeserializeOwned>(
        &self,
        caller: &Caller,
        request: &RequestId,
    ) -> Result<T, Failure> {
        let url = self.url(&["v1", "servers"])?;
        let response = transport::send(self, Request::new(Method::GET, url), caller, request).await?;
        transport::small(&self.base_url, response).await
    }

    /// Has the agent copy its store into a folder of its machine; gives its answer when the copy is
    /// complete. `to`: an absolute path of a folder that is not there.
    ///
    /// # Errors
    /// Every agent failure; there is no copy then.
    pub async fn backup<T: serde::de::DeserializeOwned>(
        &self,
        caller: &Caller,
        to: &str,
        request: &RequestId,
    ) -> Result<T, Failure> {
        let mut asked = Request::new(Method::POST, self.url(&["v1", "backup"])?);
        *asked.body_mut() = Some(serde_json::json!({ "to": to }).to_string().into());
        let response = transport::send(self, asked, caller, request).await?;
        transport::small(&self.base_url, response).await
    }

    /// What the agent's clock says, by the `Date` of its answer: any answer of any status proves
    /// that it is there and that its certificate is good. `None`: it gave no date.
    ///
    /// # Errors
    /// [`Failure::AgentUnreachable`].
    pub async fn clock(&self) -> Result<Option<Timestamp>, Failure> {
        let response =
            transport::execute(self, Request::new(Method::GET, self.url(&["readyz"])?), None).await?;
        let date = response.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(Timestamp::from_http_date))
    }

    /// Whether it says that it is ready for a server; `None`: it does not answer. Not counted among
    /// the requests: nobody waits for it.
    pub(super) async fn is_ready(&self, server: &ServerId, caller: &Caller) -> Option<bool> {
        let mut url = self.url(&["readyz"]).ok()?;
        let all = url.clone();
        url.query_pairs_mut().append_pair("server_id", &server.0);
        let mut asked = Request::new(Method::GET, url);
        if let Ok(Some(bearer)) = bearer(caller) {
            asked.headers_mut().insert(AUTHORIZATION, bearer);
        }
        let status = transport::executed(self, asked).await.ok()?.status();
        if status != StatusCode::NOT_FOUND {
            return Some(status.is_success());
        }
        // It does not tell, or not by this token: what it says of all its histories.
        let answer = transport::executed(self, Request::new(Method::GET, all)).await.ok()?;
        Some(answer.status().is_success())
    }
}
