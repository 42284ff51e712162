//! Definitions as the server itself declares them (SHOW CREATE TABLE), against those that follow
//! from the log.

use super::declaration_error::DeclarationError;
use super::difference::{Difference, difference};
use super::effect::Effect;
use super::table::Full;
use super::{Catalog, DefinitionId, ForeignKey};
use crate::log::{LoggedStatement, ServerVersion};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::HashMap;

impl Catalog {
    /// Takes a table as the server declares it: the definition from here on, whatever the log said
    /// before.
    ///
    /// # Errors
    /// The declaration cannot be followed.
    pub fn declare(
        &mut self,
        name: &TableName,
        create: &str,
        server: ServerVersion,
    ) -> Result<DefinitionId, DeclarationError> {
        self.links.declared(name, &declaration(name, create, server));
        let (full, keys) = read(name, create, server, (self.folds, &mut self.united))?;
        self.lost.remove(name);
        self.foreign.set(name, keys);
        let id = self.add(full);
        self.tables.insert(name.clone(), id);
        Ok(id)
    }

    /// In what a table as the server declares it differs from what follows from the log; `None`: in
    /// nothing that counts.
    #[must_use]
    pub fn differs(&self, name: &TableName, create: &str, server: ServerVersion) -> Option<Difference> {
        let Some(known) = self.tables.get(name).and_then(|id| self.known(*id)) else {
            return Some(Difference::NotInLog);
        };
        match read(name, create, server, (self.folds, &mut HashMap::new())) {
            Ok((declared, keys)) => {
                let of_keys = || self.foreign.difference(name, &keys).map(Difference::ForeignKey);
                difference(&known.full, &declared).or_else(of_keys)
            }
            Err(why) => Some(Difference::Declaration(why)),
        }
    }

    /// Whether the table has the columns and the primary key that the server declares. Then nothing
    /// but foreign keys can differ.
    #[must_use]
    pub fn has_columns(&self, name: &TableName, create: &str, server: ServerVersion) -> bool {
        let known = self.tables.get(name).and_then(|id| self.known(*id));
        let declared = read(name, create, server, (self.folds, &mut HashMap::new()));
        known.zip(declared.ok()).is_some_and(|(known, (full, _))| difference(&known.full, &full).is_none())
    }

    /// The tables whose foreign keys refer to this one; some more than once.
    pub fn children_of<'a>(&'a self, parent: &'a TableName) -> impl Iterator<Item = &'a TableName> {
        self.foreign.to(parent).map(|(child, _)| child)
    }

    /// Forgets all tables: the record begins again. Definitions stay, for what was recorded under
    /// them.
    pub fn start_over(&mut self) {
        let definitions = std::mem::take(&mut self.definitions);
        let foreign = std::mem::take(&mut self.foreign).start_over();
        *self = Self { definitions, foreign, folds: self.folds, ..Self::default() };
    }
}

/// A declaration as a statement.
fn declaration(name: &TableName, create: &str, server: ServerVersion) -> LoggedStatement {
    LoggedStatement {
        schema: Some(name.schema.clone()),
        sql_mode: Some(0),
        explicit_timestamps: Some(true),
        ..LoggedStatement::plain(create, server, Timestamp::from_micros(0))
    }
}

