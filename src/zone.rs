//! The time zone of a session: local text to instants and back.

use crate::instant::Instant;

/// A time zone by IANA name, or a fixed offset as MySQL writes it (`+02:00`), or `SYSTEM` (which is UTC here).
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    name: String,
    zone: jiff::tz::TimeZone,
}

/// Why a local time names no single instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOneInstant {
    /// The clock was put back: both instants show this local time. In UTC, earlier first.
    Ambiguous(Instant, Instant),
    /// The clock was put forward over this local time: the last instant before the gap and the first after it.
    Gap(Instant, Instant),
    /// Outside of years 0001 to 9999.
    OutOfRange,
}

impl Zone {
    /// UTC, the default of everything.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "+00:00".to_owned(), zone: jiff::tz::TimeZone::UTC }
    }

    /// The name as `SELECT @@time_zone` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From `SET time_zone = '...'`: `SYSTEM`, an offset from -13:59 to +14:00, or an IANA name. `None`: unknown (1298).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Implemented by the owner of this file.
        (text == "+00:00").then(Self::utc)
    }

    /// The local time of an instant.
    #[must_use]
    pub fn local(&self, instant: Instant) -> Option<jiff::civil::DateTime> {
        let t = jiff::Timestamp::from_microsecond(instant.micros()).ok()?;
        Some(self.zone.to_datetime(t))
    }
}
