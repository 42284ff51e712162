//! What the system variables mean for each statement, worked out when they change and not each time
//! one is asked.

use super::{Session, version_number};
use crate::plan::charsets::{Charset, Charsets};
use dbtrail_expression::{EvaluationSettings, known_collation};
use std::time::Duration;

/// Those that every statement asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EffectiveSettings {
    pub(super) ansi_quotes: bool,
    /// Those of expressions.
    pub(super) evaluation: EvaluationSettings,
    /// The version as executable comments name it.
    pub(super) version: u32,
    /// sql_select_limit
    pub(super) select_limit: u64,
    /// sql_notes
    pub(super) notes: bool,
    /// max_execution_time; `None`: for ever.
    pub(super) time_limit: Option<Duration>,
    /// wait_timeout
    pub(super) patience: Duration,
    /// net_read_timeout, net_write_timeout
    pub(super) network: Network,
    /// character_set_client, character_set_connection
    pub(super) charsets: Charsets,
}

/// How long a client may stop in the middle of a packet before its connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// While it sends a packet (net_read_timeout).
    pub read: Duration,
    /// While it takes none of an answer (net_write_timeout).
    pub write: Duration,
}

impl Network {
    /// mysqld lets a session ask for a year: here nobody holds memory of the server for that long.
    const MOST: u64 = 600;

    fn of(read: &str, write: &str) -> Self {
        let duration = |seconds: &str, default: u64| {
            Duration::from_secs(seconds.parse().unwrap_or(default).clamp(1, Self::MOST))
        };
        Self { read: duration(read, 30), write: duration(write, 60) }
    }
}

impl Default for Network {
    /// mysqld's defaults.
    fn default() -> Self {
        Self::of("", "")
    }
}

impl Session {
    /// To be called where a system variable has changed.
    pub(super) fn work_out(&mut self) {
        let limit = self.setting("max_execution_time").parse().ok().filter(|limit| *limit > 0);
        let seconds = self.setting("wait_timeout").parse().ok();
        self.variables.effective = EffectiveSettings {
            ansi_quotes: self.has_mode("ANSI_QUOTES"),
            evaluation: self.evaluation_settings(),
            version: version_number(&self.settings.server_version),
            select_limit: self.setting("sql_select_limit").parse().unwrap_or(u64::MAX),
            notes: self.setting("sql_notes") == "ON",
            time_limit: limit.map(Duration::from_millis),
            patience: Duration::from_secs(seconds.unwrap_or(28_800)),
            charsets: Charsets {
                client: Charset::named(&self.setting("character_set_client")),
                connection: Charset::named(&self.setting("character_set_connection")),
            },
            network: Network::of(&self.setting("net_read_timeout"), &self.setting("net_write_timeout")),
        };
    }

    fn evaluation_settings(&self) -> EvaluationSettings {
        let defaults = EvaluationSettings::default();
        EvaluationSettings {
            collation: known_collation(&self.setting("collation_connection")).unwrap_or(defaults.collation),
            no_backslash_escapes: self.has_mode("NO_BACKSLASH_ESCAPES"),
            no_unsigned_subtraction: self.has_mode("NO_UNSIGNED_SUBTRACTION"),
            strict: self.has_mode("STRICT_TRANS_TABLES") || self.has_mode("STRICT_ALL_TABLES"),
            pipes_as_concat: self.has_mode("PIPES_AS_CONCAT"),
        }
    }
}
