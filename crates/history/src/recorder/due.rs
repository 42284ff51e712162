//! What is due from time to time, and tables that somebody found not to be what the history says.

use super::Recorder;
use crate::engine::StoreError;
use crate::names::TableState;
use crate::record::History;
use dbtrail_types::doubt::DoubtRequest;
use std::time::{Duration, Instant as Timer};

/// Between two writes to the disk itself: what a loss of power can take back, and the source sends
/// again.
const SYNC: Duration = Duration::from_secs(1);
/// Between two looks at the size on disk.
const MEASURE: Duration = Duration::from_secs(5);
/// Changes that are compared at a time: the log waits meanwhile.
const CHECKED: usize = 256;

impl Recorder {
    /// What is due from time to time.
    pub(super) fn due(&mut self) -> Result<(), StoreError> {
        self.ingest.engine().check()?;
        if self.unsynced && self.timers.synced.elapsed() >= SYNC {
            self.ingest.engine().sync()?;
            self.unsynced = false;
            self.timers.synced = Timer::now();
        }
        if self.timers.measured.is_none_or(|t| t.elapsed() >= MEASURE) {
            self.timers.measured = Some(Timer::now());
            let bytes = self.ingest.engine().bytes();
            self.history_handle.update(|l| l.bytes_on_disk = bytes);
        }
        self.doubts_due()?;
        self.renew_due();
        self.look_again();
        self.hold_due()?;
        self.retain()
    }

    /// Whether there is time for changes that were put off, and there are some.
    pub(super) fn has_unchecked(&self) -> bool {
        !self.unwritten && self.state.is_some() && self.ingest.has_unchecked()
    }

    /// Compares some of the changes that were put off with what was before them.
    pub(super) fn check_some(&mut self) -> Result<(), StoreError> {
        let Some(state) = &self.state else { return Ok(()) };
        let misfits = self.ingest.check_some(state.horizon.at, CHECKED)?;
        self.ingest.misfits(&misfits);
        // How far that is is worth a batch of its own only when it is all of it.
        self.unwritten |= !misfits.is_empty() || !self.ingest.has_unchecked();
        Ok(())
    }

    /// Carries out what was given since the last time (`POST /v1/doubt`).
    fn doubts_due(&mut self) -> Result<(), StoreError> {
        // They wait while nothing is served by which their instants are positions.
        let Some(history) = self.history_handle.current() else { return Ok(()) };
        for doubt in self.history_handle.take_doubts() {
            self.doubted(&doubt, &history)?;
        }
        Ok(())
    }

    /// From the last instant at which the table was true nothing is known of it up to here, where
    /// its record begins again.
    fn doubted(&mut self, doubt: &DoubtRequest, history: &History) -> Result<(), StoreError> {
        let name = self.ingest.catalog.folded(doubt.table.clone());
        let noticed = self.ingest.next;
        let from = history.commit_index().cut(doubt.since)?.at.min(noticed);
        if !matches!(self.ingest.names.current(&name), TableState::Table(..)) {
            // It was dropped or became unreadable since it was looked at: what it was before that
            // is not true either.
            self.doubt_past(&name, from, &doubt.reason);
            return Ok(());
        }
        // A number of its own: the table holds from after it on.
        self.ingest.next = noticed.next();
        tracing::error!(table = %name, since = %doubt.since, "the table is in doubt: {}", doubt.reason);
        self.retract(&name, from, &doubt.reason);
        self.renew(&name);
        Ok(())
    }
}
