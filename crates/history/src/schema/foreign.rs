//! Foreign keys: which rows of other tables a change of a row changes (manual: [FOREIGN KEY
//! Constraints](https://dev.mysql.com/doc/refman/9.7/en/create-table-foreign-keys.html)).
//!
//! Kept beside the definitions, since a foreign key changes with statements on either of its two
//! tables. Knows no rows.

mod clause;
mod difference;

pub(super) use clause::{inline_counts, references};
use dbtrail_types::column::same_name;
use dbtrail_types::names::TableName;
pub use difference::ForeignKeyDifference;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the rows that refer to a row that goes or gets another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// The statement fails (RESTRICT, NO ACTION, nothing said).
    #[default]
    Restrict,
    /// They go or follow.
    Cascade,
    /// Their columns become NULL.
    SetNull,
    /// Their columns get their defaults: no engine is known that does it.
    SetDefault,
}

impl Action {
    /// Whether rows of the child change.
    #[must_use]
    pub const fn changes_rows(self) -> bool {
        !matches!(self, Self::Restrict)
    }
}

/// A foreign key of a table, the child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its number among all of the record; given when its table is made or altered.
    pub number: u32,
    /// The names by which it may be dropped, in the order of how likely they are.
    pub names: Vec<String>,
    /// The child's columns.
    pub columns: Vec<String>,
    /// The parent.
    pub parent: TableName,
    /// The parent's columns; empty: its primary key.
    pub referenced: Vec<String>,
    /// When a row of the parent goes.
    pub on_delete: Action,
    /// When its referenced columns change.
    pub on_update: Action,
}

impl ForeignKey {
    /// Whether it ever changes rows of the child.
    #[must_use]
    pub const fn changes_rows(&self) -> bool {
        self.on_delete.changes_rows() || self.on_update.changes_rows()
    }

    /// Whether two servers would do the same for both, whatever they are called.
    fn means_the_same(&self, other: &Self) -> bool {
        let same =
            |a: &[String], b: &[String]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_name(a, b));
        let referenced = self.referenced.is_empty()
            || other.referenced.is_empty()
            || same(&self.referenced, &other.referenced);
        same(&self.columns, &other.columns)
            && referenced
            && self.parent == other.parent
            && (self.on_delete, self.on_update) == (other.on_delete, other.on_update)
    }
}

/// All foreign keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ForeignKeys {
    of: BTreeMap<TableName, Vec<ForeignKey>>,
    next: u32,
}

/// A foreign key of some table, by the table's name: JSON has no maps with such keys.
type Listed = (TableName, Vec<ForeignKey>);

impl ForeignKeys {
    pub(super) fn listed(&self) -> (u32, Vec<Listed>) {
        (self.next, self.of.iter().map(|(name, keys)| (name.clone(), keys.clone())).collect())
    }

    pub(super) fn restored((next, of): (u32, Vec<Listed>)) -> Self {
        Self { of: of.into_iter().collect(), next }
    }

    /// Forgets all keys; no number is given twice in a record.
    pub(super) fn start_over(self) -> Self {
        Self { of: BTreeMap::new(), next: self.next }
    }

    /// The foreign keys of a child.
    pub(super) fn of(&self, child: &TableName) -> &[ForeignKey] {
        self.of.get(child).map_or(&[], Vec::as_slice)
    }

    /// The tables to which foreign keys refer that change rows; some more than once.
    pub(super) fn parents(&self) -> impl Iterator<Item = &TableName> {
        self.of.values().flatten().filter(|key| key.changes_rows()).map(|key| &key.parent)
    }

