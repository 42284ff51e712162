//! A table as its DDL declares it: more than clients see, enough to follow the next ALTER.

use super::foreign::ForeignKey;
use super::impossible_table::{ImpossibleTable, MOST_COLUMNS};
use super::partition::Partitions;
use dbtrail_types::column::{Column, ColumnKey, Indexes, TableDefinition, same_name};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What rows that were before get in an added column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum BackfilledValue {
    /// This cell.
    With(Option<Vec<u8>>),
    /// It is not known exactly: why.
    Unknown(String),
}

/// A column, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FullColumn {
    pub(super) column: Column,
    pub(super) visible: bool,
    /// Whether the collation follows from what was written, or was known by a table map; else it is
    /// one that a table map must tell.
    #[serde(rename = "collation_certain")]
    pub(super) collation_known: bool,
    /// Whether NULL is allowed follows from what was written; a bare TIMESTAMP depends on a setting
    /// of the session.
    #[serde(rename = "null_certain")]
    pub(super) nullability_known: bool,
    pub(super) filled: BackfilledValue,
    /// The expression, and VIRTUAL or STORED, of a generated column.
    pub(super) generated: Option<String>,
}

impl FullColumn {
    /// What clients see of it.
    fn public(&self) -> Column {
        Column { invisible: !self.visible, ..self.column.clone() }
    }

    /// Whether its values are text in a character set.
    pub(super) fn is_text(&self) -> bool {
        self.column.ty.has_charset()
    }
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) name: Option<String>,
    pub(super) unique: bool,
    pub(super) columns: Vec<String>,
    /// No part of it is the beginning of a column or an expression.
    #[serde(rename = "whole")]
    pub(super) full_columns: bool,
    /// A foreign key asked for it: there is none where another index serves.
    pub(super) implied: bool,
}

impl Index {
    /// A unique index of one column.
    pub(super) fn alone(column: &str) -> Self {
        Self {
            name: None,
            unique: true,
            columns: vec![column.to_owned()],
            full_columns: true,
            implied: false,
        }
    }
}

/// A table, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Full {
    pub(super) columns: Vec<FullColumn>,
    pub(super) primary_key: Vec<String>,
    pub(super) indexes: Vec<Index>,
    /// The default collation of new text columns; `None`: not known.
    pub(super) collation: Option<String>,
    #[serde(rename = "collation_certain")]
    pub(super) collation_known: bool,
    /// Known from a table map alone: which columns are generated is not known then.
    #[serde(rename = "learnt")]
    pub(super) inferred: bool,
    /// The engine, in lower case, where the log or the server names it.
    #[serde(default)]
    pub(super) engine: Option<String>,
    /// WITH SYSTEM VERSIONING (MariaDB), with the columns that the server adds by itself.
    #[serde(default)]
    pub(super) versioned: bool,
    /// How its rows are divided, where they are.
    #[serde(default)]
    pub(super) partitions: Option<Partitions>,
    /// Foreign keys that the statement under way declares: the catalog keeps them beside the
    /// definitions.
    #[serde(skip)]
    pub(super) foreign_keys: Vec<ForeignKey>,
    /// The n of the TEXT(n) and BLOB(n) that the statement under way declares.
    #[serde(skip)]
    pub(super) lengths: Vec<(String, u64)>,
}

