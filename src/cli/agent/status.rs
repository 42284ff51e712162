//! `agent status`: position, lag, tables, gaps and baseline of an agent, for people or as JSON.

use super::values::{backlog, baseline, size, verified};
use super::{live, local};
use crate::agent_client::{self, AgentClient, Caller};
use crate::cli::files::secret_in;
use crate::cli::serve::fail;
use crate::failure::Failure;
use clap::{ArgGroup, Args};
use dbtrail_history::engine::Location;
use dbtrail_history::history_handle::{Status, Statuses};
use dbtrail_history::query::TableHealth;
use dbtrail_types::agent_api::code;
use dbtrail_types::names::{RequestId, ServerId};
use dbtrail_types::secret::Secret;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The longest wait for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `agent status`.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("whom").args(["data", "url"]).required(true)))]
pub struct StatusArgs {
    /// The data folder of an agent on this machine, or its bucket.
    #[arg(long, value_name = "DIR", value_parser = Location::parse)]
    data: Option<Location>,
    /// The address of an agent: https://host:8600.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File with a token of that agent; the first one in it is used.
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for that agent; default: those of the platform.
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// The server that is meant, where the agent has the histories of several; default: all of
    /// them, and the exit code of the worst.
    #[arg(long, value_name = "ID", requires = "url")]
    server_id: Option<String>,
    /// The answer of the API as it is, instead of lines.
    #[arg(long)]
    json: bool,
    /// Seconds of lag up to which it is well.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    max_lag: u32,
}

/// It captures, within the allowed lag, and every captured table can be asked for.
const WELL: u8 = 0;
/// It answers, and lags, is disconnected, or has captured tables that cannot be asked for now.
const LAGS_OR_DOUBTS: u8 = 1;
/// It does not answer, or has nothing to answer from.
const DOWN: u8 = 2;

/// Asks, and prints. The exit code says how it is.
pub(super) async fn run(args: &StatusArgs) -> ExitCode {
    let answer = match (&args.data, &args.url) {
        (Some(data), _) => of_folder(data).await,
        (None, Some(url)) => of_url(args, url).await,
        (None, None) => Err("--data DIR or --url URL is needed".to_owned()),
    };
    let (statuses, runs) = match answer {
        Ok(found) => found,
        Err(why) => {
            let _ = fail(&why);
            return ExitCode::from(DOWN);
        }
    };
    let text = match (statuses.as_slice(), args.json) {
        ([one], true) => serde_json::to_string_pretty(one).map(|text| text + "\n"),
        (all, true) => serde_json::to_string_pretty(all).map(|text| text + "\n"),
        (all, false) => Ok(all.iter().map(shown).collect::<Vec<_>>().join("\n")),
    };
    let text = text.map_err(|e| e.to_string());
    let written = text.and_then(|t| std::io::stdout().write_all(t.as_bytes()).map_err(|e| e.to_string()));
    let worst = statuses.iter().map(|status| exit_code(status, args.max_lag)).max().unwrap_or(DOWN);
    let code = if runs { worst } else { DOWN };
    written.map_or_else(|why| fail(&format!("standard output: {why}")), |()| ExitCode::from(code))
}

/// How an agent is that says this of itself.
fn exit_code(status: &Status, max_lag: u32) -> u8 {
    if status.newest.is_none() {
        return DOWN;
    }
    let late = status.lag_seconds.is_none_or(|lag| lag > f64::from(max_lag));
    let ill = status.tables.iter().any(|table| table.health.is_some_and(TableHealth::is_ill));
    if ill || status.live && (!status.connected || late) { LAGS_OR_DOUBTS } else { WELL }
}

async fn of_url(args: &StatusArgs, url: &str) -> Result<(Vec<Status>, bool), String> {
    let token = match &args.token_file {
        None => None,
        Some(path) => {
            let text = secret_in(path)?;
            let mut lines =
                text.expose().lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
            let first = lines.next().ok_or_else(|| format!("{} holds no token", path.display()))?;
            Some(Secret::new(first.to_owned()))
        }
    };
    let read =
        |path: &PathBuf| std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()));
    let ca_pem = args.ca.as_ref().map(read).transpose()?;
    ask(url, ca_pem, token, args.server_id.as_deref()).await.map(|all| (all, true))
}

/// The agent that has the folder open, else the store itself; whether it is an agent.
async fn of_folder(data: &Location) -> Result<(Vec<Status>, bool), String> {
    let why = match local::address(&data.folder)? {
        None if data.bucket.is_some() => format!("no agent of this machine captures into {data}"),
        None => format!("no agent runs on {data}"),
        Some(found) => {
            let url = format!("{}://{}", found.scheme, found.address);
            match ask(&url, None, Some(Secret::new(found.key)), None).await {
                Ok(all) => return Ok((all, true)),
                Err(e) => format!(
                    "no agent runs on {data} (agent.json there names process {}, which does not answer: {e})",
                    found.pid
                ),
            }
        }
    };
    let store = data.clone();
    let stored = tokio::task::spawn_blocking(move || live::stored_status(&store)).await;
    let stored = stored.map_err(|e| e.to_string()).and_then(|stored| stored);
    let status = stored.map_err(|e| format!("{why}, and its store cannot be read: {e}"))?;
    let _ = writeln!(std::io::stderr(), "dbtrail-shim: {why}: this is what its store holds");
    Ok((vec![status], false))
}

