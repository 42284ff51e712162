//! What a window did to the rows of a table, all in all: asked, and read to its end.

mod below;
mod hidden;
pub(super) mod later;
mod operator;

use super::request::Size;
use super::{AgentClient, AgentRows, Caller, Expectation, errors, nonsense, not_a_header, not_written};
use crate::failure::Failure;
use dbtrail_types::agent_api::{LostColumn, NetChange, NetHeader, NetLine, NetRequest, RowsRequest, Trailer};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::{RequestId, ServerId, TableName};
use dbtrail_types::timestamp::AsOf;

use hidden::hide;

/// What changed in one table.
#[derive(Clone, Debug)]
pub struct NetTable {
    /// The table.
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

/// Bytes of answers that may still come.
struct Room {
    most: usize,
    left: usize,
}

impl Room {
    fn take(&mut self, bytes: usize, asked: &NetRequest) -> Result<(), Failure> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Failure::Unsupported(format!(
                "the rows that changed in {}.{}, and in what was asked with it, are more than {} MiB: ask for a shorter window, or for some keys at a time",
                asked.schema,
                asked.table,
                self.most >> 20
            ))
        })?;
        Ok(())
    }
}

/// Which values of a column no statement about rows brings back.
fn not_back(table: &TableName, lost: &LostColumn) -> String {
    let LostColumn { column, statement, dropped } = lost;
    let what = if *dropped {
        format!("was dropped by {statement}, and its values do not come back")
    } else {
        format!("was changed by {statement}, and values that this cut, rounded or replaced do not come back")
    };
    format!("column {column} of {table} {what}: _flashback and _snapshot have them as of before that")
}

impl AgentClient {
    /// The rows that a window or a transaction changed in several tables, and in those below them
    /// by foreign keys where the log does not hold it. `asked`: all of one span. `allowed`: schemas
    /// that may be read. `most`: bytes of all answers together, at most.
    ///
    /// # Errors
    /// Every agent failure for a table that was asked for, and [`Failure::Unsupported`] beyond
    /// `most`; of a table below, the reason is kept.
    pub async fn net_tables(
        &self,
        caller: &Caller,
        asked: &[NetRequest],
        allowed: Option<&[String]>,
        most: usize,
        request: &RequestId,
    ) -> Result<NetTables, Failure> {
        let mut all = NetTables::default();
        let mut room = Room { most, left: most };
        let mut below = Vec::new();
        for one in asked {
            let (mut header, changes) = self.net_changes(caller, one, &mut room, request).await?;
            hide(&mut header, allowed);
            let name = TableName { schema: one.schema.clone(), table: one.table.clone() };
            all.incomplete.extend(header.lost.iter().map(|lost| not_back(&name, lost)));
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
            match self.net_changes(caller, &one, &mut room, request).await {
                Ok((_, changes)) if changes.is_empty() => {}
                Ok((mut header, changes)) => {
                    hide(&mut header, allowed);
                    all.tables.push(NetTable { name: child, header, changes });
                }
                Err(Failure::AgentRejected { body, .. }) => all.incomplete.push(format!(
                    "rows of {child} may have changed with those of {}.{}, by a foreign key, and cannot be given: {body}",
                    parent.schema, parent.table
                )),
                Err(failure) => return Err(failure),
            }
        }
        if asked.iter().any(|one| one.keys.is_some()) {
            // Long where rows are many: not in the thread of the connections.
            let kept = tokio::task::spawn_blocking(move || {
                all.keep_below(named);
                all
            });
            all =
                kept.await.map_err(|e| Failure::Internal(format!("rows below were not sorted out: {e}")))?;
        }
        Ok(all)
    }

    /// The rows that a window or a transaction changed. The whole answer is held: statements are
    /// put in order, so that all of them are there at once.
    ///
    /// # Errors
    /// Every agent failure; [`Failure::Unsupported`] for an answer for which there is no room.
    async fn net_changes(
        &self,
        caller: &Caller,
        asked: &NetRequest,
        room: &mut Room,
        request: &RequestId,
    ) -> Result<(NetHeader, Vec<NetChange>), Failure> {
        let body = serde_json::to_vec(asked).map_err(|e| not_written(&e))?;
        let endpoint = &self.endpoints.net;
        let size = Size::Large;
        let (mut lines, first) = self.ask(size, endpoint, body, caller, request).await?;
        let header: NetHeader = serde_json::from_slice(&first).map_err(|e| not_a_header(&first, &e))?;
        if !header.success {
            return Err(not_a_header(&first, &"it says success: false"));
        }
        let mut changes = Vec::new();
        loop {
            while let Some(line) = lines.line()? {
                if line.starts_with(b"{\"end\"") {
                    let end: Trailer = read(line)?;
                    if end.end.rows != changes.len() as u64 {
                        let (reported, sent) = (end.end.rows, changes.len());
                        let why = format!("the agent announced {reported} changed rows and sent {sent}");
                        return Err(Failure::AgentNonsense(why));
                    }
                    if lines.leftover().await? {
                        let why = "the agent's answer goes on after its end".to_owned();
                        return Err(Failure::AgentNonsense(why));
                    }
                    return Ok((header, changes));
                }
                room.take(line.len(), asked)?;
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
        let body = serde_json::to_vec(asked).map_err(|e| not_written(&e))?;
        let endpoint = &self.endpoints.snapshot;
        let size = Size::Large;
        let (lines, first) = self.ask(size, endpoint, body, caller, request).await?;
        let (header, definition) = self.texts.header(&first).map_err(|e| not_a_header(&first, &e))?;
        if !header.success || header.at.as_ref().is_some_and(|at| *at != asked.at) {
            return Err(not_a_header(&first, &"it is no answer to what was asked"));
        }
        Ok(AgentRows::new(lines, definition, Expectation::Rows { most: u64::MAX }))
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
