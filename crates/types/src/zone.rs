//! The time zone of a session: local text to instants and back.

use crate::timestamp::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A time zone by IANA name, or a fixed offset as MySQL writes it (`+02:00`), or `SYSTEM` (which is
/// UTC here).
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Why a local time names no single instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOneTimestamp {
    /// The clock was put back: both instants show this local time. In UTC, earlier first.
    Ambiguous(Timestamp, Timestamp),
    /// The clock was put forward over this local time: the last instant before the gap and the
    /// first after it.
    Gap(Timestamp, Timestamp),
    /// Outside of years 0001 to 9999.
    OutOfRange,
}

impl Zone {
    /// UTC, the default of everything.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "+00:00".to_owned(), zone: TimeZone::UTC }
    }

    /// The name as `SELECT @@time_zone` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its clocks never change: local times are then in the order of their instants, and no
    /// two instants are shown alike.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.zone.to_fixed_offset().is_ok()
    }

    /// From `SET time_zone = '...'`: `SYSTEM`, an offset from -13:59 to +14:00, or an IANA name.
    /// `None`: unknown (1298).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("SYSTEM") {
            return Some(Self { name: "SYSTEM".to_owned(), zone: TimeZone::UTC });
        }
        if let Some(sign @ ('+' | '-')) = text.chars().next() {
            let (hours, minutes) = text[1..].split_once(':')?;
            let plain = |s: &str| (1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
            if !plain(hours) || !plain(minutes) || minutes.len() != 2 {
                return None;
            }
            let (h, m): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
            let total = if sign == '-' { -(h * 60 + m) } else { h * 60 + m };
            if m > 59 || !(-839..=840).contains(&total) {
                return None;
            }
            let name = format!("{sign}{h:02}:{m:02}");
            return Some(Self {
                name,
                zone: TimeZone::fixed(jiff::tz::Offset::from_seconds(total * 60).ok()?),
            });
        }
        let zone = TimeZone::get(text).ok()?;
        Some(Self { name: zone.iana_name().unwrap_or(text).to_owned(), zone })
    }

    /// The instant that a local time names.
    ///
    /// # Errors
    /// A change of clocks makes it two instants, or none.
    pub fn to_timestamp(&self, local: DateTime) -> Result<Timestamp, NotOneTimestamp> {
        let micros = |offset: jiff::tz::Offset| {
            offset
                .to_timestamp(local)
                .map(|t| Timestamp::from_micros(t.as_microsecond()))
                .map_err(|_| NotOneTimestamp::OutOfRange)
        };
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => micros(offset),
            AmbiguousOffset::Gap { before, after } => {
                Err(NotOneTimestamp::Gap(micros(after)?, micros(before)?))
            }
            AmbiguousOffset::Fold { before, after } => {
                Err(NotOneTimestamp::Ambiguous(micros(before)?, micros(after)?))
            }
        }
    }

    /// The local time of an instant.
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> Option<DateTime> {
        let t = jiff::Timestamp::from_microsecond(instant.micros()).ok()?;
        Some(self.zone.to_datetime(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: &str, local: &str) -> Result<String, NotOneTimestamp> {
        Zone::parse(zone).unwrap().to_timestamp(local.parse().unwrap()).map(|i| i.to_string())
    }

    #[test]
    fn ok_offsets_and_names() {
        assert_eq!(at("+2:00", "2026-04-27T09:00:00").unwrap(), "2026-04-27T07:00:00.000000Z");
        assert_eq!(at("europe/berlin", "2026-04-27T09:00:00").unwrap(), "2026-04-27T07:00:00.000000Z");
        assert_eq!(Zone::parse("+2:00").unwrap().name(), "+02:00");
    }

    #[test]
    fn err_clock_changes_and_unknown_zones() {
        assert!(matches!(at("Europe/Berlin", "2026-10-25T02:30:00"), Err(NotOneTimestamp::Ambiguous(..))));
        assert!(matches!(at("Europe/Berlin", "2026-03-29T02:30:00"), Err(NotOneTimestamp::Gap(..))));
        for unknown in ["+14:01", "-14:00", "+1", "Mars/Olympus", "", "+02:60"] {
            assert_eq!(Zone::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn clocks_of_offsets_and_of_utc_never_change() {
        for (name, is_fixed) in
            [("+00:00", true), ("-03:30", true), ("SYSTEM", true), ("UTC", true), ("Europe/Berlin", false)]
        {
            assert_eq!(Zone::parse(name).unwrap().is_fixed(), is_fixed, "{name}");
        }
    }
}
