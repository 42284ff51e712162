//! Values of row images (manual: "MySQL Binary Log Events", "Row-based events": packed formats of
//! each type).

use super::bytes::{Bytes, big_endian, little_endian};
use super::{LogFault, MappedColumn, Raw, compressed, json};

/// Type bytes in table maps (`enum_field_types`).
pub(crate) mod code {
    pub(crate) const TINY: u8 = 1;
    pub(crate) const SHORT: u8 = 2;
    pub(crate) const LONG: u8 = 3;
    pub(crate) const FLOAT: u8 = 4;
    pub(crate) const DOUBLE: u8 = 5;
    pub(crate) const NULL: u8 = 6;
    pub(crate) const TIMESTAMP: u8 = 7;
    pub(crate) const LONGLONG: u8 = 8;
    pub(crate) const INT24: u8 = 9;
    pub(crate) const DATE: u8 = 10;
    pub(crate) const TIME: u8 = 11;
    pub(crate) const DATETIME: u8 = 12;
    pub(crate) const YEAR: u8 = 13;
    pub(crate) const NEWDATE: u8 = 14;
    pub(crate) const VARCHAR: u8 = 15;
    pub(crate) const BIT: u8 = 16;
    pub(crate) const TIMESTAMP2: u8 = 17;
    pub(crate) const DATETIME2: u8 = 18;
    pub(crate) const TIME2: u8 = 19;
    pub(crate) const MARIADB_BLOB_COMPRESSED: u8 = 140;
    pub(crate) const MARIADB_VARCHAR_COMPRESSED: u8 = 141;
    pub(crate) const VECTOR: u8 = 242;
    pub(crate) const JSON: u8 = 245;
    pub(crate) const NEWDECIMAL: u8 = 246;
    pub(crate) const ENUM: u8 = 247;
    pub(crate) const SET: u8 = 248;
    pub(crate) const TINY_BLOB: u8 = 249;
    pub(crate) const BLOB: u8 = 252;
    pub(crate) const VAR_STRING: u8 = 253;
    pub(crate) const STRING: u8 = 254;
    pub(crate) const GEOMETRY: u8 = 255;
}

/// How many bytes of metadata a type has in a table map; `None`: the type is not known.
pub(super) fn metadata_length(kind: u8) -> Option<usize> {
    match kind {
        code::FLOAT
        | code::DOUBLE
        | code::TIMESTAMP2
        | code::DATETIME2
        | code::TIME2
        | code::JSON
        | code::VECTOR
        | code::GEOMETRY
        | code::TINY_BLOB..=code::BLOB
        | code::MARIADB_BLOB_COMPRESSED => Some(1),
        code::VARCHAR
        | code::VAR_STRING
        | code::BIT
        | code::NEWDECIMAL
        | code::ENUM
        | code::SET
        | code::STRING
        | code::MARIADB_VARCHAR_COMPRESSED => Some(2),
        code::TINY..=code::LONG | code::NULL..=code::NEWDATE => Some(0),
        _ => None,
    }
}

/// Bytes of a CHAR or BINARY column at most: two bits of the length hide in the type byte (MySQL
/// bug 37426).
pub(crate) fn char_bytes(meta: &[u8]) -> usize {
    let (high, low) = (meta.first().copied().unwrap_or(0), meta.get(1).copied().unwrap_or(0));
    if high & 0x30 == 0x30 || high == 0 {
        usize::from(low)
    } else {
        usize::from(low) | usize::from((high & 0x30) ^ 0x30) << 4
    }
}

fn meta(column: &MappedColumn, i: usize) -> Result<u8, LogFault> {
    column.meta.get(i).copied().ok_or_else(|| LogFault::new("a table map without the metadata of a column"))
}

