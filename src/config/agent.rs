//! agent.yaml to the settings of an agent.

mod layout;
mod named_source;
mod read_settings;
mod serving;
mod sources;

use super::log_files::{self, BACKFILL_FORM, LogFiles};
use super::{Files, HOURLY_SHARE_FORM, HourlyShare, Resolver, duration, resolve, verify};
use crate::telemetry;
use dbtrail_history::engine::Location;
use dbtrail_history::log::SourceTime;
use dbtrail_history::serve::{ServeOptions, Tokens, exposure};
use dbtrail_history::source::SourceConfig;
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
pub(super) use layout::KEYS;
pub use named_source::NamedSource;
use named_source::names_a_password;
pub use read_settings::{POLL, POLL_FORM, ReadSettings, poll};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An agent that can be started.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// What it has; one at the least.
    pub histories: Vec<HistorySettings>,
    /// Whether these are `sources`: what fails of one then is no reason to end.
    pub several: bool,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How it serves.
    pub serve: ServeOptions,
    /// Level and form of the log.
    pub log: (String, telemetry::Format),
    /// What is allowed and unwise.
    pub warnings: Vec<String>,
    /// Certificate and key, as they were when they were read.
    pub certificate: Files,
}

/// A history of an agent.
#[derive(Clone, Debug)]
pub struct HistorySettings {
    /// The name under which it is asked for.
    pub server_id: ServerId,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether the texts of statements are kept.
    pub statements: bool,
    /// Tokens that open this one alone; `None`: those of the agent do.
    pub tokens: Option<Tokens>,
    /// Tokens that open this one alone, and may put its tables in doubt.
    pub doubt_tokens: Option<Tokens>,
}

/// Where a history comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Log files, read once.
    Files(Box<LogFiles>),
    /// A running server.
    Live(Box<CaptureSettings>),
    /// A bucket that another agent captures into.
    Read(ReadSettings),
}

/// What is captured, and where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSettings {
    /// The server.
    pub source: SourceConfig,
    /// Whether tables are read once, for `_snapshot`.
    pub baseline: bool,
    /// Where the history is kept.
    pub data: Location,
    /// How long history is kept; `None`: forever.
    pub keep: Option<Duration>,
    /// Memory for what was read of the store, in MiB.
    pub cache: u32,
    /// MiB of this machine's disk for what was read of a bucket; 0: none.
    pub disk_cache: u32,
    /// Whether it waits while another agent captures into the bucket, and between two looks then;
    /// `None`: it does not.
    pub standby: Option<Duration>,
    /// MiB of its disk that stay free.
    pub disk_reserve: u32,
    /// Whether the texts of statements are kept.
    pub statements: bool,
    /// How fast the rows of the server are compared with the history, again and again; `None`: they
    /// are not.
    pub verify: Option<HourlyShare>,
}

/// Whether texts of statements are kept.
const STATEMENTS: (&str, [(&str, bool); 2]) = ("capture.statements", [("on", true), ("off", false)]);

/// Whether it is asked whose connections make transactions.
const CONNECTIONS: (&str, [(&str, bool); 2]) = ("capture.connections", [("on", true), ("off", false)]);

/// How long history is kept; `None`: forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep(pub Option<Duration>);

/// Reads a duration, or `forever`.
#[must_use]
pub fn keep(text: &str) -> Option<Keep> {
    if text == "forever" {
        return Some(Keep(None));
    }
    duration(text).filter(|d| !d.is_zero()).map(|d| Keep(Some(d)))
}

/// Reads the size of the cache, in MiB.
#[must_use]
pub fn cache(text: &str) -> Option<u32> {
    text.parse().ok().filter(|mib| (8..=1 << 20).contains(mib))
}

/// What [`cache`] reads.
pub const CACHE_FORM: &str = "a number of MiB from 8 to 1048576";
/// MiB where nothing is said.
pub const CACHE: u32 = 48;

/// What [`keep`] reads.
pub const KEEP_FORM: &str = "a duration above 0 such as 30d, or forever";

/// Reads agent.yaml. The error holds all mistakes, in the order of the file.
///
/// # Errors
/// The mistakes, each as `path of the file:line: path of the key: what`.
pub fn load(path: &Path) -> Result<AgentConfig, Vec<String>> {
    let secrets = |file: &super::File| {
        file.text("source.password").is_some()
            || file.text("source.url").is_some_and(names_a_password)
            || sources::holds_a_password(file)
    };
    let read = resolve(path, None, &KEYS, Resolver::agent_config, secrets)?;
    Ok(AgentConfig { warnings: read.warnings, ..read.made })
}

impl Resolver {
    fn agent_config(&mut self) -> Option<AgentConfig> {
        let several = self.file.is_given("sources");
        let listen =
            self.parsed("listen", |t| t.parse().ok(), "an address with a port, such as 127.0.0.1:8600");
        let histories = if several { self.sources() } else { self.single() };
        let before = self.files.len();
        let serve = self.serve_options();
        let certificate = Files::seen(self.files.split_off(before));
        let insecure = self.one_of("allow_insecure", &[("off", false), ("on", true)]);
        // A certificate that could not be read was reported already.
        let tls_is_bad = self.file.mistakes.iter().any(|m| m.path.starts_with("tls"));
        if let (Some(listen), Some(serve), false) = (listen, &serve, tls_is_bad)
            && let Some(danger) = exposure(listen, serve, sources::is_open(serve, histories.as_deref()))
        {
            if insecure == Some(true) {
                self.warnings.push(format!("listen: on {listen} {danger}"));
            } else {
                let what =
                    format!("on {listen} {danger}: tls and token_file are needed, or allow_insecure: on");
                self.file.mistake("listen", what);
            }
        }
        let log = self.log();
        Some(AgentConfig {
            histories: histories?,
            several,
            listen: listen?,
            serve: serve?,
            log: log?,
            warnings: Vec::new(),
            certificate,
        })
    }

