//! What a window did to the rows of a table, all in all: asked, and read to its end.

use super::lines::Lines;
use super::{AgentClient, AgentRows, Caller, Expectation, errors, nonsense, not_a_header, transport};
use crate::failure::Failure;
use dbtrail_types::agent_api::{
    NetChange, NetHeader, NetLine, NetRequest, Octets, RowCell, RowLine, RowsRequest, Trailer,
};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::instant::AsOf;
use dbtrail_types::names::{RequestId, ServerId, TableName};
use std::sync::Arc;

/// Bytes of an answer at most: statements are put in order, so that all of them are there at once.
const MOST: usize = 256 << 20;

/// What changed in one table.
#[derive(Clone, Debug)]
pub struct NetTable {
    /// Which table.
    pub name: TableName,
    /// What the agent says of it.
    pub header: NetHeader,
    /// Its rows that changed.
    pub changes: Vec<NetChange>,
}

/// What changed in tables, and in those below them.
#[derive(Clone, Debug, Default)]
pub struct NetTables {
    /// Those that were asked for, and those below of which foreign keys changed rows.
    pub tables: Vec<NetTable>,
    /// Why there may be more.
    pub incomplete: Vec<String>,
}

impl NetTables {
    /// Of the tables behind the first so many, keeps the rows that referred to a row of another one
    /// that is kept.
    fn keep_below(&mut self, named: usize) {
        let below = self.tables.split_off(named);
        let mut waiting: Vec<(NetTable, NetTable)> = below
            .into_iter()
            .map(|table| (NetTable { changes: Vec::new(), ..table.clone() }, table))
            .collect();
        loop {
            let mut found = false;
            for i in 0..waiting.len() {
                let Some((kept, left)) = waiting.get(i) else { continue };
                let tables = self.tables.iter().chain(waiting.iter().map(|(kept, _)| kept));
                let parents: Vec<&NetTable> = tables.filter(|t| t.name != kept.name).collect();
                let (more, rest): (Vec<NetChange>, Vec<NetChange>) =
                    left.changes.iter().cloned().partition(|change| refers(left, change, &parents));
                found |= !more.is_empty();
                if let Some((kept, left)) = waiting.get_mut(i) {
                    kept.changes.extend(more);
                    left.changes = rest;
                }
            }
            if !found {
                break;
            }
        }
        self.tables.extend(waiting.into_iter().map(|(kept, _)| kept).filter(|t| !t.changes.is_empty()));
    }
}

/// Whether a row, as it was before, referred to one of these that changed.
fn refers(table: &NetTable, change: &NetChange, parents: &[&NetTable]) -> bool {
    let Some(row) = &change.before else { return true };
    let references = table.header.references.iter().flatten().filter(|r| r.child == table.name);
    references.into_iter().any(|reference| {
        let wanted = values(&table.header, row, &reference.columns);
        let of = parents.iter().filter(|parent| parent.name == reference.parent);
        of.flat_map(|parent| parent.changes.iter().map(move |c| (parent, c))).any(|(parent, change)| {
            let rows = [&change.before, &change.end].into_iter().flatten();
            rows.into_iter().any(|row| {
                let values = values(&parent.header, row, &reference.referenced);
                values.is_some() && values == wanted
            })
        })
    })
}

/// The values of some columns, without regard to what collations do not regard; `None`: one is NULL
/// or not known.
fn values(header: &NetHeader, row: &RowLine, columns: &[String]) -> Option<Vec<String>> {
    let cell = |name: &String| match row.get(header.definition.position(name)?)? {
        RowCell::Value(Octets(bytes)) => Some(String::from_utf8_lossy(bytes).trim_end().to_lowercase()),
        RowCell::Null | RowCell::Unknown(_) => None,
    };
    columns.iter().map(cell).collect()
}

impl AgentClient {
    /// The rows that a window or a transaction changed in several tables, and in those below them
    /// by foreign keys where the log does not hold it. `asked`: all of one span. `allowed`: schemas
    /// that may be read.
    ///
    /// # Errors
    /// Those of [`Self::net_changes`], of the tables that were asked for: of a table below, the
    /// reason is kept.
    pub async fn net_tables(
        &self,
        caller: &Caller,
        asked: &[NetRequest],
        allowed: Option<&[String]>,
        request: &RequestId,
    ) -> Result<NetTables, Failure> {
        let mut all = NetTables::default();
        let mut below = Vec::new();
        for one in asked {
            let (header, changes) = self.net_changes(caller, one, request).await?;
            let name = TableName { schema: one.schema.clone(), table: one.table.clone() };
            if !changes.is_empty() {
                below.extend(header.below.iter().map(|child| (child.clone(), one)));
            }
            all.tables.push(NetTable { name, header, changes });
        }
        let named = all.tables.len();
        for (child, parent) in below {
            if all.tables.iter().any(|t| t.name == child) {
                continue;
            }
            if allowed.is_some_and(|allowed| !allowed.contains(&child.schema)) {
                all.incomplete.push(format!(
                    "a foreign key leads from {}.{} to a table of another schema, which may not be read here, and rows of it may have changed with it",
                    parent.schema, parent.table
                ));
                continue;
            }
            let one = NetRequest {
                schema: child.schema.clone(),
                table: child.table.clone(),
                keys: None,
                derived_only: true,
                ..parent.clone()
            };
            match self.net_changes(caller, &one, request).await {
                Ok((_, changes)) if changes.is_empty() => {}
                Ok((header, changes)) => all.tables.push(NetTable { name: child, header, changes }),
                Err(Failure::AgentRejected { body, .. }) => all.incomplete.push(format!(
                    "rows of {child} may have changed with those of {}.{}, by a foreign key, and cannot be told: {body}",
                    parent.schema, parent.table
                )),
                Err(failure) => return Err(failure),
            }
        }
        if asked.iter().any(|one| one.keys.is_some()) {
            all.keep_below(named);
        }
        Ok(all)
    }

