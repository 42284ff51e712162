//! Instants to positions in the log.
//!
//! The order of commits is the order of the log, also where clocks step back. Each entry has two
//! times: nobody saw it before the one ([`Commit::committed`]), and everybody could from the other
//! on ([`Commit::visible`]). MySQL 8 stamps the commit to the microsecond, and the two are the same
//! but for what the server waits after the stamp; MariaDB and MySQL 5.7 log whole seconds, and some
//! of them those in which the statement began.
//!
//! The state at an instant T certainly holds the longest prefix of the log whose every entry could
//! be seen by T: never half a transaction. It may hold what follows, up to the last entry that was
//! committed at or before T. [`ReadPoint`] carries both ends of that doubtful range, and the
//! query refuses what lies inside of it: only keys and tables that changed there.

use super::engine::{Snapshot, StoreError, StoreFault, Table};
use super::log::Gtid;
use super::log_gap::LogGap;
use super::store::ChangeSequence;
pub use clock::{Blurred, Clock};
use dbtrail_types::timestamp::Timestamp;
pub use known_pages::KnownPages;
use known_pages::{KnownPage, Measure, Times};
pub use page::Page;
use std::sync::Arc;
use window_ends::after;
pub use window_ends::{Straddling, WindowEnd};
pub use writer::CommitIndexWriter;

mod known_pages;
mod page;
mod window_ends;
mod writer;

/// After every key of a page.
const LAST: [u8; 17] = [0xff; 17];

/// One committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its first change (or the first of the next entry, if it has none).
    pub first: ChangeSequence,
    /// Its commit time: nobody saw it before.
    pub committed: Timestamp,
    /// From when on everybody could see it.
    pub visible: Timestamp,
    /// Its GTID; `None`: the server writes none.
    pub gtid: Option<Gtid>,
}

/// A place between two changes. All versions before `at` are in; those up to `doubtful` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPoint {
    /// The first change that is not certainly in.
    pub at: ChangeSequence,
    /// The first change that is certainly not in.
    pub doubtful: ChangeSequence,
}

fn number(sequence: ChangeSequence) -> Vec<u8> {
    sequence.0.to_be_bytes().to_vec()
}

fn read_number(bytes: &[u8]) -> Result<ChangeSequence, StoreError> {
    let bytes = bytes.try_into().map_err(|_| damaged())?;
    Ok(ChangeSequence(u64::from_be_bytes(bytes)))
}

/// Bytes that order as the times do.
fn time(at: Timestamp) -> [u8; 8] {
    (at.micros().cast_unsigned() ^ 1 << 63).to_be_bytes()
}

fn read_time(bytes: &[u8]) -> Result<Timestamp, StoreError> {
    let bytes = bytes.try_into().map_err(|_| damaged())?;
    Ok(Timestamp::from_micros((u64::from_be_bytes(bytes) ^ 1 << 63).cast_signed()))
}

/// The key of a step: the time that the clock had reached, the run, the time it showed.
fn step(latest: Timestamp, run: ChangeSequence, committed: Timestamp) -> Vec<u8> {
    [time(latest), run.0.to_be_bytes(), time(committed)].concat()
}

fn damaged() -> StoreError {
    StoreFault::Damaged("the times of commits cannot be read").into()
}

/// After the last pair of a table of times that retention may drop.
///
/// # Errors
/// The engine failed.
pub fn before(
    table: Table,
    snapshot: &dyn Snapshot,
    horizon: ChangeSequence,
    oldest: Timestamp,
) -> Result<Vec<u8>, StoreError> {
    Ok(match table {
        // The last page or block that begins before the horizon may go on after it.
        Table::CommitIndex | Table::Changes | Table::Commits | Table::Sessions => {
            snapshot.last(table, &[], &number(horizon))?.map(|(key, _)| key).unwrap_or_default()
        }
        Table::MaxCommitTimestamps | Table::Visible => time(oldest).to_vec(),
        // A step counts for instants before the time that the clock had reached.
        Table::ClockRegressions => time(after(oldest)).to_vec(),
        Table::Versions | Table::Baseline | Table::Gtids | Table::References | Table::Meta => Vec::new(),
    })
}

/// All entries of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct CommitIndex<'a> {
    /// The snapshot in which the pages are.
    pub snapshot: &'a dyn Snapshot,
    /// After the last change.
    pub end: ChangeSequence,
    /// What was remembered of the last entry.
    pub clock: &'a Clock,
    /// Parts of the log that were not read, oldest first.
    pub log_gaps: &'a [LogGap],
    /// Pages of this and other snapshots of the same record.
    pub known: &'a KnownPages,
}

