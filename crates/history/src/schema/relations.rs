//! Which tables depend on which, by foreign keys and as MERGE tables.

use super::Catalog;
use super::foreign::ForeignKey;
use dbtrail_types::agent_api::Reference;
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;

impl Catalog {
    /// The foreign keys that refer to a table and change rows of others when rows of it change,
    /// with their tables.
    #[must_use]
    pub fn children(&self, parent: &TableName) -> Vec<(TableName, ForeignKey)> {
        let to = self.foreign.to(parent).filter(|(_, key)| key.changes_rows());
        to.map(|(child, key)| (child.clone(), key.clone())).collect()
    }

    /// The tables to which foreign keys refer that change rows, and whose own foreign keys are not
    /// known.
    pub fn unknown_parents(&self) -> impl Iterator<Item = &TableName> {
        self.foreign.parents().filter(|name| !self.is_declared(name))
    }

    /// The foreign keys of a table by which its own rows change.
    #[must_use]
    pub fn followed_keys(&self, child: &TableName) -> Vec<ForeignKey> {
        self.foreign.of(child).iter().filter(|k| k.changes_rows()).cloned().collect()
    }

    /// The tables whose rows a MERGE table shows: a change of a row of it is one of a row of
    /// theirs.
    #[must_use]
    pub fn united(&self, name: &TableName) -> &[TableName] {
        self.united.get(name).map_or(&[], Vec::as_slice)
    }

    /// All tables whose rows may change when rows of this one do, by foreign keys alone.
    #[must_use]
    pub fn below(&self, table: &TableName) -> BTreeSet<TableName> {
        self.foreign.below(table)
    }

    /// The foreign keys of a table, and those to it; `None`: the record does not tell them.
    #[must_use]
    pub fn references(&self, name: &TableName) -> Option<Vec<Reference>> {
        if !self.is_declared(name) {
            return None;
        }
        let own = self.foreign.of(name).iter().map(|key| (name, key));
        let to = self.foreign.to(name).filter(|(child, _)| *child != name);
        let reference = |(child, key): (&TableName, &ForeignKey)| {
            let parent = self.current(&key.parent).and_then(|id| self.definition(id));
            let referenced = if key.referenced.is_empty() {
                parent.map(|p| p.primary_key.clone()).unwrap_or_default()
            } else {
                key.referenced.clone()
            };
            Reference {
                child: child.clone(),
                columns: key.columns.clone(),
                parent: key.parent.clone(),
                referenced,
                changes_rows: key.changes_rows(),
            }
        };
        Some(own.chain(to).map(reference).collect())
    }
}
