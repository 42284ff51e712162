//! Foreign keys: which rows of other tables a change of a row changes (manual: [FOREIGN KEY
//! Constraints](https://dev.mysql.com/doc/refman/9.7/en/create-table-foreign-keys.html)).
//!
//! Kept beside the definitions, since a foreign key changes with statements on either of its two
//! tables. Knows no rows.

use super::token::{Tokens, Unread, show};
use crate::log::ServerVersion;
use dbtrail_types::column::same_name;
use dbtrail_types::names::TableName;
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
            let mut whole = true;
            for name in names.iter_mut() {
                match renamed.get(&name.to_lowercase()) {
                    Some(Some(now)) => name.clone_from(now),
                    Some(None) => whole = false,
                    None => {}
                }
            }
            whole
        };
        for key in self.of.values_mut().flatten().filter(|k| k.parent == *table) {
            new(&mut key.referenced);
        }
        if let Some(keys) = self.of.get_mut(table) {
            keys.retain_mut(|key| new(&mut key.columns));
        }
    }

    /// In what these differ from what the server declares; `None`: in nothing that changes rows.
    pub(super) fn difference(&self, child: &TableName, declared: &[ForeignKey]) -> Option<String> {
        let known = || self.of(child).iter().filter(|k| k.changes_rows());
        let theirs = || declared.iter().filter(|k| k.changes_rows());
        let lacks = theirs().find(|t| !known().any(|k| k.means_the_same(t)));
        let surplus = known().find(|k| !theirs().any(|t| t.means_the_same(k)));
        let of = |k: &ForeignKey| format!("its foreign key ({}) to {}", k.columns.join(", "), k.parent);
        match (lacks, surplus) {
            (Some(key), _) => Some(format!("{} is not the one that the log has", of(key))),
            (None, Some(key)) => Some(format!("{} is in the log, and not on the server", of(key))),
            (None, None) => None,
        }
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

/// `REFERENCES t (c) ON DELETE CASCADE`, after REFERENCES. A parent without a schema is one in the
/// child's, which is not known here: it is left empty.
pub(super) fn references(tokens: &mut Tokens, columns: Vec<String>) -> Result<ForeignKey, Unread> {
    let parent = tokens.table(Some(""))?;
    let referenced = if tokens.is_at('(') { super::key_parts::key_parts(tokens)?.0 } else { Vec::new() };
    let mut key = ForeignKey {
        number: 0,
        names: Vec::new(),
        columns,
        parent,
        referenced,
        on_delete: Action::Restrict,
        on_update: Action::Restrict,
    };
    while tokens.one_of(&["MATCH", "ON"]).is_some() {
        match tokens.one_of(&["DELETE", "UPDATE"]) {
            Some("DELETE") => key.on_delete = action(tokens)?,
            Some(_) => key.on_update = action(tokens)?,
            None => drop(tokens.next()),
        }
    }
    Ok(key)
}

fn action(tokens: &mut Tokens) -> Result<Action, Unread> {
    if tokens.words(&["CASCADE"]) {
        Ok(Action::Cascade)
    } else if tokens.words(&["SET", "NULL"]) {
        Ok(Action::SetNull)
    } else if tokens.words(&["SET", "DEFAULT"]) {
        Ok(Action::SetDefault)
    } else if tokens.words(&["NO", "ACTION"]) || tokens.words(&["RESTRICT"]) {
        Ok(Action::Restrict)
    } else {
        Err(format!("{} is not a foreign key action that is known", show(tokens.peek())))
    }
}

/// Whether `c INT REFERENCES p (id)` makes a foreign key: since MariaDB 10.5 and MySQL 9.0; before,
/// it was read and ignored.
pub(super) fn inline_counts(server: ServerVersion) -> bool {
    !server.mariadb_before((10, 5)) && !server.mysql_before((9, 0))
}

/// Whether an engine keeps foreign keys; one that was not named is the server's default, which is
/// taken for InnoDB.
pub(super) fn keeps_keys(engine: Option<&str>) -> bool {
    engine.is_none_or(|e| ["innodb", "ndb", "ndbcluster"].contains(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str) -> TableName {
        TableName { schema: "s".into(), table: table.into() }
    }

    fn key(text: &str) -> ForeignKey {
        let mut tokens = Tokens::new(text, None, crate::log::ServerVersion::default(), false).unwrap();
        let mut key = references(&mut tokens, vec!["a".into()]).unwrap();
        if key.parent.schema.is_empty() {
            key.parent.schema = "s".into();
        }
        key
    }

    #[test]
    fn what_a_declaration_says_is_read() {
        let read = key("p (id) MATCH SIMPLE ON UPDATE SET NULL ON DELETE CASCADE");
        assert_eq!((read.on_delete, read.on_update), (Action::Cascade, Action::SetNull));
        assert_eq!((&read.parent, read.referenced.as_slice()), (&name("p"), &["id".to_owned()][..]));
        let read = key("o.p ON DELETE NO ACTION");
        assert_eq!(
            (read.parent.schema.as_str(), read.referenced.len(), read.changes_rows()),
            ("o", 0, false)
        );
    }

    #[test]
    fn keys_follow_their_tables_and_columns() {
        let mut keys = ForeignKeys::default();
        keys.set(&name("c"), vec![key("p (id) ON DELETE CASCADE"), key("p (u) ON DELETE SET NULL")]);
        keys.set(&name("g"), vec![key("c (id) ON UPDATE CASCADE")]);
        assert_eq!(keys.of(&name("c"))[1].names, ["c_ibfk_2"]);
        assert_eq!(keys.below(&name("p")), BTreeSet::from([name("c"), name("g")]));
        keys.rename(&name("p"), &name("q"));
        keys.rename(&name("c"), &name("d"));
        let renamed = BTreeMap::from([("id".to_owned(), Some("ident".to_owned()))]);
        keys.rename_columns(&name("q"), &renamed);
        let parent = name("q");
        let to: Vec<_> =
            keys.to(&parent).map(|(child, k)| (child.table.as_str(), k.referenced[0].as_str())).collect();
        assert_eq!(to, [("d", "ident"), ("d", "u")]);
        assert!(!keys.drop(&name("d"), "c_ibfk_1"), "InnoDB has renamed it");
        assert!(keys.drop(&name("d"), "D_ibfk_1") && keys.of(&name("d")).len() == 1);
        keys.add(&name("d"), vec![key("p (x) ON DELETE CASCADE")]);
        assert_eq!(keys.of(&name("d"))[1].names, ["d_ibfk_3"]);
        assert_eq!(keys.of(&name("g"))[0].parent, name("d"));
        keys.remove(&name("d"));
        assert!(keys.below(&name("q")).is_empty());
    }

    #[test]
    fn only_keys_that_change_rows_are_compared_with_the_server() {
        let mut keys = ForeignKeys::default();
        keys.set(&name("c"), vec![key("p (id) ON DELETE CASCADE"), key("p (u)")]);
        assert_eq!(keys.difference(&name("c"), &[key("p ON DELETE CASCADE")]), None);
        assert!(keys.difference(&name("c"), &[key("p (id) ON DELETE SET NULL")]).is_some());
        assert!(keys.difference(&name("c"), &[]).is_some_and(|d| d.contains("not on the server")));
    }
}
