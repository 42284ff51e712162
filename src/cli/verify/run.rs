//! One run over all tables: what each is found to be, and what follows from it.

use super::again::Found;
use super::chain::{self, Checked};
use super::compare::Difference;
use super::history::No;
use super::report::{self, Report, Verdict};
use super::state::State;
use super::table::{Looked, Rest, Sides, Suspect, What};
use super::windows;
use dbtrail_history::history_handle::{Status, TableStatus};
use dbtrail_history::query::TableHealth;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeMap;

/// One run.
pub(super) struct Run<'a> {
    pub(super) sides: Sides<'a>,
    pub(super) status: &'a Status,
    pub(super) state: State,
    pub(super) report: Report,
    /// Whether no table is put in doubt.
    pub(super) dry: bool,
}

impl Run<'_> {
    /// Every table, or those that were chosen; to its end.
    pub(super) async fn round(
        &mut self,
        chosen: &[TableName],
        since: Option<Timestamp>,
    ) -> Result<(), String> {
        let suspects = self.first(chosen, since).await?;
        self.second(suspects, since).await?;
        self.state.finish_run()
    }

    /// The same of every table, one after the other: what differs is reported before the next one
    /// is begun, which may be hours later. Gives when the first one was begun.
    pub(super) async fn slow_round(&mut self) -> Result<Option<Timestamp>, String> {
        for entry in &self.status.tables {
            let name = TableName { schema: entry.schema.clone(), table: entry.table.clone() };
            let suspects = self.first(&[name], None).await?;
            self.second(suspects, None).await?;
        }
        let began = self.state.began();
        self.state.finish_run()?;
        Ok(began)
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
            self.state.begin(&name, begun);
            suspects.extend(self.table(&name, since).await?);
        }
        Ok(suspects)
    }

    /// The first look at a table, and the second at its first rows where so many differ, since more
    /// of them changed while they were read than are held.
    async fn table(
        &mut self,
        name: &TableName,
        since: Option<Timestamp>,
    ) -> Result<Option<(u64, Suspect)>, String> {
        let (mut compared, mut after) = (0, self.state.after(name));
        loop {
            let state = &mut self.state;
            let mut done = |value: &[u8]| state.reached(name, value);
            match self.sides.table(name, after.take(), &mut done).await? {
                Looked::Suspect(rows, suspect) => {
                    compared += rows;
                    let rest = match &suspect.what {
                        What::Columns | What::Rows { rest: Rest::None, .. } => {
                            return Ok(Some((compared, suspect)));
                        }
                        What::Rows { rest, .. } => rest.clone(),
                    };
                    let oldest = BTreeMap::from([(name.clone(), self.oldest(name))]);
                    if let Some(found) = self.sides.again(vec![suspect], &oldest).await?.remove(name) {
                        self.differs(name, compared, found).await?;
                        return Ok(None);
                    }
                    let Rest::After(value) = rest else {
                        let why = "more of its rows changed while they were read than are looked at again: read fewer at a time (--piece), or later";
                        self.differs(name, compared, Err(why.to_owned())).await?;
                        return Ok(None);
                    };
                    after = Some(value);
                }
                Looked::Not(why) => {
                    self.state.finished(name, false)?;
                    self.report.add(name.clone(), Verdict::not(why));
                    return Ok(None);
                }
                Looked::Same(rows) => {
                    self.chained(name, compared + rows, since).await?;
                    return Ok(None);
                }
            }
        }
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
                self.state.finished(name, false)
            }
            Err(No::Failed(why)) => Err(why),
        }
    }

    /// Looks again at what differed.
    async fn second(
        &mut self,
        suspects: Vec<(u64, Suspect)>,
        since: Option<Timestamp>,
    ) -> Result<(), String> {
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
                // As far as its rows go.
                None => self.chained(&name, rows, since).await?,
                Some(found) => self.differs(&name, rows, found).await?,
            }
        }
        Ok(())
    }

    /// What came of the second look at a table whose rows are not what the history says.
    async fn differs(
        &mut self,
        name: &TableName,
        rows: u64,
        found: Result<Found, String>,
    ) -> Result<(), String> {
        match found {
            Ok((differences, proven)) => {
                // Its rows are not what they were when all of it was true.
                let proven = self.state.verified(name).map_or(proven, |at| at.max(proven));
                self.false_one(name, rows, differences, proven).await
            }
            Err(why) => {
                self.state.finished(name, false)?;
                self.report.add(name.clone(), Verdict::not(why));
                Ok(())
            }
        }
    }

    fn true_one(&mut self, name: &TableName, rows: u64) -> Result<(), String> {
        self.state.finished(name, true)?;
        self.report.add(name.clone(), Verdict::Same { rows });
        Ok(())
    }

    /// `proven`: the last instant at which it certainly was as the history says. Of versions that
    /// contradict each other no later look at the rows proves anything.
    async fn false_one(
        &mut self,
        name: &TableName,
        rows: u64,
        differences: Vec<Difference>,
        proven: Timestamp,
    ) -> Result<(), String> {
        if !self.dry {
            match self.sides.history.doubt(name, proven, report::reason(&differences)).await {
                Ok(()) => self.report.doubted(name, proven),
                Err(no) => self.report.note(format!("{name} could not be put in doubt: {}", no.why())),
            }
        }
        self.state.finished(name, false)?;
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
