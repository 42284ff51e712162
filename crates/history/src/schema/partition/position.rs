//! In which partition a row lies, or that it is not known.

#![expect(clippy::wildcard_enum_match_arm, reason = "bounds that are not named do not fit the rule")]

use super::dates::{days, seconds};
use super::{Bound, By, Limit, PartitionMethod, PartitionValue, Partitions, Shape, Through, hash};
use crate::key;
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use std::cmp::Ordering;

impl Partitions {
    /// The number of the partition in which a row lies.
    pub(super) fn partition_of(
        &self,
        definition: &TableDefinition,
        cells: &[Option<&[u8]>],
    ) -> Option<usize> {
        let (shape, by) = match &self.rule {
            PartitionMethod::Range(by) => (Shape::Range, by),
            PartitionMethod::List(by) => (Shape::List, by),
            PartitionMethod::Hash(by) => (Shape::Hash, by),
            PartitionMethod::LinearHash(by) => (Shape::LinearHash, by),
            PartitionMethod::Key { columns, linear, hasher } => {
                let columns = if columns.is_empty() { &definition.primary_key } else { columns };
                return self.slot(hash::of_key(columns, definition, cells, *hasher)?, *linear);
            }
            PartitionMethod::Computed(shape, expression) => {
                let value =
                    expression.of(definition, cells)?.map_or(PartitionValue::Null, PartitionValue::Integer);
                let limit = |limit: &Limit| match limit {
                    Limit::Integer(n) => Some(PartitionValue::Integer(*n)),
                    Limit::Text(_) => None,
                };
                return self.position_of(*shape, &value, &limit);
            }
            PartitionMethod::Columns(shape, names) => {
                return self.position_of_columns(*shape, names, definition, cells);
            }
            PartitionMethod::Unknown => return None,
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
    fn position_of_columns(
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
