//! Times as mysqld prints them in the columns of a key.

use super::super::timestamp::{date_of, time_of};

/// `YYYY-MM-DD`, which is its midnight, or with a time of the day after it.
pub(in crate::plan) fn datetime(text: &str) -> Option<jiff::civil::DateTime> {
    match text.split_once([' ', 'T']) {
        Some((date, time)) => Some(date_of(date)?.to_datetime(time_of(time)?)),
        None => Some(date_of(text)?.to_datetime(jiff::civil::Time::midnight())),
    }
}

/// A local time with `fsp` decimals; `None`: it has more.
pub(in crate::plan) fn shown(t: jiff::civil::DateTime, fsp: u8) -> Option<String> {
    let seconds_part = t.strftime("%Y-%m-%d %H:%M:%S").to_string();
    with_decimals(seconds_part, &format!("{:06}", t.subsec_nanosecond() / 1000), fsp)
}

/// `[-]HH:MM:SS[.ffffff]` up to 838 hours, with `fsp` decimals.
pub(in crate::plan) fn clock(text: &str, fsp: u8) -> Option<Vec<u8>> {
    let (seconds_part, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = seconds_part.strip_prefix('-').unwrap_or(seconds_part);
    let parts: Vec<&str> = digits.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u16>().ok())?;
    let in_range = number(hours)? <= 838 && number(minutes)? < 60 && number(seconds)? < 60;
    // Three digits only where they are needed, as mysqld prints it.
    let wide = hours.len() == 2 || (hours.len() == 3 && !hours.starts_with('0'));
    let fits = wide && minutes.len() == 2 && seconds.len() == 2 && (1..=6).contains(&decimals.len());
    let zero = text.bytes().all(|b| !(b'1'..=b'9').contains(&b));
    let plain = decimals.bytes().all(|b| b.is_ascii_digit());
    let shown = (in_range && fits && plain && !(zero && seconds_part.starts_with('-')))
        .then(|| with_decimals(seconds_part.to_owned(), &format!("{decimals:0<6}"), fsp))?;
    shown.map(String::into_bytes)
}

/// A time and so many of its six decimals; `None`: it has more.
fn with_decimals(seconds_part: String, micros: &str, fsp: u8) -> Option<String> {
    let (kept, cut) = micros.split_at_checked(usize::from(fsp.min(6)))?;
    if cut.bytes().any(|b| b != b'0') {
        return None;
    }
    Some(if fsp == 0 { seconds_part } else { format!("{seconds_part}.{kept}") })
}
