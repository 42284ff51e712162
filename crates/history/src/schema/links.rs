//! Which tables change with another one: through its triggers, and through foreign keys that refer
//! to it.
//!
//! Needed where a statement was logged as text: no row event then tells what triggers and cascades
//! changed. Known for tables that were made in the record, whose triggers and keys are in the log;
//! of all others nothing is known.

use super::effect::{Effect, EffectReason};
use super::reach::{self, Reach};
use crate::log::LoggedStatement;
use dbtrail_types::names::TableName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What follows the declaration of a table that a server has said to have no triggers: `SHOW CREATE
/// TABLE` does not say it.
pub(crate) const NO_TRIGGERS: &str = " /* no triggers */";

/// What is known of ties between tables.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Links {
    /// Base tables, no views, whose foreign keys are all known.
    sure: BTreeSet<TableName>,
    /// Those of them that may have triggers of which the record does not know.
    hidden: BTreeSet<TableName>,
    /// Triggers by name, each with its table.
    #[serde(with = "pairs")]
    triggers: BTreeMap<TableName, TableName>,
    /// Tables that are referred to (see [`folded`]), and those whose foreign keys do.
    #[serde(with = "pairs")]
    children: BTreeMap<TableName, BTreeSet<TableName>>,
}

/// Maps whose keys are no text, as JSON.
mod pairs {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K: Ord + DeserializeOwned, V: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Vec::<(K, V)>::deserialize(from).map(|list| list.into_iter().collect())
    }
}

/// A name by which tables are found whatever the case in which a statement writes it:
/// `lower_case_table_names` may make all of them one.
fn folded(name: &TableName) -> TableName {
    TableName { schema: name.schema.to_lowercase(), table: name.table.to_lowercase() }
}

impl Links {
    /// Takes in a table as the server declares it. Whether it has triggers is after the declaration
    /// ([`NO_TRIGGERS`]).
    pub(super) fn declared(&mut self, name: &TableName, create: &LoggedStatement) {
        for children in self.children.values_mut() {
            children.remove(name);
        }
        for parent in reach::links(create).parents {
            self.children.entry(folded(&parent)).or_default().insert(name.clone());
        }
        self.sure.insert(name.clone());
        if create.sql.ends_with(NO_TRIGGERS) {
            self.hidden.remove(name);
        } else {
            self.hidden.insert(name.clone());
        }
    }

    /// Takes in what a statement did.
    pub(super) fn note(&mut self, statement: &LoggedStatement, effects: &[Effect]) {
        let reported = reach::links(statement);
        for effect in effects {
            match effect {
                Effect::Created(name, _) => {
                    self.forget(name);
                    self.sure.insert(name.clone());
                }
                Effect::Dropped(name) => self.forget(name),
                Effect::Renamed { from, to, .. } => self.rename(from, to),
                Effect::Unreadable(name, _) => self.unreadable(name, statement, &reported),
                Effect::SchemaDropped(schema) => self.forget_all(|name| name.schema == *schema),
                Effect::UnreadableAll { schemas, .. } => {
                    if reported.reach.rows.is_none() {
                        self.sure.retain(|n| !schemas.is_empty() && !schemas.contains(&n.schema));
                    }
                }
                Effect::Altered(..)
                | Effect::Truncated(_)
                | Effect::RowsUnknown(..)
                | Effect::RowsMoved(_)
                | Effect::PartitionsEmptied(..) => {}
            }
        }
        if let Some(child) = &reported.child {
            for parent in &reported.parents {
                self.children.entry(folded(parent)).or_default().insert(child.clone());
            }
        }
        match reported.trigger {
            reach::Trigger::None => {}
            reach::Trigger::Made(name, table) => drop(self.triggers.insert(name, table)),
            reach::Trigger::Dropped(name) => drop(self.triggers.remove(&name)),
            // On any table that is there.
            reach::Trigger::Unread => self.hidden.extend(self.sure.iter().cloned()),
        }
    }

