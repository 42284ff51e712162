//! Instants to places in the log.
//!
//! The order of commits is the order of the log, also where clocks step back. Each entry has two
//! times: nobody saw it before the one ([`Commit::committed`]), and everybody could from the other
//! on ([`Commit::visible`]). MySQL 8 stamps the commit to the microsecond, and the two are the same
//! but for what the server waits behind the stamp; MariaDB and MySQL 5.7 log whole seconds, and
//! some of them those in which the statement began.
//!
//! The state at an instant T certainly holds the longest prefix of the log whose every entry could
//! be seen by T: never half a transaction. It may hold what lies behind, up to the last entry that
//! was committed at or before T. [`ReadPoint`] carries both ends of that doubtful stretch, and the
//! query refuses what lies inside of it: only keys and tables that changed there.

use super::engine::{Batch, Snapshot, StoreError, Table};
use super::gtid;
use super::log::Gtid;
use super::log_gap::LogGap;
use super::store::ChangeSequence;
use dbtrail_types::instant::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

mod page;

pub use page::Page;

/// Behind every key of a page.
const LAST: [u8; 17] = [0xff; 17];

/// One committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its first change (or the first of the next entry, if it has none).
    pub first: ChangeSequence,
    /// Its commit time: nobody saw it before.
    pub committed: Instant,
    /// From when on everybody could see it.
    pub visible: Instant,
    /// Its id.
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

/// What must be remembered from one entry to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// How many entries there were.
    pub entries: u64,
    /// The latest commit time so far.
    pub latest: Option<Instant>,
    /// The latest commit time in the pages that are full.
    maximum: Option<Instant>,
    /// The entries since the clock stepped back, if it has not caught up: the first change, and the
    /// last time.
    run: Option<(ChangeSequence, Instant)>,
    /// The furthest that an entry was stamped before the latest one, in microseconds.
    deepest: i64,
    /// A commit time was not a whole second.
    pub fractions: bool,
    /// The latest time at which an entry could be seen.
    #[serde(default)]
    visible: Option<Instant>,
    /// The same in the pages that are full.
    #[serde(default)]
    visible_maximum: Option<Instant>,
    /// Some entry could be seen later than it was committed.
    #[serde(default)]
    wide: bool,
    /// Stretches of which it became known too late how long the server had waited with them.
    #[serde(default)]
    blurred: Vec<Blurred>,
}

/// Entries that became visible at some time inside of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blurred {
    /// The first change.
    pub from: ChangeSequence,
    /// Behind the last one.
    pub to: ChangeSequence,
    /// None of them was seen before.
    pub since: Instant,
    /// All of them could be seen from here on.
    pub until: Instant,
}

impl Clock {
    /// Stretches that are remembered; the two oldest become one then.
    const BLURRED: usize = 64;

    /// Notes a stretch.
    pub fn blur(&mut self, stretch: Blurred) {
        if self.blurred.len() >= Self::BLURRED && self.blurred.len() > 1 {
            let Blurred { from, since, .. } = self.blurred.remove(0);
            if let Some(next) = self.blurred.first_mut() {
                next.from = next.from.min(from);
                next.since = next.since.min(since);
            }
        }
        self.blurred.push(stretch);
    }
}

/// Writes entries: page by page, since most of them are small and resemble each other.
#[derive(Debug, Default)]
pub struct CommitIndexWriter {
    /// What must be remembered.
    pub clock: Clock,
    open: Page,
    /// The open page has entries that are not written.
    changed: bool,
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

