//! The rows that tables had before the record: what to read next, and what was read.

use super::Recorder;
use crate::capture::{BaselineJob, BaselineRows};
use crate::checkpoint::{self, Progress};
use crate::engine::{Batch, StoreError};
use crate::history_handle::BaselineProgress;
use crate::image::Image;
use crate::ingest::{RowError, base_key, base_prefix};
use crate::key::KeyError;
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::store::{BaseRow, EncodedKey, GenerationId, put_base};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::Row;

/// Seen after EXCHANGE PARTITION ... WITHOUT VALIDATION: a server looks for a key in one partition
/// alone.
const TWO_ROWS: &str =
    "the server has two rows with one key (rows lie in partitions to which they do not belong)";

/// A table of which not all rows were read.
type Unread = (TableName, GenerationId, DefinitionId);

/// The key of which these are the values.
fn key_of(definition: &TableDefinition, positions: &[usize], values: &Row) -> Option<EncodedKey> {
    let mut row = vec![None; definition.columns.len()];
    for (position, value) in positions.iter().zip(values) {
        row.get_mut(*position)?.clone_from(value);
    }
    base_key(definition, &row).ok()
}

impl Recorder {
    /// The next part of a table to be read, of any table but these.
    pub(super) fn next_job(
        &mut self,
        left_alone: &[GenerationId],
    ) -> Result<Option<BaselineJob>, StoreError> {
        // Whoever asks reads nothing now.
        self.go_on()?;
        let Some(mut unread) = self.unread(left_alone, None) else { return Ok(None) };
        let mut held = false;
        if self.wants_hold(&unread.0, unread.1) {
            unread = self.above(unread, left_alone);
            held = self.wants_hold(&unread.0, unread.1) && self.hold(&unread.0);
        }
        Ok(self.job(unread).map(|job| BaselineJob { held, ..job }))
    }

    /// Whether a table is to be read.
    pub(super) fn has_job(&self) -> bool {
        self.unread(&[], None).is_some()
    }

    /// A table of which not all rows were read; `only`: if it is this one.
    pub(super) fn unread(&self, left_alone: &[GenerationId], only: Option<&TableName>) -> Option<Unread> {
        let of = |name: &TableName| {
            let TableState::Table(generation, definition) = self.ingest.names.current(name) else {
                return None;
            };
            let reading = self.ingest.generations.get(generation.0 as usize)?.baseline == Baseline::Reading;
            (reading && !left_alone.contains(&generation)).then(|| (name.clone(), generation, definition))
        };
        match only {
            Some(name) => of(name),
            None => self.ingest.names.iter().find_map(|(name, _)| of(name)),
        }
    }

    /// What is to be read before a table, since its foreign keys refer to it: what is not known of
    /// a parent makes the rows of its children unknown.
    fn above(&self, table: Unread, left_alone: &[GenerationId]) -> Unread {
        let (mut last, mut passed) = (table, Vec::new());
        loop {
            passed.push(last.0.clone());
            let keys = self.ingest.catalog.followed_keys(&last.0);
            let mut parents = keys.iter().filter(|key| !passed.contains(&key.parent));
            match parents.find_map(|key| self.unread(left_alone, Some(&key.parent))) {
                Some(next) => last = next,
                None => return last,
            }
        }
    }

    pub(super) fn job(&mut self, (name, generation, definition): Unread) -> Option<BaselineJob> {
        let columns = self.ingest.catalog.definition(definition)?.clone();
        let primary = self.ingest.catalog.has_primary(definition);
        let last_key = self.reading.get(&generation).and_then(|p| p.last_key.clone());
        self.jobs.insert(generation, name.clone());
        self.ingest.being_read.insert(generation);
        Some(BaselineJob { name, generation, definition, columns, primary, last_key, held: false })
    }

