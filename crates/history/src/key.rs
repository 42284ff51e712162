//! Primary keys as bytes that compare as MySQL compares the keys.
//!
//! Two keys are the same to MySQL exactly when their bytes are equal, and the bytes order as `ORDER
//! BY` orders the key, so that a point look-up, a range and a merge by key are all comparisons of
//! bytes. Knows columns and text, and nothing of the store. Where MySQL's comparison is not known
//! (floating point, JSON, a character whose weight is not known), there is no key.

use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType};
use std::net::{Ipv4Addr, Ipv6Addr};

mod number;
mod time;

/// Why a value has no key bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The type is not one by which this program compares.
    #[error("key column `{column}` is {ty}: how it compares is not known, so rows cannot be found by it")]
    Type {
        /// The column.
        column: String,
        /// The column's type, as SHOW CREATE TABLE has it.
        ty: String,
    },
    /// The collation does not tell for this text.
    #[error("key column `{column}`: {unknown}")]
    UnknownWeight {
        /// The column.
        column: String,
        /// What is not known.
        unknown: collation::UnknownWeight,
    },
    /// The value is shown like another one that is not equal to it.
    #[error(
        "key column `{column}` has a label '', and its values that are none of its labels are shown as '' too: rows with either cannot be told from each other"
    )]
    TwoValues {
        /// The column.
        column: String,
    },
    /// The text cannot be read: its character set is not known to this version.
    #[error(
        "key column `{column}` has collation {collation}, whose character set this version cannot convert: rows cannot be found by it"
    )]
    Charset {
        /// The column.
        column: String,
        /// The column's collation.
        collation: String,
    },
    /// Not a value of the column in the form that mysqld prints.
    #[error("'{value}' is not a value of key column `{column}` ({ty}) as mysqld prints it")]
    NotAValue {
        /// The column.
        column: String,
        /// The column's type, as SHOW CREATE TABLE has it.
        ty: String,
        /// What came, shortened.
        value: String,
    },
}

impl KeyError {
    /// Whether it is a value that the column can have, and by which no row can be found.
    #[must_use]
    pub fn is_valid_value(&self) -> bool {
        !matches!(self, Self::NotAValue { .. })
    }
}

/// Appends the bytes of one value. `value` is the column's text-protocol text (UTC for TIMESTAMP).
///
/// # Errors
/// See [`KeyError`]. Where it is [`KeyError::UnknownWeight`], what was appended is how the bytes of
/// every value begin that is equal to this one.
pub fn encode(column: &Column, value: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    let not_a_value = || KeyError::NotAValue {
        column: column.name.clone(),
        ty: column.ty.to_string(),
        value: shown(value),
    };
    let done = match &column.ty {
        ColumnType::Int { zerofill, .. } => number::integer(value, *zerofill, out),
        ColumnType::Decimal { scale, zerofill, .. } => number::decimal(value, *scale, *zerofill, out),
        ColumnType::Bit { bits } => number::bits(value, *bits, out),
        ColumnType::Year => number::year(value, out),
        ColumnType::Date => time::date(value, out),
        ColumnType::Time { .. } => time::time(value, out),
        ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => time::date_time(value, out),
        ColumnType::Binary { .. } | ColumnType::VarBinary { .. } | ColumnType::Blob { .. } => {
            bytes(value, out);
            Some(())
        }
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            return text(column, value, out);
        }
        // Beside a label '', that is also how mysqld prints what is none of the labels, and the
        // empty set.
        ColumnType::Enum { labels } | ColumnType::Set { labels }
            if value.is_empty() && labels.iter().any(String::is_empty) =>
        {
            return Err(KeyError::TwoValues { column: column.name.clone() });
        }
        ColumnType::Enum { labels } => label(value, labels, out),
        ColumnType::Set { labels } => label_set(value, labels, out),
        ColumnType::Uuid => uuid(value, out),
        ColumnType::Inet4 => parsed::<Ipv4Addr>(value).map(|a| out.extend(a.octets())),
        ColumnType::Inet6 => parsed::<Ipv6Addr>(value).map(|a| out.extend(a.octets())),
        ColumnType::Float { .. }
        | ColumnType::Double { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => {
            return Err(KeyError::Type { column: column.name.clone(), ty: column.ty.to_string() });
        }
    };
    done.ok_or_else(not_a_value)
}

/// A stored value: the same, but with what mysqld itself adds in storage (BINARY is padded with
/// zero bytes).
///
/// # Errors
/// See [`KeyError`].
pub fn encode_stored(column: &Column, value: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    if let ColumnType::Binary { bytes } = &column.ty {
        let length = usize::try_from(*bytes).unwrap_or(usize::MAX);
        if value.len() < length {
            let mut padded = value.to_vec();
            padded.resize(length, 0);
            return encode(column, &padded, out);
        }
    }
    encode(column, value, out)
}

/// Whether the bytes of this type order as MySQL orders its values (all others only tell equal from
/// different).
#[must_use]
pub fn is_ordered(ty: &ColumnType) -> bool {
    !matches!(ty, ColumnType::Uuid)
}

/// How many integers lie in `[from, to]`, by their key bytes.
#[must_use]
pub fn integers_between(from: &[u8], to: &[u8]) -> Option<u128> {
    let width = number::integer_of(to)? - number::integer_of(from)? + 1;
    Some(u128::try_from(width).unwrap_or(0))
}

fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut short: String = text.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

fn text(column: &Column, value: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    // The agent keeps text in UTF-8; what is none was left as it was stored.
    let collation = column.collation.as_deref().unwrap_or("(none that is known)");
    let text = std::str::from_utf8(value)
        .map_err(|_| KeyError::Charset { column: column.name.clone(), collation: collation.to_owned() })?;
    collation::sort_key(collation, text, out).map_err(|unknown| {
        collation::known_prefix(collation, text, out);
        KeyError::UnknownWeight { column: column.name.clone(), unknown }
    })
}

/// 00 becomes 00 FF, and 00 00 ends the value: order is kept, and no value's bytes begin another's.
fn bytes(value: &[u8], out: &mut Vec<u8>) {
    for b in value {
        out.push(*b);
        if *b == 0 {
            out.push(0xff);
        }
    }
    out.extend([0, 0]);
}

fn label(value: &[u8], labels: &[String], out: &mut Vec<u8>) -> Option<()> {
    // Index 0 is the error value, which mysqld prints as ''.
    let index = match labels.iter().position(|l| l.as_bytes() == value) {
        Some(i) => u16::try_from(i + 1).ok()?,
        None if value.is_empty() => 0,
        None => return None,
    };
    out.extend(index.to_be_bytes());
    Some(())
}

fn label_set(value: &[u8], labels: &[String], out: &mut Vec<u8>) -> Option<()> {
    let mut bits = 0_u64;
    if !value.is_empty() {
        let mut next = 0;
        for part in value.split(|b| *b == b',') {
            let found = labels.get(next..)?.iter().position(|l| l.as_bytes() == part)? + next;
            bits |= 1_u64.checked_shl(u32::try_from(found).ok()?)?;
            next = found + 1;
        }
    }
    out.extend(bits.to_be_bytes());
    Some(())
}

fn uuid(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(value).ok()?;
    let dashes = text.char_indices().filter(|(_, c)| *c == '-').map(|(i, _)| i);
    if text.len() != 36 || !dashes.eq([8, 13, 18, 23]) {
        return None;
    }
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    out.extend(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes());
    Some(())
}

fn parsed<T: std::str::FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
