//! Dates and times of the day as they are written, before a time zone makes instants of them.

use crate::statement::TimestampExpr;
use jiff::civil::{Date, Time};
use std::borrow::Cow;

/// Whether an instant and its intervals are built on UTC_TIMESTAMP().
pub(super) fn is_utc(expression: &TimestampExpr) -> bool {
    match expression {
        TimestampExpr::UtcTimestamp { .. } => true,
        TimestampExpr::Minus { base, .. } => is_utc(base),
        TimestampExpr::Literal(_)
        | TimestampExpr::End(_)
        | TimestampExpr::RecordEndAt(_)
        | TimestampExpr::Now { .. }
        | TimestampExpr::Today
        | TimestampExpr::Unix(_)
        | TimestampExpr::Parameter(_) => false,
    }
}

fn digits(text: &str, count: usize) -> Option<i16> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `YYYY-MM-DD`.
pub(in crate::plan) fn date_of(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(digits(y, 4)?, i8::try_from(digits(m, 2)?).ok()?, i8::try_from(digits(d, 2)?).ok()?).ok()
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.f` to `.ffffff`.
pub(in crate::plan) fn time_of(text: &str) -> Option<Time> {
    let (integer, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let parts: Vec<&str> = integer.split(':').collect();
    let (h, m, s) = match parts.as_slice() {
        [h, m] if fraction.is_none() => (h, m, &"00"),
        [h, m, s] => (h, m, s),
        _ => return None,
    };
    let nanos = match fraction {
        None => 0,
        Some(f) if (1..=6).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{f:0<9}").parse().ok()?
        }
        Some(_) => return None,
    };
    let two = |t: &str| i8::try_from(digits(t, 2)?).ok();
    let second = two(s)?;
    // A leap second is no instant here.
    Time::new(two(h)?, two(m)?, second, nanos).ok()
}

/// Nanoseconds, cut: what was there at an instant between two microseconds is what was there at the
/// first of them, since no change is stamped more finely. So clients can send the nine decimals
/// that they have.
pub(super) fn to_micros(clock: &str) -> Cow<'_, str> {
    match clock.split_once('.') {
        Some((integer, f)) if (7..=9).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()) => {
            Cow::Owned(format!("{integer}.{}", &f[..6]))
        }
        _ => Cow::Borrowed(clock),
    }
}

/// Whether a literal is later than the microsecond that it is cut to. A window that begins there
/// begins after it.
pub(in crate::plan) fn is_cut(expression: &TimestampExpr) -> bool {
    let TimestampExpr::Literal(text) = expression else { return false };
    let Some((_, fraction)) = text.split_once('.') else { return false };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(6).any(|digit| digit != b'0')
}
