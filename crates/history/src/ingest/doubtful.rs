//! Which table a name means, where the log leaves that open: names that differ in upper and lower case alone, and RENAMEs that may have been
//! of a session's temporary table.
//!
//! What comes later in the log can settle it; until then, no table whose name is concerned is told of.

use super::Ingest;
use crate::log::{MappedTable, RowsEvent};
use crate::names::Standing;
use crate::schema::{Effect, Rename};
use crate::store::Sequence;
use dbtrail_types::ident::TableName;
use std::sync::Arc;

impl Ingest {
    /// Before a statement has its effect.
    pub(super) fn before_effect(&mut self, effect: &Effect, at: Sequence) {
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
            | Effect::PartitionsEmptied(name, _)
            | Effect::Renamed { from: name, .. } => {
                self.spoken_of(name, at);
            }
            // IF EXISTS is logged where there was no table, too; why a statement cannot be followed may be that the record knows its table by another name.
            Effect::Dropped(name) | Effect::Unreadable(name, _) => self.spelled_otherwise(name, at),
            Effect::SchemaDropped(schema) if self.catalog.folds().is_none() => {
                let lower = schema.to_lowercase();
                let others = self.names.living(&[]).into_iter();
                let others = others.filter(|n| n.schema != *schema && n.schema.to_lowercase() == lower);
                for name in others.collect::<Vec<_>>() {
                    let reason = case_reason(&format!("DROP DATABASE {schema}"));
                    self.names_mut().set(&name, at, Standing::Unreadable(reason));
                }
            }
            Effect::SchemaDropped(_) | Effect::UnreadableAll { .. } => {}
        }
    }

    /// A row or a statement is of a table of this name, which therefore is there.
    pub(super) fn spoken_of(&mut self, name: &TableName, at: Sequence) {
        self.is_there(name);
        self.spelled_otherwise(name, at);
    }

    /// The name means no table, and another one does that differs in case alone: where the server may take them for one, both are in doubt.
    fn spelled_otherwise(&mut self, name: &TableName, at: Sequence) {
        if self.catalog.folds().is_some() || matches!(self.names.current(name), Standing::Table(..)) {
            return;
        }
        let others = self.names.spelled_otherwise(name);
        for other in others.iter().chain((!others.is_empty()).then_some(name)) {
            let reason = case_reason(&name.to_string());
            self.names_mut().set(other, at, Standing::Unreadable(reason));
        }
    }

    /// Notes a RENAME that may have been of a temporary table.
    pub(super) fn may_be_temporary(&mut self, from: &TableName, to: &TableName, at: Sequence) {
        let rename = Rename { from: from.clone(), to: to.clone(), at };
        Arc::make_mut(&mut self.catalog).renames_mut().push(rename);
    }

    /// A table of this name is there. That settles a RENAME to this name: it was as the log says. One of this name, which no table has taken since,
    /// was that of a temporary table.
    fn is_there(&mut self, name: &TableName) {
        if let Some(real) = self.rename(|r| r.to == *name) {
            self.settle(|r| r.at == real.at);
        } else if matches!(self.names.current(name), Standing::Absent)
            && let Some(other) = self.rename(|r| r.from == *name)
        {
            self.was_temporary(&other);
        }
    }

    /// A table of this name is made, so that there was none before.
    fn is_made(&mut self, name: &TableName) {
        self.settle(|r| r.from == *name);
        if let Some(other) = self.rename(|r| r.to == *name) {
            self.was_temporary(&other);
        }
    }

    /// The last RENAME that is not settled and of this kind.
    fn rename(&self, is: impl Fn(&Rename) -> bool) -> Option<Rename> {
        self.catalog.renames().iter().rev().find(|r| is(r)).cloned()
    }

    /// What was recorded as a RENAME was none: the tables of both names are in doubt since.
    fn was_temporary(&mut self, rename: &Rename) {
        self.settle(|r| r == rename);
        let Rename { from, to, at } = rename;
        let reason = format!(
            "the log has RENAME TABLE {from} TO {to}, and behind it {from} is there: it was that of a temporary table, which MariaDB logs without a mark"
        );
        for name in [from, to] {
            self.names_mut().doubt(name, *at, &reason);
        }
    }

    /// The server was looked at, and has a table of this name or has none.
    pub(crate) fn looked_for(&mut self, name: &TableName, there: bool) {
        if there {
            self.is_there(name);
        } else {
            self.settle(|r| r.from == *name);
            if let Some(other) = self.rename(|r| r.to == *name) {
                self.was_temporary(&other);
            }
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

    fn settle(&mut self, is: impl Fn(&Rename) -> bool) {
        if self.catalog.renames().iter().any(&is) {
            self.dirty.catalog = true;
            Arc::make_mut(&mut self.catalog).renames_mut().retain(|r| !is(r));
        }
    }
}

fn case_reason(named: &str) -> String {
    format!(
        "the log has {named}, and whether the server takes names that differ in upper and lower case alone for one table (lower_case_table_names) is not in the log"
    )
}
