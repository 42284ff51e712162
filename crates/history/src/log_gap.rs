//! A part of the log that was not read.

use crate::capture::Gap;
use crate::store::ChangeSequence;
use serde::{Deserialize, Serialize};

/// A part of the log that was not read, and where it is among the changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGap {
    /// The first change after it.
    pub at: ChangeSequence,
    /// When, and why.
    pub gap: Gap,
}
