//! The arguments of `agent`, and the settings that they, or agent.yaml, come to.

use super::command::AgentCommand;
use super::read::ReadArgs;
use super::serve_arguments::serve_options;
use super::values::{backfilled, cached, dated, kept, shared, timed};
use crate::cli::files::secret_in;
use crate::config::agent::{self, AgentConfig, CACHE, CaptureSettings, Keep, NamedSource, Origin};
use crate::config::log_files::{self, LogFiles};
use crate::config::{Files, Verify};
use crate::telemetry;
use clap::{ArgGroup, Args};
use dbtrail_history::engine::Location;
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::serve::exposure;
use dbtrail_history::source::Backfill;
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The variable that holds the password of the source.
const PASSWORD: &str = "DBTRAIL_SOURCE_PASSWORD";
/// Where an agent listens that was given nothing.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8600);

/// What agent.yaml says, beside what is of a source.
const SERVING: [&str; 11] = [
    "server_id",
    "listen",
    "tls_cert",
    "tls_key",
    "token_file",
    "doubt_token_file",
    "allow_insecure",
    "no_statements",
    "no_ui",
    "include",
    "exclude",
];
/// What is of a source.
const CAPTURING: [&str; 11] = [
    "backfill",
    "source_password_file",
    "data",
    "keep",
    "cache",
    "disk_reserve",
    "verify",
    "baseline_rate",
    "no_baseline",
    "no_connections",
    "replica_id",
];

/// Arguments of `agent`.
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    group(ArgGroup::new("origin").args(["source", "binlog", "config", "read"]).required(true))
)]
pub struct AgentArgs {
    #[command(subcommand)]
    pub(super) command: Option<AgentCommand>,
    /// agent.yaml: all settings, instead of arguments (agent.example.yaml explains each).
    #[arg(long, value_name = "FILE", conflicts_with_all = SERVING, conflicts_with_all = CAPTURING, conflicts_with_all = ["source_time", "from", "to", "schema"])]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) capture: CaptureArgs,
    /// Binary log files instead of a server, in any order: their numbers tell the right one, or
    /// where they have none, their heads. Together they must be one unbroken sequence.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = CAPTURING)]
    pub(super) binlog: Vec<PathBuf>,
    /// The first instant of the record; files that hold nothing after it are not read. UTC, such as
    /// '2026-04-27 09:00:00'.
    #[arg(long, value_name = "INSTANT", requires = "binlog", conflicts_with = "source", value_parser = dated)]
    pub(super) from: Option<Timestamp>,
    /// The last instant of the record; files that were begun after it are not read.
    #[arg(long, value_name = "INSTANT", requires = "binlog", conflicts_with = "source", value_parser = dated)]
    pub(super) to: Option<Timestamp>,
    /// Definitions of the tables, as mysqldump --no-data wrote them at the end of the files or
    /// later: for tables that were made before the first file.
    #[arg(long, value_name = "FILE.sql", requires = "binlog", conflicts_with = "source")]
    pub(super) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reader: ReadArgs,
    /// The name under which this history is asked for (`server_id` of a tenant in shim.yaml).
    #[arg(long, value_name = "ID", required_unless_present_any = ["config", "preflight_only"])]
    pub(super) server_id: Option<String>,
    /// Where to listen; default 127.0.0.1:8600.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<SocketAddr>,
    /// PEM file with the certificate chain: serve HTTPS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// File with the tokens that open the door, one a line; `#` begins a comment. It is read again
    /// when it changes.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// File with tokens that also put tables in doubt, as `verify` does with a table that differs;
    /// without it nobody can.
    #[arg(long, value_name = "FILE")]
    pub(super) doubt_token_file: Option<PathBuf>,
    /// Listen on an address that is not loopback even without TLS or tokens.
    #[arg(long)]
    pub(super) allow_insecure: bool,
    /// Do not serve the page at /ui.
    #[arg(long)]
    pub(super) no_ui: bool,
    /// Say what is in the way of capturing from the source, and what to type to fix it; capture
    /// nothing.
    #[arg(long, conflicts_with = "binlog")]
    pub(super) preflight_only: bool,
}

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
    /// Where the history is kept: a folder, or s3://BUCKET/PREFIX (docs/scale.md).
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

/// What the arguments come to. The error holds all mistakes.
pub(super) fn settings(args: &AgentArgs) -> Result<AgentConfig, Vec<String>> {
    if let Some(path) = &args.config {
        return agent::load(path);
    }
    let mut mistakes = Vec::new();
    if args.capture.source.is_some() && args.capture.data.is_none() && !args.preflight_only {
        mistakes.push("--data DIR is needed: the folder of the store".to_owned());
    }
    let (data, cache) = (args.capture.data.as_ref(), args.capture.cache);
    let origin = match args.capture.settings(|name| std::env::var(name).ok(), &mut mistakes) {
        None if args.reader.read => args.reader.origin(data, cache, &mut mistakes),
        Some(capture) => Origin::Live(Box::new(capture)),
        // Without a source; or with mistakes, and then nothing comes of it.
        None => Origin::Files(Box::new(files(args, &mut mistakes))),
    };
    let certificate = Files::of(args.tls_cert.iter().chain(&args.tls_key).cloned());
    let tls = (args.tls_cert.as_deref(), args.tls_key.as_deref());
    let tokens = [&args.token_file, &args.doubt_token_file].map(|file| file.as_deref());
    let serve = serve_options(tls, tokens, !args.no_ui, &mut mistakes);
    let listen = args.listen.unwrap_or(LISTEN);
    let mut warnings = Vec::new();
    match exposure(listen, &serve) {
        Some(danger) if args.allow_insecure => warnings.push(format!("on {listen} {danger}")),
        // What could not be read is reported already.
        Some(danger) if mistakes.is_empty() => mistakes.push(format!(
            "will not listen on {listen}: {danger}. Give --tls-cert, --tls-key and --token-file, or --allow-insecure"
        )),
        Some(_) | None => {}
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let server_id = ServerId(args.server_id.clone().unwrap_or_default());
    let (log, statements) = (("info".to_owned(), telemetry::Format::Text), !args.capture.no_statements);
    Ok(AgentConfig { server_id, listen, origin, statements, serve, log, warnings, certificate })
}

/// What is read of log files.
fn files(args: &AgentArgs, mistakes: &mut Vec<String>) -> LogFiles {
    let CaptureArgs { include, exclude, source_time, .. } = &args.capture;
    for (argument, patterns) in [("--include", include), ("--exclude", exclude)] {
        let wrong = patterns.iter().filter_map(|p| Patterns::new(std::slice::from_ref(p), &[]).err());
        // Of a source they are reported already.
        mistakes.extend(wrong.filter(|_| args.capture.source.is_none()).map(|e| format!("{argument}: {e}")));
    }
    mistakes.extend(log_files::reversed(args.from, args.to).map(|what| format!("--to: {what}")));
    LogFiles {
        files: args.binlog.clone(),
        time: source_time.unwrap_or_default(),
        tables: Patterns::new(include, exclude).unwrap_or_default(),
        from: args.from,
        to: args.to,
        schema: args.schema.clone(),
    }
}

#[cfg(test)]
mod tests;
