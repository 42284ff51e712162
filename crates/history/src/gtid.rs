//! The position in the log after the last transaction of a GTID set.

use super::commit_index::Page;
use super::engine::{Batch, Snapshot, StoreError, Table};
use super::log::Gtid;
use super::store::ChangeSequence;
use std::collections::BTreeMap;

mod set;
mod state;

use set::{inside, without};

pub use set::{GtidSet, SourceId};
pub use state::GtidState;

/// Why a GTID names no state of this record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GtidError {
    /// Not the text of a GTID.
    #[error("'{0}' is not a GTID set: use uuid:1-5:7 (MySQL) or domain-server-sequence (MariaDB)")]
    Malformed(String),
    /// A GTID of the other family.
    #[error("'{asked}' is a GTID of {asked_family}, and this history was written by {family}")]
    WrongFamily {
        /// The GTID set as it was asked for.
        asked: String,
        /// Whose form it has.
        asked_family: &'static str,
        /// Whose form the log has.
        family: &'static str,
    },
    /// The log has no GTIDs.
    #[error("the binary log was written without GTIDs: ask for a time instead (AS OF)")]
    NoGtids,
    /// Older than the record.
    #[error("the state after {0} lies before the start of the record")]
    TooOld(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not in the record.
    #[error("transaction {0} is not in the record (not yet, or of another server)")]
    NotThere(String),
}

/// Which numbers count together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Series {
    MySql(SourceId),
    MariaDb(u32),
}

impl Series {
    fn of(gtid: &Gtid) -> (Self, u64) {
        match gtid {
            Gtid::MySql { source, tag, number } => (Self::MySql((*source, tag.clone())), *number),
            Gtid::MariaDb { domain, sequence, .. } => (Self::MariaDb(*domain), *sequence),
        }
    }

    /// The key of the page of entries in which this is the highest number of the series.
    fn key(&self, number: u64) -> Vec<u8> {
        match self {
            Self::MySql((uuid, tag)) => {
                let tag = tag.as_deref().unwrap_or_default().as_bytes();
                // A zero ends the tag, which has none.
                [&[1][..], uuid, tag, &[0], &number.to_be_bytes()].concat()
            }
            Self::MariaDb(domain) => [&[2][..], &domain.to_be_bytes(), &number.to_be_bytes()].concat(),
        }
    }
}

/// Writes which transactions a page of entries has.
pub fn index<'a>(batch: &mut Batch, gtids: impl Iterator<Item = &'a Gtid>, page: &[u8]) {
    let mut highest = BTreeMap::new();
    for (series, number) in gtids.map(Series::of) {
        let known = highest.entry(series).or_insert(number);
        *known = number.max(*known);
    }
    for (series, number) in highest {
        batch.put(Table::Gtids, &series.key(number), page);
    }
}

/// The first change of the page that a pair of the index names.
#[must_use]
pub fn position_of(value: &[u8]) -> Option<ChangeSequence> {
    Some(ChangeSequence(u64::from_be_bytes(*value.first_chunk()?)))
}

/// Finds transactions in a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Gtids<'a> {
    /// The snapshot in which the pages of GTIDs are.
    pub snapshot: &'a dyn Snapshot,
    /// What is remembered of them.
    pub state: &'a GtidState,
    /// Retention has dropped some.
    pub dropped: bool,
}

/// What a set comes to.
#[derive(Default)]
struct Sum {
    /// After the last of its transactions that are in the record.
    recorded: Option<ChangeSequence>,
    /// The last origin that had others of it after it.
    origin: Option<ChangeSequence>,
}

impl Sum {
    fn recorded(&mut self, following: ChangeSequence) {
        self.recorded = self.recorded.max(Some(following));
    }

    fn origin(&mut self, at: ChangeSequence) {
        self.origin = self.origin.max(Some(at));
    }
}

