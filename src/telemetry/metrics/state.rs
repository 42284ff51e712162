//! What the metrics tell of the server as a whole.

use super::{Metrics, audit};
use std::time::Duration;

/// How the server as a whole is.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Readings of the configuration that were taken.
    pub reloads_taken: u64,
    /// Readings that were refused.
    pub reloads_refused: u64,
    /// The last one was taken.
    pub reload_good: bool,
    /// When the last one was taken, in seconds of Unix time.
    pub reloaded_at: u64,
    /// The audit log is off, or took its last line.
    pub audit_writable: bool,
}

impl Metrics {
    /// What is of the server as a whole, and tells of no user.
    #[must_use]
    pub fn state(&self) -> State {
        let reloads = |outcome| self.reloads.get_or_create(&[("outcome", outcome)]).get();
        let at = Duration::try_from_secs_f64(self.reloaded_at.get()).unwrap_or_default();
        State {
            reloads_taken: reloads("taken"),
            reloads_refused: reloads("refused"),
            reload_good: self.reload_good.get() == 1,
            reloaded_at: at.as_secs(),
            audit_writable: audit::figures().2,
        }
    }
}
