//! Partitions of a table: in which of them a row lies, for statements that empty some of them
//! (manual: [Partitioning Types](https://dev.mysql.com/doc/refman/9.7/en/partitioning-types.html)).
//!
//! Only rules are followed of which the position of a row is known; of others it is not known what
//! a statement removed.

mod dates;
mod expression;
mod hash;
mod hasher;
mod position;
mod read;
#[cfg(test)]
mod recorded;
mod stored;
#[cfg(test)]
mod tests;

use super::token::Tokens;
use dbtrail_types::column::{TableDefinition, same_name};
use expression::PartitionExpression;
use hasher::Hasher;
use read::{definition, definitions};
pub(super) use read::{names, read};
use serde::{Deserialize, Serialize};

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
    Computed(Shape, PartitionExpression),
    /// By the values of several columns (RANGE COLUMNS, LIST COLUMNS).
    Columns(Shape, Vec<String>),
    #[serde(rename = "Uncertain")]
    Unknown,
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
    #[serde(rename = "Uncertain")]
    Unknown,
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
        self.rule = PartitionMethod::Unknown;
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
}
