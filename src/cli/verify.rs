//! `verify`: whether the history is true. Every row of the server is compared with what the history
//! says of it at the same position of the log, and each version with the one before it.

mod again;
mod arguments;
mod background;
mod chain;
mod compare;
mod history;
mod key;
mod pace;
mod report;
mod run;
mod source;
mod state;
mod table;
mod windows;

use super::files::secret_in;
use super::undo::table as named;
use crate::plan;
pub use arguments::VerifyArgs;
pub(super) use background::Background;
use dbtrail_types::names::TableName;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use history::{History, No};
use pace::Pace;
use report::{Report, Verdict};
use run::Run;
use source::ServerReader;
use state::State;
use std::io::Write;
use std::process::ExitCode;
use table::Sides;

/// The variable that holds the password of the source.
const PASSWORD: &str = "DBTRAIL_SOURCE_PASSWORD";

/// Compares, and tells. Exit code 0: all is as the history says; 1: something is not; 2: something
/// could not be compared.
pub async fn run(args: &VerifyArgs) -> ExitCode {
    match verified(args).await {
        Ok(report) => {
            let written = report.write(args.json);
            let code = if written.is_err() { 2 } else { report.exit_code() };
            ExitCode::from(code)
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "dbtrail-shim: verify: {why}");
            ExitCode::from(2)
        }
    }
}

async fn verified(args: &VerifyArgs) -> Result<Report, String> {
    let tables: Vec<TableName> = args.table.iter().map(|text| named(text)).collect::<Result<_, _>>()?;
    let since = args.since.as_deref().map(|text| plan::timestamp(text, &Zone::utc(), Timestamp::now()));
    let since = since.transpose().map_err(|failure| super::undo::message_of(&failure))?;
    let password = match (&args.source_password_file, std::env::var(PASSWORD)) {
        (Some(path), _) => Some(secret_in(path)?),
        (None, given) => given.ok().map(Secret::new),
    };
    let mut source = ServerReader::open(&args.source, password.as_ref()).await?;
    let (token, ca) = (args.token_file.as_deref(), args.ca.as_deref());
    let (history, status) = History::open(&args.agent, token, ca, args.server_id.as_deref()).await?;
    if !status.live {
        return Err("the agent reads log files, and follows no server that could be compared".to_owned());
    }
    let mut report = Report::new(status.server_id.clone());
    unknown_tables(&mut source, &history, &tables, &mut report).await?;
    let state = State::open(args.state.as_deref(), &status.server_id)?;
    let mut pace = Pace::new(args.rate);
    let sides = Sides { source: &mut source, history: &history, pace: &mut pace, piece: args.piece };
    let mut run = Run { sides, status: &status, state, report, dry: args.dry_run };
    run.round(&tables, since).await?;
    for name in &tables {
        if !run.report.has(name) {
            run.report.add(name.clone(), Verdict::not("the history knows no such table".to_owned()));
        }
    }
    Ok(run.report)
}

/// Tables of the server of which the history knows nothing, once the record has reached now.
async fn unknown_tables(
    source: &mut ServerReader,
    history: &History,
    chosen: &[TableName],
    report: &mut Report,
) -> Result<(), String> {
    let there = source.tables().await?;
    let now = source.clock().await?;
    if !history.reaches(now).await.map_err(No::why)? {
        return Err("the agent does not follow: its record does not go on".to_owned());
    }
    let status = history.status().await.map_err(No::why)?;
    // By a server's rules for names, which may fold them.
    let known = |name: &TableName| {
        let lower = name.to_lowercase();
        let mut tables = status.tables.iter();
        tables.any(|t| t.schema.to_lowercase() == lower.schema && t.table.to_lowercase() == lower.table)
    };
    let again = source.tables().await?;
    for name in there.intersection(&again).filter(|name| !known(name)) {
        if chosen.is_empty() || chosen.contains(name) {
            report.add(name.clone(), Verdict::Unknown);
        }
    }
    Ok(())
}
