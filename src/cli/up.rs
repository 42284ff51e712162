//! `up`: time travel for one server in one command. An agent that captures and a shim in front of
//! it, in one process: the shim listens, and for this machine the page.

mod hangup;
mod hint;
mod monitor;
mod password;
mod progress;

use super::agent::arguments::CaptureArgs;
use super::agent::live::{self, Running};
use super::agent::local::{self, Local};
use super::agent::{CONFIG, CannotStart};
use super::embedded::{self, Login};
use super::page::Page;
use super::serve::{Signals, announce};
use super::{http, supervisor};
use crate::config::agent::CaptureSettings;
use crate::wire::connection::Live;
use crate::{server, telemetry};
use clap::{ArgGroup, Args};
use dbtrail_history::HistoryHandle;
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp;
use progress::Progress;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const USER: &str = "app";
/// How often the progress is looked at.
const TICK: Duration = Duration::from_millis(250);

/// Arguments of `up`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("from").args(["source"]).required(true)),
    group(ArgGroup::new("to").args(["data"]).required(true))
)]
pub struct UpArgs {
    #[command(flatten)]
    capture: CaptureArgs,
    /// Where the shim listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3308")]
    listen: SocketAddr,
    /// Where /healthz, /readyz and /metrics of both halves are shown, to whoever reaches the port;
    /// default: nowhere.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Where the page for browsers is, at /ui, to whoever has the password; an address of this
    /// machine. Default: 127.0.0.1:3309, or a free port where that is taken.
    #[arg(long, value_name = "ADDRESS")]
    ui: Option<SocketAddr>,
    /// No page.
    #[arg(long, conflicts_with = "ui")]
    no_ui: bool,
    /// The name of the server, for messages.
    #[arg(long, value_name = "ID", default_value = "local")]
    server_id: String,
    /// A user that may ping and ask what ProxySQL's monitor asks, so that this can be behind a
    /// ProxySQL: its mysql-monitor_username. The password comes from the environment variable
    /// DBTRAIL_MONITOR_PASSWORD.
    #[arg(long, value_name = "USER")]
    monitor: Option<String>,
}

/// Runs both until SIGTERM or SIGINT.
pub async fn run(args: UpArgs) -> ExitCode {
    telemetry::start("warn", telemetry::Format::Text);
    let mut mistakes = Vec::new();
    let capture = args.capture.settings(|name| std::env::var(name).ok(), &mut mistakes);
    let monitor = monitor::login(args.monitor.as_deref(), std::env::var(monitor::PASSWORD).ok())
        .unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            None
        });
    let Some(capture) = capture.filter(|_| mistakes.is_empty()) else {
        announce(&mistakes, "mistake");
        return ExitCode::from(CONFIG);
    };
    if !args.listen.ip().is_loopback() {
        tracing::warn!(
            "on {} rows cross the network in clear text: `serve` with a shim.yaml knows TLS",
            args.listen
        );
    }
    match start(&args, &capture, monitor).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(CannotStart(why, exit)) => {
            let _ = writeln!(std::io::stderr(), "dbtrail-shim: up: {why}");
            ExitCode::from(exit)
        }
    }
}

async fn start(
    args: &UpArgs,
    capture: &CaptureSettings,
    monitor: Option<(String, Secret)>,
) -> Result<(), CannotStart> {
    let failed = |e: Box<dyn Error>| CannotStart(e.to_string(), super::agent::UNAVAILABLE);
    let signals = Signals::new().map_err(|e| failed(e.into()))?;
    let listener = TcpListener::bind(args.listen).await.map_err(|e| {
        failed(format!("{} cannot be listened on: {e} (choose another with --listen)", args.listen).into())
    })?;
    let pages = match args.http {
        None => None,
        Some(listen) => Some(http::bind(listen, server::Port::Exclusive).map_err(|why| failed(why.into()))?),
    };
    let page = if args.no_ui { None } else { Some(Page::bind(args.ui).await?) };
    let stop = CancellationToken::new();
    let server_id = ServerId(args.server_id.clone());
    local::folder(&capture.data)?;
    let handle = Arc::new(HistoryHandle::live(server_id, timestamp::Timestamp::now()));
    let running = live::live(&handle, capture, &stop).await?;
    let _local = Local::open(&capture.data.folder, &running.history_handle, &stop).await?;
    live::verify(capture, &running.history_handle, &stop)?;
    let password = password::kept(&capture.data.folder)?;
    let data = capture.data.folder.clone();
    Front { listener, pages, page, signals, running, password, monitor, data, stop }
        .run()
        .await
        .map_err(failed)
}

/// A running capture, and what is in front of it.
struct Front {
    listener: TcpListener,
    /// For health and metrics.
    pages: Option<TcpListener>,
    /// For people.
    page: Option<Page>,
    signals: Signals,
    running: Running,
    password: Secret,
    monitor: Option<(String, Secret)>,
    data: PathBuf,
    stop: CancellationToken,
}

