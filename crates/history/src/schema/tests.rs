//! Statements against what real servers made of them: MySQL 9.7.4, MariaDB 10.11.19 and 11.8.9.

use super::{Catalog, DefinitionId, Effect};
use crate::log::{LoggedStatement, ServerVersion};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;

pub(super) const MYSQL: ServerVersion = ServerVersion { mariadb: false, number: (9, 7), patch: 4 };
pub(super) const MARIADB: ServerVersion = ServerVersion { mariadb: true, number: (11, 8), patch: 9 };

/// A statement of a utf8mb4 session.
pub(super) fn statement(server: ServerVersion, schema: &str, sql: &str) -> LoggedStatement {
    LoggedStatement {
        schema: (!schema.is_empty()).then(|| schema.to_owned()),
        sql_mode: Some(0),
        charsets: Some((45, 45, 45)),
        default_utf8mb4: (!server.mariadb).then_some(255),
        explicit_timestamps: (!server.mariadb).then_some(true),
        ..LoggedStatement::plain(sql, server, Timestamp::from_micros(1_767_225_600_000_000))
    }
}

fn name(schema: &str, table: &str) -> TableName {
    TableName { schema: schema.to_owned(), table: table.to_owned() }
}

/// The definition that a table has after these statements.
fn definition(catalog: &Catalog, table: &TableName) -> Option<DefinitionId> {
    catalog.tables.get(table).copied()
}

/// The names of the columns, and for each the one of the table before that its values come from.
fn columns(server: ServerVersion, create: &str, alter: &str) -> String {
    let mut catalog = Catalog::default();
    catalog.apply(&statement(server, "s", create));
    let effects = catalog.apply(&statement(server, "s", alter));
    if let Some(Effect::Unreadable(_, why)) = effects.first() {
        return format!("refused: {why}");
    }
    let id = definition(&catalog, &name("s", "x")).unwrap();
    let before = DefinitionId(0);
    let known = catalog.known(id).unwrap();
    let from = known.step.as_ref().map_or_else(Vec::new, |s| s.from.clone());
    let shown: Vec<String> = known
        .full
        .columns
        .iter()
        .zip(from)
        .map(|(c, from)| {
            let old = from.map(|at| catalog.full(before).columns[at].column.name.clone());
            match old {
                Some(old) if old == c.column.name => old,
                Some(old) => format!("{old}:{}", c.column.name),
                None => format!("+{}", c.column.name),
            }
        })
        .collect();
    shown.join(" ")
}

#[test]
fn placed_columns_go_where_the_servers_put_them() {
    const CREATE: &str = "CREATE TABLE x (id INT PRIMARY KEY, a INT, b INT, c INT, d INT, e INT)";
    for (alter, wanted) in [
        ("MODIFY b INT FIRST, MODIFY a INT FIRST", "a b id c d e"),
        ("MODIFY b INT AFTER d, MODIFY a INT AFTER d", "id c d a b e"),
        ("ADD n INT AFTER a, MODIFY b INT AFTER a", "id a b +n c d e"),
        ("CHANGE b bb INT AFTER e, MODIFY e INT FIRST", "e id a c d b:bb"),
        ("MODIFY e INT FIRST, CHANGE b bb INT AFTER e", "e b:bb id a c d"),
        ("CHANGE a aa INT AFTER c, ADD k INT AFTER aa", "id b c a:aa +k d e"),
        ("ADD k INT AFTER aa, CHANGE a aa INT AFTER c", "id +k b c a:aa d e"),
        ("RENAME COLUMN a TO aa, ADD k INT AFTER aa", "id a:aa +k b c d e"),
        ("MODIFY a INT AFTER a2, RENAME COLUMN e TO a2", "id b c d e:a2 a"),
        ("MODIFY a INT FIRST, ADD k INT FIRST, MODIFY b INT FIRST", "b +k a id c d e"),
        ("RENAME COLUMN a TO b, RENAME COLUMN b TO a, ADD k INT AFTER a", "id a:b b:a +k c d e"),
        ("DROP a, ADD a INT AFTER b", "id b +a c d e"),
        ("ADD a INT AFTER b, DROP a", "id b +a c d e"),
        ("CHANGE a b INT, DROP b", "id a:b c d e"),
        ("ADD k INT AFTER e, MODIFY a INT AFTER k, ADD l INT AFTER a", "id b c d e +k a +l"),
    ] {
        for server in [MYSQL, MARIADB] {
            assert_eq!(columns(server, CREATE, &format!("ALTER TABLE x {alter}")), wanted, "{alter}");
        }
    }
    for (alter, wanted) in [
        ("DROP a, ADD COLUMN IF NOT EXISTS a BIGINT", "id b c d e"),
        ("ADD COLUMN IF NOT EXISTS k INT, ADD COLUMN IF NOT EXISTS k BIGINT", "id a b c d e +k"),
        ("ADD (k INT, l INT), MODIFY k INT FIRST", "+k id a b c d e +l"),
        ("ADD k INT FIRST, MODIFY k BIGINT", "id a b c d e +k"),
        ("ADD COLUMN IF NOT EXISTS a BIGINT FIRST, MODIFY b INT FIRST", "b id a c d e"),
        ("MODIFY IF EXISTS zz INT FIRST, MODIFY a INT AFTER c", "id b c a d e"),
        ("RENAME COLUMN IF EXISTS zz TO z2, ALTER COLUMN IF EXISTS zy SET DEFAULT 1", "id a b c d e"),
    ] {
        assert_eq!(columns(MARIADB, CREATE, &format!("ALTER TABLE x {alter}")), wanted, "{alter}");
    }
    for alter in
        ["MODIFY a INT AFTER a", "CHANGE a aa INT AFTER aa", "DROP a, ADD k INT AFTER a", "ADD k INT AFTER l"]
    {
        assert!(columns(MYSQL, CREATE, &format!("ALTER TABLE x {alter}")).starts_with("refused"), "{alter}");
    }
}

