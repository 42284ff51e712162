//! What a name meant from some position in the log on.

use crate::schema::DefinitionId;
use crate::store::GenerationId;
use serde::{Deserialize, Serialize};

/// What a name meant from some position on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableState {
    /// There was no such table.
    Absent,
    /// The record says nothing of its columns (yet). `empty`: that it began without rows here is in
    /// the record.
    Unknown {
        /// Whether it was empty where this state begins.
        empty: bool,
    },
    /// A table that can be read.
    Table(GenerationId, DefinitionId),
    /// It cannot be read: why.
    Unreadable(UnreadableReason),
}

/// Why a table cannot be read; stored, and shown, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(from = "String", into = "String")]
pub enum UnreadableReason {
    /// The include and exclude patterns leave it out.
    #[error("{NOT_CAPTURED}")]
    NotCaptured,
    /// What the log, a declaration or its rows have against it.
    #[error("{0}")]
    Because(String),
}

const NOT_CAPTURED: &str = "the agent was told not to capture it (its include and exclude patterns)";

impl From<String> for UnreadableReason {
    fn from(sentence: String) -> Self {
        if sentence == NOT_CAPTURED { Self::NotCaptured } else { Self::Because(sentence) }
    }
}

impl From<UnreadableReason> for String {
    fn from(reason: UnreadableReason) -> Self {
        reason.to_string()
    }
}

impl TableState {
    /// A table that cannot be read, and why: a sentence.
    #[must_use]
    pub const fn unreadable(reason: String) -> Self {
        Self::Unreadable(UnreadableReason::Because(reason))
    }
}
