//! Dates and times in conditions, which a server compares to the microsecond, whatever the column
//! holds. (`tests/real/conditions.py` holds this to servers.)

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named have no time")]

use super::key_value::{Condition, LiteralReader, clock, datetime, shown};
use super::literal::Literal;
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::zone::Zone;

impl LiteralReader<'_> {
    /// The constant that a literal is where the column cannot hold it; `None`: as for a key.
    pub(super) fn finer(&self, literal: &Literal, column: &Column, condition: Condition) -> Option<Vec<u8>> {
        let (Literal::Text(text, _) | Literal::DateTime(text)) = literal else { return None };
        match column.ty {
            ColumnType::Date => {
                let digits = (text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()))
                    .then(|| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
                let at = datetime(digits.as_deref().unwrap_or(text))?;
                if at.time() == jiff::civil::Time::midnight() {
                    return Some(at.date().to_string().into_bytes());
                }
                // No DATE is that instant, and those before it are the dates up to its own.
                (condition != Condition::List).then(|| shown(at, 6)).flatten().map(|text| trimmed(&text))
            }
            ColumnType::DateTime { fsp } => {
                let at = datetime(text)?;
                shown(at, fsp).is_none().then(|| shown(at, 6)).flatten().map(|text| trimmed(&text))
            }
            ColumnType::Timestamp { fsp } => {
                let at = self.zone.to_timestamp(datetime(text)?).ok()?;
                let at = Zone::utc().local(at)?;
                shown(at, fsp).is_none().then(|| shown(at, 6)).flatten().map(|text| trimmed(&text))
            }
            ColumnType::Time { fsp } if !matches!(literal, Literal::DateTime(_)) => {
                let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |d| ("-", d));
                // Hours and minutes, and hours of one digit.
                let parts: Vec<&str> = digits.split(':').collect();
                let padded = match parts.as_slice() {
                    [hours, minutes] if hours.len() <= 2 => format!("{sign}{hours:0>2}:{minutes}:00"),
                    [hours, minutes, seconds] if hours.len() == 1 => {
                        format!("{sign}0{hours}:{minutes}:{seconds}")
                    }
                    _ => text.clone(),
                };
                (padded != *text || clock(text, fsp).is_none()).then(|| clock(&padded, 6)).flatten()
            }
            _ => None,
        }
    }
}

/// A time without zeros that say nothing, after which no other with fewer decimals comes.
fn trimmed(text: &str) -> Vec<u8> {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    text.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::charsets::{Charset, Charsets};

    /// Decided by MySQL 9.7 and MariaDB 11.8, which agree.
    #[test]
    fn constants_are_compared_to_the_microsecond() {
        use Condition::{Equality, List, Range};
        let zone = Zone::parse("+02:00").unwrap();
        let reader = LiteralReader { zone: &zone, charsets: Charsets::default() };
        for (ty, text, condition, want) in [
            ("date", "20260103", List, Some("2026-01-03")),
            ("date", "2026-01-03 00:00:00", Equality, Some("2026-01-03")),
            ("date", "2026-01-03 10:00:00", Range, Some("2026-01-03 10:00:00")),
            ("date", "2026-01-03 10:00:00", List, None),
            ("date", "2026-13-03", Equality, None),
            ("datetime(3)", "2026-01-02 10:00:00.1234", Equality, Some("2026-01-02 10:00:00.1234")),
            ("datetime(3)", "2026-01-02 10:00:00.123", Equality, None),
            ("timestamp", "2026-01-02 10:00:00.5", Range, Some("2026-01-02 08:00:00.5")),
            ("time(1)", "9:00", Equality, Some("09:00:00.000000")),
            ("time(1)", "-1:02:03", Range, Some("-01:02:03.000000")),
            ("time(1)", "10:00:00.55", Range, Some("10:00:00.550000")),
            ("time(1)", "10:00:00.5", Range, None),
            ("time(1)", "10:61", Range, None),
        ] {
            let column = Column::new("c".to_owned(), ty.parse().unwrap(), None, true);
            let literal = Literal::Text(text.to_owned(), Charset::Utf8mb4);
            let found = reader.finer(&literal, &column, condition);
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found.as_deref(), want, "{ty} {text}");
        }
    }
}
