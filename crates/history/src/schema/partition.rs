//! Partitions of a table: in which of them a row lies, for statements that empty some of them
//! (manual: [Partitioning Types](https://dev.mysql.com/doc/refman/9.7/en/partitioning-types.html)).
//!
//! Only rules are followed of which the position of a row is known; of others it is not known what
//! a statement removed.

#![expect(clippy::wildcard_enum_match_arm, reason = "bounds that are not named do not fit the rule")]

mod dates;
mod formula;
mod hash;
mod hasher;
mod read;
#[cfg(test)]
mod recorded;
mod stored;
#[cfg(test)]
mod tests;

use super::token::Tokens;
use crate::key;
use dates::{days, seconds};
use dbtrail_types::column::{Column, ColumnType, TableDefinition, same_name};
use formula::Formula;
use hasher::Hasher;
use read::{definition, definitions};
pub(super) use read::{names, read};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How the rows of a table are divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Partitions {
    rule: PartitionMethod,
    list: Vec<Partition>,
}

/// By what a table is partitioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum PartitionMethod {
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
        #[serde(default)]
        hasher: Hasher,
    },
    /// By an expression of several columns or with numbers.
    Computed(Shape, Formula),
    /// By the values of several columns (RANGE COLUMNS, LIST COLUMNS).
    Columns(Shape, Vec<String>),
    Uncertain,
}

/// How values are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Shape {
    Range,
    List,
    Hash,
    LinearHash,
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
    /// Values of several columns less than these; `None`: MAXVALUE.
    Below(Vec<Option<Limit>>),
    /// These values of several columns; `None`: NULL.
    Among(Vec<Vec<Option<Limit>>>),
    /// What no other one takes.
    Default,
    /// A position in a HASH.
    Slot,
    Uncertain,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Limit {
    Integer(i128),
    Text(String),
}

/// A value that decides the partition of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PartitionValue {
    Null,
    Integer(i128),
    Bytes(Vec<u8>),
}

/// Partitions that a statement has emptied, among those that there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emptied {
    partitions: Partitions,
    positions: Vec<usize>,
}

impl PartitionMethod {
    /// Whether its partitions are so many positions, without bounds.
    fn is_hash(&self) -> bool {
        let computed = [Shape::Hash, Shape::LinearHash];
        matches!(self, Self::Hash(_) | Self::LinearHash(_) | Self::Key { .. })
            || matches!(self, Self::Computed(shape, _) if computed.contains(shape))
    }
}

impl Emptied {
    /// Whether a row lay in one of them; `None`: that is not known. `cells`: of the columns of the
    /// definition.
    #[must_use]
    pub fn keeps(&self, definition: &TableDefinition, cells: &[Option<&[u8]>]) -> Option<bool> {
        let position = self.partitions.partition_of(definition, cells)?;
        Some(self.positions.contains(&position))
    }
}

impl Partitions {
    /// Which partitions a statement names empty; `None`: a name is not known.
    pub(super) fn emptied(&self, names: &[String]) -> Option<Emptied> {
        let all =
            names.iter().any(|n| same_name(n, "ALL")) && self.list.iter().all(|p| !same_name(&p.name, "ALL"));
        let positions = if all {
            (0..self.list.len()).collect()
        } else {
            let position = |name: &String| self.list.iter().position(|p| same_name(&p.name, name));
            names.iter().map(position).collect::<Option<Vec<usize>>>()?
        };
        Some(Emptied { partitions: self.clone(), positions })
    }

    pub(super) fn remove(&mut self, names: &[String]) {
        self.list.retain(|p| !names.iter().any(|n| same_name(n, &p.name)));
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.rule = PartitionMethod::Uncertain;
    }