/// Seen on all three servers: the new name is in the current database, not in that of the table.
#[test]
fn a_new_name_without_a_schema_is_in_the_current_database() {
    for (sql, wanted) in [
        ("ALTER TABLE o.y3 RENAME TO y4", name("c", "y4")),
        ("ALTER TABLE o.y3 RENAME o.y4", name("o", "y4")),
        ("RENAME TABLE o.y3 TO y4", name("c", "y4")),
    ] {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(MYSQL, "c", "CREATE TABLE o.y3 (id INT PRIMARY KEY)"));
        let effects = catalog.apply(&statement(MYSQL, "c", sql));
        let moved = effects.iter().any(|e| matches!(e, Effect::Renamed { to, .. } if *to == wanted));
        assert!(moved && definition(&catalog, &wanted).is_some(), "{sql}: {effects:?}");
    }
}

/// A schema that was there before the record has its collation from the server; IF NOT EXISTS is
/// logged where the schema was there, too.
#[test]
fn the_schemas_of_the_server_give_their_collations() {
    let mut catalog = Catalog::default();
    catalog.set_schemas([("s".to_owned(), "latin1_swedish_ci".to_owned())].into());
    for sql in [
        "CREATE DATABASE IF NOT EXISTS s COLLATE utf8mb4_bin",
        "CREATE DATABASE IF NOT EXISTS new COLLATE latin2_bin",
        "CREATE TABLE x (a CHAR(1) PRIMARY KEY)",
        "CREATE TABLE new.x (a CHAR(1) PRIMARY KEY)",
        "ALTER DATABASE s COLLATE utf8mb4_bin",
        "CREATE TABLE y (a CHAR(1) PRIMARY KEY)",
    ] {
        catalog.apply(&statement(MARIADB, "s", sql));
    }
    for (schema, table, wanted) in
        [("s", "x", "latin1_swedish_ci"), ("new", "x", "latin2_bin"), ("s", "y", "utf8mb4_bin")]
    {
        let id = definition(&catalog, &name(schema, table)).unwrap();
        let column = &catalog.full(id).columns[0];
        assert_eq!(
            (column.column.collation.as_deref(), column.collation_known),
            (Some(wanted), true),
            "{schema}.{table}"
        );
    }
}

