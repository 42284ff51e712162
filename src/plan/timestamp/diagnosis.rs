//! What is wrong with a text that is no timestamp.

use super::date_of;

/// What is wrong with a literal that is no instant, and what works.
pub(super) fn diagnosis(text: &str) -> String {
    let lower = text.to_lowercase();
    let number = |c: char| c.is_ascii_digit();
    let (date, clock) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    let parts: Vec<&str> = date.split('-').collect();
    let numbers = parts.len() == 3 && parts.iter().all(|p| !p.is_empty() && p.chars().all(number));
    let what = if text.is_empty() {
        "it is empty"
    } else if lower == "yesterday" {
        "write '1 day ago', or CURDATE() - INTERVAL 1 DAY without quotes for its midnight"
    } else if lower == "today" {
        "write CURDATE() without quotes for its midnight"
    } else if lower.ends_with(" ago") || lower.starts_with('-') {
        "a span back is '<n> seconds|minutes|hours|days ago', or '-10s' with s, m, h or d"
    } else if lower.contains("now") || lower.contains("interval") || lower.contains('(') {
        "an expression is written without quotes: NOW() - INTERVAL 1 HOUR"
    } else if date.chars().all(number) {
        "write a date with its dashes, and seconds since 1970 as FROM_UNIXTIME(n) without quotes"
    } else if numbers && parts[0].len() == 4 && parts[1].len() == 2 && parts[2].len() == 2 {
        if date_of(date).is_none() { "there is no such day" } else { clock_diagnosis(clock) }
    } else if numbers && parts[0].len() == 2 {
        "the year comes first and has four digits"
    } else if numbers {
        "year, month and day have 4, 2 and 2 digits"
    } else {
        "a date is written YYYY-MM-DD"
    };
    format!(
        "{what}; write 'YYYY-MM-DD HH:MM:SS[.ffffff]', RFC 3339 with Z or an offset, '5 minutes ago', LATEST or EARLIEST"
    )
}

/// The same after a good date.
fn clock_diagnosis(clock: &str) -> &'static str {
    let lower = clock.trim().to_lowercase();
    let parts: Vec<&str> = lower.split(':').collect();
    if lower.ends_with("am") || lower.ends_with("pm") {
        "hours go from 00 to 23, without AM and PM"
    } else if lower.contains(|c: char| c.is_ascii_alphabetic() && c != 'z') {
        "a time zone is an offset such as +02:00, or Z, or that of the session (SET time_zone)"
    } else if clock.starts_with(' ') {
        "one space belongs between date and time"
    } else if lower.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 9) {
        "a second has at most nine decimals, of which six count"
    } else if parts.first().is_some_and(|hour| hour.len() != 2) {
        "hours, minutes and seconds have two digits"
    } else if parts.len() < 2 {
        "hours and minutes are both needed"
    } else {
        "there is no such time of the day: the last one is 23:59:59.999999"
    }
}
