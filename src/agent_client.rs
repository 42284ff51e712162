//! The HTTPS client of an agent. Its only inputs are what the plan has checked.

use crate::agent_api::{ApiNote, DiffEvent, Header, RowLine};
use crate::column::TableDefinition;
use crate::failure::Failure;
use crate::ident::{RequestId, ServerId};
use crate::plan::Resolved;
use crate::plan::guard::Admitted;
use crate::secret::Secret;
use std::sync::Arc;

/// How to reach an agent and prove who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `https://host:8600`, no path.
    pub base_url: String,
    /// PEM text of the authorities to trust; `None`: the platform's.
    pub ca_pem: Option<Vec<u8>>,
    /// PEM text of the client certificate chain and of its key.
    pub identity_pem: Option<(Vec<u8>, Secret)>,
}

/// A client could not be made of its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub String);

/// One agent. Cheap to clone; connections are pooled per agent, tokens belong to the caller.
#[derive(Clone, Debug)]
pub struct AgentClient {
    settings: Arc<Settings>,
}

/// For whom a request is made: nothing of one tenant may be cached for another.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The tenant's MySQL user name: part of every cache key.
    pub tenant: String,
    /// The bearer token.
    pub token: Option<Secret>,
}

impl AgentClient {
    /// Makes a client; opens no connection.
    ///
    /// # Errors
    /// The certificates or the key cannot be read.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        Ok(Self { settings: Arc::new(settings) })
    }

    /// The base URL, for messages and EXPLAIN.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.settings.base_url
    }

    /// The definition of the table at the point that counts, from the cache if it is there. The boolean says that it came
    /// from the cache: then an answer that contradicts it calls for one more try with [`AgentClient::fresh_definition`].
    ///
    /// # Errors
    /// Every agent failure: without a definition the PK rule cannot be checked, so the statement is refused.
    pub async fn definition(
        &self,
        caller: &Caller,
        resolved: &Resolved,
        request: &RequestId,
    ) -> Result<(Arc<TableDefinition>, bool), Failure> {
        self.fresh_definition(caller, resolved, request).await.map(|d| (d, false))
    }

    /// The same, asked of the agent now.
    ///
    /// # Errors
    /// As for [`AgentClient::definition`].
    pub async fn fresh_definition(
        &self,
        caller: &Caller,
        resolved: &Resolved,
        request: &RequestId,
    ) -> Result<Arc<TableDefinition>, Failure> {
        let _ = (caller, resolved, request);
        Err(Failure::Internal("the agent client is not built yet".to_owned()))
    }

    /// Sends the request and reads the header of its answer.
    ///
    /// # Errors
    /// Every agent failure before the first row.
    pub async fn rows(
        &self,
        caller: &Caller,
        admitted: &Admitted,
        request: &RequestId,
    ) -> Result<AgentRows, Failure> {
        let _ = (caller, admitted, request);
        Err(Failure::Internal("the agent client is not built yet".to_owned()))
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
        let _ = (caller, server, request);
        Err(Failure::Internal("the agent client is not built yet".to_owned()))
    }

    /// The tables (dropped ones left out) that the agent knows of a schema.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn tables(
        &self,
        caller: &Caller,
        server: &ServerId,
        schema: &str,
        request: &RequestId,
    ) -> Result<Vec<String>, Failure> {
        let _ = (caller, server, schema, request);
        Err(Failure::Internal("the agent client is not built yet".to_owned()))
    }
}

/// The lines of an answer behind its header. Dropping it cancels the request.
#[derive(Debug)]
pub struct AgentRows {
    /// The header.
    pub header: Header,
}

/// What comes next. There is no "nothing": a stream ends with its trailer or with an error.
#[derive(Debug)]
pub enum Batch {
    /// Rows of `/v1/flashback` and `/v1/snapshot`.
    Rows(Vec<RowLine>),
    /// Events of `/v1/diff`, with the definition that their images have.
    Events(Arc<TableDefinition>, Vec<DiffEvent>),
    /// The trailer was read, its count was right.
    End(Vec<ApiNote>),
}

impl AgentRows {
    /// The next lines, as many as have come, at least one.
    ///
    /// # Errors
    /// [`Failure::AgentUnreachable`] when the body ends without a trailer or the connection breaks.
    pub async fn next(&mut self) -> Result<Batch, Failure> {
        Err(Failure::Internal("the agent client is not built yet".to_owned()))
    }
}
