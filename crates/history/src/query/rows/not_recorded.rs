//! The refusals of keys and ranges of which the record says nothing.

use super::super::question::{Question, Reading};
use super::super::{Refusal, lines};
use dbtrail_types::agent_api::{Octets, code};

/// Keys named in a refusal at most.
const MAX_NAMED: usize = 5;

impl Question<'_> {
    /// The refusal of a range of which not all is known.
    pub(super) fn not_all(&self, reading: Reading) -> Refusal {
        let table = &self.name;
        Refusal::new(
            422,
            code::NOT_RECORDED,
            format!(
                "{table} may have rows in that range of which the record says nothing: {}{}",
                self.since("its creation is not in the record"),
                self.advice(reading)
            ),
        )
    }

    pub(super) fn not_recorded(&self, unknown: &[Vec<Octets>], reading: Reading) -> Refusal {
        let table = &self.name;
        let more = if unknown.len() > MAX_NAMED {
            format!(" and {} more", unknown.len() - MAX_NAMED)
        } else {
            String::new()
        };
        let named: Vec<String> = unknown.iter().take(MAX_NAMED).map(|k| lines::key_text(k)).collect();
        let generation = self.found.generation;
        let before = generation.before.and_then(|id| self.history.generation(id));
        let rekeyed =
            before.and_then(|b| self.history.catalog.changed_key(b.definition, generation.definition));
        if let Some(statement) = rekeyed {
            return Refusal::new(
                422,
                code::NOT_RECORDED,
                format!(
                    "the record does not say which row of {table} has key {}{more}: this statement changed how its rows are identified, and rows that have not changed since are known by their old key alone: {statement}. Ask for an instant before it{}",
                    named.join(", "),
                    self.advice(reading)
                ),
            );
        }
        Refusal::new(
            422,
            code::NOT_RECORDED,
            format!(
                "the record says nothing of {table} with key {}{more}: {}{}",
                named.join(", "),
                self.since("no change of it is recorded, nor the table's creation"),
                self.advice(reading)
            ),
        )
    }
}
