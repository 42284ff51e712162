//! What is older than the horizon is dropped, a little at a time, while everything else goes on.
//!
//! The oldest instant moves first and is published; only then are versions removed. An answer under
//! way keeps the snapshot that it began with.

use super::Recorder;
use crate::engine::{Batch, Snapshot, StoreError};
use crate::names::TableState;
use crate::record::Baseline;
use crate::retention::{RetentionAction, Sweeper};
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant as Timer};

/// Between two moves of the horizon at least, and at most.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(6 * 3600);
/// Moves of the horizon in the time that is kept: each is a pass over the whole store.
const MOVES: u32 = 200;
/// Between two looks at pairs: most of the time is the log's.
const PACE: Duration = Duration::from_millis(20);
/// Pairs looked at in one go.
const SLICE: usize = 2000;

/// A pass over the store.
#[derive(Debug)]
pub(super) struct Purge(Sweeper);

impl Recorder {
    /// Moves the horizon when it is time, and goes on with a pass.
    pub(super) fn retain(&mut self) -> Result<(), StoreError> {
        let Some(keep) = self.options.keep else { return Ok(()) };
        if self.purge.is_some() {
            if self.timers.swept.elapsed() < PACE {
                return Ok(());
            }
            let swept = self.sweep();
            self.timers.swept = Timer::now();
            return swept;
        }
        if self.timers.horizon.is_some_and(|t| t.elapsed() < (keep / MOVES).clamp(OFTEN, SELDOM)) {
            return Ok(());
        }
        self.timers.horizon = Some(Timer::now());
        let Some(state) = &self.state else { return Ok(()) };
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_micros(state.coverage.newest.micros().saturating_sub(keep));
        if oldest <= state.coverage.oldest {
            return Ok(());
        }
        self.commit()?;
        self.move_retention_horizon(oldest)
    }

    fn move_retention_horizon(&mut self, oldest: Timestamp) -> Result<(), StoreError> {
        let Some(state) = &mut self.state else { return Ok(()) };
        let snapshot = self.ingest.committed();
        let commit_index = crate::commit_index::CommitIndex {
            snapshot: &*snapshot,
            end: self.ingest.next,
            clock: &self.ingest.entries.clock,
            log_gaps: &state.log_gaps,
            known: &self.ingest.pages,
        };
        let at = commit_index.horizon(oldest)?;
        drop(snapshot);
        state.coverage.oldest = oldest;
        let moved = at > state.horizon.at;
        state.horizon.at = state.horizon.at.max(at);
        let horizon = state.horizon.at;
        state.log_gaps.retain(|log_gap| log_gap.gap.to >= oldest);
        self.unwritten = true;
        self.commit()?;
        if moved {
            self.purge = Some(Purge(Sweeper::new(horizon, oldest)));
        }
        Ok(())
    }

    fn sweep(&mut self) -> Result<(), StoreError> {
        let snapshot = self.ingest.committed();
        let actions = self.actions();
        let Some(Purge(sweeper)) = &mut self.purge else { return Ok(()) };
        let mut batch = Batch::default();
        let dropped = sweeper.step(&*snapshot as &dyn Snapshot, &actions, SLICE, &mut batch)?;
        let done = sweeper.is_done();
        drop(snapshot);
        if let Some(state) = &mut self.state {
            state.horizon.dropped += dropped;
        }
        if !batch.is_empty() {
            self.ingest.add(&batch);
            self.unwritten = true;
            self.commit()?;
        }
        if done {
            self.purge = None;
            tracing::debug!("a pass of retention has ended");
        }
        Ok(())
    }

    /// What becomes of each generation.
    fn actions(&self) -> Vec<RetentionAction> {
        let horizon = self.state.as_ref().map(|s| s.horizon.at).unwrap_or_default();
        let mut wanted = BTreeSet::new();
        for (_, table_states) in self.ingest.names.iter() {
            for (i, (_, table_state)) in table_states.iter().enumerate() {
                let ended = table_states.get(i + 1).is_some_and(|(until, _)| *until < horizon);
                if let (TableState::Table(generation, _), false) = (table_state, ended) {
                    wanted.insert(generation.0);
                }
            }
        }
        let retention_action = |(id, generation): (u32, &crate::record::TableGeneration)| {
            if !wanted.contains(&id) {
                RetentionAction::Gone
            } else if generation.complete || generation.baseline == Baseline::Complete {
                RetentionAction::Complete
            } else {
                RetentionAction::Partial
            }
        };
        (0..).zip(Arc::as_ref(&self.ingest.generations)).map(retention_action).collect()
    }
}
