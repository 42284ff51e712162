//! Refuses a window that ends inside of the time in which a change became visible that may matter
//! to the answer.

use super::keys::Wanted;
use super::{History, Refusal};
use crate::changes;
use crate::commit_index::{Straddling, WindowEnd};
use crate::commits;
use crate::names::TableState;
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::agent_api::code;
use dbtrail_types::happened::HistoryTable;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;

/// Says whether a change of a generation matters: its number, and its key where it is of one row.
type Matters<'a> = dyn FnMut(ChangeSequence, GenerationId, Option<&[u8]>) -> Result<bool, Refusal> + 'a;

impl History {
    /// Refuses a window over a table where the log does not say whether a change of these keys lies
    /// in it. `until`: `None` where the window goes on to the end of the record.
    ///
    /// # Errors
    /// It does not, or the engine failed.
    pub(super) fn check_window_ends(
        &self,
        (since, until): (Timestamp, Option<Timestamp>),
        name: &TableName,
        wanted: Option<&Wanted>,
        mut also: impl FnMut(ChangeSequence, GenerationId, &[u8]) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        for straddling in self.straddling(since, until)? {
            let mut matters = |sequence, generation, key: Option<&[u8]>| match key {
                Some(key) if wanted.is_some_and(|wanted| !wanted.holds(key)) => Ok(false),
                Some(key) => also(sequence, generation, key),
                None => Ok(true),
            };
            if self.touches(name, &straddling, &mut matters)? {
                return Err(split(&straddling, &format!("rows of {name}")));
            }
        }
        Ok(())
    }

    /// The same for a window over transactions or definitions, of the schemas that `sees` takes.
    ///
    /// # Errors
    /// The window is not recorded as a whole, the log does not say whether one that counts lies in
    /// it, or the engine failed.
    pub(super) fn check_transaction_ends(
        &self,
        (since, until): (Timestamp, Timestamp),
        table: HistoryTable,
        sees: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        self.covered(since)?;
        self.covered(until)?;
        self.without_gap(since, until)?;
        for straddling in self.straddling(since, Some(until))? {
            let (from, to) = (straddling.commit.first, straddling.following);
            let mut found = if table == HistoryTable::Ddl {
                let mut names = self.names.iter().filter(|(name, _)| sees(&name.schema));
                names.any(|(_, history)| history.iter().any(|(at, _)| (from..to).contains(at)))
                    || !self.unfollowed((from, to), &sees)?.is_empty()
            } else {
                false
            };
            commits::between(&*self.snapshot, from, to, &mut |commit| {
                found |= table != HistoryTable::Ddl && commit.tables.iter().any(|t| sees(&t.name.schema));
                Ok(!found)
            })?;
            if found {
                return Err(split(&straddling, "tables"));
            }
        }
        Ok(())
    }

    fn straddling(&self, since: Timestamp, until: Option<Timestamp>) -> Result<Vec<Straddling>, Refusal> {
        let index = self.commit_index();
        let mut all = index.straddling(WindowEnd::Since(since))?;
        if let Some(until) = until {
            all.extend(index.straddling(WindowEnd::Until(until))?);
        }
        Ok(all)
    }

    /// Whether an entry changed the table: its definition, or rows that matter.
    fn touches(
        &self,
        name: &TableName,
        entry: &Straddling,
        matters: &mut Matters<'_>,
    ) -> Result<bool, Refusal> {
        let (from, to) = (entry.commit.first, entry.following);
        if self.names.history(name).iter().any(|(at, _)| (from..to).contains(at)) {
            return Ok(true);
        }
        let Some((_, TableState::Table(generation, _))) = self.names.at(name, from) else { return Ok(false) };
        if self.generation(*generation).is_some_and(|known| known.last_lost(from, to).is_some()) {
            return Ok(true);
        }
        let mut found = Ok(false);
        changes::between(&*self.snapshot, from, to, &mut |change| {
            if change.generation == *generation {
                found = matters(change.sequence, change.generation, change.key);
            }
            Ok(matches!(found, Ok(false)))
        })?;
        found
    }
}

fn split(Straddling { end, commit, .. }: &Straddling, what: &str) -> Refusal {
    let id = commit.gtid.as_ref().map(|g| format!(" (GTID {g})")).unwrap_or_default();
    let (committed, visible) = (commit.committed, commit.visible);
    let advice = match end {
        WindowEnd::Since(_) => {
            format!("begin at {committed}, which takes it in, or at {visible}, which leaves it out")
        }
        WindowEnd::Until(_) => {
            let last = committed.max(Timestamp::from_micros(visible.micros().saturating_sub(1_000_000)));
            format!("end at {last}, which takes it in, or before {committed}, which leaves it out")
        }
    };
    let (WindowEnd::Since(at) | WindowEnd::Until(at)) = end;
    Refusal::new(
        422,
        code::AMBIGUOUS_TIME,
        format!(
            "a window cannot end at {at}: the transaction{id} that changed {what} could be seen from some instant between {committed} and {visible} on, and the \
             log does not say whether that was before it: {advice}"
        ),
    )
}
