//! A stored value after ALTER TABLE has changed the type of its column: exactly what the server
//! makes of it, or nothing.
//!
//! `tests/it/conversions.rs` holds this to what MySQL 9.7 and MariaDB 11.8 made of telling values,
//! for every pair of types.

#![expect(clippy::wildcard_enum_match_arm, reason = "the pairs of types that are not named are not followed")]

mod by;
mod lossless;
mod strings;

use super::number::{self, Exact};
use super::temporal::Temporal;
pub(super) use by::{By, STRICT};
use by::{ROUNDS, TRUNCATES};
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::float_text::{double_text, exact_float_text};
pub(super) use lossless::{is_lossless, keeps_keys};
use std::borrow::Cow;
use strings::{binary, text};

/// What a value was before.
enum OldValue<'a> {
    Exact(Exact),
    Float(f32),
    Double(f64),
    /// Text, and the number of an ENUM's label.
    Text(&'a str, Option<usize>),
    Temporal(Temporal),
    Bytes(&'a [u8]),
}

/// The value under the new type; `None`: not known.
pub(super) fn convert(bytes: &[u8], from: &Column, to: &Column, by: By) -> Option<Vec<u8>> {
    let mariadb = match by {
        By::Unknown => return None,
        By::Nobody => return Some(bytes.to_vec()),
        By::Server { mariadb, .. } => mariadb,
    };
    // A TIMESTAMP is shown in the session's time zone.
    let zoned = |column: &Column| matches!(column.ty, ColumnType::Timestamp { .. });
    if zoned(from) && !zoned(to) {
        return None;
    }
    // A column of any geometry takes one of a kind as it is.
    if let (ColumnType::Geometry { .. }, ColumnType::Geometry { kind }) = (&from.ty, &to.ty) {
        return (kind == "geometry").then(|| bytes.to_vec());
    }
    let read = if by.pads() { padded(bytes, from, to)? } else { bytes.into() };
    let source = source(&read, from)?;
    match &to.ty {
        ColumnType::Int { size, unsigned, zerofill, display_width } => {
            let value = integer(&source)?;
            let (low, high) = size.range(*unsigned);
            // Out of the range a strict session fails, and the others take the end of it.
            // In what a text beyond the range ends, servers differ.
            let clamps = by.is_lax() && !matches!(source, OldValue::Text(..));
            let value = if clamps { value.clamp(low, high) } else { value };
            if !(low..=high).contains(&value) {
                return None;
            }
            let width = display_width.filter(|_| *zerofill).map_or(0, usize::from);
            Some(format!("{value:0width$}").into_bytes())
        }
        ColumnType::Decimal { precision, scale, unsigned, zerofill: false } => {
            let exact = match source {
                OldValue::Exact(exact) => exact,
                OldValue::Text(text, None) => Exact::read(text)?,
                OldValue::Text(_, Some(index)) if index > 0 => Exact::read(&index.to_string())?,
                OldValue::Temporal(t) => t.number()?,
                OldValue::Double(v) => Exact::read(&double_text(v)).filter(|e| e.digits() <= 15)?,
                _ => return None,
            };
            let rounded = exact.rounded(usize::from(*scale));
            let fits = rounded.integer_digits() <= usize::from(precision.checked_sub(*scale)?);
            (fits && !(*unsigned && rounded.negative)).then(|| rounded.to_string().into_bytes())
        }
        ColumnType::Float { digits: None, zerofill: false, unsigned } => {
            let value = float(&source)?;
            #[expect(clippy::cast_possible_truncation, reason = "as the server stores it")]
            let value = value as f32;
            (value.is_finite() && !(*unsigned && value < 0.0)).then(|| exact_float_text(value).into_bytes())
        }
        ColumnType::Double { digits: None, zerofill: false, unsigned } => {
            let value = float(&source)?;
            (value.is_finite() && !(*unsigned && value < 0.0)).then(|| double_text(value).into_bytes())
        }
        ColumnType::Bit { bits } => {
            let value = u64::try_from(match source {
                OldValue::Exact(exact) => exact.integer()?,
                _ => return None,
            })
            .ok()?;
            let length = usize::from(*bits).div_ceil(8);
            let fits = *bits >= 64 || value >> *bits == 0;
            value.to_be_bytes().get(8_usize.checked_sub(length)?..).filter(|_| fits).map(<[u8]>::to_vec)
        }
        ColumnType::Year => year(&source),
        // The bits themselves, and not their number, as in the other types of text.
        ColumnType::Blob { .. } if matches!(from.ty, ColumnType::Bit { .. }) => Some(bytes.to_vec()),
        ColumnType::Text { .. } if matches!(from.ty, ColumnType::Bit { .. }) => None,
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            text(&source, from, to)
        }
        ColumnType::Binary { .. } | ColumnType::VarBinary { .. } | ColumnType::Blob { .. } => {
            binary(&source, from, to)
        }
        ColumnType::Enum { labels } => match &source {
            // By the text, as long as there is such a label.
            OldValue::Text(text, _) => labels.iter().find(|l| l == text).map(|l| l.clone().into_bytes()),
            OldValue::Exact(exact) if matches!(from.ty, ColumnType::Int { zerofill: false, .. }) => {
                let index = usize::try_from(exact.integer()?).ok()?.checked_sub(1)?;
                labels.get(index).map(|l| l.clone().into_bytes())
            }
            _ => None,
        },
        ColumnType::Set { labels } => match &source {
            OldValue::Text(text, _) => set(text, labels),
            _ => None,
        },
        ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. } => {
            let OldValue::Temporal(value) = source else {
                return match source {
                    OldValue::Text(text, None) => Temporal::read(text)?.converted(None, &to.ty, rounds(by)?),
                    _ => None,
                };
            };
            value.converted(Some(&from.ty), &to.ty, rounds(by)?)
        }
        // MariaDB's JSON is text, and MySQL's writes what it holds again.
        ColumnType::Json => (mariadb && matches!(source, OldValue::Text(..))).then(|| bytes.to_vec()),
        _ => None,
    }
}