    /// Takes an entry in; `behind`: the first change that is not its own.
    pub fn note(&mut self, batch: &mut Batch, moment: Commit, behind: ChangeSequence) {
        let clock = &mut self.clock;
        let committed = moment.committed;
        clock.fractions |= committed.micros() % 1_000_000 != 0;
        clock.wide |= moment.visible > committed;
        clock.visible = clock.visible.max(Some(moment.visible.max(committed)));
        match clock.latest {
            Some(latest) if committed < latest => {
                clock.deepest = clock.deepest.max(latest.micros() - committed.micros());
                // Inside of a run the times rise, so that its keys are in the order of the log.
                let start = match clock.run {
                    Some((start, last)) if last <= committed => start,
                    _ => moment.first,
                };
                clock.run = Some((start, committed));
                batch.put(Table::ClockRegressions, &step(latest, start, committed), &number(behind));
            }
            Some(latest) if committed == latest => {}
            _ => {
                clock.latest = Some(committed);
                clock.run = None;
            }
        }
        self.open.push(moment, behind, clock.entries);
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

    /// Begins another page: what comes behind does not follow at once.
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

fn number(sequence: ChangeSequence) -> Vec<u8> {
    sequence.0.to_be_bytes().to_vec()
}

fn read_number(bytes: &[u8]) -> Result<ChangeSequence, StoreError> {
    let bytes = bytes.try_into().map_err(|_| damaged())?;
    Ok(ChangeSequence(u64::from_be_bytes(bytes)))
}

/// Bytes that order as the times do.
fn time(at: Instant) -> [u8; 8] {
    (at.micros().cast_unsigned() ^ 1 << 63).to_be_bytes()
}

fn read_time(bytes: &[u8]) -> Result<Instant, StoreError> {
    let bytes = bytes.try_into().map_err(|_| damaged())?;
    Ok(Instant::from_micros((u64::from_be_bytes(bytes) ^ 1 << 63).cast_signed()))
}

fn after(at: Instant) -> Instant {
    Instant::from_micros(at.micros().saturating_add(1))
}

/// The key of a step: the time that the clock had reached, the run, the time it showed.
fn step(latest: Instant, run: ChangeSequence, committed: Instant) -> Vec<u8> {
    [time(latest), run.0.to_be_bytes(), time(committed)].concat()
}

fn damaged() -> StoreError {
    StoreError("the times of commits cannot be read: the data folder is damaged".to_owned())
}

/// Behind the last pair of a table of times that retention may drop.
///
/// # Errors
/// The engine failed.
pub fn before(
    table: Table,
    snapshot: &dyn Snapshot,
    horizon: ChangeSequence,
    oldest: Instant,
) -> Result<Vec<u8>, StoreError> {
    Ok(match table {
        // The last page or block that begins before the horizon may go on after it.
        Table::CommitIndex | Table::Changes | Table::Commits => {
            snapshot.last(table, &[], &number(horizon))?.map(|(key, _)| key).unwrap_or_default()
        }
        Table::MaxCommitTimestamps | Table::Visible => time(oldest).to_vec(),
        // A step counts for instants before the time that the clock had reached.
        Table::ClockRegressions => time(after(oldest)).to_vec(),
        Table::Versions | Table::Baseline | Table::Gtids | Table::References | Table::Meta => Vec::new(),
    })
}

/// Which of an entry's times.
#[derive(Clone, Copy, Debug)]
enum Measure {
    Committed,
    Visible,
}

impl Measure {
    /// Where the highest times of full pages are.
    fn table(self) -> Table {
        match self {
            Self::Committed => Table::MaxCommitTimestamps,
            Self::Visible => Table::Visible,
        }
    }

    fn of(self, moment: &Commit) -> Instant {
        match self {
            Self::Committed => moment.committed,
            Self::Visible => moment.visible,
        }
    }
}

/// Pages that were looked at, by each of the times that lead to them: full pages do not change, and
/// most questions are of few of them.
#[derive(Debug, Default)]
pub struct KnownPages {
    committed: KnownTimes,
    visible: KnownTimes,
}

impl KnownPages {
    fn by(&self, measure: Measure) -> &KnownTimes {
        match measure {
            Measure::Committed => &self.committed,
            Measure::Visible => &self.visible,
        }
    }
}

/// Pages under one measure.
#[derive(Debug, Default)]
struct KnownTimes(RwLock<BTreeMap<Instant, KnownPage>>);

/// A time and the first change of each entry of a page.
type Times = Arc<[(Instant, ChangeSequence)]>;

/// A page under the latest time up to its end.
#[derive(Debug)]
struct KnownPage {
    /// The same of the pages before it.
    behind: Option<Instant>,
    entries: Times,
}

impl KnownTimes {
    /// Pages at most, of a KiB each.
    const MOST: usize = 8192;

    /// The first page of which the latest time up to its end is `at` or later.
    fn find(&self, at: Instant) -> Option<Times> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (_, page) = known.range(at..).next()?;
        page.behind.is_none_or(|behind| behind < at).then(|| Arc::clone(&page.entries))
    }

    fn keep(&self, latest: Instant, page: KnownPage) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MOST {
            // Any of them: which one is asked for next is not known. The one after the new one is
            // not always the same.
            let near = known.range(latest..).next().or_else(|| known.first_key_value());
            if let Some(near) = near.map(|(near, _)| *near) {
                known.remove(&near);
            }
        }
        known.insert(latest, page);
    }
}

