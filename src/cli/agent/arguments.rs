//! The arguments of `agent`, and the settings that they, or agent.yaml, come to.

pub(crate) use super::capture_arguments::CaptureArgs;
use super::command::AgentCommand;
use super::read::ReadArgs;
use super::serve_arguments::serve_options;
use super::values::dated;
use crate::config::Files;
use crate::config::agent::{self, AgentConfig, CaptureSettings, HistorySettings, Origin};
use crate::config::log_files::{self, LogFiles};
use crate::telemetry;
use clap::{ArgGroup, Args};
use dbtrail_history::patterns::Patterns;
use dbtrail_history::serve::exposure;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

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
const CAPTURING: [&str; 14] = [
    "backfill",
    "source_password_file",
    "data",
    "keep",
    "cache",
    "disk_cache",
    "standby",
    "poll",
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

/// What the arguments come to. The error holds all mistakes.
pub(super) fn settings(args: &AgentArgs) -> Result<AgentConfig, Vec<String>> {
    if let Some(path) = &args.config {
        return agent::load(path);
    }
    let mut mistakes = Vec::new();
    if args.capture.source.is_some() && args.capture.data.is_none() && !args.preflight_only {
        mistakes.push("--data DIR is needed: the folder of the store".to_owned());
    }
    let origin = match args.capture.settings(|name| std::env::var(name).ok(), &mut mistakes) {
        None if args.reader.read => args.reader.origin(&args.capture, &mut mistakes),
        Some(capture) => {
            let standby = args.reader.standby(capture.data.bucket.is_some(), &mut mistakes);
            Origin::Live(Box::new(CaptureSettings { standby, ..capture }))
        }
        // Without a source; or with mistakes, and then nothing comes of it.
        None => Origin::Files(Box::new(files(args, &mut mistakes))),
    };
    let certificate = Files::of(args.tls_cert.iter().chain(&args.tls_key).cloned());
    let tls = (args.tls_cert.as_deref(), args.tls_key.as_deref());
    let tokens = [&args.token_file, &args.doubt_token_file].map(|file| file.as_deref());
    let serve = serve_options(tls, tokens, !args.no_ui, &mut mistakes);
    let listen = args.listen.unwrap_or(LISTEN);
    let mut warnings = Vec::new();
    match exposure(listen, &serve, serve.tokens.is_open()) {
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
    let (tokens, doubt_tokens) = (None, None);
    let histories = vec![HistorySettings { server_id, origin, statements, tokens, doubt_tokens }];
    Ok(AgentConfig { histories, several: false, listen, serve, log, warnings, certificate })
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
