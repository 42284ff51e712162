//! The keys of a table that a range of the log changed, in order and up to a limit; looked for
//! bit by bit, so that whoever no longer waits for them costs nothing more.

use super::super::keys::Wanted;
use super::super::window::Window;
use super::super::{Found, History, Refusal, unreadable, without_doubt};
use crate::changes;
use crate::commit_index::Page;
use crate::engine::after_prefix;
use crate::record::Baseline;
use crate::store::{ChangeSequence, EncodedKey, GenerationId};
use dbtrail_types::agent_api::{NetRequest, Span, code};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeSet;

/// Keys looked at in one go.
const AT_ONCE: usize = 1024;
/// Changes of the index looked at in one go: some milliseconds.
const CHANGES_AT_ONCE: usize = 20_000;

/// Bytes of the keys of an answer at most, with what each takes beside its bytes: they are put in
/// order, so that all of them are held.
const MOST: usize = 64 << 20;
/// What a key takes beside its bytes, about.
const KEY_OVERHEAD: usize = 48;

/// Keys of an answer, in order.
#[derive(Debug)]
struct Keys {
    name: TableName,
    /// Which of them count; `None`: all.
    wanted: Option<Wanted>,
    sorted: BTreeSet<EncodedKey>,
    /// Bytes that there is room for.
    left: usize,
}

