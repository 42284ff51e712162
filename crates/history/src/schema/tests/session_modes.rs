//! What sql_mode changes in the rows that stand before an ALTER TABLE, and what literals mean in
//! it: as MySQL 9.7, MariaDB 10.11 and 11.8 made of the same statements.

use super::*;

const PAD: u64 = 1 << 31;
/// TIME_TRUNCATE_FRACTIONAL of MySQL, EMPTY_STRING_IS_NULL of MariaDB.
const THIRTY_TWO: u64 = 1 << 32;
/// SIMULTANEOUS_ASSIGNMENT of MariaDB.
const THIRTY_THREE: u64 = 1 << 33;
/// TIME_ROUND_FRACTIONAL of MariaDB.
const ROUND: u64 = 1 << 34;
const KEEP_ZEROS: u64 = 1 << 19;

/// The cells of a row after an ALTER TABLE x; `?`: not known.
fn after(server: ServerVersion, mode: u64, columns: &str, row: &[&str], alter: &str) -> Vec<String> {
    let mut catalog = Catalog::default();
    catalog.apply(&statement(
        server,
        "s",
        &format!("CREATE TABLE x ({columns}) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
    ));
    let alter = statement(server, "s", &format!("ALTER TABLE x {alter}"));
    catalog.apply(&LoggedStatement { sql_mode: Some(mode), ..alter });
    let id = definition(&catalog, &name("s", "x")).unwrap();
    let cell = |text: &&str| Ok((*text != "NULL").then(|| text.as_bytes().to_vec()));
    let row = catalog.carry(DefinitionId(0), id, row.iter().map(cell).collect()).unwrap();
    let shown = |cell: Result<Option<Vec<u8>>, _>| match cell {
        Ok(Some(bytes)) => String::from_utf8(bytes).unwrap(),
        Ok(None) => "NULL".to_owned(),
        Err(_) => "?".to_owned(),
    };
    row.into_iter().map(shown).collect()
}

#[test]
fn fractions_are_rounded_where_the_server_and_its_mode_say() {
    const COLUMNS: &str = "id INT PRIMARY KEY, d DATETIME(6)";
    for (server, mode, want) in [
        (MYSQL, 0, "01.235"),
        (MYSQL, THIRTY_TWO, "01.234"),
        (MYSQL, ROUND, "01.235"),
        (MARIADB, 0, "01.234"),
        (MARIADB, THIRTY_TWO, "01.234"),
        (MARIADB, THIRTY_THREE, "01.234"),
        (MARIADB, ROUND, "01.235"),
    ] {
        let row = after(server, mode, COLUMNS, &["1", "2020-01-01 00:00:01.234567"], "MODIFY d DATETIME(3)");
        assert_eq!(row[1], format!("2020-01-01 00:00:{want}"), "{server:?} {mode:x}");
    }
}

#[test]
fn a_char_is_read_with_its_spaces_where_the_mode_says_so() {
    const COLUMNS: &str = "id INT PRIMARY KEY, c CHAR(4)";
    for (mode, alter, want) in [
        (0, "MODIFY c VARCHAR(9)", "é"),
        (PAD, "MODIFY c VARCHAR(9)", "é   "),
        (PAD, "MODIFY c TEXT", "é   "),
        (PAD, "MODIFY c CHAR(9)", "é"),
        (PAD, "MODIFY c VARBINARY(9)", "?"),
    ] {
        for server in [MYSQL, MARIADB] {
            assert_eq!(after(server, mode, COLUMNS, &["1", "é"], alter)[1], want, "{mode:x} {alter}");
        }
    }
    let computed =
        |mode| after(MYSQL, mode, COLUMNS, &["1", "a"], "ADD g VARCHAR(9) AS (CONCAT(c, '|')) STORED");
    assert_eq!((computed(0)[2].as_str(), computed(PAD)[2].as_str()), ("a|", "?"));
}

#[test]
fn an_empty_literal_is_null_where_mariadb_s_mode_says_so() {
    const COLUMNS: &str = "id INT PRIMARY KEY, a VARCHAR(9)";
    let added = |server, mode, column: &str| {
        after(server, mode, COLUMNS, &["1", "a"], &format!("ADD n {column}")).swap_remove(2)
    };
    for (column, empty, null) in [
        ("VARCHAR(9) DEFAULT ''", "", "NULL"),
        ("VARCHAR(9) DEFAULT ('')", "", "NULL"),
        ("VARCHAR(9) AS (CONCAT(a, '')) VIRTUAL", "a", "?"),
    ] {
        assert_eq!(added(MARIADB, 0, column), empty, "{column}");
        assert_eq!(added(MARIADB, THIRTY_TWO, column), null, "{column}");
        assert_eq!(added(MYSQL, THIRTY_TWO, column), empty, "{column}");
    }
    // A label stays one.
    assert_eq!(added(MARIADB, THIRTY_TWO, "ENUM('', 'a') NOT NULL"), "");
}

#[test]
fn a_column_that_becomes_auto_increment_numbers_its_zeros() {
    const COLUMNS: &str = "id INT PRIMARY KEY, n INT, d DECIMAL(6,2)";
    const ALTER: &str = "MODIFY n INT AUTO_INCREMENT, ADD KEY (n)";
    for (mode, value, want) in [
        (0, "0", "?"),
        (0, "NULL", "?"),
        (0, "7", "7"),
        (0, "-1", "-1"),
        (KEEP_ZEROS, "0", "0"),
        (KEEP_ZEROS, "NULL", "?"),
    ] {
        let row = after(MYSQL, mode, COLUMNS, &["1", value, "1.00"], ALTER);
        assert_eq!(row, ["1", want, "1.00"], "{mode:x} {value}");
    }
    // It is the new value that counts.
    let row = after(MYSQL, 0, COLUMNS, &["1", "3", "0.40"], "MODIFY d INT AUTO_INCREMENT, ADD KEY (d)");
    assert_eq!(row[2], "?");
    let again = "id INT PRIMARY KEY, n INT AUTO_INCREMENT, KEY (n)";
    assert_eq!(after(MYSQL, 0, again, &["1", "0"], "MODIFY n BIGINT AUTO_INCREMENT")[1], "0");
}

/// The first number is that of auto_increment_offset.
#[test]
fn the_way_back_from_a_number_of_another_step_is_not_known() {
    for (steps, value, known) in [(None, "5", true), (Some((10, 5)), "5", false), (Some((10, 5)), "-5", true)]
    {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(MYSQL, "s", "CREATE TABLE x (id INT PRIMARY KEY)"));
        let alter = statement(MYSQL, "s", "ALTER TABLE x MODIFY id INT AUTO_INCREMENT");
        catalog.apply(&LoggedStatement { auto_increment_steps: steps, ..alter });
        let id = definition(&catalog, &name("s", "x")).unwrap();
        let row = catalog.carry(id, DefinitionId(0), vec![Ok(Some(value.as_bytes().to_vec()))]).unwrap();
        assert_eq!(row[0].is_ok(), known, "{steps:?}: {value}");
    }
}

