//! A column as information_schema describes it.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named are no numbers")]

use super::super::shown_schema::ShownSchema;
use dbtrail_expression::Value;
use dbtrail_types::charset::bytes_of_character;
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
        let bytes = bytes_of_character(column.charset().unwrap_or_default());
        return (Some(chars), bytes.map(|(_, longest)| chars * u64::from(longest)));
    }
    let bytes = column.ty.most_bytes().map(u64::from);
    (bytes, bytes)
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