/// All entries of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct CommitIndex<'a> {
    /// Where they are.
    pub snapshot: &'a dyn Snapshot,
    /// Behind the last change.
    pub end: ChangeSequence,
    /// What was remembered of the last entry.
    pub clock: &'a Clock,
    /// Parts of the log that were not read, oldest first.
    pub log_gaps: &'a [LogGap],
    /// Pages of this and other snapshots of the same record.
    pub known: &'a KnownPages,
}

impl CommitIndex<'_> {
    /// A place found for an instant, on the instant's side of each hole: the first entry after a
    /// hole is the next one also for instants long before it.
    fn on_its_side(&self, at: Instant, mut found: ChangeSequence) -> ChangeSequence {
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
    fn reached(&self, measure: Measure, at: Instant) -> Result<ChangeSequence, StoreError> {
        let entries = match self.known.by(measure).find(at) {
            Some(known) => Some(known),
            None => self.page_of(measure, at)?,
        };
        let first = entries.iter().flat_map(|e| e.iter()).find(|(time, _)| *time >= at);
        // What is known may be of a later snapshot.
        Ok(first.map_or(self.end, |(_, first)| (*first).min(self.end)))
    }

    /// Looks for the first page of which the latest time up to its end is `at` or later.
    fn page_of(&self, measure: Measure, at: Instant) -> Result<Option<Times>, StoreError> {
        let times = |page: Page| page.entries.iter().map(|m| (measure.of(m), m.first)).collect();
        let table = measure.table();
        let Some((latest, key)) = self.snapshot.scan(table, &time(at), &[0xff; 9], 1)?.pop() else {
            // Then it can only be in the page that is not full.
            return Ok(self.last_page()?.map(times));
        };
        let Some(page) = Page::find(self.snapshot, &key)? else { return Ok(None) };
        let entries: Times = times(page);
        let behind = self.snapshot.last(table, &[], &time(at))?;
        let behind = behind.map(|(time, _)| read_time(&time)).transpose()?;
        let known = KnownPage { behind, entries: Arc::clone(&entries) };
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
    pub fn cut(&self, instant: Instant) -> Result<ReadPoint, StoreError> {
        let found = self.reached(Measure::Committed, after(instant))?;
        let mut at = found;
        if self.clock.wide {
            at = at.min(self.reached(Measure::Visible, after(instant))?);
        }
        let mut doubtful = found;
        // Entries behind the cut that are stamped at or before the instant: each stands in a run
        // after a time later than it.
        let furthest = Instant::from_micros(instant.micros().saturating_add(self.clock.deepest));
        let end = step(furthest, ChangeSequence::END, Instant::from_micros(i64::MAX));
        let mut from = step(after(instant), ChangeSequence(0), Instant::from_micros(i64::MIN));
        while let Some((key, _)) = self.snapshot.scan(Table::ClockRegressions, &from, &end, 1)?.pop() {
            let (latest, run) = (
                read_time(key.get(..8).ok_or_else(damaged)?)?,
                read_number(key.get(8..16).ok_or_else(damaged)?)?,
            );
            let start = step(latest, run, Instant::from_micros(i64::MIN));
            let upto = step(latest, run, after(instant));
            if let Some((_, behind)) = self.snapshot.last(Table::ClockRegressions, &start, &upto)? {
                doubtful = doubtful.max(read_number(&behind)?);
            }
            from = step(latest, run.next(), Instant::from_micros(i64::MIN));
        }
        for blurred in &self.clock.blurred {
            if (blurred.since..blurred.until).contains(&instant) {
                at = at.min(blurred.from);
                doubtful = doubtful.max(blurred.to.min(self.end));
            }
        }
        Ok(ReadPoint { at: self.on_its_side(instant, at), doubtful: self.on_its_side(instant, doubtful) })
    }

    /// The smallest stretch of the log that holds every entry committed in `[since, until]`. Other
    /// entries may lie in it too.
    ///
    /// # Errors
    /// The engine failed.
    pub fn stretch(
        &self,
        since: Instant,
        until: Instant,
    ) -> Result<(ChangeSequence, ChangeSequence), StoreError> {
        let from = self.on_its_side(since, self.reached(Measure::Committed, since)?);
        Ok((from, self.cut(until)?.doubtful.max(from)))
    }

    /// Before everything that tells of this instant or a later one.
    ///
    /// # Errors
    /// The engine failed.
    pub fn horizon(&self, oldest: Instant) -> Result<ChangeSequence, StoreError> {
        Ok(self.stretch(oldest, oldest)?.0.min(self.cut(oldest)?.at))
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
        if first.is_none_or(|first| sequence < first) || sequence >= page.behind {
            let Some((key, value)) = self.snapshot.last(Table::CommitIndex, &[], &number(sequence.next()))?
            else {
                return Ok(None);
            };
            *page = Page::read(&key, &value)?;
        }
        let behind = page.entries.partition_point(|m| m.first <= sequence);
        Ok(behind.checked_sub(1).and_then(|i| page.entries.get(i)))
    }

    /// When a change was committed.
    ///
    /// # Errors
    /// The engine failed.
    pub fn committed(&self, sequence: ChangeSequence) -> Result<Option<Instant>, StoreError> {
        Ok(self.of(sequence)?.map(|m| m.committed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::capture::Gap;
    use crate::engine::{Engine, MemoryEngine};
    use proptest::prelude::*;

    /// Entries of two changes each, committed at these times.
    fn with<T: PartialEq + std::fmt::Debug>(times: &[i64], ask: impl Fn(CommitIndex<'_>) -> T) -> T {
        let answer = asked(times, false, &ask);
        assert_eq!(asked(times, true, &ask), answer);
        answer
    }

    fn asked<T>(times: &[i64], pages: bool, ask: impl Fn(CommitIndex<'_>) -> T) -> T {
        // Once with full pages, and once with one page for each entry and the last one open.
        let (mut engine, mut batch, mut entries) =
            (MemoryEngine::default(), Batch::default(), CommitIndexWriter::default());
        for (i, t) in times.iter().enumerate() {
            let first = ChangeSequence(1 + 2 * i as u64);
            let committed = Instant::from_micros(*t);
            let moment = Commit { first, committed, visible: committed, gtid: None };
            if pages {
                entries.close(&mut batch);
            }
            entries.note(&mut batch, moment, ChangeSequence(first.0 + 2));
        }
        entries.flush(&mut batch);
        engine.commit(&batch).unwrap();
        let end = ChangeSequence(1 + 2 * times.len() as u64);
        let (snapshot, known) = (engine.snapshot(), KnownPages::default());
        let moments =
            CommitIndex { snapshot: &*snapshot, end, clock: &entries.clock, log_gaps: &[], known: &known };
        // What was looked at once is known the second time.
        ask(moments);
        ask(moments)
    }

    #[test]
    fn instants_stay_on_their_side_of_a_hole() {
        let log_gap = |at, from, to| LogGap {
            at: ChangeSequence(at),
            gap: Gap {
                from: Instant::from_micros(from),
                to: Instant::from_micros(to),
                reason: String::new(),
            },
        };
        // Entries begin at 1, 3, 5 and 7; the end is 9.
        let (times, log_gaps) = ([10, 48, 49, 80], [log_gap(2, 25, 40), log_gap(6, 50, 50)]);
        for (at, want) in
            [(9, 1), (10, 2), (20, 2), (25, 2), (40, 3), (45, 3), (48, 5), (50, 6), (51, 7), (79, 7), (80, 9)]
        {
            let at = Instant::from_micros(at);
            let cut = with(&times, |m| CommitIndex { log_gaps: &log_gaps, ..m }.cut(at).unwrap());
            assert_eq!(cut.at.0, want, "at {at}");
        }
        for (since, until, want) in [(10, 25, (1, 2)), (20, 25, (2, 2)), (41, 50, (3, 6)), (60, 90, (7, 9))] {
            let window = (Instant::from_micros(since), Instant::from_micros(until));
            let (from, to) = with(&times, |m| {
                CommitIndex { log_gaps: &log_gaps, ..m }.stretch(window.0, window.1).unwrap()
            });
            assert_eq!((from.0, to.0), want, "{since}..{until}");
        }
        // The clock of the server after the hole is slower: the last entry before it is none of
        // those after it.
        let slow = [log_gap(4, 20, 20)];
        let cut = |at| {
            with(&[10, 30], |m| CommitIndex { log_gaps: &slow, ..m }.cut(Instant::from_micros(at)).unwrap())
        };
        assert_eq!((cut(20).at.0, cut(21).at.0), (3, 5));
    }

    proptest! {
        /// Pages that a later snapshot made known, or another question, answer as a search would:
        /// asked at times of entries and beside them, those that end a page above all.
        #[test]
        fn known_pages_answer_as_a_search_would(
            steps in prop::collection::vec(prop_oneof![9 => 0_i64..4, 1 => -20_i64..0], 60..400),
            early in 1_usize..400,
            asked in prop::collection::vec((any::<prop::sample::Index>(), -1_i64..2, any::<bool>(), any::<bool>()), 1..60),
        ) {
            let times: Vec<i64> = steps.iter().scan(100, |now, step| { *now += step; Some(*now) }).collect();
            let (mut engine, mut entries) = (MemoryEngine::default(), CommitIndexWriter::default());
            let mut snapshots = Vec::new();
            for (i, t) in (0_u64..).zip(&times) {
                let mut batch = Batch::default();
                let committed = Instant::from_micros(*t);
                let moment = Commit { first: ChangeSequence(1 + i), committed, visible: committed, gtid: None };
                entries.note(&mut batch, moment, ChangeSequence(2 + i));
                entries.flush(&mut batch);
                engine.commit(&batch).unwrap();
                if i + 1 == times.len() as u64 || i + 1 == early as u64 {
                    snapshots.push((engine.snapshot(), ChangeSequence(2 + i), entries.clock.clone()));
                }
            }
            let known = KnownPages::default();
            for (entry, beside, ends_page, late) in asked {
                let mut entry = entry.index(times.len());
                if ends_page {
                    entry = (entry | 63).min(times.len() - 1);
                }
                let (snapshot, end, clock) = if late { snapshots.last() } else { snapshots.first() }.unwrap();
                let with = |known| CommitIndex { snapshot: &**snapshot, end: *end, clock, log_gaps: &[], known };
                let fresh = KnownPages::default();
                let at = Instant::from_micros(times[entry] + beside);
                prop_assert_eq!(with(&known).cut(at).unwrap(), with(&fresh).cut(at).unwrap());
            }
        }
    }

    #[test]
    fn the_state_at_an_instant_is_a_prefix_of_the_log() {
        for (times, at, want) in [
            (&[10, 20, 20, 30][..], 9, (1, 1)),
            (&[10, 20, 20, 30], 10, (3, 3)),
            (&[10, 20, 20, 30], 19, (3, 3)),
            (&[10, 20, 20, 30], 20, (7, 7)),
            (&[10, 20, 20, 30], 99, (9, 9)),
            // The clock stepped back: at 15 the second entry (20) is not in, but the third is
            // stamped 12.
            (&[10, 20, 12, 30], 15, (3, 7)),
            (&[10, 20, 12, 30], 20, (7, 7)),
            (&[10, 20, 12, 30], 11, (3, 3)),
            (&[], 5, (1, 1)),
        ] {
            let cut = with(times, |m| m.cut(Instant::from_micros(at)).unwrap());
            assert_eq!((cut.at.0, cut.doubtful.0), want, "{times:?} at {at}");
        }
    }

    #[test]
    fn a_stretch_holds_every_entry_of_the_window() {
        for (times, since, until, want) in [
            (&[10, 20, 30][..], 10, 20, (1, 5)),
            (&[10, 20, 30], 11, 29, (3, 5)),
            (&[10, 20, 30], 21, 29, (5, 5)),
            (&[10, 20, 12, 30], 11, 13, (3, 7)),
        ] {
            let window = (Instant::from_micros(since), Instant::from_micros(until));
            let (from, to) = with(times, |m| m.stretch(window.0, window.1).unwrap());
            assert_eq!((from.0, to.0), want, "{times:?} {since}..{until}");
        }
    }

    #[test]
    fn a_change_knows_its_entry() {
        with(&[10, 20], |m| {
            let at = |s| m.committed(ChangeSequence(s)).unwrap().map(Instant::micros);
            assert_eq!([at(0), at(1), at(2), at(3), at(4)], [None, Some(10), Some(10), Some(20), Some(20)]);
        });
    }

    /// The definition of the state at an instant, taken literally.
    fn plain(times: &[i64], at: i64) -> (u64, u64) {
        let prefix = times.iter().take_while(|t| **t <= at).count();
        let last = times.iter().rposition(|t| *t <= at).map_or(0, |i| i + 1);
        (1 + 2 * prefix as u64, 1 + 2 * prefix.max(last) as u64)
    }

    proptest::proptest! {
        #[test]
        fn any_order_of_times_is_cut_as_defined(times in proptest::collection::vec(0_i64..12, 0..20), at in -1_i64..13) {
            let cut = with(&times, |m| m.cut(Instant::from_micros(at)).unwrap());
            proptest::prop_assert_eq!((cut.at.0, cut.doubtful.0), plain(&times, at));
        }
    }
    /// Entries of one change each, with their times; the same at once and page by page.
    fn wide(times: &[(i64, i64)], ask: impl Fn(CommitIndex<'_>)) {
        let (mut engine, mut entries) = (MemoryEngine::default(), CommitIndexWriter::default());
        for (i, (committed, width)) in (1_u64..).zip(times) {
            let mut batch = Batch::default();
            let committed = Instant::from_micros(*committed);
            let visible = Instant::from_micros(committed.micros() + width);
            entries.note(
                &mut batch,
                Commit { first: ChangeSequence(i), committed, visible, gtid: None },
                ChangeSequence(i + 1),
            );
            entries.flush(&mut batch);
            engine.commit(&batch).unwrap();
        }
        let (snapshot, end) = (engine.snapshot(), ChangeSequence(times.len() as u64 + 1));
        let known = KnownPages::default();
        ask(CommitIndex { snapshot: &*snapshot, end, clock: &entries.clock, log_gaps: &[], known: &known });
    }

    proptest! {
        /// The definition of the state at an instant, taken literally, over several pages.
        #[test]
        fn what_may_have_been_seen_is_in_doubt(
            steps in prop::collection::vec((prop_oneof![9 => 0_i64..4, 1 => -20_i64..0], 0_i64..9), 0..300),
            asked in prop::collection::vec(-5_i64..600, 1..20),
        ) {
            let times: Vec<(i64, i64)> =
                steps.iter().scan(100, |now, (step, width)| { *now += step; Some((*now, *width)) }).collect();
            wide(&times, |moments| for at in &asked {
                let certain = times.iter().take_while(|(l, w)| l + w <= *at).count();
                let possible = times.iter().rposition(|(l, _)| *l <= *at).map_or(0, |i| i + 1);
                let cut = moments.cut(Instant::from_micros(*at)).unwrap();
                assert_eq!((cut.at.0, cut.doubtful.0), (1 + certain as u64, 1 + possible.max(certain) as u64), "{at}");
            });
        }
    }

    #[test]
    fn what_was_waited_for_unknown_is_in_doubt_as_a_whole() {
        wide(&[(10, 0), (20, 0), (30, 0), (40, 0)], |moments| {
            let mut clock = moments.clock.clone();
            let at = Instant::from_micros;
            clock.blur(Blurred {
                from: ChangeSequence(2),
                to: ChangeSequence(4),
                since: at(20),
                until: at(35),
            });
            let blurred = CommitIndex { clock: &clock, ..moments };
            for (instant, want) in [(19, (2, 2)), (20, (2, 4)), (34, (2, 4)), (35, (4, 4)), (40, (5, 5))] {
                let cut = blurred.cut(at(instant)).unwrap();
                assert_eq!((cut.at.0, cut.doubtful.0), want, "at {instant}");
            }
        });
        let mut clock = Clock::default();
        for i in 0..200 {
            let (from, to) = (ChangeSequence(10 * i), ChangeSequence(10 * i + 5));
            let since = Instant::from_micros(10 * i.cast_signed());
            clock.blur(Blurred { from, to, since, until: since });
        }
        assert_eq!(clock.blurred.len(), Clock::BLURRED);
        assert_eq!(clock.blurred[0].from, ChangeSequence(0), "the oldest are one");
    }
}
