//! `demo`: an agent on a bundled recording over HTTPS, a shim in front of it, and a real client
//! that asks.
//!
//! The recording is a small shop, made with a MySQL 9.7: an order is placed, paid, corrected,
//! shipped; another is deleted; a column is added.

#![expect(clippy::wildcard_enum_match_arm, reason = "the text protocol has strings alone")]

use super::agent::CannotStart;
use super::embedded::{self, Login};
use super::page::Page;
use super::serve::{Signals, fail};
use crate::{server, telemetry};
use clap::Args;
use dbtrail_history::{History, HistoryHandle};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const RECORDING: &[u8] = include_bytes!("demo/binlog.000003");
const SERVER: &str = "demo";
const USER: &str = "demo";
const PASSWORD: &str = "timetravel";

/// What is asked, and why: an incident from "which transactions" to the undo, then one row.
const STATEMENTS: [(&str, &str); 6] = [
    (
        "Rows were deleted at 22:05 or a little later. By which transactions, over which connection, in which tables?",
        "SELECT commit_time, gtid, connection_id, rows_deleted, tables FROM _history.transactions \
         BETWEEN '2026-11-23 22:05:53' AND '2026-11-23 22:06:03' WHERE rows_deleted > 0",
    ),
    (
        "What did that one do to orders?",
        "SELECT id, event_type, row_before FROM _diff.orders AT GTID 'd0a3c9ca-e789-11f1-b800-02fc00000001:8'",
    ),
    (
        "How many changes of each kind were there in all that time?",
        "SELECT event_type, COUNT(*) AS changes FROM _diff.orders \
         BETWEEN '2026-11-23 22:05:53' AND '2026-11-23 22:06:03' ALLOW SCAN GROUP BY event_type",
    ),
    (
        "Which SQL takes the transaction back?",
        "SELECT statement, conflict FROM _undo.orders AT GTID 'd0a3c9ca-e789-11f1-b800-02fc00000001:8'",
    ),
    ("And one row: what did order 42 look like just before it was shipped?", PASTED),
    (
        "Rows that nobody may have changed: the lines of order 42 just after a transaction.",
        "SELECT * FROM _snapshot.order_items AT GTID 'd0a3c9ca-e789-11f1-b800-02fc00000001:7' WHERE order_id = 42 AND line IN (1, 2)",
    ),
];
/// What is offered to be pasted.
const PASTED: &str = "SELECT id, customer, status, amount, updated_at FROM _flashback.orders AS OF '2026-11-23 22:05:56' WHERE id = 42";

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the shim listens.
    #[arg(long, default_value = "127.0.0.1:3308")]
    listen: SocketAddr,
    /// Where the page for browsers is, at /ui, to whoever has the password; an address of this
    /// machine. Default: 127.0.0.1:3309, or a free port where that is taken.
    #[arg(long, value_name = "ADDRESS")]
    ui: Option<SocketAddr>,
    /// No page.
    #[arg(long, conflicts_with = "ui")]
    no_ui: bool,
    /// End after printing.
    #[arg(long)]
    once: bool,
}

/// Runs the demonstration.
pub async fn run(args: DemoArgs) -> ExitCode {
    telemetry::start("warn", telemetry::Format::Text);
    match demonstrate(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("demo: {error}")),
    }
}

async fn demonstrate(args: &DemoArgs) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| format!("{} cannot be listened on: {e} (choose another with --listen)", args.listen))?;
    let address = listener.local_addr()?;
    let page =
        if args.no_ui { None } else { Some(Page::bind(args.ui).await.map_err(|CannotStart(why, _)| why)?) };
    let stop = CancellationToken::new();
    let secret = Secret::new(PASSWORD.to_owned());
    let history_handle = Arc::new(HistoryHandle::fixed(Arc::new(history()?)));
    let client = embedded::start_agent(Arc::clone(&history_handle), &secret, &stop).await?;
    let login =
        Login { user: USER.to_owned(), password: secret.clone(), default_schema: Some("shop".to_owned()) };
    let looked_at = page.as_ref().map(Page::address).transpose()?;
    if let Some(page) = page {
        page.show(&secret, history_handle, stop.clone())?;
    }
    let settings = embedded::shim(login, ServerId(SERVER.to_owned()), client, secret, None)?;
    let running = tokio::spawn(server::serve(listener, Arc::new(settings), stop.clone()));
    let mut out = std::io::stdout();
    ask(address, &mut out).await?;
    writeln!(
        out,
        "Connect with any MySQL client:\n\n    mysql -h {} -P {} -u {USER} -p{PASSWORD} shop\n",
        address.ip(),
        address.port()
    )?;
    if let Some(page) = looked_at {
        writeln!(out, "or look at it in a browser, with the password {PASSWORD}:\n\n    {page}\n")?;
    }
    writeln!(out, "and paste:\n\n    {PASTED};\n")?;
    if !args.once {
        writeln!(out, "Ctrl-C ends it.")?;
        out.flush()?;
        signals.stopped().await;
    }
    stop.cancel();
    running.await?;
    Ok(())
}

/// The history in the recording.
fn history() -> Result<History, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("dbtrail-shim-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("binlog.000003");
    let history = std::fs::write(&file, RECORDING)
        .map_err(Box::<dyn Error>::from)
        .and_then(|()| History::read(ServerId(SERVER.to_owned()), &[file]).map_err(Box::<dyn Error>::from));
    std::fs::remove_dir_all(&folder)?;
    history
}

/// Runs the statements as a client would, and prints them as the `mysql` command line does.
async fn ask(address: SocketAddr, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let options = mysql_async::OptsBuilder::default()
        .ip_or_hostname(address.ip().to_string())
        .tcp_port(address.port())
        .user(Some(USER))
        .pass(Some(PASSWORD))
        .db_name(Some("shop"))
        .prefer_socket(false);
    let mut conn = mysql_async::Conn::new(options).await?;
    for (why, statement) in STATEMENTS {
        let mut result = conn.query_iter(statement).await?;
        let names: Vec<String> = result.columns_ref().iter().map(|c| c.name_str().into_owned()).collect();
        let rows: Vec<mysql_async::Row> = result.collect().await?;
        drop(result);
        let cells: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.unwrap().iter().map(shown).collect()).collect();
        writeln!(out, "-- {why}\nmysql> {statement};\n{}", table(&names, &cells))?;
    }
    conn.disconnect().await?;
    Ok(())
}

fn shown(value: &mysql_async::Value) -> String {
    match value {
        mysql_async::Value::NULL => "NULL".to_owned(),
        mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.as_sql(true),
    }
}

fn table(names: &[String], rows: &[Vec<String>]) -> String {
    let width = |i: usize| {
        let cells = rows.iter().map(|r| r[i].chars().count());
        cells.chain([names[i].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let dashes: Vec<String> = widths.iter().map(|w| "-".repeat(w + 2)).collect();
    let rule = format!("+{}+\n", dashes.join("+"));
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().zip(&widths).map(|(c, w)| format!(" {c:w$} ")).collect();
        format!("|{}|\n", cells.join("|"))
    };
    let body: String = rows.iter().map(|r| line(r)).collect();
    let count = match rows.len() {
        1 => "1 row in set".to_owned(),
        n => format!("{n} rows in set"),
    };
    format!("{rule}{}{rule}{body}{rule}{count}\n", line(names))
}