impl Full {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| same_name(&c.column.name, name))
    }

    /// Whether there can be such a table.
    pub(super) fn check(&self) -> Result<(), ImpossibleTable> {
        if self.columns.len() > MOST_COLUMNS {
            return Err(ImpossibleTable::TooManyColumns);
        }
        let mut names = HashSet::new();
        match self.columns.iter().find(|c| !names.insert(c.column.name.to_lowercase())) {
            Some(twice) => Err(ImpossibleTable::ColumnTwice(twice.column.name.clone())),
            None => Ok(()),
        }
    }

    /// Sets what follows from the indexes: NOT NULL of key columns, and what SHOW COLUMNS calls
    /// their key.
    pub(super) fn settle(&mut self) {
        let key: HashSet<String> = self.primary_key.iter().map(|n| n.to_lowercase()).collect();
        for full in &mut self.columns {
            let column = &mut full.column;
            if key.contains(&column.name.to_lowercase()) {
                if column.nullable {
                    column.nullable = false;
                    // The default was the NULL that it no longer takes.
                    if full.filled == BackfilledValue::With(None) {
                        column.has_default = column.auto_increment;
                        full.filled =
                            BackfilledValue::Unknown(format!("{} is part of the primary key", column.name));
                    }
                }
                full.nullability_known = true;
            }
        }
        self.sort_indexes();
        let promoted = self.promoted();
        let real: Vec<bool> = (0..self.indexes.len()).map(|i| self.is_real(i)).collect();
        for full in &mut self.columns {
            let column = &mut full.column;
            let is = |name: &String| same_name(name, &column.name);
            let mut indexes = Indexes::default();
            let others = self.indexes.iter().enumerate().filter(|(i, _)| real[*i]);
            for (i, index) in others {
                indexes.part |= index.columns.iter().any(is);
                if promoted == Some(i) || !index.columns.first().is_some_and(is) {
                    continue;
                }
                let alone = index.unique && index.columns.len() == 1;
                indexes.unique |= alone;
                indexes.multiple |= !alone;
            }
            let replaces =
                promoted.and_then(|i| self.indexes.get(i)).is_some_and(|i| i.columns.iter().any(is));
            column.key = if replaces || key.contains(&column.name.to_lowercase()) {
                ColumnKey::Primary
            } else if indexes.unique {
                ColumnKey::Unique
            } else if indexes.multiple {
                ColumnKey::Multiple
            } else {
                ColumnKey::None
            };
            column.indexes = indexes;
        }
        // Names of the key as the columns have them.
        let names: Vec<String> = self
            .primary_key
            .iter()
            .map(|n| self.position(n).map_or_else(|| n.clone(), |i| self.columns[i].column.name.clone()))
            .collect();
        self.primary_key = names;
    }

    /// The columns that tell rows apart: the primary key, or the unique index in its place.
    pub(super) fn key(&self) -> Vec<String> {
        let Some(index) = self.promoted().and_then(|i| self.indexes.get(i)) else {
            return self.primary_key.clone();
        };
        let columns = index.columns.iter().filter_map(|name| self.columns.get(self.position(name)?));
        columns.map(|c| c.column.name.clone()).collect()
    }

    /// Servers put unique indexes first, among these the ones that take no NULL, and the ones over
    /// whole columns; else each stays where it was.
    fn sort_indexes(&mut self) {
        let nullable = |name: &String| {
            let column = self.position(name).and_then(|i| self.columns.get(i));
            column.is_some_and(|c| c.column.nullable)
        };
        let mut indexes = self.indexes.clone();
        indexes
            .sort_by_cached_key(|i| (!i.unique, i.unique && i.columns.iter().any(nullable), !i.full_columns));
        self.indexes = indexes;
    }

    /// The unique index that servers call the primary key where there is none: the first over
    /// columns that are whole and NOT NULL.
    fn promoted(&self) -> Option<usize> {
        // MariaDB keeps a unique index over a whole TEXT or BLOB as one of hashes, which is not
        // taken.
        let not_null = |name: &String| {
            let column = self.position(name).and_then(|i| self.columns.get(i));
            column.is_some_and(|c| !c.column.nullable && !c.column.ty.is_lob())
        };
        let fits = |i: &Index| i.unique && i.full_columns && i.columns.iter().all(not_null);
        if self.primary_key.is_empty() { self.indexes.iter().position(fits) } else { None }
    }

    /// How many unique indexes MariaDB keeps as ones of hashes: those over a whole TEXT or BLOB.
    pub(super) fn hashed(&self) -> usize {
        let is_long = |name: &String| {
            let column = self.position(name).and_then(|i| self.columns.get(i));
            column.is_some_and(|c| c.column.ty.is_lob())
        };
        self.indexes.iter().filter(|i| i.unique && i.full_columns && i.columns.iter().any(is_long)).count()
    }

    /// Whether an index is there: one that a foreign key implies is not, where another begins with
    /// its columns.
    fn is_real(&self, at: usize) -> bool {
        let Some(index) = self.indexes.get(at).filter(|i| i.implied) else { return true };
        let begins = |columns: &[String]| {
            columns.len() >= index.columns.len()
                && columns.iter().zip(&index.columns).all(|(a, b)| same_name(a, b))
        };
        let others = self.indexes.iter().enumerate();
        !begins(&self.primary_key)
            && !others.filter(|(i, o)| *i != at && (!o.implied || *i < at)).any(|(_, o)| begins(&o.columns))
    }

    /// What clients see.
    pub(super) fn public(&self) -> TableDefinition {
        TableDefinition {
            columns: self.columns.iter().map(FullColumn::public).collect(),
            primary_key: self.key(),
        }
    }
}
