//! Rows of today that may be in the way of what is taken back.

use super::hidden::sees;
use super::{NetTable, Room};
use crate::agent_client::{AgentClient, Caller};
use crate::failure::Failure;
use dbtrail_types::agent_api::{ColumnValues, NetRequest};
use dbtrail_types::names::{RequestId, TableName};
use std::collections::BTreeMap;

/// Bytes of values in a request at most; beyond, all rows are asked for.
const MOST_VALUES: usize = 512 << 10;

/// Rows from the beginning of a span up to now.
#[derive(Clone, Debug, Default)]
pub struct LaterRows {
    /// Before the span, and at the end of the record.
    pub tables: Vec<NetTable>,
    /// Tables that could not be looked at, and why.
    pub unknown: Vec<String>,
}

impl AgentClient {
    /// The rows of tables from the beginning of what `like` asks for up to now: those that have
    /// some values in some columns. Tables that may not be read are left out, and of others that
    /// are not known the reason is kept: nothing hangs on them but how much is known. `most`: bytes
    /// of all of them together, at most.
    ///
    /// # Errors
    /// The agent cannot be reached.
    pub async fn later(
        &self,
        caller: &Caller,
        like: &NetRequest,
        wanted: BTreeMap<TableName, Vec<ColumnValues>>,
        allowed: Option<&[String]>,
        most: usize,
        request: &RequestId,
    ) -> Result<LaterRows, Failure> {
        let mut all = LaterRows::default();
        let mut room = Room { most, left: most };
        for (table, having) in wanted {
            if !sees(allowed, &table) {
                continue;
            }
            let bytes =
                |v: &ColumnValues| v.values.iter().flatten().map(|o| 3 * o.0.len() + 8).sum::<usize>();
            let few = having.iter().map(bytes).sum::<usize>() <= MOST_VALUES;
            let NetRequest { server_id, span, .. } = like.clone();
            let one = NetRequest {
                to_the_end: true,
                having: few.then_some(having),
                ..NetRequest::all(server_id, table.clone(), span)
            };
            match self.net_changes(caller, &one, &mut room, request).await {
                Ok((header, changes)) => all.tables.push(NetTable { name: table, header, changes }),
                Err(Failure::AgentRejected { body, .. }) => all.unknown.push(format!("{table}: {body}")),
                Err(Failure::Unsupported(why)) => all.unknown.push(why),
                Err(failure) => return Err(failure),
            }
        }
        Ok(all)
    }
}
