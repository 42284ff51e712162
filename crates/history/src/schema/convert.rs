//! A stored value after ALTER TABLE has changed the type of its column: exactly what the server
//! makes of it, or nothing.
//!
//! `tests/it/conversions.rs` holds this to what MySQL 9.7 and MariaDB 11.8 made of telling values,
//! for every pair of types.

#![expect(clippy::wildcard_enum_match_arm, reason = "the pairs of types that are not named are not followed")]

use super::converted::convertible;
use super::number::{self, Exact};
use super::temporal::Temporal;
use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::float_text::{double_text, exact_float_text, float_text};
use serde::{Deserialize, Serialize};

/// sql_mode STRICT_TRANS_TABLES and STRICT_ALL_TABLES.
pub(super) const STRICT: u64 = 0x60_0000;
/// sql_mode TIME_ROUND_FRACTIONAL (MariaDB) and TIME_TRUNCATE_FRACTIONAL (MySQL).
const OTHER_FRACTIONS: u64 = 0x3_0000_0000;

/// Who carried an ALTER TABLE out, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum By {
    /// It is not known: the record was made before this was kept.
    #[default]
    Unknown,
    /// Nobody: the definition became better known, and values stay.
    Nobody,
    /// This kind of server, in this sql_mode.
    Server {
        /// MariaDB, not MySQL.
        mariadb: bool,
        /// The bits of sql_mode; `None`: the log does not tell.
        mode: Option<u64>,
    },
}

impl By {
    /// A value that does not fit makes the statement fail, so that none is in the log.
    pub(super) fn is_strict(self) -> bool {
        matches!(self, Self::Server { mode: Some(mode), .. } if mode & STRICT != 0)
    }

    /// A value that does not fit becomes the nearest one that does.
    pub(super) fn is_lax(self) -> bool {
        matches!(self, Self::Server { mode: Some(mode), .. } if mode & STRICT == 0)
    }
}

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
    let source = source(bytes, from)?;
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
            let fits = rounded.whole_digits() <= usize::from(precision.checked_sub(*scale)?);
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
        By::Server { mariadb, mode: Some(mode) } => Some((mode & OTHER_FRACTIONS == 0) != mariadb),
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
        OldValue::Double(v) if v.abs() < 9e15 => number::whole(v.round_ties_even()),
        OldValue::Float(v) if v.abs() < 9e15 => number::whole(f64::from(*v).round_ties_even()),
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

/// The text of a value that becomes text, by its old type.
fn as_text(source: &OldValue<'_>, from: &Column) -> Option<String> {
    Some(match source {
        OldValue::Exact(exact) => exact.written.clone(),
        OldValue::Float(v) => float_text(*v),
        OldValue::Double(v) => double_text(*v),
        OldValue::Text(text, _) => (*text).to_owned(),
        // A TIMESTAMP is written in the session's time zone.
        OldValue::Temporal(_) if matches!(from.ty, ColumnType::Timestamp { .. }) => return None,
        OldValue::Temporal(t) => t.written.clone(),
        OldValue::Bytes(_) => return None,
    })
}

fn text(source: &OldValue<'_>, from: &Column, to: &Column) -> Option<Vec<u8>> {
    let set = to.charset()?;
    let mut text = match source {
        // The bytes are taken for text of the new character set.
        OldValue::Bytes(bytes) => charset::decode(set, bytes).ok()?.into_owned(),
        _ => as_text(source, from)?,
    };
    if !convertible(&text, set) {
        return None;
    }
    match &to.ty {
        ColumnType::Char { chars } => {
            text.truncate(text.trim_end_matches(' ').len());
            fits(&text, *chars).then(|| text.into_bytes())
        }
        ColumnType::VarChar { chars } => {
            if !fits(&text, *chars) {
                // Spaces at the end that have no room are cut off, whatever the mode.
                let room = usize::try_from(*chars).ok()?;
                let end = text.char_indices().nth(room).map_or(text.len(), |(i, _)| i);
                if text.get(end..)?.bytes().any(|b| b != b' ') {
                    return None;
                }
                text.truncate(end);
            }
            Some(text.into_bytes())
        }
        ColumnType::Text { size } => {
            let stored = charset::encode(set, text.as_bytes()).len();
            (stored <= usize::try_from(size.most_bytes()).ok()?).then(|| text.into_bytes())
        }
        _ => None,
    }
}

fn fits(text: &str, chars: u32) -> bool {
    text.chars().count() <= usize::try_from(chars).unwrap_or(usize::MAX)
}