    /// ADD PARTITION (...), or PARTITIONS n.
    pub(super) fn add(&mut self, tokens: &mut Tokens) {
        if tokens.is_at('(') {
            match tokens.group().and_then(|g| definitions(&g, &self.rule)) {
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

    /// So many more positions of a HASH, called as servers call them.
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
        let position = names.first().and_then(|n| self.list.iter().position(|p| same_name(&p.name, n)));
        let new =
            tokens.words(&["INTO"]).then(|| tokens.group().and_then(|g| definitions(&g, &self.rule)).ok());
        match (position, new.flatten()) {
            (Some(position), Some(new)) => {
                self.remove(&names);
                let position = position.min(self.list.len());
                self.list.splice(position..position, new);
            }
            _ => self.forget(),
        }
    }

    /// The number of the partition in which a row lies.
    fn partition_of(&self, definition: &TableDefinition, cells: &[Option<&[u8]>]) -> Option<usize> {
        let (shape, by) = match &self.rule {
            PartitionMethod::Range(by) => (Shape::Range, by),
            PartitionMethod::List(by) => (Shape::List, by),
            PartitionMethod::Hash(by) => (Shape::Hash, by),
            PartitionMethod::LinearHash(by) => (Shape::LinearHash, by),
            PartitionMethod::Key { columns, linear, hasher } => {
                let columns = if columns.is_empty() { &definition.primary_key } else { columns };
                return self.slot(hash::of_key(columns, definition, cells, *hasher)?, *linear);
            }
            PartitionMethod::Computed(shape, formula) => {
                let value =
                    formula.of(definition, cells)?.map_or(PartitionValue::Null, PartitionValue::Integer);
                let limit = |limit: &Limit| match limit {
                    Limit::Integer(n) => Some(PartitionValue::Integer(*n)),
                    Limit::Text(_) => None,
                };
                return self.position_of(*shape, &value, &limit);
            }
            PartitionMethod::Columns(shape, names) => {
                return self.place_of_columns(*shape, names, definition, cells);
            }
            PartitionMethod::Uncertain => return None,
        };
        let at = definition.position(&by.column)?;
        let column = definition.columns.get(at)?;
        let value = by.placing(column, *cells.get(at)?)?;
        let limit = |limit: &Limit| match (limit, by.through) {
            (Limit::Integer(n), through) if through != Through::Value => Some(PartitionValue::Integer(*n)),
            (limit, Through::Value) => limit.in_column(column),
            (Limit::Text(_) | Limit::Integer(_), _) => None,
        };
        self.position_of(shape, &value, &limit)
    }

    /// The number of the partition of a value.
    fn position_of(
        &self,
        shape: Shape,
        value: &PartitionValue,
        limit: &dyn Fn(&Limit) -> Option<PartitionValue>,
    ) -> Option<usize> {
        match shape {
            Shape::Range => {
                for (at, partition) in self.list.iter().enumerate() {
                    match &partition.bound {
                        Bound::Less(None) => return Some(at),
                        // NULL is less than all values.
                        Bound::Less(Some(bound)) => {
                            if *value < limit(bound)? {
                                return Some(at);
                            }
                        }
                        _ => return None,
                    }
                }
                None
            }
            Shape::List => {
                let mut default = None;
                for (at, partition) in self.list.iter().enumerate() {
                    match &partition.bound {
                        Bound::In(values) => {
                            for one in values {
                                let one = one.as_ref().map_or(Some(PartitionValue::Null), limit)?;
                                if one == *value {
                                    return Some(at);
                                }
                            }
                        }
                        Bound::Default => default = Some(at),
                        _ => return None,
                    }
                }
                default
            }
            Shape::Hash | Shape::LinearHash => {
                let number = match value {
                    // Servers take it for the least number.
                    PartitionValue::Null => i128::from(i64::MIN),
                    PartitionValue::Integer(n) => *n,
                    PartitionValue::Bytes(_) => return None,
                };
                if shape == Shape::LinearHash {
                    return self.slot(u64::try_from(number.rem_euclid(1 << 64)).ok()?, true);
                }
                let count = i128::try_from(self.list.len()).ok().filter(|n| *n > 0)?;
                usize::try_from((number % count).abs()).ok()
            }
        }
    }

    /// The number of the partition of the values of several columns, which compare one after the
    /// other.
    fn place_of_columns(
        &self,
        shape: Shape,
        names: &[String],
        definition: &TableDefinition,
        cells: &[Option<&[u8]>],
    ) -> Option<usize> {
        let mut values = Vec::new();
        for name in names {
            let at = definition.position(name)?;
            let column = definition.columns.get(at)?;
            let value = match *cells.get(at)? {
                Some(cell) => bytes(column, std::str::from_utf8(cell).ok()?)?,
                None => PartitionValue::Null,
            };
            values.push((column, value));
        }
        let mut default = None;
        for (at, partition) in self.list.iter().enumerate() {
            let holds = match (&partition.bound, shape) {
                (Bound::Below(bounds), Shape::Range) => is_below(&values, bounds)?,
                (Bound::Among(all), Shape::List) => {
                    let mut found = false;
                    for one in all {
                        found |= is_equal(&values, one)?;
                    }
                    found
                }
                (Bound::Default, Shape::List) => {
                    default = Some(at);
                    false
                }
                _ => return None,
            };
            if holds {
                return Some(at);
            }
        }
        default
    }

    /// The position of a hash. LINEAR: its last bits, one fewer where there is no such position.
    fn slot(&self, hash: u64, linear: bool) -> Option<usize> {
        let count = u64::try_from(self.list.len()).ok().filter(|n| *n > 0)?;
        if !linear {
            return usize::try_from(hash % count).ok();
        }
        let bits = count.next_power_of_two();
        let position = hash & (bits - 1);
        usize::try_from(if position >= count { hash & ((bits >> 1) - 1) } else { position }).ok()
    }
}

/// Whether values of columns are less than these bounds.
fn is_below(values: &[(&Column, PartitionValue)], bounds: &[Option<Limit>]) -> Option<bool> {
    if values.len() != bounds.len() {
        return None;
    }
    for ((column, value), bound) in values.iter().zip(bounds) {
        let Some(bound) = bound else { return Some(true) };
        match value.cmp(&bound.in_column(column)?) {
            Ordering::Less => return Some(true),
            Ordering::Greater => return Some(false),
            Ordering::Equal => {}
        }
    }
    Some(false)
}

fn is_equal(values: &[(&Column, PartitionValue)], others: &[Option<Limit>]) -> Option<bool> {
    if values.len() != others.len() {
        return None;
    }
    let mut equal = true;
    for ((column, value), other) in values.iter().zip(others) {
        let other = other.as_ref().map_or(Some(PartitionValue::Null), |other| other.in_column(column))?;
        equal &= *value == other;
    }
    Some(equal)
}

impl Limit {
    /// As it compares with values of a column.
    fn in_column(&self, column: &Column) -> Option<PartitionValue> {
        match self {
            Self::Integer(n) => bytes(column, &n.to_string()),
            Self::Text(text) => bytes(column, text),
        }
    }
}

/// A value as it compares in a column.
fn bytes(column: &Column, text: &str) -> Option<PartitionValue> {
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
    Some(PartitionValue::Bytes(out))
}

impl By {
    fn placing(&self, column: &Column, cell: Option<&[u8]>) -> Option<PartitionValue> {
        let Some(cell) = cell else { return Some(PartitionValue::Null) };
        let text = std::str::from_utf8(cell).ok()?;
        let dated = matches!(column.ty, ColumnType::Date | ColumnType::DateTime { .. });
        match self.through {
            Through::Value => bytes(column, text),
            Through::Integer if matches!(column.ty, ColumnType::Int { .. } | ColumnType::Year) => {
                text.parse().ok().map(PartitionValue::Integer)
            }
            Through::ToDays if dated => days(text).map(PartitionValue::Integer),
            Through::Year if dated => {
                days(text)?;
                text.get(..4)?.parse().ok().map(PartitionValue::Integer)
            }
            Through::UnixTimestamp if matches!(column.ty, ColumnType::Timestamp { fsp: 0 }) => {
                seconds(text).map(PartitionValue::Integer)
            }
            Through::Integer | Through::ToDays | Through::Year | Through::UnixTimestamp => None,
        }
    }
}