fn read(
    name: &TableName,
    create: &str,
    server: ServerVersion,
    (folds, united): (Option<bool>, &mut HashMap<TableName, Vec<TableName>>),
) -> Result<(Full, Vec<ForeignKey>), DeclarationError> {
    let statement = declaration(name, create, server);
    let mut scratch = Catalog { folds, ..Catalog::default() };
    let effects = scratch.apply(&statement);
    united.extend(std::mem::take(&mut scratch.united));
    for effect in effects {
        match effect {
            Effect::Created(_, id) => {
                return Ok((scratch.full(id).clone(), scratch.foreign.of(name).to_vec()));
            }
            Effect::Unreadable(_, reason) | Effect::UnreadableAll { reason, .. } => {
                return Err(DeclarationError::Unread(reason));
            }
            Effect::Dropped(_)
            | Effect::Truncated(_)
            | Effect::Altered(..)
            | Effect::RowsUnknown(..)
            | Effect::PartitionsEmptied(..)
            | Effect::RowsMoved(_)
            | Effect::Renamed { .. }
            | Effect::SchemaDropped(_) => {}
        }
    }
    Err(DeclarationError::NotATable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: ServerVersion = ServerVersion { mariadb: true, number: (10, 11), patch: 19 };

    fn orders() -> TableName {
        TableName { schema: "shop".into(), table: "orders".into() }
    }

    const CREATE: &str = "CREATE TABLE `orders` (\n  `id` int(11) NOT NULL,\n  `note` varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,\n  \
        `doc` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`doc`)),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci";

    /// What DESCRIBE of MySQL 9.7.4 and MariaDB 11.8.9 shows as PRI: the first unique index over
    /// whole NOT NULL columns, in the order of the indexes.
    #[test]
    fn a_unique_index_serves_as_a_primary_key() {
        let columns = "`b` int NOT NULL, `a` int NOT NULL, `p` varchar(20) NOT NULL, `z` int DEFAULT NULL";
        let key = |indexes: &str| {
            let mut catalog = Catalog::default();
            let create = format!("CREATE TABLE `orders` ({columns}{indexes})");
            let id = catalog.declare(&orders(), &create, SERVER).unwrap();
            (catalog.definition(id).unwrap().primary_key.join(","), catalog.has_primary(id))
        };
        let all = ", UNIQUE KEY `pp` (`p`(3)), UNIQUE KEY `zz` (`z`), UNIQUE KEY `ab` (`a`,`b`), UNIQUE KEY `bb` (`b`)";
        assert_eq!(key(all), ("a,b".into(), false));
        assert_eq!(key(&format!("{all}, PRIMARY KEY (`b`)")), ("b".into(), true));
        assert_eq!(key(", UNIQUE KEY `zz` (`z`), KEY `b` (`b`)"), (String::new(), false));
    }

    #[test]
    fn compressed_columns_of_mariadb_are_followed() {
        let mut catalog = Catalog::default();
        let create = "CREATE TABLE `orders` (`id` int(11) NOT NULL, `a` varchar(2000) /*M!100301 COMPRESSED*/ DEFAULT NULL, \
            `f` mediumtext /*M!100301 COMPRESSED*/ CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL, PRIMARY KEY (`id`))";
        let id = catalog.declare(&orders(), create, SERVER).unwrap();
        let types: Vec<String> =
            catalog.definition(id).unwrap().columns.iter().map(|c| c.ty.to_string()).collect();
        assert_eq!(types[1..], ["varchar(2000)", "mediumtext"]);
    }

    #[test]
    fn what_the_server_declares_is_compared_in_what_counts() {
        let mut catalog = Catalog::default();
        let id = catalog.declare(&orders(), CREATE, SERVER).unwrap();
        assert_eq!(catalog.definition(id).unwrap().primary_key, ["id"]);
        assert_eq!(catalog.differs(&orders(), CREATE, SERVER), None);
        for (from, to, what) in [
            ("int(11)", "bigint(20)", "column id"),
            ("int(11)", "int(10)", ""),
            ("varchar(20)", "varchar(21)", "column note"),
            ("latin1_swedish_ci", "latin1_bin", "collation is latin1_bin"),
            ("`note`", "`remark`", "columns are (id, remark, doc)"),
            ("PRIMARY KEY (`id`)", "KEY (`id`)", "primary key"),
            ("DEFAULT NULL,\n  `doc`", "NOT NULL,\n  `doc`", "column note: NULL"),
        ] {
            let other = catalog
                .differs(&orders(), &CREATE.replacen(from, to, 1), SERVER)
                .map(|other| other.to_string())
                .unwrap_or_default();
            assert!(other.contains(what) && other.is_empty() == what.is_empty(), "{from} {to}: {other}");
        }
        assert!(catalog.differs(&orders(), "SELECT 1", SERVER).is_some());
        catalog.start_over();
        assert!(catalog.differs(&orders(), CREATE, SERVER).is_some());
        assert!(catalog.definition(id).is_some());
    }
}
