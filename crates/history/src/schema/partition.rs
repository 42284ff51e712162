//! Partitions of a table: in which of them a row lies, for statements that empty some of them
//! (manual: "Partitioning Types").
//!
//! Only rules are followed of which the place of a row is certain; of others it is not known what a
//! statement removed.

mod hash;

use super::token::{Tokens, Unread};
use crate::key;
use dbtrail_types::column::{Column, ColumnType, TableDefinition, same_name};
use serde::{Deserialize, Serialize};

/// How the rows of a table are divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Partitions {
    rule: Rule,
    list: Vec<Partition>,
}

/// By what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Rule {
    Range(By),
    List(By),
    /// By the remainder of a division by the number of partitions.
    Hash(By),
    /// By the last bits of the number (LINEAR HASH).
    LinearHash(By),
    /// By a hash of these columns; none: of the primary key.
    Key {
        columns: Vec<String>,
        linear: bool,
    },
    Uncertain,
}

/// A column, or a function of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct By {
    column: String,
    through: Through,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Through {
    /// The integer in it.
    Integer,
    /// Its value, as it compares (RANGE COLUMNS, LIST COLUMNS).
    Value,
    ToDays,
    Year,
    UnixTimestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Partition {
    name: String,
    bound: Bound,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Bound {
    /// Values less than this one; `None`: all.
    Less(Option<Limit>),
    /// These values; `None`: NULL.
    In(Vec<Option<Limit>>),
    /// What no other one takes.
    Default,
    /// A place in a HASH.
    Slot,
    Uncertain,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Limit {
    Integer(i128),
    Text(String),
}

/// A value that places a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Placing {
    Null,
    Integer(i128),
    Bytes(Vec<u8>),
}

/// Partitions that a statement has emptied, among those that there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emptied {
    partitions: Partitions,
    places: Vec<usize>,
}

impl Rule {
    /// Whether its partitions are so many places, without bounds.
    fn is_hash(&self) -> bool {
        matches!(self, Self::Hash(_) | Self::LinearHash(_) | Self::Key { .. })
    }
}

impl Emptied {
    /// Whether a row lay in one of them; `None`: that is not certain. `cells`: of the columns of
    /// the definition.
    #[must_use]
    pub fn held(&self, definition: &TableDefinition, cells: &[Option<&[u8]>]) -> Option<bool> {
        let place = self.partitions.place(definition, cells)?;
        Some(self.places.contains(&place))
    }
}

impl Partitions {
    /// Which partitions a statement names empty; `None`: a name is not known.
    pub(super) fn emptied(&self, names: &[String]) -> Option<Emptied> {
        let all =
            names.iter().any(|n| same_name(n, "ALL")) && self.list.iter().all(|p| !same_name(&p.name, "ALL"));
        let places = if all {
            (0..self.list.len()).collect()
        } else {
            let place = |name: &String| self.list.iter().position(|p| same_name(&p.name, name));
            names.iter().map(place).collect::<Option<Vec<usize>>>()?
        };
        Some(Emptied { partitions: self.clone(), places })
    }

    pub(super) fn remove(&mut self, names: &[String]) {
        self.list.retain(|p| !names.iter().any(|n| same_name(n, &p.name)));
    }

    /// Nothing certain is known any more.
    pub(super) fn forget(&mut self) {
        self.rule = Rule::Uncertain;
    }

    /// ADD PARTITION (...), or PARTITIONS n.
    pub(super) fn add(&mut self, tokens: &mut Tokens) {
        if tokens.is_at('(') {
            match tokens.group().and_then(|g| definitions(g, &self.rule)) {
                Ok(more) => self.list.extend(more),
                Err(_) => self.forget(),
            }
        } else {
            let more = tokens.words(&["PARTITIONS"]).then(|| tokens.number().and_then(|n| n.parse().ok()));
            match more.flatten() {
                Some(more) if self.rule.is_hash() => self.slots(more),
                _ => self.forget(),
            }
        }
    }

    /// One more, `PARTITION p VALUES ...`.
    pub(super) fn add_one(&mut self, tokens: &Tokens) {
        match definition(tokens.clone(), &self.rule) {
            Ok(one) => self.list.push(one),
            Err(_) => self.forget(),
        }
    }

    /// So many more places of a HASH, called as servers call them.
    fn slots(&mut self, more: u16) {
        for _ in 0..more {
            let name = format!("p{}", self.list.len());
            self.list.push(Partition { name, bound: Bound::Slot });
        }
    }

    /// COALESCE PARTITION n.
    pub(super) fn coalesce(&mut self, tokens: &mut Tokens) {
        match tokens.number().and_then(|n| n.parse::<usize>().ok()) {
            Some(fewer) if fewer < self.list.len() => self.list.truncate(self.list.len() - fewer),
            _ => self.forget(),
        }
    }

    /// REORGANIZE PARTITION a, b INTO (...).
    pub(super) fn reorganize(&mut self, tokens: &mut Tokens) {
        let Ok(names) = names(tokens) else { return self.forget() };
        let place = names.first().and_then(|n| self.list.iter().position(|p| same_name(&p.name, n)));
        let new =
            tokens.words(&["INTO"]).then(|| tokens.group().and_then(|g| definitions(g, &self.rule)).ok());
        match (place, new.flatten()) {
            (Some(place), Some(new)) => {
                self.remove(&names);
                let place = place.min(self.list.len());
                self.list.splice(place..place, new);
            }
            _ => self.forget(),
        }
    }

    /// The number of the partition in which a row lies.
    fn place(&self, definition: &TableDefinition, cells: &[Option<&[u8]>]) -> Option<usize> {
        let by = match &self.rule {
            Rule::Range(by) | Rule::List(by) | Rule::Hash(by) | Rule::LinearHash(by) => by,
            Rule::Key { columns, linear } => {
                let columns = if columns.is_empty() { &definition.primary_key } else { columns };
                let hash = hash::of_key(columns, definition, cells)?;
                return self.slot(hash, *linear);
            }
            Rule::Uncertain => return None,
        };
        let at = definition.position(&by.column)?;
        let column = definition.columns.get(at)?;
        let value = by.placing(column, *cells.get(at)?)?;
        let limit = |limit: &Limit| match (limit, by.through) {
            (Limit::Integer(n), through) if through != Through::Value => Some(Placing::Integer(*n)),
            (Limit::Integer(n), Through::Value) => bytes(column, &n.to_string()),
            (Limit::Text(text), Through::Value) => bytes(column, text),
            (Limit::Text(_) | Limit::Integer(_), _) => None,
        };
        match &self.rule {
            Rule::Range(_) => {
                for (at, partition) in self.list.iter().enumerate() {
                    match &partition.bound {
                        Bound::Less(None) => return Some(at),
                        // NULL is less than all values.
                        Bound::Less(Some(bound)) => {
                            if value < limit(bound)? {
                                return Some(at);
                            }
                        }
                        Bound::In(_) | Bound::Default | Bound::Slot | Bound::Uncertain => return None,
                    }
                }
                None
            }
            Rule::List(_) => {
                let mut default = None;
                for (at, partition) in self.list.iter().enumerate() {
                    match &partition.bound {
                        Bound::In(values) => {
                            for one in values {
                                let one = one.as_ref().map_or(Some(Placing::Null), &limit)?;
                                if one == value {
                                    return Some(at);
                                }
                            }
                        }
                        Bound::Default => default = Some(at),
                        Bound::Less(_) | Bound::Slot | Bound::Uncertain => return None,
                    }
                }
                default
            }
            Rule::Hash(_) | Rule::LinearHash(_) => {
                let number = match value {
                    Placing::Null => 0,
                    Placing::Integer(n) => n,
                    Placing::Bytes(_) => return None,
                };
                if matches!(self.rule, Rule::LinearHash(_)) {
                    return self.slot(u64::try_from(number.rem_euclid(1 << 64)).ok()?, true);
                }
                let count = i128::try_from(self.list.len()).ok().filter(|n| *n > 0)?;
                usize::try_from((number % count).abs()).ok()
            }
            Rule::Key { .. } | Rule::Uncertain => None,
        }
    }

    /// The place of a hash. LINEAR: its last bits, one fewer where there is no such place.
    fn slot(&self, hash: u64, linear: bool) -> Option<usize> {
        let count = u64::try_from(self.list.len()).ok().filter(|n| *n > 0)?;
        if !linear {
            return usize::try_from(hash % count).ok();
        }
        let bits = count.next_power_of_two();
        let place = hash & (bits - 1);
        usize::try_from(if place >= count { hash & ((bits >> 1) - 1) } else { place }).ok()
    }
}

/// A value as it compares in a column.
fn bytes(column: &Column, text: &str) -> Option<Placing> {
    let midnight;
    let text = if let (ColumnType::DateTime { fsp }, 10) = (&column.ty, text.len()) {
        // A day stands for its beginning.
        let fraction = if *fsp == 0 { String::new() } else { format!(".{}", "0".repeat(usize::from(*fsp))) };
        midnight = format!("{text} 00:00:00{fraction}");
        midnight.as_str()
    } else {
        text
    };
    let mut out = Vec::new();
    key::encode_stored(column, text.as_bytes(), &mut out).ok()?;
    Some(Placing::Bytes(out))
}

impl By {
    fn placing(&self, column: &Column, cell: Option<&[u8]>) -> Option<Placing> {
        let Some(cell) = cell else { return Some(Placing::Null) };
        let text = std::str::from_utf8(cell).ok()?;
        let dated = matches!(column.ty, ColumnType::Date | ColumnType::DateTime { .. });
        match self.through {
            Through::Value => bytes(column, text),
            Through::Integer if matches!(column.ty, ColumnType::Int { .. } | ColumnType::Year) => {
                text.parse().ok().map(Placing::Integer)
            }
            Through::ToDays if dated => days(text).map(Placing::Integer),
            Through::Year if dated => {
                days(text)?;
                text.get(..4)?.parse().ok().map(Placing::Integer)
            }
            Through::UnixTimestamp if matches!(column.ty, ColumnType::Timestamp { fsp: 0 }) => {
                seconds(text).map(Placing::Integer)
            }
            Through::Integer | Through::ToDays | Through::Year | Through::UnixTimestamp => None,
        }
    }
}

/// TO_DAYS of a date that there is; `None`: it is none.
fn days(text: &str) -> Option<i128> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    let since = date.since((jiff::Unit::Day, epoch)).ok()?;
    // TO_DAYS('1970-01-01') on both servers.
    Some(i128::from(since.get_days()) + 719_528)
}

