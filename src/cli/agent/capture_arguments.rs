//! The arguments of what is captured: of `agent`, and of `up`.

use super::values::{backfilled, cached, kept, shared, timed};
use crate::cli::files::secret_in;
use crate::config::Verify;
use crate::config::agent::{CACHE, CaptureSettings, Keep, NamedSource};
use clap::Args;
use dbtrail_history::engine::Location;
use dbtrail_history::log::SourceTime;
use dbtrail_history::source::Backfill;
use dbtrail_types::secret::Secret;
use std::path::PathBuf;

/// The variable that holds the password of the source.
pub(super) const PASSWORD: &str = "DBTRAIL_SOURCE_PASSWORD";

/// What to capture, and where to keep it.
#[derive(Clone, Debug, Args)]
pub struct CaptureArgs {
    /// The server to capture from, mysql://user@host:port[?ssl-mode=required&ssl-ca=FILE]. Give the
    /// password in a file or in the environment (DBTRAIL_SOURCE_PASSWORD): other users of this
    /// machine see the command line.
    #[arg(long, value_name = "URL")]
    pub(crate) source: Option<String>,
    /// File with the password of the source.
    #[arg(long, value_name = "FILE", requires = "source")]
    pub(crate) source_password_file: Option<PathBuf>,
    /// Where the history is kept: a folder, or s3://BUCKET/PREFIX, gs://..., az://...
    /// (docs/scale.md).
    #[arg(long, value_name = "DIR", value_parser = Location::parse)]
    pub(crate) data: Option<Location>,
    /// Tables to capture: schema.table with * for any characters; may be repeated. Default: all.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,
    /// Tables not to capture, of those; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// How long history is kept: 30d, or forever (default).
    #[arg(long, value_name = "DURATION", requires = "source", value_parser = kept)]
    pub(crate) keep: Option<Keep>,
    /// How far back a new record begins: oldest (default), with the oldest log file that the server
    /// still has; none, now; or an instant such as '2026-04-27 09:00:00' (UTC).
    #[arg(long, value_name = "FROM", requires = "source", value_parser = backfilled)]
    pub(crate) backfill: Option<Backfill>,
    /// Memory for what was read of the store, in MiB; default: 48.
    #[arg(long, value_name = "MIB", value_parser = cached)]
    pub(crate) cache: Option<u32>,
    /// MiB of this machine's disk for what was read of a bucket, which outlive a restart; default:
    /// 0, none.
    #[arg(long, value_name = "MIB", requires = "data")]
    pub(crate) disk_cache: Option<u32>,
    /// MiB of the store's disk that stay free: capturing waits where there are fewer, and goes on
    /// by itself; default: 256.
    #[arg(long, value_name = "MIB", requires = "source")]
    pub(crate) disk_reserve: Option<u32>,
    /// Compare the server's rows with the history in the background, again and again: the share of
    /// all rows an hour, such as 1%/h, or off (default).
    #[arg(long, value_name = "SHARE", requires = "source", value_parser = shared)]
    pub(crate) verify: Option<Verify>,
    /// Rows a second that the first reading of the tables takes at most; default: as many as come.
    #[arg(long, value_name = "ROWS", requires = "source", conflicts_with = "no_baseline", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) baseline_rate: Option<u32>,
    /// Do not read the tables: _snapshot then knows what the log tells.
    #[arg(long, requires = "source")]
    pub(crate) no_baseline: bool,
    /// The number under which the agent follows the log as a replica; default: a random one.
    #[arg(long, value_name = "NUMBER", requires = "source", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) replica_id: Option<u32>,
    /// Do not keep the texts of statements that the server logs beside rows (they may hold personal
    /// data).
    #[arg(long)]
    pub(crate) no_statements: bool,
    /// Do not ask the source whose connections make transactions (user, host and program).
    #[arg(long, requires = "source")]
    pub(crate) no_connections: bool,
    /// Which time of a transaction AS OF means where a MySQL replica applied it: local (default),
    /// of its commit on the replica, or original, of its commit where it was made.
    #[arg(long, value_name = "TIME", value_parser = timed)]
    pub(crate) source_time: Option<SourceTime>,
}

impl CaptureArgs {
    /// MiB of the disk for what was read of a bucket.
    pub(super) fn disk_cache(&self, mistakes: &mut Vec<String>) -> u32 {
        let (data, size) = (self.data.clone().unwrap_or_default(), self.disk_cache.unwrap_or(0));
        if size > 0 && data.bucket.is_none() {
            mistakes.push(format!("--disk-cache: {data} is a folder, and the cache is for buckets"));
        }
        size
    }

    /// The settings; `None`: there is no source. Adds what is wrong with them.
    pub(crate) fn settings(
        &self,
        environment: impl Fn(&str) -> Option<String>,
        mistakes: &mut Vec<String>,
    ) -> Option<CaptureSettings> {
        let source = self.source.as_ref()?;
        // Whoever writes nothing needs none.
        let data = self.data.clone().unwrap_or_default();
        let password = match (&self.source_password_file, environment(PASSWORD)) {
            (Some(path), _) => match secret_in(path) {
                Ok(password) => Some(password),
                Err(why) => {
                    mistakes.push(why);
                    None
                }
            },
            (None, given) => given.map(Secret::new),
        };
        let named = NamedSource {
            url: Secret::new(source.clone()),
            password,
            replica_id: self.replica_id,
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            rows_per_second: self.baseline_rate.unwrap_or(0),
            source_time: self.source_time.unwrap_or_default(),
            backfill: self.backfill.unwrap_or_default(),
            connections: !self.no_connections,
        };
        let baseline = !self.no_baseline;
        match named.settings() {
            Ok(source) => {
                let (keep, cache) = (self.keep.and_then(|k| k.0), self.cache.unwrap_or(CACHE));
                let statements = !self.no_statements;
                let disk_reserve = self.disk_reserve.unwrap_or(256);
                let verify = self.verify.and_then(|Verify(share)| share);
                Some(CaptureSettings {
                    source,
                    baseline,
                    data,
                    keep,
                    cache,
                    disk_cache: self.disk_cache(mistakes),
                    standby: None,
                    disk_reserve,
                    statements,
                    verify,
                })
            }
            Err(wrong) => {
                let argument = |key| if key == "url" { "source" } else { key };
                mistakes.extend(wrong.into_iter().map(|(key, what)| format!("--{}: {what}", argument(key))));
                None
            }
        }
    }
}
