//! GTID sets as people write them, and the place in the log behind the last of their transactions.
//!
//! MySQL: `uuid:1-5:7,uuid:tag:3` (MySQL Reference Manual, "GTID Format and Storage"). MariaDB: `domain-server-sequence`, several
//! with commas, each the last of its domain (MariaDB Knowledge Base, "Global Transaction ID").

use super::engine::{Batch, Snapshot, StoreError, Table};
use super::log::Gtid;
use super::store::Sequence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// UUID and tag of MySQL's GTIDs.
pub type Source = ([u8; 16], Option<String>);

/// A set of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GtidSet {
    /// For each source, its ranges (both ends inclusive), sorted, apart from each other.
    MySql(BTreeMap<Source, Vec<(u64, u64)>>),
    /// The last transaction of each domain: domain, server, sequence.
    MariaDb(Vec<(u32, u32, u64)>),
}

/// Why a GTID names no state of this record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GtidError {
    /// Not the text of a GTID.
    #[error("'{0}' is not a GTID set: use uuid:1-5:7 (MySQL) or domain-server-sequence (MariaDB)")]
    Malformed(String),
    /// A GTID of the other family.
    #[error("'{asked}' is a GTID of {asked_family}, and this history was written by {family}")]
    WrongFamily {
        /// The text.
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

impl GtidSet {
    /// Reads either form; white space and line breaks are skipped, as mysqld does.
    ///
    /// # Errors
    /// The text is not one of these forms.
    pub fn parse(text: &str) -> Result<Self, GtidError> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let malformed = || GtidError::Malformed(text.chars().take(80).collect());
        let parts: Vec<&str> = compact.split(',').filter(|p| !p.is_empty()).collect();
        if parts.is_empty() {
            return Err(malformed());
        }
        if compact.contains(':') {
            let mut sources = BTreeMap::new();
            for part in parts {
                mysql_part(part, &mut sources).ok_or_else(malformed)?;
            }
            for ranges in sources.values_mut() {
                merge(ranges);
            }
            return Ok(Self::MySql(sources));
        }
        let mut domains = Vec::new();
        for part in parts {
            let (domain, server, sequence) = mariadb_part(part).ok_or_else(malformed)?;
            if domains.iter().any(|(d, _, _)| *d == domain) {
                return Err(malformed());
            }
            domains.push((domain, server, sequence));
        }
        Ok(Self::MariaDb(domains))
    }
}

impl GtidSet {
    /// Reads either form, or nothing.
    fn parse_or_empty(text: &str) -> Result<Self, GtidError> {
        if text.is_empty() { Ok(Self::MySql(BTreeMap::new())) } else { Self::parse(text) }
    }

    /// Whether both name the same transactions, in whatever order they were written.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MySql(a), Self::MySql(b)) => a == b,
            (Self::MariaDb(a), Self::MariaDb(b)) => {
                let (mut a, mut b) = (a.clone(), b.clone());
                a.sort_unstable();
                b.sort_unstable();
                a == b
            }
            (Self::MySql(_), Self::MariaDb(_)) | (Self::MariaDb(_), Self::MySql(_)) => false,
        }
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        match self {
            Self::MySql(sources) => {
                for ((uuid, tag), ranges) in sources {
                    for (from, to) in ranges {
                        let first = Gtid::MySql { source: *uuid, tag: tag.clone(), number: *from };
                        write!(f, "{separator}{first}")?;
                        if to > from {
                            write!(f, "-{to}")?;
                        }
                        separator = ",";
                    }
                }
            }
            Self::MariaDb(domains) => {
                for (domain, server, sequence) in domains {
                    write!(f, "{separator}{domain}-{server}-{sequence}")?;
                    separator = ",";
                }
            }
        }
        Ok(())
    }
}

fn mysql_part(part: &str, sources: &mut BTreeMap<Source, Vec<(u64, u64)>>) -> Option<()> {
    let mut fields = part.split(':');
    let uuid = parse_uuid(fields.next()?)?;
    let mut source = (uuid, None);
    let mut any = false;
    for field in fields {
        if field.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let plain = field.len() <= 32 && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            source.1 = plain.then(|| Some(field.to_ascii_lowercase()))?;
            any = false;
            continue;
        }
        let (from, to) = field.split_once('-').unwrap_or((field, field));
        let (from, to) = (number(from)?, number(to)?);
        if from == 0 || to < from {
            return None;
        }
        sources.entry(source.clone()).or_default().push((from, to));
        any = true;
    }
    any.then_some(())
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let dashed = text.len() == 36
        && text.char_indices().filter(|(_, c)| *c == '-').map(|(i, _)| i).eq([8, 13, 18, 23]);
    if !dashed && text.len() != 32 {
        return None;
    }
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes())
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn mariadb_part(part: &str) -> Option<(u32, u32, u64)> {
    let mut fields = part.split('-');
    let found = (number(fields.next()?)?, number(fields.next()?)?, number(fields.next()?)?);
    fields.next().is_none().then_some(found)
}

