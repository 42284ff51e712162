//! What statements of the log do to names and incarnations.

use super::{Ingest, NOT_CAPTURED};
use crate::changes::Change;
use crate::engine::StoreError;
use crate::names::Standing;
use crate::record::Space;
use crate::schema::{DefinitionId, Effect};
use crate::store::{Sequence, SpaceId};
use dbtrail_types::ident::TableName;

impl Ingest {
    pub(super) fn effect(&mut self, effect: Effect, at: Sequence) -> Result<(), StoreError> {
        self.touch(&effect);
        self.before_effect(&effect, at);
        if let Effect::PartitionsEmptied(name, emptied) = &effect {
            return self.empty_partitions(name, emptied, at);
        }
        if let Effect::RowsMoved(moved) = &effect {
            return self.move_rows(moved, at);
        }
        let altered = if let Effect::Altered(name, _) = &effect { Some(name.clone()) } else { None };
        self.carry_out(effect, at);
        if let Some(name) = altered {
            self.want_references(&name);
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect, at: Sequence) {
        match effect {
            Effect::Created(name, definition) => {
                let before = self.emptied(&name, at);
                let standing = if self.captures(&name) {
                    let space = self.new_space(&name, Space { before, ..Space::new(definition, at, true) });
                    Standing::Table(space, definition)
                } else {
                    Standing::Unreadable(NOT_CAPTURED.to_owned())
                };
                self.names_mut().appear(&name, at, standing);
            }
            Effect::Dropped(name) => {
                self.emptied(&name, at);
                self.names_mut().set(&name, at, Standing::Absent);
            }
            Effect::Truncated(name) => self.truncated(&name, at),
            Effect::Altered(name, definition) => self.altered(&name, definition, at),
            Effect::Renamed { from, to, .. } => self.renamed(&from, &to, at),
            Effect::RowsUnknown(name, reason) => {
                self.rows_unknown(&name, at, &reason);
                self.unknown_below(&name, at);
            }
            // Carried out elsewhere: it may fail.
            Effect::PartitionsEmptied(..) | Effect::RowsMoved(_) => {}
            Effect::Unreadable(name, reason) => self.names_mut().set(&name, at, Standing::Unreadable(reason)),
            Effect::SchemaDropped(schema) => {
                let schemas = [schema];
                for name in self.names.living(&schemas) {
                    self.emptied(&name, at);
                }
                self.names_mut().sweep(&schemas, &[], at, &Standing::Absent);
            }
            Effect::UnreadableAll { schemas, spared, reason } => {
                self.names_mut().sweep(&schemas, &spared, at, &Standing::Unreadable(reason));
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
            Effect::SchemaDropped(_) | Effect::UnreadableAll { .. } => {}
        }
    }

    pub(super) fn unfollowable(&mut self, tables: &[TableName], reason: &str, at: Sequence) {
        let unreadable = Standing::Unreadable(reason.to_owned());
        if tables.is_empty() {
            self.names_mut().sweep(&[], &[], at, &unreadable);
        }
        for name in tables {
            self.names_mut().set(name, at, unreadable.clone());
            self.unknown_below(name, at);
        }
    }

    fn truncated(&mut self, name: &TableName, at: Sequence) {
        match self.names.current(name) {
            Standing::Table(_, definition) => {
                let before = self.emptied(name, at);
                let space = self.new_space(name, Space { before, ..Space::new(definition, at, true) });
                self.names_mut().set(name, at, Standing::Table(space, definition));
            }
            Standing::Unknown { .. } => self.names_mut().set(name, at, Standing::Unknown { empty: true }),
            Standing::Absent => self.impossible(name, "TRUNCATE", at),
            // Whatever rows it had: where its definition is known, all is known again.
            Standing::Unreadable(_) => {
                if let Some(definition) = self.catalog.current(name).filter(|_| self.captures(name)) {
                    let space = self.new_space(name, Space::new(definition, at, true));
                    self.names_mut().set(name, at, Standing::Table(space, definition));
                }
            }
        }
    }

    fn altered(&mut self, name: &TableName, definition: DefinitionId, at: Sequence) {
        match self.names.current(name) {
            Standing::Table(space, old) => {
                let space = self.continued(name, (space, old), definition, at);
                self.names_mut().set(name, at, Standing::Table(space, definition));
            }
            Standing::Unknown { empty } => {
                let space = self.new_space(name, Space::new(definition, at, empty));
                self.names_mut().set(name, at, Standing::Table(space, definition));
            }
            Standing::Absent => self.impossible(name, "ALTER TABLE", at),
            Standing::Unreadable(_) => {}
        }
    }

    fn renamed(&mut self, from: &TableName, to: &TableName, at: Sequence) {
        let standing = self.names.current(from);
        if standing == Standing::Absent {
            self.impossible(to, "RENAME", at);
            return;
        }
        self.names_mut().set(from, at, Standing::Absent);
        if matches!(self.names.current(to), Standing::Table(..)) {
            self.impossible(to, "RENAME", at);
        } else if self.captures(to) {
            self.names_mut().appear(to, at, standing);
        } else {
            self.names_mut().appear(to, at, Standing::Unreadable(NOT_CAPTURED.to_owned()));
        }
    }

    fn impossible(&mut self, name: &TableName, statement: &str, at: Sequence) {
        let reason =
            format!("the log has a {statement} of {name} that does not fit the statements before it");
        self.names_mut().set(name, at, Standing::Unreadable(reason));
    }

    /// All rows of the table go at once: the log has no images of them, but the history knows those that it saw. Gives the incarnation
    /// that ends, or that ended last.
    fn emptied(&mut self, name: &TableName, at: Sequence) -> Option<SpaceId> {
        let (space, definition) = match self.names.current(name) {
            Standing::Table(space, definition) => (space, definition),
            Standing::Absent => return self.names.last_table(name),
            Standing::Unknown { .. } | Standing::Unreadable(_) => return None,
        };
        if let Some(space) = self.space_mut(space) {
            space.emptied = Some((at, definition));
        }
        self.index.note(&mut self.batch, Change { sequence: at, space, key: None });
        self.noting.emptied(name);
        Some(space)
    }
}
