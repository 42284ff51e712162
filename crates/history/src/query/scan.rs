//! All rows of a range of keys at one instant, in the order of the keys.
//!
//! The answer is made while it is sent: a page of the store at a time, so that neither its length
//! nor the size of the table costs memory.

use super::question::{Question, Reading};
use super::{History, Refusal};
use crate::commit_index::ReadPoint;
use crate::image::Image;
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{Bounds, GenerationId, KeyContent, RangeReader, RowAtPosition};
use dbtrail_types::agent_api::code;
use dbtrail_types::names::TableName;
use std::time::{Duration, Instant};

/// A range that is being read.
#[derive(Debug)]
pub(super) struct Scan {
    name: TableName,
    generation: GenerationId,
    definition: DefinitionId,
    cut: ReadPoint,
    reading: Reading,
    reader: RangeReader,
}

/// What the next key came to.
pub(super) enum Step {
    /// A row, under a definition.
    Row(Image, DefinitionId),
    /// It has none.
    NoRow,
    /// There is no key left.
    End,
}

impl Scan {
    /// Begins to read.
    ///
    /// # Errors
    /// The table may have rows of which the record says nothing.
    pub(super) fn new(question: &Question<'_>, bounds: Bounds, reading: Reading) -> Result<Self, Refusal> {
        let generation = question.found.generation;
        let base = reading == Reading::Snapshot && generation.baseline == Baseline::Complete;
        let lost = generation.last_lost(question.cut.at, question.history.end).is_some();
        if !(generation.complete || base) || lost {
            return Err(Refusal::new(
                422,
                code::NOT_RECORDED,
                format!(
                    "{} may have rows of which the record says nothing, so that no list of its rows would be complete: {}{}",
                    question.name,
                    question.since("its creation is not in the record"),
                    question.advice(reading)
                ),
            ));
        }
        let cut = question.cut;
        let mut reader = RangeReader::new(bounds, base, (cut.at, cut.doubtful), question.history.end);
        reader.unchecked = question.history.unchecked;
        Ok(Self {
            name: question.name.clone(),
            generation: question.found.generation_id,
            definition: question.found.definition_id,
            cut,
            reading,
            reader,
        })
    }

    fn question<'a>(&self, history: &'a History) -> Result<Question<'a>, Refusal> {
        let found = history.found(&self.name, self.generation, self.definition)?;
        Ok(Question { history, name: self.name.clone(), found, cut: self.cut })
    }

    /// The next key.
    ///
    /// # Errors
    /// A row is not known at the instant, or does not fit into the table as it was then.
    pub(super) fn next(&mut self, history: &History) -> Result<Step, Refusal> {
        let Some(KeyContent { key, reported, base }) = self.reader.next(&*history.snapshot)? else {
            return Ok(Step::End);
        };
        let row = match reported {
            RowAtPosition::Row(row, definition) => row.map(|row| (row, definition)),
            RowAtPosition::Before(row, next) => match base {
                // A row that was read before an ALTER is what the row was until its first change
                // after that.
                Some(base) if history.catalog.precedes(base.definition, next) => {
                    Some((base.row, base.definition))
                }
                _ => row.map(|row| (row, next)),
            },
            RowAtPosition::Nothing => base.map(|base| (base.row, base.definition)),
            RowAtPosition::Ask => self.question(history)?.row(&key, self.reading)?,
        };
        let Some((row, under)) = row else { return Ok(Step::NoRow) };
        if under != self.definition || !history.catalog.generated(under).is_empty() {
            let question = self.question(history)?;
            question.can_carry(&row, under)?;
            return Ok(Step::Row(question.filled(&key, row, under)?, under));
        }
        Ok(Step::Row(row, under))
    }
}

/// How long one chunk is made: then whoever waits for it is looked after, and whoever went away is
/// noticed.
#[derive(Debug)]
pub(super) struct Turn {
    until: Instant,
    steps: u32,
}

/// The longest turn.
const TURN: Duration = Duration::from_millis(20);
/// Steps between two looks at the clock.
const STEPS: u32 = 128;

impl Turn {
    pub(super) fn new() -> Self {
        Self { until: Instant::now() + TURN, steps: 0 }
    }

    /// Whether the turn is over, after a step that took long.
    pub(super) fn has_passed(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Counts a step, and says whether the turn is over.
    pub(super) fn is_over(&mut self) -> bool {
        self.steps = self.steps.wrapping_add(1);
        self.steps.is_multiple_of(STEPS) && Instant::now() >= self.until
    }
}
