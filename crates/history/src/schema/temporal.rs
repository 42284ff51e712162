//! Dates and times as text: reading them, and what ALTER TABLE makes of them.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named are no dates or times")]

use super::number::Exact;
use dbtrail_types::column::ColumnType;

/// A date, a time, or both, as mysqld prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Temporal {
    /// Year, month, day.
    date: Option<(u16, u8, u8)>,
    time: Option<Time>,
    /// As it was written.
    pub(super) written: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Time {
    negative: bool,
    hour: u16,
    minute: u8,
    second: u8,
    micros: u32,
}

fn digits<T: std::str::FromStr>(text: &str, widths: std::ops::RangeInclusive<usize>) -> Option<T> {
    let plain = widths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn date(text: &str) -> Option<(u16, u8, u8)> {
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    let date = (digits(y, 4..=4)?, digits(m, 2..=2)?, digits(d, 2..=2)?);
    parts.next().is_none().then_some(date)
}

fn time(text: &str) -> Option<Time> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |t| (true, t));
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let mut parts = clock.split(':');
    let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
    let micros = format!("{fraction:0<6}");
    let time = Time {
        negative,
        hour: digits(h, 2..=3)?,
        minute: digits(m, 2..=2)?,
        second: digits(s, 2..=2)?,
        micros: digits(&micros, 6..=6)?,
    };
    (parts.next().is_none() && time.minute < 60 && time.second < 60 && time.hour < 839).then_some(time)
}

impl Temporal {
    /// Reads `2024-02-29`, `2024-02-29 10:11:12.5`, `-10:11:12`; `None`: it is written in another
    /// form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let written = text.to_owned();
        match text.split_once(' ') {
            Some((d, t)) => {
                let time = time(t).filter(|t| !t.negative && t.hour < 24)?;
                Some(Self { date: Some(date(d)?), time: Some(time), written })
            }
            None if text.contains(':') => Some(Self { date: None, time: Some(time(text)?), written }),
            None => Some(Self { date: Some(date(text)?), time: None, written }),
        }
    }

    /// Whether its date is a day of the calendar.
    fn is_day(&self) -> bool {
        self.date.is_none_or(|(y, m, d)| {
            let day = |n: u8| i8::try_from(n).unwrap_or(-1);
            i16::try_from(y).is_ok_and(|y| y > 0 && jiff::civil::Date::new(y, day(m), day(d)).is_ok())
        })
    }

    /// The number that a date, or a time without decimals, is.
    pub(super) fn number(&self) -> Option<Exact> {
        let time = |t: Time| format!("{:02}{:02}{:02}", t.hour, t.minute, t.second);
        if self.time.is_some_and(|t| t.micros != 0) {
            return None;
        }
        match (self.date, self.time) {
            (Some((y, m, d)), None) => Exact::read(&format!("{y}{m:02}{d:02}")),
            (Some((y, m, d)), Some(t)) => Exact::read(&format!("{y}{m:02}{d:02}{}", time(t))),
            (None, Some(t)) => Exact::read(&format!("{}{}", if t.negative { "-" } else { "" }, time(t))),
            (None, None) => None,
        }
    }

    /// The value in another type. `rounds`: what does not fit after the second is rounded, not cut.
    /// `from`: `None` for text.
    pub(super) fn converted(
        &self,
        from: Option<&ColumnType>,
        to: &ColumnType,
        rounds: bool,
    ) -> Option<Vec<u8>> {
        // A TIMESTAMP is read and written in the session's time zone.
        let zoned = |ty: &ColumnType| matches!(ty, ColumnType::Timestamp { .. });
        if zoned(to) != from.is_some_and(zoned) {
            return None;
        }
        if from.is_none() && !self.is_day() {
            return None;
        }
        match to {
            ColumnType::Date => {
                let (y, m, d) = self.date?;
                // Where seconds round up, the day can change.
                if rounds && self.time.is_some_and(|t| t.micros >= 500_000) {
                    return None;
                }
                Some(format!("{y:04}-{m:02}-{d:02}").into_bytes())
            }
            ColumnType::DateTime { fsp } | ColumnType::Timestamp { fsp } => {
                let (y, m, d) = self.date?;
                let time = self.time.unwrap_or_default().cut(*fsp, rounds)?;
                let text = format!("{y:04}-{m:02}-{d:02} {}", time.text(*fsp));
                // The first second of 1970 stands for the zero date in a TIMESTAMP.
                (!zoned(to) || !text.starts_with("1970-01-01 00:00:00")).then(|| text.into_bytes())
            }
            ColumnType::Time { fsp } => {
                if self.date.is_some() && from.is_none() {
                    return None;
                }
                let time = self.time?.cut(*fsp, rounds)?;
                Some(time.text(*fsp).into_bytes())
            }
            _ => None,
        }
    }
}

impl Time {
    /// With no more than so many decimals of the second; `None`: it would be rounded into the next
    /// minute.
    fn cut(mut self, fsp: u8, rounds: bool) -> Option<Self> {
        let unit = 10_u32.pow(6_u32.checked_sub(u32::from(fsp))?);
        let rest = self.micros % unit;
        self.micros -= rest;
        if rounds && rest * 2 >= unit {
            self.micros += unit;
            if self.micros == 1_000_000 {
                self.micros = 0;
                self.second += 1;
                if self.second == 60 {
                    return None;
                }
            }
        }
        Some(self)
    }

    fn text(self, fsp: u8) -> String {
        let zero = self.hour == 0 && self.minute == 0 && self.second == 0 && self.micros == 0;
        let sign = if self.negative && !zero { "-" } else { "" };
        let micros = format!("{:06}", self.micros);
        let fraction = micros.get(..usize::from(fsp)).unwrap_or_default();
        let point = if fsp == 0 { "" } else { "." };
        format!("{sign}{:02}:{:02}:{:02}{point}{fraction}", self.hour, self.minute, self.second)
    }
}