impl Front {
    async fn run(mut self) -> Result<(), Box<dyn Error>> {
        let address = self.listener.local_addr()?;
        let history_handle = Arc::clone(&self.running.history_handle);
        let token = Secret::new(local::random()?);
        let (agent, local) = embedded::agent_inside(Arc::clone(&history_handle), &token)?;
        let inside = Some((local, Arc::clone(&history_handle)));
        let pages = self.pages.map(|listener| http::show(listener, inside, self.stop.clone()));
        let login = Login { user: USER.to_owned(), password: self.password.clone(), default_schema: None };
        let settings = embedded::shim(login, history_handle.server_id().clone(), agent, token, self.monitor)?;
        let live = Arc::new(Live::new(settings.shared));
        let shim = tokio::spawn(server::run(
            self.listener,
            Arc::clone(&live),
            settings.shutdown_grace,
            settings.threads,
            self.stop.clone(),
        ));
        let looked_at = self.page.as_ref().map(Page::address).transpose()?;
        let handle = Arc::clone(&history_handle);
        let tokens =
            self.page.map(|page| page.show(&self.password, handle, self.stop.clone())).transpose()?;
        let reported = hint::greet(address, &self.password, looked_at.as_deref());
        supervisor::ready();
        if reported.is_ok() {
            tokio::select! {
                () = hangup::signalled(&mut self.signals, &live, tokens.as_ref(), &self.data) => {}
                () = watch(&history_handle) => {}
                // Another agent has taken the store, or nobody can connect any more.
                () = self.stop.cancelled() => {}
            }
        }
        supervisor::stopping();
        self.stop.cancel();
        let ended = shim.await;
        let capture = self.running.ended().await;
        if let Some(pages) = pages {
            pages.cancel();
        }
        capture.map_err(|CannotStart(why, _)| why)?;
        reported?;
        Ok(ended?)
    }
}

/// Tells of the log from before and of the baseline, and a statement to paste as soon as there is a
/// row to ask for. Never ends.
async fn watch(history_handle: &HistoryHandle) {
    let (mut progress, mut hinted) = (Progress::new(std::io::stderr().is_terminal()), false);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
        let live = history_handle.capture_status();
        let baseline = live.as_ref().map(|live| live.baseline).unwrap_or_default();
        let backlog = live.and_then(|live| live.backlog);
        // Tables are read in full only when the log is taken in.
        let text = match progress.backlog(backlog, Instant::now()) {
            None if backlog.is_none() => progress.step(baseline, Instant::now()),
            reported => reported,
        };
        if let Some(text) = text {
            // Who cannot be informed is still served.
            let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
        }
        if hinted {
            continue;
        }
        let now = timestamp::Timestamp::now();
        if let Some(statement) =
            history_handle.current().as_deref().and_then(|history| hint::statement(history, now))
        {
            hinted = true;
            let clear = progress.clear();
            let _ = err.write_all(clear.as_bytes()).and_then(|()| err.flush());
            let _ =
                writeln!(out, "and paste:\n\n    {statement}\n\nCtrl-C ends it.").and_then(|()| out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use dbtrail_history::History;
    use mysql_async::prelude::Queryable;

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: UpArgs,
    }

    #[test]
    fn the_command_line_is_read() {
        let parse = |line: &str| Shell::try_parse_from(line.split(' ')).map(|s| s.args);
        let args = parse("up --source mysql://u@h --data d --keep 3d").unwrap();
        assert_eq!((args.listen.to_string().as_str(), args.server_id.as_str()), ("127.0.0.1:3308", "local"));
        for bad in
            ["up", "up --data d", "up --source mysql://u@h", "up --source mysql://u@h --data d --listen x"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_statement_to_paste_gives_a_row() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mysql-9.7/binlog.000003");
        let server_id = ServerId("local".to_owned());
        let history = Arc::new(History::read(server_id.clone(), &[file.into()]).unwrap());
        let statement = hint::statement(&history, timestamp::Timestamp::now()).unwrap();
        let secret = Secret::new("pass".to_owned());
        let stop = CancellationToken::new();
        let history_handle = Arc::new(HistoryHandle::fixed(history));
        let (agent, _) = embedded::agent_inside(history_handle, &secret).unwrap();
        let login = Login { user: USER.to_owned(), password: secret.clone(), default_schema: None };
        let monitor = Some(("probe".to_owned(), Secret::new("probing".to_owned())));
        let settings = embedded::shim(login, server_id, agent, secret, monitor).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shim = tokio::spawn(server::serve(listener, Arc::new(settings), stop.clone()));
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(port)
            .user(Some(USER))
            .pass(Some("pass"))
            .prefer_socket(false);
        let mut client = mysql_async::Conn::new(options).await.unwrap();
        let rows: Vec<mysql_async::Row> = client.query(&statement).await.unwrap();
        assert_eq!(rows.len(), 1, "{statement}");
        client.disconnect().await.unwrap();
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(port)
            .user(Some("probe"))
            .pass(Some("probing"))
            .prefer_socket(false);
        let mut probe = mysql_async::Conn::new(options).await.unwrap();
        probe.ping().await.unwrap();
        for asked in ["@@global.read_only", "@@global.read_only|@@global.innodb_read_only"] {
            let read_only: Option<u8> = probe.query_first(format!("SELECT {asked} read_only")).await.unwrap();
            assert_eq!(read_only, Some(1), "{asked}");
        }
        assert!(probe.query_drop(&statement).await.is_err(), "a monitor reads no rows");
        probe.disconnect().await.unwrap();
        stop.cancel();
        shim.await.unwrap();
    }
}
