//! Agents that keep the history of the same server: which of them is asked, and when another is.
//!
//! Each statement begins with another one of the agents that are ready, so that readers of one
//! history share the work. Another one is asked instead only before the first row: when an agent
//! cannot be reached, fails, has not the instant, or does not begin to answer in time ([`turn`]).
//! What an agent answers is true by itself, so
//! that it does not matter which of them it is. Only the newest instant could go back in time with
//! a change of agents, and that never does ([`AgentPool::ends`]).

mod health;
mod names;
mod newest;
#[cfg(test)]
mod tests;
mod turn;

use super::{AgentClient, AgentRows, Caller, LaterRows, NetTables};
use crate::failure::Failure;
use crate::plan::Resolved;
use crate::plan::guard::Admitted;
use dbtrail_types::agent_api::{ColumnValues, NetRequest, Tables};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::happened::HistoryRequest;
use dbtrail_types::names::{RequestId, ServerId, TableName};
use health::Members;
use names::Names;
use newest::Newest;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use turn::{Turn, Work};

/// One agent or several that can stand in for each other. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AgentPool {
    members: Arc<Members>,
    newest: Arc<Newest>,
}

impl From<AgentClient> for AgentPool {
    fn from(agent: AgentClient) -> Self {
        Self::new(vec![agent])
    }
}

/// Asks one agent after the other, until one answers or refuses for good.
macro_rules! first_answer {
    ($pool:expr, $work:expr, $server:expr, $caller:ident, $request:ident, $agent:ident => $asked:expr) => {{
        let mut turn = $pool.turn($server, $caller, $request);
        loop {
            let Some(member) = turn.next() else { break Err(turn.failure()) };
            let $agent = &member.agent;
            // In this very place: moved, it would be there twice.
            let asked = pin!($asked);
            match turn.in_time($work, asked).await {
                Ok(answer) => break Ok(answer),
                Err(failure) => {
                    if let Some(failure) = turn.failed(failure) {
                        break Err(failure);
                    }
                }
            }
        }
    }};
}

impl AgentPool {
    /// Of agents that keep the history of the same server; without any, every question fails. What
    /// one of them said of definitions is known of all.
    #[must_use]
    pub fn new(agents: Vec<AgentClient>) -> Self {
        let first = agents.first().cloned();
        let alike = |agent: AgentClient| match &first {
            Some(first) => agent.with_cache_of(first),
            None => agent,
        };
        Self {
            members: Arc::new(Members::new(agents.into_iter().map(alike).collect(), Names::of_the_system())),
            newest: Arc::default(),
        }
    }

    /// The agents, as they were given.
    pub fn agents(&self) -> impl Iterator<Item = &AgentClient> {
        self.members.given()
    }

    /// Whether these are the agents, in this order.
    #[must_use]
    pub fn is_over(&self, agents: &[AgentClient]) -> bool {
        self.agents().map(AgentClient::base_url).eq(agents.iter().map(AgentClient::base_url))
            && self.agents().zip(agents).all(|(own, other)| own.is_same(other))
    }

    /// Whether the agent is in this process.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.agents().any(AgentClient::is_inside)
    }

    /// Where the request for the rows of a query goes: that of the first agent, for EXPLAIN.
    #[must_use]
    pub fn endpoint(&self, resolved: &Resolved) -> Option<&reqwest::Url> {
        self.agents().next().map(|agent| agent.endpoint(resolved))
    }

    fn turn(&self, server: &ServerId, caller: &Caller, request: &RequestId) -> Turn {
        Turn::new(self.members.order(server, caller, request))
    }

    /// As [`AgentClient::rows`].
    ///
    /// # Errors
    /// Every agent failure before the first row.
    pub async fn rows(
        &self,
        caller: &Caller,
        admitted: &Admitted,
        request: &RequestId,
    ) -> Result<AgentRows, Failure> {
        first_answer!(self, Work::of(admitted), &admitted.resolved().server_id, caller, request, agent => agent.rows(caller, admitted, request))
    }

    /// As [`AgentClient::happened`].
    ///
    /// # Errors
    /// Every agent failure before the first row.
    pub async fn happened(
        &self,
        caller: &Caller,
        asked: &HistoryRequest,
        request: &RequestId,
    ) -> Result<AgentRows, Failure> {
        first_answer!(self, Work::Long, &asked.server_id, caller, request, agent => agent.happened(caller, asked, request))
    }

    /// As [`AgentClient::definition`].
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn definition(
        &self,
        caller: &Caller,
        resolved: &Resolved,
        request: &RequestId,
    ) -> Result<(Arc<TableDefinition>, bool), Failure> {
        first_answer!(self, Work::LookUp, &resolved.server_id, caller, request, agent => agent.definition(caller, resolved, request))
    }

    /// As [`AgentClient::fresh_definition`].
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn fresh_definition(
        &self,
        caller: &Caller,
        resolved: &Resolved,
        request: &RequestId,
    ) -> Result<Arc<TableDefinition>, Failure> {
        first_answer!(self, Work::LookUp, &resolved.server_id, caller, request, agent => agent.fresh_definition(caller, resolved, request))
    }

    /// As [`AgentClient::newest_definition`].
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn newest_definition(
        &self,
        caller: &Caller,
        server: &ServerId,
        table: &TableName,
        request: &RequestId,
    ) -> Result<TableDefinition, Failure> {
        first_answer!(self, Work::LookUp, server, caller, request, agent => agent.newest_definition(caller, server, table, request))
    }

    /// Keeps a definition that an answer had.
    pub fn remember(&self, caller: &Caller, resolved: &Resolved, definition: &Arc<TableDefinition>) {
        if let Some(agent) = self.agents().next() {
            agent.remember(caller, resolved, definition);
        }
    }

    /// As [`AgentClient::schemas`].
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn schemas(
        &self,
        caller: &Caller,
        server: &ServerId,
        request: &RequestId,
    ) -> Result<Vec<String>, Failure> {
        first_answer!(self, Work::LookUp, server, caller, request, agent => agent.schemas(caller, server, request))
    }

    /// As [`AgentClient::recorded`].
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
        first_answer!(self, Work::LookUp, server, caller, request, agent => agent.recorded(caller, server, schema, request))
    }

    /// As [`AgentClient::net_tables`].
    ///
    /// # Errors
    /// Every agent failure for a table that was asked for, and [`Failure::Unsupported`] beyond
    /// `most` bytes.
    pub async fn net_tables(
        &self,
        caller: &Caller,
        asked: &[NetRequest],
        allowed: Option<&[String]>,
        most: usize,
        request: &RequestId,
    ) -> Result<NetTables, Failure> {
        let none = ServerId(String::new());
        let server = asked.first().map_or(&none, |one| &one.server_id);
        first_answer!(self, Work::Long, server, caller, request, agent => agent.net_tables(caller, asked, allowed, most, request))
    }

    /// As [`AgentClient::later`].
    ///
    /// # Errors
    /// The agents cannot be reached.
    pub async fn later(
        &self,
        caller: &Caller,
        like: &NetRequest,
        wanted: BTreeMap<TableName, Vec<ColumnValues>>,
        allowed: Option<&[String]>,
        most: usize,
        request: &RequestId,
    ) -> Result<LaterRows, Failure> {
        first_answer!(self, Work::Long, &like.server_id, caller, request, agent => agent.later(caller, like, wanted.clone(), allowed, most, request))
    }
}