#[test]
fn a_backslash_is_read_as_the_mode_says() {
    let mut catalog = Catalog::default();
    catalog.apply(&statement(MYSQL, "s", "CREATE TABLE x (id INT PRIMARY KEY)"));
    let sql = r"ALTER TABLE x ADD k VARCHAR(9) NOT NULL DEFAULT 'a\', ADD l INT COMMENT 'it''s \'";
    let mode = LoggedStatement { sql_mode: Some(0x10_0000), ..statement(MYSQL, "s", sql) };
    assert!(matches!(catalog.apply(&mode).as_slice(), [Effect::Altered(..)]));
    let id = definition(&catalog, &name("s", "x")).unwrap();
    let row = catalog.carry(DefinitionId(0), id, vec![Ok(Some(b"1".to_vec()))]).unwrap();
    assert_eq!(row, [Ok(Some(b"1".to_vec())), Ok(Some(br"a\".to_vec())), Ok(None)]);
}

/// Seen on all three servers: CONVERT TO keeps the bytes of labels, and MODIFY makes `?` of what
/// the character set does not have.
#[test]
fn labels_outside_of_ascii_are_in_doubt_where_servers_damage_them() {
    const LATIN1: &str = "CREATE TABLE x (id INT PRIMARY KEY, e ENUM('x', 'é') CHARACTER SET latin1)";
    const UTF8: &str = "CREATE TABLE x (id INT PRIMARY KEY, e ENUM('x', 'é') CHARACTER SET utf8mb4)";
    for (create, alter, followed) in [
        (UTF8, "CONVERT TO CHARACTER SET latin1", false),
        (UTF8, "CONVERT TO CHARACTER SET ascii", false),
        (UTF8, "CONVERT TO CHARACTER SET utf8mb3", true),
        (LATIN1, "CONVERT TO CHARACTER SET utf8mb4", false),
        (LATIN1, "CONVERT TO CHARACTER SET latin1 COLLATE latin1_bin", true),
        (UTF8, "MODIFY e ENUM('x', 'é') CHARACTER SET latin1", true),
        (UTF8, "MODIFY e ENUM('x', 'é', '日') CHARACTER SET latin1", false),
        (UTF8, "DEFAULT CHARACTER SET latin1", true),
    ] {
        let got = columns(MYSQL, create, &format!("ALTER TABLE x {alter}"));
        assert_eq!(got == "id e", followed, "{alter}: {got}");
    }
}

/// CONVERT TO holds for all text columns of the statement's result, whatever the statement says of
/// them.
#[test]
fn convert_to_holds_for_columns_of_the_same_statement() {
    const CREATE: &str = "CREATE TABLE x (id INT PRIMARY KEY, a TEXT CHARACTER SET latin1 COLLATE latin1_bin, b TEXT CHARACTER SET latin1 COLLATE latin1_bin)";
    let alter = "ALTER TABLE x MODIFY a TEXT CHARACTER SET ascii, RENAME COLUMN b TO bb, ADD c VARCHAR(9) CHARACTER SET latin1, ADD d BLOB, \
        CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    for (server, a) in [(MYSQL, "mediumtext"), (MARIADB, "text")] {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(server, "s", CREATE));
        catalog.apply(&statement(server, "s", alter));
        let id = definition(&catalog, &name("s", "x")).unwrap();
        let shown = catalog
            .definition(id)
            .unwrap()
            .columns
            .iter()
            .map(|c| format!("{} {} {}", c.name, c.ty, c.collation.as_deref().unwrap_or("-")));
        let a = format!("a {a} utf8mb4_bin");
        let wanted = ["id int -", &a, "bb mediumtext utf8mb4_bin", "c varchar(9) utf8mb4_bin", "d blob -"];
        assert_eq!(shown.collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn a_change_of_the_character_set_alone_is_reported_as_one() {
    let mut catalog = Catalog::default();
    catalog.apply(&statement(
        MYSQL,
        "s",
        "CREATE TABLE x (id INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET utf8mb4)",
    ));
    catalog.apply(&statement(MYSQL, "s", "ALTER TABLE x MODIFY a VARCHAR(20) CHARACTER SET latin1"));
    let id = definition(&catalog, &name("s", "x")).unwrap();
    let row = vec![Ok(Some(b"1".to_vec())), Ok(Some("日".as_bytes().to_vec()))];
    let why = catalog.carry(DefinitionId(0), id, row).unwrap().pop().unwrap().unwrap_err();
    let wanted = "from varchar(20) character set utf8mb4 to varchar(20) character set latin1";
    assert!(why.to_string().contains(wanted), "{why}");
}

/// A key is the same bytes in integers of all widths, so that rows are found as before.
#[test]
fn a_key_that_became_wider_is_the_same_key() {
    for (create, alter, mode, same) in [
        ("id INT", "MODIFY id BIGINT", 0, true),
        ("id INT UNSIGNED", "CHANGE id pk BIGINT UNSIGNED", 0, true),
        ("id INT UNSIGNED", "MODIFY id BIGINT FIRST", 0, true),
        ("id INT", "MODIFY id INT UNSIGNED", 0, false),
        ("id INT", "MODIFY id INT UNSIGNED", 0x20_0000, true),
        ("id BIGINT", "MODIFY id INT", 0x20_0000, true),
        ("id VARCHAR(20)", "MODIFY id VARCHAR(40)", 0, true),
        ("id VARCHAR(20)", "MODIFY id VARCHAR(40) COLLATE utf8mb4_bin", 0, false),
        ("id VARCHAR(20)", "MODIFY id CHAR(40)", 0, false),
        ("id ENUM('a','b')", "MODIFY id ENUM('a','b','c')", 0, true),
        ("id ENUM('a','b')", "MODIFY id ENUM('b','a')", 0, false),
        ("id INT", "MODIFY id VARCHAR(20)", 0, false),
    ] {
        let mut catalog = Catalog::default();
        let create = format!("CREATE TABLE x (a INT, {create} NOT NULL PRIMARY KEY) CHARACTER SET utf8mb4");
        catalog.apply(&statement(MYSQL, "s", &create));
        let alter = format!("ALTER TABLE x {alter} NOT NULL").replace(" FIRST NOT NULL", " NOT NULL FIRST");
        catalog.apply(&LoggedStatement { sql_mode: Some(mode), ..statement(MYSQL, "s", &alter) });
        let id = definition(&catalog, &name("s", "x")).unwrap();
        assert_eq!(catalog.same_key(DefinitionId(0), id), same, "{create}; {alter}");
    }
}

/// What MariaDB 10.11.19 and 11.8.9 made of them: a column may be left out, and its keys are not,
/// but where there is one already.
#[test]
fn ok_keys_of_a_column_that_may_be_left_out() {
    let keys = |create: &str, alter: &str| {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(MARIADB, "s", create));
        catalog.apply(&statement(MARIADB, "s", alter));
        let full = catalog.full(definition(&catalog, &name("s", "x")).unwrap());
        let unique: Vec<String> =
            full.indexes.iter().filter(|i| i.unique).map(|i| i.columns.join(",")).collect();
        format!("{} | {}", full.primary_key.join(","), unique.join(" "))
    };
    let bare = "CREATE TABLE x (id INT, a INT, b INT NOT NULL)";
    let with = "CREATE TABLE x (id INT PRIMARY KEY, a INT, b INT NOT NULL)";
    let unique = "CREATE TABLE x (id INT PRIMARY KEY, b INT NOT NULL, UNIQUE (b))";
    let named = "CREATE TABLE x (id INT PRIMARY KEY, b INT, KEY b (id))";
    for (create, alter, want) in [
        (bare, "ALTER TABLE x ADD COLUMN IF NOT EXISTS b INT UNIQUE", " | b"),
        (bare, "ALTER TABLE x ADD COLUMN IF NOT EXISTS b INT PRIMARY KEY", "b | "),
        (bare, "ALTER TABLE x CHANGE IF EXISTS w b INT PRIMARY KEY", "b | "),
        (with, "ALTER TABLE x CHANGE IF EXISTS w a INT UNIQUE", "id | a"),
        (with, "ALTER TABLE x ADD COLUMN IF NOT EXISTS b INT PRIMARY KEY", "id | "),
        (with, "ALTER TABLE x DROP PRIMARY KEY, ADD COLUMN IF NOT EXISTS b INT PRIMARY KEY", " | "),
        (with, "ALTER TABLE x ADD COLUMN IF NOT EXISTS (b INT UNIQUE, z INT UNIQUE)", "id | b z"),
        (unique, "ALTER TABLE x ADD COLUMN IF NOT EXISTS b INT UNIQUE", "id | b"),
        (with, "ALTER TABLE x ADD UNIQUE KEY (b, id), CHANGE IF EXISTS b b DATE UNIQUE", "id | b,id"),
        (with, "ALTER TABLE x CHANGE IF EXISTS b b DATE UNIQUE, ADD UNIQUE KEY (b, id)", "id | b b,id"),
        (named, "ALTER TABLE x MODIFY IF EXISTS b INT UNIQUE", "id | "),
        (named, "ALTER TABLE x DROP KEY b, MODIFY IF EXISTS b INT UNIQUE", "id | "),
        (with, "ALTER TABLE x DROP PRIMARY KEY, ADD COLUMN IF NOT EXISTS n INT PRIMARY KEY", " | "),
        (bare, "ALTER TABLE x MODIFY IF EXISTS a INT PRIMARY KEY", "a | "),
    ] {
        assert_eq!(keys(create, alter), want, "{alter}");
    }
}

mod declared_forms;
mod generated_columns;
mod names_taken;
mod session_modes;
