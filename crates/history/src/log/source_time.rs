//! Which of its two commit times a replica's transaction is recorded with.

use serde::{Deserialize, Serialize};

/// Which time of a transaction counts, where a replica applied it and its log has two (MySQL 8.0.1
/// and newer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceTime {
    /// That of its commit on the server whose log it is: what could be seen there.
    #[default]
    Local,
    /// That of its commit on the server where it was made.
    Original,
}

impl SourceTime {
    /// Reads `local` or `original`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "local" => Some(Self::Local),
            "original" => Some(Self::Original),
            _ => None,
        }
    }
}
