//! Which tables a window over all of them has, and of which it is known what changed there.

use super::super::keys::no_key;
use super::super::refusal::Refusal;
use crate::names::{TableState, UnreadableReason};
use crate::record::{Baseline, History, TableGeneration};
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::agent_api::code;
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// When all rows of a generation went at once, and under which definition.
type Emptied = (ChangeSequence, DefinitionId);
/// From which change to which a generation had a name.
type Named = (ChangeSequence, ChangeSequence, Arc<TableName>);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tables {
    generations: BTreeMap<GenerationId, Option<Emptied>>,
    names: BTreeMap<GenerationId, Vec<Named>>,
    /// Tables that cannot be read in a part of the window, and why: nothing is lost by that unless
    /// a row of them changed there.
    unanswerable: BTreeMap<TableName, String>,
}

impl Tables {
    /// The tables of the range `[from, to)` of the log that are wanted.
    ///
    /// # Errors
    /// What changed in one of them is not known.
    pub(super) fn new(
        history: &History,
        (from, to): (ChangeSequence, ChangeSequence),
        wanted: &dyn Fn(&TableName) -> bool,
    ) -> Result<Self, Refusal> {
        let mut all = Self::default();
        let mut refused: Vec<(&TableName, String)> = Vec::new();
        for (name, states) in history.names.iter().filter(|(name, _)| wanted(name)) {
            let shared = Arc::new(name.clone());
            let start = states.partition_point(|(at, _)| *at < from).saturating_sub(1);
            for (i, (at, state)) in states.iter().enumerate().skip(start).take_while(|(_, (at, _))| *at < to)
            {
                let began = (*at >= from).then_some(*at);
                let before = i.checked_sub(1).and_then(|i| states.get(i)).map(|(_, state)| state);
                let why = match state {
                    TableState::Absent | TableState::Unreadable(UnreadableReason::NotCaptured) => None,
                    TableState::Unreadable(UnreadableReason::Because(why)) => {
                        all.unanswerable.insert(name.clone(), why.clone());
                        // What made it so may be a change.
                        began.map(|_| why.clone())
                    }
                    TableState::Unknown { .. } => {
                        let why = "nothing in the record says what its columns are in a part of the window";
                        all.unanswerable.insert(name.clone(), why.to_owned());
                        None
                    }
                    TableState::Table(id, definition) => {
                        let following = states.get(i + 1).map_or(ChangeSequence::END, |(at, _)| *at);
                        all.names.entry(*id).or_default().push((*at, following, Arc::clone(&shared)));
                        let keyless = history.catalog.definition(*definition).and_then(|d| no_key(d));
                        match (keyless, history.generation(*id)) {
                            (Some(why), _) => {
                                all.unanswerable.insert(name.clone(), why.to_owned());
                                None
                            }
                            (None, Some(generation)) => {
                                let emptied = generation.emptied.filter(|(at, _)| (from..to).contains(at));
                                all.generations.insert(*id, emptied);
                                incomplete(generation, (from, to), emptied)
                                    .or_else(|| began.and_then(|at| came(generation, before, at)))
                            }
                            (None, None) => Some("it has no rows in the record: a bug here".to_owned()),
                        }
                    }
                };
                if let Some(why) = why {
                    refused.push((name, why));
                    break;
                }
            }
        }
        if refused.is_empty() { Ok(all) } else { Err(unanswerable(&refused)) }
    }

    pub(super) fn generations(&self) -> BTreeMap<GenerationId, Option<Emptied>> {
        self.generations.clone()
    }

    pub(super) fn has_unanswerable(&self) -> bool {
        !self.unanswerable.is_empty()
    }

    /// The refusal of a table of which a row changed, where that is not known.
    pub(super) fn unanswerable(&self, name: &TableName) -> Option<Refusal> {
        self.unanswerable.get_key_value(name).map(|(name, why)| unanswerable(&[(name, why.clone())]))
    }

    /// The name that a generation had when a change of it was made.
    pub(super) fn name(&self, id: GenerationId, at: ChangeSequence) -> Option<Arc<TableName>> {
        let names = self.names.get(&id)?;
        let inside = names.iter().find(|(from, following, _)| *from <= at && at < *following);
        // The statement that removes a table, or all of its rows, is where the next state begins.
        let ends = || names.iter().find(|(_, following, _)| *following == at);
        inside.or_else(ends).map(|(_, _, name)| Arc::clone(name))
    }
}

/// Why the changes of a generation in a range of the log cannot be known.
fn incomplete(
    generation: &TableGeneration,
    (from, to): (ChangeSequence, ChangeSequence),
    emptied: Option<Emptied>,
) -> Option<String> {
    if let Some(why) = generation.not_found_by_key() {
        return Some(format!("its rows cannot be found by key ({why})"));
    }
    if let Some((_, why)) = generation.doubt.as_ref().filter(|(at, _)| *at < to) {
        return Some(why.clone());
    }
    if let Some((_, why)) = generation.known_from.as_ref().filter(|(at, _)| from <= *at) {
        return Some(why.clone());
    }
    if generation.last_lost(from, to).is_some() {
        return Some(
            "partitions of it were emptied (DROP or TRUNCATE PARTITION) when not all of its rows were known"
                .to_owned(),
        );
    }
    if emptied.is_some() && !generation.complete && generation.baseline != Baseline::Complete {
        return Some(
            "it lost all of its rows at once (TRUNCATE or DROP), and not all of them are in the record"
                .to_owned(),
        );
    }
    None
}

/// Why it is not known with which rows a generation came to a name inside of the window.
fn came(generation: &TableGeneration, before: Option<&TableState>, at: ChangeSequence) -> Option<String> {
    // By RENAME, it came with rows that are known by another name.
    let new = generation.started == at && !generation.complete;
    let after = match before {
        Some(TableState::Absent) => true,
        // Another primary key: the rows are those of before.
        Some(TableState::Table(old, _)) => generation.before != Some(*old),
        Some(TableState::Unknown { .. } | TableState::Unreadable(_)) | None => false,
    };
    (new && after).then(|| "it came with rows that are not in the record".to_owned())
}

/// A refusal of changes of tables that is not known, with the condition that leaves them out.
fn unanswerable(names: &[(&TableName, String)]) -> Refusal {
    const SHOWN: usize = 20;
    let list: Vec<String> = names.iter().take(SHOWN).map(|(name, why)| format!("of {name}: {why}")).collect();
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "''");
    let left: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|(name, _)| {
            format!("NOT (`schema` = '{}' AND `table` = '{}')", quoted(&name.schema), quoted(&name.table))
        })
        .collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    Refusal::new(
        422,
        code::UNREADABLE_TABLE,
        format!(
            "changes in that window are not known {}{more}; leave those tables out: WHERE {}",
            list.join("; "),
            left.join(" AND ")
        ),
    )
}
