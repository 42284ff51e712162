//! Rows of the binary protocol: the text of a cell as the bytes that mysqld sends for it
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html)).
//! A text that is no value of its column's type is an error, never a guess.
use crate::reader::put_bytes;
use crate::results;
use dbtrail_types::column::{ColumnType, Family, IntSize};
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::ResultColumn;

/// The NULL bitmap of a row begins with two bits that are not used.
const OFFSET: usize = 2;

/// A text that is no value of its column's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' for column {column}, which is no value of type {ty}")]
pub struct NotAValue {
    /// The first characters of the text.
    pub text: String,
    /// The column's name.
    pub column: String,
    /// The column's type.
    pub ty: ColumnType,
}

/// Appends a
/// [ProtocolBinary::ResultsetRow](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html).
///
/// # Errors
/// A cell is no value of its column's type; what was appended is no row then.
pub fn put_row<'a>(
    out: &mut Vec<u8>,
    row: impl Iterator<Item = Option<&'a [u8]>>,
    columns: &[ResultColumn],
    charset: ResultCharset,
) -> Result<(), NotAValue> {
    let start = out.len();
    out.resize(start + 1 + (columns.len() + OFFSET).div_ceil(8), 0);
    for (position, (cell, column)) in row.zip(columns).enumerate() {
        match cell {
            None => out[start + 1 + (position + OFFSET) / 8] |= 1 << ((position + OFFSET) % 8),
            Some(bytes) => put(out, bytes, column, charset)?,
        }
    }
    Ok(())
}

fn put(
    out: &mut Vec<u8>,
    bytes: &[u8],
    column: &ResultColumn,
    charset: ResultCharset,
) -> Result<(), NotAValue> {
    let text = || std::str::from_utf8(bytes).ok();
    let ty = &column.column.ty;
    let put = match ty.family() {
        Family::Integer => text().and_then(|t| integer(out, t, ty)),
        Family::Year => {
            text().and_then(|t| t.parse::<u16>().ok()).map(|v| out.extend_from_slice(&v.to_le_bytes()))
        }
        Family::FloatingPoint => text().and_then(|t| real(out, t, ty)),
        Family::Date => text().and_then(|t| date_and_time(out, t, false)),
        Family::DateTime | Family::Timestamp => text().and_then(|t| date_and_time(out, t, true)),
        Family::Time => text().and_then(|t| time(out, t)),
        Family::Decimal
        | Family::Bit
        | Family::Text
        | Family::Bytes
        | Family::Enum
        | Family::Set
        | Family::Json
        | Family::Geometry
        | Family::Vector
        | Family::Address => {
            put_bytes(out, &results::sent(bytes, column, charset));
            Some(())
        }
    };
    put.ok_or_else(|| {
        let text: String = String::from_utf8_lossy(bytes).chars().take(64).collect();
        NotAValue { text, column: column.column.name.clone(), ty: column.column.ty.clone() }
    })
}

/// MEDIUMINT has four bytes on the wire.
fn integer(out: &mut Vec<u8>, text: &str, ty: &ColumnType) -> Option<()> {
    let &ColumnType::Int { size, unsigned, .. } = ty else { return None };
    let bytes = if size == IntSize::Medium { 4 } else { usize::from(size.bytes()) };
    let value: i128 = text.parse().ok()?;
    let (low, high) = size.range(unsigned);
    if !(low..=high).contains(&value) {
        return None;
    }
    out.extend_from_slice(&value.to_le_bytes()[..bytes]);
    Some(())
}

/// FLOAT has four bytes, DOUBLE eight.
fn real(out: &mut Vec<u8>, text: &str, ty: &ColumnType) -> Option<()> {
    if matches!(ty, ColumnType::Float { .. }) {
        let value = text.parse::<f32>().ok().filter(|v| v.is_finite())?;
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite())?;
        out.extend_from_slice(&value.to_le_bytes());
    }
    Some(())
}

/// So many digits and nothing else.
fn digits<T: std::str::FromStr>(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<T> {
    (count.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The microseconds of a fraction of up to six decimals.
fn micros(fraction: Option<&str>) -> Option<u32> {
    match fraction {
        None => Some(0),
        Some(f) => digits::<u32>(f, 1..=6).map(|n| n * 10_u32.pow(6 - u32::try_from(f.len()).unwrap_or(6))),
    }
}

fn clock(text: &str, hours: std::ops::RangeInclusive<usize>) -> Option<(u32, u8, u8)> {
    let mut parts = text.split(':');
    let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
    let (h, m, s): (u32, u8, u8) = (digits(h, hours)?, digits(m, 2..=2)?, digits(s, 2..=2)?);
    (parts.next().is_none() && m < 60 && s < 60).then_some((h, m, s))
}

/// `YYYY-MM-DD`, with a time after it where the type has one. Zero dates and zeros in dates are
/// values too.
fn date_and_time(out: &mut Vec<u8>, text: &str, with_time: bool) -> Option<()> {
    let (date, rest) = match text.split_once(' ') {
        Some((date, rest)) if with_time => (date, Some(rest)),
        None if !with_time => (text, None),
        Some(_) | None => return None,
    };
    let mut parts = date.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, day): (u16, u8, u8) = (digits(y, 4..=4)?, digits(m, 2..=2)?, digits(d, 2..=2)?);
    if parts.next().is_some() || month > 12 || day > 31 {
        return None;
    }
    let (seconds_part, fraction) = rest.map_or(("00:00:00", None), |r| {
        r.split_once('.').map_or((r, None), |(seconds_part, fraction)| (seconds_part, Some(fraction)))
    });
    let (hour, minute, second) = clock(seconds_part, 2..=2)?;
    let (hour, micros) = (u8::try_from(hour).ok().filter(|h| *h < 24)?, micros(fraction)?);
    let length = match (micros, (hour, minute, second), (year, month, day)) {
        (0, (0, 0, 0), (0, 0, 0)) => 0,
        (0, (0, 0, 0), _) => 4,
        (0, _, _) => 7,
        _ => 11,
    };
    let [low, high] = year.to_le_bytes();
    let mut all = vec![low, high, month, day, hour, minute, second];
    all.extend_from_slice(&micros.to_le_bytes());
    put_bytes(out, &all[..length]);
    Some(())
}

/// `[-]HHH:MM:SS[.ffffff]`
fn time(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let (negative, rest) = text.strip_prefix('-').map_or((0, text), |rest| (1, rest));
    let (seconds_part, fraction) =
        rest.split_once('.').map_or((rest, None), |(seconds_part, fraction)| (seconds_part, Some(fraction)));
    let (hours, minute, second) = clock(seconds_part, 2..=3)?;
    let micros = micros(fraction)?;
    let length = match (micros, (hours, minute, second)) {
        (0, (0, 0, 0)) => 0,
        (0, _) => 8,
        _ => 12,
    };
    let mut all = vec![negative];
    all.extend_from_slice(&(hours / 24).to_le_bytes());
    all.extend_from_slice(&[u8::try_from(hours % 24).ok()?, minute, second]);
    all.extend_from_slice(&micros.to_le_bytes());
    put_bytes(out, &all[..length]);
    Some(())
}

#[cfg(test)]
mod tests;
