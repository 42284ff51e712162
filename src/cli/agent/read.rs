//! `agent --read`: a reader of what another agent captures into a bucket.

use super::arguments::CaptureArgs;
use super::live::Running;
use super::{CONFIG, CannotStart, local};
use crate::config::agent::{CACHE, Origin, POLL, POLL_FORM, ReadSettings, poll};
use clap::Args;
use dbtrail_history::HistoryHandle;
use dbtrail_history::engine::DiskOptions;
use dbtrail_history::follower::Follower;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

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
    /// Where another agent captures into the bucket, answer as a reader does, and capture as soon
    /// as that one is gone. Of several that were started so, one captures.
    #[arg(long, requires = "source", conflicts_with = "read")]
    pub(super) standby: bool,
    /// Between two looks for what is new in the bucket: 1s (default), or from 100ms to 60s. Each is
    /// some requests, which object stores bill.
    #[arg(long, value_name = "DURATION", value_parser = polled)]
    pub(super) poll: Option<Duration>,
}

fn polled(text: &str) -> Result<Duration, String> {
    poll(text).ok_or_else(|| format!("it is not {POLL_FORM}"))
}

impl ReadArgs {
    /// What is read.
    pub(super) fn origin(&self, capture: &CaptureArgs, mistakes: &mut Vec<String>) -> Origin {
        let data = capture.data.clone().unwrap_or_default();
        if data.bucket.is_none() {
            mistakes.push(format!(
                "--data {data} is a folder: --read needs a bucket, such as s3://BUCKET/PREFIX"
            ));
        }
        let (cache, poll) = (capture.cache.unwrap_or(CACHE), self.poll.unwrap_or(POLL));
        let disk_cache = if data.bucket.is_some() { capture.disk_cache(mistakes) } else { 0 };
        Origin::Read(ReadSettings { data, cache, disk_cache, poll })
    }

    /// Between two looks while it stands by; `None`: it does not.
    pub(super) fn standby(&self, bucket: bool, mistakes: &mut Vec<String>) -> Option<Duration> {
        if self.standby && !bucket {
            mistakes.push(
                "--standby needs a bucket, such as s3://BUCKET/PREFIX: a folder is one agent's".to_owned(),
            );
        }
        if !self.standby && self.poll.is_some() {
            mistakes.push("--poll is for --read and --standby".to_owned());
        }
        self.standby.then(|| self.poll.unwrap_or(POLL))
    }
}

/// Follows the bucket until `stop`. What is published is served at once; a bucket that cannot be
/// read is asked again.
pub(super) fn follow(
    history_handle: &Arc<HistoryHandle>,
    settings: ReadSettings,
    stop: &CancellationToken,
) -> Result<Running, CannotStart> {
    let history_handle = Arc::clone(history_handle);
    if settings.disk_cache > 0 {
        local::folder(&settings.data)?;
    }
    let options = DiskOptions {
        cache: u64::from(settings.cache) << 20,
        disk_cache: u64::from(settings.disk_cache) << 20,
        ..DiskOptions::default()
    };
    let follower = Follower::new(settings.data, options, &history_handle)
        .map_err(|why| CannotStart(why.to_string(), CONFIG))?;
    tokio::spawn(follower.run(settings.poll, stop.clone()).in_current_span());
    Ok(Running { history_handle, capture: None })
}
