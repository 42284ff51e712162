//! A column as information_schema describes it.

use super::super::shown_schema::ShownSchema;
use dbtrail_expression::Value;
use dbtrail_types::column::{Column, ColumnKey, ColumnType, IntSize, LobSize};

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
    let fraction = if let ColumnType::Time { fsp }
    | ColumnType::DateTime { fsp }
    | ColumnType::Timestamp { fsp } = column.ty
    {
        Some(fsp)
    } else {
        None
    };
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
        number(fraction),
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
    let bytes = bytes_a_character(column.charset().unwrap_or_default());
    let of_chars = |chars: u64| (Some(chars), bytes.map(|b| chars * b));
    let both = |length: u64| (Some(length), Some(length));
    let letters = |label: &String| label.chars().count() as u64;
    match &column.ty {
        ColumnType::Char { chars } | ColumnType::VarChar { chars } => of_chars((*chars).into()),
        ColumnType::Enum { labels } => of_chars(labels.iter().map(letters).max().unwrap_or(0)),
        ColumnType::Set { labels } => {
            let commas = labels.len().saturating_sub(1) as u64;
            of_chars(labels.iter().map(letters).sum::<u64>() + commas)
        }
        ColumnType::Binary { bytes } | ColumnType::VarBinary { bytes } => both((*bytes).into()),
        ColumnType::Text { size } | ColumnType::Blob { size } => both(match size {
            LobSize::Tiny => 255,
            LobSize::Normal => 65_535,
            LobSize::Medium => 16_777_215,
            LobSize::Long => 4_294_967_295,
        }),
        ColumnType::Vector { dimensions } => both(u64::from(*dimensions) * 4),
        ColumnType::Int { .. }
        | ColumnType::Decimal { .. }
        | ColumnType::Float { .. }
        | ColumnType::Double { .. }
        | ColumnType::Bit { .. }
        | ColumnType::Year
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Uuid
        | ColumnType::Inet4
        | ColumnType::Inet6 => (None, None),
    }
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
        ColumnType::Int { size, unsigned, .. } => {
            let digits = match (size, unsigned) {
                (IntSize::Tiny, _) => 3,
                (IntSize::Small, _) => 5,
                (IntSize::Medium, _) => 7,
                (IntSize::Int, _) => 10,
                (IntSize::Big, false) => 19,
                (IntSize::Big, true) => 20,
            };
            (Some(digits), Some(0))
        }
        ColumnType::Decimal { precision, scale, .. } => (Some(*precision), Some(*scale)),
        ColumnType::Float { digits, .. } => (Some(digits.map_or(12, |d| d.0)), digits.map(|d| d.1)),
        ColumnType::Double { digits, .. } => (Some(digits.map_or(22, |d| d.0)), digits.map(|d| d.1)),
        ColumnType::Bit { bits } => (Some(*bits), None),
        ColumnType::Year
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. }
        | ColumnType::Char { .. }
        | ColumnType::VarChar { .. }
        | ColumnType::Binary { .. }
        | ColumnType::VarBinary { .. }
        | ColumnType::Text { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Enum { .. }
        | ColumnType::Set { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. }
        | ColumnType::Uuid
        | ColumnType::Inet4
        | ColumnType::Inet6 => (None, None),
    }
}
