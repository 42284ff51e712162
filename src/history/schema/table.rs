//! A table as its DDL declares it: more than clients see, enough to follow the next ALTER.

use crate::column::{Column, ColumnKey, ColumnType, TableDefinition, same_name};
use std::collections::HashSet;

/// No server allows more (manual: "Limits on Table Column Count and Row Size").
const MOST_COLUMNS: usize = 4096;

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
    /// Whether the collation follows from what was written, or was told by a table map; else it is one that a table map must tell.
    pub(super) collation_certain: bool,
    /// Whether NULL is allowed follows from what was written; a bare TIMESTAMP depends on a setting of the session.
    pub(super) null_certain: bool,
    pub(super) filled: Filled,
    /// The expression, and VIRTUAL or STORED, of a generated column.
    pub(super) generated: Option<String>,
}

impl FullColumn {
    /// Whether its values are text in a character set.
    pub(super) fn is_text(&self) -> bool {
        matches!(
            self.column.ty,
            ColumnType::Char { .. }
                | ColumnType::VarChar { .. }
                | ColumnType::Text { .. }
                | ColumnType::Enum { .. }
                | ColumnType::Set { .. }
        )
    }
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
    /// The default collation of new text columns; `None`: not known.
    pub(super) collation: Option<String>,
    pub(super) collation_certain: bool,
    /// Known from a table map alone: which columns are generated is not known then.
    pub(super) learnt: bool,
}

impl Full {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| same_name(&c.column.name, name))
    }

    /// Whether there can be such a table.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.columns.len() > MOST_COLUMNS {
            return Err(format!("it has more than {MOST_COLUMNS} columns"));
        }
        let mut names = HashSet::new();
        match self.columns.iter().find(|c| !names.insert(c.column.name.to_lowercase())) {
            Some(twice) => Err(format!("there would be two columns {}", twice.column.name)),
            None => Ok(()),
        }
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
                if column.nullable {
                    column.nullable = false;
                    // The default was the NULL that it no longer takes.
                    if full.filled == Filled::With(None) {
                        column.has_default = column.auto_increment;
                        full.filled = Filled::Unknown(format!("{} is part of the primary key", column.name));
                    }
                }
                full.null_certain = true;
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
