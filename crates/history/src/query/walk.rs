//! All changes of a table in a range of the log, in its order, by the index of changes: it costs
//! what happened there, and not what is kept.

use super::keys::Span;
use super::window::Emptied;
use super::{History, Refusal};
use crate::changes::{self, OwnedChange};
use crate::store::{Bounds, ChangeOf, ChangeSequence, GenerationId, RangeReader, RowAtPosition, Version};
use std::collections::{BTreeMap, VecDeque};

/// Changes of which the versions are read at once: the first time, since few may be wanted, and at
/// most.
const FIRST: usize = 16;
const MOST: usize = 512;
/// Bytes that these may take, if they are several.
const BUDGET: usize = 4 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Walk {
    index: changes::Walk,
    /// Changes of which the versions are not read yet.
    ready: VecDeque<OwnedChange>,
    versions: VecDeque<(GenerationId, Version)>,
    at_once: usize,
    /// The generations of the table, with those that lose all rows at once on the way.
    generations: BTreeMap<GenerationId, Option<Emptied>>,
    /// Which keys; `None`: all.
    span: Option<Span>,
    /// Rows that went at once, and are being listed one by one.
    lost: Option<Lost>,
    /// Of the last change.
    generation: GenerationId,
}

#[derive(Debug)]
struct Lost {
    generation: GenerationId,
    emptied: Emptied,
    keys: RangeReader,
}

/// What comes next.
pub(super) enum Step {
    /// A change.
    Change(Version),
    /// Nothing of the table: there may be more.
    Nothing,
    /// There is no more.
    End,
}

impl Walk {
    pub(super) fn new(
        history: &History,
        generations: BTreeMap<GenerationId, Option<Emptied>>,
        span: Option<Span>,
        (from, to): (ChangeSequence, ChangeSequence),
    ) -> Result<Self, Refusal> {
        let index = changes::Walk::new(&*history.snapshot, from, to)?;
        Ok(Self {
            index,
            ready: VecDeque::new(),
            versions: VecDeque::new(),
            at_once: FIRST,
            generations,
            span,
            lost: None,
            generation: GenerationId(0),
        })
    }

    /// The generation of the table of the last change.
    pub(super) fn generation(&self) -> GenerationId {
        self.generation
    }

    /// The next change.
    ///
    /// # Errors
    /// The store failed, or a row that went with all others cannot be known.
    pub(super) fn next(&mut self, history: &History) -> Result<Step, Refusal> {
        if let Some(lost) = &mut self.lost {
            let Some(known) = lost.keys.next(&*history.snapshot)? else {
                self.lost = None;
                return Ok(Step::Nothing);
            };
            if let (RowAtPosition::Row(None, _), _) | (RowAtPosition::Nothing, None) =
                (&known.reported, &known.base)
            {
                return Ok(Step::Nothing);
            }
            self.generation = lost.generation;
            let version = history.lost((lost.generation, &known.key), lost.emptied)?;
            return Ok(version.map_or(Step::Nothing, Step::Change));
        }
        if let Some((generation, version)) = self.versions.pop_front() {
            self.generation = generation;
            return Ok(Step::Change(version));
        }
        if self.ready.is_empty() {
            let Some(found) = self.index.next(&*history.snapshot)? else { return Ok(Step::End) };
            self.ready = found.into();
            return Ok(Step::Nothing);
        }
        if !self.read(history)?
            && let Some(OwnedChange { sequence, generation, .. }) = self.ready.pop_front()
        {
            let emptied = self.generations.get(&generation).copied().flatten();
            let emptied = emptied
                .filter(|(at, _)| *at == sequence)
                .ok_or_else(|| Refusal::internal("rows went at once, and none are lost".to_owned()))?;
            self.lost = Some(self.lost(history, generation, emptied));
        }
        Ok(Step::Nothing)
    }

    /// Reads the versions of the next changes, as many as are read at once; false: next, all rows
    /// of a generation went at once.
    fn read(&mut self, history: &History) -> Result<bool, Refusal> {
        let (mut wanted, mut passed): (Vec<ChangeOf<'_>>, usize) = (Vec::new(), 0);
        for change in &self.ready {
            if self.generations.contains_key(&change.generation) {
                let Some(key) = change.key.as_deref() else { break };
                if self.span.as_ref().is_none_or(|span| span.holds(key)) {
                    if wanted.len() == self.at_once {
                        break;
                    }
                    wanted.push((change.generation, key, change.sequence));
                }
            }
            passed += 1;
        }
        if passed == 0 {
            return Ok(false);
        }
        let Some(versions) = history.versions().of_changes(&wanted, BUDGET)? else {
            self.at_once = (wanted.len() / 4).max(1);
            return Ok(true);
        };
        self.at_once = (self.at_once * 2).min(MOST);
        let generations = wanted.iter().map(|(generation, ..)| *generation);
        self.versions = generations.zip(versions).collect();
        self.ready.drain(..passed);
        Ok(true)
    }

    /// The keys of a generation that loses all rows at once.
    fn lost(&self, history: &History, generation: GenerationId, emptied: Emptied) -> Lost {
        let span = self.span.as_ref();
        let lower = span.map_or(&[][..], |span| &span.lower);
        let bounds = Bounds::new(generation, lower, span.and_then(|span| span.upper.as_deref()));
        let keys = RangeReader::new(bounds, true, (emptied.0, emptied.0), history.end);
        Lost { generation, emptied, keys }
    }
}