    fn unreadable(
        &mut self,
        name: &TableName,
        statement: &LoggedStatement,
        reported: &reach::StatementLinks,
    ) {
        let succeeded = statement.decoded && statement.error == 0;
        if reported.creates && succeeded {
            self.forget(name);
            self.sure.insert(name.clone());
        } else if reported.reach.rows.is_none()
            && !(reported.alters && succeeded && reported.reach.tables.len() == 1)
        {
            self.sure.remove(name);
        }
    }

    fn forget(&mut self, table: &TableName) {
        self.forget_all(|name| name == table);
    }

    fn forget_all(&mut self, gone: impl Fn(&TableName) -> bool) {
        self.sure.retain(|name| !gone(name));
        self.hidden.retain(|name| !gone(name));
        self.triggers.retain(|_, table| !gone(table));
        for children in self.children.values_mut() {
            children.retain(|child| !gone(child));
        }
        self.children.retain(|_, children| !children.is_empty());
    }

    fn rename(&mut self, from: &TableName, to: &TableName) {
        if self.sure.remove(from) {
            self.sure.insert(to.clone());
        } else {
            self.sure.remove(to);
        }
        if self.hidden.remove(from) {
            self.hidden.insert(to.clone());
        } else {
            self.hidden.remove(to);
        }
        for table in self.triggers.values_mut().filter(|table| *table == from) {
            table.clone_from(to);
        }
        for children in self.children.values_mut() {
            if children.remove(from) {
                children.insert(to.clone());
            }
        }
        // Foreign keys follow the table that they refer to; where the checks are off they go on to
        // refer to the name.
        if let Some(children) = self.children.get(&folded(from)).cloned() {
            self.children.entry(folded(to)).or_default().extend(children);
        }
    }

    /// The tables whose rows can have changed with those of `targets`, by a statement that reads
    /// `reads`; `None`: that is not known.
    pub(super) fn changed_with(
        &self,
        targets: &[TableName],
        reads: &[TableName],
    ) -> Option<BTreeSet<TableName>> {
        // A view can stand for any table, and call functions that change any.
        if !reads.iter().all(|name| self.sure.contains(name)) {
            return None;
        }
        let mut changed = BTreeSet::new();
        let mut waiting: Vec<&TableName> = targets.iter().collect();
        while let Some(name) = waiting.pop() {
            let same = folded(name);
            if !self.sure.contains(name)
                || self.hidden.contains(name)
                || self.triggers.values().any(|table| folded(table) == same)
            {
                return None;
            }
            if changed.insert(name.clone()) {
                waiting.extend(self.children.get(&same).into_iter().flatten());
            }
        }
        Some(changed)
    }

    /// Tables of which it is known to what they refer.
    pub(super) fn sure(&self) -> impl Iterator<Item = &TableName> {
        self.sure.iter()
    }
}

/// What a statement did that is not known otherwise: the tables that it can have changed are
/// unreadable from here on.
pub(super) fn in_doubt(
    links: &Links,
    reach: &Reach,
    bound: Option<&[String]>,
    reason: &EffectReason,
) -> Vec<Effect> {
    let all = |spared: Vec<TableName>| Effect::UnreadableAll {
        schemas: bound.unwrap_or_default().to_vec(),
        spared,
        reason: reason.clone(),
    };
    if reach.unknown {
        return vec![all(Vec::new())];
    }
    let unreadable = |name: &TableName| Effect::Unreadable(name.clone(), reason.clone());
    let mut effects: Vec<Effect> = reach.tables.iter().map(unreadable).collect();
    if !reach.schemas.is_empty() {
        effects.push(Effect::UnreadableAll {
            schemas: reach.schemas.clone(),
            spared: Vec::new(),
            reason: reason.clone(),
        });
    }
    if let Some(rows) = &reach.rows {
        let changed = if rows.calls { None } else { links.changed_with(&rows.targets, &rows.reads) };
        match changed {
            None => effects.push(all(Vec::new())),
            Some(changed) => {
                effects.extend(changed.iter().map(unreadable));
                // Keys of tables that the record does not know may refer to these.
                effects.push(all(links.sure().filter(|name| !changed.contains(*name)).cloned().collect()));
            }
        }
    }
    effects
}

#[cfg(test)]
mod tests;
