//! Tables are read in chunks along their keys, each row once.

use super::cells::{logged, read};
use super::harness::{mariadb, sql};
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;

/// Keys, and whether they are gone along in chunks.
const KEYS: &[(&str, &[&str], bool)] = &[
    (
        "a BIGINT",
        &[
            "-9223372036854775808",
            "9223372036854775807",
            "9223372036854775806",
            "9007199254740993",
            "9007199254740992",
            "0",
        ],
        true,
    ),
    (
        "a BIGINT UNSIGNED",
        &["18446744073709551615", "18446744073709551614", "18446744073709551613", "0", "1"],
        true,
    ),
    ("a INT(6) ZEROFILL", &["42", "7", "1000000"], true),
    (
        "a DECIMAL(30,10)",
        &[
            "1.0000000001",
            "1.0000000002",
            "-5",
            "99999999999999999999.9999999999",
            "99999999999999999999.9999999998",
        ],
        true,
    ),
    ("a DATE", &["'2026-04-27'", "'0000-00-00'", "'2026-00-00'", "'9999-12-31'"], true),
    (
        "a DATETIME(6)",
        &[
            "'2026-04-27 09:00:00.000001'",
            "'2026-04-27 09:00:00.000002'",
            "'0000-00-00 00:00:00'",
            "'2026-04-27 09:00:00'",
        ],
        true,
    ),
    (
        "a TIMESTAMP(6) NOT NULL DEFAULT NOW(6)",
        &[
            "'2026-10-25 01:30:00.000001'",
            "'2026-10-25 00:30:00'",
            "'0000-00-00 00:00:00'",
            "'2026-03-29 02:30:00'",
        ],
        true,
    ),
    ("a TIME(3)", &["'-838:59:59'", "'-00:00:00.001'", "'00:00:00'", "'12:00:00.5'", "'838:59:59'"], true),
    ("a CHAR(4)", &["'a'", "'B'", "'ö'", "''", "'c d'"], true),
    ("a VARCHAR(9)", &["'a'", "'B'", "'b\\'c'", "'é'", "'ß'", "''", "'😀'", "'a\\\\b'"], true),
    ("a VARCHAR(9) COLLATE utf8mb4_bin", &["'a'", "'A'", "'b'", "'B'", "'é'"], true),
    (
        "a VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_german2_ci",
        &["'ä'", "'b'", "'ü'", "'u'", "'€'"],
        true,
    ),
    ("a VARCHAR(9) CHARACTER SET utf16", &["'a'", "'😀'", "'é'"], true),
    ("a BINARY(3)", &["X'00'", "X'0001'", "X'ff'", "'a '", "'a'"], true),
    ("a VARBINARY(9)", &["X'00'", "X'0000'", "X'ff'", "''", "'a'", "'A'"], true),
    ("a YEAR", &["2026", "1999", "'0000'"], false),
    ("a ENUM('z','a','m')", &["'z'", "'a'", "'m'"], false),
    ("a SET('z','a')", &["'z'", "'a'", "'z,a'"], false),
    ("a BIT(8)", &["1", "255", "0"], false),
    ("a DOUBLE", &["0.1", "0.2", "1e300"], false),
    ("a FLOAT", &["0.1", "0.2", "16777216"], false),
];

const MARIADB_KEYS: &[(&str, &[&str], bool)] = &[
    (
        "a UUID",
        &[
            "'0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'",
            "'00000000-0000-0000-0000-000000000000'",
            "'f190a1b2-c3d4-1e5f-8a6b-000000000001'",
        ],
        true,
    ),
    ("a INET4", &["'1.2.3.4'", "'0.0.0.0'", "'255.1.1.1'"], true),
    ("a INET6", &["'::1'", "'::'", "'ffff::'", "'::ffff:1.2.3.4'"], true),
];

#[tokio::test]
async fn keys_are_gone_along_exactly() {
    let own = if mariadb().await { MARIADB_KEYS } else { &[] };
    let mut statements = vec![
        "DROP DATABASE IF EXISTS ckeys".to_owned(),
        "CREATE DATABASE ckeys DEFAULT CHARACTER SET utf8mb4".to_owned(),
        "SET NAMES utf8mb4".to_owned(),
        "SET sql_mode = '', time_zone = '+00:00'".to_owned(),
    ];
    let mut tables = BTreeMap::new();
    for (i, (column, values, chunks)) in KEYS.iter().chain(own).enumerate() {
        // Alone, in front of and after a number.
        for (j, key) in ["a", "a, n", "n, a"].iter().enumerate() {
            let table = format!("k{i}_{j}");
            statements.push(format!(
                "CREATE TABLE ckeys.{table} ({column}, n SMALLINT, v INT, PRIMARY KEY ({key}))"
            ));
            let mut count = 0;
            for n in if j == 0 { 0..1 } else { -1..2 } {
                for value in *values {
                    statements.push(format!("INSERT INTO ckeys.{table} VALUES ({value}, {n}, {count})"));
                    count += 1;
                }
            }
            tables.insert(table, (column, count, *chunks));
        }
    }
    sql(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (table, (column, count, chunks)) in tables {
        let name = TableName { schema: "ckeys".into(), table: table.clone() };
        let (definition, mut logged) = logged(&name).await;
        let (mut read, messages) = read(&name, &definition, 2).await;
        assert_eq!(logged.len(), count);
        if chunks && !table.ends_with("_0") {
            // Each piece is asked for after the one before.
            assert!(messages >= count / 2, "{column}: {messages}");
        }
        read.sort();
        logged.sort();
        assert!(read == logged, "{column} {table}: {} rows read, {} logged", read.len(), logged.len());
    }
}
