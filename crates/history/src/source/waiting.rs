//! How long the server may wait between the stamp of a commit and showing it, as it is set now.
//!
//! MySQL stamps a transaction when it is written into the log, then waits for others to sync the
//! log with (`binlog_group_commit_sync_delay`: seen, 1 s before anyone sees the row); with
//! semi-synchronous replication and AFTER_SYNC both families then wait for a replica, up to a
//! timeout of 10 s by default. MariaDB can wait before the log too (`binlog_commit_wait_usec`),
//! with the stamp of the beginning; it does so only where `binlog_commit_wait_count` names how many
//! commits it waits for, which is none by default, while the time is 100 ms by default.

use super::client::{ClientError, text};
use super::session::Session;
use std::collections::HashMap;
use std::time::Duration;

/// By both families' names.
const ASKED: [&str; 9] = [
    "binlog_group_commit_sync_delay",
    "binlog_commit_wait_count",
    "binlog_commit_wait_usec",
    "rpl_semi_sync_source_enabled",
    "rpl_semi_sync_source_timeout",
    "rpl_semi_sync_source_wait_point",
    "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_master_timeout",
    "rpl_semi_sync_master_wait_point",
];

/// Asks for what decides it. Variables of plugins come and go with them, so all are asked for each
/// time.
pub(super) async fn longest(session: &mut Session) -> Result<Duration, ClientError> {
    if session.facts.mariadb() && session.facts.number >= (10, 3, 3) {
        return longest_of_mariadb(session).await;
    }
    let names = ASKED.map(|n| format!("'{n}'")).join(", ");
    let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})");
    let variables = pairs(session, &sql).await?;
    let semi = semi_sync(&variables);
    // Where no replica answered in time, it does not wait any more until one has caught up.
    let waits = semi > Duration::ZERO
        && pairs(session, "SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync\\_%\\_status'")
            .await?
            .iter()
            .any(|(name, value)| !name.contains("replica") && !name.contains("slave") && value == "ON");
    Ok(before_sync(&variables) + if waits { semi } else { Duration::ZERO })
}

/// MariaDB has semi-synchronous replication built in since 10.3.3, so that its variables are always
/// there: reading them by name makes no temporary table, as SHOW does.
async fn longest_of_mariadb(session: &mut Session) -> Result<Duration, ClientError> {
    let asked: Vec<&str> =
        ASKED.into_iter().filter(|n| !n.contains("group_commit") && !n.contains("source")).collect();
    let sql = asked.iter().map(|name| format!("@@GLOBAL.{name}")).collect::<Vec<_>>().join(", ");
    let row = session.client.texts(&format!("SELECT {sql}")).await?.unwrap_or_default();
    let variables: HashMap<String, String> =
        asked.into_iter().zip(row).filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let semi = semi_sync(&variables);
    // Where no replica answered in time, it does not wait any more until one has caught up.
    let waits = semi > Duration::ZERO
        && pairs(session, "SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync\\_master\\_status'")
            .await?
            .values()
            .any(|value| value == "ON");
    Ok(before_sync(&variables) + if waits { semi } else { Duration::ZERO })
}

async fn pairs(session: &mut Session, sql: &str) -> Result<HashMap<String, String>, ClientError> {
    let rows = session.client.query(sql).await?;
    let pairs = rows.into_iter().filter_map(|row| {
        let mut cells = row.into_iter().map(text);
        Some((cells.next()??.to_ascii_lowercase(), cells.next()??))
    });
    Ok(pairs.collect())
}

fn number(variables: &HashMap<String, String>, name: &str) -> u64 {
    variables.get(name).and_then(|v| v.parse().ok()).unwrap_or(0)
}

/// Waiting for others to write or sync the log with: microseconds.
fn before_sync(variables: &HashMap<String, String>) -> Duration {
    let for_others = if number(variables, "binlog_commit_wait_count") > 0 {
        number(variables, "binlog_commit_wait_usec")
    } else {
        0
    };
    Duration::from_micros(number(variables, "binlog_group_commit_sync_delay").max(for_others))
}

/// Waiting for a replica after the log and before the engine: milliseconds.
fn semi_sync(variables: &HashMap<String, String>) -> Duration {
    let longest = ["source", "master"].map(|side| {
        let of = |name: &str| format!("rpl_semi_sync_{side}_{name}");
        let is =
            |name: &str, value: &str| variables.get(&of(name)).is_some_and(|v| v.eq_ignore_ascii_case(value));
        let waits = (is("enabled", "ON") || is("enabled", "1")) && is("wait_point", "AFTER_SYNC");
        if waits { number(variables, &of("timeout")) } else { 0 }
    });
    Duration::from_millis(longest.into_iter().max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_how_long_a_server_waits() {
        for (variables, before, following) in [
            (&[][..], 0, 0),
            (&[("binlog_group_commit_sync_delay", "1000000")], 1_000_000, 0),
            (&[("binlog_commit_wait_usec", "250000"), ("binlog_commit_wait_count", "3")], 250_000, 0),
            // As MariaDB is shipped.
            (&[("binlog_commit_wait_usec", "100000"), ("binlog_commit_wait_count", "0")], 0, 0),
            (
                &[
                    ("rpl_semi_sync_source_enabled", "ON"),
                    ("rpl_semi_sync_source_timeout", "6000"),
                    ("rpl_semi_sync_source_wait_point", "AFTER_SYNC"),
                ],
                0,
                6_000,
            ),
            (
                &[
                    ("rpl_semi_sync_master_enabled", "ON"),
                    ("rpl_semi_sync_master_timeout", "10000"),
                    ("rpl_semi_sync_master_wait_point", "AFTER_COMMIT"),
                ],
                0,
                0,
            ),
            (
                &[
                    ("rpl_semi_sync_master_enabled", "OFF"),
                    ("rpl_semi_sync_master_timeout", "10000"),
                    ("rpl_semi_sync_master_wait_point", "AFTER_SYNC"),
                ],
                0,
                0,
            ),
        ] {
            let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(before_sync(&variables), Duration::from_micros(before), "{variables:?}");
            assert_eq!(semi_sync(&variables), Duration::from_millis(following), "{variables:?}");
        }
    }
}
