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
use std::collections::HashSet;
use std::sync::Arc;

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
        let mut waiting: Vec<(NetTable, Vec<NetChange>)> = self
            .tables
            .split_off(named)
            .into_iter()
            .map(|mut table| {
                let changes = std::mem::take(&mut table.changes);
                (table, changes)
            })
            .collect();
        loop {
            let mut found = false;
            for i in 0..waiting.len() {
                let Some((kept, _)) = waiting.get(i) else { continue };
                let tables = self.tables.iter().chain(waiting.iter().map(|(kept, _)| kept));
                let parents = Parents::of(kept, &tables.collect::<Vec<_>>());
                let Some((kept, left)) = waiting.get_mut(i) else { continue };
                let (mut more, rest) =
                    std::mem::take(left).into_iter().partition(|change| parents.had(kept, change));
                *left = rest;
                found |= !more.is_empty();
                kept.changes.append(&mut more);
            }
            if !found {
                break;
            }
        }
        self.tables.extend(waiting.into_iter().map(|(kept, _)| kept).filter(|t| !t.changes.is_empty()));
    }
}

/// What rows of other tables that changed had in the columns to which one table refers.
struct Parents {
    /// For each foreign key of the table: its columns, and the values of the rows.
    keys: Vec<(Vec<String>, HashSet<Vec<String>>)>,
    /// Some value is text outside of ASCII, of which only the collation says what equals it.
    uncertain: bool,
}

impl Parents {
    fn of(child: &NetTable, tables: &[&NetTable]) -> Self {
        let mut all = Self { keys: Vec::new(), uncertain: false };
        for reference in child.header.references.iter().flatten().filter(|r| r.child == child.name) {
            let of = tables.iter().filter(|t| t.name == reference.parent && t.name != child.name);
            let rows = of.flat_map(|t| t.changes.iter().map(move |change| (t, change)));
            let rows =
                rows.flat_map(|(t, c)| [&c.before, &c.end].into_iter().flatten().map(move |row| (t, row)));
            let had: HashSet<Vec<String>> =
                rows.filter_map(|(t, row)| values(&t.header, row, &reference.referenced)).collect();
            all.uncertain |= had.iter().flatten().any(|value| !value.is_ascii());
            all.keys.push((reference.columns.clone(), had));
        }
        all
    }

    /// Whether a row of the table, as it was before, referred to one of them. It may have where that
    /// is not certain: a statement that brings back a row asks for its parent by itself.
    fn had(&self, child: &NetTable, change: &NetChange) -> bool {
        let Some(row) = &change.before else { return true };
        self.keys.iter().any(|(columns, had)| {
            values(&child.header, row, columns).is_some_and(|wanted| {
                let certain = !self.uncertain && wanted.iter().all(|value| value.is_ascii());
                had.contains(&wanted) || (!certain && !had.is_empty())
            })
        })
    }
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
    /// that may be read. `most`: bytes of all answers together, at most.
    ///
    /// # Errors
    /// Those of [`Self::net_changes`], of the tables that were asked for: of a table below, the
    /// reason is kept.
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
            let (header, changes) = self.net_changes(caller, one, &mut room, request).await?;
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
            match self.net_changes(caller, &one, &mut room, request).await {
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

    /// The rows that a window or a transaction changed. The whole answer is held: statements are put
    /// in order, so that all of them are there at once.
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
        let mut changes = Vec::new();
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `name (id, up)`, whose `up` refers to `id` of `parent`; of each row `[id, up]` before, and
    /// none at the end.
    fn table(name: &str, parent: &str, rows: &[[&str; 2]]) -> NetTable {
        let column = |name: &str| json!({"name": name, "type": "varchar(9)", "nullable": true});
        let named = |table: &str| json!({"schema": "s", "table": table});
        let header = json!({
            "success": true,
            "columns": [column("id"), column("up")],
            "primary_key": ["id"],
            "newest": "2026-01-01T00:00:00Z",
            "references": [{
                "child": named(name),
                "columns": ["up"],
                "parent": named(parent),
                "referenced": ["id"],
                "changes_rows": true,
            }],
        });
        let change = |row: &[&str; 2]| json!({"key": [row[0]], "before": row, "end": null});
        NetTable {
            name: TableName { schema: "s".to_owned(), table: name.to_owned() },
            header: serde_json::from_value(header).unwrap(),
            changes: rows.iter().map(|row| serde_json::from_value(change(row)).unwrap()).collect(),
        }
    }

    /// The keys that are kept of `c` and of `g` below it, under the rows of `p`.
    fn kept(p: &[[&str; 2]], c: &[[&str; 2]], g: &[[&str; 2]]) -> Vec<(String, Vec<String>)> {
        let tables = vec![table("p", "none", p), table("g", "c", g), table("c", "p", c)];
        let mut all = NetTables { tables, incomplete: Vec::new() };
        all.keep_below(1);
        let key = |change: &NetChange| String::from_utf8(change.key[0].0.clone()).unwrap();
        let below = all.tables.iter().skip(1);
        below.map(|t| (t.name.table.clone(), t.changes.iter().map(key).collect())).collect()
    }

    #[test]
    fn ok_rows_below_are_those_of_the_rows_above() {
        let found = kept(&[["1", "x"]], &[["10", "1"], ["11", "2"]], &[["20", "10"], ["21", "11"]]);
        assert_eq!(found, [("g".to_owned(), vec!["20".to_owned()]), ("c".to_owned(), vec!["10".to_owned()])]);
        assert_eq!(kept(&[["1", "x"]], &[["10", "2"]], &[["20", "10"]]), []);
    }

    #[test]
    fn ok_what_a_collation_decides_is_kept() {
        let both = [("c".to_owned(), vec!["10".to_owned(), "11".to_owned()])];
        assert_eq!(kept(&[["é", "x"]], &[["10", "e"], ["11", "f"]], &[]), both);
        assert_eq!(kept(&[["E", "x"]], &[["10", "é"], ["11", "e"]], &[]), both);
    }

    /// A hundred thousand rows below as many: each is looked up, not compared with all.
    #[test]
    fn ok_many_rows_are_looked_up() {
        let ids: Vec<String> = (0..100_000).map(|i| i.to_string()).collect();
        let above: Vec<[&str; 2]> = ids.iter().map(|id| [id.as_str(), "x"]).collect();
        let below: Vec<[&str; 2]> = ids.iter().map(|id| [id.as_str(), id.as_str()]).collect();
        assert_eq!(kept(&above, &below, &[])[0].1.len(), ids.len());
    }
}
