//! Exact numbers as text: reading, rounding, ranges.

use std::fmt;

/// A number with a sign, digits before the point and digits after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    pub(super) negative: bool,
    /// Without zeros in front; empty: zero.
    integer: String,
    fraction: String,
    /// As it was written.
    pub(super) written: String,
}

impl Exact {
    /// Reads `-12.50`; `None`: it is something else (an exponent, white space, a plus sign among
    /// them).
    pub(super) fn read(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |d| (true, d));
        let (integer, fraction) = match digits.split_once('.') {
            Some((integer, fraction)) if !fraction.is_empty() => (integer, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        let plain = |d: &str| d.bytes().all(|b| b.is_ascii_digit());
        if integer.is_empty() || !plain(integer) || !plain(fraction) {
            return None;
        }
        let integer = integer.trim_start_matches('0').to_owned();
        let mut read = Self { negative, integer, fraction: fraction.to_owned(), written: text.to_owned() };
        read.negative &= !read.is_zero();
        Some(read)
    }

    fn is_zero(&self) -> bool {
        self.integer.is_empty() && self.fraction.bytes().all(|b| b == b'0')
    }

    /// Digits before the point.
    pub(super) fn integer_digits(&self) -> usize {
        self.integer.len()
    }

    /// All digits.
    pub(super) fn digits(&self) -> usize {
        self.integer.len() + self.fraction.len()
    }

    /// Digits after the point.
    pub(super) fn scale(&self) -> usize {
        self.fraction.len()
    }

    /// With exactly so many decimals; half is rounded away from zero.
    pub(super) fn rounded(&self, scale: usize) -> Self {
        let mut fraction: String = self.fraction.chars().take(scale).collect();
        while fraction.len() < scale {
            fraction.push('0');
        }
        let mut digits = format!("{}{fraction}", self.integer).into_bytes();
        if self.fraction.as_bytes().get(scale).is_some_and(|d| *d >= b'5') {
            let mut carried = true;
            for digit in digits.iter_mut().rev() {
                if *digit == b'9' {
                    *digit = b'0';
                } else {
                    *digit += 1;
                    carried = false;
                    break;
                }
            }
            if carried {
                digits.insert(0, b'1');
            }
        }
        let point = digits.len() - scale;
        let text = |d: &[u8]| String::from_utf8_lossy(d).into_owned();
        let mut rounded = Self {
            negative: self.negative,
            integer: text(digits.get(..point).unwrap_or_default()).trim_start_matches('0').to_owned(),
            fraction: text(digits.get(point..).unwrap_or_default()),
            written: String::new(),
        };
        rounded.negative &= !rounded.is_zero();
        rounded.written = rounded.to_string();
        rounded
    }

    /// The number, if it has no decimals.
    pub(super) fn integer(&self) -> Option<i128> {
        if self.fraction.bytes().any(|b| b != b'0') || self.integer.len() > 30 {
            return None;
        }
        let value: i128 = if self.integer.is_empty() { 0 } else { self.integer.parse().ok()? };
        Some(if self.negative { -value } else { value })
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let integer = if self.integer.is_empty() { "0" } else { &self.integer };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{integer}{point}{}", self.fraction)
    }
}

/// A floating-point number without decimals as an integer.
pub(super) fn integer(v: f64) -> Option<i128> {
    format!("{v:.0}").parse().ok()
}
