//! Definitions of tables: asked for, and kept.

use super::{AgentClient, Caller, transport, with_query};
use crate::failure::Failure;
use crate::plan::Resolved;
use dbtrail_types::agent_api::TableAnswer;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::{RequestId, ServerId, TableName};
use dbtrail_types::timestamp::AsOf;
use reqwest::{Method, Request};
use std::sync::Arc;

impl AgentClient {
    /// The definition of the table at the point that counts, from the cache if it is there. The
    /// boolean says that it came from the cache: then an answer that contradicts it calls for one
    /// more try with [`AgentClient::fresh_definition`].
    ///
    /// # Errors
    /// Every agent failure: without a definition the PK rule cannot be checked, so the statement is
    /// refused.
    pub async fn definition(
        &self,
        caller: &Caller,
        resolved: &Resolved,
        request: &RequestId,
    ) -> Result<(Arc<TableDefinition>, bool), Failure> {
        if let Some(known) = self.cache.get(caller, resolved) {
            return Ok((known, true));
        }
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
        let (server, table) = (&resolved.server_id, &resolved.table);
        let point = Some(resolved.definition_point());
        let definition = Arc::new(self.ask_definition(caller, server, table, point, request).await?);
        self.cache.put(caller, resolved, Arc::clone(&definition));
        Ok(definition)
    }

    /// Keeps a definition that an answer had.
    pub fn remember(&self, caller: &Caller, resolved: &Resolved, definition: &Arc<TableDefinition>) {
        self.cache.put(caller, resolved, Arc::clone(definition));
    }

    /// The newest definition of a table: what a list of its columns shows. It is not kept, since no
    /// statement is checked against it.
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
        self.ask_definition(caller, server, table, None, request).await
    }

    pub(super) async fn ask_definition(
        &self,
        caller: &Caller,
        server: &ServerId,
        table: &TableName,
        point: Option<AsOf>,
        request: &RequestId,
    ) -> Result<TableDefinition, Failure> {
        let mut url =
            self.url(&["v1", "servers", &server.0, "schemas", &table.schema, "tables", &table.table])?;
        url = match point {
            None => url,
            Some(AsOf::Time(at)) => with_query(url, "at", &at.to_string()),
            Some(AsOf::Gtid(gtid)) => with_query(url, "gtid", &gtid),
        };
        let response = transport::send(self, Request::new(Method::GET, url), caller, request).await?;
        let answer: TableAnswer = transport::small(&self.base_url, response).await?;
        if !is_same_schema(&answer.schema, &table.schema) || answer.server_id != *server {
            return Err(Failure::AgentNonsense(format!(
                "the agent was asked for {table} and answered for {}",
                answer.table
            )));
        }
        Ok(answer.definition)
    }
}

/// Whether an answer is of the schema that was asked for: a server with `lower_case_table_names`
/// has names in lower case, whatever the case in which clients write them.
fn is_same_schema(answered: &str, asked: &str) -> bool {
    answered == asked || answered.to_lowercase() == asked.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::is_same_schema;

    #[test]
    fn the_case_of_a_schema_is_the_server_s() {
        for asked in ["shop", "Shop", "SHOP"] {
            assert!(is_same_schema("shop", asked), "{asked}");
        }
        assert!(is_same_schema("äpfel", "Äpfel"));
        assert!(!is_same_schema("shop", "shops"));
    }
}
