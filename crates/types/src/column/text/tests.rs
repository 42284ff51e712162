//! Types as text, both ways.

use super::*;

#[test]
fn ok_types_print_as_mysql_shows_them() {
    for (text, shown) in [
        ("BIGINT(20) UNSIGNED", "bigint unsigned"),
        ("int(8) zerofill", "int(8) unsigned zerofill"),
        ("INT ZEROFILL", "int(10) unsigned zerofill"),
        ("tinyint(1)", "tinyint(1)"),
        ("BOOLEAN", "tinyint(1)"),
        ("tinyint(4)", "tinyint"),
        ("DEC", "decimal(10,0)"),
        ("decimal(12,2)", "decimal(12,2)"),
        ("FLOAT(53)", "double"),
        ("double precision", "double"),
        ("float(7,3)", "float(7,3)"),
        ("YEAR(4)", "year"),
        ("datetime(3)", "datetime(3)"),
        ("enum('x','it''s',  'é')", "enum('x','it''s','é')"),
        ("VARCHAR ( 60 )", "varchar(60)"),
        ("blob(70000)", "mediumblob"),
        ("bit", "bit(1)"),
    ] {
        let parsed: ColumnType = text.parse().unwrap();
        assert_eq!(parsed.to_string(), shown, "{text}");
        assert_eq!(shown.parse::<ColumnType>().unwrap(), parsed, "{text}");
    }
}

#[test]
fn err_anything_else() {
    for text in [
        "",
        "(",
        "int(",
        "int()",
        "varchar",
        "enum(1)",
        "date(3)",
        "decimal(5,9)",
        "json unsigned",
        "enum('a",
        "time(7)",
    ] {
        assert!(text.parse::<ColumnType>().is_err(), "{text}");
    }
}
