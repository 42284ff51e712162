//! What a crash can take from a server: with every commit synced, in its log and in InnoDB's, the
//! two agree after it. Else InnoDB may have lost transactions that the log has (and that were
//! captured), or the log some that InnoDB has (manuals: [`sync_binlog`], [Flushing]).
//!
//! [`sync_binlog`]: https://dev.mysql.com/doc/refman/9.7/en/replication-options-binary-log.html
//! [Flushing]: https://mariadb.com/kb/en/binary-log-group-commit-and-innodb-flushing-performance/

use super::client::ClientError;
use super::facts::Facts;
use super::session::Session;
use std::sync::{Arc, Mutex, PoisonError};

/// The variables that decide it, which both families have.
pub(super) const ASKED: [&str; 2] = ["sync_binlog", "innodb_flush_log_at_trx_commit"];

/// How the server is set; `None`: it has no such variable, or a number that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Durability {
    sync_binlog: Option<u64>,
    flush_log: Option<u64>,
}

impl Durability {
    pub(super) fn of(facts: &Facts) -> Self {
        let [sync_binlog, flush_log] = ASKED.map(|name| facts.variable(name).parse().ok());
        Self { sync_binlog, flush_log }
    }

    async fn ask(session: &mut Session) -> Result<Self, ClientError> {
        let row = session
            .client
            .texts(&format!("SELECT {}", ASKED.map(|name| format!("@@GLOBAL.{name}")).join(", ")))
            .await?
            .unwrap_or_default();
        let number = |i: usize| row.get(i).and_then(Option::as_deref).and_then(|n| n.parse().ok());
        Ok(Self { sync_binlog: number(0), flush_log: number(1) })
    }

    /// Whether the log and InnoDB have the same transactions after a crash, also of the machine.
    /// With 3 MariaDB syncs InnoDB's log once more than with 1.
    fn survives(self) -> bool {
        self.sync_binlog == Some(1) && matches!(self.flush_log, Some(1 | 3))
    }
}

/// How it was set since the file of the log that is written was begun: the worst counts, since what
/// is set now says nothing of a crash before.
#[derive(Clone, Debug, Default)]
pub(super) struct Durabilities(Arc<Mutex<Vec<Durability>>>);

impl Durabilities {
    /// How it is set now.
    pub(super) fn note(&self, now: Durability) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.last() != Some(&now) {
            // Of those before only one that does not survive a crash is of use.
            seen.retain(|before| !before.survives());
            seen.truncate(1);
            seen.push(now);
        }
    }

    /// Asks how it is set now.
    pub(super) async fn look(&self, session: &mut Session) -> Result<(), ClientError> {
        // Where InnoDB is not there, its variable is not either, and asking for it fails.
        if ASKED.iter().all(|name| !session.facts.variable(name).is_empty()) {
            self.note(Durability::ask(session).await?);
        }
        Ok(())
    }

    /// The server has closed a file and begun the next: a crash from here on takes nothing that is
    /// in it.
    pub(super) fn file_closed(&self) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = seen.len().saturating_sub(1);
        seen.drain(..latest);
    }

    /// The settings with which a crash can have made the tables others than the log says, in words.
    pub(super) fn after_crash(&self) -> Option<String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let worst = seen.iter().find(|one| !one.survives())?;
        let text = |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
        let values = [worst.sync_binlog, worst.flush_log].map(text);
        Some(
            ASKED
                .iter()
                .zip(values)
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(", "),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::facts::tests::facts;

    fn set(sync_binlog: &str, flush_log: &str) -> Durability {
        Durability::of(&facts("9.7.4", &[(ASKED[0], sync_binlog), (ASKED[1], flush_log)]))
    }

    #[test]
    fn only_a_server_that_syncs_every_commit_survives_a_crash() {
        for (sync_binlog, flush_log, wrong) in [
            ("1", "1", None),
            ("1", "3", None),
            ("0", "1", Some("sync_binlog=0, innodb_flush_log_at_trx_commit=1")),
            ("100", "1", Some("sync_binlog=100, innodb_flush_log_at_trx_commit=1")),
            ("1", "2", Some("sync_binlog=1, innodb_flush_log_at_trx_commit=2")),
            ("1", "0", Some("sync_binlog=1, innodb_flush_log_at_trx_commit=0")),
            ("1", "", Some("sync_binlog=1, innodb_flush_log_at_trx_commit=unknown")),
        ] {
            let seen = Durabilities::default();
            seen.note(set(sync_binlog, flush_log));
            assert_eq!(seen.after_crash().as_deref(), wrong, "{sync_binlog} {flush_log}");
        }
    }

    #[test]
    fn the_worst_since_the_file_was_begun_counts() {
        let seen = Durabilities::default();
        for (sync_binlog, flush_log) in [("1", "1"), ("1", "2"), ("1", "1"), ("1", "3"), ("1", "1")] {
            seen.note(set(sync_binlog, flush_log));
            seen.note(set(sync_binlog, flush_log));
        }
        assert_eq!(
            seen.after_crash().as_deref(),
            Some("sync_binlog=1, innodb_flush_log_at_trx_commit=2"),
            "set back before the crash"
        );
        seen.file_closed();
        assert_eq!(seen.after_crash(), None);
        seen.note(set("0", "1"));
        seen.file_closed();
        assert!(seen.after_crash().is_some(), "it is set so still");
    }
}