/// UNIX_TIMESTAMP of a TIMESTAMP as it is kept here, in UTC.
fn seconds(text: &str) -> Option<i128> {
    let at: jiff::civil::DateTime = text.replacen(' ', "T", 1).parse().ok()?;
    // TO_DAYS of the day on which 1970 began.
    let days = days(text)? - 719_528;
    let part = |n: i8| i128::from(n);
    Some(days * 86_400 + part(at.hour()) * 3600 + part(at.minute()) * 60 + part(at.second()))
}

/// What stands behind PARTITION BY, to the end of the statement. What is not understood is not
/// certain.
pub(super) fn read(tokens: &mut Tokens) -> Partitions {
    let read = rule(tokens).and_then(|rule| {
        let count = tokens.words(&["PARTITIONS"]).then(|| tokens.number()).flatten();
        if tokens.words(&["SUBPARTITION", "BY"]) {
            while tokens.peek().is_some() && !tokens.is_at('(') {
                tokens.next();
            }
            tokens.group()?;
            if tokens.words(&["SUBPARTITIONS"]) {
                tokens.number();
            }
        }
        let hash = rule.is_hash();
        let mut partitions = Partitions { rule, list: Vec::new() };
        if tokens.is_at('(') {
            partitions.list = definitions(tokens.group()?, &partitions.rule)?;
        } else if hash {
            let count =
                count.map_or(Ok(1), |n| n.parse().map_err(|_| "a number of partitions".to_owned()))?;
            partitions.slots(count);
        }
        Ok(partitions)
    });
    while tokens.next().is_some() {}
    read.unwrap_or(Partitions { rule: Rule::Uncertain, list: Vec::new() })
}

