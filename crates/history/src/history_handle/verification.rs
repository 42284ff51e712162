//! How far the comparison with the server's rows is.

use dbtrail_types::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the comparison with the server's rows is, which goes on in the background.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Rows that were compared since the agent started.
    pub rows: u64,
    /// When the last round over all tables began that came to its end.
    pub proven: Option<Timestamp>,
    /// Tables of that round whose rows were not those of the history. They are in doubt.
    pub differing: Vec<String>,
    /// Why the round that goes on now does not, if so.
    pub reason: Option<String>,
}
