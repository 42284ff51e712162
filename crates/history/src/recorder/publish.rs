//! What was committed becomes what is served.

use super::Recorder;
use crate::binlog_position::ResumePosition;
use crate::history_handle::CaptureStatus;
use std::sync::Arc;

impl Recorder {
    /// Makes the history of the last commit the one that answers, as soon as it is durable.
    pub(super) fn publish(&mut self) {
        let Some(state) = &self.state else { return };
        let mut history = self.ingest.history(self.server_id.clone(), state.coverage);
        history.log_gaps = Arc::new(state.log_gaps.clone());
        history.horizon = state.horizon;
        let position = ResumePosition { gtids: self.ingest.gtids.executed(), ..state.position.clone() };
        let gaps = state.log_gaps.iter().map(|h| h.gap.clone()).collect();
        let (baseline, backlog) = (self.baseline_progress(), self.backlog_progress());
        let (events, bytes, versions) =
            (self.events, self.bytes, state.versions.saturating_sub(state.horizon.dropped));
        let (newest, purged) = (state.coverage.newest, state.horizon.dropped);
        let published = move |l: &mut CaptureStatus| {
            l.position = Some(position);
            l.clock = Some(newest);
            l.gaps = gaps;
            l.baseline = baseline;
            l.backlog = backlog;
            l.events = events;
            l.bytes = bytes;
            l.versions = versions;
            l.purged = purged;
        };
        let handle = Arc::clone(&self.history_handle);
        self.ingest.engine().when_durable(Box::new(move |outcome| match outcome {
            Ok(()) => {
                handle.set(Arc::new(history));
                handle.update(published);
            }
            Err(error) => handle.update(|l| l.failed = Some(error.into())),
        }));
    }
}
