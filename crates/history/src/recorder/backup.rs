//! The writing half while a copy of the store is made.

use super::{PAUSE, Recorder};
use crate::capture::CaptureEvent;
use crate::engine::StoreError;
use tokio::sync::mpsc;

impl Recorder {
    /// Waits while a copy of the store is made: what the server sends waits in the server.
    pub(super) fn backup(&mut self, inputs: &mpsc::Receiver<CaptureEvent>) -> Result<(), StoreError> {
        if !self.history_handle.backup_runs() {
            return Ok(());
        }
        self.commit()?;
        tracing::info!("a backup is being made: capturing waits for it");
        while self.history_handle.backup_runs() && !inputs.is_closed() {
            std::thread::sleep(PAUSE);
        }
        tracing::info!("capturing goes on");
        Ok(())
    }
}
