//! Where a history is kept, and what a reader reads.

use super::Resolver;
use crate::config::duration;
use dbtrail_history::engine::Location;
use std::time::Duration;

/// Between two looks for what is new in a bucket, where nothing is said.
pub const POLL: Duration = Duration::from_secs(1);
/// What [`poll`] reads.
pub const POLL_FORM: &str = "a duration from 100ms to 60s";

/// Reads the time between two looks for what is new in a bucket.
#[must_use]
pub fn poll(text: &str) -> Option<Duration> {
    let polls = Duration::from_millis(100)..=Duration::from_secs(60);
    duration(text).filter(|poll| polls.contains(poll))
}

/// What is read of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSettings {
    /// Where it is.
    pub data: Location,
    /// Memory for what was read of it, in MiB.
    pub cache: u32,
    /// MiB of the disk for the same; 0: none.
    pub disk_cache: u32,
    /// Between two looks for what is new.
    pub poll: Duration,
}

impl Resolver {
    /// A bucket that another agent captures into.
    pub(super) fn reader(&mut self) -> Option<ReadSettings> {
        let cache = self.parsed("cache", super::cache, super::CACHE_FORM);
        let (disk_cache, poll) = (self.disk_cache(), self.polled());
        let data = self.location("a reader needs the bucket that is captured into")?;
        if data.bucket.is_none() {
            return self.mistake(
                "data",
                format!("{data} is a folder: a reader needs a bucket, such as s3://BUCKET/PREFIX"),
            );
        }
        Some(ReadSettings { data, cache: cache?, disk_cache: disk_cache?, poll: poll? })
    }

    /// Between two looks for what is new in the bucket.
    fn polled(&mut self) -> Option<Duration> {
        self.parsed("poll", poll, POLL_FORM)
    }

    /// MiB of the disk for what was read of a bucket.
    pub(super) fn disk_cache(&mut self) -> Option<u32> {
        self.parsed("disk_cache", |t| t.parse().ok(), "a number of MiB; 0: none")
    }

    /// Between two looks while it stands by; the inner `None`: it does not.
    #[expect(clippy::option_option, reason = "a mistake is not the same as nothing")]
    pub(super) fn standby(&mut self) -> Option<Option<Duration>> {
        let standby = self.one_of("standby", &[("off", false), ("on", true)]);
        let poll = self.polled();
        Some(standby?.then_some(poll?))
    }

    /// Where a history is kept; `why`: why that has to be said.
    pub(super) fn location(&mut self, why: &str) -> Option<Location> {
        let Some(data) = self.text("data").filter(|data| !data.is_empty()) else {
            return self.mistake("data", why.to_owned());
        };
        match Location::parse(&data) {
            Ok(data) => Some(data),
            Err(what) => self.mistake("data", what.to_string()),
        }
    }
}
