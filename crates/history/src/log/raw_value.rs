//! Values as row images hold them.

use super::decimal::Digits;

/// A value as the row image holds it, decoded as far as the table map alone allows.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// NULL.
    Null,
    /// TINY to LONGLONG: the bits, sign-extended from the type's width.
    Int(i64),
    /// DECIMAL.
    Decimal(Digits<'a>),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// BIT(n): big-endian, (n+7)/8 bytes.
    Bit(&'a [u8]),
    /// YEAR: 0, or 1901 to 2155.
    Year(u16),
    /// DATE: year, month, day; all may be zero.
    Date(u16, u8, u8),
    /// TIME: negative, hours, minutes, seconds, microseconds.
    Time(bool, u16, u8, u8, u32),
    /// DATETIME: year, month, day, hour, minute, second, microsecond.
    DateTime(u16, u8, u8, u8, u8, u8, u32),
    /// TIMESTAMP: seconds since 1970 and microseconds; (0, 0) is the zero date.
    Timestamp(u32, u32),
    /// CHAR, VARCHAR, BINARY, VARBINARY, TEXT, BLOB, GEOMETRY, VECTOR...: the bytes as stored, in
    /// the column's character set.
    Bytes(&'a [u8]),
    /// The same, of MariaDB's COMPRESSED columns.
    Inflated(Vec<u8>),
    /// ENUM: index from 1; 0 is the error value ''.
    Enum(u16),
    /// SET: bits.
    Set(u64),
    /// MySQL's binary JSON, already as mysqld prints it.
    Json(String),
}
