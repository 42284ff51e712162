//! GTID sets as people write them, and the place in the log behind the last of their transactions.
//!
//! MySQL: `uuid:1-5:7,uuid:tag:3` (MySQL Reference Manual, "GTID Format and Storage"). MariaDB: `domain-server-sequence`, several
//! with commas, each the last of its domain (MariaDB Knowledge Base, "Global Transaction ID").

use super::log::Gtid;
use super::moments::Moment;
use std::collections::{BTreeMap, HashMap};

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

/// The GTIDs of the entries, for finding.
#[derive(Debug, Default)]
pub struct GtidIndex {
    /// Numbers and entries, sorted by number.
    mysql: HashMap<Source, Vec<(u64, usize)>>,
    /// Server and entry of each domain and sequence number.
    mariadb: HashMap<(u32, u64), (u32, usize)>,
    /// What was executed before the record began, where the log says it.
    previous: Option<GtidSet>,
}

impl GtidIndex {
    /// Of the entries in the order of the log.
    #[must_use]
    pub fn new(entries: &[Moment], previous: Option<GtidSet>) -> Self {
        let mut index = Self { previous, ..Self::default() };
        for (place, entry) in entries.iter().enumerate() {
            match &entry.gtid {
                Some(Gtid::MySql { source, tag, number }) => {
                    index.mysql.entry((*source, tag.clone())).or_default().push((*number, place));
                }
                Some(Gtid::MariaDb { domain, server, sequence }) => {
                    index.mariadb.insert((*domain, *sequence), (*server, place));
                }
                None => {}
            }
        }
        for numbers in index.mysql.values_mut() {
            numbers.sort_unstable();
        }
        index
    }

    /// How many entries of the log make up the state just after all of the set.
    ///
    /// # Errors
    /// The set is of the other family, or not wholly in the record.
    pub fn entries_after(&self, set: &GtidSet, text: &str) -> Result<usize, GtidError> {
        let mysql = !self.mysql.is_empty() || matches!(self.previous, Some(GtidSet::MySql(_)));
        let mariadb = !self.mariadb.is_empty() || matches!(self.previous, Some(GtidSet::MariaDb(_)));
        let wrong =
            |asked_family, family| GtidError::WrongFamily { asked: text.to_owned(), asked_family, family };
        match set {
            _ if !mysql && !mariadb => Err(GtidError::NoGtids),
            GtidSet::MySql(_) if !mysql => Err(wrong("MySQL", "MariaDB")),
            GtidSet::MariaDb(_) if !mariadb => Err(wrong("MariaDB", "MySQL")),
            GtidSet::MySql(sources) => self.after_mysql(sources, text),
            GtidSet::MariaDb(domains) => self.after_mariadb(domains, text),
        }
    }

    fn after_mysql(
        &self,
        sources: &BTreeMap<Source, Vec<(u64, u64)>>,
        text: &str,
    ) -> Result<usize, GtidError> {
        let none = BTreeMap::new();
        let previous = match &self.previous {
            Some(GtidSet::MySql(p)) => p,
            Some(GtidSet::MariaDb(_)) | None => &none,
        };
        let mut last = None;
        for (source, ranges) in sources {
            let known = self.mysql.get(source).map_or(&[][..], Vec::as_slice);
            for (from, to) in ranges {
                let before = previous.get(source).map_or(&[][..], Vec::as_slice);
                for (from, to) in without((*from, *to), before) {
                    let start = known.partition_point(|(n, _)| *n < from);
                    let end = known.partition_point(|(n, _)| *n <= to);
                    if u64::try_from(end - start).ok() != (to - from).checked_add(1) {
                        let (missing, _) = first_missing(&known[start..end], from);
                        let gtid = Gtid::MySql { source: source.0, tag: source.1.clone(), number: missing };
                        return Err(GtidError::NotThere(gtid.to_string()));
                    }
                    last = last.max(known[start..end].iter().map(|(_, place)| *place).max());
                }
            }
        }
        match last {
            Some(place) => Ok(place + 1),
            None if sources == previous => Ok(0),
            None => Err(GtidError::TooOld(text.to_owned())),
        }
    }

    fn after_mariadb(&self, domains: &[(u32, u32, u64)], text: &str) -> Result<usize, GtidError> {
        let previous = match &self.previous {
            Some(GtidSet::MariaDb(p)) => p.as_slice(),
            Some(GtidSet::MySql(_)) | None => &[],
        };
        let mut last = None;
        let mut all_at_start = true;
        for (domain, server, sequence) in domains {
            match self.mariadb.get(&(*domain, *sequence)) {
                Some((written_by, place)) if written_by == server => last = last.max(Some(*place)),
                _ => {
                    let before = previous.iter().find(|(d, _, _)| d == domain);
                    match before {
                        Some(b) if b == &(*domain, *server, *sequence) => {}
                        Some((_, _, s)) if sequence <= s => all_at_start = false,
                        _ => return Err(GtidError::NotThere(format!("{domain}-{server}-{sequence}"))),
                    }
                }
            }
        }
        match last {
            Some(place) => Ok(place + 1),
            None if all_at_start && domains.len() == previous.len() => Ok(0),
            None => Err(GtidError::TooOld(text.to_owned())),
        }
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

fn first_missing(known: &[(u64, usize)], from: u64) -> (u64, usize) {
    let present = known.iter().zip(from..).take_while(|((n, _), want)| n == want).count();
    (from.saturating_add(u64::try_from(present).unwrap_or(u64::MAX)), present)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::store::Sequence;
    use crate::instant::Instant;

    const A: &str = "a724770a-e70c-11f1-aab8-02fc00000001";

    fn mysql(text: &str) -> GtidSet {
        GtidSet::parse(text).unwrap()
    }

    fn index(gtids: &[Gtid], previous: Option<&str>) -> GtidIndex {
        let entries: Vec<Moment> = gtids
            .iter()
            .map(|g| Moment { first: Sequence(1), committed: Instant::from_micros(0), gtid: Some(g.clone()) })
            .collect();
        GtidIndex::new(&entries, previous.map(|p| GtidSet::parse(p).unwrap()))
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
        let after = |t: &str| {
            let text = format!("{A}:{t}");
            record.entries_after(&mysql(&text), &text)
        };
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
        assert!(matches!(record.entries_after(&mysql("0-1-2"), "0-1-2"), Err(GtidError::WrongFamily { .. })));
        assert_eq!(GtidIndex::default().entries_after(&mysql("0-1-2"), ""), Err(GtidError::NoGtids));
    }

    #[test]
    fn a_mariadb_list_is_the_state_after_all_of_it() {
        let g = |domain, sequence| Gtid::MariaDb { domain, server: 10, sequence };
        let record = index(&[g(0, 7), g(1, 3), g(0, 8)], Some("0-10-6,1-10-2"));
        let after = |t: &str| record.entries_after(&mysql(t), t);
        assert_eq!(after("0-10-7"), Ok(1));
        assert_eq!(after("0-10-7,1-10-3"), Ok(2));
        assert_eq!(after("0-10-7,1-10-2"), Ok(1));
        assert_eq!(after("0-10-6,1-10-2"), Ok(0));
        assert_eq!(after("0-10-5,1-10-2"), Err(GtidError::TooOld("0-10-5,1-10-2".into())));
        assert_eq!(after("0-11-7"), Err(GtidError::NotThere("0-11-7".into())));
        assert_eq!(after("0-10-9"), Err(GtidError::NotThere("0-10-9".into())));
    }
}
