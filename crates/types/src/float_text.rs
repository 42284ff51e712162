//! Floating-point numbers as text.
//!
//! mysqld prints a FLOAT with six digits, which many numbers have in common, and sends all of its
//! bits in the binary protocol. So an agent tells up to nine digits, and whoever shows a FLOAT as
//! text cuts them.

/// DOUBLE as mysqld prints it: the shortest digits that read back as the same number, without an
/// exponent between 1e-15 and 1e15.
#[must_use]
pub fn double_text(v: f64) -> String {
    general(&shortest(v))
}

/// DOUBLE(M,D) as mysqld prints it, and FLOAT(M,D) as a DOUBLE (`my_fcvt` of its source): the
/// shortest digits that read back as the same number, if they have no more than D decimals; else it
/// is rounded.
#[must_use]
pub fn fixed_text(v: f64, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let scientific = shortest(v);
    let exact = ScientificNumber::of(&scientific).and_then(|digits| {
        let zeros = decimals.checked_sub(digits.decimals())?;
        let point = if digits.decimals() == 0 && zeros > 0 { "." } else { "" };
        Some(format!("{}{point}{}", digits.plain(), "0".repeat(zeros)))
    });
    let text = exact.unwrap_or_else(|| format!("{v:.decimals$}"));
    // mysqld prints no negative zero here.
    if text.starts_with('-') && text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.')) {
        return text[1..].to_owned();
    }
    text
}

/// The shortest digits that read back as the same number, `d.ddde±n`: of several that are as short
/// the nearest, and of two that are as near the one with the even digit, as `dtoa` has it. Rust
/// takes the larger one.
fn shortest(v: f64) -> String {
    let written = format!("{v:e}");
    let mantissa = written.split('e').next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let nearest = format!("{v:.*e}", digits.saturating_sub(1));
    if nearest.parse() == Ok(v) { nearest } else { written }
}

/// FLOAT as agents tell it: the shortest digits that read back as the same number, at most nine.
#[must_use]
pub fn exact_float_text(v: f32) -> String {
    general(&format!("{v:e}"))
}

/// FLOAT as mysqld prints it: six significant digits.
#[must_use]
pub fn float_text(v: f32) -> String {
    general(&format!("{:.5e}", f64::from(v)))
}

/// The digits of a number, and where its point is: before the first digit is 0.
struct ScientificNumber<'a> {
    sign: &'static str,
    digits: String,
    point: i32,
    exponent: &'a str,
}

impl<'a> ScientificNumber<'a> {
    /// Of `d.ddde±n`; `None`: it is no number.
    fn of(scientific: &'a str) -> Option<Self> {
        let (sign, rest) = scientific.strip_prefix('-').map_or(("", scientific), |r| ("-", r));
        let (mantissa, exponent) = rest.split_once('e')?;
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_end_matches('0').to_owned();
        let point = if digits.is_empty() { 1 } else { exponent.parse::<i32>().ok()?.saturating_add(1) };
        Some(Self { sign, digits, point, exponent })
    }

    /// How many are after the point.
    fn decimals(&self) -> usize {
        let count = i32::try_from(self.digits.len()).unwrap_or(i32::MAX);
        usize::try_from(count.saturating_sub(self.point)).unwrap_or(0)
    }

    /// Without an exponent.
    fn plain(&self) -> String {
        let Self { sign, digits, point, .. } = self;
        let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
        if digits.is_empty() {
            format!("{sign}0")
        } else if *point <= 0 {
            format!("{sign}0.{}{digits}", zeros(-point))
        } else if *point >= count {
            format!("{sign}{digits}{}", zeros(point - count))
        } else {
            let (integer, fraction) = digits.split_at(usize::try_from(*point).unwrap_or(0));
            format!("{sign}{integer}.{fraction}")
        }
    }
}

/// `d.ddde±n` in the form that mysqld chooses (`my_gcvt` of its source): an exponent only outside
/// of 15 digits before and after the point, and not where digits are after a point that has more
/// before it.
fn general(scientific: &str) -> String {
    let Some(number) = ScientificNumber::of(scientific) else { return scientific.to_owned() };
    if (-14..=15).contains(&number.point) || number.point > 15 && number.decimals() > 0 {
        return number.plain();
    }
    let (first, others) = number.digits.split_at(1);
    let dot = if others.is_empty() { "" } else { "." };
    format!("{}{first}{dot}{others}e{}", number.sign, number.exponent)
}

/// The text of a FLOAT of an agent, cut to what mysqld prints. What is no number stays as it is.
#[must_use]
pub fn shown_float(reported: &[u8]) -> Vec<u8> {
    let value =
        std::str::from_utf8(reported).ok().and_then(|t| t.parse::<f32>().ok()).filter(|v| v.is_finite());
    value.map_or_else(|| reported.to_vec(), |v| float_text(v).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What MySQL 9.7 and MariaDB 10.11 showed for these numbers in columns of so many decimals.
    #[test]
    fn ok_floats_with_decimals_as_the_servers_show_them() {
        for (number, decimals, shown) in [
            (123_456_789_012_345.12, 4, "123456789012345.1200"),
            (1_234_567_890_123_456.8, 2, "1234567890123456.80"),
            (0.1, 20, "0.10000000000000000000"),
            (0.125, 2, "0.12"),
            (1e23, 0, "100000000000000000000000"),
            (5.0, 0, "5"),
            (-3.0, 2, "-3.00"),
            (-0.001, 2, "0.00"),
            (-0.0, 1, "0.0"),
        ] {
            assert_eq!(fixed_text(number, decimals), shown);
        }
    }

    /// Both servers: of two digits that are as near, the even one.
    #[test]
    fn ok_a_double_between_two_texts() {
        for (number, shown) in [
            (123_456_789_012_345.12, "123456789012345.12"),
            (-123_456_789_012_345.12, "-123456789012345.12"),
            (0.1, "0.1"),
            (1e15, "1e15"),
            (5e-324, "5e-324"),
            (0.0, "0"),
            (-0.0, "-0"),
            (9_007_199_254_740_992.0, "9.007199254740992e15"),
            (1_327_719_175_928_043.5, "1327719175928043.5"),
            (1_327_719_175_928_043.0, "1.327719175928043e15"),
            (1.234_567_890_123_456e-14, "0.00000000000001234567890123456"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e308"),
        ] {
            assert_eq!(double_text(number), shown);
        }
    }

    #[test]
    fn ok_a_float_has_more_digits_than_mysqld_prints() {
        for (value, exact, shown) in [
            (0.1_f32, "0.1", "0.1"),
            (1_234_567.8, "1234567.8", "1234570"),
            (0.100_000_02, "0.10000002", "0.1"),
            (1.175_494_4e-38, "1.1754944e-38", "1.17549e-38"),
            (3.402_823_5e38, "3.4028235e38", "3.40282e38"),
            (-0.0, "-0", "-0"),
        ] {
            assert_eq!((exact_float_text(value).as_str(), float_text(value).as_str()), (exact, shown));
            assert_eq!(shown_float(exact.as_bytes()), shown.as_bytes());
            assert_eq!(exact.parse(), Ok(value));
        }
        // An agent that tells six digits.
        assert_eq!(shown_float(b"1.17549e-38"), b"1.17549e-38");
        assert_eq!(shown_float(b"abc"), b"abc");
    }
}
