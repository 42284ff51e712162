//! Values as they lie in a row in a server's memory, for the hashes that it makes of them.

#![expect(clippy::wildcard_enum_match_arm, reason = "types that are not named are not followed")]

use super::dates::seconds;
use dbtrail_types::column::{Column, ColumnType, IntSize};

/// How the hash takes the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As text of `latin1_swedish_ci`: by weights, without spaces at the end.
    Swedish,
    /// As they are, without spaces at the end.
    Padded,
    /// As they are.
    Binary,
}

/// A value as it lies in a row, and how it is taken; `None`: that is not known. `mariadb`: whose
/// server it is, where that is known.
pub(super) fn stored(column: &Column, cell: &[u8], mariadb: Option<bool>) -> Option<(Vec<u8>, Reading)> {
    let text = std::str::from_utf8(cell);
    let plain = |bytes: Option<Vec<u8>>, reading| bytes.map(|bytes| (bytes, reading));
    match &column.ty {
        // A CHAR has all of its spaces there, which count where nothing is padded.
        ColumnType::Char { .. } if column.collation.as_deref() == Some("utf8mb4_0900_bin") && mariadb? => {
            None
        }
        ColumnType::Char { .. } | ColumnType::VarChar { .. } => {
            self::text(column.collation.as_deref()?, text.ok()?, mariadb)
        }
        ColumnType::Binary { .. } | ColumnType::VarBinary { .. } => Some((cell.to_vec(), Reading::Binary)),
        ColumnType::Int { size, .. } => {
            let length = match size {
                IntSize::Tiny => 1,
                IntSize::Small => 2,
                IntSize::Medium => 3,
                IntSize::Int => 4,
                IntSize::Big => 8,
            };
            let value: i128 = text.ok()?.parse().ok()?;
            plain(value.to_le_bytes().get(..length).map(<[u8]>::to_vec), Reading::Swedish)
        }
        ColumnType::Year => {
            let year: u16 = text.ok()?.parse().ok()?;
            let byte = if year == 0 { 0 } else { u8::try_from(year.checked_sub(1900)?).ok()? };
            Some((vec![byte], Reading::Swedish))
        }
        ColumnType::Decimal { precision, scale, .. } => {
            plain(decimal(text.ok()?, usize::from(*precision), usize::from(*scale)), Reading::Swedish)
        }
        // MySQL takes a date for text, as it does a number; MariaDB does not.
        ColumnType::Date => {
            let reading = if mariadb? { Reading::Binary } else { Reading::Swedish };
            let [year, month, day] = numbers(text.ok()?, b'-')?;
            plain(u32::to_le_bytes(day | month << 5 | year << 9).get(..3).map(<[u8]>::to_vec), reading)
        }
        ColumnType::DateTime { fsp } => plain(date_and_time(text.ok()?, *fsp), Reading::Binary),
        ColumnType::Time { fsp } => plain(time(text.ok()?, *fsp), Reading::Binary),
        ColumnType::Timestamp { fsp: 0 } => {
            let seconds = u32::try_from(seconds(text.ok()?)?).ok()?;
            Some((seconds.to_be_bytes().to_vec(), Reading::Binary))
        }
        _ => None,
    }
}

fn text(collation: &str, text: &str, mariadb: Option<bool>) -> Option<(Vec<u8>, Reading)> {
    let ascii = || text.is_ascii().then(|| text.as_bytes().to_vec());
    // The characters of Windows that are at 0x80 to 0x9f are not looked at.
    let byte = |c: char| u8::try_from(c).ok().filter(|b| !(0x80..0xa0).contains(b));
    let (bytes, reading) = match collation {
        "latin1_swedish_ci" => (text.chars().map(byte).collect(), Reading::Swedish),
        "latin1_bin" => (text.chars().map(byte).collect(), Reading::Padded),
        "ascii_general_ci" => (ascii(), Reading::Swedish),
        "ascii_bin" => (ascii(), Reading::Padded),
        // MySQL leaves the spaces at the end out here too, though they count when it compares.
        "utf8mb4_0900_bin" if mariadb? => (Some(text.as_bytes().to_vec()), Reading::Binary),
        "utf8mb4_bin" | "utf8mb3_bin" | "utf8_bin" | "utf8mb4_0900_bin" => {
            (Some(text.as_bytes().to_vec()), Reading::Padded)
        }
        _ => return None,
    };
    bytes.map(|bytes| (bytes, reading))
}

