//! Numbers of a condition, with all their digits.

use std::cmp::Ordering;

/// Digits of a constant, at most: those of the longest DECIMAL.
pub(super) const MOST_DIGITS: usize = 65;

/// An exact number: its digits without zeros that say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) negative: bool,
    pub(super) integer: Vec<u8>,
    pub(super) fraction: Vec<u8>,
}

impl Digits {
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let (negative, rest) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
        let point = rest.iter().position(|b| *b == b'.');
        let (integer, fraction) = point.map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + 1..]));
        let plain = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if (integer.is_empty() && fraction.is_empty()) || !plain(integer) || !plain(fraction) {
            return None;
        }
        let integer = &integer[integer.iter().take_while(|b| **b == b'0').count()..];
        let zeros = fraction.iter().rev().take_while(|b| **b == b'0').count();
        let fraction = &fraction[..fraction.len() - zeros];
        let zero = integer.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, integer: integer.to_vec(), fraction: fraction.to_vec() })
    }

    pub(super) fn of_bits(bytes: &[u8]) -> Option<Self> {
        let number = (bytes.len() <= 8).then(|| bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b)))?;
        Self::read(number.to_string().as_bytes())
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| {
            a.integer
                .len()
                .cmp(&b.integer.len())
                .then_with(|| a.integer.cmp(&b.integer))
                .then_with(|| a.fraction.cmp(&b.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// `[-]hh[h]:mm:ss[.ffffff]` in microseconds.
pub(super) fn micros(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut parts = clock.split(':').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|n| digits && *n < 1000)
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    let total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros;
    Some(if negative { -total } else { total })
}
