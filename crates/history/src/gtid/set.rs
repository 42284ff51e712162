//! Sets of transactions, as people write them.
//!
//! MySQL: `uuid:1-5:7,uuid:tag:3` (MySQL Reference Manual, ["GTID Format and
//! Storage"](https://dev.mysql.com/doc/refman/9.7/en/replication-gtids-concepts.html)). MariaDB:
//! `domain-server-sequence`, several with commas, each the last of its domain (MariaDB Knowledge
//! Base, [Global Transaction ID](https://mariadb.com/kb/en/gtid/)).

use super::GtidError;
use crate::log::Gtid;
use std::collections::BTreeMap;
use std::fmt;

/// UUID and tag of MySQL's GTIDs.
pub type SourceId = ([u8; 16], Option<String>);

/// A set of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GtidSet {
    /// For each source, its ranges (both ends inclusive), sorted, apart from each other.
    MySql(BTreeMap<SourceId, Vec<(u64, u64)>>),
    /// The last transaction of each domain: domain, server, sequence.
    MariaDb(Vec<(u32, u32, u64)>),
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

    /// Reads either form, or nothing.
    fn parse_or_empty(text: &str) -> Result<Self, GtidError> {
        if text.is_empty() { Ok(Self::MySql(BTreeMap::new())) } else { Self::parse(text) }
    }

    /// Whether it names one transaction and no more.
    #[must_use]
    pub fn is_single(&self) -> bool {
        match self {
            Self::MySql(sources) => {
                let ranges: Vec<&(u64, u64)> = sources.values().flatten().collect();
                matches!(ranges[..], [(from, to)] if from == to)
            }
            Self::MariaDb(domains) => domains.len() == 1,
        }
    }

    /// Whether a transaction is among those that it names.
    #[must_use]
    pub fn names(&self, gtid: &Gtid) -> bool {
        match (self, gtid) {
            (Self::MySql(sources), Gtid::MySql { source, tag, number }) => {
                let ranges = sources.get(&(*source, tag.clone()));
                ranges.is_some_and(|ranges| ranges.iter().any(|(from, to)| (from..=to).contains(&number)))
            }
            (Self::MariaDb(domains), Gtid::MariaDb { domain, server, sequence }) => {
                domains.contains(&(*domain, *server, *sequence))
            }
            (Self::MySql(_), Gtid::MariaDb { .. }) | (Self::MariaDb(_), Gtid::MySql { .. }) => false,
        }
    }

    /// Whether both name the same transactions, in whatever order they were written.
    pub(super) fn same(&self, other: &Self) -> bool {
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

fn mysql_part(part: &str, sources: &mut BTreeMap<SourceId, Vec<(u64, u64)>>) -> Option<()> {
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

pub(super) fn merge(ranges: &mut Vec<(u64, u64)>) {
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
pub(super) fn add(ranges: &mut Vec<(u64, u64)>, number: u64) {
    match ranges.last_mut() {
        Some(last) if number == last.1.wrapping_add(1) => last.1 = number,
        Some(last) if number >= last.0 && number <= last.1 => {}
        _ => {
            ranges.push((number, number));
            merge(ranges);
        }
    }
}

/// Whether all transactions of `part` are in `set`, as far as sets tell.
pub(super) fn covers(set: &GtidSet, part: &GtidSet) -> bool {
    match (set, part) {
        (GtidSet::MySql(set), GtidSet::MySql(part)) => part.iter().all(|(source, ranges)| {
            let known = set.get(source).map_or(&[][..], Vec::as_slice);
            ranges.iter().all(|range| without(*range, known).is_empty())
        }),
        (GtidSet::MariaDb(set), GtidSet::MariaDb(part)) => {
            part.iter().all(|(domain, _, number)| set.iter().any(|(d, _, n)| d == domain && n >= number))
        }
        (GtidSet::MySql(_) | GtidSet::MariaDb(_), _) => false,
    }
}

/// The parts of a range that are in none of `ranges` (sorted, apart from each other).
pub(super) fn without(range: (u64, u64), ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
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
pub(super) fn inside(range: (u64, u64), ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let overlap = |(a, b): &(u64, u64)| {
        let (from, to) = (range.0.max(*a), range.1.min(*b));
        (from <= to).then_some((from, to))
    };
    ranges.iter().filter_map(overlap).collect()
}

/// GTID sets in JSON: as people write them.
pub(super) mod as_text {
    use super::GtidSet;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(set: &GtidSet, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(set)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<GtidSet, D::Error> {
        GtidSet::parse_or_empty(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    pub(in super::super) mod option {
        use super::{Deserialize, Deserializer, Error, GtidSet, Serializer};

        #[expect(clippy::ref_option, reason = "this is how serde calls it")]
        pub(in super::super::super) fn serialize<S: Serializer>(
            set: &Option<GtidSet>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match set {
                Some(set) => to.collect_str(set),
                None => to.serialize_none(),
            }
        }

        pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<GtidSet>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|t| GtidSet::parse_or_empty(&t).map_err(D::Error::custom)).transpose()
        }
    }
}
