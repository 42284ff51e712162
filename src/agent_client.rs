//! The HTTPS client of an agent. Its only inputs are what the plan has checked.
//!
//! # Why the cache of definitions cannot give a wrong answer
//! The guard needs the table's definition before rows can be asked for. A definition seen earlier
//! is tried first; it may be that of another instant. The header of every answer holds the
//! definition that the rows really have: where it is not the one that the guard used, the session
//! throws the answer away unread and starts again with [`AgentClient::fresh_definition`].

mod address;
mod answer;
mod ask;
mod cache;
mod definitions;
mod errors;
mod h2_pool;
mod headers;
mod in_process;
mod lines;
mod net;
mod packed;
mod pool;
mod questions;
mod request;
mod response;
mod tls;
mod transport;

use crate::failure::Failure;
use crate::plan::guard::Admitted;
use crate::plan::{Resolved, When};
use crate::statement::VirtualSchema;
use answer::{Expectation, nonsense};
use cache::{Cache, Texts};
use dbtrail_types::agent_api::KeyChoice;
use dbtrail_types::agent_api::path;
use dbtrail_types::names::RequestId;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::AsOf;
use h2_pool::H2Pool;
use hyper::Uri;
use reqwest::Client;
use std::net::IpAddr;
use std::sync::Arc;

pub use answer::{AgentRows, Batch};
pub use in_process::{InProcessAgent, InProcessBody};
pub use net::{NetTable, NetTables, later::LaterRows};
pub use packed::{Announced, Events, Rows};
pub use pool::AgentPool;
use request::{Size, body, not_a_header, not_written, with_query};

/// How to reach an agent and prove who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSettings {
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
    base_url: Arc<str>,
    endpoints: Arc<Endpoints>,
    transport: Transport,
    /// Of what it was made; `None`: the agent is in this process.
    made_of: Option<Arc<AgentSettings>>,
    /// The one address of its name that it is at; `None`: any.
    address: Option<IpAddr>,
    cache: Arc<Cache>,
    texts: Arc<Texts>,
}

/// How requests reach the agent.
#[derive(Clone, Debug)]
enum Transport {
    Network {
        http: Client,
        /// For rows at an instant, where the agent speaks HTTP/2.
        h2_pool: Option<Arc<H2Pool>>,
    },
    /// It is in this process.
    InProcessAgent(Arc<dyn InProcessAgent>),
}

/// Where rows are asked for: read once, since a URL is not read in no time.
#[derive(Debug)]
struct Endpoints {
    flashback: Endpoint,
    snapshot: Endpoint,
    diff: Endpoint,
    net: Endpoint,
    history: Endpoint,
}

/// One of them, as the two HTTP clients want it.
#[derive(Debug)]
struct Endpoint {
    url: reqwest::Url,
    uri: Uri,
}

impl Endpoints {
    fn of(base_url: &str) -> Result<Self, SetupError> {
        let bad = |e: &dyn std::fmt::Display| SetupError(format!("agent_url {base_url}: {e}"));
        let endpoint = |path: &str| {
            let url = reqwest::Url::parse(&format!("{base_url}{path}")).map_err(|e| bad(&e))?;
            Ok(Endpoint { uri: url.as_str().parse().map_err(|e| bad(&e))?, url })
        };
        Ok(Self {
            flashback: endpoint(path::FLASHBACK)?,
            snapshot: endpoint(path::SNAPSHOT)?,
            diff: endpoint(path::DIFF)?,
            net: endpoint(path::NET_CHANGES)?,
            history: endpoint(path::HISTORY)?,
        })
    }
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
    pub fn new(settings: &AgentSettings) -> Result<Self, SetupError> {
        Self::made(Arc::new(settings.clone()), None)
    }

    fn made(settings: Arc<AgentSettings>, address: Option<IpAddr>) -> Result<Self, SetupError> {
        let base_url: Arc<str> = settings.base_url.trim_end_matches('/').into();
        let endpoints = Endpoints::of(&base_url)?;
        let url = &endpoints.flashback.url;
        let transport = Transport::Network {
            h2_pool: H2Pool::new(&settings, url, address)?,
            http: transport::client(&settings, url.host_str().zip(address))?,
        };
        Ok(Self { made_of: Some(settings), address, ..Self::over(base_url, endpoints, transport) })
    }