fn binary(source: &OldValue<'_>, from: &Column, to: &Column) -> Option<Vec<u8>> {
    let mut bytes = match source {
        OldValue::Bytes(bytes) => bytes.to_vec(),
        OldValue::Text(text, _) => match from.charset() {
            // The bytes as they are stored.
            Some(set) if convertible(text, set) && !matches!(set, "utf16" | "utf32") => {
                charset::encode(set, text.as_bytes()).into_owned()
            }
            _ => return None,
        },
        _ => as_text(source, from)?.into_bytes(),
    };
    let room = to.ty.is_bytes().then(|| to.ty.most_bytes()).flatten()?;
    let room = usize::try_from(room).ok()?;
    if bytes.len() > room {
        return None;
    }
    if matches!(to.ty, ColumnType::Binary { .. }) {
        bytes.resize(room, 0);
    }
    Some(bytes)
}

/// Whether no two values of the first type become the same, and every value fits: then the way back
/// is known, too.
pub(super) fn is_lossless(from: &Column, to: &Column) -> bool {
    match (&from.ty, &to.ty) {
        (
            ColumnType::Int { size, unsigned, zerofill: false, .. },
            ColumnType::Int { size: s, unsigned: u, zerofill: false, .. },
        ) => {
            let ((low, high), (l, h)) = (size.range(*unsigned), s.range(*u));
            l <= low && high <= h
        }
        (
            ColumnType::Decimal { precision, scale, unsigned, zerofill: false },
            ColumnType::Decimal { precision: p, scale: s, unsigned: u, zerofill: false },
        ) => scale <= s && precision - scale <= p - s && unsigned == u,
        (ColumnType::VarChar { chars } | ColumnType::Char { chars }, ColumnType::VarChar { chars: c })
        | (ColumnType::Char { chars }, ColumnType::Char { chars: c }) => chars <= c && wider(from, to),
        (ColumnType::Text { size }, ColumnType::Text { size: s }) => {
            size <= s && from.charset() == to.charset()
        }
        (ColumnType::VarBinary { bytes }, ColumnType::VarBinary { bytes: b }) => bytes <= b,
        (ColumnType::Blob { size }, ColumnType::Blob { size: s }) => size <= s,
        (ColumnType::Enum { labels }, ColumnType::Enum { labels: l })
        | (ColumnType::Set { labels }, ColumnType::Set { labels: l }) => {
            labels.iter().all(|label| l.contains(label)) && wider(from, to)
        }
        (ColumnType::Time { fsp }, ColumnType::Time { fsp: f })
        | (ColumnType::DateTime { fsp }, ColumnType::DateTime { fsp: f })
        | (ColumnType::Timestamp { fsp }, ColumnType::Timestamp { fsp: f }) => fsp <= f,
        (ColumnType::Date, ColumnType::DateTime { .. }) => true,
        _ => false,
    }
}

/// Whether keys of the first type are the same bytes under the second (`key::encode_stored`), so
/// that rows are found as before.
pub(super) fn keeps_keys(from: &Column, to: &Column, by: By) -> bool {
    if from.collation != to.collation {
        return false;
    }
    match (&from.ty, &to.ty) {
        (a, b) if a == b => true,
        // Integers of all widths share one form; what does not fit makes a strict session fail.
        (ColumnType::Int { .. }, ColumnType::Int { .. }) => is_lossless(from, to) || by.is_strict(),
        (ColumnType::Decimal { scale, .. }, ColumnType::Decimal { scale: s, .. }) => {
            scale == s && is_lossless(from, to)
        }
        (ColumnType::Enum { labels }, ColumnType::Enum { labels: l })
        | (ColumnType::Set { labels }, ColumnType::Set { labels: l }) => l.starts_with(labels),
        (ColumnType::Char { .. } | ColumnType::VarChar { .. }, ColumnType::VarChar { .. })
        | (ColumnType::Char { .. }, ColumnType::Char { .. })
        | (ColumnType::VarBinary { .. }, ColumnType::VarBinary { .. }) => is_lossless(from, to),
        _ => false,
    }
}

/// Whether a character set holds every character of another.
fn wider(from: &Column, to: &Column) -> bool {
    match (from.charset(), to.charset()) {
        (Some(a), Some(b)) => {
            a == b
                || matches!(
                    (a, b),
                    ("utf8mb3" | "utf8" | "latin1" | "ascii" | "ucs2", "utf8mb4")
                        | ("ascii", "utf8mb3" | "latin1")
                )
        }
        _ => false,
    }
}
