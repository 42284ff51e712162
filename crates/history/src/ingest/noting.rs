//! What is kept of an entry beside its rows (`commits`), gathered while it comes in.

use super::Ingest;
use crate::commits::{Commit, Spoken, Touched};
use crate::log::{LoggedStatement, Origin, RowsEvent, cut};
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;
use std::collections::HashMap;
use std::sync::Arc;

/// Names that are remembered.
const NAMES: usize = 4096;

/// Bytes of the texts of a transaction's statements, and what belongs to each of them. Of those
/// that come after that no text is kept.
const TEXTS: usize = 16 << 20;
/// Bytes that are with a text, about.
const ASIDE: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Noting {
    /// Bytes that the statements take.
    texts: usize,
    tables: Vec<Touched>,
    statements: Vec<Spoken>,
    /// The table of the last row.
    at: usize,
    names: HashMap<TableName, Arc<TableName>>,
    file: Option<Arc<str>>,
}

impl Noting {
    /// A table that a statement speaks of.
    pub(super) fn touched(&mut self, name: &TableName) {
        self.table(name);
    }

    /// Another statement begins.
    fn speak(&mut self, mut spoken: Spoken) {
        self.texts += ASIDE + spoken.text.as_ref().map_or(0, |text| text.len());
        if self.texts > TEXTS {
            spoken.text = None;
            let last = self.statements.last();
            if last.is_some_and(|last| last.text.is_none() && last.logged == spoken.logged) {
                return;
            }
        }
        self.statements.push(spoken);
    }

    /// A row of it changed.
    pub(super) fn changed(&mut self, name: &TableName, kind: EventType) {
        let Some(table) = self.table(name) else { return };
        match kind {
            EventType::Insert => table.inserted += 1,
            EventType::Update => table.updated += 1,
            EventType::Delete => table.deleted += 1,
        }
    }

    /// All of its rows went at once.
    pub(super) fn emptied(&mut self, name: &TableName) {
        if let Some(table) = self.table(name) {
            table.emptied = true;
        }
    }

    fn table(&mut self, name: &TableName) -> Option<&mut Touched> {
        if self.tables.get(self.at).is_none_or(|t| *t.name != *name) {
            self.at = self.tables.iter().position(|t| *t.name == *name).unwrap_or_else(|| {
                if self.names.len() >= NAMES {
                    self.names.clear();
                }
                let known = self.names.entry(name.clone()).or_insert_with(|| Arc::new(name.clone()));
                let name = Arc::clone(known);
                self.tables.push(Touched { name, inserted: 0, updated: 0, deleted: 0, emptied: false });
                self.tables.len() - 1
            });
        }
        self.tables.get_mut(self.at)
    }
}

impl Ingest {
    /// Rows of a statement come. A text that speaks of tables that are not captured is not kept.
    pub(super) fn note_rows(&mut self, event: &RowsEvent) {
        let keeps = self.keeps_statements
            && event.text.is_some()
            && event.statement.mapped.iter().all(|m| self.captures(&m.name));
        let text = event.text.as_ref().filter(|_| keeps);
        let same = |last: &Spoken| match (&last.text, text) {
            (Some(last), Some(text)) => Arc::ptr_eq(last, text),
            (None, None) => !last.logged,
            _ => false,
        };
        let statements = &mut self.noting.statements;
        // No statement at all says the same as one without a text.
        if !statements.last().map_or(text.is_none(), same) {
            self.noting.speak(Spoken { from: self.next, logged: false, text: text.cloned() });
        }
    }

    /// A statement that was logged as one begins.
    pub(super) fn note_statement(&mut self, statement: &LoggedStatement, at: ChangeSequence) {
        let text = self.keeps_statements.then(|| cut(&statement.sql).into());
        self.noting.speak(Spoken { from: at, logged: true, text });
    }

    /// Its effects are known: one on no table (a user's password), or on one that is not captured,
    /// is not kept as text.
    pub(super) fn end_statement(&mut self) {
        let tables = &self.noting.tables;
        let keeps = !tables.is_empty() && tables.iter().all(|t| self.captures(&t.name));
        if let Some(last) = self.noting.statements.last_mut().filter(|_| !keeps) {
            last.text = None;
        }
    }

    /// The entry has come in.
    pub(super) fn note_commit(&mut self, first: ChangeSequence, origin: Origin, file: &str) {
        let noting = &mut self.noting;
        (noting.at, noting.texts) = (0, 0);
        let tables = std::mem::take(&mut noting.tables);
        let statements = std::mem::take(&mut noting.statements);
        if first == self.next {
            return;
        }
        let file = match &noting.file {
            Some(known) if **known == *file => Arc::clone(known),
            _ => Arc::clone(noting.file.insert(file.into())),
        };
        let Origin { server, connection, offset, .. } = origin;
        let commit =
            Commit { first, following: self.next, server, connection, file, offset, tables, statements };
        self.commits.note(&mut self.batch, &commit);
    }
}
