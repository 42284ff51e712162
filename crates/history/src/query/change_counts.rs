//! How many rows changed in a window, step by step: read from what is kept of each transaction, so
//! that it costs their number, and not that of their rows.

use super::scan::Turn;
use super::{History, Refusal, lines};
use crate::commit_index::Page;
use crate::commits::{self, Commit};
use crate::store::ChangeSequence;
use dbtrail_types::change_counts::{
    ChangeCounts, ChangeCountsHeader, ChangeCountsLine, ChangeCountsRequest, MOST_STEPS,
};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Transactions read at a time.
const AT_ONCE: usize = 256;

/// The lines of an answer: all of them at the end, empty chunks until then.
#[derive(Debug)]
pub struct ChangeCountsAnswer {
    history: Arc<History>,
    window: (Timestamp, Timestamp),
    step_seconds: u32,
    table: Option<TableName>,
    allowed: Option<BTreeSet<String>>,
    /// Where the next transactions are read, and up to where.
    next: Option<(ChangeSequence, ChangeSequence)>,
    /// By the number of the step.
    steps: Vec<Option<ChangeCounts>>,
    page: Page,
}

impl History {
    /// How many rows changed in each step of a window.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn change_counts(
        self: &Arc<Self>,
        request: &ChangeCountsRequest,
    ) -> Result<ChangeCountsAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        let (since, until, step_seconds) = (request.since, request.until, request.step_seconds);
        if since > until {
            return Err(Refusal::malformed("the window ends before it begins".to_owned()));
        }
        let steps = match number(since, until, step_seconds) {
            Some(last) if last < MOST_STEPS => usize::try_from(last).unwrap_or_default() + 1,
            Some(last) => {
                return Err(Refusal::malformed(format!(
                    "the window has {} steps of {step_seconds} s, and {MOST_STEPS} are counted at most: ask for longer steps",
                    last.saturating_add(1)
                )));
            }
            None => return Err(Refusal::malformed("step_seconds is 0".to_owned())),
        };
        self.covered(since)?;
        self.covered(until)?;
        self.without_gap(since, until)?;
        let table = request.table.clone().map(|name| self.catalog.folded(name));
        Ok(ChangeCountsAnswer {
            history: Arc::clone(self),
            window: (since, until),
            step_seconds,
            table,
            allowed: request.schemas.as_ref().map(|schemas| schemas.iter().cloned().collect()),
            next: Some(self.commit_index().sequence_range(since, until)?),
            steps: vec![None; steps],
            page: Page::default(),
        })
    }
}

/// Microseconds of a step.
fn length(step_seconds: u32) -> i64 {
    i64::from(step_seconds) * 1_000_000
}

/// The number of the step in which an instant of the window lies, from 0 on.
fn number(since: Timestamp, at: Timestamp, step_seconds: u32) -> Option<u64> {
    let step = |at: Timestamp| at.micros().checked_div_euclid(length(step_seconds));
    u64::try_from(step(at)?.checked_sub(step(since)?)?).ok()
}

/// Where a step begins.
fn begin(since: Timestamp, step: u64, step_seconds: u32) -> Option<Timestamp> {
    let length = length(step_seconds);
    let number = since.micros().checked_div_euclid(length)?.checked_add_unsigned(step)?;
    number.checked_mul(length).map(Timestamp::from_micros)
}

impl ChangeCountsAnswer {
    fn counts(&self, name: &TableName) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&name.schema))
            && self.table.as_ref().is_none_or(|table| table == name)
    }

    fn add(&mut self, commit: &Commit) -> Result<(), Refusal> {
        if !commit.tables.iter().any(|t| self.counts(&t.name)) {
            return Ok(());
        }
        let history = Arc::clone(&self.history);
        let at = history.commit_index().of_near(commit.first, &mut self.page)?;
        let at = at.ok_or_else(|| Refusal::internal("a transaction without a time".to_owned()))?.committed;
        let (since, until) = self.window;
        if at < since || at > until {
            return Ok(());
        }
        let mut of_commit = [0_u64; 4];
        for touched in commit.tables.iter().filter(|t| self.counts(&t.name)) {
            let counts = [touched.inserted, touched.updated, touched.deleted, u64::from(touched.emptied)];
            of_commit.iter_mut().zip(counts).for_each(|(all, one)| *all = all.saturating_add(one));
        }
        let step = number(since, at, self.step_seconds);
        let position = step.and_then(|n| self.steps.get_mut(usize::try_from(n).ok()?));
        let from = step.and_then(|n| begin(since, n, self.step_seconds));
        let (Some(kept), Some(from)) = (position, from) else {
            return Err(Refusal::internal("a transaction outside of its window".to_owned()));
        };
        let kept = kept.get_or_insert(ChangeCounts {
            from,
            transactions: 0,
            inserted: 0,
            updated: 0,
            deleted: 0,
            emptied: 0,
        });
        kept.transactions += 1;
        let [inserted, updated, deleted, emptied] = of_commit;
        kept.inserted = kept.inserted.saturating_add(inserted);
        kept.updated = kept.updated.saturating_add(updated);
        kept.deleted = kept.deleted.saturating_add(deleted);
        kept.emptied = kept.emptied.saturating_add(emptied);
        Ok(())
    }

    /// Reads on until the turn is over; `true`: there is nothing left to read.
    fn read(&mut self) -> Result<bool, Refusal> {
        let mut turn = Turn::new();
        while let Some((from, to)) = self.next.take() {
            let mut found = Vec::new();
            commits::between(&*self.history.snapshot, from, to, &mut |commit| {
                found.push(commit);
                Ok(found.len() < AT_ONCE)
            })?;
            if found.len() == AT_ONCE
                && let Some(last) = found.last()
            {
                self.next = Some((last.following, to));
            }
            let mut over = false;
            for commit in &found {
                self.add(commit)?;
                over |= turn.is_over();
            }
            if over {
                return Ok(self.next.is_none());
            }
        }
        Ok(true)
    }

    fn lines(&self) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        lines::json(&ChangeCountsHeader { success: true, step_seconds: self.step_seconds }, &mut out)?;
        out.push(b'\n');
        let mut count = 0;
        for step in self.steps.iter().flatten() {
            lines::json(&ChangeCountsLine { step: *step }, &mut out)?;
            out.push(b'\n');
            count += 1;
        }
        lines::trailer(count, &[], &mut out)?;
        Ok(out)
    }
}

impl Iterator for ChangeCountsAnswer {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.steps.is_empty() {
            return None;
        }
        let chunk = match self.read() {
            Ok(false) => Ok(Vec::new()),
            Ok(true) => self.lines(),
            Err(refused) => Err(refused),
        };
        // A chunk with something in it is the only one.
        if !matches!(&chunk, Ok(chunk) if chunk.is_empty()) {
            self.steps.clear();
        }
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_clock() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let micro = |micros: i64| Timestamp::from_micros(micros);
        assert_eq!(number(at(90), at(90), 60), Some(0));
        assert_eq!(number(at(90), micro(119_999_999), 60), Some(0));
        assert_eq!(number(at(90), at(120), 60), Some(1));
        assert_eq!(number(at(-1), at(0), 60), Some(1));
        assert_eq!(number(at(90), at(120), 0), None);
        assert_eq!(number(at(60), at(59), 60), None);
        assert_eq!([0, 2].map(|step| begin(at(90), step, 60)), [Some(at(60)), Some(at(180))]);
        assert_eq!(begin(at(-1), 0, 60), Some(at(-60)));
    }
}
