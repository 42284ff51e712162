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
pub use state::{GtidState, NumbersAfterGap};

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
    /// Before and after a crash.
    #[error(
        "the server had just these transactions ({0}) both before and after a crash in which its tables may have become others: ask for a time (AS OF)"
    )]
    Crash(String),
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
            _ if self.state.is_of_crash(set) => return Err(GtidError::Crash(text.to_owned())),
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
                let same = self.state.origins.iter().any(|o| o.at == origin && o.set.same(set));
                if same { Ok(origin) } else { Err(GtidError::TooOld(text.to_owned())) }
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
mod tests;