impl Gtids<'_> {
    /// The position just after all of the set: the first change that is not in.
    ///
    /// # Errors
    /// The set is of the other family, or not wholly in the record.
    pub fn end_of(&self, set: &GtidSet, text: &str) -> Result<ChangeSequence, GtidError> {
        let mysql = self.state.has(|s| matches!(s, GtidSet::MySql(_)));
        let mariadb = self.state.is_of_mariadb();
        let wrong =
            |asked_family, family| GtidError::WrongFamily { asked: text.to_owned(), asked_family, family };
        let sum = match set {
            _ if !mysql && !mariadb => return Err(GtidError::NoGtids),
            GtidSet::MySql(_) if !mysql => return Err(wrong("MySQL", "MariaDB")),
            GtidSet::MariaDb(_) if !mariadb => return Err(wrong("MariaDB", "MySQL")),
            GtidSet::MySql(sources) => self.mysql(sources, text)?,
            GtidSet::MariaDb(domains) => self.mariadb(domains, text)?,
        };
        match (sum.recorded, sum.origin) {
            (Some(following), None) => Ok(following),
            (Some(following), Some(origin)) if following >= origin => Ok(following),
            (_, Some(origin)) => {
                // Only the whole of what was executed there is a state that is known.
                let whole = self.state.origins.iter().any(|o| o.at == origin && o.set.same(set));
                if whole { Ok(origin) } else { Err(GtidError::TooOld(text.to_owned())) }
            }
            (None, None) => Err(GtidError::TooOld(text.to_owned())),
        }
    }

    fn mysql(&self, sources: &BTreeMap<SourceId, Vec<(u64, u64)>>, text: &str) -> Result<Sum, GtidError> {
        let of = |set: Option<&GtidSet>, source: &SourceId| match set {
            Some(GtidSet::MySql(sources)) => sources.get(source).cloned().unwrap_or_default(),
            Some(GtidSet::MariaDb(_)) | None => Vec::new(),
        };
        let mut sum = Sum::default();
        for (source, ranges) in sources {
            let recorded = of(self.state.recorded.as_ref(), source);
            for range in ranges {
                let mut left = without(*range, &recorded);
                for part in inside(*range, &recorded) {
                    sum.recorded(self.last_of(source, part, text)?);
                }
                for origin in &self.state.origins {
                    let before = of(Some(&origin.set), source);
                    let rest: Vec<(u64, u64)> =
                        left.iter().flat_map(|part| without(*part, &before)).collect();
                    if rest != left {
                        sum.origin(origin.at);
                    }
                    left = rest;
                }
                if let Some((missing, _)) = left.first() {
                    let gtid = Gtid::MySql { source: source.0, tag: source.1.clone(), number: *missing };
                    return Err(GtidError::NotThere(gtid.to_string()));
                }
            }
        }
        Ok(sum)
    }

    /// The pages that may have these numbers of a series, and the one that is not full.
    fn pages(&self, series: &Series, from: u64, to: u64) -> Result<Vec<Page>, GtidError> {
        let mut pages = Vec::new();
        // The number that is asked for is not higher than its page's highest, which in turn is not
        // higher than the next ones, but for the lag.
        let mut next = series.key(from);
        let end = series.key(u64::MAX);
        while let Some((key, page)) = self.snapshot.scan(Table::Gtids, &next, &end, 1)?.pop() {
            pages.extend(Page::find(self.snapshot, &page)?);
            let highest = key.last_chunk::<8>().map_or(0, |n| u64::from_be_bytes(*n));
            if highest >= to.saturating_add(self.state.lag) {
                return Ok(pages);
            }
            next = [key.as_slice(), &[0]].concat();
        }
        if let Some((key, value)) = self.snapshot.last(Table::CommitIndex, &[], &[0xff; 17])? {
            pages.push(Page::read(&key, &value)?);
        }
        Ok(pages)
    }

    /// The position after the last committed of these numbers, all of which are recorded.
    fn last_of(
        &self,
        source: &SourceId,
        (from, to): (u64, u64),
        text: &str,
    ) -> Result<ChangeSequence, GtidError> {
        // A number that is lower by more than the lag was committed before the highest one.
        let start = from.max(to.saturating_sub(self.state.lag));
        let series = Series::MySql(source.clone());
        let mut found = BTreeMap::new();
        for page in self.pages(&series, start, to)? {
            for (i, commit_entry) in page.entries.iter().enumerate() {
                let of = commit_entry.gtid.as_ref().map(Series::of);
                let of = of.filter(|_| page.end_of(i) > self.state.reborn);
                if let Some((_, number)) = of.filter(|(s, n)| *s == series && (start..=to).contains(n)) {
                    found.insert(number, page.end_of(i));
                }
            }
        }
        match found.values().max() {
            Some(last) if found.len() as u64 == to - start + 1 => Ok(*last),
            // What retention has dropped lies before the oldest instant.
            _ => Err(GtidError::TooOld(text.to_owned())),
        }
    }

    /// Whether a transaction is in the record.
    ///
    /// # Errors
    /// The engine failed.
    pub fn has(&self, gtid: &Gtid) -> Result<bool, GtidError> {
        match (&self.state.recorded, gtid) {
            (Some(GtidSet::MySql(sources)), Gtid::MySql { source, tag, number }) => {
                let ranges = sources.get(&(*source, tag.clone())).map_or(&[][..], Vec::as_slice);
                Ok(!inside((*number, *number), ranges).is_empty())
            }
            // Numbers of a domain rise, as a rule: only one that is not higher than the last can be
            // there.
            (Some(GtidSet::MariaDb(domains)), Gtid::MariaDb { domain, sequence, .. }) => {
                let known = domains.iter().any(|(d, _, last)| d == domain && sequence <= last);
                Ok(known && self.after_one(gtid)?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// The position after a transaction.
    fn after_one(&self, gtid: &Gtid) -> Result<Option<ChangeSequence>, GtidError> {
        let (series, number) = Series::of(gtid);
        for page in self.pages(&series, number, number)? {
            if let Some(i) = page.entries.iter().rposition(|m| m.gtid.as_ref() == Some(gtid))
                && page.end_of(i) > self.state.reborn
            {
                return Ok(Some(page.end_of(i)));
            }
        }
        Ok(None)
    }

    fn mariadb(&self, domains: &[(u32, u32, u64)], text: &str) -> Result<Sum, GtidError> {
        let mut sum = Sum::default();
        for (domain, server, sequence) in domains {
            let gtid = Gtid::MariaDb { domain: *domain, server: *server, sequence: *sequence };
            let recorded = matches!(&self.state.recorded, Some(GtidSet::MariaDb(d)) if d.iter().any(|(d, _, _)| d == domain));
            if recorded && let Some(following) = self.after_one(&gtid)? {
                sum.recorded(following);
                continue;
            }
            let covers = |set: &GtidSet| match set {
                GtidSet::MariaDb(d) => {
                    d.iter().any(|(d, s, n)| d == domain && (n > sequence || (n, s) == (sequence, server)))
                }
                GtidSet::MySql(_) => false,
            };
            if let Some(origin) = self.state.origins.iter().find(|o| covers(&o.set)) {
                sum.origin(origin.at);
            } else if self.dropped && self.state.recorded.as_ref().is_some_and(covers) {
                return Err(GtidError::TooOld(text.to_owned()));
            } else {
                return Err(GtidError::NotThere(format!("{domain}-{server}-{sequence}")));
            }
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit_index::{Commit, CommitIndexWriter};
    use crate::engine::{Engine, MemoryEngine};
    use dbtrail_types::timestamp::Timestamp;

    impl CommitIndexWriter {
        fn note_and_flush(mut self, batch: &mut Batch, commit_entry: Commit, following: ChangeSequence) {
            self.note(batch, commit_entry, following);
            self.flush(batch);
        }
    }

    const A: &str = "a724770a-e70c-11f1-aab8-02fc00000001";

    fn mysql(text: &str) -> GtidSet {
        GtidSet::parse(text).unwrap()
    }

    /// A record of transactions without changes but one each; positions count from 1.
    struct Record(MemoryEngine, GtidState);

    impl Record {
        fn following(&self, text: &str) -> Result<u64, GtidError> {
            let snapshot = self.0.snapshot();
            let gtids = Gtids { snapshot: &*snapshot, state: &self.1, dropped: false };
            gtids.end_of(&mysql(text), text).map(|s| s.0.saturating_sub(1))
        }
    }

    fn commit(gtid: &Gtid, first: u64) -> Commit {
        Commit {
            first: ChangeSequence(first),
            committed: Timestamp::from_micros(0),
            visible: Timestamp::from_micros(0),
            gtid: Some(gtid.clone()),
        }
    }

    fn index(gtids: &[Gtid], previous: Option<&str>) -> Record {
        let (mut engine, mut state, mut batch) =
            (MemoryEngine::default(), GtidState::default(), Batch::default());
        if let Some(previous) = previous {
            state.begin(ChangeSequence(0), mysql(previous));
        }
        let mut entries = CommitIndexWriter::default();
        for (gtid, first) in gtids.iter().zip(1..) {
            state.note(gtid);
            entries.note(&mut batch, commit(gtid, first), ChangeSequence(first + 1));
        }
        entries.close(&mut batch);
        engine.commit(&batch).unwrap();
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<GtidState>(&json).unwrap(), state);
        Record(engine, state)
    }

    fn m(number: u64, tag: Option<&str>) -> Gtid {
        let GtidSet::MySql(s) = mysql(&format!("{A}:1")) else { panic!() };
        Gtid::MySql { source: s.keys().next().unwrap().0, tag: tag.map(str::to_owned), number }
    }

    #[test]
    fn sets_are_read_as_mysqld_reads_them() {
        assert_eq!(mysql(&format!("{A}:1-3:4,\n {A}:9")), mysql(&format!("{}:1-4:9", A.to_uppercase())));
        assert_eq!(mysql(&format!("{A}:1:Tag:2-3")), mysql(&format!("{A}:tag:2:3,{A}:1")));
        assert_eq!(GtidSet::parse("0-10-72, 1-2-3").unwrap(), GtidSet::MariaDb(vec![(0, 10, 72), (1, 2, 3)]));
        for bad in ["", ",", "x", A, "a:1", "0-1", "0-1-2-3", "0-1-x", "0-1-2,0-1-3", "-1-2-3"] {
            assert!(matches!(GtidSet::parse(bad), Err(GtidError::Malformed(_))), "{bad}");
        }
        for bad in [":0", ":5-4", ":", ":x-1", ":1-", ":tag", ":1:tag", ":99999999999999999999"] {
            assert!(GtidSet::parse(&format!("{A}{bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mysql_set_is_the_state_after_its_last_transaction() {
        let record = index(&[m(5, None), m(7, None), m(6, None), m(1, Some("t"))], Some(&format!("{A}:1-4")));
        let after = |t: &str| record.following(&format!("{A}:{t}"));
        assert_eq!(after("1-5"), Ok(1));
        assert_eq!(after("5"), Ok(1));
        assert_eq!(after("1-6"), Ok(3), "6 was committed behind 7");
        assert_eq!(after("1-7"), Ok(3));
        assert_eq!(after("1-7:t:1"), Ok(4));
        assert_eq!(after("1-4"), Ok(0));
        assert_eq!(after("1-3"), Err(GtidError::TooOld(format!("{A}:1-3"))));
        assert_eq!(after("1-8"), Err(GtidError::NotThere(format!("{A}:8"))));
        assert_eq!(after("9-18446744073709551615"), Err(GtidError::NotThere(format!("{A}:9"))));
        assert_eq!(after("t:2"), Err(GtidError::NotThere(format!("{A}:t:2"))));
        assert!(matches!(record.following("0-1-2"), Err(GtidError::WrongFamily { .. })));
        assert_eq!(index(&[], None).following("0-1-2"), Err(GtidError::NoGtids));
        assert_eq!(record.1.executed(), format!("{A}:1-7,{A}:t:1"));
    }

    #[test]
    fn a_mariadb_list_is_the_state_after_all_of_it() {
        let g = |domain, sequence| Gtid::MariaDb { domain, server: 10, sequence };
        let record = index(&[g(0, 7), g(1, 3), g(0, 8)], Some("0-10-6,1-10-2"));
        let after = |t: &str| record.following(t);
        assert_eq!(after("0-10-7"), Ok(1));
        assert_eq!(after("0-10-7,1-10-3"), Ok(2));
        assert_eq!(after("0-10-7,1-10-2"), Ok(1));
        assert_eq!(after("0-10-6,1-10-2"), Ok(0));
        assert_eq!(after("0-10-5,1-10-2"), Err(GtidError::TooOld("0-10-5,1-10-2".into())));
        assert_eq!(after("0-11-7"), Err(GtidError::NotThere("0-11-7".into())));
        assert_eq!(after("0-10-9"), Err(GtidError::NotThere("0-10-9".into())));
        assert_eq!(record.1.executed(), "0-10-8,1-10-3");
    }

    #[test]
    fn after_a_gap_only_what_is_recorded_or_whole_is_known() {
        let mut record = index(&[m(5, None), m(6, None)], Some(&format!("{A}:1-4")));
        record.1.begin(ChangeSequence(4), mysql(&format!("{A}:1-9")));
        let mut batch = Batch::default();
        record.1.note(&m(10, None));
        CommitIndexWriter::default().note_and_flush(&mut batch, commit(&m(10, None), 4), ChangeSequence(5));
        record.0.commit(&batch).unwrap();
        let after = |t: &str| record.following(&format!("{A}:{t}"));
        assert_eq!([after("1-5"), after("1-6"), after("1-10")], [Ok(1), Ok(2), Ok(4)]);
        assert_eq!(after("1-9"), Ok(3), "all that was executed behind the gap");
        assert!(matches!(after("1-7"), Err(GtidError::TooOld(_))), "inside of the gap");
        assert!(matches!(after("1-11"), Err(GtidError::NotThere(_))));
        assert_eq!(record.1.executed(), format!("{A}:1-10"));
    }

    #[test]
    fn numbers_that_were_given_out_again_mean_the_new_transactions() {
        let mariadb = |sequence| Gtid::MariaDb { domain: 0, server: 7, sequence };
        let gtids: [fn(u64) -> (Gtid, String); 2] = [
            |n| (m(n, None), format!("{A}:1-{n}")),
            |n| (Gtid::MariaDb { domain: 0, server: 7, sequence: n }, format!("0-7-{n}")),
        ];
        for gtid in gtids {
            let before: Vec<Gtid> = (1..=6).map(|n| gtid(n).0).collect();
            let mut record = index(&before, None);
            // The log was reset, and two transactions are in the gap.
            record.1.start_over(ChangeSequence(8), mysql(&gtid(2).1));
            let mut batch = Batch::default();
            let snapshot = record.0.snapshot();
            let has = |record: &Record, n| {
                Gtids { snapshot: &*snapshot, state: &record.1, dropped: false }.has(&gtid(n).0)
            };
            assert_eq!((has(&record, 3), has(&record, 6)), (Ok(false), Ok(false)), "another transaction");
            let mut entries = CommitIndexWriter::default();
            record.1.note(&gtid(3).0);
            entries.note(&mut batch, commit(&gtid(3).0, 8), ChangeSequence(9));
            entries.close(&mut batch);
            record.0.commit(&batch).unwrap();
            let after = |n: u64| record.following(&gtid(n).1);
            assert_eq!(
                (after(2), after(3)),
                (Ok(7), Ok(8)),
                "the state behind the gap, and the one after the next"
            );
            assert!(
                after(1).is_err() && after(4).is_err() && after(6).is_err(),
                "what these were before is not known"
            );
            assert_eq!(record.1.executed(), gtid(3).1);
        }
        // A server that goes on has all that was recorded.
        let mut goes_on = index(&[mariadb(1), mariadb(2)], None);
        goes_on.1.start_over(ChangeSequence(4), mysql("0-7-9"));
        assert_eq!((goes_on.following("0-7-1"), goes_on.following("0-7-9")), (Ok(1), Ok(3)));
    }
}
