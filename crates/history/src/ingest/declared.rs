//! Tables as their server declares them, from a position in the log on.

use super::Ingest;
use crate::capture::Declared;
use crate::last_statements::{LastStatements, UnknownBefore};
use crate::log::{LogError, LogReader, ServerVersion};
use crate::names::{TableState, UnreadableReason};
use crate::record::{FIRST, TableGeneration};
use crate::schema_dump::SchemaDump;
use crate::store::ChangeSequence;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Definitions that enter the record in the course of the log, by the number of transactions in
/// front of them.
pub(super) type DefinitionSchedule = BTreeMap<u64, Vec<Declared>>;

impl Ingest {
    /// When each definition of a dump enters the record, by the statements of the log. A table that
    /// a statement was about of which the dump may be older is left to the log alone.
    pub(super) fn expect(&mut self, dump: &SchemaDump, reader: LogReader) -> DefinitionSchedule {
        let mut last = LastStatements::default();
        for (entry, taken) in reader.zip(1_u64..) {
            match entry {
                Ok(entry) => last.note(entry, &taken),
                // There may be room for a large transaction when the files are read again.
                Err(error @ LogError::Files(_)) => last.unknown(&taken, &error.to_string()),
                // What is wrong with the log is reported when it is taken in.
                Err(LogError::Event { .. }) => break,
            }
        }
        let mut known = DefinitionSchedule::new();
        for table in &dump.tables {
            let position = match last.of(&table.name) {
                None => 0,
                Some(statement) => {
                    if dump.written.is_none_or(|written| written <= statement.end()) {
                        tracing::warn!(
                            table = %table.name,
                            "the dump may be older than the last statement about the table ({}): its definition is not taken from the dump",
                            statement.what
                        );
                        let reason = UnknownBefore::OldDump(statement.clone());
                        self.unknown_since.insert(table.name.clone(), reason.to_string());
                        continue;
                    }
                    let reason = UnknownBefore::Statement(statement.clone());
                    self.unknown_since.insert(table.name.clone(), reason.to_string());
                    statement.position
                }
            };
            known.entry(position).or_default().push(table.clone());
        }
        known
    }

    pub(super) fn declare_all(&mut self, tables: Option<Vec<Declared>>, server: ServerVersion) {
        for table in tables.into_iter().flatten() {
            self.declare_late(&table, server);
        }
    }

    /// What a table's name means from a position on at which the server declared it so.
    pub(crate) fn declared(
        &mut self,
        table: &Declared,
        server: ServerVersion,
        at: ChangeSequence,
    ) -> TableState {
        self.dirty.catalog = true;
        self.forget_observed();
        let declared = Arc::make_mut(&mut self.catalog).declare(&table.name, &table.create, server);
        // Of what is left out, the foreign keys are of use.
        if !self.captures(&table.name) {
            return TableState::Unreadable(UnreadableReason::NotCaptured);
        }
        let definition = match declared {
            Ok(definition) => definition,
            Err(reason) => {
                tracing::warn!(table = %table.name, "the table cannot be captured: {reason}");
                return TableState::unreadable(format!("its declaration cannot be followed ({reason})"));
            }
        };
        let baseline = self.first_baseline(definition);
        let generation = self.new_generation(
            &table.name,
            TableGeneration { baseline, ..TableGeneration::new(definition, at, false) },
        );
        TableState::Table(generation, definition)
    }

    /// Takes a definition in that holds from here to the end of the log. Where the log tells one
    /// itself, that one stays, and a difference between the two is reported.
    pub(super) fn declare_late(&mut self, table: &Declared, server: ServerVersion) {
        let table = Declared { name: self.catalog.folded(table.name.clone()), ..table.clone() };
        let name = &table.name;
        match self.names.current(name) {
            TableState::Table(..) => {
                if let Some(difference) = self.catalog.differs(name, &table.create, server) {
                    tracing::warn!(table = %name, "the definition in the dump is not the one that follows from the log, which counts: {difference}");
                }
            }
            TableState::Absent => {
                tracing::warn!(table = %name, "the dump has this table, and by the log there is none");
            }
            TableState::Unreadable(UnreadableReason::NotCaptured) => {}
            TableState::Unknown { .. } | TableState::Unreadable(_) => {
                if self.next == FIRST {
                    let state = self.declared(&table, server, ChangeSequence(0));
                    self.names_mut().begin(name, state);
                } else {
                    // A number of its own: it holds from here on, also where nothing more comes.
                    let at = self.take_number();
                    let state = self.declared(&table, server, at);
                    if let Some(reason) = self.unknown_since.get(name).cloned() {
                        self.names_mut().retract(name, ChangeSequence(0), TableState::unreadable(reason));
                    }
                    self.names_mut().set(name, at, state);
                }
            }
        }
    }
}