fn merge(ranges: &mut Vec<(u64, u64)>) {
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges.drain(..) {
        match merged.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    *ranges = merged;
}

/// Adds a number to ranges that are sorted and apart from each other.
fn add(ranges: &mut Vec<(u64, u64)>, number: u64) {
    match ranges.last_mut() {
        Some(last) if number == last.1.wrapping_add(1) => last.1 = number,
        Some(last) if number >= last.0 && number <= last.1 => {}
        _ => {
            ranges.push((number, number));
            merge(ranges);
        }
    }
}

/// Where the record begins, or begins anew behind a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    at: Sequence,
    #[serde(with = "as_text")]
    set: GtidSet,
}

/// What is remembered of the transactions as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GtidState {
    /// Those of the record.
    #[serde(with = "as_text::option", default)]
    recorded: Option<GtidSet>,
    /// What was executed where the record begins, oldest first.
    origins: Vec<Origin>,
    /// The furthest that a number of MySQL's was committed behind a higher one of its source.
    lag: u64,
}

impl GtidState {
    /// The record begins behind this change, of which no transaction has any; before it these were executed.
    pub fn begin(&mut self, at: Sequence, set: GtidSet) {
        self.origins.push(Origin { at, set });
    }

    /// Writes a transaction; `behind`: the first change that is not its own.
    pub fn note(&mut self, batch: &mut Batch, gtid: &Gtid, behind: Sequence) {
        match gtid {
            Gtid::MySql { source, tag, number } => {
                let source = (*source, tag.clone());
                batch.put(Table::Gtids, mysql_key(&source, *number), behind.0.to_be_bytes().to_vec());
                let recorded = self.recorded.get_or_insert_with(|| GtidSet::MySql(BTreeMap::new()));
                if let GtidSet::MySql(sources) = recorded {
                    let ranges = sources.entry(source).or_default();
                    let highest = ranges.last().map_or(0, |(_, to)| *to);
                    self.lag = self.lag.max(highest.saturating_sub(*number));
                    add(ranges, *number);
                }
            }
            Gtid::MariaDb { domain, server, sequence } => {
                let value = [&server.to_be_bytes()[..], &behind.0.to_be_bytes()].concat();
                batch.put(Table::Gtids, mariadb_key(*domain, *sequence), value);
                let recorded = self.recorded.get_or_insert_with(|| GtidSet::MariaDb(Vec::new()));
                if let GtidSet::MariaDb(domains) = recorded {
                    match domains.iter_mut().find(|(d, _, _)| d == domain) {
                        Some(known) => *known = (*domain, *server, *sequence),
                        None => domains.push((*domain, *server, *sequence)),
                    }
                }
            }
        }
    }

    /// All that was executed up to the end of the record, as the server writes it; empty where it writes none.
    #[must_use]
    pub fn executed(&self) -> String {
        let last = self.origins.last().map(|o| &o.set);
        match (last, &self.recorded) {
            (Some(GtidSet::MySql(before)), Some(GtidSet::MySql(recorded))) => {
                let mut all = before.clone();
                for (source, ranges) in recorded {
                    let known = all.entry(source.clone()).or_default();
                    known.extend(ranges);
                    merge(known);
                }
                GtidSet::MySql(all).to_string()
            }
            (Some(GtidSet::MariaDb(before)), Some(GtidSet::MariaDb(recorded))) => {
                // What the record begins with is older than what is in it, unless nothing was recorded since.
                let mut all = recorded.clone();
                for entry in before {
                    match all.iter_mut().find(|(d, _, _)| *d == entry.0) {
                        Some(known) if known.2 < entry.2 => *known = *entry,
                        Some(_) => {}
                        None => all.push(*entry),
                    }
                }
                GtidSet::MariaDb(all).to_string()
            }
            (_, Some(recorded)) => recorded.to_string(),
            (Some(before), None) => before.to_string(),
            (None, None) => String::new(),
        }
    }

    fn has(&self, family: fn(&GtidSet) -> bool) -> bool {
        self.recorded.iter().chain(self.origins.iter().map(|o| &o.set)).any(family)
    }
}

