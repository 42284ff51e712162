//! Raw values of row images to the text that mysqld sends.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a stored value of a form that is not named does not belong to the type, which is an error"
)]

mod addresses;
mod error;
mod temporal;

use super::log::Raw;
use addresses::{inet6_text, uuid_text, zero_filled};
use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnType, IntSize};
use dbtrail_types::float_text;
use dbtrail_types::result_set::Cell;
pub use error::{ValueError, ValueFault};
use std::net::Ipv4Addr;
pub use temporal::temporal_text;
use temporal::{date, digits, temporal};

/// Appends the bytes that mysqld sends in the text protocol under `SET NAMES utf8mb4`, `time_zone =
/// '+00:00'`; of a FLOAT all digits. False: it is NULL.
///
/// # Errors
/// The value does not fit the column's type, or its character set cannot be converted.
pub fn write(raw: &Raw<'_>, column: &Column, out: &mut Vec<u8>) -> Result<bool, ValueError> {
    if *raw == Raw::Null {
        return Ok(false);
    }
    match text(raw, column, out) {
        Ok(()) => Ok(true),
        Err(reason) => Err(ValueError { column: column.name.clone(), reason }),
    }
}

/// Whether the column's text is stored as it is shown, if it is UTF-8 at all.
#[must_use]
pub fn is_plain(column: &Column) -> bool {
    column.ty.is_text() && matches!(column.charset(), Some("utf8mb4" | "utf8mb3" | "utf8"))
}

/// The same as a cell of its own.
///
/// # Errors
/// As for [`write()`].
pub fn cell(raw: &Raw<'_>, column: &Column) -> Result<Cell, ValueError> {
    let mut bytes = Vec::new();
    Ok(write(raw, column, &mut bytes)?.then_some(bytes))
}

fn text(raw: &Raw<'_>, column: &Column, out: &mut Vec<u8>) -> Result<(), ValueFault> {
    let misfit = || ValueFault::OtherType(column.ty.clone());
    let start = out.len();
    match (&column.ty, raw) {
        (ColumnType::Int { size, unsigned, zerofill, display_width }, Raw::Int(v)) => {
            let mut digits = itoa::Buffer::new();
            let text = if *unsigned { digits.format(cut(*v, *size)) } else { digits.format(*v) };
            out.extend_from_slice(text.as_bytes());
            return padded(start, *zerofill, display_width.map(usize::from), out, misfit);
        }
        (ColumnType::Decimal { precision, scale, unsigned, zerofill }, Raw::Decimal(digits)) => {
            let width =
                usize::from(*precision) + usize::from(*scale > 0) + usize::from(!unsigned && !zerofill);
            digits.write(out)?;
            return padded(start, *zerofill, Some(width), out, misfit);
        }
        (ColumnType::Float { digits, zerofill: false, .. }, Raw::Float(v)) => {
            let text = match digits {
                Some((_, scale)) => float_text::fixed_text(f64::from(*v), *scale),
                // Six digits, which mysqld prints, are not the number: who prints it cuts it.
                None => float_text::exact_float_text(*v),
            };
            out.extend_from_slice(text.as_bytes());
        }
        (ColumnType::Double { digits, zerofill: false, .. }, Raw::Double(v)) => {
            let text = match digits {
                Some((_, scale)) => float_text::fixed_text(*v, *scale),
                None => float_text::double_text(*v),
            };
            out.extend_from_slice(text.as_bytes());
        }
        (ColumnType::Float { .. } | ColumnType::Double { .. }, Raw::Float(_) | Raw::Double(_)) => {
            return Err(ValueFault::FloatZerofill);
        }
        (ColumnType::Bit { .. }, Raw::Bit(bytes)) => out.extend_from_slice(bytes),
        (ColumnType::Year, Raw::Year(year)) => digits(u32::from(*year), 4, out),
        (ColumnType::Date, Raw::Date(y, m, d)) => date(*y, *m, *d, out),
        (ColumnType::Time { fsp }, Raw::Time(..))
        | (ColumnType::DateTime { fsp }, Raw::DateTime(..))
        | (ColumnType::Timestamp { fsp }, Raw::Timestamp(..)) => {
            return temporal(raw, *fsp, out).ok_or_else(misfit);
        }
        (ty, Raw::Bytes(bytes)) => return stored(ty, bytes, column, out).unwrap_or_else(|| Err(misfit())),
        (ty, Raw::Inflated(bytes)) => return stored(ty, bytes, column, out).unwrap_or_else(|| Err(misfit())),
        (ColumnType::Enum { labels }, Raw::Enum(index)) => {
            if let Some(i) = index.checked_sub(1) {
                let label = labels.get(usize::from(i)).ok_or_else(misfit)?;
                out.extend_from_slice(label.as_bytes());
            }
        }
        (ColumnType::Set { labels }, Raw::Set(bits)) => {
            if labels.len() < 64 && bits >> labels.len() != 0 {
                return Err(misfit());
            }
            let chosen =
                labels.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, l)| l.as_str());
            out.extend_from_slice(chosen.collect::<Vec<_>>().join(",").as_bytes());
        }
        (ColumnType::Json, Raw::Json(text)) => out.extend_from_slice(text.as_bytes()),
        _ => return Err(misfit()),
    }
    Ok(())
}

