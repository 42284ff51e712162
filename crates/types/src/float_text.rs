//! Floating-point numbers as text.
//!
//! mysqld prints a FLOAT with six digits, which many numbers have in common, and sends all of its
//! bits in the binary protocol. So an agent tells up to nine digits, and whoever shows a FLOAT as
//! text cuts them.

/// DOUBLE as mysqld prints it: the shortest digits that read back as the same number, without an
/// exponent between 1e-15 and 1e15.
#[must_use]
pub fn double_text(v: f64) -> String {
    general(&format!("{v:e}"))
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

/// `d.ddde±n` in the form that mysqld chooses (`my_gcvt` of its source): an exponent only outside
/// of 15 digits before and after the point.
fn general(scientific: &str) -> String {
    let (sign, rest) = scientific.strip_prefix('-').map_or(("", scientific), |r| ("-", r));
    let Some((mantissa, exponent)) = rest.split_once('e') else { return scientific.to_owned() };
    let Ok(exponent) = exponent.parse::<i32>() else { return scientific.to_owned() };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return format!("{sign}0");
    }
    let point = exponent + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    if !(-14..=15).contains(&point) {
        let (first, others) = digits.split_at(1);
        let dot = if others.is_empty() { "" } else { "." };
        format!("{sign}{first}{dot}{others}e{exponent}")
    } else if point <= 0 {
        format!("{sign}0.{}{digits}", zeros(-point))
    } else if point >= count {
        format!("{sign}{digits}{}", zeros(point - count))
    } else {
        let (integer, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        format!("{sign}{integer}.{fraction}")
    }
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
