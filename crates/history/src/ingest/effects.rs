//! What statements of the log do to names and generations.

use super::Ingest;
use crate::changes::Change;
use crate::engine::StoreError;
use crate::names::{TableState, UnreadableReason};
use crate::record::TableGeneration;
use crate::schema::{DefinitionId, Effect, SilentChange};
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::names::TableName;

impl Ingest {
    pub(super) fn effect(&mut self, effect: Effect, at: ChangeSequence) -> Result<(), StoreError> {
        self.touch(&effect);
        self.before_effect(&effect, at);
        if let Effect::PartitionsEmptied(name, emptied) = &effect {
            return self.empty_partitions(name, emptied, at);
        }
        if let Effect::RowsMoved(moved) = &effect {
            return self.move_rows(moved, at);
        }
        let altered = if let Effect::Altered(name, _) = &effect { Some(name.clone()) } else { None };
        let numbered = self.numbers_keys(&effect)?;
        let rekeyed = self.rekeyed(&effect)?;
        let recorded = altered.as_ref().is_some_and(|name| self.is_recorded(name));
        self.carry_out(effect, at);
        if let Some(name) = altered {
            if let Some(rows) = rekeyed {
                self.keep_rekeyed(&name, rows, recorded)?;
            }
            if numbered {
                self.rows_unknown(&name, at, SilentChange::Numbered.reason());
            }
            self.want_references(&name);
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect, at: ChangeSequence) {
        match effect {
            Effect::Created(name, definition) => {
                let before = self.emptied(&name, at);
                let table_state = if self.captures(&name) {
                    let generation = self.new_generation(
                        &name,
                        TableGeneration { before, ..TableGeneration::new(definition, at, true) },
                    );
                    TableState::Table(generation, definition)
                } else {
                    TableState::Unreadable(UnreadableReason::NotCaptured)
                };
                self.names_mut().appear(&name, at, table_state);
            }
            Effect::Dropped(name) => {
                self.emptied(&name, at);
                self.names_mut().set(&name, at, TableState::Absent);
            }
            Effect::Truncated(name) => self.truncated(&name, at),
            Effect::Altered(name, definition) => self.altered(&name, definition, at),
            Effect::Renamed { from, to, .. } => self.renamed(&from, &to, at),
            Effect::RowsUnknown(name, reason) => {
                self.rows_unknown(&name, at, &reason.to_string());
                self.unknown_below(&name, at);
            }
            // Carried out elsewhere: it may fail.
            Effect::PartitionsEmptied(..) | Effect::RowsMoved(_) => {}
            Effect::Unreadable(name, reason) => {
                let reason = self.unknown_since.get(&name).cloned().unwrap_or_else(|| reason.to_string());
                self.names_mut().set(&name, at, TableState::unreadable(reason));
            }
            Effect::SchemaDropped(schema) => {
                let schemas = [schema];
                for name in self.names.living(&schemas) {
                    self.emptied(&name, at);
                }
                self.names_mut().sweep(&schemas, &[], at, &TableState::Absent);
            }
            Effect::UnreadableAll { schemas, spared, reason } => {
                self.names_mut().sweep(&schemas, &spared, at, &TableState::unreadable(reason.to_string()));
            }
        }
    }

    /// Notes which tables a statement spoke of.
    fn touch(&mut self, effect: &Effect) {
        let touched = &mut self.dirty.touched;
        match effect {
            Effect::Created(name, _)
            | Effect::Dropped(name)
            | Effect::Truncated(name)
            | Effect::Altered(name, _)
            | Effect::RowsUnknown(name, _)
            | Effect::PartitionsEmptied(name, _)
            | Effect::Unreadable(name, _) => {
                self.noting.touched(name);
                touched.insert(name.clone());
            }
            Effect::Renamed { from, to, .. } => {
                self.noting.touched(from);
                self.noting.touched(to);
                touched.extend([from.clone(), to.clone()]);
            }
            Effect::RowsMoved(moved) => {
                self.noting.touched(&moved.from);
                self.noting.touched(&moved.to);
                touched.extend([moved.from.clone(), moved.to.clone()]);
            }
            // A table of the schema that was looked at just before was there.
            Effect::SchemaDropped(schema) => {
                touched.extend(self.names.living(std::slice::from_ref(schema)));
            }
            Effect::UnreadableAll { .. } => {}
        }
        // The foreign keys of others name it and its columns, and follow what they are called.
        if let Effect::Altered(parent, _) | Effect::Renamed { to: parent, .. } = effect {
            let children = self.catalog.children_of(parent);
            self.dirty.touched.extend(children.filter(|child| *child != parent).cloned());
        }
    }

    pub(super) fn unfollowable(&mut self, tables: &[TableName], reason: &str, at: ChangeSequence) {
        let unreadable = TableState::unreadable(reason.to_owned());
        if tables.is_empty() {
            self.names_mut().sweep(&[], &[], at, &unreadable);
        }
        for name in tables {
            self.names_mut().set(name, at, unreadable.clone());
            self.unknown_below(name, at);
        }
    }

    fn truncated(&mut self, name: &TableName, at: ChangeSequence) {
        match self.names.current(name) {
            TableState::Table(_, definition) => {
                let before = self.emptied(name, at);
                let generation = self.new_generation(
                    name,
                    TableGeneration { before, ..TableGeneration::new(definition, at, true) },
                );
                self.names_mut().set(name, at, TableState::Table(generation, definition));
            }
            TableState::Unknown { .. } => self.names_mut().set(name, at, TableState::Unknown { empty: true }),
            TableState::Absent => self.impossible(name, "TRUNCATE", at),
            // Whatever rows it had: where its definition is known, all is known again.
            TableState::Unreadable(_) => {
                if let Some(definition) = self.catalog.current(name).filter(|_| self.captures(name)) {
                    let generation = self.new_generation(name, TableGeneration::new(definition, at, true));
                    self.names_mut().set(name, at, TableState::Table(generation, definition));
                }
            }
        }
    }

    fn altered(&mut self, name: &TableName, definition: DefinitionId, at: ChangeSequence) {
        match self.names.current(name) {
            TableState::Table(generation, old) => {
                let generation = self.continued(name, (generation, old), definition, at);
                self.names_mut().set(name, at, TableState::Table(generation, definition));
            }
            TableState::Unknown { empty } => {
                let generation = self.new_generation(name, TableGeneration::new(definition, at, empty));
                self.names_mut().set(name, at, TableState::Table(generation, definition));
            }
            TableState::Absent => self.impossible(name, "ALTER TABLE", at),
            TableState::Unreadable(_) => {}
        }
    }

    fn renamed(&mut self, from: &TableName, to: &TableName, at: ChangeSequence) {
        let table_state = self.names.current(from);
        if table_state == TableState::Absent {
            self.impossible(to, "RENAME", at);
            return;
        }
        self.names_mut().set(from, at, TableState::Absent);
        if matches!(self.names.current(to), TableState::Table(..)) {
            self.impossible(to, "RENAME", at);
        } else if self.captures(to) {
            self.names_mut().appear(to, at, table_state);
        } else {
            self.names_mut().appear(to, at, TableState::Unreadable(UnreadableReason::NotCaptured));
        }
    }

    fn impossible(&mut self, name: &TableName, statement: &str, at: ChangeSequence) {
        let reason =
            format!("the log has a {statement} of {name} that does not fit the statements before it");
        self.names_mut().set(name, at, TableState::unreadable(reason));
    }

    /// All rows of the table go at once: the log has no images of them, but the history knows those
    /// that it saw. Gives the generation that ends, or that ended last.
    fn emptied(&mut self, name: &TableName, at: ChangeSequence) -> Option<GenerationId> {
        let (generation, definition) = match self.names.current(name) {
            TableState::Table(generation, definition) => (generation, definition),
            TableState::Absent => return self.names.last_table(name),
            TableState::Unknown { .. } | TableState::Unreadable(_) => return None,
        };
        if let Some(generation) = self.generation_mut(generation) {
            generation.emptied = Some((at, definition));
        }
        self.index.note(&mut self.batch, Change { sequence: at, generation, key: None });
        self.noting.emptied(name);
        Some(generation)
    }
}
