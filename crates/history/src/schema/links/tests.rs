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
