//! Dates and times whose parts are packed into the bits of one number.

use super::Raw;
use super::bytes::little_endian;

/// A DATE, DATETIME or TIME inside JSON: 64 bits, little-endian, the lowest 24 of them
/// microseconds.
#[expect(clippy::cast_possible_truncation, reason = "every value is cut to fewer bits than its type has")]
pub(super) fn packed64(bytes: &[u8], time: bool) -> Raw<'static> {
    let v = little_endian(bytes).cast_signed();
    let u = v.unsigned_abs();
    let micros = (u & 0xff_ffff) as u32;
    let packed = u >> 24;
    if time {
        Raw::Time(
            v < 0,
            bits(packed, 12, 10) as u16,
            bits(packed, 6, 6) as u8,
            bits(packed, 0, 6) as u8,
            micros,
        )
    } else {
        datetime(packed, micros)
    }
}

/// `value` cut to the given range of bits.
pub(super) fn bits(value: u64, shift: u32, count: u32) -> u64 {
    value >> shift & ((1 << count) - 1)
}

/// Year and month (as year * 13 + month), day, hour, minute and second of a packed DATETIME.
#[expect(clippy::cast_possible_truncation, reason = "every value is cut to fewer bits than its type has")]
pub(super) fn datetime(packed: u64, micros: u32) -> Raw<'static> {
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