fn rule(tokens: &mut Tokens) -> Result<Rule, Unread> {
    let linear = tokens.words(&["LINEAR"]);
    match tokens.one_of(&["RANGE", "LIST", "HASH", "KEY", "SYSTEM_TIME"]) {
        Some(kind @ ("RANGE" | "LIST")) => {
            let values = tokens.words(&["COLUMNS"]);
            let by = if values { one_column(tokens.group()?)? } else { by(tokens.group()?)? };
            Ok(if kind == "RANGE" { Rule::Range(by) } else { Rule::List(by) })
        }
        Some("HASH") if !linear => by(tokens.group()?).map(Rule::Hash),
        Some("HASH") => by(tokens.group()?).map(Rule::LinearHash),
        Some("KEY") => {
            // 1 is how MySQL 5.1 hashed.
            if tokens.words(&["ALGORITHM"]) {
                tokens.symbol('=');
                if tokens.number().as_deref() != Some("2") {
                    return Err("an algorithm that is not followed".to_owned());
                }
            }
            let group = tokens.group()?;
            let columns = if group.is_at_end() { Vec::new() } else { names(&mut group.clone())? };
            Ok(Rule::Key { columns, linear })
        }
        _ => Err("a rule that is not followed".to_owned()),
    }
}

fn one_column(mut group: Tokens) -> Result<By, Unread> {
    let column = group.name()?;
    if group.is_at_end() {
        Ok(By { column, through: Through::Value })
    } else {
        Err("several columns".to_owned())
    }
}

