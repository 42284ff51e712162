//! What of a table is not captured: the same reading of its declaration that the writing half does
//! when the record begins.

use crate::log::ServerVersion;
use crate::query::{no_key, unfindable};
use crate::schema::Catalog;
use dbtrail_types::names::TableName;

/// How much of a table is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Omission {
    /// No row of it is answered.
    Table,
    /// Some of its changes, or of its columns.
    Part,
}

/// Something that is not captured of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shortfall {
    pub(super) omission: Omission,
    /// Why: a sentence without the name of the table, so that tables of one reason are together.
    pub(super) reason: String,
    /// What the operator can do so that the table is captured.
    pub(super) fix: &'static str,
}

const UNCOMPUTED: &str = "they have generated columns that are not computed here, and MariaDB may leave them out of the rows that UPDATE and DELETE log: \
     such a column is refused then, and the others are answered";
const UNREADABLE: &str = "they have columns of text in a character set that this version cannot convert (as big5, ujis): \
     such a column is refused where a change was logged, and the others are answered";
const LEAVE_OUT: &str = "leave them out with an exclude pattern, if nobody is to ask for them";

/// What is not captured of a table that the server declares with `create`, of this engine.
pub(super) fn of(name: &TableName, create: &str, engine: &str, server: ServerVersion) -> Vec<Shortfall> {
    let mut found = Vec::new();
    let mut add = |omission, reason: String, fix| found.push(Shortfall { omission, reason, fix });
    let mut catalog = Catalog::default();
    match catalog.declare(name, create, server) {
        Err(reason) => {
            add(Omission::Table, format!("the declaration cannot be followed ({reason})"), LEAVE_OUT);
        }
        Ok(id) => {
            if let Some(why) = catalog.definition(id).and_then(|definition| no_key(definition)) {
                let fix = "ALTER TABLE ... ADD PRIMARY KEY (...), or leave them out with an exclude pattern";
                add(Omission::Table, why.to_owned(), fix);
            } else if let Some(why) = catalog.definition(id).and_then(|definition| unfindable(definition)) {
                let fix = "make the key of columns of other types or collations, or leave them out with an exclude pattern";
                add(Omission::Table, why, fix);
            }
            // 10.11 logs them with every row; seen to be left out by 11.8.
            if server.mariadb && !server.mariadb_before((11, 0)) && catalog.has_uncomputed(id) {
                add(Omission::Part, UNCOMPUTED.to_owned(), "name the other columns in SELECT");
            }
            if !catalog.unreadable(id).is_empty() {
                add(Omission::Part, UNREADABLE.to_owned(), "name the other columns in SELECT");
            }
        }
    }
    if let Some(why) = engine_reason(engine) {
        let fix = "ALTER TABLE ... ENGINE=InnoDB, or leave them out with an exclude pattern";
        add(Omission::Part, format!("their engine is {engine}: {why}"), fix);
    }
    found
}

/// What an engine does to rows that its log does not say.
fn engine_reason(engine: &str) -> Option<&'static str> {
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(engine));
    if is(&["InnoDB", "RocksDB", "TokuDB", "ndbcluster"]) {
        return None;
    }
    Some(if is(&["MEMORY"]) {
        "a change shows before it is in the log and stays when its statement fails, and a restart empties them"
    } else if is(&["MRG_MyISAM"]) {
        "their rows are those of other tables, and change with them"
    } else if is(&["BLACKHOLE"]) {
        "what is written to them is logged, and nothing is kept"
    } else if is(&["FEDERATED", "CONNECT", "SPIDER", "S3"]) {
        "their rows are elsewhere, and change there without a word in this log"
    } else {
        "without transactions a change shows before it is in the log, and stays when its statement fails"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortfalls(create: &str, engine: &str) -> Vec<(Omission, String)> {
        let name = TableName { schema: "shop".into(), table: "t".into() };
        of(&name, create, engine, ServerVersion::read("9.7.4"))
            .into_iter()
            .map(|s| (s.omission, s.reason))
            .collect()
    }

    #[test]
    fn a_table_that_is_captured_lacks_nothing() {
        assert_eq!(shortfalls("CREATE TABLE `t` (`id` int NOT NULL, PRIMARY KEY (`id`))", "InnoDB"), []);
    }

    #[test]
    fn generated_columns_that_nobody_computes_are_named() {
        let name = TableName { schema: "shop".into(), table: "t".into() };
        let found = |expression: &str, version: &str| {
            let create = format!(
                "CREATE TABLE `t` (`id` int(11) NOT NULL, `g` int(11) GENERATED ALWAYS AS ({expression}) STORED, PRIMARY KEY (`id`))"
            );
            let found = of(&name, &create, "InnoDB", ServerVersion::read(version));
            found.into_iter().map(|s| (s.omission, s.reason)).collect::<Vec<_>>()
        };
        let part = [(Omission::Part, UNCOMPUTED.to_owned())];
        assert_eq!(found("abs(`id`)", "11.8.9-MariaDB"), part);
        assert_eq!(found("`id` * 2", "11.8.9-MariaDB"), []);
        assert_eq!(found("abs(`id`)", "10.11.19-MariaDB"), []);
    }

    #[test]
    fn what_is_lacking_is_said() {
        for (create, engine, omission, reason) in [
            (
                "CREATE TABLE `t` (`id` int NOT NULL, `v` varchar(9) CHARACTER SET big5, PRIMARY KEY (`id`))",
                "InnoDB",
                Omission::Part,
                "cannot convert",
            ),
            ("CREATE TABLE `t` (`id` int NOT NULL)", "InnoDB", Omission::Table, "no primary key"),
            (
                "CREATE TABLE `t` (`id` wonder, PRIMARY KEY (`id`))",
                "InnoDB",
                Omission::Table,
                "cannot be followed",
            ),
            (
                "CREATE TABLE `t` (`id` double NOT NULL, PRIMARY KEY (`id`))",
                "InnoDB",
                Omission::Table,
                "`id` is double",
            ),
            (
                "CREATE TABLE `t` (`id` int NOT NULL, PRIMARY KEY (`id`))",
                "MEMORY",
                Omission::Part,
                "a restart",
            ),
            (
                "CREATE TABLE `t` (`id` int NOT NULL, PRIMARY KEY (`id`))",
                "MRG_MyISAM",
                Omission::Part,
                "other tables",
            ),
            (
                "CREATE TABLE `t` (`id` int NOT NULL, PRIMARY KEY (`id`))",
                "BLACKHOLE",
                Omission::Part,
                "nothing is kept",
            ),
            (
                "CREATE TABLE `t` (`id` int NOT NULL, PRIMARY KEY (`id`))",
                "MyISAM",
                Omission::Part,
                "transactions",
            ),
        ] {
            let found = shortfalls(create, engine);
            assert_eq!(found.len(), 1, "{create}: {found:?}");
            assert!(found[0].0 == omission && found[0].1.contains(reason), "{found:?}");
        }
    }
}
