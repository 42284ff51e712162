//! `dbtrail-shim agent`: the agent API over the history read from binary log files.

use crate::history::serve::{ServeOptions, Tokens, exposure, serve, tls_config};
use crate::history::{History, Published};
use crate::ident::ServerId;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Unreadable tables named in the log at start-up, at most.
const MAX_NAMED: usize = 50;

/// Arguments of `agent`.
#[derive(Clone, Debug, clap::Args)]
pub struct AgentArgs {
    /// Binary log files, in any order; together they must be one unbroken sequence.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub binlog: Vec<PathBuf>,
    /// The name under which this history is asked for (`server_id` of a tenant in shim.yaml).
    #[arg(long, value_name = "ID")]
    pub server_id: String,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8600")]
    pub listen: SocketAddr,
    /// PEM file with the certificate chain: serve HTTPS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// File with the tokens that open the door, one a line; `#` begins a comment.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Listen on an address that is not loopback even without TLS or tokens.
    #[arg(long)]
    pub allow_insecure: bool,
}

/// Why the agent did not start, with the exit code (sysexits.h).
struct CannotStart(String, u8);

/// EX_CONFIG: something is wrong with the arguments or the files they name.
const CONFIG: u8 = 78;
/// EX_DATAERR: the binary logs cannot be read.
const DATA: u8 = 65;
/// EX_UNAVAILABLE: the address cannot be listened on.
const UNAVAILABLE: u8 = 69;

/// Reads the logs, listens, and serves until SIGTERM or SIGINT.
pub async fn run(args: AgentArgs) -> ExitCode {
    match start(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(CannotStart(message, exit)) => {
            tracing::error!("{message}");
            ExitCode::from(exit)
        }
    }
}

async fn start(args: AgentArgs) -> Result<(), CannotStart> {
    let options = options(&args)?;
    if let Some(danger) = exposure(args.listen, &options) {
        if !args.allow_insecure {
            return Err(CannotStart(
                format!(
                    "will not listen on {}: {danger}. Give --tls-cert, --tls-key and --token-file, or --allow-insecure",
                    args.listen
                ),
                CONFIG,
            ));
        }
        tracing::warn!(listen = %args.listen, "{danger}");
    }
    let stop = stop_on_signals()?;
    let (server_id, files) = (ServerId(args.server_id), args.binlog);
    let reading = tokio::task::spawn_blocking(move || History::read(server_id, &files));
    let history = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        read = reading => read.map_err(|e| CannotStart(e.to_string(), DATA))?.map_err(|e| CannotStart(e.to_string(), DATA))?,
    };
    describe(&history);
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| CannotStart(format!("cannot listen on {}: {e}", args.listen), UNAVAILABLE))?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let address = listener.local_addr().unwrap_or(args.listen);
    tracing::info!("agent for server '{}' listens on {scheme}://{address}", history.server_id());
    serve(listener, Arc::new(Published::fixed(Arc::new(history))), options, stop).await;
    tracing::info!("agent stopped");
    Ok(())
}

fn options(args: &AgentArgs) -> Result<ServeOptions, CannotStart> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => {
            let (chain, private) = (read(certificate)?, read(key)?);
            let config = tls_config(&chain, &private).map_err(|e| {
                CannotStart(format!("{} and {}: {e}", certificate.display(), key.display()), CONFIG)
            })?;
            Some(config)
        }
        _ => None,
    };
    let tokens = args.token_file.as_deref().map(Tokens::from_file).transpose();
    let tokens = tokens.map_err(|e| CannotStart(e, CONFIG))?.unwrap_or_default();
    Ok(ServeOptions { tls, tokens, ..ServeOptions::default() })
}

fn read(path: &Path) -> Result<Vec<u8>, CannotStart> {
    std::fs::read(path).map_err(|e| CannotStart(format!("cannot read {}: {e}", path.display()), CONFIG))
}

fn stop_on_signals() -> Result<CancellationToken, CannotStart> {
    let no_signals = |e: std::io::Error| CannotStart(format!("cannot wait for signals: {e}"), UNAVAILABLE);
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        cancel.cancel();
    });
    Ok(stop)
}

/// What the record covers, for the person who started it.
fn describe(history: &History) {
    let coverage = history.coverage();
    tracing::info!(
        transactions = history.entries(),
        row_changes = history.changes(),
        tables = history.table_count(),
        "the record goes from {} to {}",
        coverage.oldest,
        coverage.newest
    );
    if let Some(why) = history.stopped() {
        tracing::error!("reading stopped before the end of the files, the record ends there: {why}");
    }
    let unreadable = history.unreadable();
    for (name, since, why) in unreadable.iter().take(MAX_NAMED) {
        let since = since.map_or_else(|| "the start".to_owned(), |t| t.to_string());
        tracing::warn!("table {name} cannot be read from {since} on: {why}");
    }
    if unreadable.len() > MAX_NAMED {
        tracing::warn!("{} more tables cannot be read", unreadable.len() - MAX_NAMED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: AgentArgs,
    }

    fn parse(line: &str) -> Result<AgentArgs, String> {
        Shell::try_parse_from(line.split(' ')).map(|s| s.args).map_err(|e| e.to_string())
    }

    #[test]
    fn the_command_line_is_read() {
        let args = parse("agent --binlog a b --server-id x").unwrap();
        assert_eq!((args.binlog.len(), args.listen.port(), args.listen.ip().is_loopback()), (2, 8600, true));
        for bad in [
            "agent --server-id x",
            "agent --binlog a",
            "agent --binlog a --server-id x --tls-cert c",
            "agent --binlog a --server-id x --listen nowhere",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
