//! Instants as written to points in time.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the units that are not named have more than one number, as in SQL's own table of units"
)]

mod ago;
mod civil;
mod diagnosis;

use crate::failure::Failure;
use crate::statement::{IntervalUnit, RecordEnd, TimestampExpr};
use ago::{ago, decimal_micros};
pub(super) use civil::{date_of, is_cut, time_of};
use civil::{is_utc, to_micros};
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::{NotOneTimestamp, Zone};
use diagnosis::diagnosis;
use jiff::Span;
use jiff::civil::{DateTime, Time};

/// What relative and local instants are read by.
pub(super) struct Clock<'a> {
    pub(super) zone: &'a Zone,
    pub(super) now: Timestamp,
}

const MICROS: i64 = 1_000_000;

fn bad(text: &str, why: &str) -> Failure {
    Failure::BadTimestamp(format!("Incorrect DATETIME value: '{text}': {why}"))
}

impl Clock<'_> {
    /// The instant, if it is not in the future.
    pub(super) fn past(&self, expression: &TimestampExpr) -> Result<Timestamp, Failure> {
        let instant = self.timestamp(expression)?;
        // What an agent says that it knows is no future, whatever this machine's clock says.
        if instant > self.now && !matches!(expression, TimestampExpr::RecordEndAt(_)) {
            let now = self.now;
            return Err(match expression {
                TimestampExpr::Literal(text) => bad(
                    text,
                    &format!(
                        "it is in the future, {instant}; this server's time is {now}: ask for an earlier one"
                    ),
                ),
                _ => bad(
                    &instant.to_string(),
                    &format!("it is in the future; this server's time is {now}: ask for an earlier one"),
                ),
            });
        }
        Ok(instant)
    }

    fn timestamp(&self, expression: &TimestampExpr) -> Result<Timestamp, Failure> {
        match expression {
            TimestampExpr::Literal(text) => self.literal(text),
            TimestampExpr::RecordEndAt(instant) => Ok(*instant),
            // Where an agent does not tell the ends of its record.
            TimestampExpr::End(RecordEnd::Latest) => Ok(self.now),
            TimestampExpr::End(RecordEnd::Earliest) => Err(Failure::BadTimestamp(
                "Incorrect DATETIME value: 'EARLIEST': the agent does not say where its record begins; write the instant itself"
                    .to_owned(),
            )),
            // UTC_TIMESTAMP() names the same instant as NOW(): the two differ in how they are
            // shown.
            TimestampExpr::Now { fsp } | TimestampExpr::UtcTimestamp { fsp } => {
                let unit = 10_i64.pow(6 - u32::from((*fsp).min(6)));
                Ok(Timestamp::from_micros(self.now.micros().div_euclid(unit) * unit))
            }
            TimestampExpr::Today => {
                let local =
                    self.zone.local(self.now).ok_or_else(|| bad("CURDATE()", "it is out of range"))?;
                self.local(local.date().to_datetime(Time::midnight()), "CURDATE()")
            }
            TimestampExpr::Unix(seconds) => {
                decimal_micros(seconds).map(Timestamp::from_micros).ok_or_else(|| {
                    bad(seconds, "FROM_UNIXTIME takes seconds since 1970 with at most six decimals")
                })
            }
            TimestampExpr::Minus { base, amount, unit } => {
                let from = self.timestamp(base)?;
                // The days of UTC_TIMESTAMP() are those of UTC.
                let utc = Zone::utc();
                let zone = if is_utc(base) { &utc } else { self.zone };
                Clock { zone, now: self.now }.minus(from, amount, *unit)
            }
            TimestampExpr::Parameter(_) => Err(Failure::Syntax(
                "a parameter (?) has no value before the statement is executed".to_owned(),
            )),
        }
    }

    fn minus(&self, base: Timestamp, amount: &str, unit: IntervalUnit) -> Result<Timestamp, Failure> {
        let beyond = || {
            bad(
                amount,
                "an interval is a whole number of units (SECOND may have decimals) and stays within the years 1 to 9999",
            )
        };
        let micros_a_unit = match unit {
            IntervalUnit::Microsecond => 1,
            IntervalUnit::Second => MICROS,
            IntervalUnit::Minute => 60 * MICROS,
            IntervalUnit::Hour => 3600 * MICROS,
            IntervalUnit::Day
            | IntervalUnit::Week
            | IntervalUnit::Month
            | IntervalUnit::Quarter
            | IntervalUnit::Year => {
                return self.minus_days(base, amount, unit);
            }
        };
        let span = if unit == IntervalUnit::Second {
            decimal_micros(amount).ok_or_else(beyond)?
        } else {
            amount.parse::<i64>().ok().and_then(|n| n.checked_mul(micros_a_unit)).ok_or_else(beyond)?
        };
        base.micros().checked_sub(span).map(Timestamp::from_micros).ok_or_else(beyond)
    }

    /// Days and longer units count in local time, as MySQL's date arithmetic does.
    fn minus_days(&self, base: Timestamp, amount: &str, unit: IntervalUnit) -> Result<Timestamp, Failure> {
        let beyond =
            || bad(amount, "an interval is a whole number of units and stays within the years 1 to 9999");
        let n: i64 = amount.parse().map_err(|_| beyond())?;
        if n.abs() > 4_000_000 {
            return Err(beyond());
        }
        let span: Span = match unit {
            IntervalUnit::Day => Span::new().try_days(n),
            IntervalUnit::Week => Span::new().try_days(n * 7),
            IntervalUnit::Month => Span::new().try_months(n),
            IntervalUnit::Quarter => Span::new().try_months(n * 3),
            _ => Span::new().try_years(n),
        }
        .map_err(|_| beyond())?;
        let local = self.zone.local(base).ok_or_else(beyond)?;
        self.local(local.checked_sub(span).map_err(|_| beyond())?, amount)
    }

    fn local(&self, local: DateTime, text: &str) -> Result<Timestamp, Failure> {
        self.zone.to_timestamp(local).map_err(|e| match e {
            NotOneTimestamp::Ambiguous(a, b) => bad(
                text,
                &format!(
                    "in time zone {} it is two instants, {a} and {b}: write one of these",
                    self.zone.name()
                ),
            ),
            NotOneTimestamp::Gap(a, b) => bad(
                text,
                &format!(
                    "time zone {} skips it: the clock was put forward; nearest are {a} and {b}",
                    self.zone.name()
                ),
            ),
            NotOneTimestamp::OutOfRange => bad(text, "it is beyond the years 1 to 9999"),
        })
    }

    fn literal(&self, text: &str) -> Result<Timestamp, Failure> {
        let t = text.trim();
        if let Some(end) = RecordEnd::named(t) {
            return self.timestamp(&TimestampExpr::End(end));
        }
        if let Some(span) = ago(t) {
            return span
                .ok()
                .and_then(|s| self.now.micros().checked_sub(s))
                .map(Timestamp::from_micros)
                .ok_or_else(|| bad(text, "the span is too long"));
        }
        let wrong = || bad(text, &diagnosis(t));
        let (date, rest) = t.split_at_checked(10).ok_or_else(wrong)?;
        let date = date_of(date).ok_or_else(wrong)?;
        if rest.is_empty() {
            return self.local(date.to_datetime(Time::midnight()), text);
        }
        let clock = rest.strip_prefix([' ', 'T', 't']).ok_or_else(wrong)?;
        let zone_at = clock.find(['Z', 'z', '+', '-']);
        let (clock, offset) = clock.split_at(zone_at.unwrap_or(clock.len()));
        let time = time_of(&to_micros(clock)).ok_or_else(wrong)?;
        let local = date.to_datetime(time);
        if offset.is_empty() {
            return self.local(local, text);
        }
        let zone = if offset.eq_ignore_ascii_case("z") { Some(Zone::utc()) } else { Zone::parse(offset) };
        let zone = zone.ok_or_else(wrong)?;
        zone.to_timestamp(local).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: &str, text: &str) -> Result<String, Failure> {
        let zone = Zone::parse(zone).unwrap();
        let clock = Clock { zone: &zone, now: "2026-04-27T12:00:00Z".parse().unwrap() };
        clock.past(&TimestampExpr::Literal(text.to_owned())).map(|i| i.to_string())
    }

    #[test]
    fn ok_literals() {
        for (zone, text, instant) in [
            ("+00:00", "2026-04-27", "2026-04-27T00:00:00.000000Z"),
            ("+02:00", "2026-04-27 09:00", "2026-04-27T07:00:00.000000Z"),
            ("+00:00", "2026-04-27T09:00:00.5", "2026-04-27T09:00:00.500000Z"),
            ("+02:00", "2026-04-27T09:00:00Z", "2026-04-27T09:00:00.000000Z"),
            ("+00:00", "2026-04-27 09:00:00-01:30", "2026-04-27T10:30:00.000000Z"),
            ("+00:00", "now", "2026-04-27T12:00:00.000000Z"),
            ("+00:00", "5 minutes ago", "2026-04-27T11:55:00.000000Z"),
            ("+00:00", "-10s", "2026-04-27T11:59:50.000000Z"),
        ] {
            assert_eq!(read(zone, text).unwrap(), instant, "{zone} {text}");
        }
    }

    #[test]
    fn ok_days_count_in_the_zone_of_the_expression() {
        // In Berlin the clock was put forward on 2026-03-29 at 02:00.
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let clock = Clock { zone: &zone, now: "2026-03-29T10:00:00.123456Z".parse().unwrap() };
        let a_day_before = |base| TimestampExpr::Minus {
            base: Box::new(base),
            amount: "1".to_owned(),
            unit: IntervalUnit::Day,
        };
        for (expression, wanted) in [
            (TimestampExpr::Today, "2026-03-28T23:00:00.000000Z"),
            (a_day_before(TimestampExpr::Today), "2026-03-27T23:00:00.000000Z"),
            (a_day_before(TimestampExpr::Now { fsp: 6 }), "2026-03-28T11:00:00.123456Z"),
            (a_day_before(TimestampExpr::UtcTimestamp { fsp: 0 }), "2026-03-28T10:00:00.000000Z"),
        ] {
            assert_eq!(clock.past(&expression).unwrap().to_string(), wanted, "{expression:?}");
        }
    }

    #[test]
    fn err_literals() {
        for text in [
            "",
            "yesterday",
            "2026-02-30",
            "2026-04-27 24:00",
            "2026-04-27 09:00:60",
            "2026-04-27 09:00:00.1234567890",
            "2026-04-27  09:00",
            "26-04-27",
            "2026-04-27 12:00:01",
            "99999999999999999 days ago",
            "2026-04-27 9:00",
        ] {
            assert!(matches!(read("+00:00", text), Err(Failure::BadTimestamp(_))), "{text}");
        }
    }
}
