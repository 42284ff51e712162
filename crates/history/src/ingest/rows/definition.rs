//! Under which definition, and in which generation, the rows of an event are.

use super::super::Ingest;
use crate::log::{MappedTable, RowsEvent};
use crate::names::{TableState, UnreadableReason};
use crate::record::TableGeneration;
use crate::schema::{DefinitionId, TableMapError};
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::names::TableName;
use std::sync::Arc;

/// Of a table whose CREATE TABLE names no engine, and that is none with transactions.
pub(super) const NO_ENGINE: &str = "its engine is the one of the session that created it (default_storage_engine), which is not in the log: rows come as they do to an engine \
     without transactions, and one of them, BLACKHOLE, keeps none (name the ENGINE in CREATE TABLE)";

impl Ingest {
    /// Incarnation and definition of the table of a row; `None`: it cannot be read (and that is now
    /// noted).
    pub(super) fn readable(
        &mut self,
        event: &RowsEvent,
        at: ChangeSequence,
    ) -> Option<(GenerationId, DefinitionId)> {
        let table = &event.table;
        let name = &table.name;
        let mut table_state = self.names.current(name);
        if !matches!(table_state, TableState::Table(..)) || !self.catalog.renames().is_empty() {
            self.spoken_of(name, at);
            table_state = self.names.current(name);
        }
        if matches!(table_state, TableState::Unreadable(_)) {
            return None;
        }
        if !self.captures(name) {
            self.names_mut().set(name, at, TableState::Unreadable(UnreadableReason::NotCaptured));
            return None;
        }
        let definition = match self.definition_of(table) {
            Ok(definition) => self.leaving_out(event, definition),
            Err(reason) => {
                let known = self
                    .unknown_since
                    .get(name)
                    .filter(|_| matches!(table_state, TableState::Unknown { .. }));
                let reason = known.cloned().unwrap_or_else(|| reason.to_string());
                self.names_mut().set(name, at, TableState::unreadable(reason));
                return None;
            }
        };
        match table_state {
            TableState::Table(generation, same) if same == definition => Some((generation, definition)),
            TableState::Table(generation, other) => {
                let generation = self.continued(name, (generation, other), definition, at);
                self.names_mut().set(name, at, TableState::Table(generation, definition));
                Some((generation, definition))
            }
            TableState::Unknown { empty } => {
                let started = self.names.history(name).last().map_or(ChangeSequence(0), |(from, _)| *from);
                let generation = self.new_generation(name, TableGeneration::new(definition, started, empty));
                self.names_mut().infer(name, generation, definition);
                Some((generation, definition))
            }
            TableState::Absent => {
                let reason =
                    format!("the log has a row of {name}, which by its own statements does not exist there");
                self.names_mut().set(name, at, TableState::unreadable(reason));
                None
            }
            TableState::Unreadable(_) => None,
        }
    }

    /// A row of a generation is kept.
    pub(crate) fn is_used(&mut self, generation: GenerationId) {
        let first =
            self.generations.get(generation.0 as usize).is_some_and(|s| s.known_from.is_some() && !s.used);
        if first && let Some(generation) = self.generation_mut(generation) {
            generation.used = true;
        }
    }

    /// Whether rows come to a table as they do to one of an engine without transactions, and which
    /// engine it is nothing says.
    pub(super) fn may_keep_no_rows(&self, generation: GenerationId, id: DefinitionId) -> bool {
        self.without_transactions
            && !self.catalog.names_engine(id)
            && self.generations.get(generation.0 as usize).is_some_and(|known| known.complete)
    }

    /// The definition, with the columns as generated ones that rows of MariaDB leave out, where it
    /// was learned from a table map: that does not tell which columns are generated.
    fn leaving_out(&mut self, event: &RowsEvent, id: DefinitionId) -> DefinitionId {
        let table = &event.table;
        let missing = if table.server.mariadb { event.left_out() } else { Vec::new() };
        let known = self.catalog.generated(id);
        let in_key = |i: &usize| table.primary_key.as_ref().is_some_and(|key| key.contains(i));
        if missing.iter().all(|i| known.contains(i)) || missing.iter().any(in_key) {
            return id;
        }
        let Some(id) = Arc::make_mut(&mut self.catalog).leave_out(&table.name, &missing) else { return id };
        self.dirty.catalog = true;
        self.reconciled.insert(table.name.clone(), (Arc::clone(table), id));
        id
    }

    fn definition_of(&mut self, table: &Arc<MappedTable>) -> Result<DefinitionId, TableMapError> {
        if let Some((seen, definition)) = self.reconciled.get(&table.name)
            && (Arc::ptr_eq(seen, table) || seen == table)
        {
            return Ok(*definition);
        }
        self.dirty.catalog = true;
        let definition = Arc::make_mut(&mut self.catalog).reconcile_table_map(table)?;
        self.reconciled.insert(table.name.clone(), (Arc::clone(table), definition));
        Ok(definition)
    }

    /// The generation under a new definition: the same one as long as the key is the same.
    pub(in crate::ingest) fn continued(
        &mut self,
        name: &TableName,
        (generation, old): (GenerationId, DefinitionId),
        new: DefinitionId,
        at: ChangeSequence,
    ) -> GenerationId {
        if self.catalog.same_key(old, new) {
            return generation;
        }
        // What is known of rows stays with their old keys: they are read again under the new ones.
        let baseline = self.first_baseline(new);
        let next = TableGeneration::new(new, at, false);
        self.new_generation(name, TableGeneration { before: Some(generation), baseline, ..next })
    }
}