#[test]
fn the_way_back_from_a_number_that_may_be_new_is_not_known() {
    for (columns, alter, value, known) in [
        ("id INT PRIMARY KEY, n INT NOT NULL", "MODIFY n INT AUTO_INCREMENT, ADD KEY (n)", "7", false),
        ("id INT PRIMARY KEY, n INT NOT NULL", "MODIFY n INT AUTO_INCREMENT, ADD KEY (n)", "-7", true),
        ("id INT NOT NULL, n INT PRIMARY KEY", "MODIFY n INT AUTO_INCREMENT", "7", true),
        ("id INT NOT NULL, n INT PRIMARY KEY", "MODIFY n INT AUTO_INCREMENT", "1", false),
        ("id INT, n INT, PRIMARY KEY (id, n)", "MODIFY n INT AUTO_INCREMENT, ADD KEY (n)", "7", false),
    ] {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(MYSQL, "s", &format!("CREATE TABLE x ({columns})")));
        catalog.apply(&statement(MYSQL, "s", &format!("ALTER TABLE x {alter}")));
        let id = definition(&catalog, &name("s", "x")).unwrap();
        let row = vec![Ok(Some(b"5".to_vec())), Ok(Some(value.as_bytes().to_vec()))];
        let row = catalog.carry(id, DefinitionId(0), row).unwrap();
        assert_eq!(row[1].is_ok(), known, "{columns}; {alter}: {value}");
    }
}

