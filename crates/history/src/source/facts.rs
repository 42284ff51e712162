//! What the server says of itself.

use super::client::{Client, ClientError, text};
use crate::binlog_position::Identity;
use crate::source_error::ProtocolFault;
use std::collections::HashMap;

/// The global variables that decide whether and how its log can be followed.
const ASKED: [&str; 21] = [
    "version",
    "hostname",
    "port",
    "server_id",
    "server_uuid",
    "server_uid",
    "gtid_mode",
    "log_bin",
    "log_slave_updates",
    "log_replica_updates",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_metadata",
    "binlog_row_value_options",
    "binlog_expire_logs_seconds",
    "expire_logs_days",
    "binlog_checksum",
    "lower_case_table_names",
    "default_storage_engine",
    "sync_binlog",
    "innodb_flush_log_at_trx_commit",
];

/// Answers of the server about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whose log it is.
    pub identity: Identity,
    /// Major, minor and patch number.
    pub number: (u16, u16, u16),
    /// Its global variables, by name in lower case; those it does not have are missing.
    pub variables: HashMap<String, String>,
}

impl Facts {
    pub(super) async fn ask(client: &mut Client) -> Result<Self, ClientError> {
        let names = ASKED.map(|n| format!("'{n}'")).join(", ");
        let rows = client.query(&format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")).await?;
        let pairs = rows.into_iter().filter_map(|row| {
            let mut cells = row.into_iter().map(text);
            Some((cells.next()??.to_ascii_lowercase(), cells.next()??))
        });
        Self::of(pairs.collect()).ok_or_else(|| ProtocolFault::NoVersion.into())
    }

    /// Of the server's variables; `None` where not even those are there that every server has.
    pub(super) fn of(variables: HashMap<String, String>) -> Option<Self> {
        let version = variables.get("version")?.clone();
        let mut parts = version.split(['.', '-']).map(|p| p.parse().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let identity = Identity {
            mariadb: version.to_ascii_lowercase().contains("mariadb"),
            uuid: variables.get("server_uuid").filter(|u| !u.is_empty()).cloned(),
            server_id: variables.get("server_id")?.parse().ok()?,
            version,
        };
        Some(Self { identity, number, variables })
    }

    /// A variable; empty where the server has none of this name.
    #[must_use]
    pub fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// How it takes names that differ in upper and lower case alone; `None`: it does not say.
    #[must_use]
    pub fn lower_case_table_names(&self) -> Option<u8> {
        self.variable("lower_case_table_names").parse().ok()
    }

    /// MariaDB, not MySQL.
    #[must_use]
    pub fn mariadb(&self) -> bool {
        self.identity.mariadb
    }

    /// Whether every transaction has a GTID.
    #[must_use]
    pub fn gtids(&self) -> bool {
        self.mariadb() || self.variable("gtid_mode").eq_ignore_ascii_case("ON")
    }

    /// Whether the log has the time of each commit in microseconds (MySQL 8.0.1 and newer), taken
    /// while it is written. Else it has the second in which the statement began that committed.
    #[must_use]
    pub fn commit_stamps(&self) -> bool {
        !self.mariadb() && self.number >= (8, 0, 1)
    }

    /// Whether SHOW BINARY LOG STATUS is known; MariaDB keeps SHOW MASTER STATUS.
    pub(super) fn has_binary_log_status(&self) -> bool {
        !self.mariadb() && self.number >= (8, 2, 0)
    }

    /// How long the log is kept, in seconds; `None`: for ever.
    #[must_use]
    pub fn log_kept(&self) -> Option<u64> {
        let seconds = self.variable("binlog_expire_logs_seconds").parse::<u64>().ok().filter(|s| *s > 0);
        let days = || {
            // MariaDB has fractions of days.
            let days = self.variable("expire_logs_days").split('.').next()?.parse::<u64>().ok()?;
            Some(days.checked_mul(86_400)?).filter(|s| *s > 0)
        };
        seconds.or_else(days)
    }

    /// The same running server, as far as is known: also for MariaDB, which has no server_uuid.
    pub(super) fn is_of_same_server(&self, other: &Self) -> bool {
        let same = |name| self.variable(name) == other.variable(name);
        self.identity.same_server(&other.identity) && ["hostname", "port", "server_uid"].into_iter().all(same)
    }

    /// Which server, for messages.
    #[must_use]
    pub fn who(&self) -> String {
        let uuid = self.identity.uuid.as_ref().map_or_else(String::new, |u| format!(", server_uuid {u}"));
        format!(
            "{} with server_id {}{uuid} on {}",
            self.identity.version,
            self.identity.server_id,
            self.variable("hostname")
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Facts of a server with these variables beside those it must have.
    pub(in crate::source) fn facts(version: &str, variables: &[(&str, &str)]) -> Facts {
        let must = [("version", version), ("server_id", "7")];
        let all = must.iter().chain(variables).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Facts::of(all.collect()).unwrap()
    }

    #[test]
    fn ok_families_and_versions() {
        for (version, mariadb, number, stamps, status) in [
            ("10.11.19-MariaDB-0+deb12u1-log", true, (10, 11, 19), false, false),
            ("11.4.2-MariaDB", true, (11, 4, 2), false, false),
            ("9.7.4-2", false, (9, 7, 4), true, true),
            ("8.0.36", false, (8, 0, 36), true, false),
            ("5.7.44-log", false, (5, 7, 44), false, false),
        ] {
            let facts = facts(version, &[]);
            assert_eq!((facts.mariadb(), facts.number), (mariadb, number), "{version}");
            assert_eq!((facts.commit_stamps(), facts.has_binary_log_status()), (stamps, status), "{version}");
        }
    }

    #[test]
    fn ok_how_long_the_log_is_kept() {
        for (variables, want) in [
            (&[("binlog_expire_logs_seconds", "2592000"), ("expire_logs_days", "0")][..], Some(2_592_000)),
            (&[("binlog_expire_logs_seconds", "0"), ("expire_logs_days", "3.000000")], Some(259_200)),
            (&[("binlog_expire_logs_seconds", "0"), ("expire_logs_days", "0.000000")], None),
            (&[], None),
        ] {
            assert_eq!(facts("10.11.1-MariaDB", variables).log_kept(), want);
        }
    }

    #[test]
    fn another_host_is_another_server_where_there_is_no_uuid() {
        let one = facts("10.11.1-MariaDB", &[("hostname", "a")]);
        assert!(one.is_of_same_server(&facts("10.11.1-MariaDB", &[("hostname", "a")])));
        assert!(!one.is_of_same_server(&facts("10.11.1-MariaDB", &[("hostname", "b")])));
    }
}
