//! How far a record is with what was there before it began.

use serde::{Deserialize, Serialize};

/// How far the first reading of the tables is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineProgress {
    /// Tables that are read to their end.
    pub done: u64,
    /// Tables to be read.
    pub total: u64,
    /// Rows read.
    pub rows: u64,
}

impl BaselineProgress {
    /// Whether there is something left to be read.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.done < self.total
    }
}

/// How much is taken in of the log from before the agent came, which the server still had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogProgress {
    /// Bytes of it that are taken in.
    pub done: u64,
    /// Bytes of all of it.
    pub total: u64,
}
