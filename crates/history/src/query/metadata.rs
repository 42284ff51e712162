//! Which schemas and tables the history knows, and what columns a table had.

use super::keys::{no_key, unfindable};
use super::{History, Refusal};
use crate::commit_index::ReadPoint;
use crate::names::{TableState, UnreadableReason};
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::{RefusedTable, Schemas, TableAnswer, TableEntry, Tables, code};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whether rows of a table can be asked for at the end of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableHealth {
    /// They can.
    Readable,
    /// Its include and exclude patterns leave it out.
    NotCaptured,
    /// There is no key to find them by.
    NoPrimaryKey,
    /// Its definition is not known, or its engine or a statement cannot be followed.
    Unreadable,
    /// A change of it was not in the log: what is known may not be true.
    InDoubt,
}

impl TableHealth {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Readable, Self::NotCaptured, Self::NoPrimaryKey, Self::Unreadable, Self::InDoubt];

    /// As it is written in statuses and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::NotCaptured => "not_captured",
            Self::NoPrimaryKey => "no_primary_key",
            Self::Unreadable => "unreadable",
            Self::InDoubt => "in_doubt",
        }
    }

    /// Whether somebody should look: it is captured, and cannot be asked for.
    #[must_use]
    pub const fn is_ill(self) -> bool {
        matches!(self, Self::Unreadable | Self::InDoubt)
    }
}

impl History {
    /// Schemas with a table that can be read at some time, or that is there and refused.
    #[must_use]
    pub fn schemas(&self) -> Schemas {
        let shown = |s: &[(ChangeSequence, TableState)]| readable(s) || self.refusal(s).is_some();
        let schemas: BTreeSet<&String> =
            self.names.iter().filter(|(_, s)| shown(s)).map(|(n, _)| &n.schema).collect();
        Schemas { success: true, schemas: schemas.into_iter().cloned().collect() }
    }

    /// Tables of a schema that can be read at some time, and those that are there and refused.
    ///
    /// # Errors
    /// The record knows no table of it.
    pub fn tables(&self, schema: &str) -> Result<Tables, Refusal> {
        let folded = self.catalog.folded(TableName { schema: schema.to_owned(), table: String::new() });
        let schema = folded.schema.as_str();
        let of_schema = self.names.iter().filter(|(n, s)| n.schema == schema && readable(s));
        let tables =
            of_schema.map(|(n, s)| self.entry(n, s)).collect::<Result<Vec<TableEntry>, Refusal>>()?;
        let refused = self.refused(Some(schema));
        if tables.is_empty() && refused.is_empty() {
            let message = format!("the record knows no table of schema {schema}");
            return Err(Refusal::new(404, code::UNKNOWN_TABLE, message));
        }
        let refused = refused.into_iter().map(|(_, table)| table).collect();
        Ok(Tables { success: true, tables, refused })
    }

    /// Tables (of this schema, or all) of which no row can be asked for at the end of the record.
    /// This is the one list of them: statuses, SHOW TABLES and the doctor show it.
    #[must_use]
    pub fn refused(&self, schema: Option<&str>) -> Vec<(TableName, RefusedTable)> {
        let of_schema = self.names.iter().filter(|(n, _)| schema.is_none_or(|s| n.schema == s));
        of_schema
            .filter_map(|(name, table_states)| {
                let (since, reason) = self.refusal(table_states)?;
                let table = name.table.clone();
                Some((name.clone(), RefusedTable { table, since, reason }))
            })
            .collect()
    }

    /// From when on and why a table with these states is refused at the end of the record.
    fn refusal(&self, table_states: &[(ChangeSequence, TableState)]) -> Option<(Option<Timestamp>, String)> {
        let (from, last) = table_states.last()?;
        let reason = match last {
            TableState::Unreadable(reason) => reason.to_string(),
            TableState::Table(generation, definition) => {
                let known = self.generation(*generation)?;
                let doubt = known.doubt.as_ref().map(|(_, why)| why.clone());
                let not_found =
                    || known.unfindable.as_ref().map(|why| format!("its rows cannot be found: {why}"));
                let unfindable = unfindable(self.catalog.definition(*definition)?);
                unfindable.or(doubt).or_else(not_found)?
            }
            TableState::Absent | TableState::Unknown { .. } => return None,
        };
        Some((self.commit_index().committed(*from).ok().flatten(), reason))
    }

