//! Where a history is kept, and what a reader reads.

use super::Resolver;
use dbtrail_history::engine::Location;
use std::time::Duration;

/// What is read of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSettings {
    /// Where it is.
    pub data: Location,
    /// Memory for what was read of it, in MiB.
    pub cache: u32,
    /// Between two looks for what is new.
    pub poll: Duration,
}

impl Resolver {
    /// Where the history of a source is kept.
    pub(super) fn location(&mut self) -> Option<Location> {
        let Some(data) = self.text("data").filter(|data| !data.is_empty()) else {
            return self.mistake("data", "a source needs a folder to keep its history in".to_owned());
        };
        match Location::parse(&data) {
            Ok(data) => Some(data),
            Err(what) => self.mistake("data", what.to_string()),
        }
    }
}