/// One value that is not NULL.
pub(super) fn value<'a>(column: &MappedColumn, input: &mut Bytes<'a>) -> Result<Raw<'a>, LogFault> {
    Ok(match column.type_code {
        code::TINY => Raw::Int(signed(input.uint(1)?, 8)),
        code::SHORT => Raw::Int(signed(input.uint(2)?, 16)),
        code::INT24 => Raw::Int(signed(input.uint(3)?, 24)),
        code::LONG => Raw::Int(signed(input.uint(4)?, 32)),
        code::LONGLONG => Raw::Int(signed(input.uint(8)?, 64)),
        code::FLOAT => Raw::Float(f32::from_bits(input.u32()?)),
        code::DOUBLE => Raw::Double(f64::from_bits(input.u64()?)),
        code::NEWDECIMAL => Raw::Decimal(Digits::take(input, meta(column, 0)?, meta(column, 1)?)?),
        code::BIT => {
            let bits = usize::from(meta(column, 1)?) * 8 + usize::from(meta(column, 0)?);
            Raw::Bit(input.take(bits.div_ceil(8))?)
        }
        code::ENUM => Raw::Enum(match meta(column, 1)? {
            1 => u16::from(input.u8()?),
            2 => input.u16()?,
            other => return Err(LogFault::new(format!("an ENUM of {other} bytes"))),
        }),
        code::SET => match usize::from(meta(column, 1)?) {
            width @ 1..=8 => Raw::Set(input.uint(width)?),
            other => return Err(LogFault::new(format!("a SET of {other} bytes"))),
        },
        code::VARCHAR | code::VAR_STRING => Raw::Bytes(varchar(column, input)?),
        code::MARIADB_VARCHAR_COMPRESSED => compressed::value(varchar(column, input)?)?,
        code::MARIADB_BLOB_COMPRESSED => compressed::value(blob(column, input)?)?,
        code::STRING => {
            let length = input.length(if char_bytes(&column.meta) < 256 { 1 } else { 2 })?;
            Raw::Bytes(input.take(length)?)
        }
        code::TINY_BLOB..=code::BLOB | code::GEOMETRY | code::VECTOR => Raw::Bytes(blob(column, input)?),
        code::JSON => Raw::Json(json::text(blob(column, input)?)?),
        code::TIMESTAMP..=code::NEWDATE | code::TIMESTAMP2..=code::TIME2 => temporal(column, input)?,
        other => return Err(LogFault::new(format!("a column of type {other}, which is not known"))),
    })
}

fn varchar<'a>(column: &MappedColumn, input: &mut Bytes<'a>) -> Result<&'a [u8], LogFault> {
    let longest = u16::from_le_bytes([meta(column, 0)?, meta(column, 1)?]);
    let length = input.length(if longest < 256 { 1 } else { 2 })?;
    input.take(length)
}

fn blob<'a>(column: &MappedColumn, input: &mut Bytes<'a>) -> Result<&'a [u8], LogFault> {
    match usize::from(meta(column, 0)?) {
        width @ 1..=4 => {
            let length = input.length(width)?;
            input.take(length)
        }
        other => Err(LogFault::new(format!("a BLOB with a length of {other} bytes"))),
    }
}

/// Sign-extends the lowest `bits` bits.
fn signed(value: u64, bits: u32) -> i64 {
    (value << (64 - bits)).cast_signed() >> (64 - bits)
}

/// A DECIMAL in its packed form: groups of nine digits, the first bit inverted, all bits inverted
/// when negative (MySQL source documentation, "decimal2bin").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<'a> {
    packed: &'a [u8],
    /// Digits before the point.
    whole: usize,
    scale: usize,
}

/// Bytes of so many digits.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

impl<'a> Digits<'a> {
    /// Of a column.
    pub(super) fn take(input: &mut Bytes<'a>, precision: u8, scale: u8) -> Result<Self, LogFault> {
        Self::of_precision(input, precision, scale, 65)
    }

    /// Of a JSON value, which holds results of a calculation with all of their digits: MySQL
    /// calculates with nine groups of nine.
    pub(super) fn take_json(input: &mut Bytes<'a>, precision: u8, scale: u8) -> Result<Self, LogFault> {
        Self::of_precision(input, precision, scale, 81)
    }

    fn of_precision(input: &mut Bytes<'a>, precision: u8, scale: u8, most: usize) -> Result<Self, LogFault> {
        let (precision, scale) = (usize::from(precision), usize::from(scale));
        if precision > most || scale > precision || precision == 0 {
            return Err(LogFault::new(format!("a DECIMAL({precision},{scale})")));
        }
        let whole = precision - scale;
        let length = BYTES[whole % 9] + whole / 9 * 4 + scale / 9 * 4 + BYTES[scale % 9];
        Ok(Self { packed: input.take(length)?, whole, scale })
    }

