//! The keys of a table that a stretch of the log changed, in order and up to a limit.

use super::super::diff::Window;
use super::super::keys::Wanted;
use super::super::{Found, History, Refusal, certain, unreadable};
use crate::changes;
use crate::commit_index::{Page, ReadPoint};
use crate::engine::after_prefix;
use crate::names::TableState;
use crate::record::Baseline;
use crate::store::{ChangeSequence, EncodedKey, GenerationId};
use dbtrail_types::agent_api::{Span, code};
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;

/// Keys looked at in one go.
const AT_ONCE: usize = 1024;

/// Bytes of the keys of an answer at most, with what each takes beside its bytes: they are put in
/// order, so that all of them are held.
const MOST: usize = 64 << 20;
/// What a key takes beside its bytes, about.
const BESIDE: usize = 48;

/// Keys of an answer, in order.
struct Keys<'a> {
    name: &'a TableName,
    /// Which of them count; `None`: all.
    wanted: Option<&'a Wanted>,
    sorted: BTreeSet<EncodedKey>,
    /// Bytes that there is room for.
    left: usize,
}

impl Keys<'_> {
    fn add(&mut self, key: &[u8]) -> Result<(), Refusal> {
        if self.sorted.contains(key) || self.wanted.is_some_and(|wanted| !wanted.holds(key)) {
            return Ok(());
        }
        self.left = self.left.checked_sub(key.len() + BESIDE).ok_or_else(|| {
            Refusal::new(
                422,
                code::TOO_MANY_KEYS,
                format!(
                    "more than {} rows of {} changed there, which are too many to put in order: ask for a shorter window, for one transaction (AT GTID), or \
                     for some keys at a time",
                    self.sorted.len(),
                    self.name
                ),
            )
        })?;
        self.sorted.insert(key.into());
        Ok(())
    }
}

/// The keys of a table that a stretch of the log changed.
pub(super) struct Changed<'a> {
    pub(super) history: &'a History,
    pub(super) name: &'a TableName,
    pub(super) today: &'a Found<'a>,
    pub(super) span: &'a Span,
    pub(super) stretch: (ChangeSequence, ChangeSequence),
}

impl Changed<'_> {
    pub(super) fn keys(
        &self,
        wanted: Option<&Wanted>,
        derived_only: bool,
    ) -> Result<Vec<EncodedKey>, Refusal> {
        let (from, to) = self.stretch;
        let place = ReadPoint { at: to, doubtful: to };
        let found = match self.history.names.at(self.name, to) {
            Some((_, TableState::Absent)) => None,
            _ => Some(self.history.table_at(self.name, place)?),
        };
        let found = found.unwrap_or(Found {
            space_id: self.today.space_id,
            generation: self.today.generation,
            definition_id: self.today.definition_id,
            definition: self.today.definition,
        });
        let window = Window { history: self.history, name: self.name, found, from, to };
        let mut keys = Keys { name: self.name, wanted, sorted: BTreeSet::new(), left: MOST };
        let mut generations = BTreeSet::new();
        for id in window.generations()? {
            let generation = self.history.generation(id);
            let generation = generation.ok_or_else(|| Refusal::internal("no such incarnation".to_owned()))?;
            certain(self.name, generation, to)?;
            if let Some((_, reason)) = generation.known_from.as_ref().filter(|(at, _)| from <= *at) {
                return Err(window.crossing(reason));
            }
            if !self.history.catalog.same_key(generation.definition, self.today.definition_id) {
                return Err(unreadable(self.name, "its primary key is another one now than it was then"));
            }
            generations.insert(id);
            let emptied = generation.emptied.filter(|(at, _)| (from..to).contains(at));
            if let Some((at, _)) = emptied
                && !derived_only
            {
                self.inside(at)?;
                if !generation.complete && generation.baseline != Baseline::Whole {
                    return Err(window.lost("that is not among those that it knows"));
                }
                self.all_of(id, &mut keys)?;
            }
        }
        self.all_changed(&generations, derived_only, &mut keys)?;
        Ok(keys.sorted.into_iter().collect())
    }

    /// The keys of all changes in the stretch, by the index of changes.
    fn all_changed(
        &self,
        generations: &BTreeSet<GenerationId>,
        derived_only: bool,
        keys: &mut Keys<'_>,
    ) -> Result<(), Refusal> {
        let (from, to) = self.stretch;
        let (mut page, mut refused) = (Page::default(), None);
        let versions = self.history.versions();
        changes::between(&*self.history.snapshot, from, to, &mut |change| {
            let Some(key) = change.key.filter(|_| generations.contains(&change.generation)) else {
                return Ok(true);
            };
            let commit = self.history.commit_index().of_near(change.sequence, &mut page)?;
            if let Err(why) = self.within(commit.map(|m| m.committed)) {
                refused = Some(why);
                return Ok(false);
            }
            if derived_only {
                let place = (change.sequence, change.sequence.next());
                if !versions.first(change.generation, key, place)?.is_some_and(|version| version.is_derived())
                {
                    return Ok(true);
                }
            }
            refused = keys.add(key).err();
            Ok(refused.is_none())
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// All keys that a generation ever had.
    fn all_of(&self, generation: GenerationId, keys: &mut Keys<'_>) -> Result<(), Refusal> {
        let versions = self.history.versions();
        let last: EncodedKey = vec![0xff; 1 << 12].into();
        for base in [false, true] {
            let mut from = EncodedKey::from([]);
            loop {
                let window = (&*from, &*last);
                let some = if base {
                    versions.base_keys(generation, window, AT_ONCE)?
                } else {
                    versions.keys(generation, window, ChangeSequence::END, AT_ONCE)?
                };
                // No key of a table is the beginning of another one: after all that begin like this
                // one, the next one stands.
                from = some.last().map(|end| after_prefix(end)).unwrap_or_default().into();
                some.iter().try_for_each(|key| keys.add(key))?;
                if from.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A change at this place is one of the span.
    fn inside(&self, at: ChangeSequence) -> Result<(), Refusal> {
        self.within(self.history.commit_index().committed(at)?)
    }

    /// Refuses what lies in the stretch and is not of the window: where the clock was set back, the
    /// window is no stretch of the log.
    fn within(&self, committed: Option<dbtrail_types::instant::Instant>) -> Result<(), Refusal> {
        let Span::Window { since, until } = self.span else { return Ok(()) };
        if committed.is_some_and(|at| (*since..=*until).contains(&at)) {
            return Ok(());
        }
        Err(Refusal::new(
            422,
            code::AMBIGUOUS_TIME,
            format!(
                "between {since} and {until} the times in the log are not in its order, and rows of {} changed there: ask AT GTID, or for a window that \
                 leaves that out",
                self.name
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_up_to_a_limit() {
        let name = TableName { schema: "s".to_owned(), table: "t".to_owned() };
        let mut keys = Keys { name: &name, wanted: None, sorted: BTreeSet::new(), left: 2 * (BESIDE + 4) };
        for key in [[0, 0, 0, 2], [0, 0, 0, 1], [0, 0, 0, 2]] {
            keys.add(&key).unwrap();
        }
        let refused = keys.add(&[0, 0, 0, 3]).unwrap_err();
        assert_eq!(refused.code, code::TOO_MANY_KEYS);
        assert!(refused.message.starts_with("more than 2 rows of s.t changed there"), "{}", refused.message);
        assert_eq!(keys.sorted.len(), 2);
    }
}
