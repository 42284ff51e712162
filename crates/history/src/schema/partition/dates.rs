//! Dates as whole numbers.

/// TO_DAYS of a date that there is; `None`: it is none.
pub(super) fn days(text: &str) -> Option<i128> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    let since = date.since((jiff::Unit::Day, epoch)).ok()?;
    // TO_DAYS('1970-01-01') on both servers.
    Some(i128::from(since.get_days()) + 719_528)
}

/// TO_SECONDS of a date or a date with a time.
pub(super) fn seconds_from_zero(text: &str) -> Option<i128> {
    let midnight = days(text)? * 86_400;
    if text.len() == 10 {
        return Some(midnight);
    }
    let at: jiff::civil::DateTime = text.replacen(' ', "T", 1).parse().ok()?;
    let part = |n: i8| i128::from(n);
    Some(midnight + part(at.hour()) * 3600 + part(at.minute()) * 60 + part(at.second()))
}

/// UNIX_TIMESTAMP of a TIMESTAMP as it is kept here, in UTC.
pub(super) fn seconds(text: &str) -> Option<i128> {
    let at: jiff::civil::DateTime = text.replacen(' ', "T", 1).parse().ok()?;
    // TO_DAYS of the day on which 1970 began.
    let days = days(text)? - 719_528;
    let part = |n: i8| i128::from(n);
    Some(days * 86_400 + part(at.hour()) * 3600 + part(at.minute()) * 60 + part(at.second()))
}