    /// Appends the exact text, with all decimals of the scale.
    ///
    /// # Errors
    /// Its bytes are no digits.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), LogFault> {
        let negative = self.packed.first().is_some_and(|first| first & 0x80 == 0);
        let mut packed = [0; 48];
        let bytes = packed
            .get_mut(..self.packed.len())
            .ok_or_else(|| LogFault::new("a DECIMAL of more bytes than any has"))?;
        for (byte, stored) in bytes.iter_mut().zip(self.packed) {
            *byte = if negative { !stored } else { *stored };
        }
        bytes[0] ^= 0x80;
        let mut rest = Bytes(bytes);
        let start = out.len();
        if negative {
            out.push(b'-');
        }
        let first = out.len();
        group(self.whole % 9, &mut rest, out)?;
        (0..self.whole / 9).try_for_each(|_| group(9, &mut rest, out))?;
        let zeros = out[first..].iter().take_while(|digit| **digit == b'0').count();
        out.drain(first..first + zeros);
        if out.len() == first {
            out.push(b'0');
        }
        if self.scale > 0 {
            out.push(b'.');
            (0..self.scale / 9).try_for_each(|_| group(9, &mut rest, out))?;
            group(self.scale % 9, &mut rest, out)?;
        }
        // MySQL knows no negative zero.
        if negative && out[first..].iter().all(|b| matches!(b, b'0' | b'.')) {
            out.remove(start);
        }
        Ok(())
    }
}

