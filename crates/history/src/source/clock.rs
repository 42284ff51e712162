//! Up to when the log is whole: the server's clock, taken apart from its log.
//!
//! A time T is safe at a place P when no commit behind P can bear a stamp at or before T. MySQL 8
//! stamps a transaction while it holds the log's lock, which asking for the log's end takes too:
//! what was stamped before the clock was read lies before the end that is asked for afterwards.
//! MariaDB and MySQL 5.7 stamp with the second in which the committing *statement began*: whatever
//! still runs may bear a stamp as old as its start, so only the time before the oldest running
//! statement is safe.

use super::client::ClientError;
use super::own::Own;
use super::session::Session;
use super::{replica, waiting};
use crate::capture::{Reading, ValidFrom};
use crate::log::SourceTime;
use dbtrail_types::instant::Instant;
use std::time::{Duration, Instant as Timer};

/// How often the clock is read.
pub(super) const EVERY: Duration = Duration::from_millis(500);
const SECOND: i64 = 1_000_000;

/// Reads the clock, then the end of the log.
pub(super) async fn read(
    session: &mut Session,
    own: &Own,
    time: SourceTime,
) -> Result<ValidFrom<Reading>, ClientError> {
    let delay = waiting::longest(session).await?;
    let asked = Timer::now();
    let (now, safe, follows) = if session.facts.commit_stamps() {
        let follows = time == SourceTime::Original && replica::is_one(session).await?;
        let now = session.now().await?;
        (now, Some(Instant::from_micros(now.micros() - 1)).filter(|_| !follows), follows)
    } else {
        let follows = replica::is_one(session).await?;
        before_statements(session, own, follows).await?
    };
    let after = session.log_end().await?;
    let took = asked.elapsed();
    Ok(ValidFrom { after, what: Reading { now, safe, asked, took, delay, follows } })
}

/// The clock, the time that is safe by it, and whether none is since the server applies
/// transactions of another, whose stamps are those of their origin.
async fn before_statements(
    session: &mut Session,
    own: &Own,
    replica: bool,
) -> Result<(Instant, Option<Instant>, bool), ClientError> {
    let own = own.ids().iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let age = if session.facts.mariadb() { "TIME_MS" } else { "TIME" };
    let sql = format!(
        "SELECT UTC_TIMESTAMP(6), COALESCE(SUM(USER = 'system user' AND COMMAND NOT LIKE 'Slave\\_IO'), 0), \
         MAX(IF(USER <> 'system user' AND COMMAND NOT IN ('Sleep', 'Binlog Dump', 'Binlog Dump GTID', 'Daemon') \
         AND USER NOT IN ('event_scheduler', 'unauthenticated user') AND ID NOT IN ({own}), {age}, NULL)) \
         FROM information_schema.PROCESSLIST"
    );
    let row = session.client.texts(&sql).await?.unwrap_or_default();
    let mut cells = row.into_iter();
    let now = cells.next().flatten().as_deref().and_then(super::session::instant);
    let now = now.ok_or_else(|| ClientError::Protocol("its clock shows no time".to_owned()))?;
    let appliers = cells.next().flatten().unwrap_or_default();
    if replica || appliers != "0" {
        return Ok((now, None, true));
    }
    let oldest = cells.next().flatten();
    Ok((now, Some(safe(now, oldest.as_deref(), session.facts.mariadb())), false))
}

/// The last instant before the second in which the oldest running statement began. Its age is in
/// milliseconds (MariaDB) or seconds.
fn safe(now: Instant, oldest: Option<&str>, milliseconds: bool) -> Instant {
    let whole = |text: &str| text.split('.').next().unwrap_or_default().parse::<i64>().unwrap_or(0).max(0);
    // An age is cut off to its unit.
    let age = match (oldest, milliseconds) {
        (None, _) => 0,
        (Some(age), true) => (whole(age) + 1) * 1_000,
        (Some(age), false) => (whole(age) + 1) * SECOND,
    };
    let began = now.micros() - age;
    Instant::from_micros(began.div_euclid(SECOND) * SECOND - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_before_the_oldest_statement_is_safe() {
        for (now, oldest, milliseconds, want) in [
            (100_400_000, None, true, 99_999_999),
            (100_000_000, None, true, 99_999_999),
            (100_400_000, Some("0.312"), true, 99_999_999),
            (100_400_000, Some("399.000"), true, 99_999_999),
            (100_400_000, Some("400.000"), true, 98_999_999),
            (100_400_000, Some("5400.100"), true, 93_999_999),
            (100_400_000, Some("0"), false, 98_999_999),
            (100_400_000, Some("5"), false, 93_999_999),
        ] {
            let safe = safe(Instant::from_micros(now), oldest, milliseconds);
            assert_eq!(safe.micros(), want, "{now} {oldest:?}");
        }
    }
}
