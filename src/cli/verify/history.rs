//! The history that is checked: what the agent says of a table at a position of the log.

use super::compare::key_in;
use super::key::{Key, Wanted, positions};
use crate::agent_client::{AgentClient, AgentRows, Batch, Caller};
use crate::cli::undo::{message_of, reached, server_of};
use crate::failure::Failure;
use dbtrail_history::history_handle::Status;
use dbtrail_types::agent_api::{DiffEvent, DiffRequest, RowLine, RowsRequest, code};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::doubt::DoubtRequest;
use dbtrail_types::names::{RequestId, ServerId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the agent has to come to a position of the log.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it has.
const PAUSE: Duration = Duration::from_millis(50);

/// An agent.
#[derive(Debug)]
pub(super) struct History {
    client: AgentClient,
    caller: Caller,
    request: RequestId,
    pub(super) server_id: ServerId,
}

/// Rows of a table by their keys, and its columns.
pub(super) type Rows = (Arc<TableDefinition>, BTreeMap<Key, RowLine>);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum No {
    /// The agent refuses this question, for good: its word and its reason.
    Refused(String, String),
    /// It does not answer.
    Failed(String),
}

impl No {
    /// The reason alone.
    pub(super) fn why(self) -> String {
        match self {
            Self::Refused(_, why) | Self::Failed(why) => why,
        }
    }
}

impl From<String> for No {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<Failure> for No {
    fn from(failure: Failure) -> Self {
        let sentence = message_of(&failure);
        if let Failure::AgentRejected { body, word, .. } = failure
            && !word.is_empty()
            && word != code::UNAUTHORIZED
        {
            return Self::Refused(word, body);
        }
        Self::Failed(sentence)
    }
}

impl History {
    pub(super) async fn open(
        url: &str,
        token: Option<&Path>,
        ca: Option<&Path>,
        named: Option<&str>,
    ) -> Result<(Self, Status), String> {
        let (client, caller) = reached(url, token, ca)?;
        let request = RequestId::next(0);
        let server = server_of(&client, &caller, named, &request).await?;
        let status: Result<Status, Failure> = client.status(&caller, Some(&server), &request).await;
        let status = status.map_err(|e| message_of(&e))?;
        if status.server_id != server {
            return Err(format!("{url} has the history of '{}', and not of '{server}'", status.server_id));
        }
        Ok((Self { client, caller, request, server_id: status.server_id.clone() }, status))
    }

    /// What an agent has of a server.
    pub(super) fn of_agent(client: AgentClient, caller: Caller, server_id: ServerId) -> Self {
        Self { client, caller, request: RequestId::next(0), server_id }
    }

    /// A substitute, for tests of what is asked.
    #[cfg(test)]
    pub(super) fn of(client: AgentClient, server: &str) -> Self {
        let caller = Caller { tenant: String::new(), token: None };
        Self::of_agent(client, caller, ServerId(server.to_owned()))
    }

    pub(super) async fn status(&self) -> Result<Status, No> {
        Ok(self.client.status(&self.caller, Some(&self.server_id), &self.request).await?)
    }

    /// Waits until the record reaches an instant; `false`: it does not in time.
    pub(super) async fn reaches(&self, at: Timestamp) -> Result<bool, No> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if self.status().await?.newest.is_some_and(|newest| newest >= at) {
                return Ok(true);
            }
            if tokio::time::Instant::now() >= end {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The definition of a table at a position of the log, as soon as the record reaches it.
    pub(super) async fn definition(&self, table: &TableName, at: &AsOf) -> Result<TableDefinition, No> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let asked =
                self.client.definition_at(&self.caller, &self.server_id, table, at.clone(), &self.request);
            match asked.await.map_err(No::from) {
                Err(No::Refused(word, _))
                    if word == code::OUT_OF_RANGE && tokio::time::Instant::now() < end =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    /// Rows at a point that the record has reached. `most`: rows; `None`: there are more.
    pub(super) async fn rows(
        &self,
        table: &TableName,
        wanted: &Wanted,
        at: AsOf,
        most: usize,
    ) -> Result<Option<Rows>, No> {
        let asked = RowsRequest {
            server_id: self.server_id.clone(),
            schema: table.schema.clone(),
            table: table.table.clone(),
            keys: wanted.keys.clone(),
            at,
            filter: None,
            limit: None,
        };
        let mut answer = self.client.snapshot(&self.caller, &asked, &self.request).await?;
        let definition = Arc::clone(&answer.announced);
        let positions = positions(&definition)
            .ok_or_else(|| No::Failed(format!("the agent shows rows of {table} without their key")))?;
        let mut rows = BTreeMap::new();
        loop {
            match answer.next().await? {
                Batch::Rows(some) => {
                    let keyed = some.lines().filter_map(|row| Some((key_in(&positions, &row)?, row)));
                    rows.extend(keyed);
                    if rows.len() > most {
                        return Ok(None);
                    }
                }
                Batch::Events(..) => return Err(No::Failed("the agent sent changes for rows".to_owned())),
                Batch::End(_) => return Ok(Some((definition, rows))),
            }
        }
    }

    /// The changes of a table between two instants.
    pub(super) async fn changes(
        &self,
        table: &TableName,
        wanted: &Wanted,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Changes, No> {
        let asked = DiffRequest {
            server_id: self.server_id.clone(),
            schema: table.schema.clone(),
            table: table.table.clone(),
            keys: wanted.keys.clone(),
            since: Some(since),
            until: Some(until),
            transaction: None,
            filter: None,
            limit: None,
            connection_names: false,
        };
        Ok(Changes(self.client.changes(&self.caller, &asked, &self.request).await?))
    }

    /// Puts a table in doubt.
    pub(super) async fn doubt(&self, table: &TableName, since: Timestamp, reason: String) -> Result<(), No> {
        let server_id = self.server_id.clone();
        let doubt = DoubtRequest { server_id, table: table.clone(), since, reason };
        Ok(self.client.put_in_doubt(&self.caller, &doubt, &self.request).await?)
    }
}

/// Changes, as they come.
#[derive(Debug)]
pub(super) struct Changes(AgentRows);

impl Changes {
    /// Some more, with the definition that their rows have; `None`: there are no more.
    pub(super) async fn next(&mut self) -> Result<Option<(Arc<TableDefinition>, Vec<DiffEvent>)>, No> {
        match self.0.next().await? {
            Batch::Events(events) => Ok(Some((Arc::clone(events.definition()), events.to_events()))),
            Batch::Rows(_) => Err(No::Failed("the agent sent rows for changes".to_owned())),
            Batch::End(_) => Ok(None),
        }
    }
}
