//! The part of the log from before the agent came, which the server still had.

use super::{Recorder, Waiting};
use crate::binlog_position::BinlogPosition;
use crate::capture::Backlog;
use crate::history_handle::BacklogProgress;
use crate::log::{CommittedTransaction, SourceTime, Stamp};
use dbtrail_types::timestamp::Timestamp;

/// How far it is taken in.
#[derive(Debug)]
pub(super) struct TakenIn {
    to: BinlogPosition,
    bytes: u64,
    /// Bytes that were taken in before it.
    before: u64,
    /// The newest instant that the log itself tells of.
    newest: Option<Timestamp>,
}

impl Recorder {
    /// Definitions that hold from positions inside of it on wait for the log to come there.
    pub(super) fn take_backlog(&mut self, backlog: Backlog) {
        let Backlog { to, bytes, definitions } = backlog;
        for (mut definition, reason) in definitions {
            let name = self.ingest.catalog.folded(definition.what.name.clone());
            definition.what.name = name.clone();
            self.ingest.unknown_since.insert(name, reason.to_string());
            self.waiting.push_back(Waiting::Definition(definition));
        }
        self.backlog = Some(TakenIn { to, bytes, before: self.bytes, newest: None });
    }

    /// A server that stamps each commit while it writes it stamps what follows later: up to there
    /// the record is complete. Others stamp beginnings, and what follows may have begun before.
    pub(super) fn note_backlog(&mut self, entry: &CommittedTransaction) {
        let stamped = entry.stamp == Stamp::Commit && self.options.source_time == SourceTime::Local;
        if let Some(backlog) = &mut self.backlog
            && stamped
        {
            backlog.newest = Some(Timestamp::from_micros(entry.committed.micros() - 1));
        }
    }

    /// Instants that are given for certain while it is still taken in are answered.
    pub(super) fn backlog_reached(&mut self) {
        let Some(backlog) = &self.backlog else { return };
        if let (Some(state), Some(newest)) = (&mut self.state, backlog.newest)
            && newest > state.coverage.newest
        {
            state.coverage.newest = newest;
            self.unwritten = true;
        }
        if self.reader.position().reaches(&backlog.to) {
            tracing::warn!("what the server had of its log is taken in, up to {}", backlog.to);
            self.backlog = None;
        }
    }

    /// Tables that it will be known only inside of it how they are.
    pub(super) fn tables_to_come(&self) -> u64 {
        let definitions = self.waiting.iter().filter(|waiting| matches!(waiting, Waiting::Definition(_)));
        if self.backlog.is_some() { definitions.count() as u64 } else { 0 }
    }

    /// How far it is; `None`: there is none.
    pub(super) fn backlog_progress(&self) -> Option<BacklogProgress> {
        let backlog = self.backlog.as_ref()?;
        let done = self.bytes.saturating_sub(backlog.before).min(backlog.bytes);
        Some(BacklogProgress { done, total: backlog.bytes })
    }
}
