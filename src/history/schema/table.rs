//! A table as its DDL declares it: more than clients see, enough to follow the next ALTER.

use crate::column::{Column, ColumnKey, TableDefinition, same_name};
use std::collections::HashSet;

/// What rows that stood before get in an added column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// This cell.
    With(Option<Vec<u8>>),
    /// It cannot be told exactly: why.
    Unknown(String),
}

/// A column, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FullColumn {
    pub(super) column: Column,
    pub(super) visible: bool,
    /// Whether the collation was written, or told by a table map; else it is the default that the server had.
    pub(super) collation_certain: bool,
    pub(super) filled: Filled,
    pub(super) generated: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: Option<String>,
    pub(super) unique: bool,
    pub(super) columns: Vec<String>,
}

/// A table, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) columns: Vec<FullColumn>,
    pub(super) primary_key: Vec<String>,
    pub(super) indexes: Vec<Index>,
    /// The default collation of new text columns.
    pub(super) collation: Option<String>,
    pub(super) collation_certain: bool,
}

impl Full {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| same_name(&c.column.name, name))
    }

    /// Sets what follows from the indexes: NOT NULL of key columns, and what SHOW COLUMNS calls their key.
    pub(super) fn settle(&mut self) {
        let key: HashSet<String> = self.primary_key.iter().map(|n| n.to_lowercase()).collect();
        for full in &mut self.columns {
            let column = &mut full.column;
            let first_of = |unique: bool| {
                self.indexes.iter().any(|i| {
                    i.unique == unique
                        && i.columns.first().is_some_and(|first| same_name(first, &column.name))
                })
            };
            let alone = self
                .indexes
                .iter()
                .any(|i| i.unique && i.columns.len() == 1 && same_name(&i.columns[0], &column.name));
            column.key = if key.contains(&column.name.to_lowercase()) {
                column.nullable = false;
                ColumnKey::Primary
            } else if alone {
                ColumnKey::Unique
            } else if first_of(true) || first_of(false) {
                ColumnKey::Multiple
            } else {
                ColumnKey::None
            };
        }
        // Names of the key as the columns have them.
        let names: Vec<String> = self
            .primary_key
            .iter()
            .map(|n| self.position(n).map_or_else(|| n.clone(), |i| self.columns[i].column.name.clone()))
            .collect();
        self.primary_key = names;
    }

    /// What clients see.
    pub(super) fn public(&self) -> TableDefinition {
        TableDefinition {
            columns: self.columns.iter().filter(|c| c.visible).map(|c| c.column.clone()).collect(),
            primary_key: self.primary_key.clone(),
        }
    }

    /// The positions of the visible columns among all.
    pub(super) fn positions(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|i| self.columns[*i].visible).collect()
    }
}
