//! Writes the commit index: page by page, since most entries are small and resemble each other.

use super::page::Page;
use super::{Clock, Commit, LAST, number, step, time};
use crate::engine::{Batch, Snapshot, StoreError, Table};
use crate::gtid;
use crate::store::ChangeSequence;

/// Writes entries: page by page, since most of them are small and resemble each other.
#[derive(Debug, Default)]
pub struct CommitIndexWriter {
    /// What must be remembered.
    pub clock: Clock,
    pub(super) open: Page,
    /// The open page has entries that are not written.
    pub(super) changed: bool,
}

impl CommitIndexWriter {
    /// Goes on after what a snapshot holds.
    ///
    /// # Errors
    /// The engine failed.
    pub fn after(clock: Clock, snapshot: &dyn Snapshot) -> Result<Self, StoreError> {
        let last = snapshot.last(Table::CommitIndex, &[], &LAST)?;
        let last = last.map(|(key, value)| Page::read(&key, &value)).transpose()?;
        let open = last.filter(|page| !page.is_full()).unwrap_or_default();
        Ok(Self { clock, open, changed: false })
    }

    /// Takes an entry in; `following`: the first change that is not its own.
    pub fn note(&mut self, batch: &mut Batch, commit_entry: Commit, following: ChangeSequence) {
        let clock = &mut self.clock;
        let committed = commit_entry.committed;
        clock.fractions |= committed.micros() % 1_000_000 != 0;
        clock.wide |= commit_entry.visible > committed;
        clock.visible = clock.visible.max(Some(commit_entry.visible.max(committed)));
        match clock.latest {
            Some(latest) if committed < latest => {
                clock.deepest = clock.deepest.max(latest.micros() - committed.micros());
                // Inside of a run the times rise, so that its keys are in the order of the log.
                let start = match clock.run {
                    Some((start, last)) if last <= committed => start,
                    _ => commit_entry.first,
                };
                clock.run = Some((start, committed));
                batch.put(Table::ClockRegressions, &step(latest, start, committed), &number(following));
            }
            Some(latest) if committed == latest => {}
            _ => {
                clock.latest = Some(committed);
                clock.run = None;
            }
        }
        self.open.push(commit_entry, following, clock.entries);
        clock.entries += 1;
        self.changed = true;
        if self.open.is_full() {
            self.close(batch);
        }
    }

    /// Writes the page that is not full yet.
    pub fn flush(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.changed) {
            batch.put(Table::CommitIndex, &self.open.key(), &self.open.written());
        }
    }

    /// Begins another page: what follows does not follow at once.
    pub fn close(&mut self, batch: &mut Batch) {
        self.flush(batch);
        let page = std::mem::take(&mut self.open);
        if page.entries.is_empty() {
            return;
        }
        if self.clock.latest > self.clock.maximum
            && let Some(latest) = self.clock.latest
        {
            self.clock.maximum = Some(latest);
            batch.put(Table::MaxCommitTimestamps, &time(latest), &page.key());
        }
        if self.clock.visible > self.clock.visible_maximum
            && let Some(visible) = self.clock.visible
        {
            self.clock.visible_maximum = Some(visible);
            batch.put(Table::Visible, &time(visible), &page.key());
        }
        gtid::index(batch, page.entries.iter().filter_map(|m| m.gtid.as_ref()), &page.key());
    }
}
