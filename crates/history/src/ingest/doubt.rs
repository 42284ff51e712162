//! Tables whose rows changed in a way that the log does not tell: what is known of them begins
//! again.

use super::Ingest;
use crate::names::TableState;
use crate::record::{Baseline, TableGeneration};
use crate::schema::DefinitionId;
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;

impl Ingest {
    /// Whether the rows of a generation that begins under a definition are to be read.
    pub(super) fn first_baseline(&self, definition: DefinitionId) -> Baseline {
        let keyed = self
            .catalog
            .definition(definition)
            .is_some_and(|d| !d.primary_key.is_empty() && d.key_columns().len() == d.primary_key.len());
        if keyed && self.rereads { Baseline::Reading } else { Baseline::None }
    }

    /// From here on rows of a table are not what was recorded of them: another generation begins,
    /// of which no row is known. The definition holds; while a server is captured, the rows are
    /// read again.
    pub(crate) fn rows_unknown(&mut self, name: &TableName, at: ChangeSequence, reason: &str) {
        match self.names.current(name) {
            TableState::Table(generation, definition) => {
                let known_from = Some((at, reason.to_owned()));
                let baseline = self.first_baseline(definition);
                let now = self.generations.get(generation.0 as usize);
                let unused = now.is_some_and(|s| s.known_from.is_some() && !s.used);
                // Nothing was learned since rows were unknown last: that time is not worth a place
                // of its own. Rows that are on their way may be from before this change.
                let unread = !self.being_read.contains(&generation)
                    && now.is_some_and(|s| {
                        s.baseline == baseline && s.not_found_by_key().is_none() && s.doubt.is_none()
                    });
                if unused && (unread || !self.rereads) {
                    if let Some(generation) = self.generation_mut(generation) {
                        generation.known_from = known_from;
                    }
                    return;
                }
                self.being_read.remove(&generation);
                let next =
                    TableGeneration { baseline, known_from, ..TableGeneration::new(definition, at, false) };
                let next = self.new_generation(name, next);
                let table_state = TableState::Table(next, definition);
                if unused {
                    self.names_mut().replace_last(name, table_state);
                } else {
                    self.names_mut().set_again(name, at, table_state);
                }
            }
            TableState::Unknown { .. } => {
                self.names_mut().set_again(name, at, TableState::Unknown { empty: false });
            }
            TableState::Absent | TableState::Unreadable(_) => {}
        }
    }
}