/// Whether decimals of a second that do not fit are rounded; else they are cut. `None`: not known.
fn rounds(by: By) -> Option<bool> {
    match by {
        By::Server { mariadb: true, mode: Some(mode), .. } => Some(mode & ROUNDS != 0),
        By::Server { mariadb: false, mode: Some(mode), .. } => Some(mode & TRUNCATES == 0),
        _ => None,
    }
}

/// What a session reads of a CHAR that fills it with spaces, where it becomes text of another kind;
/// `None`: what becomes of it is not known.
fn padded<'a>(bytes: &'a [u8], from: &Column, to: &Column) -> Option<Cow<'a, [u8]>> {
    let ColumnType::Char { chars } = from.ty else { return Some(bytes.into()) };
    match to.ty {
        // The spaces at the end go again.
        ColumnType::Char { .. } => Some(bytes.into()),
        ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            let text = std::str::from_utf8(bytes).ok()?;
            let missing = usize::try_from(chars).ok()?.checked_sub(text.chars().count())?;
            Some([bytes, b" ".repeat(missing).as_slice()].concat().into())
        }
        _ => None,
    }
}

fn source<'a>(bytes: &'a [u8], from: &Column) -> Option<OldValue<'a>> {
    let text = || std::str::from_utf8(bytes).ok();
    Some(match &from.ty {
        ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Year => {
            OldValue::Exact(Exact::read(text()?)?)
        }
        ColumnType::Bit { .. } => {
            let value = bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
            OldValue::Exact(Exact::read(&value.to_string())?)
        }
        ColumnType::Float { digits: None, zerofill: false, .. } => OldValue::Float(text()?.parse().ok()?),
        ColumnType::Double { digits: None, zerofill: false, .. } => OldValue::Double(text()?.parse().ok()?),
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            OldValue::Text(text()?, None)
        }
        ColumnType::Set { .. }
        | ColumnType::Json
        | ColumnType::Uuid
        | ColumnType::Inet4
        | ColumnType::Inet6 => OldValue::Text(text()?, Some(0)),
        ColumnType::Enum { labels } => {
            let text = text()?;
            // The error value '' has no label.
            OldValue::Text(text, Some(labels.iter().position(|l| l == text)? + 1))
        }
        ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. } => OldValue::Temporal(Temporal::read(text()?)?),
        ColumnType::Binary { .. } | ColumnType::VarBinary { .. } | ColumnType::Blob { .. } => {
            OldValue::Bytes(bytes)
        }
        _ => return None,
    })
}

/// The value in an integer column.
fn integer(source: &OldValue<'_>) -> Option<i128> {
    match source {
        OldValue::Exact(exact) => exact.rounded(0).integer(),
        // Half to even, as rint() does.
        OldValue::Double(v) if v.abs() < 9e15 => number::integer(v.round_ties_even()),
        OldValue::Float(v) if v.abs() < 9e15 => number::integer(f64::from(*v).round_ties_even()),
        OldValue::Text(text, None) => Exact::read(text).filter(|e| e.scale() == 0)?.integer(),
        OldValue::Text(_, Some(index)) if *index > 0 => i128::try_from(*index).ok(),
        OldValue::Temporal(t) => t.number()?.integer(),
        _ => None,
    }
}

fn float(source: &OldValue<'_>) -> Option<f64> {
    match source {
        OldValue::Exact(exact) => exact.to_string().parse().ok(),
        OldValue::Float(v) => Some(f64::from(*v)),
        OldValue::Double(v) => Some(*v),
        OldValue::Text(_, Some(index)) if *index > 0 => index.to_string().parse().ok(),
        OldValue::Text(text, None) => {
            let exact = Exact::read(text)?;
            // The negative zero of a text stays one.
            (exact.negative || !text.starts_with('-')).then(|| exact.to_string().parse().ok())?
        }
        _ => None,
    }
}

fn year(source: &OldValue<'_>) -> Option<Vec<u8>> {
    let value = match source {
        OldValue::Exact(exact) => match exact.integer()? {
            0 => return Some(b"0000".to_vec()),
            year => year,
        },
        OldValue::Text(text, None) if text.len() == 4 => Exact::read(text)?.integer()?,
        _ => return None,
    };
    (1901..=2155).contains(&value).then(|| value.to_string().into_bytes())
}

fn set(text: &str, labels: &[String]) -> Option<Vec<u8>> {
    let chosen: Vec<&str> = text.split(',').filter(|l| !l.is_empty()).collect();
    let shown: Vec<&str> = labels.iter().map(String::as_str).filter(|l| chosen.contains(l)).collect();
    (shown.len() == chosen.len()).then(|| shown.join(",").into_bytes())
}
