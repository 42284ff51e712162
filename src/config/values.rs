//! Durations, sizes and versions as text.

use std::time::Duration;

/// Durations such as `24h`, `30s`, `500ms`, `7d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..at].parse().ok()?;
    Some(match &text[at..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        "d" => Duration::from_secs(number.checked_mul(86_400)?),
        _ => return None,
    })
}

/// Sizes such as `64MiB`, `65536`.
pub(super) fn size(text: &str) -> Option<usize> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..at].parse().ok()?;
    let unit = match text[at..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Clients read numbers out of the version before they know what they talk to.
pub(super) fn version(text: &str) -> Option<String> {
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let good = numbers.split('.').count() == 3 && numbers.split('.').all(|n| n.parse::<u16>().is_ok());
    (good && text.len() <= 60 && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}
