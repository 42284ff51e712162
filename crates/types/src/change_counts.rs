//! `POST /v1/change_counts`: how many rows changed, step by step of a window.
//!
//! The answer has a header line, a line for each step in which something happened, and a trailer.

use crate::names::{ServerId, TableName};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Where it is asked, below the base URL.
pub const PATH: &str = "/v1/change_counts";

/// Steps that a window may have at most.
pub const MOST_STEPS: u64 = 2_000;

/// Body of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeCountsRequest {
    /// Whose history.
    pub server_id: ServerId,
    /// Start of the window. Steps are those of the clock (of Unix time): the first one is cut here.
    pub since: Timestamp,
    /// Its end, inclusive, where the last one is cut.
    pub until: Timestamp,
    /// Length of a step, in seconds.
    pub step_seconds: u32,
    /// Changes of this table alone; left out: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableName>,
    /// The real schemas that the asker may see: nothing of another one is counted. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemas: Option<Vec<String>>,
}

/// The first line of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCountsHeader {
    /// Always true here.
    pub success: bool,
    /// As it was asked for.
    pub step_seconds: u32,
}

/// A line of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCountsLine {
    /// What happened in a step.
    pub step: ChangeCounts,
}

/// What happened in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCounts {
    /// Where it begins by the clock: of the first one that may lie before the window.
    pub from: Timestamp,
    /// Transactions that touched what is counted (statements that changed definitions too).
    pub transactions: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted one by one.
    pub deleted: u64,
    /// How often a table lost all of its rows at once (TRUNCATE, DROP), which are not counted.
    pub emptied: u64,
}
