//! `agent --read`: a reader of what another agent captures into a bucket.

use super::live::Running;
use super::{CONFIG, CannotStart};
use crate::config::agent::{CACHE, Origin, ReadSettings};
use crate::config::duration;
use clap::Args;
use dbtrail_history::HistoryHandle;
use dbtrail_history::engine::Location;
use dbtrail_history::follower::Follower;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const POLL: Duration = Duration::from_secs(1);
/// What `--poll` may be.
const POLLS: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

/// What is of those that write.
const WRITING: [&str; 16] = [
    "backfill",
    "source_password_file",
    "keep",
    "disk_reserve",
    "verify",
    "baseline_rate",
    "no_baseline",
    "no_connections",
    "replica_id",
    "include",
    "exclude",
    "no_statements",
    "source_time",
    "schema",
    "doubt_token_file",
    "preflight_only",
];

/// Arguments of a reader.
#[derive(Clone, Debug, Args)]
pub(super) struct ReadArgs {
    /// Capture nothing: answer from the bucket of --data, into which another agent captures. As
    /// many as wanted may read.
    #[arg(long, requires = "data", conflicts_with_all = WRITING)]
    pub(super) read: bool,
    /// Between two looks for what is new in the bucket: 1s (default), or up to 60s. Each is some
    /// requests, which object stores bill.
    #[arg(long, value_name = "DURATION", requires = "read", value_parser = polled)]
    pub(super) poll: Option<Duration>,
}

fn polled(text: &str) -> Result<Duration, String> {
    let wrong = || "it is not a duration from 100ms to 60s".to_owned();
    duration(text).filter(|poll| POLLS.contains(poll)).ok_or_else(wrong)
}

impl ReadArgs {
    /// What is read.
    pub(super) fn origin(
        &self,
        data: Option<&Location>,
        cache: Option<u32>,
        mistakes: &mut Vec<String>,
    ) -> Origin {
        let data = data.cloned().unwrap_or_default();
        if data.bucket.is_none() {
            mistakes.push(format!(
                "--data {data} is a folder: --read needs a bucket, such as s3://BUCKET/PREFIX"
            ));
        }
        let (cache, poll) = (cache.unwrap_or(CACHE), self.poll.unwrap_or(POLL));
        Origin::Read(ReadSettings { data, cache, poll })
    }
}

/// Follows the bucket until `stop`. What is published is served at once; a bucket that cannot be
/// read is asked again.
pub(super) fn follow(
    server_id: ServerId,
    settings: ReadSettings,
    stop: &CancellationToken,
) -> Result<Running, CannotStart> {
    let history_handle = Arc::new(HistoryHandle::live(server_id, Timestamp::now()));
    let follower = Follower::new(settings.data, u64::from(settings.cache) << 20, &history_handle)
        .map_err(|why| CannotStart(why.to_string(), CONFIG))?;
    tokio::spawn(follower.run(settings.poll, stop.clone()));
    Ok(Running { history_handle, capture: None })
}
