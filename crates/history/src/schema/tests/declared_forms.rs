//! Declarations as MariaDB takes and shows them.

use super::*;

/// The types that SHOW COLUMNS shows, where they are not those that compare.
fn shown(server: ServerVersion, create: &str) -> Vec<Option<String>> {
    let mut catalog = Catalog::default();
    catalog.apply(&statement(server, "s", create));
    let id = definition(&catalog, &name("s", "x")).unwrap();
    catalog.definition(id).unwrap().columns.iter().map(|c| c.shown_type.clone()).collect()
}

/// As SHOW COLUMNS of MariaDB 11.8.9 and 10.11.19 has them; MySQL 9.7 leaves these widths out.
#[test]
fn mariadb_shows_some_types_otherwise() {
    const CREATE: &str = "CREATE TABLE x (id INT PRIMARY KEY, a INT UNSIGNED, b BIGINT(5), c TINYINT, d SMALLINT UNSIGNED, e MEDIUMINT, f BIGINT UNSIGNED, \
        g YEAR, h VARCHAR(9), i BOOLEAN, j GEOMETRYCOLLECTION, k GEOMCOLLECTION)";
    let widths = [
        Some("int(11)"),
        Some("int(10) unsigned"),
        Some("bigint(5)"),
        Some("tinyint(4)"),
        Some("smallint(5) unsigned"),
        Some("mediumint(9)"),
        Some("bigint(20) unsigned"),
        Some("year(4)"),
        None,
        None,
        Some("geometrycollection"),
        Some("geometrycollection"),
    ];
    assert_eq!(shown(MARIADB, CREATE), widths.map(|w| w.map(str::to_owned)));
    assert_eq!(shown(MYSQL, CREATE), [const { None }; 12]);
}

/// The index of MariaDB 11.8.9 over a period has its end, and then its beginning.
#[test]
fn a_period_stands_for_two_columns() {
    let mut catalog = Catalog::default();
    let create = "CREATE TABLE x (id INT, s DATE, e DATE, v INT, PERIOD FOR `p` (s, e), PRIMARY KEY (id, p WITHOUT OVERLAPS), UNIQUE (v, p WITHOUT OVERLAPS))";
    catalog.apply(&statement(MARIADB, "s", create));
    let id = definition(&catalog, &name("s", "x")).unwrap();
    let found = catalog.definition(id).unwrap();
    assert_eq!(found.primary_key, ["id", "e", "s"]);
    let nullable: Vec<bool> = found.columns.iter().map(|c| c.nullable).collect();
    assert_eq!(nullable, [false, false, false, true]);
    let own = "CREATE TABLE y (id INT PRIMARY KEY, a TIMESTAMP(6) AS ROW START, b TIMESTAMP(6) AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING";
    let effects = catalog.apply(&statement(MARIADB, "s", own));
    assert!(matches!(effects.first(), Some(Effect::Unreadable(..))), "{effects:?}");
}
