//! Relative timestamps: '5 minutes ago'.

use super::MICROS;

/// A span of more microseconds than an `i64` holds.
pub(super) struct TooLong;

/// `5 minutes ago`, `-10s`: microseconds back. `None`: another form; an error: more than there are.
pub(super) fn ago(text: &str) -> Option<Result<i64, TooLong>> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let (number, unit) = match words.as_slice() {
        [n, unit, "ago"] => (*n, *unit),
        [short] if short.starts_with('-') => {
            let at = short.find(|c: char| c.is_ascii_alphabetic())?;
            (&short[1..at], &short[at..])
        }
        _ => return None,
    };
    let n: i64 = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    let seconds = match unit {
        "s" | "second" | "seconds" => 1,
        "m" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some(n.checked_mul(seconds).and_then(|s| s.checked_mul(MICROS)).ok_or(TooLong))
}

/// Seconds with at most six decimals to microseconds.
pub(super) fn decimal_micros(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |r| (-1, r));
    let (integer, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if fraction.len() > 6
        || !integer.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        || integer.is_empty()
    {
        return None;
    }
    let integer: i64 = integer.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    integer.checked_mul(MICROS)?.checked_add(fraction).map(|v| v * sign)
}
