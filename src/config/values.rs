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

/// A share of all rows, by the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyShare {
    /// Hundredths of a percent.
    hundredths: u64,
}

impl HourlyShare {
    /// Reads `1%/h`, `0.25%/h`: of 0.01 to 100 percent.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let percent = text.strip_suffix("%/h")?;
        let (integer, part) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits = |t: &str| !t.is_empty() && t.len() <= 3 && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(integer) || !digits(part) || part.len() > 2 {
            return None;
        }
        let part = format!("{part:0<2}").parse::<u64>().ok()?;
        let hundredths = integer.parse::<u64>().ok()? * 100 + part;
        (1..=10_000).contains(&hundredths).then_some(Self { hundredths })
    }

    /// Rows a second, of so many in all.
    #[must_use]
    pub fn of(self, rows: u64) -> u32 {
        let hourly = u128::from(rows) * u128::from(self.hundredths) / 10_000;
        u32::try_from(hourly / 3600).unwrap_or(u32::MAX)
    }
}

/// What [`HourlyShare::read`] takes, and what means none.
pub(crate) const HOURLY_SHARE_FORM: &str =
    "a share of all rows an hour from 0.01%/h to 100%/h such as 1%/h, or off";

/// How fast the history is verified in the background; `None`: it is not (`off`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verify(pub(crate) Option<HourlyShare>);

/// Reads a share, or `off`.
pub(crate) fn verify(text: &str) -> Option<Verify> {
    if text == "off" { Some(Verify(None)) } else { HourlyShare::read(text).map(|share| Verify(Some(share))) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_rows_an_hour() {
        for (text, rows) in [("1%/h", 2), ("100%/h", 277), ("0.5%/h", 1), ("0.01%/h", 0), ("12.25%/h", 34)] {
            assert_eq!(HourlyShare::read(text).map(|share| share.of(1_000_000)), Some(rows), "{text}");
        }
        assert_eq!(HourlyShare::read("100%/h").unwrap().of(u64::MAX), u32::MAX);
        for text in
            ["", "1", "1%", "%/h", "0%/h", "0.001%/h", "101%/h", "-1%/h", "1.%/h", ".5%/h", "1e1%/h", "1 %/h"]
        {
            assert_eq!(HourlyShare::read(text), None, "{text}");
        }
        assert_eq!(verify("off"), Some(Verify(None)));
        assert_eq!(verify("on"), None);
    }
}
