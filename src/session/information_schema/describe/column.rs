//! A column as information_schema describes it.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named are no numbers")]

use super::super::shown_schema::ShownSchema;
use dbtrail_expression::Value;
use dbtrail_types::column::{Column, ColumnKey, ColumnType, IntSize};

pub(super) type Row = Vec<Value>;

pub(super) fn text(value: &str) -> Value {
    Value::from(value.to_owned())
}

fn optional(value: Option<&str>) -> Value {
    value.map_or(Value::Null, text)
}

fn number(value: Option<impl Into<i128>>) -> Value {
    value.map_or(Value::Null, |n| Value::Int(n.into()))
}

pub(super) fn column(shown_schema: &ShownSchema, table: &str, at: i128, column: &Column) -> Row {
    let full = column.shown_type.clone().unwrap_or_else(|| column.ty.to_string());
    let word = full.split(['(', ' ']).next().unwrap_or_default();
    let (chars, octets) = lengths(column);
    let (precision, scale) = precision(&column.ty);
    vec![
        Value::from("def"),
        text(&shown_schema.shown),
        text(table),
        text(&column.name),
        Value::Int(at),
        // An agent tells that there is a default, and not which.
        Value::Null,
        Value::from(if column.nullable { "YES" } else { "NO" }),
        text(word),
        number(chars),
        number(octets),
        number(precision),
        number(scale),
        number(column.ty.fractional_digits()),
        optional(column.charset()),
        optional(column.collation.as_deref()),
        text(&full),
        Value::from(match column.key {
            ColumnKey::None => "",
            ColumnKey::Primary => "PRI",
            ColumnKey::Unique => "UNI",
            ColumnKey::Multiple => "MUL",
        }),
        Value::from(extra(column)),
        Value::from("select"),
        Value::from(""),
        Value::from(""),
        Value::Null,
    ]
}

/// EXTRA: what MySQL 9.7 says of columns as far as an agent tells them.
fn extra(column: &Column) -> &'static str {
    match (column.auto_increment, column.on_update_now, column.invisible) {
        (true, _, false) => "auto_increment",
        (true, _, true) => "auto_increment INVISIBLE",
        (false, true, false) => "on update CURRENT_TIMESTAMP",
        (false, true, true) => "on update CURRENT_TIMESTAMP INVISIBLE",
        (false, false, true) => "INVISIBLE",
        (false, false, false) => "",
    }
}

/// CHARACTER_MAXIMUM_LENGTH and CHARACTER_OCTET_LENGTH.
fn lengths(column: &Column) -> (Option<u64>, Option<u64>) {
    if let Some(chars) = column.ty.most_chars() {
        let bytes = bytes_a_character(column.charset().unwrap_or_default());
        return (Some(chars), bytes.map(|b| chars * b));
    }
    let bytes = column.ty.most_bytes().map(u64::from);
    (bytes, bytes)
}

/// MAXLEN of SHOW CHARACTER SET of MySQL 9.7; `None`: a character set that it does not have.
fn bytes_a_character(charset: &str) -> Option<u64> {
    Some(match charset {
        "armscii8" | "ascii" | "cp1250" | "cp1251" | "cp1256" | "cp1257" | "cp850" | "cp852" | "cp866"
        | "dec8" | "geostd8" | "greek" | "hebrew" | "hp8" | "keybcs2" | "koi8r" | "koi8u" | "latin1"
        | "latin2" | "latin5" | "latin7" | "macce" | "macroman" | "swe7" | "tis620" | "binary" => 1,
        "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" | "ucs2" => 2,
        "eucjpms" | "ujis" | "utf8" | "utf8mb3" => 3,
        "gb18030" | "utf16" | "utf16le" | "utf32" | "utf8mb4" => 4,
        _ => return None,
    })
}

/// NUMERIC_PRECISION and NUMERIC_SCALE.
fn precision(ty: &ColumnType) -> (Option<u8>, Option<u8>) {
    match ty {
        // One digit less than mysqld counts for it where it computes.
        ColumnType::Int { size: IntSize::Medium, .. } => (Some(7), Some(0)),
        ColumnType::Int { size, unsigned, .. } => (Some(size.digits(*unsigned)), Some(0)),
        ColumnType::Decimal { precision, scale, .. } => (Some(*precision), Some(*scale)),
        ColumnType::Float { digits, .. } => (Some(digits.map_or(12, |d| d.0)), digits.map(|d| d.1)),
        ColumnType::Double { digits, .. } => (Some(digits.map_or(22, |d| d.0)), digits.map(|d| d.1)),
        ColumnType::Bit { bits } => (Some(*bits), None),
        _ => (None, None),
    }
}
