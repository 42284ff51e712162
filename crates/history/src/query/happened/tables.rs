//! `_history.tables`: what can be asked for, and how many versions of rows are kept of it.

use super::super::lines::{Cells, stamp};
use super::super::refusal::Refusal;
use super::super::visible::Visible;
use crate::changes::Walk;
use crate::engine::StoreError;
use crate::names::TableState;
use crate::record::History;
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::names::TableName;
use std::collections::{BTreeMap, VecDeque};

/// Versions of rows by the table that they are of, as far as they have been counted.
#[derive(Debug)]
pub(super) struct Versions {
    /// What is left to count; `None`: nothing.
    walk: Option<Walk>,
    /// From which change on a generation had a name.
    names: BTreeMap<GenerationId, Vec<(ChangeSequence, TableName)>>,
    counted: BTreeMap<TableName, u64>,
}

impl Versions {
    /// None counted yet.
    pub(super) fn new(history: &History) -> Result<Self, StoreError> {
        let mut names: BTreeMap<GenerationId, Vec<(ChangeSequence, TableName)>> = BTreeMap::new();
        for (name, states) in history.names.iter() {
            for (at, state) in states {
                if let TableState::Table(id, _) = state {
                    names.entry(*id).or_default().push((*at, name.clone()));
                }
            }
        }
        for named in names.values_mut() {
            named.sort();
        }
        let walk = Some(Walk::new(&*history.snapshot, ChangeSequence(0), history.end)?);
        Ok(Self { walk, names, counted: BTreeMap::new() })
    }

    /// Counts some more; false: all are counted.
    pub(super) fn count(&mut self, history: &History) -> Result<bool, StoreError> {
        let Some(walk) = &mut self.walk else { return Ok(false) };
        let (names, counted) = (&self.names, &mut self.counted);
        let more = walk.visit(&*history.snapshot, &mut |change| {
            let named = names.get(&change.generation).filter(|_| change.key.is_some());
            if let Some(named) = named {
                let following = named.partition_point(|(from, _)| *from <= change.sequence);
                if let Some((_, name)) = following.checked_sub(1).and_then(|at| named.get(at)) {
                    match counted.get_mut(name) {
                        Some(count) => *count += 1,
                        None => drop(counted.insert(name.clone(), 1)),
                    }
                }
            }
            Ok(true)
        })?;
        if !more {
            self.walk = None;
        }
        Ok(more)
    }

    fn of(&self, schema: &str, table: &str) -> u64 {
        let name = TableName { schema: schema.to_owned(), table: table.to_owned() };
        self.counted.get(&name).copied().unwrap_or_default()
    }
}

impl History {
    /// The tables that the asker may see, each with the changes of its rows that are kept.
    pub(super) fn known_tables(
        &self,
        visible: &Visible,
        versions: &Versions,
        ready: &mut VecDeque<Cells>,
    ) -> Result<(), Refusal> {
        for schema in self.schemas().schemas.into_iter().filter(|schema| visible.sees(schema)) {
            let tables = self.tables(&schema)?;
            let refused = |name: &str| tables.refused.iter().find(|t| t.table == name);
            for table in &tables.tables {
                let why = refused(&table.table);
                let dropped = table.dropped.then(|| "it was dropped or renamed".to_owned());
                ready.push_back(vec![
                    Some(schema.clone()),
                    Some(table.table.clone()),
                    Some(if why.is_some() || table.dropped { "NO" } else { "YES" }.to_owned()),
                    Some(stamp(table.oldest)),
                    Some(stamp(table.newest)),
                    Some(versions.of(&schema, &table.table).to_string()),
                    why.map(|t| t.reason.clone()).or(dropped),
                ]);
            }
            for table in &tables.refused {
                if !tables.tables.iter().any(|t| t.table == table.table) {
                    let (name, reason) = (table.table.clone(), table.reason.clone());
                    let no = Some("NO".to_owned());
                    let kept = Some(versions.of(&schema, &table.table).to_string());
                    ready.push_back(vec![
                        Some(schema.clone()),
                        Some(name),
                        no,
                        None,
                        None,
                        kept,
                        Some(reason),
                    ]);
                }
            }
        }
        Ok(())
    }
}
