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
mod source;
mod state;
mod table;
mod windows;

use super::files::secret_in;
use super::undo::table as named;
use crate::plan;
pub use arguments::VerifyArgs;
pub(super) use background::Background;
use chain::Checked;
use compare::Difference;
use dbtrail_history::history_handle::{Status, TableStatus};
use dbtrail_history::query::TableHealth;
use dbtrail_types::names::TableName;
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use history::{History, No};
use pace::Pace;
use report::{Report, Verdict};
use source::ServerReader;
use state::State;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use table::{Looked, Sides, Suspect};

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
    let mut run = Run { sides, status: &status, state, report, begun: BTreeMap::new(), dry: args.dry_run };
    run.round(&tables, since).await?;
    for name in &tables {
        if !run.report.has(name) {
            run.report.add(name.clone(), Verdict::not("the history knows no such table".to_owned()));
        }
    }
    Ok(run.report)
}

/// One run.
struct Run<'a> {
    sides: Sides<'a>,
    status: &'a Status,
    state: State,
    report: Report,
    /// When each table was begun.
    begun: BTreeMap<TableName, Timestamp>,
    /// Whether no table is put in doubt.
    dry: bool,
}

impl Run<'_> {
    /// Every table, or those that were chosen; to its end.
    async fn round(&mut self, chosen: &[TableName], since: Option<Timestamp>) -> Result<(), String> {
        let suspects = self.first(chosen, since).await?;
        self.second(suspects).await?;
        self.state.finish_run()
    }

    /// The same of every table, one after the other: what differs is reported before the next one
    /// is begun, which may be hours later.
    async fn slow_round(&mut self) -> Result<(), String> {
        for entry in &self.status.tables {
            let name = TableName { schema: entry.schema.clone(), table: entry.table.clone() };
            let suspects = self.first(&[name], None).await?;
            self.second(suspects).await?;
        }
        self.state.finish_run()
    }

    /// The first look at every table. Gives what is to be looked at again, each with its rows.
    async fn first(
        &mut self,
        chosen: &[TableName],
        since: Option<Timestamp>,
    ) -> Result<Vec<(u64, Suspect)>, String> {
        let mut suspects = Vec::new();
        for entry in &self.status.tables {
            let name = TableName { schema: entry.schema.clone(), table: entry.table.clone() };
            if !chosen.is_empty() && !chosen.contains(&name) {
                continue;
            }
            if let Some(why) = left_out(entry) {
                if entry.health.is_some_and(TableHealth::is_ill) || !chosen.is_empty() {
                    self.report.add(name, Verdict::not(why));
                }
                continue;
            }
            if self.state.is_done(&name) {
                self.report.add(name, Verdict::Before);
                continue;
            }
            let begun = self.sides.source.clock().await?;
            self.begun.insert(name.clone(), begun);
            let after = self.state.after(&name);
            let state = &mut self.state;
            let mut done = |value: &[u8]| state.reached(&name, value);
            match self.sides.table(&name, after, &mut done).await? {
                Looked::Suspect(rows, suspect) => suspects.push((rows, suspect)),
                Looked::Not(why) => {
                    self.state.finished(&name, None)?;
                    self.report.add(name, Verdict::not(why));
                }
                Looked::Same(rows) => self.chained(&name, rows, since).await?,
            }
        }
        Ok(suspects)
    }

    /// A table whose rows are as the history says: so are its versions, where that is asked for.
    async fn chained(&mut self, name: &TableName, rows: u64, since: Option<Timestamp>) -> Result<(), String> {
        let Some(since) = since else { return self.true_one(name, rows) };
        let from = self.oldest(name).max(since);
        match chain::checked(self.sides.history, name, from).await {
            Ok(Checked { found, instead }) => {
                self.report.other_window(instead.map(|window| windows::note(name, from, window)));
                if found.is_empty() {
                    self.true_one(name, rows)
                } else {
                    self.false_one(name, rows, found, from).await
                }
            }
            Err(No::Refused(_, why)) => {
                self.report.add(name.clone(), Verdict::not(why));
                self.state.finished(name, None)
            }
            Err(No::Failed(why)) => Err(why),
        }
    }

    /// Looks again at what differed.
    async fn second(&mut self, suspects: Vec<(u64, Suspect)>) -> Result<(), String> {
        if suspects.is_empty() {
            return Ok(());
        }
        let rows: BTreeMap<TableName, u64> =
            suspects.iter().map(|(rows, suspect)| (suspect.table.clone(), *rows)).collect();
        let oldest = rows.keys().map(|name| (name.clone(), self.oldest(name))).collect();
        let suspects = suspects.into_iter().map(|(_, suspect)| suspect).collect();
        let mut found = self.sides.again(suspects, &oldest).await?;
        for (name, rows) in rows {
            match found.remove(&name) {
                None => self.true_one(&name, rows)?,
                Some(Ok((differences, proven))) => self.false_one(&name, rows, differences, proven).await?,
                Some(Err(why)) => {
                    self.state.finished(&name, None)?;
                    self.report.add(name, Verdict::not(why));
                }
            }
        }
        Ok(())
    }

    fn true_one(&mut self, name: &TableName, rows: u64) -> Result<(), String> {
        self.state.finished(name, self.begun.get(name).copied())?;
        self.report.add(name.clone(), Verdict::Same { rows });
        Ok(())
    }

    /// `proven`: the last instant at which it certainly was as the history says.
    async fn false_one(
        &mut self,
        name: &TableName,
        rows: u64,
        differences: Vec<Difference>,
        proven: Timestamp,
    ) -> Result<(), String> {
        if !self.dry {
            let proven = self.state.verified(name).map_or(proven, |at| at.max(proven));
            match self.sides.history.doubt(name, proven, report::reason(&differences)).await {
                Ok(()) => self.report.doubted(name, proven),
                Err(no) => self.report.note(format!("{name} could not be put in doubt: {}", no.why())),
            }
        }
        self.state.finished(name, None)?;
        self.report.add(name.clone(), Verdict::differs(rows, differences));
        Ok(())
    }

    /// Where what is known of a table begins, after the last gap.
    fn oldest(&self, name: &TableName) -> Timestamp {
        let entry = self.status.tables.iter().find(|t| t.schema == name.schema && t.table == name.table);
        let oldest = entry.and_then(|t| t.oldest).or(self.status.oldest);
        let oldest = oldest.unwrap_or_else(|| Timestamp::from_micros(0));
        self.status.gaps.iter().map(|gap| gap.to).fold(oldest, Timestamp::max)
    }
}

/// Why a table is not compared; `None`: it is.
fn left_out(entry: &TableStatus) -> Option<String> {
    if entry.readable {
        return None;
    }
    let reason = || entry.reason.clone().unwrap_or_else(|| "it cannot be read".to_owned());
    Some(if entry.health.is_none() { "it is gone".to_owned() } else { reason() })
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