/// So many digits of a DECIMAL, zeros in front included.
fn group(count: usize, rest: &mut Bytes<'_>, out: &mut Vec<u8>) -> Result<(), LogFault> {
    let mut value = rest.uint_be(BYTES[count])?;
    let end = out.len() + count;
    out.resize(end, b'0');
    for digit in out[end - count..].iter_mut().rev() {
        *digit += u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    if value == 0 { Ok(()) } else { Err(LogFault::new("a DECIMAL whose digits overflow their group")) }
}

/// Bytes of a fraction of `fsp` decimals, and the factor to microseconds.
fn fraction_width(fsp: u8) -> Result<(usize, u32), LogFault> {
    match fsp {
        0 => Ok((0, 0)),
        1 | 2 => Ok((1, 10_000)),
        3 | 4 => Ok((2, 100)),
        5 | 6 => Ok((3, 1)),
        other => Err(LogFault::new(format!("fractional seconds of {other} decimals"))),
    }
}

/// `value` cut to the given range of bits.
fn bits(value: u64, shift: u32, count: u32) -> u64 {
    value >> shift & ((1 << count) - 1)
}

#[expect(clippy::cast_possible_truncation, reason = "every value is cut to fewer bits than its type has")]
fn temporal(column: &MappedColumn, input: &mut Bytes<'_>) -> Result<Raw<'static>, LogFault> {
    Ok(match column.type_code {
        code::YEAR => match input.u8()? {
            0 => Raw::Year(0),
            year => Raw::Year(1900 + u16::from(year)),
        },
        code::DATE | code::NEWDATE => {
            let v = input.uint(3)?;
            Raw::Date(bits(v, 9, 15) as u16, bits(v, 5, 4) as u8, bits(v, 0, 5) as u8)
        }
        code::TIME => {
            let v = signed(input.uint(3)?, 24);
            let u = v.unsigned_abs();
            Raw::Time(v < 0, (u / 10_000) as u16, (u / 100 % 100) as u8, (u % 100) as u8, 0)
        }
        code::DATETIME => {
            let v = input.u64()?;
            let (d, t) = (v / 1_000_000, v % 1_000_000);
            if d > 99_991_231 {
                return Err(LogFault::new("a DATETIME beyond the year 9999"));
            }
            let date = ((d / 10_000) as u16, (d / 100 % 100) as u8, (d % 100) as u8);
            Raw::DateTime(
                date.0,
                date.1,
                date.2,
                (t / 10_000) as u8,
                (t / 100 % 100) as u8,
                (t % 100) as u8,
                0,
            )
        }
        code::TIMESTAMP => Raw::Timestamp(input.u32()?, 0),
        code::TIMESTAMP2 => {
            let seconds = input.uint_be(4)? as u32;
            let (width, factor) = fraction_width(meta(column, 0)?)?;
            Raw::Timestamp(seconds, big_endian(input.take(width)?) as u32 * factor)
        }
        code::DATETIME2 => {
            let packed = input.uint_be(5)?;
            let (width, factor) = fraction_width(meta(column, 0)?)?;
            let micros = big_endian(input.take(width)?) as u32 * factor;
            // The highest bit is the sign, always 1.
            let packed = packed.checked_sub(1 << 39).ok_or_else(|| LogFault::new("a negative DATETIME"))?;
            datetime(packed, micros)
        }
        code::TIME2 => time2(input, meta(column, 0)?)?,
        other => return Err(LogFault::new(format!("a column of type {other}, which is not known"))),
    })
}

/// Year and month (as year * 13 + month), day, hour, minute and second of a packed DATETIME.
#[expect(clippy::cast_possible_truncation, reason = "every value is cut to fewer bits than its type has")]
fn datetime(packed: u64, micros: u32) -> Raw<'static> {
    let months = bits(packed, 22, 17);
    Raw::DateTime(
        (months / 13) as u16,
        (months % 13) as u8,
        bits(packed, 17, 5) as u8,
        bits(packed, 12, 5) as u8,
        bits(packed, 6, 6) as u8,
        bits(packed, 0, 6) as u8,
        micros,
    )
}

/// TIME(n): a biased number of three bytes and a fraction that, for negative values, counts up from
/// the next lower second.
#[expect(clippy::cast_possible_truncation, reason = "every value is cut to fewer bits than its type has")]
fn time2(input: &mut Bytes<'_>, fsp: u8) -> Result<Raw<'static>, LogFault> {
    let (width, factor) = fraction_width(fsp)?;
    let all = input.take(3 + width)?;
    let bias = 1_i64 << (23 + 8 * width);
    let v = big_endian(all).cast_signed() - bias;
    let u = v.unsigned_abs();
    let fraction = (u & ((1 << (8 * width)) - 1)) as u32 * factor;
    let whole = u >> (8 * width);
    Ok(Raw::Time(
        v < 0,
        bits(whole, 12, 10) as u16,
        bits(whole, 6, 6) as u8,
        bits(whole, 0, 6) as u8,
        fraction,
    ))
}

/// A DATE, DATETIME or TIME inside JSON: 64 bits, little-endian, the lowest 24 of them
/// microseconds.
#[expect(clippy::cast_possible_truncation, reason = "every value is cut to fewer bits than its type has")]
pub(super) fn packed64(bytes: &[u8], time: bool) -> Raw<'static> {
    let v = little_endian(bytes).cast_signed();
    let u = v.unsigned_abs();
    let micros = (u & 0xff_ffff) as u32;
    let whole = u >> 24;
    if time {
        Raw::Time(v < 0, bits(whole, 12, 10) as u16, bits(whole, 6, 6) as u8, bits(whole, 0, 6) as u8, micros)
    } else {
        datetime(whole, micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are the example of the server's own source ("decimal2bin"), the rest follow
    /// from its rules.
    #[test]
    fn decimals_have_all_of_their_digits() {
        for (packed, precision, scale, text) in [
            (&[0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2][..], 14, 4, "1234567890.1234"),
            (&[0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d], 14, 4, "-1234567890.1234"),
            (&[0x80, 0x00], 3, 2, "0.00"),
            (&[0x7f, 0xff], 3, 2, "0.00"),
            (&[0x7f, 0xfa], 3, 2, "-0.05"),
            (&[0x80, 0x2a], 4, 0, "42"),
            (&[0x80], 1, 0, "0"),
            (&[0x85], 1, 1, "0.5"),
            (&[0x80, 0x00, 0x00, 0x07, 0x3b, 0x9a, 0xc9, 0xff], 18, 0, "7999999999"),
            (&[0x80, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02], 18, 9, "1.000000002"),
        ] {
            let mut input = Bytes(packed);
            let mut out = b"before ".to_vec();
            Digits::take(&mut input, precision, scale).unwrap().write(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("before {text}"));
            assert!(input.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        let overflow = [0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(Digits::take(&mut Bytes(&overflow), 10, 0).unwrap().write(&mut Vec::new()).is_err());
        for (precision, scale) in [(0, 0), (66, 0), (5, 6)] {
            assert!(Digits::take(&mut Bytes(&[0; 40]), precision, scale).is_err());
        }
        assert!(Digits::take(&mut Bytes(&[0x80]), 10, 2).is_err(), "too short");
    }
}
