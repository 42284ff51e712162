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
    #[error("key column `{column}`: {uncertain}")]
    Uncertain {
        /// The column.
        column: String,
        /// What is not known.
        uncertain: collation::Uncertain,
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

/// Appends the bytes of one value. `value` is the column's text-protocol text (UTC for TIMESTAMP).
///
/// # Errors
/// See [`KeyError`].
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
    collation::sort_key(collation, text, out)
        .map_err(|uncertain| KeyError::Uncertain { column: column.name.clone(), uncertain })
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
    // Index 0 is the error value, which mysqld prints as ''. A label '' comes first if there is
    // one: its index is the one that can be inserted.
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
mod tests {
    use super::*;
    use dbtrail_types::column::{ColumnKey, IntSize};
    use proptest::prelude::*;

    fn column(ty: ColumnType) -> Column {
        Column { key: ColumnKey::Primary, has_default: false, ..Column::new("k".to_owned(), ty, None, false) }
    }

    fn key(ty: &ColumnType, value: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        encode(&column(ty.clone()), value, &mut out).ok().map(|()| out)
    }

    /// Every list is in MySQL's order; keys must rise strictly.
    #[test]
    fn bytes_order_as_the_values_do() {
        let int =
            ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: None };
        let decimal = ColumnType::Decimal { precision: 10, scale: 2, unsigned: false, zerofill: false };
        let labels = vec!["z".to_owned(), "a".to_owned()];
        let cases: Vec<(ColumnType, Vec<&[u8]>)> = vec![
            (
                int,
                vec![
                    b"-9223372036854775808",
                    b"-65537",
                    b"-65536",
                    b"-257",
                    b"-256",
                    b"-2",
                    b"-1",
                    b"0",
                    b"1",
                    b"255",
                    b"256",
                    b"65535",
                    b"65536",
                    b"18446744073709551615",
                ],
            ),
            (decimal, vec![b"-100.00", b"-99.99", b"-1.10", b"-1.09", b"0.00", b"0.01", b"9.99", b"10.00"]),
            (
                ColumnType::VarBinary { bytes: 9 },
                vec![b"", b"\0", b"\0\0", b"\0\x01", b"\x01", b"\x01\0", b"\x01\x01", b"\xff"],
            ),
            (ColumnType::Date, vec![b"0000-00-00", b"2026-01-31", b"2026-02-01"]),
            (
                ColumnType::Time { fsp: 6 },
                vec![
                    b"-838:59:59.000000",
                    b"-00:00:00.500000",
                    b"00:00:00.000000",
                    b"00:00:00.000001",
                    b"100:00:00.000000",
                ],
            ),
            (ColumnType::DateTime { fsp: 0 }, vec![b"2026-04-27 09:00:00", b"2026-04-27 09:00:01"]),
            (ColumnType::Year, vec![b"0000", b"1901", b"2155"]),
            (ColumnType::Bit { bits: 13 }, vec![b"\0\0", b"\0\x01", b"\x1f\xff"]),
            (ColumnType::Enum { labels: labels.clone() }, vec![b"", b"z", b"a"]),
            (ColumnType::Set { labels }, vec![b"", b"z", b"a", b"z,a"]),
        ];
        for (ty, values) in cases {
            let keys: Vec<Vec<u8>> =
                values.iter().map(|v| key(&ty, v).unwrap_or_else(|| panic!("{ty:?} {v:?}"))).collect();
            for pair in keys.windows(2) {
                assert!(pair[0] < pair[1], "{ty:?} {keys:?}");
                assert!(!pair[1].starts_with(&pair[0]), "a key begins another: {ty:?} {keys:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn integers_order_and_come_back(a in any::<i64>(), b in any::<i64>(), shift in 0_u32..64, unsigned in any::<u64>()) {
            let of = |n: i128| {
                let mut out = Vec::new();
                number::integer(n.to_string().as_bytes(), false, &mut out).unwrap();
                out
            };
            let (a, b) = (i128::from(a >> shift), i128::from(b >> shift));
            for (x, y) in [(a, b), (a, i128::from(unsigned >> shift)), (a, a + 1), (a, -a)] {
                if i64::try_from(x).is_ok() && i64::try_from(y).is_ok() || y > 0 {
                    prop_assert_eq!(of(x).cmp(&of(y)), x.cmp(&y), "{} {}", x, y);
                    prop_assert_eq!(number::integer_of(&of(x)), Some(x));
                    prop_assert_eq!(number::integer_of(&of(y)), Some(y));
                }
            }
        }
    }

    #[test]
    fn what_mysqld_would_not_print_is_refused() {
        let int =
            ColumnType::Int { size: IntSize::Int, unsigned: false, zerofill: false, display_width: None };
        let zerofill =
            ColumnType::Int { size: IntSize::Int, unsigned: true, zerofill: true, display_width: Some(5) };
        let decimal = ColumnType::Decimal { precision: 5, scale: 2, unsigned: false, zerofill: false };
        for (ty, value) in [
            (&int, "042"),
            (&int, "+1"),
            (&int, " 1"),
            (&int, "1e3"),
            (&int, ""),
            (&int, "-"),
            (&int, "1.0"),
            (&int, "99999999999999999999"),
            (&decimal, "1,5"),
            (&decimal, "1.005"),
            (&decimal, ".5"),
            (&decimal, "1."),
            (&decimal, "nan"),
            (&ColumnType::Date, "2026-1-01"),
            (&ColumnType::Date, "2026-01-01 00:00:00"),
            (&ColumnType::Time { fsp: 0 }, "1:00:00"),
            (&ColumnType::Time { fsp: 0 }, "00:60:00"),
            (&ColumnType::DateTime { fsp: 0 }, "2026-01-01"),
            (&ColumnType::Year, "26"),
            (&ColumnType::Bit { bits: 13 }, "1"),
            (&ColumnType::Enum { labels: vec!["a".into()] }, "A"),
            (&ColumnType::Set { labels: vec!["a".into(), "b".into()] }, "b,a"),
            (&ColumnType::Uuid, "not-a-uuid"),
            (&ColumnType::Inet4, "1.2.3"),
        ] {
            assert_eq!(key(ty, value.as_bytes()), None, "{ty:?} {value}");
        }
        assert_eq!(key(&zerofill, b"00042"), key(&int, b"42"));
        assert_eq!(key(&decimal, b"1.5"), key(&decimal, b"1.50"));
        assert_eq!(key(&decimal, b"-0.00"), key(&decimal, b"0.00"));
        assert_eq!(key(&ColumnType::Double { digits: None, unsigned: false, zerofill: false }, b"1"), None);
        assert_eq!(key(&ColumnType::Json, b"1"), None);
    }

    #[test]
    fn a_stored_binary_is_padded_and_an_asked_one_is_not() {
        let c = column(ColumnType::Binary { bytes: 3 });
        let (mut stored, mut asked) = (Vec::new(), Vec::new());
        encode_stored(&c, b"a", &mut stored).unwrap();
        encode(&c, b"a", &mut asked).unwrap();
        assert_ne!(stored, asked, "mysqld does not find 'a' in BINARY(3)");
        asked.clear();
        encode(&c, b"a\0\0", &mut asked).unwrap();
        assert_eq!(stored, asked);
    }
}