    /// A client of an agent in this process: the same requests and the same answers, without a
    /// connection in between.
    ///
    /// # Errors
    /// None that is known: the URL by which the agent is named can be read.
    pub fn in_process(agent: Arc<dyn InProcessAgent>) -> Result<Self, SetupError> {
        let base_url: Arc<str> = in_process::BASE_URL.into();
        let endpoints = Endpoints::of(&base_url)?;
        Ok(Self::over(base_url, endpoints, Transport::InProcessAgent(agent)))
    }

    /// Whether these settings would make the same client.
    #[must_use]
    pub fn is_of(&self, settings: &AgentSettings) -> bool {
        self.made_of.as_deref() == Some(settings)
    }

    /// Whether this is the same client, or one of the same settings.
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.endpoints, &other.endpoints)
            || self.made_of.is_some() && self.made_of == other.made_of
    }

    /// A client of this agent that knows the definitions which another one has read.
    fn with_cache_of(self, other: &Self) -> Self {
        Self { cache: Arc::clone(&other.cache), ..self }
    }

    /// Whether the agent is in this process.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        matches!(self.transport, Transport::InProcessAgent(_))
    }

    fn over(base_url: Arc<str>, endpoints: Endpoints, transport: Transport) -> Self {
        Self {
            base_url,
            endpoints: Arc::new(endpoints),
            transport,
            made_of: None,
            address: None,
            cache: Arc::default(),
            texts: Arc::default(),
        }
    }

    /// The base URL, for messages and EXPLAIN.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the request for the rows of a query goes.
    #[must_use]
    pub fn endpoint(&self, resolved: &Resolved) -> &reqwest::Url {
        &self.endpoint_of(resolved).url
    }

    fn endpoint_of(&self, resolved: &Resolved) -> &Endpoint {
        match (&resolved.when, resolved.draft.virtual_schema) {
            (_, VirtualSchema::Undo) => &self.endpoints.net,
            (When::Between(..), _) | (_, VirtualSchema::Diff) => &self.endpoints.diff,
            (When::At(_), VirtualSchema::Snapshot) => &self.endpoints.snapshot,
            (When::At(_), VirtualSchema::Flashback) => &self.endpoints.flashback,
        }
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
        let resolved = admitted.resolved();
        let of_changes = resolved.draft.virtual_schema == VirtualSchema::Diff;
        let body = body(admitted)?;
        let size = Size::of(admitted);
        let endpoint = self.endpoint_of(resolved);
        let (mut lines, first) = self.ask(size, endpoint, body, caller, request).await?;
        let (header, definition) = match self.texts.header(&first) {
            Ok(header) => header,
            Err(e) if e.is_eof() => {
                let body = [first.as_slice(), lines.rest().await?].concat();
                return Err(not_a_header(&body, &e));
            }
            Err(e) => return Err(not_a_header(&first, &e)),
        };
        if !header.success {
            return Err(not_a_header(&first, &"it says success: false"));
        }
        if let (Some(AsOf::Time(answered)), When::At(AsOf::Time(asked))) = (&header.at, &resolved.when)
            && answered != asked
        {
            return Err(Failure::AgentNonsense(format!(
                "the agent was asked for {asked} and answered for {answered}"
            )));
        }
        let asked = match &resolved.when {
            When::Between(since, until) => Expectation::Changes { since: *since, until: *until, last: 0 },
            When::At(_) if of_changes => Expectation::any_changes(),
            When::At(_) => match &admitted.keys().choice {
                KeyChoice::Values(keys) => Expectation::Rows { most: keys.len() as u64 },
                KeyChoice::Range(range) => Expectation::Rows { most: range.max_keys.unwrap_or(u64::MAX) },
                KeyChoice::Scan(_) => Expectation::Rows { most: u64::MAX },
            },
        };
        Ok(AgentRows::new(lines, definition, asked))
    }

    /// A URL whose parts are escaped.
    fn url(&self, parts: &[&str]) -> Result<reqwest::Url, Failure> {
        let bad = || Failure::Internal(format!("agent_url {} is no URL", self.base_url));
        let mut url = reqwest::Url::parse(&self.base_url).map_err(|_| bad())?;
        url.path_segments_mut().map_err(|()| bad())?.clear().extend(parts);
        Ok(url)
    }
}
