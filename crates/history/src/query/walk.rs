//! All changes of a table in a stretch of the log, in its order, by the index of changes: it costs
//! what happened there, and not what is kept.

use super::keys::Span;
use super::window::Emptied;
use super::{History, Refusal};
use crate::changes::{self, OwnedChange};
use crate::store::{Bounds, ChangeSequence, GenerationId, RangeReader, RowAtPosition, Version};
use std::collections::{BTreeMap, VecDeque};

/// See the module.
#[derive(Debug)]
pub(super) struct Walk {
    index: changes::Walk,
    ready: VecDeque<OwnedChange>,
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
    Change(Box<Version>),
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
        Ok(Self { index, ready: VecDeque::new(), generations, span, lost: None, generation: GenerationId(0) })
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
            return Ok(version.map_or(Step::Nothing, |version| Step::Change(Box::new(version))));
        }
        let Some(change) = self.ready.pop_front() else {
            let Some(found) = self.index.next(&*history.snapshot)? else { return Ok(Step::End) };
            self.ready = found.into();
            return Ok(Step::Nothing);
        };
        let Some(emptied) = self.generations.get(&change.generation) else { return Ok(Step::Nothing) };
        let Some(key) = change.key else {
            let emptied = emptied.filter(|(at, _)| *at == change.sequence);
            let emptied = emptied
                .ok_or_else(|| Refusal::internal("rows went at once, and none are lost".to_owned()))?;
            self.lost = Some(self.lost(history, change.generation, emptied));
            return Ok(Step::Nothing);
        };
        if self.span.as_ref().is_some_and(|span| !span.holds(&key)) {
            return Ok(Step::Nothing);
        }
        self.generation = change.generation;
        let position = (change.sequence, change.sequence.next());
        let version = history.versions().first(change.generation, &key, position)?;
        let version = version.ok_or_else(|| Refusal::internal("a change without its rows".to_owned()))?;
        Ok(Step::Change(Box::new(version)))
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
