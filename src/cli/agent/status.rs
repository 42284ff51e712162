//! `agent status`: position, lag, tables, gaps and baseline of an agent, for people or as JSON.

use super::values::{backlog, baseline, size};
use super::{live, local};
use crate::agent_client::{self, AgentClient, Caller};
use crate::cli::files::secret_in;
use crate::cli::serve::fail;
use crate::failure::Failure;
use clap::{ArgGroup, Args};
use dbtrail_history::history_handle::Status;
use dbtrail_history::query::TableHealth;
use dbtrail_types::names::RequestId;
use dbtrail_types::secret::Secret;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The longest wait for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `agent status`.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("whom").args(["data", "url"]).required(true)))]
pub struct StatusArgs {
    /// The data folder of an agent on this machine.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address of an agent: https://host:8600.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File with a token of that agent; the first one in it is used.
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for that agent; default: those of the platform.
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
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
    let (status, runs) = match answer {
        Ok(found) => found,
        Err(why) => {
            let _ = fail(&why);
            return ExitCode::from(DOWN);
        }
    };
    let text = if args.json {
        serde_json::to_string_pretty(&status).map(|text| text + "\n").map_err(|e| e.to_string())
    } else {
        Ok(shown(&status))
    };
    let written = text.and_then(|t| std::io::stdout().write_all(t.as_bytes()).map_err(|e| e.to_string()));
    let code = if runs { exit_code(&status, args.max_lag) } else { DOWN };
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

async fn of_url(args: &StatusArgs, url: &str) -> Result<(Status, bool), String> {
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
    ask(url, ca_pem, token).await.map(|status| (status, true))
}

/// The agent that has the folder open, else the store itself; whether it is an agent.
async fn of_folder(data: &Path) -> Result<(Status, bool), String> {
    let why = match local::address(data)? {
        None => format!("no agent runs on {}", data.display()),
        Some(found) => {
            let url = format!("{}://{}", found.scheme, found.address);
            match ask(&url, None, Some(Secret::new(found.key))).await {
                Ok(status) => return Ok((status, true)),
                Err(e) => format!(
                    "no agent runs on {} (agent.json there names process {}, which does not answer: {e})",
                    data.display(),
                    found.pid
                ),
            }
        }
    };
    let folder = data.to_owned();
    let stored = tokio::task::spawn_blocking(move || live::stored_status(&folder)).await;
    let stored = stored.map_err(|e| e.to_string()).and_then(|stored| stored);
    let status = stored.map_err(|e| format!("{why}, and its store cannot be read: {e}"))?;
    let _ = writeln!(std::io::stderr(), "dbtrail-shim: {why}: this is what its store holds");
    Ok((status, false))
}

async fn ask(url: &str, ca_pem: Option<Vec<u8>>, token: Option<Secret>) -> Result<Status, String> {
    let settings = agent_client::AgentSettings { base_url: url.to_owned(), ca_pem, identity_pem: None };
    let client =
        AgentClient::new(&settings).map_err(|e| e.to_string().replace("agent_tls.ca_file", "--ca"))?;
    let caller = Caller { tenant: String::new(), token };
    let request = RequestId::next(0);
    let answer = tokio::time::timeout(PATIENCE, client.status(&caller, &request)).await;
    let answer = answer.map_err(|_| format!("{url}: no answer within {} s", PATIENCE.as_secs()))?;
    answer.map_err(|failure| sentence(url, &failure))
}

/// Why an agent did not answer, for a person.
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
mod tests {
    use super::*;
    use dbtrail_history::capture::Gap;
    use dbtrail_history::history_handle::{BaselineProgress, HistoryHandle, TableStatus};
    use dbtrail_types::names::ServerId;
    use dbtrail_types::timestamp::Timestamp;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_status_has_a_line_for_everything() {
        let mut status = HistoryHandle::live(ServerId("shop".to_owned()), at(0)).status(at(9));
        assert_eq!(
            shown(&status),
            "server     shop\nstate      disconnected since 1970-01-01T00:00:00.000000Z: the agent is starting\nposition   none yet\n\
             lag        not known\nrecord     it has not begun\nchanges    0 transactions, 0 row changes\n\
             taken in   0 events, 0 B of log since the start\nstore      0 B, 0 versions kept, 0 dropped by retention\nbaseline   none\n\
             gaps       none\ntables     0, 0 of them not readable now\n"
        );
        (status.reason, status.disconnected_since) = (None, None);
        status.position = Some("binlog.000007:120".to_owned());
        status.gtids = Some("0-1-42".to_owned());
        (status.oldest, status.newest, status.lag_seconds) = (Some(at(1)), Some(at(2)), Some(0.25));
        (status.bytes, status.bytes_on_disk) = (1536, 3 << 30);
        status.baseline = Some(BaselineProgress { done: 1, total: 2, rows: 30 });
        status.gaps = vec![Gap { from: at(1), to: at(2), reason: "purged\x1b[2J".to_owned() }];
        let table = |name: &str, oldest, reason: Option<&str>| TableStatus {
            schema: "shop".to_owned(),
            table: name.to_owned(),
            oldest,
            newest: oldest,
            readable: reason.is_none(),
            reason: reason.map(str::to_owned),
            health: Some(if reason.is_none() { TableHealth::Readable } else { TableHealth::NoPrimaryKey }),
        };
        status.tables = vec![table("a", Some(at(1)), None), table("b", None, Some("no key"))];
        let time = |n: u8| format!("1970-01-01T00:00:0{n}.000000Z");
        let lines = [
            "server     shop".to_owned(),
            "state      connected".to_owned(),
            "position   binlog.000007:120".to_owned(),
            "gtids      0-1-42".to_owned(),
            "lag        0.2 s".to_owned(),
            format!("record     from {} to {}", time(1), time(2)),
            "changes    0 transactions, 0 row changes".to_owned(),
            "taken in   0 events, 1.5 KiB of log since the start".to_owned(),
            "store      3.0 GiB, 0 versions kept, 0 dropped by retention".to_owned(),
            "baseline   1 of 2 tables, 30 rows so far".to_owned(),
            "gaps       1".to_owned(),
            format!("           from {} to {}: purged [2J", time(1), time(2)),
            "tables     2, 1 of them not readable now".to_owned(),
            format!("           shop.a  from {0} to {0}", time(1)),
            "           shop.b  no key".to_owned(),
        ];
        assert_eq!(shown(&status).lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn the_exit_code_says_how_it_is() {
        let mut status = HistoryHandle::live(ServerId("shop".to_owned()), at(0)).status(at(9));
        assert_eq!(exit_code(&status, 60), DOWN, "nothing can be answered");
        (status.oldest, status.newest, status.lag_seconds) = (Some(at(1)), Some(at(2)), Some(1.0));
        assert_eq!(exit_code(&status, 60), LAGS_OR_DOUBTS, "disconnected");
        (status.connected, status.reason) = (true, None);
        assert_eq!(exit_code(&status, 60), WELL);
        status.lag_seconds = Some(60.5);
        assert_eq!((exit_code(&status, 60), exit_code(&status, 61)), (LAGS_OR_DOUBTS, WELL));
        status.lag_seconds = Some(0.5);
        for (health, code) in [
            (TableHealth::Readable, WELL),
            (TableHealth::NotCaptured, WELL),
            (TableHealth::NoPrimaryKey, WELL),
            (TableHealth::Unreadable, LAGS_OR_DOUBTS),
            (TableHealth::InDoubt, LAGS_OR_DOUBTS),
        ] {
            status.tables = vec![TableStatus {
                schema: "shop".to_owned(),
                table: "t".to_owned(),
                oldest: None,
                newest: None,
                readable: false,
                reason: None,
                health: Some(health),
            }];
            assert_eq!(exit_code(&status, 60), code, "{health:?}");
        }
        (status.tables, status.live, status.connected, status.lag_seconds) = (Vec::new(), false, false, None);
        assert_eq!(exit_code(&status, 60), WELL, "log files do not lag");
    }

    #[tokio::test]
    async fn a_folder_without_an_agent_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let why = of_folder(folder.path()).await.unwrap_err();
        assert!(why.starts_with(&format!("no agent runs on {}", folder.path().display())), "{why}");
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = gone.local_addr().unwrap();
        drop(gone);
        let text = format!(r#"{{"address":"{address}","scheme":"http","pid":4711,"key":"k"}}"#);
        std::fs::write(folder.path().join("agent.json"), text).unwrap();
        let why = of_folder(folder.path()).await.unwrap_err();
        assert!(why.contains("agent.json there names process 4711, which does not answer"), "{why}");
    }

    #[tokio::test]
    async fn an_agent_on_a_folder_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let history_handle = std::sync::Arc::new(HistoryHandle::live(ServerId("shop".to_owned()), at(0)));
        let stop = tokio_util::sync::CancellationToken::new();
        let _local = local::Local::open(folder.path(), &history_handle, &stop).await.unwrap();
        history_handle.update(|live| live.connected(Err("no route".to_owned()), at(1)));
        let (status, runs) = of_folder(folder.path()).await.unwrap();
        assert_eq!((runs, exit_code(&status, 60)), (true, DOWN), "the record has not begun");
        assert_eq!((status.server_id.0.as_str(), status.reason.as_deref()), ("shop", Some("no route")));
        let found = local::address(folder.path()).unwrap().unwrap();
        let url = format!("http://{}", found.address);
        assert_eq!(
            ask(&url, None, None).await.unwrap_err(),
            format!("{url} wants one of its tokens: --token-file FILE")
        );
        stop.cancel();
    }
}
