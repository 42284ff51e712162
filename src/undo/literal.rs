//! Values as SQL that MySQL and MariaDB read back as exactly these: to be assigned, and to be
//! compared with.
//!
//! What decides the forms was seen on MySQL 9.7.4, MariaDB 11.8.9 and 10.11.19
//! (`tests/real/undo.py` asks them again):
//! * A FLOAT is compared as a DOUBLE: `f = 0.1` is never true. Its own value, written as a DOUBLE
//!   (`1.0000000149011612e-1`), always is.
//! * Text columns compare by their collation (case, accents, spaces at the end): bytes are compared
//!   instead.
//! * `d IS NULL` is true of a zero date in a NOT NULL column: `<=>` is not.
//! * No strict session takes the empty error value of an ENUM: that statement alone runs without
//!   (see [`Value::relaxed`]).

use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnType, Family};

/// Why a value cannot be written so that a server reads exactly it, as a half sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unwritable(pub String);

/// How text outside ASCII is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// As it is: whoever gets the statement gets it as UTF-8.
    Utf8,
    /// In hexadecimal digits.
    Ascii,
}

/// A value to assign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The literal.
    pub sql: String,
    /// No strict session takes it.
    pub relaxed: bool,
}

/// A name between backticks.
#[must_use]
pub fn name(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

/// A cell as a value to assign.
///
/// # Errors
/// No literal means exactly it.
pub fn value(cell: Option<&[u8]>, column: &Column, text: Text) -> Result<Value, Unwritable> {
    let plain = |sql| Value { sql, relaxed: false };
    let Some(bytes) = cell else { return Ok(plain("NULL".to_owned())) };
    let misfit = || {
        let reported = String::from_utf8_lossy(bytes);
        Unwritable(format!("'{reported}' is no value of {}", column.ty))
    };
    let words = || std::str::from_utf8(bytes).map_err(|_| misfit());
    Ok(plain(match column.ty.family() {
        Family::Integer | Family::Decimal => digits(words()?).ok_or_else(misfit)?,
        Family::FloatingPoint if matches!(column.ty, ColumnType::Float { .. }) => {
            let value: f32 = words()?.parse().map_err(|_| misfit())?;
            real(f64::from(value)).ok_or_else(misfit)?
        }
        Family::FloatingPoint => real(words()?.parse().map_err(|_| misfit())?).ok_or_else(misfit)?,
        Family::Bit => bits(bytes).ok_or_else(misfit)?,
        Family::Year | Family::Date | Family::Time | Family::DateTime | Family::Timestamp => {
            let words = words()?;
            let fits = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b' ');
            if words.is_empty() || !words.bytes().all(fits) {
                return Err(misfit());
            }
            format!("'{words}'")
        }
        Family::Address => quoted(words()?, Text::Ascii),
        Family::Bytes | Family::Geometry | Family::Vector => hex(bytes),
        Family::Json => {
            let words = words()?;
            if let Some(number) = inexact_number(words) {
                return Err(Unwritable(format!(
                    "the document holds {number}, a DECIMAL, which no JSON text gives"
                )));
            }
            quoted(words, text)
        }
        family @ (Family::Enum | Family::Set) => {
            let words = words()?;
            if words.is_empty() && column.ty.labels().iter().any(String::is_empty) {
                return Err(Unwritable("'' is one of its members and means none as well".to_owned()));
            }
            let relaxed = words.is_empty() && family == Family::Enum;
            return Ok(Value { sql: in_charset(words, column, text)?, relaxed });
        }
        Family::Text => in_charset(words()?, column, text)?,
    }))
}

/// A condition on a column that is true of exactly this cell.
///
/// # Errors
/// No condition is.
pub fn condition(cell: Option<&[u8]>, column: &Column, text: Text) -> Result<String, Unwritable> {
    let column_sql = name(&column.name);
    let Some(bytes) = cell else {
        // MySQL compares no VECTOR by `<=>` (1210).
        let is_vector = column.ty.family() == Family::Vector;
        return Ok(format!("{column_sql} {}", if is_vector { "IS NULL" } else { "<=> NULL" }));
    };
    let value = value(cell, column, text)?.sql;
    Ok(match column.ty.family() {
        Family::Text | Family::Enum | Family::Set => {
            let stored = stored(bytes, column);
            // Of ASCII, text and bytes are the same, and can be read.
            let bytes = if stored == bytes { value } else { hex(&stored) };
            format!("CAST({column_sql} AS BINARY) = {bytes}")
        }
        Family::Json | Family::Geometry | Family::Vector => {
            format!("CAST({column_sql} AS BINARY) = {value}")
        }
        // By the text that is shown, which is all that is known of it.
        Family::FloatingPoint if matches!(column.ty, ColumnType::Double { digits: Some(_), .. }) => {
            format!("CAST({column_sql} AS CHAR) = '{}'", String::from_utf8_lossy(bytes))
        }
        Family::Integer
        | Family::Decimal
        | Family::FloatingPoint
        | Family::Bit
        | Family::Year
        | Family::Date
        | Family::Time
        | Family::DateTime
        | Family::Timestamp
        | Family::Bytes
        | Family::Address => format!("{column_sql} = {value}"),
    })
}