    /// Keeps rows of a table, if it is still the one that was asked for.
    pub(super) fn baseline(&mut self, read: &BaselineRows) -> Result<bool, StoreError> {
        let Some(name) = self.jobs.get(&read.generation).cloned() else { return Ok(false) };
        // Rows went meanwhile that may be among these.
        if !self.ingest.being_read.contains(&read.generation) {
            return Ok(false);
        }
        let same = self.ingest.names.current(&name) == TableState::Table(read.generation, read.definition);
        let reading = self
            .ingest
            .generations
            .get(read.generation.0 as usize)
            .is_some_and(|s| s.baseline == Baseline::Reading);
        let definition = self.ingest.catalog.definition(read.definition).cloned();
        let (Some(definition), true, true) = (definition, same, reading) else { return Ok(false) };
        let mut batch = Batch::default();
        let mut kept = Vec::with_capacity(read.rows.len());
        let positions: Vec<_> =
            definition.primary_key.iter().filter_map(|n| definition.position(n)).collect();
        let progress = self.reading.get(&read.generation);
        // The row at which the piece before this one ended comes again, once.
        let mut ended_at = progress.and_then(|p| key_of(&definition, &positions, p.last_key.as_ref()?));
        let mut again = None;
        for row in &read.rows {
            let key = match base_key(&definition, row) {
                Ok(key) => key,
                Err(RowError::Key(why @ KeyError::UnknownWeight { .. })) => {
                    if let Some(generation) = self.ingest.generation_mut(read.generation) {
                        generation.unplace(&base_prefix(&definition, row), &why.to_string());
                    }
                    continue;
                }
                Err(why) => {
                    self.cannot_be_keyed(&name, read.generation, &why.to_string());
                    return Ok(false);
                }
            };
            if ended_at.take_if(|last| *last == key).is_some() {
                again = Some(key);
                continue;
            }
            // They come in the order of their keys.
            if kept.last().map(|(last, _)| last).or(again.as_ref()) == Some(&key) {
                self.cannot_be_keyed(&name, read.generation, TWO_ROWS);
                return Ok(false);
            }
            let base = BaseRow { definition: read.definition, row: Image::pack(row) };
            put_base(&mut batch, read.generation, &key, &base);
            kept.push((key, base.row));
        }
        self.ingest.refer_base(&name, read.generation, read.definition, &kept)?;
        if !kept.is_empty() {
            self.ingest.is_used(read.generation);
        }
        let key_cells = |row: &Row| positions.iter().map(|i| row.get(*i).cloned().flatten()).collect();
        let last_key: Option<Row> = read.rows.last().map(key_cells);
        if read.end {
            self.reading.remove(&read.generation);
            self.jobs.remove(&read.generation);
            self.ingest.being_read.remove(&read.generation);
            checkpoint::write_progress(&mut batch, read.generation, None)?;
            if let Some(generation) = self.ingest.generation_mut(read.generation) {
                generation.baseline = Baseline::Complete;
            }
            self.readings_end(&name);
            tracing::info!(table = %name, "all rows of the table were read for _snapshot");
        } else if let Some(last_key) = last_key {
            let progress = Progress { last_key: Some(last_key) };
            checkpoint::write_progress(&mut batch, read.generation, Some(&progress))?;
            self.reading.insert(read.generation, progress);
        }
        if let Some(state) = &mut self.state {
            state.baseline_rows += read.rows.len() as u64;
        }
        self.ingest.add(&batch);
        self.unwritten = true;
        Ok(true)
    }

    /// Rows of a table cannot be found by key: it is read no further.
    fn cannot_be_keyed(&mut self, name: &TableName, generation: GenerationId, why: &str) {
        tracing::warn!(table = %name, "rows of the table cannot be found by key: {why}");
        if let Some(generation) = self.ingest.generation_mut(generation) {
            generation.unfindable.get_or_insert_with(|| why.to_owned());
            generation.baseline = Baseline::None;
        }
        self.unwritten = true;
    }

    pub(super) fn baseline_progress(&self) -> BaselineProgress {
        let mut progress = BaselineProgress::default();
        for (_, table_states) in self.ingest.names.iter() {
            let Some((_, TableState::Table(generation, _))) = table_states.last() else { continue };
            match self.ingest.generations.get(generation.0 as usize).map(|s| s.baseline) {
                Some(Baseline::Complete) => {
                    progress.done += 1;
                    progress.total += 1;
                }
                Some(Baseline::Reading) => progress.total += 1,
                Some(Baseline::None) | None => {}
            }
        }
        progress.total += self.tables_to_come();
        progress.rows = self.state.as_ref().map_or(0, |s| s.baseline_rows);
        progress
    }
}