    /// The foreign keys that refer to a parent, with their children.
    pub(super) fn to<'a>(
        &'a self,
        parent: &'a TableName,
    ) -> impl Iterator<Item = (&'a TableName, &'a ForeignKey)> {
        let all = self.of.iter().flat_map(|(child, keys)| keys.iter().map(move |key| (child, key)));
        all.filter(move |(_, key)| key.parent == *parent)
    }

    /// The table is made or declared with these, whatever it had before.
    pub(super) fn set(&mut self, child: &TableName, keys: Vec<ForeignKey>) {
        self.of.remove(child);
        self.add(child, keys);
    }

    /// The table gets these, too. A key that has no name yet is called as InnoDB calls it.
    pub(super) fn add(&mut self, child: &TableName, keys: Vec<ForeignKey>) {
        if keys.is_empty() {
            return;
        }
        let list = self.of.entry(child.clone()).or_default();
        let stem = format!("{}_ibfk_", child.table).to_lowercase();
        for mut key in keys {
            if key.parent.schema.is_empty() {
                key.parent.schema.clone_from(&child.schema);
            }
            let numbers = list.iter().flat_map(|k| &k.names);
            let numbers = numbers.filter_map(|n| n.to_lowercase().strip_prefix(&stem)?.parse::<u64>().ok());
            let last = numbers.max().unwrap_or(0);
            key.names.push(format!("{}_ibfk_{}", child.table, last.saturating_add(1)));
            key.number = self.next;
            self.next = self.next.saturating_add(1);
            list.push(key);
        }
    }

    /// Takes a key of this name away; false: there is none.
    pub(super) fn drop(&mut self, child: &TableName, name: &str) -> bool {
        let Some(list) = self.of.get_mut(child) else { return false };
        let first = list.iter().position(|k| k.names.first().is_some_and(|n| same_name(n, name)));
        let any = || list.iter().position(|k| k.names.iter().any(|n| same_name(n, name)));
        match first.or_else(any) {
            Some(at) => {
                list.remove(at);
                true
            }
            None => false,
        }
    }

    /// The table is gone. Keys that refer to it stay: a table of its name that is made later is
    /// their parent again.
    pub(super) fn remove(&mut self, child: &TableName) {
        self.of.remove(child);
    }

    pub(super) fn remove_schema(&mut self, schema: &str) {
        self.of.retain(|child, _| child.schema != schema);
    }

    /// The table has another name, as a child and as a parent.
    pub(super) fn rename(&mut self, from: &TableName, to: &TableName) {
        for key in self.of.values_mut().flatten().filter(|k| k.parent == *from) {
            key.parent = to.clone();
        }
        let Some(mut keys) = self.of.remove(from) else { return };
        // InnoDB renames what it has named itself.
        let (old, new) = (format!("{}_ibfk_", from.table), format!("{}_ibfk_", to.table));
        for name in keys.iter_mut().flat_map(|k| &mut k.names) {
            if let Some(number) = name.strip_prefix(&old) {
                *name = format!("{new}{number}");
            }
        }
        self.of.insert(to.clone(), keys);
    }

    /// Columns of a table have other names, or are gone (`None`), as those of a child and of a
    /// parent.
    pub(super) fn rename_columns(&mut self, table: &TableName, renamed: &BTreeMap<String, Option<String>>) {
        let new = |names: &mut Vec<String>| {
            let mut visible = true;
            for name in names.iter_mut() {
                match renamed.get(&name.to_lowercase()) {
                    Some(Some(now)) => name.clone_from(now),
                    Some(None) => visible = false,
                    None => {}
                }
            }
            visible
        };
        for key in self.of.values_mut().flatten().filter(|k| k.parent == *table) {
            new(&mut key.referenced);
        }
        if let Some(keys) = self.of.get_mut(table) {
            keys.retain_mut(|key| new(&mut key.columns));
        }
    }

    /// In what these differ from what the server declares; `None`: in nothing that changes rows.
    pub(super) fn difference(
        &self,
        child: &TableName,
        declared: &[ForeignKey],
    ) -> Option<ForeignKeyDifference> {
        let known = || self.of(child).iter().filter(|k| k.changes_rows());
        let theirs = || declared.iter().filter(|k| k.changes_rows());
        let lacks = theirs().find(|t| !known().any(|k| k.means_the_same(t)));
        let surplus = known().find(|k| !theirs().any(|t| t.means_the_same(k)));
        let differs = |key: &ForeignKey, in_log| ForeignKeyDifference {
            columns: key.columns.clone(),
            parent: key.parent.clone(),
            in_log,
        };
        lacks.map(|key| differs(key, false)).or_else(|| surplus.map(|key| differs(key, true)))
    }

    /// The table and all tables whose rows may change when rows of it do, by foreign keys alone.
    pub(super) fn below(&self, table: &TableName) -> BTreeSet<TableName> {
        let mut found = BTreeSet::new();
        let mut next = vec![table.clone()];
        while let Some(parent) = next.pop() {
            for (child, _) in self.to(&parent).filter(|(_, key)| key.changes_rows()) {
                if found.insert(child.clone()) {
                    next.push(child.clone());
                }
            }
        }
        found
    }
}

/// Whether an engine keeps foreign keys; one that was not named is the server's default, which is
/// taken for InnoDB.
pub(super) fn keeps_keys(engine: Option<&str>) -> bool {
    engine.is_none_or(|e| ["innodb", "ndb", "ndbcluster"].contains(&e))
}

#[cfg(test)]
mod tests;
