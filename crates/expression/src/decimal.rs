//! DECIMAL of up to 38 digits: exact, or refused.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A decimal number: `unscaled` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits.
    pub unscaled: i128,
    /// How many of them are after the point; at most 30.
    pub scale: u8,
}

impl Decimal {
    /// The most digits after the point that mysqld keeps.
    pub const MOST_SCALE: u8 = 30;

    /// The same number with more digits after the point; `None`: it has too many digits.
    #[must_use]
    pub fn rescaled(self, scale: u8) -> Option<Self> {
        let by = scale.checked_sub(self.scale)?;
        let unscaled = self.unscaled.checked_mul(10_i128.checked_pow(by.into())?)?;
        Some(Self { unscaled, scale })
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        Some((self.rescaled(scale)?.unscaled, other.rescaled(scale)?.unscaled, scale))
    }

    /// The order of two numbers.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        self.aligned(other).map(|(a, b, _)| a.cmp(&b))
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        a.checked_add(b).map(|unscaled| Self { unscaled, scale })
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        a.checked_sub(b).map(|unscaled| Self { unscaled, scale })
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let scale = self.scale.checked_add(other.scale).filter(|s| *s <= Self::MOST_SCALE)?;
        self.unscaled.checked_mul(other.unscaled).map(|unscaled| Self { unscaled, scale })
    }

    /// The remainder, with the sign of the dividend; `None`: by zero, or too many digits.
    #[must_use]
    pub fn remainder(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        a.checked_rem(b).map(|unscaled| Self { unscaled, scale })
    }

    /// The quotient's whole part; `None`: by zero, or too many digits.
    #[must_use]
    pub fn integer_quotient(self, other: Self) -> Option<i128> {
        let (a, b, _) = self.aligned(other)?;
        a.checked_div(b)
    }

    /// Rounded to a whole number, halves away from zero, as mysqld does.
    #[must_use]
    pub fn rounded(self) -> Option<i128> {
        let one = 10_i128.checked_pow(self.scale.into())?;
        let half = if self.scale == 0 { 0 } else { one / 2 };
        let away = if self.unscaled < 0 { -half } else { half };
        self.unscaled.checked_add(away).map(|n| n / one)
    }
}

impl From<i128> for Decimal {
    fn from(unscaled: i128) -> Self {
        Self { unscaled, scale: 0 }
    }
}

/// The text is no decimal number, or one of more digits than are kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDecimal;

impl FromStr for Decimal {
    type Err = NoDecimal;

    /// `1.50`, `-.5`.
    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if integer.len() + fraction.len() == 0 || !plain(integer) || !plain(fraction) {
            return Err(NoDecimal);
        }
        let unscaled: i128 = format!("{integer}{fraction}").parse().map_err(|_| NoDecimal)?;
        let scale = u8::try_from(fraction.len()).ok().filter(|s| *s <= Self::MOST_SCALE);
        // 38 digits always fit.
        if unscaled >= 10_i128.pow(38) {
            return Err(NoDecimal);
        }
        Ok(Self { unscaled: sign * unscaled, scale: scale.ok_or(NoDecimal)? })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.unscaled.unsigned_abs(), width = scale + 1);
        let (integer, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let point = if scale == 0 { "" } else { "." };
        write!(f, "{sign}{integer}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn ok_exact() {
        for (text, shown) in
            [(".5", "0.5"), ("-0.0", "0.0"), ("00.50", "0.50"), ("-12.5", "-12.5"), ("7", "7")]
        {
            assert_eq!(of(text).to_string(), shown);
        }
        assert_eq!(of("1.5").plus(of("2.25")).unwrap().to_string(), "3.75");
        assert_eq!(of("1.50").times(of("2.5")).unwrap().to_string(), "3.750");
        assert_eq!(of("-7.5").remainder(of("2")).unwrap().to_string(), "-1.5");
        assert_eq!(of("1.0").compare(of("1.00")), Some(Ordering::Equal));
        assert_eq!(
            [of("2.5").rounded(), of("-2.5").rounded(), of("2.49").rounded()],
            [Some(3), Some(-3), Some(2)]
        );
    }

    #[test]
    fn err_more_than_is_kept() {
        for text in ["", ".", "1e5", "abc", &"9".repeat(39)] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!(of(&"9".repeat(38)).times(of("10")), None);
        assert_eq!(of("1").remainder(of("0.0")), None);
    }
}