/// The unsigned value of an integer that was sign-extended from its width.
fn cut(value: i64, size: IntSize) -> u64 {
    value.cast_unsigned() & (u64::MAX >> (64 - size.bits()))
}

/// Fills a number that begins at `start` with zeros in front, where ZEROFILL says so.
fn padded(
    start: usize,
    zerofill: bool,
    width: Option<usize>,
    out: &mut Vec<u8>,
    misfit: impl Fn() -> ValueFault,
) -> Result<(), ValueFault> {
    match (zerofill, width) {
        (false, _) => Ok(()),
        (true, Some(width)) => {
            let missing = width.saturating_sub(out.len() - start);
            out.splice(start..start, std::iter::repeat_n(b'0', missing));
            Ok(())
        }
        (true, None) => Err(misfit()),
    }
}

/// Bytes as stored; `None`: the type holds none.
fn stored(
    ty: &ColumnType,
    bytes: &[u8],
    column: &Column,
    out: &mut Vec<u8>,
) -> Option<Result<(), ValueFault>> {
    match ty {
        // The log cuts the zeros at the end off.
        ColumnType::Binary { bytes: width } => {
            let width = usize::try_from(*width).unwrap_or(usize::MAX).min(255);
            let missing = width.checked_sub(bytes.len())?;
            out.extend_from_slice(bytes);
            out.extend(std::iter::repeat_n(0, missing));
        }
        ColumnType::VarBinary { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => out.extend_from_slice(bytes),
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            let Some(set) = column.charset() else {
                return Some(Err(ValueFault::NoCharset));
            };
            match charset::decode(set, bytes) {
                Ok(text) => out.extend_from_slice(text.as_bytes()),
                Err(e) => return Some(Err(e.into())),
            }
        }
        ColumnType::Inet4 => {
            let address = <[u8; 4]>::try_from(zero_filled(bytes, 4)).ok()?;
            out.extend_from_slice(Ipv4Addr::from(address).to_string().as_bytes());
        }
        ColumnType::Inet6 => {
            let address = <[u8; 16]>::try_from(zero_filled(bytes, 16)).ok()?;
            out.extend_from_slice(inet6_text(address).as_bytes());
        }
        ColumnType::Uuid => {
            let stored = <[u8; 16]>::try_from(zero_filled(bytes, 16)).ok()?;
            match uuid_text(stored) {
                Ok(text) => out.extend_from_slice(text.as_bytes()),
                Err(e) => return Some(Err(e)),
            }
        }
        _ => return None,
    }
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What MariaDB 10.11 showed for these addresses.
    #[test]
    fn ok_inet6_as_mariadb_shows_it() {
        for (words, shown) in [
            ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([0, 0, 0, 0, 0, 0, 0x00ff, 0x442e], "::0.255.68.46"),
            ([0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304], "::ffff:1.2.3.4"),
            ([0xffff, 0, 0xffff, 0, 0, 0xffff, 0xffff, 0], "ffff:0:ffff::ffff:ffff:0"),
            ([0xec14, 0, 0, 0xa11d, 0, 0x1ef2, 0x552b, 0xf927], "ec14::a11d:0:1ef2:552b:f927"),
            ([1, 2, 3, 4, 5, 6, 7, 8], "1:2:3:4:5:6:7:8"),
            ([1, 2, 3, 4, 5, 6, 0, 0], "1:2:3:4:5:6::"),
        ] {
            let bytes: Vec<u8> = words.iter().flat_map(|w: &u16| w.to_be_bytes()).collect();
            assert_eq!(inet6_text(bytes.try_into().unwrap()), shown);
        }
    }

    /// The log cuts the zeros at the end off.
    #[test]
    fn ok_inet4_that_ends_in_zeros() {
        for (logged, shown) in
            [(&[1, 2, 3, 4][..], "1.2.3.4"), (&[10, 0, 0], "10.0.0.0"), (&[10], "10.0.0.0"), (&[], "0.0.0.0")]
        {
            let column: Column =
                serde_json::from_str(r#"{"name": "a", "type": "inet4", "nullable": true}"#).unwrap();
            let cell = cell(&Raw::Bytes(logged), &column).unwrap();
            assert_eq!(cell.as_deref(), Some(shown.as_bytes()));
        }
    }

    #[test]
    fn ok_uuid_and_err_an_unknown_order() {
        let bytes = *b"\x01\x90\xa1\xb2\xc3\xd4\x7e\x5f\x8a\x6b\x7c\x8d\x9e\x0f\x1a\x2b";
        assert_eq!(uuid_text(bytes).unwrap(), "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
        assert_eq!(uuid_text([0; 16]).unwrap(), "00000000-0000-0000-0000-000000000000");
        let table_order = *b"\x7c\x8d\x9e\x0f\x1a\x2b\x8a\x6b\x1e\x5f\xc3\xd4\x01\x90\xa1\xb2";
        assert!(uuid_text(table_order).is_err());
    }
}