/// All of MySQL 9.7 and MariaDB 11.8 alike; `?`: they differ, or it is not followed.
#[test]
fn a_number_as_a_default_is_shown_as_a_number() {
    for (column, want) in [
        ("VARCHAR(9) DEFAULT 007", "7"),
        ("VARCHAR(9) DEFAULT -0", "0"),
        ("VARCHAR(9) DEFAULT -00012", "-12"),
        ("VARCHAR(9) DEFAULT .5", "0.5"),
        ("VARCHAR(9) DEFAULT 5.", "5"),
        ("VARCHAR(9) DEFAULT 1.50", "1.50"),
        ("VARCHAR(40) DEFAULT 18446744073709551616", "18446744073709551616"),
        ("VARCHAR(9) DEFAULT 1e3", "?"),
        ("CHAR(9) DEFAULT 012", "12"),
        ("VARBINARY(9) DEFAULT 012", "12"),
        ("VARCHAR(9) DEFAULT '007'", "007"),
        ("ENUM('2','1') DEFAULT 1", "?"),
        ("SET('2','1') DEFAULT 1", "?"),
        ("ENUM('2','1') DEFAULT '1'", "1"),
        ("DOUBLE DEFAULT -0", "?"),
        ("DOUBLE DEFAULT -0.5", "-0.5"),
        ("INT DEFAULT 007", "7"),
    ] {
        let row = after(MYSQL, 0, "id INT PRIMARY KEY", &["1"], &format!("ADD c {column}"));
        assert_eq!(row[1], want, "{column}");
    }
}

/// The bytes of a literal are those of character_set_connection, and of the set that is named
/// before it: `'a'` is 0061 in UTF-16.
#[test]
fn ascii_is_not_the_same_bytes_everywhere() {
    for (connection, column, want) in [
        (45, "VARBINARY(9) DEFAULT 'a'", "a"),
        (54, "VARBINARY(9) DEFAULT 'a'", "?"),
        (54, "BINARY(1) DEFAULT 'a'", "?"),
        (54, "BIT(8) DEFAULT 'a'", "?"),
        (35, "VARBINARY(9) DEFAULT ('a')", "?"),
        (54, "VARCHAR(9) DEFAULT 'a'", "a"),
        (54, "INT DEFAULT '5'", "5"),
        (45, "VARCHAR(9) DEFAULT _latin1'ab'", "ab"),
        (45, "VARCHAR(9) DEFAULT _ucs2'ab'", "?"),
    ] {
        let mut catalog = Catalog::default();
        catalog.apply(&statement(MYSQL, "s", "CREATE TABLE x (id INT PRIMARY KEY) CHARACTER SET utf8mb4"));
        let alter = statement(MYSQL, "s", &format!("ALTER TABLE x ADD c {column}"));
        catalog.apply(&LoggedStatement { charsets: Some((45, connection, 45)), ..alter });
        let id = definition(&catalog, &name("s", "x")).unwrap();
        let row = catalog.carry(DefinitionId(0), id, vec![Ok(Some(b"1".to_vec()))]).unwrap();
        let cell = row[1].as_ref().map_or("?".to_owned(), |c| String::from_utf8(c.clone().unwrap()).unwrap());
        assert_eq!(cell, want, "{connection} {column}");
    }
}