async fn ask(
    url: &str,
    ca_pem: Option<Vec<u8>>,
    token: Option<Secret>,
    named: Option<&str>,
) -> Result<Vec<Status>, String> {
    let settings = agent_client::AgentSettings { base_url: url.to_owned(), ca_pem, identity_pem: None };
    let client =
        AgentClient::new(&settings).map_err(|e| e.to_string().replace("agent_tls.ca_file", "--ca"))?;
    let caller = Caller { tenant: String::new(), token };
    let answer = tokio::time::timeout(PATIENCE, statuses(&client, &caller, named)).await;
    let answer = answer.map_err(|_| format!("{url}: no answer within {} s", PATIENCE.as_secs()))?;
    let all = answer.map_err(|failure| sentence(url, &failure))?;
    // An agent with one history says how that one is, whatever it is asked for.
    match (all.as_slice(), named) {
        ([one], Some(named)) if one.server_id.0 != named => {
            Err(format!("{url} has the history of '{}', and not of '{named}'", one.server_id))
        }
        _ => Ok(all),
    }
}

/// What the agent says of the server that is named, or of all.
async fn statuses(
    client: &AgentClient,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Vec<Status>, Failure> {
    let request = RequestId::next(0);
    let server = named.map(|named| ServerId(named.to_owned()));
    match client.status(caller, server.as_ref(), &request).await {
        Ok(one) => Ok(vec![one]),
        Err(Failure::AgentRejected { word, .. }) if word == code::MISSING_SERVER_ID => {
            client.statuses(caller, &request).await.map(|Statuses { servers }| servers)
        }
        Err(failure) => Err(failure),
    }
}

pub(super) fn sentence(url: &str, failure: &Failure) -> String {
    if let Failure::AgentRejected { status: 401, .. } = failure {
        return format!("{url} wants one of its tokens: --token-file FILE");
    }
    if let Failure::AgentRejected { status, body, .. } | Failure::AgentFailed { status, body } = failure {
        return format!("{url}: HTTP {status}: {body}");
    }
    failure
        .detail()
        .unwrap_or_else(|| format!("{url}: what answers there is no agent of this kind"))
        .replace("see agent_tls.ca_file", "see --ca")
}

/// For people.
fn shown(status: &Status) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("server", status.server_id.to_string());
    line("state", state(status));
    if status.live {
        line("position", status.position.clone().unwrap_or_else(|| "none yet".to_owned()));
        if let Some(gtids) = &status.gtids {
            line("gtids", gtids.clone());
        }
        line("lag", status.lag_seconds.map_or_else(|| "not known".to_owned(), |lag| format!("{lag:.1} s")));
    }
    line(
        "record",
        match (status.oldest, status.newest) {
            (Some(oldest), Some(newest)) => format!("from {oldest} to {newest}"),
            (Some(oldest), None) => format!("from {oldest}: the log is not taken in up to there yet"),
            _ => "it has not begun".to_owned(),
        },
    );
    line("changes", format!("{} transactions, {} row changes", status.transactions, status.row_changes));
    if status.live {
        line("taken in", format!("{} events, {} of log since the start", status.events, size(status.bytes)));
        let purged = format!("{} versions kept, {} dropped by retention", status.versions, status.purged);
        line("store", format!("{}, {purged}", size(status.bytes_on_disk)));
        line("baseline", baseline(status));
        if let Some(progress) = &status.backlog {
            line("backlog", backlog(progress));
        }
        if let Some(verification) = &status.verification {
            line("verified", verified(verification));
        }
        line("gaps", if status.gaps.is_empty() { "none".to_owned() } else { status.gaps.len().to_string() });
        for gap in &status.gaps {
            line("", format!("from {} to {}: {}", gap.from, gap.to, gap.reason));
        }
    }
    let unreadable = status.tables.iter().filter(|t| !t.readable).count();
    line("tables", format!("{}, {unreadable} of them not readable now", status.tables.len()));
    for table in &status.tables {
        let range = table.oldest.zip(table.newest).map(|(from, to)| format!("from {from} to {to}"));
        let parts: Vec<String> = range.into_iter().chain(table.reason.clone()).collect();
        line("", format!("{}.{}  {}", table.schema, table.table, parts.join("; ")));
    }
    // Names and reasons come from a server: nothing in them may steer a terminal.
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

fn state(status: &Status) -> String {
    match (status.live, &status.reason, status.disconnected_since) {
        (false, ..) => "read from log files".to_owned(),
        (true, None, _) => "connected".to_owned(),
        (true, Some(reason), Some(since)) => format!("disconnected since {since}: {reason}"),
        (true, Some(reason), None) => reason.clone(),
    }
}

#[cfg(test)]
mod tests;