/// Numbers between separators.
fn numbers<const N: usize>(text: &str, separator: u8) -> Option<[u32; N]> {
    let mut parts = text.split(char::from(separator)).map(|part| {
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| digits)
    });
    let mut all = [0; N];
    for one in &mut all {
        *one = parts.next()??;
    }
    parts.next().is_none().then_some(all)
}

/// Hours, minutes and seconds as servers pack them, and microseconds.
fn clock(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let [hours, minutes, seconds] = numbers(whole, b':')?;
    let micros = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse().ok()? };
    Some((u64::from(hours << 12 | minutes << 6 | seconds), micros))
}

/// The bytes of a fraction of so many decimals.
fn fraction(micros: u64, fsp: u8) -> Option<Vec<u8>> {
    let (length, unit) = match fsp {
        0 => return Some(Vec::new()),
        1 | 2 => (1, 10_000),
        3 | 4 => (2, 100),
        5 | 6 => (3, 1),
        _ => return None,
    };
    (micros / unit).to_be_bytes().get(8 - length..).map(<[u8]>::to_vec)
}

fn date_and_time(text: &str, fsp: u8) -> Option<Vec<u8>> {
    let (date, at) = text.split_once(' ')?;
    let [year, month, day] = numbers(date, b'-')?;
    let (at, micros) = clock(at)?;
    let days = u64::from((year * 13 + month) << 5 | day);
    let packed = (days << 17 | at) + 0x80_0000_0000;
    let mut out = packed.to_be_bytes().get(3..)?.to_vec();
    out.extend(fraction(micros, fsp)?);
    Some(out)
}

fn time(text: &str, fsp: u8) -> Option<Vec<u8>> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (at, micros) = clock(text)?;
    if negative && fsp > 0 {
        // A fraction counts up from the number below: only what was looked at.
        if fsp < 5 {
            return None;
        }
        let packed = 0x8000_0000_0000_u64.checked_sub((at << 24) + micros)?;
        return packed.to_be_bytes().get(2..).map(<[u8]>::to_vec);
    }
    let whole = if negative { 0x80_0000_u64.checked_sub(at)? } else { 0x80_0000 + at };
    let mut out = whole.to_be_bytes().get(5..)?.to_vec();
    out.extend(fraction(micros, fsp)?);
    Some(out)
}

/// A DECIMAL as it is kept: groups of nine digits, the sign in the first bit.
fn decimal(text: &str, precision: usize, scale: usize) -> Option<Vec<u8>> {
    /// Bytes of so many digits.
    const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, following) = digits.split_once('.').unwrap_or((digits, ""));
    let before = precision.checked_sub(scale)?;
    let whole = whole.trim_start_matches('0');
    if whole.len() > before || following.len() != scale {
        return None;
    }
    let whole = format!("{whole:0>before$}");
    let mut out: Vec<u8> = Vec::new();
    let mut group = |digits: &str| -> Option<()> {
        if digits.is_empty() {
            return Some(());
        }
        let number: u32 = digits.parse().ok()?;
        out.extend(number.to_be_bytes().get(4 - BYTES.get(digits.len())?..)?);
        Some(())
    };
    let (first, rest) = whole.split_at(before % 9);
    group(first)?;
    for at in (0..rest.len()).step_by(9) {
        group(rest.get(at..at + 9)?)?;
    }
    for at in (0..following.len()).step_by(9) {
        group(following.get(at..(at + 9).min(following.len()))?)?;
    }
    if negative {
        for byte in &mut out {
            *byte = !*byte;
        }
    }
    *out.first_mut()? ^= 0x80;
    Some(out)
}
