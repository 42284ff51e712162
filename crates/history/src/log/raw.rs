//! Values of row images (manual: ["MySQL Binary Log
//! Events"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html),
//! ["Row-based
//! events"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html):
//! packed formats of each type).

use super::bytes::{Bytes, big_endian};
use super::decimal::Digits;
use super::packed_time::{bits, datetime};
use super::{LogFault, MappedColumn, Raw, compressed, json, type_code as code};

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
    column.meta.get(i).copied().ok_or(LogFault::NoColumnMetadata)
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
            other => return Err(LogFault::EnumWidth(other)),
        }),
        code::SET => match usize::from(meta(column, 1)?) {
            width @ 1..=8 => Raw::Set(input.uint(width)?),
            other => return Err(LogFault::SetWidth(other)),
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
        other => return Err(LogFault::ColumnType(other)),
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
        other => Err(LogFault::BlobLength(other)),
    }
}

/// Sign-extends the lowest `bits` bits.
fn signed(value: u64, bits: u32) -> i64 {
    (value << (64 - bits)).cast_signed() >> (64 - bits)
}

/// Bytes of a fraction of `fsp` decimals, and the factor to microseconds.
fn fraction_width(fsp: u8) -> Result<(usize, u32), LogFault> {
    match fsp {
        0 => Ok((0, 0)),
        1 | 2 => Ok((1, 10_000)),
        3 | 4 => Ok((2, 100)),
        5 | 6 => Ok((3, 1)),
        other => Err(LogFault::FractionalSeconds(other)),
    }
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
                return Err(LogFault::DateTimeTooLate);
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
            let packed = packed.checked_sub(1 << 39).ok_or(LogFault::NegativeDateTime)?;
            datetime(packed, micros)
        }
        code::TIME2 => time2(input, meta(column, 0)?)?,
        other => return Err(LogFault::ColumnType(other)),
    })
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
    let packed = u >> (8 * width);
    Ok(Raw::Time(
        v < 0,
        bits(packed, 12, 10) as u16,
        bits(packed, 6, 6) as u8,
        bits(packed, 0, 6) as u8,
        fraction,
    ))
}
