//! Values as they lie in a row in a server's memory, for the hashes that it makes of them.

#![expect(clippy::wildcard_enum_match_arm, reason = "types that are not named are not followed")]

use super::dates::seconds;
use super::hasher::Hasher;
use dbtrail_types::collation::{Weights, latin1, weights};
use dbtrail_types::column::{Column, ColumnType};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a hash is made of.
pub(super) enum Stored {
    Bytes(Vec<u8>),
    Weights(Weights),
    /// Weights of a collation of MySQL's that has a hash of its own.
    Unicode9(Vec<u16>),
}

/// A value as the hash takes it; `None`: that is not known.
pub(super) fn stored(column: &Column, cell: &[u8], hasher: Hasher) -> Option<Stored> {
    let text = std::str::from_utf8(cell);
    let bytes = match &column.ty {
        ColumnType::Char { chars } => {
            return self::text(column.collation.as_deref()?, text.ok()?, Some(*chars), hasher);
        }
        ColumnType::VarChar { .. } => {
            return self::text(column.collation.as_deref()?, text.ok()?, None, hasher);
        }
        ColumnType::Binary { .. } | ColumnType::VarBinary { .. } => cell.to_vec(),
        ColumnType::Int { size, .. } => {
            let value: i128 = text.ok()?.parse().ok()?;
            number(value.to_le_bytes().get(..usize::from(size.bytes()))?.to_vec(), hasher)
        }
        // With so many decimals what is shown is not what is kept.
        ColumnType::Float { digits: None, .. } => {
            number(text.ok()?.parse::<f32>().ok()?.to_le_bytes().to_vec(), hasher)
        }
        ColumnType::Double { digits: None, .. } => {
            number(text.ok()?.parse::<f64>().ok()?.to_le_bytes().to_vec(), hasher)
        }
        ColumnType::Year => {
            let year: u16 = text.ok()?.parse().ok()?;
            let byte = if year == 0 { 0 } else { u8::try_from(year.checked_sub(1900)?).ok()? };
            number(vec![byte], hasher)
        }
        ColumnType::Decimal { precision, scale, .. } => {
            number(decimal(text.ok()?, usize::from(*precision), usize::from(*scale))?, hasher)
        }
        ColumnType::Date => {
            let [year, month, day] = numbers(text.ok()?, b'-')?;
            let date = u32::to_le_bytes(day | month << 5 | year << 9).get(..3)?.to_vec();
            match hasher {
                // MySQL takes a date for text, as it does a number; MariaDB does not.
                Hasher::MySql => swedish(date),
                Hasher::MySql51 | Hasher::MariaDb => date,
                Hasher::Either => return None,
            }
        }
        ColumnType::DateTime { fsp } => date_and_time(text.ok()?, *fsp)?,
        ColumnType::Time { fsp } => time(text.ok()?, *fsp)?,
        ColumnType::Timestamp { fsp: 0 } => u32::try_from(seconds(text.ok()?)?).ok()?.to_be_bytes().to_vec(),
        ColumnType::Enum { labels } => {
            let at = labels.iter().position(|label| label == text.unwrap_or("?"));
            // An empty text that is no label stands for a value that is none.
            let number = match at {
                Some(at) => at + 1,
                None if cell.is_empty() => 0,
                None => return None,
            };
            labelled(number as u64, if labels.len() < 256 { 1 } else { 2 }, hasher)?
        }
        ColumnType::Set { labels } => {
            let mut bits = 0_u64;
            for one in text.ok()?.split(',').filter(|one| !one.is_empty()) {
                bits |= 1 << labels.iter().position(|label| label == one)?;
            }
            let length = labels.len().div_ceil(8);
            labelled(bits, if length > 4 { 8 } else { length }, hasher)?
        }
        ColumnType::Bit { bits } => {
            // Where some bits are over, the whole counts as eight bytes.
            let length = if bits.is_multiple_of(8) { usize::from(bits / 8) } else { 8 };
            let zeros = cell.iter().take_while(|b| **b == 0).count();
            let value = cell.get(zeros..)?;
            let mut bytes = vec![0; length.checked_sub(value.len())?];
            bytes.extend(value);
            bytes
        }
        ColumnType::Uuid => uuid(text.ok()?)?,
        ColumnType::Inet4 => text.ok()?.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
        ColumnType::Inet6 => text.ok()?.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
        _ => return None,
    };
    Some(Stored::Bytes(bytes))
}

/// Text of `latin1_swedish_ci`: its weights, without the spaces at its end.
fn swedish(bytes: Vec<u8>) -> Vec<u8> {
    let weight = |byte: u8| match byte.checked_sub(0xc0) {
        Some(at) => HIGH.get(usize::from(at)).copied().unwrap_or(byte),
        None => byte.to_ascii_uppercase(),
    };
    without_spaces(bytes).into_iter().map(weight).collect()
}

/// Weights in `latin1_swedish_ci` of the bytes from 0xC0 on.
const HIGH: &[u8; 64] =
    b"AAAA\\[\\CEEEEIIIIDNOOOO]\xd7\xd8UUUYY\xde\xdfAAAA\\[\\CEEEEIIIIDNOOOO]\xf7\xd8UUUYY\xde\xff";