/// A condition that finds the row of a key by the index, and is true of no other byte of it.
///
/// # Errors
/// As for [`condition`].
pub fn key_condition(cell: Option<&[u8]>, column: &Column, text: Text) -> Result<String, Unwritable> {
    let exact = condition(cell, column, text)?;
    if !column.ty.has_charset() || cell.is_none() {
        return Ok(exact);
    }
    let value = value(cell, column, text)?.sql;
    Ok(format!("{} = {value} AND {exact}", name(&column.name)))
}

/// Text as the column stores it.
fn stored(text: &[u8], column: &Column) -> Vec<u8> {
    charset::encode(column.charset().unwrap_or("utf8mb4"), text).into_owned()
}

/// Text for a column: outside ASCII as the bytes that it stores, where these are none of UTF-8.
fn in_charset(words: &str, column: &Column, text: Text) -> Result<String, Unwritable> {
    let set = column.charset().unwrap_or("utf8mb4");
    if words.is_ascii() || matches!(set, "utf8mb4" | "utf8mb3" | "utf8") {
        return Ok(quoted(words, text));
    }
    let bytes = stored(words.as_bytes(), column);
    if charset::decode(set, &bytes).ok().as_deref() != Some(words) {
        return Err(Unwritable(format!("it holds characters that {set} does not have")));
    }
    Ok(format!("_{set} {}", hex(&bytes)))
}

/// Text between quotes, the same in every sql_mode and after every way of copying it: what a client
/// may change goes in hexadecimal digits.
pub(super) fn quoted(words: &str, text: Text) -> String {
    let touchy = |c: char| c.is_control() || c == '\\' || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    if words.chars().any(touchy) || !words.is_ascii() && text == Text::Ascii {
        return format!("_utf8mb4 {}", hex(words.as_bytes()));
    }
    let introducer = if words.is_ascii() { "" } else { "_utf8mb4" };
    format!("{introducer}'{}'", words.replace('\'', "''"))
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "''".to_owned() } else { format!("x'{}'", hex::encode(bytes)) }
}

/// A number in digits, without what ZEROFILL puts before it.
fn digits(words: &str) -> Option<String> {
    let (sign, rest) = words.strip_prefix('-').map_or(("", words), |rest| ("-", rest));
    let (integer, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(integer) || !fraction.is_none_or(all_digits) {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    let integer = if integer.is_empty() { "0" } else { integer };
    Some(match fraction {
        Some(fraction) => format!("{sign}{integer}.{fraction}"),
        None => format!("{sign}{integer}"),
    })
}

/// A DOUBLE: the exponent makes it one, and no DECIMAL.
fn real(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    // In MySQL `-0e0` is the number 0 with its sign taken off in some positions; its text is not.
    Some(if value == 0.0 && value.is_sign_negative() { "'-0'".to_owned() } else { format!("{value:e}") })
}

fn bits(bytes: &[u8]) -> Option<String> {
    if bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b)).to_string())
}

/// A number of a JSON document that would become another one if the text were read.
fn inexact_number(document: &str) -> Option<String> {
    let mut rest = document.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == '"' {
            while let Some((_, c)) = rest.next() {
                match c {
                    '\\' => drop(rest.next()),
                    '"' => break,
                    _ => {}
                }
            }
        } else if c == '-' || c.is_ascii_digit() {
            let mut end = at + 1;
            while let Some((next, c)) = rest.peek().copied() {
                if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-')) {
                    break;
                }
                end = next + 1;
                rest.next();
            }
            let number = document.get(at..end).unwrap_or_default();
            if !is_read_exactly(number) {
                return Some(number.to_owned());
            }
        }
    }
    None
}

fn is_read_exactly(number: &str) -> bool {
    if !number.contains(['.', 'e', 'E']) {
        return number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    }
    let Ok(value) = number.parse::<f64>() else { return false };
    let shown = dbtrail_types::float_text::double_text(value);
    number == shown || number.strip_suffix(".0") == Some(&shown)
}

#[cfg(test)]
mod tests;