    /// The rows that a window or a transaction changed. The whole answer is held.
    ///
    /// # Errors
    /// Every agent failure; [`Failure::Unsupported`] for an answer of more than 256 MiB.
    pub async fn net_changes(
        &self,
        caller: &Caller,
        asked: &NetRequest,
        request: &RequestId,
    ) -> Result<(NetHeader, Vec<NetChange>), Failure> {
        let body = serde_json::to_vec(asked);
        let body = body.map_err(|e| Failure::Internal(format!("a request cannot be written: {e}")))?;
        let endpoint = &self.endpoints.net;
        let size = transport::Size::Large;
        let response = transport::post(self, size, endpoint, body.into(), caller, request).await?;
        let framed = self.is_inside() || transport::is_framed(&response);
        let mut lines = Lines::new(&self.base_url, transport::streamed(response)?, framed);
        let first = lines.header().await?;
        let header: NetHeader = serde_json::from_slice(&first).map_err(|e| not_a_header(&first, &e))?;
        if !header.success {
            return Err(not_a_header(&first, &"it says success: false"));
        }
        let (mut changes, mut bytes) = (Vec::new(), 0_usize);
        loop {
            while let Some(line) = lines.ready() {
                if line.starts_with(b"{\"end\"") {
                    let end: Trailer = read(line)?;
                    if end.end.rows != changes.len() as u64 {
                        let (told, sent) = (end.end.rows, changes.len());
                        let why = format!("the agent announced {told} changed rows and sent {sent}");
                        return Err(Failure::AgentNonsense(why));
                    }
                    if lines.leftover().await? {
                        let why = "the agent's answer goes on behind its end".to_owned();
                        return Err(Failure::AgentNonsense(why));
                    }
                    return Ok((header, changes));
                }
                bytes = bytes.saturating_add(line.len());
                if bytes > MOST {
                    return Err(Failure::Unsupported(format!(
                        "the rows that changed in {}.{} are more than {} MiB: ask for a shorter window, or for some keys at a time",
                        asked.schema,
                        asked.table,
                        MOST >> 20
                    )));
                }
                let NetLine { net } = read(line)?;
                fits(&header, &net)?;
                changes.push(net);
            }
            if !lines.more().await? {
                return Err(lines.ended("its last line, which says that all rows were sent,"));
            }
        }
    }
}

impl AgentClient {
    /// The definition of a table at a point, asked of the agent now.
    ///
    /// # Errors
    /// Every agent failure.
    pub async fn definition_at(
        &self,
        caller: &Caller,
        server: &ServerId,
        table: &TableName,
        point: AsOf,
        request: &RequestId,
    ) -> Result<TableDefinition, Failure> {
        self.ask_definition(caller, server, table, Some(point), request).await
    }

    /// Rows at an instant, baseline included, for whoever looks after the agent: no statement of a
    /// client comes this way.
    ///
    /// # Errors
    /// Every agent failure before the first row.
    pub async fn snapshot(
        &self,
        caller: &Caller,
        asked: &RowsRequest,
        request: &RequestId,
    ) -> Result<AgentRows, Failure> {
        let body = serde_json::to_vec(asked);
        let body = body.map_err(|e| Failure::Internal(format!("a request cannot be written: {e}")))?;
        let endpoint = &self.endpoints.snapshot;
        let size = transport::Size::Large;
        let response = transport::post(self, size, endpoint, body.into(), caller, request).await?;
        let framed = self.is_inside() || transport::is_framed(&response);
        let mut lines = Lines::new(&self.base_url, transport::streamed(response)?, framed);
        let first = lines.header().await?;
        let (header, definition) = self.texts.header(&first).map_err(|e| not_a_header(&first, &e))?;
        if !header.success || header.at.as_ref().is_some_and(|at| *at != asked.at) {
            return Err(not_a_header(&first, &"it is no answer to what was asked"));
        }
        let announced = Arc::clone(&definition);
        let asked = Expectation::Rows { most: u64::MAX };
        Ok(AgentRows { announced, lines, definition, asked, count: 0, ended: false, origin: None })
    }
}

fn read<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, Failure> {
    let refused = |e| errors::refusal(line).map_or_else(|| nonsense(&e), Failure::AgentNonsense);
    serde_json::from_slice(line).map_err(refused)
}

/// Each row has a cell a column, and the key a value a key column.
fn fits(header: &NetHeader, change: &NetChange) -> Result<(), Failure> {
    let width = header.definition.columns.len();
    let rows = [&change.before, &change.end, &change.now];
    if rows.into_iter().flatten().any(|row| row.len() != width) {
        return Err(Failure::AgentNonsense(format!("the agent sent a row that has not {width} cells")));
    }
    if change.key.len() != header.definition.primary_key.len() {
        let why = "the agent sent a row whose key has not the table's key columns".to_owned();
        return Err(Failure::AgentNonsense(why));
    }
    Ok(())
}
