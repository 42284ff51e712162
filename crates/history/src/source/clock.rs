//! Up to when the log is complete: the server's clock, taken apart from its log.
//!
//! A time T is safe at a position P when no commit after P can bear a stamp at or before T. MySQL 8
//! stamps a transaction while it holds the log's lock, which asking for the log's end takes too:
//! what was stamped before the clock was read lies before the end that is asked for afterwards.
//! MariaDB and MySQL 5.7 stamp with the second in which the committing *statement began*: whatever
//! still runs may bear a stamp as old as its start, so only the time before the oldest running
//! statement is safe.

use super::client::{ClientError, text};
use super::own_connections::OwnConnections;
use super::running::Connection;
use super::session::Session;
use super::{replica, waiting};
use crate::capture::{ClockReading, ValidFrom};
use crate::log::SourceTime;
use dbtrail_types::timestamp::Timestamp;
use std::time::{Duration, Instant as Timer};

/// How often the clock is read.
pub(super) const EVERY: Duration = Duration::from_millis(500);
const SECOND: i64 = 1_000_000;

/// Reads the clock, then the end of the log.
pub(super) async fn read(
    session: &mut Session,
    own: &OwnConnections,
    time: SourceTime,
) -> Result<ValidFrom<ClockReading>, ClientError> {
    let delay = waiting::longest(session).await?;
    let asked = Timer::now();
    let (now, safe, follows) = if session.facts.commit_stamps() {
        let follows = time == SourceTime::Original && replica::is_one(session).await?;
        let now = session.now().await?;
        (now, Some(Timestamp::from_micros(now.micros() - 1)).filter(|_| !follows), follows)
    } else {
        let follows = replica::is_one(session).await?;
        before_statements(session, own, follows).await?
    };
    let after = session.log_end().await?;
    let took = asked.elapsed();
    Ok(ValidFrom { after, what: ClockReading { now, safe, asked, took, delay, follows } })
}

/// The clock, the time that is safe by it, and whether none is since the server applies
/// transactions of another, whose stamps are those of their origin.
async fn before_statements(
    session: &mut Session,
    own: &OwnConnections,
    replica: bool,
) -> Result<(Timestamp, Option<Timestamp>, bool), ClientError> {
    // The clock first: a statement that begins after it bears a later stamp, and one that ends
    // before the list is made is in the log by then.
    let now = session.now().await?;
    // Not information_schema.PROCESSLIST: MariaDB would make a temporary table on disk for it, each
    // time.
    let rows = session.client.query("SHOW PROCESSLIST").await?;
    let processes = rows.into_iter().map(|row| Process::of(row.into_iter().map(text)));
    let (appliers, connections) = clients(processes, &own.ids());
    let earliest = session.running.earliest(now.micros(), &connections);
    if replica || appliers {
        return Ok((now, None, true));
    }
    Ok((now, Some(safe(now, earliest)), false))
}

/// What counts of a line of SHOW PROCESSLIST.
struct Process {
    id: Option<u32>,
    user: String,
    command: String,
    /// Seconds, cut off.
    age: Option<i64>,
}

impl Process {
    /// Of Id, User, Host, db, Command, Time, and what follows.
    fn of(cells: impl Iterator<Item = Option<String>>) -> Self {
        let mut cells = cells.map(Option::unwrap_or_default);
        let id = cells.next().and_then(|id| id.parse().ok());
        let user = cells.next().unwrap_or_default();
        let command = cells.nth(2).unwrap_or_default();
        Self { id, user, command, age: cells.next().and_then(|age| age.parse().ok()) }
    }
}

/// Whether transactions of another server are applied, and the connections of clients.
fn clients(processes: impl Iterator<Item = Process>, own: &[u32]) -> (bool, Vec<Connection>) {
    let (mut appliers, mut connections) = (false, Vec::new());
    for process in processes {
        let is = |words: &[&str], text: &str| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is(&["system user"], &process.user) {
            appliers |= !process.command.to_ascii_lowercase().starts_with("slave_io");
            continue;
        }
        if process.id.is_some_and(|id| own.contains(&id)) {
            continue;
        }
        let idle = is(&["Sleep", "Binlog Dump", "Binlog Dump GTID", "Daemon"], &process.command)
            || is(&["event_scheduler", "unauthenticated user"], &process.user);
        // Without an age it has just begun.
        let age = (!idle).then(|| process.age.unwrap_or(0));
        connections.push(Connection { id: process.id, age });
    }
    (appliers, connections)
}

/// The last instant before the second in which the oldest running statement can have begun.
fn safe(now: Timestamp, earliest: Option<i64>) -> Timestamp {
    let began = earliest.map_or(now.micros(), |earliest| earliest.min(now.micros()));
    Timestamp::from_micros(began.div_euclid(SECOND).saturating_mul(SECOND) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_before_the_oldest_statement_is_safe() {
        for (now, earliest, want) in [
            (100_400_000, None, 99_999_999),
            (100_000_000, None, 99_999_999),
            (100_400_000, Some(100_100_000), 99_999_999),
            (100_400_000, Some(99_900_000), 98_999_999),
            (100_400_000, Some(94_400_000), 93_999_999),
            (100_400_000, Some(101_000_000), 99_999_999),
        ] {
            let safe = safe(Timestamp::from_micros(now), earliest);
            assert_eq!(safe.micros(), want, "{now} {earliest:?}");
        }
    }

    /// Lines as MariaDB 11.8 writes them: Id, User, Host, db, Command, Time, State, Info, Progress.
    #[test]
    fn the_list_of_processes_is_read() {
        let line = |text: &str| Process::of(text.split('|').map(|c| (c != "NULL").then(|| c.to_owned())));
        let of = |lines: &[&str]| {
            let (appliers, connections) = clients(lines.iter().map(|l| line(l)), &[7, 8]);
            (appliers, connections.iter().filter_map(|c| c.age).max())
        };
        let quiet = [
            "5|root|localhost:51460|NULL|Sleep|90||NULL|0.000",
            "7|dbtrail|h:1|NULL|Query|3|starting|SHOW PROCESSLIST|0.000",
        ];
        assert_eq!(of(&quiet), (false, None));
        assert_eq!(of(&["9|app|h:1|shop|Query|0|Updating|UPDATE t|0.000"]), (false, Some(0)));
        assert_eq!(
            of(&["9|app|h:1|shop|Query|12|NULL|NULL|0.000", "10|app|h:1|NULL|Execute|3|NULL|NULL|0.000"]),
            (false, Some(12))
        );
        assert_eq!(of(&["9|app|h:1|NULL|Query|NULL|NULL|NULL|0.000"]), (false, Some(0)));
        for idle in [
            "9|repl|h:1|NULL|Binlog Dump|999|x|NULL|0.000",
            "9|event_scheduler|localhost|NULL|Daemon|999|x|NULL|0.000",
            "9|unauthenticated user|connecting host|NULL|Connect|NULL|login|NULL|0.000",
            "3|system user||NULL|Slave_IO|999|x|NULL|0.000",
        ] {
            assert_eq!(of(&[idle]), (false, None), "{idle}");
        }
        assert_eq!(of(&["3|system user||NULL|Slave_SQL|999|x|NULL|0.000"]), (true, None));
        assert_eq!(of(&["3|system user||NULL|Slave_worker|999|x|NULL|0.000"]), (true, None));
    }
}
