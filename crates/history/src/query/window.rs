//! A range of the log over one table: the generations that its name meant there, if every step
//! between them is one of which the rows are known.

use super::keys::Wanted;
use super::merge::KeyOf;
use super::rows::{known_keys, with_baseline};
use super::{Found, History, Refusal, lines, unreadable};
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, EncodedKey, GenerationId};
use dbtrail_types::agent_api::code;
use dbtrail_types::names::TableName;
use std::collections::{BTreeMap, BTreeSet};

/// When all rows of a generation went at once, and under which definition.
pub(super) type Emptied = (ChangeSequence, DefinitionId);

/// One window over one table.
pub(super) struct Window<'a> {
    pub(super) history: &'a History,
    pub(super) name: &'a TableName,
    pub(super) found: Found<'a>,
    pub(super) from: ChangeSequence,
    pub(super) to: ChangeSequence,
}

impl Window<'_> {
    /// A generation of the window, if its rows is known; whether all of them went at once in the
    /// window, and whether these may be more than the record knows.
    fn emptied(&self, id: GenerationId, wanted: Option<&Wanted>) -> Result<(Option<Emptied>, bool), Refusal> {
        let generation =
            self.history.generation(id).ok_or_else(|| Refusal::internal("no such incarnation".to_owned()))?;
        super::without_doubt(self.name, generation, self.to, wanted)?;
        if let Some((_, reason)) = generation.known_from.as_ref().filter(|(at, _)| self.from <= *at) {
            return Err(self.crossing(reason));
        }
        if !self.history.catalog.same_key(generation.definition, self.found.definition_id) {
            return Err(self.crossing("its primary key changes inside of the window"));
        }
        let emptied = generation.emptied.filter(|(at, _)| (self.from..self.to).contains(at));
        // Rows of which the record says nothing may have gone too.
        let incomplete =
            emptied.is_some() && !generation.complete && generation.baseline != Baseline::Complete;
        Ok((emptied, incomplete))
    }

    /// The generations that the name meant in the window, for a walk through all of their changes.
    pub(super) fn walked(&self) -> Result<BTreeMap<GenerationId, Option<Emptied>>, Refusal> {
        let generations = self.generations()?.into_iter().map(|id| {
            self.without_lost(id)?;
            let (emptied, incomplete) = self.emptied(id, None)?;
            if incomplete {
                Err(self.lost("that is not among those that it knows"))
            } else {
                Ok((id, emptied))
            }
        });
        generations.collect()
    }

    /// Every key in every generation that the name meant in the window.
    pub(super) fn sources(&self, wanted: &Wanted) -> Result<Vec<KeyOf>, Refusal> {
        let mut sources = Vec::new();
        for id in self.generations()? {
            let (emptied, incomplete) = self.emptied(id, Some(wanted))?;
            let keys: Vec<EncodedKey> = match wanted {
                Wanted::Keys(keys) => {
                    for (key, shown) in keys {
                        self.key_without_lost(id, key, &lines::key_text(shown))?;
                        if incomplete && self.is_unknown(id, key)? {
                            return Err(self.lost(&lines::key_text(shown)));
                        }
                    }
                    keys.iter().map(|(key, _)| key.clone()).collect()
                }
                Wanted::Range(range) => {
                    let mut keys = known_keys(self.history, id, range)?;
                    if emptied.is_some() {
                        keys = with_baseline(self.history, id, keys, range)?;
                    }
                    let some_unknown = range.width != u128::try_from(keys.len()).ok();
                    if incomplete && some_unknown {
                        return Err(self.lost("in that range"));
                    }
                    if some_unknown {
                        self.without_lost(id)?;
                    }
                    for key in &keys {
                        self.key_without_lost(id, key, "in that range")?;
                    }
                    keys
                }
                Wanted::Scan(_) => return Err(Refusal::internal("a walk by keys".to_owned())),
            };
            for key in keys {
                if let Some(emptied) = emptied {
                    // What cannot be known is refused before the first line.
                    self.history.lost((id, &key), emptied).map_err(|e| unreadable(self.name, &e.message))?;
                }
                sources.push(KeyOf { generation: id, key, emptied });
            }
        }
        Ok(sources)
    }

    /// Refuses where partitions of a generation lost rows in the window that are not known.
    pub(super) fn without_lost(&self, id: GenerationId) -> Result<(), Refusal> {
        let lost = self.history.generation(id).and_then(|known| known.last_lost(self.from, self.to));
        lost.map_or(Ok(()), |_| Err(self.lost_partitions("with another key than those that it knows")))
    }

    /// Refuses a key that may have lost a row of which nothing is known.
    fn key_without_lost(&self, id: GenerationId, key: &[u8], shown: &str) -> Result<(), Refusal> {
        let (history, versions) = (self.history, self.history.versions());
        let Some(known) = history.generation(id) else { return Ok(()) };
        if known.last_lost(self.from, self.to).is_none()
            || versions.newest_before(id, key, self.from)?.is_some()
        {
            return Ok(());
        }
        let next = versions.first(id, key, (self.from, history.end))?;
        let lost = known.may_have_lost(&history.catalog, (self.from, self.to), next.as_ref());
        // A row that was read from the table, and has not changed, is still there.
        let there = next.is_none() && versions.base(id, key)?.is_some();
        if lost && !there { Err(self.lost_partitions(&format!("with key {shown}"))) } else { Ok(()) }
    }

    fn lost_partitions(&self, which: &str) -> Refusal {
        let message = format!(
            "partitions of {} were emptied inside of the window (DROP or TRUNCATE PARTITION) when not all of its rows were known, and whether a row {which} went \
             with them is not in the log",
            self.name
        );
        Refusal::new(422, code::NOT_RECORDED, message)
    }

    fn is_unknown(&self, generation: GenerationId, key: &[u8]) -> Result<bool, Refusal> {
        let versions = self.history.versions();
        let known = versions.newest_before(generation, key, self.history.end)?.is_some();
        Ok(!known && versions.base(generation, key)?.is_none())
    }

    /// The generations of the table in the window, if every step between them is one of which the
    /// rows are known.
    pub(super) fn generations(&self) -> Result<BTreeSet<GenerationId>, Refusal> {
        let history = self.history.names.history(self.name);
        let start = history.partition_point(|(from, _)| *from < self.from).saturating_sub(1);
        let mut generations = BTreeSet::new();
        let mut before: Option<&TableState> = None;
        for (at, table_state) in history.iter().skip(start).take_while(|(at, _)| *at < self.to) {
            if let Some(before) = before {
                self.step(before, table_state, *at)?;
            }
            match table_state {
                TableState::Table(generation, _) => {
                    generations.insert(*generation);
                }
                TableState::Absent => {}
                TableState::Unknown { .. } => {
                    return Err(unreadable(
                        self.name,
                        "nothing in the record says what its columns are in a part of the window",
                    ));
                }
                TableState::Unreadable(reason) => return Err(super::table_refused(self.name, reason, "")),
            }
            before = Some(table_state);
        }
        Ok(generations)
    }

    fn step(&self, before: &TableState, after: &TableState, at: ChangeSequence) -> Result<(), Refusal> {
        let emptied = |id: &GenerationId| {
            self.history.generation(*id).is_some_and(|s| s.emptied.is_some_and(|(when, _)| when == at))
        };
        let began =
            |id: &GenerationId| self.history.generation(*id).is_some_and(|s| s.started == at && s.complete);
        let follows = |old: &GenerationId, new: &GenerationId| {
            self.history.generation(*new).is_some_and(|s| s.before == Some(*old))
        };
        let unknown = |id: &GenerationId| {
            self.history
                .generation(*id)
                .and_then(|s| s.known_from.as_ref())
                .map(|(_, reason)| self.crossing(reason))
        };
        let renamed =
            || self.crossing("it is renamed inside of the window, so that rows come or go with no change");
        match (before, after) {
            (TableState::Table(old, _), TableState::Table(new, _)) if old == new => Ok(()),
            (TableState::Table(old, _), TableState::Table(new, _)) if emptied(old) && began(new) => Ok(()),
            (TableState::Table(old, _), TableState::Table(new, _)) if follows(old, new) => {
                Err(self.crossing("its primary key changes inside of the window"))
            }
            (TableState::Table(..), TableState::Table(new, _)) => Err(unknown(new).unwrap_or_else(renamed)),
            (TableState::Table(old, _), TableState::Absent) if !emptied(old) => Err(renamed()),
            (TableState::Absent, TableState::Table(new, _)) if !began(new) => Err(renamed()),
            _ => Ok(()),
        }
    }

    pub(super) fn crossing(&self, what: &str) -> Refusal {
        let at =
            self.history.names.history(self.name).iter().filter(|(at, _)| (self.from..self.to).contains(at));
        let times: Vec<String> = at
            .filter_map(|(at, _)| self.history.commit_index().committed(*at).ok()?)
            .map(|t| t.to_string())
            .collect();
        Refusal::new(
            422,
            code::UNREADABLE_TABLE,
            format!(
                "the changes of {} cannot be given as one list: {what} (its definition or name changes at {}). Ask for the windows before and after it",
                self.name,
                times.join(", ")
            ),
        )
    }

    pub(super) fn lost(&self, key: &str) -> Refusal {
        Refusal::new(
            422,
            code::NOT_RECORDED,
            format!(
                "{} lost all of its rows at once inside of the window (TRUNCATE or DROP), and the record does not say whether there was one with key {key}",
                self.name
            ),
        )
    }
}
