//! Which table a name means, where the log leaves that open: names that differ in upper and lower
//! case alone. (RENAMEs that may have been of a session's temporary table: `renames`.)
//!
//! What comes later in the log can settle it; until then, no table whose name is concerned is
//! reported.

use super::Ingest;
use crate::log::{MappedTable, RowsEvent};
use crate::names::TableState;
use crate::schema::Effect;
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;
use std::sync::Arc;

impl Ingest {
    /// Before a statement has its effect.
    pub(super) fn before_effect(&mut self, effect: &Effect, at: ChangeSequence) {
        match effect {
            Effect::Created(name, _) => {
                self.is_made(name);
                // Two tables at once whose names differ in case alone: the server tells them apart.
                if self.catalog.folds().is_none() && !self.names.spelled_otherwise(name).is_empty() {
                    Arc::make_mut(&mut self.catalog).set_lower_case_table_names(0);
                }
            }
            Effect::Truncated(name)
            | Effect::Altered(name, _)
            | Effect::RowsUnknown(name, _)
            | Effect::PartitionsEmptied(name, _) => self.spoken_of(name, at),
            Effect::Renamed { from, to, unambiguous } => {
                if *unambiguous {
                    self.spoken_of(from, at);
                } else {
                    self.spelled_otherwise(from, at);
                }
                self.is_past(from);
                self.is_past(to);
            }
            Effect::RowsMoved(moved) => {
                self.spoken_of(&moved.from, at);
                self.spoken_of(&moved.to, at);
            }
            // IF EXISTS is logged where there was no table, too; why a statement cannot be followed
            // may be that the record knows its table by another name.
            Effect::Dropped(name) => {
                self.spelled_otherwise(name, at);
                self.is_past(name);
            }
            Effect::Unreadable(name, _) => self.spelled_otherwise(name, at),
            Effect::SchemaDropped(schema) => {
                let renamed = self.catalog.renames().iter().flat_map(|r| &r.pairs);
                let renamed = renamed.flat_map(|(from, to)| [from, to]).filter(|name| name.schema == *schema);
                for name in renamed.cloned().collect::<Vec<_>>() {
                    self.is_past(&name);
                }
                if self.catalog.folds().is_some() {
                    return;
                }
                let lower = schema.to_lowercase();
                let others = self.names.living(&[]).into_iter();
                let others = others.filter(|n| n.schema != *schema && n.schema.to_lowercase() == lower);
                for name in others.collect::<Vec<_>>() {
                    let reason = case_reason(&format!("DROP DATABASE {schema}"));
                    self.names_mut().set(&name, at, TableState::unreadable(reason));
                }
            }
            Effect::UnreadableAll { .. } => {}
        }
    }

    /// A row or a statement is of a table of this name, which therefore is there.
    pub(super) fn spoken_of(&mut self, name: &TableName, at: ChangeSequence) {
        self.is_there(name);
        self.spelled_otherwise(name, at);
    }

    /// The name means no table, and another one does that differs in case alone: where the server
    /// may take them for one, both are in doubt.
    fn spelled_otherwise(&mut self, name: &TableName, at: ChangeSequence) {
        if self.catalog.folds().is_some() || matches!(self.names.current(name), TableState::Table(..)) {
            return;
        }
        let others = self.names.spelled_otherwise(name);
        for other in others.iter().chain((!others.is_empty()).then_some(name)) {
            let reason = case_reason(&name.to_string());
            self.names_mut().set(other, at, TableState::unreadable(reason));
        }
    }

    /// A rows event under the name that counts on the server.
    pub(super) fn fold(&self, event: &mut RowsEvent) {
        let name = &event.table.name;
        let upper = |n: &str| n.chars().any(char::is_uppercase);
        if self.catalog.folds() == Some(true) && (upper(&name.schema) || upper(&name.table)) {
            event.table =
                Arc::new(MappedTable { name: name.to_lowercase(), ..MappedTable::clone(&event.table) });
        }
    }
}

fn case_reason(named: &str) -> String {
    format!(
        "the log has {named}, and whether the server takes names that differ in upper and lower case alone for one table (lower_case_table_names) is not in the log"
    )
}
