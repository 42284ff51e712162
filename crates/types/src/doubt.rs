//! `POST /v1/doubt`: rows of a table are not what the history says: whoever found that puts the
//! table in doubt from the last instant at which it is known to have been true.

use crate::names::{ServerId, TableName};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Where it is given, below the base URL.
pub const PATH: &str = "/v1/doubt";

/// Characters of a reason at most.
pub const MOST_REASON: usize = 1000;

/// Body of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoubtRequest {
    /// Whose history.
    pub server_id: ServerId,
    /// The table.
    pub table: TableName,
    /// The last instant at which it is known to have been true; after it nothing is known of the
    /// table up to now.
    pub since: Timestamp,
    /// What was found: for the person who asks for the table.
    pub reason: String,
}

/// The answer: it is carried out within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubtTaken {
    /// Always true here.
    pub success: bool,
}
