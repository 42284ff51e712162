//! Points in time: microseconds since 1970-01-01 UTC, and the time zone of a session.
//!
//! `now` is always a parameter here: nothing in this module looks at a clock except
//! [`Timestamp::now`], which the session calls once a statement.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A point in time, in microseconds since 1970-01-01 00:00:00 UTC. As text: RFC 3339 with six
/// decimals and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// Text that is no point in time this program can hold (years 0001 to 9999).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a point in time: use RFC 3339 such as 2026-04-27T09:00:00.000000Z")]
pub struct NotATimestamp(pub String);

impl Timestamp {
    /// From microseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The computer's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// The start of the second that an HTTP `Date` header names (`Mon, 27 Apr 2026 09:00:00 GMT`).
    #[must_use]
    pub fn from_http_date(text: &str) -> Option<Self> {
        let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Self(time.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t:.6}"),
            Err(_) => write!(f, "{} microseconds since 1970", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let t: jiff::Timestamp = text.parse().map_err(|_| NotATimestamp(text.to_owned()))?;
        Ok(Self(t.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The state of the rows to show: that of a time, or that just after a transaction (with a GTID
/// set: after all of it).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// Everything committed at or before this time.
    Time(Timestamp),
    /// MySQL: `uuid:n`, `uuid:1-5:7,uuid:3`, tagged too; MariaDB: `domain-server-seq[,...]`.
    Gtid(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_dates_of_http() {
        for (text, micros) in [
            ("Thu, 01 Jan 1970 00:00:01 GMT", Some(1_000_000)),
            ("Mon, 27 Apr 2026 09:00:00 GMT", Some(1_777_280_400_000_000)),
            ("", None),
            ("yesterday", None),
            ("Mon, 27 Apr 2026 25:00:00 GMT", None),
        ] {
            assert_eq!(Timestamp::from_http_date(text).map(Timestamp::micros), micros, "{text}");
        }
    }
}