fn without_spaces(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1));
    bytes
}

/// Servers take a number for text.
fn number(bytes: Vec<u8>, hasher: Hasher) -> Vec<u8> {
    if hasher == Hasher::MySql51 { bytes } else { swedish(bytes) }
}

/// The number of an ENUM or SET, in so many bytes.
fn labelled(number: u64, length: usize, hasher: Hasher) -> Option<Vec<u8>> {
    let bytes = number.to_le_bytes().get(..length)?.to_vec();
    Some(if hasher == Hasher::MySql51 { swedish(bytes) } else { bytes })
}

/// `chars`: of a CHAR, how many it takes.
fn text(collation: &str, text: &str, chars: Option<u32>, hasher: Hasher) -> Option<Stored> {
    let (charset, rest) = collation.split_once('_')?;
    let of_unicode9 = collation.starts_with("utf8mb4_0900_");
    if of_unicode9 && hasher == Hasher::Either {
        return None;
    }
    let of_mysql = of_unicode9 && hasher != Hasher::MariaDb;
    let pads = !rest.contains("nopad") && !of_unicode9;
    // A CHAR has all of its spaces in a row, which count where nothing pads.
    let padded = match chars.filter(|_| !pads) {
        None => text.to_owned(),
        Some(chars) => {
            let width = match charset {
                "utf8mb4" => 4,
                "utf8mb3" | "utf8" => 3,
                "latin1" | "ascii" => 1,
                _ => return None,
            };
            // A character of latin1 is one byte there.
            let length = if width == 1 { text.chars().count() } else { text.len() };
            let spaces = (usize::try_from(chars).ok()? * width).checked_sub(length)?;
            text.to_owned() + &" ".repeat(spaces)
        }
    };
    Some(match (charset, rest.replacen("nopad_", "", 1).as_str()) {
        ("ascii", "general_ci") if text.is_ascii() => Stored::Bytes(swedish(padded.into_bytes())),
        ("ascii", "bin") if text.is_ascii() => Stored::Bytes(ending(padded.into_bytes(), pads)),
        ("latin1", "bin") => Stored::Bytes(ending(latin1(&padded).ok()?, pads)),
        // MySQL leaves the spaces at the end out, though they count when it compares.
        ("utf8mb4", "0900_bin") => Stored::Bytes(ending(padded.into_bytes(), of_mysql)),
        ("utf8mb4" | "utf8mb3" | "utf8", "bin") => Stored::Bytes(ending(padded.into_bytes(), pads)),
        ("utf8mb4", "0900_ai_ci") if of_mysql => match weights(collation, &padded).ok()? {
            Weights::Unicode(words) => Stored::Unicode9(words),
            Weights::Latin1(_) | Weights::General(_) => return None,
        },
        // MariaDB knows it by another name.
        ("utf8mb4", "0900_ai_ci") => Stored::Weights(weights("utf8mb4_uca1400_nopad_ai_ci", &padded).ok()?),
        _ => Stored::Weights(weights(collation, &padded).ok()?),
    })
}

fn ending(bytes: Vec<u8>, pads: bool) -> Vec<u8> {
    if pads { without_spaces(bytes) } else { bytes }
}

/// The bytes of a UUID of versions 1 to 5, in the order of the text. MariaDB keeps others in the
/// rows of some tables as those, and of newer ones in another order.
fn uuid(text: &str) -> Option<Vec<u8>> {
    let bytes = hex::decode(text.replace('-', "")).ok()?;
    let (version, variant) = (*bytes.get(6)? >> 4, *bytes.get(8)?);
    let kept_alike = matches!(version, 1..=5) && variant >= 0x80 || bytes.iter().all(|b| *b == 0);
    (bytes.len() == 16 && kept_alike).then_some(bytes)
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
    let (seconds_part, fraction) = text.split_once('.').unwrap_or((text, ""));
    let [hours, minutes, seconds] = numbers(seconds_part, b':')?;
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
    let packed = if negative { 0x80_0000_u64.checked_sub(at)? } else { 0x80_0000 + at };
    let mut out = packed.to_be_bytes().get(5..)?.to_vec();
    out.extend(fraction(micros, fsp)?);
    Some(out)
}

/// A DECIMAL as it is kept: groups of nine digits, the sign in the first bit.
fn decimal(text: &str, precision: usize, scale: usize) -> Option<Vec<u8>> {
    /// Bytes of so many digits.
    const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (integer, following) = digits.split_once('.').unwrap_or((digits, ""));
    let before = precision.checked_sub(scale)?;
    let integer = integer.trim_start_matches('0');
    if integer.len() > before || following.len() != scale {
        return None;
    }
    let integer = format!("{integer:0>before$}");
    let mut out: Vec<u8> = Vec::new();
    let mut group = |digits: &str| -> Option<()> {
        if digits.is_empty() {
            return Some(());
        }
        let number: u32 = digits.parse().ok()?;
        out.extend(number.to_be_bytes().get(4 - BYTES.get(digits.len())?..)?);
        Some(())
    };
    let (first, rest) = integer.split_at(before % 9);
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
