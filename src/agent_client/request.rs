//! What requests are made of.

use super::errors;
use crate::failure::Failure;
use crate::plan::When;
use crate::plan::guard::Admitted;
use crate::statement::VirtualSchema;
use dbtrail_types::agent_api::{DiffRequest, KeyChoice, RowsRequest};
use dbtrail_types::timestamp::AsOf;

/// How long an answer may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Rows at an instant.
    Small,
    /// The changes of a window may be a million. What is good for a look-up is bad for them: the
    /// connection for look-ups is read only when nobody else is ready to run, the reader of its own
    /// answer among them.
    Large,
}

impl Size {
    /// Of the answer to a question for rows or changes.
    pub(super) fn of(admitted: &Admitted) -> Self {
        let of_changes = admitted.resolved().draft.virtual_schema == VirtualSchema::Diff;
        let scanned = matches!(admitted.keys().choice, KeyChoice::Scan(_));
        if of_changes || scanned { Self::Large } else { Self::Small }
    }
}

/// The request for the rows or the changes of a query.
pub(super) fn body(admitted: &Admitted) -> Result<Vec<u8>, Failure> {
    let resolved = admitted.resolved();
    let (server_id, keys) = (resolved.server_id.clone(), admitted.keys().clone());
    let (schema, table) = (resolved.table.schema.clone(), resolved.table.table.clone());
    let (filter, limit) = (admitted.filter().cloned(), admitted.most());
    let connection_names = admitted.connection_names();
    let of_changes = resolved.draft.virtual_schema == VirtualSchema::Diff;
    let (since, until, transaction) = match &resolved.when {
        When::Between(since, until) => (Some(*since), Some(*until), None),
        When::At(AsOf::Gtid(gtid)) if of_changes => (None, None, Some(gtid.clone())),
        When::At(at) => {
            let at = at.clone();
            let asked = RowsRequest { server_id, schema, table, keys, at, filter, limit };
            return serde_json::to_vec(&asked).map_err(|e| not_written(&e));
        }
    };
    let asked = DiffRequest {
        server_id,
        schema,
        table,
        keys,
        since,
        until,
        transaction,
        filter,
        limit,
        connection_names,
    };
    serde_json::to_vec(&asked).map_err(|e| not_written(&e))
}

pub(super) fn not_written(error: &serde_json::Error) -> Failure {
    Failure::Internal(format!("a request cannot be written: {error}"))
}

pub(super) fn with_query(mut url: reqwest::Url, name: &str, value: &str) -> reqwest::Url {
    url.query_pairs_mut().append_pair(name, value);
    url
}

pub(super) fn not_a_header(line: &[u8], error: &dyn std::fmt::Display) -> Failure {
    let sentence = errors::refusal(line);
    Failure::AgentNonsense(
        sentence.unwrap_or_else(|| format!("the agent's answer is not understood: {error}")),
    )
}