impl CommitIndex<'_> {
    /// A position found for an instant, on the instant's side of each gap: the first entry after a
    /// gap is the next one also for instants long before it.
    fn on_its_side(&self, at: Timestamp, mut found: ChangeSequence) -> ChangeSequence {
        for log_gap in self.log_gaps {
            if at <= log_gap.gap.from {
                return found.min(log_gap.at);
            }
            if at >= log_gap.gap.to {
                found = found.max(log_gap.at.next());
            }
        }
        found
    }

    /// The first change of the first entry of which the latest time up to it is `at` or later.
    fn reached(&self, measure: Measure, at: Timestamp) -> Result<ChangeSequence, StoreError> {
        let entries = match self.known.by(measure).find(at) {
            Some(known) => Some(known),
            None => self.page_of(measure, at)?,
        };
        let first = entries.iter().flat_map(|e| e.iter()).find(|(time, _)| *time >= at);
        // What is known may be of a later snapshot.
        Ok(first.map_or(self.end, |(_, first)| (*first).min(self.end)))
    }

    /// Looks for the first page of which the latest time up to its end is `at` or later.
    fn page_of(&self, measure: Measure, at: Timestamp) -> Result<Option<Times>, StoreError> {
        let times = |page: Page| page.entries.iter().map(|m| (measure.of(m), m.first)).collect();
        let table = measure.table();
        let Some((latest, key)) = self.snapshot.scan(table, &time(at), &[0xff; 9], 1)?.pop() else {
            // Then it can only be in the page that is not full.
            return Ok(self.last_page()?.map(times));
        };
        let Some(page) = Page::find(self.snapshot, &key)? else { return Ok(None) };
        let entries: Times = times(page);
        let following = self.snapshot.last(table, &[], &time(at))?;
        let following = following.map(|(time, _)| read_time(&time)).transpose()?;
        let known = KnownPage { following, entries: Arc::clone(&entries) };
        self.known.by(measure).keep(read_time(&latest)?, known);
        Ok(Some(entries))
    }

    fn last_page(&self) -> Result<Option<Page>, StoreError> {
        let last = self.snapshot.last(Table::CommitIndex, &[], &LAST)?;
        last.map(|(key, value)| Page::read(&key, &value)).transpose()
    }

    /// The state at an instant.
    ///
    /// # Errors
    /// The engine failed.
    pub fn cut(&self, instant: Timestamp) -> Result<ReadPoint, StoreError> {
        let found = self.reached(Measure::Committed, after(instant))?;
        let mut at = found;
        if self.clock.wide {
            at = at.min(self.reached(Measure::Visible, after(instant))?);
        }
        let mut doubtful = found;
        // Entries after the cut that are stamped at or before the instant: each is in a run after a
        // time later than it.
        let furthest = Timestamp::from_micros(instant.micros().saturating_add(self.clock.deepest));
        let end = step(furthest, ChangeSequence::END, Timestamp::from_micros(i64::MAX));
        let mut from = step(after(instant), ChangeSequence(0), Timestamp::from_micros(i64::MIN));
        while let Some((key, _)) = self.snapshot.scan(Table::ClockRegressions, &from, &end, 1)?.pop() {
            let (latest, run) = (
                read_time(key.get(..8).ok_or_else(damaged)?)?,
                read_number(key.get(8..16).ok_or_else(damaged)?)?,
            );
            let start = step(latest, run, Timestamp::from_micros(i64::MIN));
            let upto = step(latest, run, after(instant));
            if let Some((_, following)) = self.snapshot.last(Table::ClockRegressions, &start, &upto)? {
                doubtful = doubtful.max(read_number(&following)?);
            }
            from = step(latest, run.next(), Timestamp::from_micros(i64::MIN));
        }
        for blurred in &self.clock.blurred {
            if (blurred.since..blurred.until).contains(&instant) {
                at = at.min(blurred.from);
                doubtful = doubtful.max(blurred.to.min(self.end));
            }
        }
        Ok(ReadPoint { at: self.on_its_side(instant, at), doubtful: self.on_its_side(instant, doubtful) })
    }

    /// The smallest range of the log that holds every entry committed in `[since, until]`. Other
    /// entries may lie in it too.
    ///
    /// # Errors
    /// The engine failed.
    pub fn sequence_range(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(ChangeSequence, ChangeSequence), StoreError> {
        let from = self.on_its_side(since, self.reached(Measure::Committed, since)?);
        Ok((from, self.cut(until)?.doubtful.max(from)))
    }

    /// Before everything that tells of this instant or a later one.
    ///
    /// # Errors
    /// The engine failed.
    pub fn horizon(&self, oldest: Timestamp) -> Result<ChangeSequence, StoreError> {
        Ok(self.sequence_range(oldest, oldest)?.0.min(self.cut(oldest)?.at))
    }

    /// The entry of a change.
    ///
    /// # Errors
    /// The engine failed.
    pub fn of(&self, sequence: ChangeSequence) -> Result<Option<Commit>, StoreError> {
        let mut page = Page::default();
        Ok(self.of_near(sequence, &mut page)?.cloned())
    }

    /// The same, where the last answer was in `page`: changes that follow each other are of entries
    /// that do.
    ///
    /// # Errors
    /// The engine failed.
    pub fn of_near<'p>(
        &self,
        sequence: ChangeSequence,
        page: &'p mut Page,
    ) -> Result<Option<&'p Commit>, StoreError> {
        let first = page.entries.first().map(|m| m.first);
        if first.is_none_or(|first| sequence < first) || sequence >= page.following {
            let Some((key, value)) = self.snapshot.last(Table::CommitIndex, &[], &number(sequence.next()))?
            else {
                return Ok(None);
            };
            *page = Page::read(&key, &value)?;
        }
        let following = page.entries.partition_point(|m| m.first <= sequence);
        Ok(following.checked_sub(1).and_then(|i| page.entries.get(i)))
    }

    /// When a change was committed.
    ///
    /// # Errors
    /// The engine failed.
    pub fn committed(&self, sequence: ChangeSequence) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.of(sequence)?.map(|m| m.committed))
    }
}

mod clock;
#[cfg(test)]
mod tests;