fn by(mut group: Tokens) -> Result<By, Unread> {
    let first = group.name()?;
    if group.is_at_end() {
        return Ok(By { column: first, through: Through::Integer });
    }
    let through = match first.to_ascii_uppercase().as_str() {
        "TO_DAYS" => Through::ToDays,
        "YEAR" => Through::Year,
        "UNIX_TIMESTAMP" => Through::UnixTimestamp,
        _ => return Err("an expression".to_owned()),
    };
    let mut inside = group.group()?;
    let column = inside.name()?;
    if inside.is_at_end() && group.is_at_end() {
        Ok(By { column, through })
    } else {
        Err("an expression".to_owned())
    }
}

/// The names behind a statement on partitions.
pub(super) fn names(tokens: &mut Tokens) -> Result<Vec<String>, Unread> {
    let mut names = vec![tokens.name()?];
    while tokens.symbol(',') {
        names.push(tokens.name()?);
    }
    Ok(names)
}

fn definitions(group: Tokens, rule: &Rule) -> Result<Vec<Partition>, Unread> {
    group.split().into_iter().map(|part| definition(part, rule)).collect()
}

fn definition(mut tokens: Tokens, rule: &Rule) -> Result<Partition, Unread> {
    if !tokens.words(&["PARTITION"]) {
        return Err("PARTITION was expected".to_owned());
    }
    let name = tokens.name()?;
    let bound = if tokens.words(&["VALUES", "LESS", "THAN"]) {
        less(&mut tokens).map_or(Bound::Uncertain, Bound::Less)
    } else if tokens.words(&["VALUES", "IN"]) {
        let values = tokens.group()?.split().into_iter().map(|mut one| limit(&mut one));
        values.collect::<Result<Vec<_>, Unread>>().map_or(Bound::Uncertain, Bound::In)
    } else if tokens.words(&["DEFAULT"]) {
        Bound::Default
    } else if rule.is_hash() {
        Bound::Slot
    } else {
        Bound::Uncertain
    };
    Ok(Partition { name, bound })
}

/// The limit of a RANGE partition; `None`: there is none.
fn less(tokens: &mut Tokens) -> Result<Option<Limit>, Unread> {
    if tokens.words(&["MAXVALUE"]) {
        return Ok(None);
    }
    let mut group = tokens.group()?;
    if group.words(&["MAXVALUE"]) && group.is_at_end() {
        return Ok(None);
    }
    limit(&mut group)?.map(Some).ok_or_else(|| "NULL is no limit".to_owned())
}