    fn entry(
        &self,
        name: &TableName,
        table_states: &[(ChangeSequence, TableState)],
    ) -> Result<TableEntry, Refusal> {
        let is_table = |s: &TableState| matches!(s, TableState::Table(..));
        let first = table_states.iter().find(|(_, s)| is_table(s)).map(|(from, _)| *from);
        let when = |sequence: Option<ChangeSequence>| match sequence {
            Some(sequence) => self.commit_index().committed(sequence),
            None => Ok(None),
        };
        let oldest = when(first)?.map_or(self.coverage.oldest, |at| at.max(self.coverage.oldest));
        let ends = table_states.iter().rposition(|(_, s)| is_table(s)).and_then(|i| table_states.get(i + 1));
        let newest = when(ends.map(|(from, _)| *from))?
            .map_or(self.coverage.newest, |at| Timestamp::from_micros(at.micros() - 1));
        let dropped = matches!(table_states.last(), Some((_, TableState::Absent)));
        Ok(TableEntry { table: name.table.clone(), oldest, newest: newest.max(oldest), dropped })
    }

    /// The columns and the key of a table at a point; without one, at the end of the record.
    ///
    /// # Errors
    /// The point is not in the record, or there is no such table, or it cannot be read.
    pub fn table(&self, name: &TableName, at: Option<&AsOf>) -> Result<TableAnswer, Refusal> {
        let name = &self.catalog.folded(name.clone());
        let cut = match at {
            Some(point) => self.cut(point)?,
            None => ReadPoint { at: ChangeSequence::END, doubtful: ChangeSequence::END },
        };
        let definition: &TableDefinition = self.table_at(name, cut)?.definition;
        Ok(TableAnswer {
            success: true,
            server_id: self.server_id.clone(),
            schema: name.schema.clone(),
            table: name.table.clone(),
            definition: definition.clone(),
        })
    }

    /// The tables that exist at the end of the record, and whether rows can be asked for there.
    #[must_use]
    pub fn table_health(&self) -> Vec<(TableName, TableHealth)> {
        let each = self.names.iter().filter_map(|(name, states)| {
            let health = match &states.last()?.1 {
                TableState::Absent => return None,
                TableState::Unreadable(UnreadableReason::NotCaptured) => TableHealth::NotCaptured,
                TableState::Unknown { .. } | TableState::Unreadable(_) => TableHealth::Unreadable,
                TableState::Table(generation, definition) => {
                    let definition = self.catalog.definition(*definition);
                    let keyless = definition.is_some_and(|d| no_key(d).is_some());
                    let unfindable = definition.is_some_and(|d| unfindable(d).is_some());
                    let known = self.generation(*generation);
                    match known.map(|g| (&g.doubt, &g.unfindable)) {
                        _ if keyless => TableHealth::NoPrimaryKey,
                        Some((Some(_), _)) => TableHealth::InDoubt,
                        Some((None, _)) if unfindable => TableHealth::Unreadable,
                        Some((None, Some(_))) | None => TableHealth::Unreadable,
                        Some((None, None)) => TableHealth::Readable,
                    }
                }
            };
            Some((name.clone(), health))
        });
        each.collect()
    }

    /// How many tables can be read at some time.
    #[must_use]
    pub fn table_count(&self) -> usize {
        self.names.iter().filter(|(_, s)| readable(s)).count()
    }

    /// Tables that cannot be read from some instant on, with the reason.
    #[must_use]
    pub fn unreadable(&self) -> Vec<(TableName, Option<Timestamp>, String)> {
        let mut found = Vec::new();
        for (name, table_states) in self.names.iter() {
            for (from, table_state) in table_states {
                if let TableState::Unreadable(reason) = table_state {
                    let since = self.commit_index().committed(*from).ok().flatten();
                    found.push((name.clone(), since, reason.to_string()));
                }
            }
        }
        found
    }
}

fn readable(table_states: &[(ChangeSequence, TableState)]) -> bool {
    table_states.iter().any(|(_, s)| matches!(s, TableState::Table(..)))
}