fn mysql_key(source: &Source, number: u64) -> Vec<u8> {
    let tag = source.1.as_deref().unwrap_or_default().as_bytes();
    // A zero ends the tag, which has none.
    [&[1][..], &source.0, tag, &[0], &number.to_be_bytes()].concat()
}

fn mariadb_key(domain: u32, sequence: u64) -> Vec<u8> {
    [&[2][..], &domain.to_be_bytes(), &sequence.to_be_bytes()].concat()
}

fn damaged() -> GtidError {
    GtidError::Store(StoreError("GTIDs cannot be read: the data folder is damaged".to_owned()))
}

fn read_place(bytes: &[u8]) -> Result<Sequence, GtidError> {
    Ok(Sequence(u64::from_be_bytes(bytes.try_into().map_err(|_| damaged())?)))
}

/// The place behind a transaction, of the value of its pair.
pub fn place_of(value: &[u8]) -> Option<Sequence> {
    Some(Sequence(u64::from_be_bytes(*value.last_chunk()?)))
}

/// GTID sets in JSON: as people write them.
mod as_text {
    use super::GtidSet;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(set: &GtidSet, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(set)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<GtidSet, D::Error> {
        GtidSet::parse_or_empty(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    pub(super) mod option {
        use super::{Deserialize, Deserializer, Error, GtidSet, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            set: &Option<GtidSet>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match set {
                Some(set) => to.collect_str(set),
                None => to.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<GtidSet>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|t| GtidSet::parse_or_empty(&t).map_err(D::Error::custom)).transpose()
        }
    }
}

/// Finds transactions in a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Gtids<'a> {
    /// Where they are.
    pub snapshot: &'a dyn Snapshot,
    /// What is remembered of them.
    pub state: &'a GtidState,
    /// Retention has dropped some.
    pub dropped: bool,
}

/// What a set comes to.
#[derive(Default)]
struct Sum {
    /// Behind the last of its transactions that are in the record.
    recorded: Option<Sequence>,
    /// The last origin that had others of it behind it.
    origin: Option<Sequence>,
}

impl Sum {
    fn recorded(&mut self, behind: Sequence) {
        self.recorded = self.recorded.max(Some(behind));
    }

    fn origin(&mut self, at: Sequence) {
        self.origin = self.origin.max(Some(at));
    }
}

impl Gtids<'_> {
    /// The place just behind all of the set: the first change that is not in.
    ///
    /// # Errors
    /// The set is of the other family, or not wholly in the record.
    pub fn behind(&self, set: &GtidSet, text: &str) -> Result<Sequence, GtidError> {
        let mysql = self.state.has(|s| matches!(s, GtidSet::MySql(_)));
        let mariadb = self.state.has(|s| matches!(s, GtidSet::MariaDb(_)));
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
            (Some(behind), None) => Ok(behind),
            (Some(behind), Some(origin)) if behind > origin => Ok(behind),
            (_, Some(origin)) => {
                // Only the whole of what was executed there is a state that is known.
                let whole = self.state.origins.iter().any(|o| o.at == origin && o.set.same(set));
                if whole { Ok(origin) } else { Err(GtidError::TooOld(text.to_owned())) }
            }
            (None, None) => Err(GtidError::TooOld(text.to_owned())),
        }
    }

