//! Values as literals that mean them.

use super::*;

fn column(ty: &str, collation: Option<&str>) -> Column {
    Column::new("c".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
}

/// Each form was read by MySQL 9.7.4, MariaDB 11.8.9 and 10.11.19 as the value that is before
/// it.
#[test]
fn ok_every_type_has_an_exact_form() {
    let utf8 = Some("utf8mb4_0900_ai_ci");
    for (ty, collation, cell, value_sql, condition_sql) in [
        ("int unsigned zerofill", None, &b"0000000042"[..], "42", "`c` = 42"),
        ("bigint", None, b"-9223372036854775808", "-9223372036854775808", "`c` = -9223372036854775808"),
        ("decimal(10,3)", None, b"-0.500", "-0.500", "`c` = -0.500"),
        ("float", None, b"0.1", "1.0000000149011612e-1", "`c` = 1.0000000149011612e-1"),
        ("float(10,3)", None, b"1.100", "1.100000023841858e0", "`c` = 1.100000023841858e0"),
        ("double", None, b"0.1", "1e-1", "`c` = 1e-1"),
        ("double", None, b"-0", "'-0'", "`c` = '-0'"),
        ("double(20,4)", None, b"1.5000", "1.5e0", "CAST(`c` AS CHAR) = '1.5000'"),
        (
            "bit(64)",
            None,
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
            "`c` = 18446744073709551615",
        ),
        ("year", None, b"0000", "'0000'", "`c` = '0000'"),
        ("date", None, b"0000-00-00", "'0000-00-00'", "`c` = '0000-00-00'"),
        ("time(2)", None, b"-838:59:59.00", "'-838:59:59.00'", "`c` = '-838:59:59.00'"),
        ("varbinary(9)", None, b"\x00\xff", "x'00ff'", "`c` = x'00ff'"),
        ("blob", None, b"", "''", "`c` = ''"),
        ("vector(1)", None, b"\x00\x00\x80\x3f", "x'0000803f'", "CAST(`c` AS BINARY) = x'0000803f'"),
        ("varchar(9)", utf8, b"it's ", "'it''s '", "CAST(`c` AS BINARY) = 'it''s '"),
        ("varchar(9)", utf8, "é🙂".as_bytes(), "_utf8mb4'é🙂'", "CAST(`c` AS BINARY) = _utf8mb4'é🙂'"),
        ("text", utf8, b"a\\b", "_utf8mb4 x'615c62'", "CAST(`c` AS BINARY) = _utf8mb4 x'615c62'"),
        ("text", utf8, b"a\nb", "_utf8mb4 x'610a62'", "CAST(`c` AS BINARY) = _utf8mb4 x'610a62'"),
        (
            "varchar(9)",
            Some("latin1_swedish_ci"),
            "é".as_bytes(),
            "_latin1 x'e9'",
            "CAST(`c` AS BINARY) = x'e9'",
        ),
        ("varchar(9)", Some("ucs2_general_ci"), b"a", "'a'", "CAST(`c` AS BINARY) = x'0061'"),
        ("enum('x','y')", utf8, b"x", "'x'", "CAST(`c` AS BINARY) = 'x'"),
        ("set('x','y')", utf8, b"", "''", "CAST(`c` AS BINARY) = ''"),
        ("json", None, b"{\"a\": 1.5}", "'{\"a\": 1.5}'", "CAST(`c` AS BINARY) = '{\"a\": 1.5}'"),
        (
            "uuid",
            None,
            b"123e4567-e89b-12d3-a456-426655440000",
            "'123e4567-e89b-12d3-a456-426655440000'",
            "`c` = '123e4567-e89b-12d3-a456-426655440000'",
        ),
    ] {
        let column = column(ty, collation);
        let written = value(Some(cell), &column, Text::Utf8).unwrap();
        assert_eq!((written.sql.as_str(), written.relaxed), (value_sql, false), "{ty}");
        assert_eq!(condition(Some(cell), &column, Text::Utf8).unwrap(), condition_sql, "{ty}");
        let null = if ty.starts_with("vector") { "`c` IS NULL" } else { "`c` <=> NULL" };
        assert_eq!(condition(None, &column, Text::Utf8).unwrap(), null);
    }
}

#[test]
fn ok_text_for_a_client_of_another_character_set_is_ascii() {
    let column = column("varchar(9)", Some("utf8mb4_bin"));
    let written = value(Some("é".as_bytes()), &column, Text::Ascii).unwrap();
    assert_eq!(written.sql, "_utf8mb4 x'c3a9'");
    let key = key_condition(Some("é".as_bytes()), &column, Text::Ascii).unwrap();
    assert_eq!(key, "`c` = _utf8mb4 x'c3a9' AND CAST(`c` AS BINARY) = _utf8mb4 x'c3a9'");
}

#[test]
fn ok_the_error_value_of_an_enum_needs_a_session_that_is_not_strict() {
    let written = value(Some(b""), &column("enum('x')", Some("latin1_bin")), Text::Utf8).unwrap();
    assert_eq!(written, Value { sql: "''".to_owned(), relaxed: true });
}

#[test]
fn refused_what_no_literal_means() {
    for (ty, collation, cell) in [
        ("enum('','x')", Some("utf8mb4_bin"), &b""[..]),
        ("set('','x')", Some("utf8mb4_bin"), b""),
        ("int", None, b"4x"),
        ("int", None, b""),
        ("decimal(4,1)", None, b"1."),
        ("double", None, b"inf"),
        ("date", None, b"2024'01"),
        ("json", None, b"{\"price\": 1.10}"),
        ("json", None, b"[1, 123456789012345678901234567890]"),
        ("varchar(9)", Some("latin1_swedish_ci"), "日".as_bytes()),
    ] {
        let column = column(ty, collation);
        assert!(value(Some(cell), &column, Text::Utf8).is_err(), "{ty} {cell:?}");
        assert!(condition(Some(cell), &column, Text::Utf8).is_err(), "{ty} {cell:?}");
    }
}

#[test]
fn ok_numbers_in_json_that_are_read_as_they_were() {
    for document in
        ["1.0", "[1e100, 18446744073709551615, -1]", "\"1.10\"", "{\"1.10\": \"\\\"1.10\"}", "0.1", "-0.0"]
    {
        assert_eq!(inexact_number(document), None, "{document}");
    }
}
