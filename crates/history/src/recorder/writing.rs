//! The loop of the writing half: takes what comes, and writes it in batches while there is room.

use super::{PAUSE, Recorder};
use crate::capture::{CaptureCommand, CaptureEvent};
use crate::checkpoint;
use crate::disk_space;
use crate::engine::{Batch, StoreError};
use std::time::{Duration, Instant as Timer};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

/// Operations after which a batch is written, when events come without a pause.
const BATCH: usize = 16 * 1024;
/// Messages that wait where the log has more than can be taken in just now.
const LAGGING: usize = 128;
/// Bytes of the log after which a batch is written.
const BATCH_BYTES: u64 = 16 << 20;
/// How long a batch waits for more, and how long at most while more comes.
const LINGER: Duration = Duration::from_millis(2);
const LATE: Duration = Duration::from_millis(100);

impl Recorder {
    /// Writes until the other half is gone. Blocks: for a thread of its own inside of a runtime.
    ///
    /// # Errors
    /// The store failed; what was written before is whole.
    pub fn run(
        mut self,
        runtime: &tokio::runtime::Handle,
        mut inputs: mpsc::Receiver<CaptureEvent>,
        command_queue: &mpsc::Sender<CaptureCommand>,
    ) -> Result<(), StoreError> {
        let done = self.drive(runtime, &mut inputs, command_queue);
        if let Err(error) = &done {
            tracing::error!(%error, "the history is not written: the store is opened again in a while");
            self.history_handle.update(|l| l.failed = Some(error.clone().into()));
        }
        done
    }

    fn drive(
        &mut self,
        runtime: &tokio::runtime::Handle,
        inputs: &mut mpsc::Receiver<CaptureEvent>,
        command_queue: &mpsc::Sender<CaptureCommand>,
    ) -> Result<(), StoreError> {
        self.command(CaptureCommand::Baseline);
        self.renew_lost();
        let mut patient = false;
        loop {
            self.room(inputs)?;
            self.backup(inputs)?;
            self.ingest.is_lagging(inputs.len() >= LAGGING);
            let input = match inputs.try_recv() {
                Ok(input) => {
                    patient = true;
                    Some(input)
                }
                Err(TryRecvError::Disconnected) => break,
                // Whoever sent this much has more to send, and may only wait for the processor: to
                // fall asleep and be woken for every message costs more.
                Err(TryRecvError::Empty) if std::mem::take(&mut patient) => {
                    std::thread::yield_now();
                    continue;
                }
                Err(TryRecvError::Empty) if self.has_unchecked() => {
                    self.check_some()?;
                    None
                }
                Err(TryRecvError::Empty) => {
                    let patience = if self.unwritten { LINGER } else { PAUSE };
                    match runtime.block_on(async { tokio::time::timeout(patience, inputs.recv()).await }) {
                        Ok(Some(input)) => Some(input),
                        Ok(None) => break,
                        Err(_) => {
                            self.commit()?;
                            None
                        }
                    }
                }
            };
            if let Some(input) = input {
                self.take(input)?;
            }
            self.commit_if_full()?;
            self.commit_if_late()?;
            self.due()?;
            while let Some(command) = self.command_queue.pop_front() {
                if let Err(refused) = command_queue.try_send(command) {
                    self.command_queue.push_front(refused.into_inner());
                    break;
                }
            }
        }
        self.unwritten |= self.state.as_ref().is_some_and(|s| Some(s.coverage.newest) != self.written);
        self.commit()?;
        self.ingest.engine().sync()
    }

    /// Waits until there is room on the disk; readings go on meanwhile. What the server sends waits
    /// in the server.
    fn room(&mut self, inputs: &mpsc::Receiver<CaptureEvent>) -> Result<(), StoreError> {
        if self.timers.room.is_some_and(|t| t.elapsed() < PAUSE) {
            return Ok(());
        }
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        let mut waits = false;
        loop {
            self.timers.room = Some(Timer::now());
            let free = disk_space::free(&folder).ok();
            // A little more than what it began to wait at, not to go to and fro.
            let reserve = self.options.disk.reserve;
            let shortage = disk_space::shortage(&folder, if waits { reserve + reserve / 8 } else { reserve });
            if let Some(why) = shortage.as_ref().filter(|_| !waits) {
                tracing::error!("{why}");
            }
            if waits && shortage.is_none() {
                tracing::warn!("there is room on the disk again: capturing goes on");
            }
            waits = shortage.is_some();
            self.history_handle.update(|l| {
                l.disk_free = free;
                l.shortage = shortage;
            });
            // The other half is gone: what was taken in is still written.
            if !waits || inputs.is_closed() {
                return Ok(());
            }
            // Retention makes room, and takes a little of what is left.
            if free.is_some_and(|free| free > reserve / 2) {
                self.due()?;
            }
            std::thread::sleep(PAUSE);
        }
    }

    pub(super) fn commit_if_full(&mut self) -> Result<(), StoreError> {
        if self.ingest.waiting() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    pub(super) fn commit_if_late(&mut self) -> Result<(), StoreError> {
        if self.unwritten && self.timers.committed.elapsed() >= LATE { self.commit() } else { Ok(()) }
    }

    /// Writes what was taken in as one batch, and publishes the history with it.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        self.backlog_reached();
        let Some(state) = &mut self.state else { return Ok(()) };
        if !self.unwritten && self.ingest.waiting() == 0 {
            return Ok(());
        }
        let ingest = &mut self.ingest;
        let before = state.next;
        state.resume = self.reader.resume(&state.position.at);
        state.next = ingest.next;
        state.changes = ingest.changes;
        state.versions = ingest.versions;
        state.clock = ingest.entries.clock.clone();
        state.gtids = ingest.gtids.clone();
        state.checked = Some(ingest.checked());
        let mut batch = Batch::default();
        let changed = checkpoint::write(ingest, state, &mut batch)?;
        ingest.commit(&batch)?;
        self.written = Some(state.coverage.newest);
        self.unwritten = false;
        self.timers.committed = Timer::now();
        self.unsynced = true;
        self.batch_bytes = 0;
        self.publish();
        self.look_at(&changed, before);
        Ok(())
    }
}