    fn mysql(&self, sources: &BTreeMap<Source, Vec<(u64, u64)>>, text: &str) -> Result<Sum, GtidError> {
        let of = |set: Option<&GtidSet>, source: &Source| match set {
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

    /// The place behind the last committed of these numbers, all of which are recorded.
    fn last_of(&self, source: &Source, (from, to): (u64, u64), text: &str) -> Result<Sequence, GtidError> {
        // A number that is lower by more than the lag was committed before the highest one.
        let start = from.max(to.saturating_sub(self.state.lag));
        let (low, mut high) = (mysql_key(source, start), mysql_key(source, to));
        high.push(0);
        let mut last = Sequence(0);
        let mut found = 0_u64;
        let mut next = low;
        loop {
            let pairs = self.snapshot.scan(Table::Gtids, &next, &high, 4096)?;
            let Some((key, _)) = pairs.last() else { break };
            next = [key.as_slice(), &[0]].concat();
            for (_, place) in &pairs {
                last = last.max(read_place(place)?);
                found += 1;
            }
        }
        // What retention has dropped lies before the oldest instant.
        if found < to - start + 1 { Err(GtidError::TooOld(text.to_owned())) } else { Ok(last) }
    }

    fn mariadb(&self, domains: &[(u32, u32, u64)], text: &str) -> Result<Sum, GtidError> {
        let mut sum = Sum::default();
        for (domain, server, sequence) in domains {
            let found = self.snapshot.get(Table::Gtids, &mariadb_key(*domain, *sequence))?;
            if let Some((by, place)) = found.as_deref().and_then(|v| v.split_first_chunk::<4>())
                && u32::from_be_bytes(*by) == *server
            {
                sum.recorded(read_place(place)?);
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
            } else if found.is_none() && self.dropped && self.state.recorded.as_ref().is_some_and(covers) {
                return Err(GtidError::TooOld(text.to_owned()));
            } else {
                return Err(GtidError::NotThere(format!("{domain}-{server}-{sequence}")));
            }
        }
        Ok(sum)
    }
}

/// The parts of a range that are in none of `ranges` (sorted, apart from each other).
fn without(range: (u64, u64), ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let (mut from, to) = range;
    let mut left = Vec::new();
    for (a, b) in ranges {
        if *b < from || *a > to {
            continue;
        }
        if *a > from {
            left.push((from, a - 1));
        }
        match b.checked_add(1) {
            Some(next) if next <= to => from = next,
            _ => return left,
        }
    }
    left.push((from, to));
    left
}

/// The parts of a range that are in `ranges` (sorted, apart from each other).
fn inside(range: (u64, u64), ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let overlap = |(a, b): &(u64, u64)| {
        let (from, to) = (range.0.max(*a), range.1.min(*b));
        (from <= to).then_some((from, to))
    };
    ranges.iter().filter_map(overlap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::engine::{Engine, MemoryEngine};

    const A: &str = "a724770a-e70c-11f1-aab8-02fc00000001";

    fn mysql(text: &str) -> GtidSet {
        GtidSet::parse(text).unwrap()
    }

    /// A record of transactions without changes but one each; places count from 1.
    struct Record(MemoryEngine, GtidState);

    impl Record {
        fn behind(&self, text: &str) -> Result<u64, GtidError> {
            let snapshot = self.0.snapshot();
            let gtids = Gtids { snapshot: &*snapshot, state: &self.1, dropped: false };
            gtids.behind(&mysql(text), text).map(|s| s.0.saturating_sub(1))
        }
    }

    fn index(gtids: &[Gtid], previous: Option<&str>) -> Record {
        let (mut engine, mut state, mut batch) =
            (MemoryEngine::default(), GtidState::default(), Batch::default());
        if let Some(previous) = previous {
            state.begin(Sequence(0), mysql(previous));
        }
        for (gtid, behind) in gtids.iter().zip(2..) {
            state.note(&mut batch, gtid, Sequence(behind));
        }
        engine.commit(batch).unwrap();
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
        let after = |t: &str| record.behind(&format!("{A}:{t}"));
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
        assert!(matches!(record.behind("0-1-2"), Err(GtidError::WrongFamily { .. })));
        assert_eq!(index(&[], None).behind("0-1-2"), Err(GtidError::NoGtids));
        assert_eq!(record.1.executed(), format!("{A}:1-7,{A}:t:1"));
    }

    #[test]
    fn a_mariadb_list_is_the_state_after_all_of_it() {
        let g = |domain, sequence| Gtid::MariaDb { domain, server: 10, sequence };
        let record = index(&[g(0, 7), g(1, 3), g(0, 8)], Some("0-10-6,1-10-2"));
        let after = |t: &str| record.behind(t);
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
    fn behind_a_gap_only_what_is_recorded_or_whole_is_known() {
        let mut record = index(&[m(5, None), m(6, None)], Some(&format!("{A}:1-4")));
        record.1.begin(Sequence(3), mysql(&format!("{A}:1-9")));
        let mut batch = Batch::default();
        record.1.note(&mut batch, &m(10, None), Sequence(5));
        record.0.commit(batch).unwrap();
        let after = |t: &str| record.behind(&format!("{A}:{t}"));
        assert_eq!([after("1-5"), after("1-6"), after("1-10")], [Ok(1), Ok(2), Ok(4)]);
        assert_eq!(after("1-9"), Ok(2), "all that was executed behind the gap");
        assert!(matches!(after("1-7"), Err(GtidError::TooOld(_))), "inside of the gap");
        assert!(matches!(after("1-11"), Err(GtidError::NotThere(_))));
        assert_eq!(record.1.executed(), format!("{A}:1-10"));
    }
}
