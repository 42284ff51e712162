//! The rows that tables had before the record: what to read next, and what was read.

use super::Recorder;
use crate::capture::{BaselineJob, BaselineRows};
use crate::checkpoint::{self, Progress};
use crate::engine::{Batch, StoreError};
use crate::history_handle::BaselineProgress;
use crate::image::Image;
use crate::ingest::base_key;
use crate::names::TableState;
use crate::record::Baseline;
use crate::store::{BaseRow, GenerationId, put_base};
use dbtrail_types::result_set::Row;

impl Recorder {
    /// The next part of a table to be read, of any table but these.
    pub(super) fn next_job(&mut self, left_alone: &[GenerationId]) -> Option<BaselineJob> {
        let (name, generation, definition) = self.ingest.names.iter().find_map(|(name, table_states)| {
            let Some((_, TableState::Table(generation, definition))) = table_states.last() else {
                return None;
            };
            let reading = self.ingest.generations.get(generation.0 as usize)?.baseline == Baseline::Reading;
            (reading && !left_alone.contains(generation)).then(|| (name.clone(), *generation, *definition))
        })?;
        let columns = self.ingest.catalog.definition(definition)?.clone();
        let primary = self.ingest.catalog.has_primary(definition);
        let behind = self.reading.get(&generation).and_then(|p| p.behind.clone());
        self.jobs.insert(generation, name.clone());
        Some(BaselineJob { name, generation, definition, columns, primary, behind })
    }

    /// Keeps rows of a table, if it is still the one that was asked for.
    pub(super) fn baseline(&mut self, read: &BaselineRows) -> Result<bool, StoreError> {
        let Some(name) = self.jobs.get(&read.generation).cloned() else { return Ok(false) };
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
        for row in &read.rows {
            let key = match base_key(&definition, row) {
                Ok(key) => key,
                Err(why) => {
                    tracing::warn!(table = %name, "rows of the table cannot be found by key: {why}");
                    if let Some(generation) = self.ingest.space_mut(read.generation) {
                        generation.uncertain.get_or_insert(why);
                        generation.baseline = Baseline::None;
                    }
                    self.unwritten = true;
                    return Ok(false);
                }
            };
            let base = BaseRow { definition: read.definition, row: Image::pack(row) };
            put_base(&mut batch, read.generation, &key, &base);
            kept.push((key, base.row));
        }
        self.ingest.refer_base(&name, read.generation, read.definition, &kept)?;
        if !kept.is_empty() {
            self.ingest.is_used(read.generation);
        }
        let places = definition.primary_key.iter().filter_map(|n| definition.position(n));
        let behind: Option<Row> =
            read.rows.last().map(|row| places.map(|i| row.get(i).cloned().flatten()).collect());
        if read.end {
            self.reading.remove(&read.generation);
            self.jobs.remove(&read.generation);
            checkpoint::write_progress(&mut batch, read.generation, None)?;
            if let Some(generation) = self.ingest.space_mut(read.generation) {
                generation.baseline = Baseline::Whole;
            }
            tracing::info!(table = %name, "all rows of the table were read for _snapshot");
        } else if let Some(behind) = behind {
            let progress = Progress { behind: Some(behind) };
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

    pub(super) fn baseline_progress(&self) -> BaselineProgress {
        let mut progress = BaselineProgress::default();
        for (_, table_states) in self.ingest.names.iter() {
            let Some((_, TableState::Table(generation, _))) = table_states.last() else { continue };
            match self.ingest.generations.get(generation.0 as usize).map(|s| s.baseline) {
                Some(Baseline::Whole) => {
                    progress.done += 1;
                    progress.total += 1;
                }
                Some(Baseline::Reading) => progress.total += 1,
                Some(Baseline::None) | None => {}
            }
        }
        progress.rows = self.state.as_ref().map_or(0, |s| s.baseline_rows);
        progress
    }
}
