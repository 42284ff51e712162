//! Names of views and sequences, and the order of unique indexes, as servers have them.

use super::*;

/// MySQL 9.7 logs CREATE TABLE IF NOT EXISTS also where a view of the name is there, and makes
/// nothing.
#[test]
fn no_table_is_made_under_the_name_of_a_view() {
    for (server, made, freed) in [
        (MYSQL, "CREATE VIEW v AS SELECT 1 AS one", "DROP VIEW IF EXISTS other, v"),
        (
            MYSQL,
            "CREATE ALGORITHM=MERGE DEFINER=`a b`@`%` SQL SECURITY INVOKER VIEW `v` AS SELECT 1",
            "DROP VIEW s.v",
        ),
        (MYSQL, "CREATE OR REPLACE VIEW s.v AS SELECT 1", "DROP DATABASE s"),
        (MARIADB, "CREATE VIEW IF NOT EXISTS v AS SELECT 1", "RENAME TABLE v TO w"),
    ] {
        let mut catalog = Catalog::default();
        let mut apply = |sql: &str| catalog.apply(&statement(server, "s", sql));
        assert!(apply("CREATE DATABASE s").is_empty());
        assert!(apply(made).is_empty(), "{made}");
        assert!(apply("CREATE TABLE IF NOT EXISTS v (id INT PRIMARY KEY)").is_empty(), "{made}");
        // It is no table that goes.
        apply("DROP TABLE IF EXISTS v");
        assert!(apply("CREATE TABLE IF NOT EXISTS v LIKE v").is_empty(), "{made}");
        let freed = apply(freed);
        assert!(!matches!(freed.as_slice(), [Effect::Renamed { .. }]), "{freed:?}");
        if !made.contains("IF NOT EXISTS") {
            apply("CREATE DATABASE s");
        }
        let effects = apply("CREATE TABLE IF NOT EXISTS v (id INT PRIMARY KEY)");
        assert!(matches!(effects.as_slice(), [Effect::Created(..)]), "{made}: {effects:?}");
    }
}

#[test]
fn a_sequence_takes_its_name_and_a_program_with_a_definer_takes_none() {
    let mut catalog = Catalog::default();
    let mut apply = |sql: &str| catalog.apply(&statement(MARIADB, "s", sql));
    apply("CREATE DATABASE s");
    apply("CREATE OR REPLACE SEQUENCE q START WITH 5");
    let effects = apply("CREATE TABLE IF NOT EXISTS q (id INT PRIMARY KEY)");
    assert!(matches!(effects.as_slice(), [Effect::Unreadable(..)]), "{effects:?}");
    apply("CREATE SEQUENCE r");
    apply("DROP SEQUENCE IF EXISTS r");
    apply("CREATE DEFINER=root@localhost PROCEDURE p() CREATE VIEW n AS SELECT 1");
    for name in ["r", "n"] {
        let effects = apply(&format!("CREATE TABLE IF NOT EXISTS {name} (id INT PRIMARY KEY)"));
        assert!(matches!(effects.as_slice(), [Effect::Created(..)]), "{effects:?}");
    }
}

/// MariaDB 11.8 and 10.11: the table is gone, with its rows, and nothing else in the log says so.
#[test]
fn a_sequence_replaces_a_table_of_its_name() {
    let mut catalog = Catalog::default();
    let mut apply = |sql: &str| catalog.apply(&statement(MARIADB, "s", sql));
    apply("CREATE DATABASE s");
    for again in ["DROP SEQUENCE t", "DROP TABLE t"] {
        apply("CREATE TABLE t (id INT PRIMARY KEY)");
        assert!(apply("CREATE OR REPLACE TEMPORARY SEQUENCE t").is_empty());
        let effects = apply("CREATE OR REPLACE SEQUENCE t START WITH 5");
        assert_eq!(effects, [Effect::Dropped(name("s", "t"))]);
        apply(again);
        let effects = apply("CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY)");
        assert!(matches!(effects.as_slice(), [Effect::Created(..)]), "{effects:?}");
        apply("DROP TABLE t");
    }
}

/// Which unique index is the key, after the statements: of MySQL 9.7 and MariaDB 11.8.
#[test]
fn the_unique_index_that_was_not_null_first_is_the_key() {
    const CREATE: &str = "CREATE TABLE x (a INT NOT NULL, b INT, c VARCHAR(9) NOT NULL, UNIQUE b (b), UNIQUE p (c(2)), UNIQUE c (c))";
    for (alter, want) in [
        ("ADD n INT", "c"),
        ("ADD UNIQUE (a)", "c"),
        ("DROP KEY c, ADD UNIQUE (a)", "a"),
        ("DROP KEY c, ADD UNIQUE (a, c)", "a c"),
        ("MODIFY b INT NOT NULL", "c"),
    ] {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(MYSQL, "s", CREATE));
        catalog.apply(&statement(MYSQL, "s", &format!("ALTER TABLE x {alter}")));
        catalog.apply(&statement(MYSQL, "s", "ALTER TABLE x MODIFY b INT NOT NULL"));
        let id = definition(&catalog, &name("s", "x")).unwrap();
        assert_eq!(catalog.definition(id).unwrap().primary_key.join(" "), want, "{alter}");
    }
}
