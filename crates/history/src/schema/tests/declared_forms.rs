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

/// Types as SHOW COLUMNS of MySQL 9.7.4 and MariaDB 11.8.9 has them, which agree.
#[test]
fn the_words_of_text_types() {
    for (written, shown, charset) in [
        ("CHARACTER VARYING(9)", "varchar(9)", "latin1"),
        ("VARCHARACTER(8)", "varchar(8)", "latin1"),
        ("CHAR VARYING(2)", "varchar(2)", "latin1"),
        ("NATIONAL CHAR(5)", "char(5)", "utf8mb3"),
        ("NATIONAL CHARACTER VARYING(4)", "varchar(4)", "utf8mb3"),
        ("NATIONAL VARCHARACTER(3)", "varchar(3)", "utf8mb3"),
        ("NCHAR", "char(1)", "utf8mb3"),
        ("NCHAR VARYING(3)", "varchar(3)", "utf8mb3"),
        ("NCHAR VARCHAR(6)", "varchar(6)", "utf8mb3"),
        ("NVARCHAR(7)", "varchar(7)", "utf8mb3"),
        ("LONG", "mediumtext", "latin1"),
        ("LONG VARCHARACTER", "mediumtext", "latin1"),
        ("LONG CHAR VARYING", "mediumtext", "latin1"),
        ("LONG CHARACTER VARYING", "mediumtext", "latin1"),
        ("LONG VARBINARY", "mediumblob", ""),
    ] {
        for server in [MYSQL, MARIADB] {
            let mut catalog = Catalog::default();
            let create = format!("CREATE TABLE x (id INT PRIMARY KEY, v {written}) CHARACTER SET latin1");
            catalog.apply(&statement(server, "s", &create));
            let id = definition(&catalog, &name("s", "x")).expect(written);
            let column = &catalog.definition(id).unwrap().columns[1];
            let known = (column.ty.to_string(), column.charset().unwrap_or_default().to_owned());
            assert_eq!(known, (shown.to_owned(), charset.to_owned()), "{written}");
        }
    }
}