impl Keys {
    fn add(&mut self, key: &[u8]) -> Result<(), Refusal> {
        if self.sorted.contains(key) || self.wanted.as_ref().is_some_and(|wanted| !wanted.holds(key)) {
            return Ok(());
        }
        self.left = self.left.checked_sub(key.len() + KEY_OVERHEAD).ok_or_else(|| {
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

/// The way through a generation of which all keys count.
#[derive(Debug)]
struct AllKeys {
    generation: GenerationId,
    /// Rows of the baseline, and no longer changes.
    base: bool,
    from: EncodedKey,
}

/// What is still to be looked at for the keys of a table that a range of the log changed.
#[derive(Debug)]
pub(super) struct Changed {
    keys: Keys,
    /// The window of which each change has to be; `None`: the range is a part of the log.
    window: Option<(Timestamp, Timestamp)>,
    derived_only: bool,
    range: (ChangeSequence, ChangeSequence),
    generations: BTreeSet<GenerationId>,
    all_keys: Vec<AllKeys>,
    /// What is left of the index of changes.
    next: (ChangeSequence, ChangeSequence),
}

impl Changed {
    /// What there is to look at in `range`. `today`: the table as it is; `then`: as it was at the
    /// end of the range, where it was there.
    pub(super) fn new(
        history: &History,
        request: &NetRequest,
        name: &TableName,
        range: (ChangeSequence, ChangeSequence),
        (today, then): (&Found<'_>, Option<Found<'_>>),
        wanted: Option<Wanted>,
    ) -> Result<Self, Refusal> {
        let (from, to) = range;
        let found = then.unwrap_or(Found {
            generation_id: today.generation_id,
            generation: today.generation,
            definition_id: today.definition_id,
            definition: today.definition,
        });
        let window = match request.span {
            Span::Window { since, until } if !request.to_the_end => Some((since, until)),
            Span::Window { .. } | Span::Transaction(_) => None,
        };
        let mut all = Self {
            keys: Keys { name: name.clone(), wanted, sorted: BTreeSet::new(), left: MOST },
            window,
            derived_only: request.derived_only,
            range,
            generations: BTreeSet::new(),
            all_keys: Vec::new(),
            next: range,
        };
        let ways = Window { history, name, found, from, to };
        for id in ways.generations()? {
            let generation = history.generation(id);
            let generation = generation.ok_or_else(|| Refusal::internal("no such incarnation".to_owned()))?;
            without_doubt(name, generation, to, all.keys.wanted.as_ref())?;
            if let Some((_, reason)) = generation.known_from.as_ref().filter(|(at, _)| from <= *at) {
                return Err(ways.crossing(reason));
            }
            if !history.catalog.same_key(generation.definition, today.definition_id) {
                return Err(unreadable(name, "its primary key is another one now than it was then"));
            }
            all.generations.insert(id);
            if !request.derived_only {
                ways.without_lost(id)?;
            }
            let emptied = generation.emptied.filter(|(at, _)| (from..to).contains(at));
            if let Some((at, _)) = emptied
                && !request.derived_only
            {
                all.within(history.commit_index().committed(at)?)?;
                if !generation.complete && generation.baseline != Baseline::Complete {
                    return Err(ways.lost("that is not among those that it knows"));
                }
                let first = EncodedKey::from([]);
                all.all_keys.extend([false, true].map(|base| AllKeys {
                    generation: id,
                    base,
                    from: first.clone(),
                }));
            }
        }
        Ok(all)
    }

    /// Looks on for a while. False: all of it was looked at.
    pub(super) fn step(&mut self, history: &History) -> Result<bool, Refusal> {
        if let Some(all_keys) = self.all_keys.pop() {
            self.some_of(history, all_keys)?;
            return Ok(true);
        }
        let (from, to) = self.next;
        if from >= to {
            return Ok(false);
        }
        self.some_changes(history)?;
        Ok(true)
    }

    /// The tables' generations, and where rows of one went at once.
    pub(super) fn generations(&self, history: &History) -> (Vec<GenerationId>, Vec<ChangeSequence>) {
        let (from, to) = self.range;
        let ids = self.generations.iter().copied();
        let emptied = ids.clone().filter_map(|id| history.generation(id)?.emptied.map(|(at, _)| at));
        (ids.collect(), emptied.filter(|at| (from..to).contains(at)).collect())
    }

    /// The keys, once all was looked at.
    pub(super) fn into_keys(self) -> std::collections::btree_set::IntoIter<EncodedKey> {
        self.keys.sorted.into_iter()
    }

    /// The keys of some changes in the range, by the index of changes.
    fn some_changes(&mut self, history: &History) -> Result<(), Refusal> {
        let (from, to) = self.next;
        let (mut page, mut refused) = (Page::default(), None);
        let (mut seen, mut last, mut next) = (0_usize, from, to);
        let versions = history.versions();
        changes::between(&*history.snapshot, from, to, &mut |change| {
            // Between two numbers only: several changes may have the same one.
            if seen >= CHANGES_AT_ONCE && change.sequence > last {
                next = change.sequence;
                return Ok(false);
            }
            seen += 1;
            last = change.sequence;
            let Some(key) = change.key.filter(|_| self.generations.contains(&change.generation)) else {
                return Ok(true);
            };
            if self.window.is_some() {
                let commit = history.commit_index().of_near(change.sequence, &mut page)?;
                if let Err(why) = self.within(commit.map(|m| m.committed)) {
                    refused = Some(why);
                    return Ok(false);
                }
            }
            if self.derived_only {
                let position = (change.sequence, change.sequence.next());
                if !versions
                    .first(change.generation, key, position)?
                    .is_some_and(|version| version.is_derived())
                {
                    return Ok(true);
                }
            }
            refused = self.keys.add(key).err();
            Ok(refused.is_none())
        })?;
        self.next.0 = next;
        refused.map_or(Ok(()), Err)
    }

    /// Some of the keys that a generation ever had.
    fn some_of(&mut self, history: &History, all_keys: AllKeys) -> Result<(), Refusal> {
        let AllKeys { generation, base, from } = all_keys;
        let versions = history.versions();
        let last: EncodedKey = vec![0xff; 1 << 12].into();
        let window = (&*from, &*last);
        let some = if base {
            versions.base_keys(generation, window, AT_ONCE)?
        } else {
            versions.keys(generation, window, ChangeSequence::END, AT_ONCE)?
        };
        some.iter().try_for_each(|key| self.keys.add(key))?;
        // No key of a table is the beginning of another one: after all that begin like this one,
        // the next one is.
        if let Some(end) = some.last() {
            let from: EncodedKey = after_prefix(end).into();
            if !from.is_empty() {
                self.all_keys.push(AllKeys { generation, base, from });
            }
        }
        Ok(())
    }

    /// Refuses what lies in the range and is not of the window: where the clock was set back, the
    /// window is no range of the log.
    fn within(&self, committed: Option<Timestamp>) -> Result<(), Refusal> {
        let Some((since, until)) = self.window else { return Ok(()) };
        if committed.is_some_and(|at| (since..=until).contains(&at)) {
            return Ok(());
        }
        Err(Refusal::new(
            422,
            code::AMBIGUOUS_TIME,
            format!(
                "between {since} and {until} the times in the log are not in its order, and rows of {} changed there: ask AT GTID, or for a window that \
                 leaves that out",
                self.keys.name
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
        let mut keys = Keys { name, wanted: None, sorted: BTreeSet::new(), left: 2 * (KEY_OVERHEAD + 4) };
        for key in [[0, 0, 0, 2], [0, 0, 0, 1], [0, 0, 0, 2]] {
            keys.add(&key).unwrap();
        }
        let refused = keys.add(&[0, 0, 0, 3]).unwrap_err();
        assert_eq!(refused.code, code::TOO_MANY_KEYS);
        assert!(refused.message.starts_with("more than 2 rows of s.t changed there"), "{}", refused.message);
        assert_eq!(keys.sorted.len(), 2);
    }
}