    /// The one history of a file without `sources`.
    fn single(&mut self) -> Option<Vec<HistorySettings>> {
        let server_id = self.text("server_id");
        match server_id.as_deref() {
            None => self.file.mistake("server_id", "it is missing".to_owned()),
            Some("") => self.file.mistake("server_id", "it is empty".to_owned()),
            Some(_) => {}
        }
        let origin = self.origin();
        let statements = self.one_of(STATEMENTS.0, &STATEMENTS.1)?;
        let (tokens, doubt_tokens) = (None, None);
        Some(vec![HistorySettings {
            server_id: ServerId(server_id?),
            origin: origin?,
            statements,
            tokens,
            doubt_tokens,
        }])
    }

    fn origin(&mut self) -> Option<Origin> {
        let times = [("local", SourceTime::Local), ("original", SourceTime::Original)];
        let time = self.one_of("source_time", &times);
        let reads = self.one_of("read", &[("off", false), ("on", true)])?;
        let files = self.file.list("binlog").map(|l| l.iter().map(PathBuf::from).collect::<Vec<_>>());
        match (files, self.file.has("source")) {
            (None, false) if reads => self.reader().map(Origin::Read),
            _ if reads => self
                .mistake("read", "a reader has neither source nor binlog: another agent captures".to_owned()),
            (Some(files), false) => self.log_files(files, time).map(|files| Origin::Files(Box::new(files))),
            (None, true) if self.of_log_files() => {
                self.mistake("log_files", "it is for log files, and this is a source".to_owned())
            }
            (None, true) => self.capture(time).map(|c| Origin::Live(Box::new(c))),
            (Some(_), true) => self.mistake(
                "binlog",
                "source and binlog exclude each other: one history has one origin".to_owned(),
            ),
            (None, false) => self
                .mistake("source", "neither source nor binlog says where the history comes from".to_owned()),
        }
    }

    fn capture(&mut self, time: Option<SourceTime>) -> Option<CaptureSettings> {
        let keep = self.parsed("keep", keep, KEEP_FORM);
        let cache = self.parsed("cache", cache, CACHE_FORM);
        let disk_reserve = self.parsed("disk_reserve", |t| t.parse().ok(), "a number of MiB");
        let verified = self.parsed("verify", verify, HOURLY_SHARE_FORM);
        let (disk_cache, standby) = (self.disk_cache(), self.standby());
        let data = self.location("a source needs a folder or a bucket to keep its history in");
        if data.as_ref().is_some_and(|data| data.bucket.is_none()) {
            let needs = [("disk_cache", disk_cache > Some(0)), ("standby", standby > Some(None))];
            for (key, _) in needs.into_iter().filter(|(_, needs)| *needs) {
                self.file.mistake(key, "it is for buckets, and data is a folder".to_owned());
            }
        }
        let password = match (self.text("source.password"), self.file.text("source.password_file")) {
            (Some(_), Some(_)) => self.mistake("source", "it has password and password_file".to_owned()),
            (Some(password), None) => Some(Secret::new(password)),
            (None, Some(_)) => self.secret_in("source.password_file"),
            (None, None) => None,
        };
        let id = |t: &str| t.parse::<u32>().ok().filter(|n| *n > 0);
        let replica_id = self.parsed("source.replica_id", id, "a number from 1 to 4294967295");
        let baseline = self.one_of("baseline.mode", &[("on", true), ("off", false)]);
        let statements = self.one_of(STATEMENTS.0, &STATEMENTS.1);
        let connections = self.one_of(CONNECTIONS.0, &CONNECTIONS.1);
        let rate =
            self.parsed("baseline.rows_per_second", |t| t.parse().ok(), "a number of rows; 0: no limit");
        let patterns = |key| self.file.list(key).map(<[String]>::to_vec).unwrap_or_default();
        let (include, exclude) = (patterns("source.include"), patterns("source.exclude"));
        let url = Secret::new(self.text("source.url")?);
        let rows_per_second = rate.unwrap_or(0);
        let source_time = time?;
        let backfill = self.parsed("capture.backfill", log_files::backfill, BACKFILL_FORM)?;
        let named = NamedSource {
            url,
            password,
            replica_id,
            include,
            exclude,
            rows_per_second,
            source_time,
            backfill,
            connections: connections?,
        };
        let source = match named.settings() {
            Ok(source) => source,
            Err(mistakes) => {
                for (key, what) in mistakes {
                    self.file.mistake(&format!("source.{key}"), what);
                }
                return None;
            }
        };
        Some(CaptureSettings {
            source,
            baseline: baseline?,
            data: data?,
            keep: keep?.0,
            cache: cache?,
            disk_cache: disk_cache?,
            standby: standby?,
            disk_reserve: disk_reserve?,
            statements: statements?,
            verify: verified?.0,
        })
    }
}

#[cfg(test)]
mod tests;