/// A literal, or TO_DAYS of one; `None`: NULL.
fn limit(tokens: &mut Tokens) -> Result<Option<Limit>, Unread> {
    let uncertain = || "a value that is not known".to_owned();
    let read = if tokens.words(&["NULL"]) {
        None
    } else if let Some(text) = tokens.text() {
        Some(Limit::Text(text))
    } else if tokens.words(&["TO_DAYS"]) {
        let day = tokens.group()?.text().and_then(|text| days(&text));
        Some(Limit::Integer(day.ok_or_else(uncertain)?))
    } else {
        let sign = if tokens.symbol('-') { -1 } else { 1 };
        let number: Option<i128> = tokens.number().and_then(|n| n.parse().ok());
        Some(Limit::Integer(number.ok_or_else(uncertain)? * sign))
    };
    if tokens.is_at_end() { Ok(read) } else { Err(uncertain()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(ty: &str) -> TableDefinition {
        let text = format!(
            r#"{{"columns": [{{"name": "k", "type": "{ty}", "nullable": true, "collation": null}}], "primary_key": ["k"]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn partitions(text: &str) -> Partitions {
        let mut tokens = Tokens::new(text, None, crate::log::ServerVersion::default(), false).unwrap();
        assert!(tokens.words(&["PARTITION", "BY"]));
        read(&mut tokens)
    }

    /// In which partition MySQL 9.7 and MariaDB 11.8 put these values (`SELECT ... PARTITION (p)`).
    #[test]
    fn rows_lie_where_the_server_puts_them() {
        let range = "RANGE (k) (PARTITION a VALUES LESS THAN (-5), PARTITION b VALUES LESS THAN (10), PARTITION c VALUES LESS THAN MAXVALUE)";
        let days = "RANGE (TO_DAYS(k)) (PARTITION a VALUES LESS THAN (TO_DAYS('2026-01-01')), PARTITION b VALUES LESS THAN (740000))";
        for (ty, by, value, place) in [
            ("int", range, Some("-6"), Some(0)),
            ("int", range, Some("-5"), Some(1)),
            ("int", range, Some("10"), Some(2)),
            ("int", range, None, Some(0)),
            ("date", days, Some("2025-12-31"), Some(0)),
            ("datetime", days, Some("2026-01-01 00:00:00"), Some(1)),
            ("datetime", days, Some("2026-02-01 00:00:00"), None),
            ("date", days, Some("0000-00-00"), None),
            ("int", "HASH (k) PARTITIONS 4", Some("-7"), Some(3)),
            ("int", "HASH (k) PARTITIONS 4", None, Some(0)),
            ("int", "LINEAR HASH (k) PARTITIONS 6", Some("-2147483648"), Some(0)),
            ("int", "LINEAR HASH (k) PARTITIONS 6", Some("-1"), Some(3)),
            ("int", "LINEAR HASH (k) PARTITIONS 6", Some("13"), Some(5)),
            ("varchar(9)", "KEY (k) PARTITIONS 4", Some("1"), None),
            ("int", "KEY ALGORITHM=1 (k) PARTITIONS 4", Some("1"), None),
            (
                "int",
                "LIST (k) (PARTITION a VALUES IN (1, NULL), PARTITION b VALUES IN (-2))",
                Some("-2"),
                Some(1),
            ),
            ("int", "LIST (k) (PARTITION a VALUES IN (1, NULL), PARTITION b VALUES IN (-2))", None, Some(0)),
            ("int", "LIST (k) (PARTITION a VALUES IN (1), PARTITION b DEFAULT)", Some("9"), Some(1)),
            (
                "datetime",
                "RANGE COLUMNS (k) (PARTITION a VALUES LESS THAN ('2026-01-01'), PARTITION b VALUES LESS THAN (MAXVALUE))",
                Some("2026-01-01 00:00:00"),
                Some(1),
            ),
            ("int", "RANGE (k * 2) (PARTITION a VALUES LESS THAN (3))", Some("1"), None),
        ] {
            let cells = [value.map(str::as_bytes)];
            let found = partitions(&format!("PARTITION BY {by}")).place(&table(ty), &cells);
            assert_eq!(found, place, "{by}: {value:?} in {ty}");
        }
    }

    #[test]
    fn partitions_follow_their_statements() {
        let mut all = partitions(
            "PARTITION BY RANGE (k) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20))",
        );
        let tokens = |text| Tokens::new(text, None, crate::log::ServerVersion::default(), false).unwrap();
        let place = |all: &Partitions, k: &str| all.place(&table("int"), &[Some(k.as_bytes())]);
        all.add(&mut tokens("(PARTITION c VALUES LESS THAN (30) ENGINE = InnoDB)"));
        assert_eq!((place(&all, "25"), place(&all, "30")), (Some(2), None));
        all.reorganize(&mut tokens(
            "a, b INTO (PARTITION x VALUES LESS THAN (5), PARTITION y VALUES LESS THAN (20))",
        ));
        assert_eq!((place(&all, "5"), place(&all, "25")), (Some(1), Some(2)));
        let emptied = all.emptied(&["Y".to_owned()]).unwrap();
        assert_eq!(emptied.held(&table("int"), &[Some(b"7")]), Some(true));
        assert!(all.emptied(&["nope".to_owned()]).is_none());
        all.remove(&["x".to_owned()]);
        assert_eq!(place(&all, "1"), Some(0), "what is less than the first goes to the one after it");
    }
}
