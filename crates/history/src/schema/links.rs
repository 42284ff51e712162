//! Which tables change with another one: through its triggers, and through foreign keys that refer
//! to it.
//!
//! Needed where a statement was logged as text: no row event then tells what triggers and cascades
//! changed. Known for tables that were made in the record, whose triggers and keys are in the log;
//! of all others nothing is known.

use super::Effect;
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
        let whole = statement.decoded && statement.error == 0;
        if reported.creates && whole {
            self.forget(name);
            self.sure.insert(name.clone());
        } else if reported.reach.rows.is_none()
            && !(reported.alters && whole && reported.reach.tables.len() == 1)
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
pub(super) fn in_doubt(links: &Links, reach: &Reach, bound: Option<&[String]>, reason: &str) -> Vec<Effect> {
    let all = |spared: Vec<TableName>| Effect::UnreadableAll {
        schemas: bound.unwrap_or_default().to_vec(),
        spared,
        reason: reason.to_owned(),
    };
    if reach.unknown {
        return vec![all(Vec::new())];
    }
    let unreadable = |name: &TableName| Effect::Unreadable(name.clone(), reason.to_owned());
    let mut effects: Vec<Effect> = reach.tables.iter().map(unreadable).collect();
    if !reach.schemas.is_empty() {
        effects.push(Effect::UnreadableAll {
            schemas: reach.schemas.clone(),
            spared: Vec::new(),
            reason: reason.to_owned(),
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
mod tests {
    use super::super::Catalog;
    use super::*;
    use crate::log::ServerVersion;
    use dbtrail_types::timestamp::Timestamp;

    const SERVER: ServerVersion = ServerVersion { mariadb: true, number: (11, 8), patch: 9 };

    struct Log(Catalog);

    impl Log {
        fn of(statements: &[&str]) -> Self {
            let mut log = Self(Catalog::default());
            for sql in statements {
                log.run(sql);
            }
            log
        }

        fn run(&mut self, sql: &str) -> Vec<Effect> {
            let plain = LoggedStatement::plain(sql, SERVER, Timestamp::from_micros(0));
            self.0.apply(&LoggedStatement { schema: Some("s".to_owned()), sql_mode: Some(0), ..plain })
        }

        /// The tables that a statement puts in doubt, and those that it spares; `None`: it spares
        /// none.
        fn doubt(&mut self, sql: &str) -> Option<(Vec<String>, Vec<String>)> {
            let (mut doubt, mut spared) = (Vec::new(), None);
            for effect in self.run(sql) {
                match effect {
                    Effect::Unreadable(name, _) => doubt.push(name.table),
                    Effect::UnreadableAll { spared: kept, .. } => {
                        spared = Some(kept.into_iter().map(|name| name.table).collect::<Vec<_>>());
                    }
                    Effect::Created(..)
                    | Effect::Dropped(_)
                    | Effect::Truncated(_)
                    | Effect::Altered(..)
                    | Effect::RowsUnknown(..)
                    | Effect::PartitionsEmptied(..)
                    | Effect::RowsMoved(_)
                    | Effect::Renamed { .. }
                    | Effect::SchemaDropped(_) => {}
                }
            }
            spared.filter(|kept| !kept.is_empty()).map(|kept| (doubt, kept))
        }
    }

    fn lists(doubt: &[&str], spared: &[&str]) -> (Vec<String>, Vec<String>) {
        let owned = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect();
        (owned(doubt), owned(spared))
    }

    const TABLES: [&str; 5] = [
        "CREATE DATABASE s CHARACTER SET latin1",
        "CREATE TABLE p(id INT PRIMARY KEY)",
        "CREATE TABLE c(id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p(id) ON DELETE CASCADE)",
        "CREATE TABLE d(id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES S.C(id))",
        "CREATE TABLE u(id INT PRIMARY KEY)",
    ];

    #[test]
    fn a_statement_reaches_the_tables_that_refer_to_its_own() {
        let mut log = Log::of(&TABLES);
        assert_eq!(log.doubt("DELETE FROM p"), Some(lists(&["c", "d", "p"], &["u"])));
        assert_eq!(log.doubt("INSERT INTO d SELECT id, id FROM u"), Some(lists(&["d"], &["c", "p", "u"])));
        log.run("RENAME TABLE c TO e");
        assert_eq!(log.doubt("DELETE FROM p"), Some(lists(&["d", "e", "p"], &["u"])));
        log.run("DROP TABLE d");
        assert_eq!(log.doubt("UPDATE p SET id = 2"), Some(lists(&["e", "p"], &["u"])));
        // A definition stays: rows alone are in doubt.
        let name = TableName { schema: "s".to_owned(), table: "p".to_owned() };
        assert!(log.0.current(&name).is_some());
    }

    #[test]
    fn what_is_not_known_for_certain_spares_nobody() {
        let mut log = Log::of(&TABLES);
        for sql in [
            "INSERT INTO missing VALUES (1)",
            "INSERT INTO u SELECT 1 FROM a_view",
            "UPDATE u SET id = f(1)",
            "CALL p()",
        ] {
            assert_eq!(Log(log.0.clone()).doubt(sql), None, "{sql}");
        }
        log.run("CREATE DEFINER=`root`@`h` TRIGGER s.tr AFTER INSERT ON u FOR EACH ROW DELETE FROM d");
        assert_eq!(Log(log.0.clone()).doubt("INSERT INTO u VALUES (1)"), None);
        assert_eq!(log.doubt("DELETE FROM d"), Some(lists(&["d"], &["c", "p", "u"])));
        log.run("DROP TRIGGER IF EXISTS tr");
        assert_eq!(log.doubt("INSERT INTO u VALUES (1)"), Some(lists(&["u"], &["c", "d", "p"])));
    }

    #[test]
    fn tables_that_the_server_declares_may_have_triggers() {
        let mut log = Log::of(&[]);
        let mut declare = |table: &str, create: &str| {
            let name = TableName { schema: "s".to_owned(), table: table.to_owned() };
            log.0.declare(&name, create, SERVER).unwrap();
        };
        let following = |create: &str| format!("{create}{NO_TRIGGERS}");
        declare("a", "CREATE TABLE `a` (`id` int(11) NOT NULL, PRIMARY KEY (`id`))");
        declare("b", &following("CREATE TABLE `b` (`id` int(11) NOT NULL, PRIMARY KEY (`id`))"));
        declare(
            "c",
            &following(
                "CREATE TABLE `c` (`id` int(11) NOT NULL, `b` int(11), PRIMARY KEY (`id`), \
                 CONSTRAINT `x` FOREIGN KEY (`b`) REFERENCES `b` (`id`))",
            ),
        );
        assert_eq!(Log(log.0.clone()).doubt("DELETE FROM a"), None);
        assert_eq!(Log(log.0.clone()).doubt("DELETE FROM b"), Some(lists(&["b", "c"], &["a"])));
        assert_eq!(Log(log.0.clone()).doubt("DELETE FROM c"), Some(lists(&["c"], &["a", "b"])));
        // Nobody can tell on which table that is.
        log.run("CREATE TRIGGER `\u{fffd}` AFTER INSERT ON `\u{fffd}` FOR EACH ROW DELETE FROM a");
        assert_eq!(log.doubt("DELETE FROM c"), None);
    }
}
