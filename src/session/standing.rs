//! What the system variables mean for each statement, worked out when they change and not each time one is asked.

use super::{Session, version_number};
use std::time::Duration;

/// Those that every statement asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) ansi_quotes: bool,
    pub(super) no_backslash_escapes: bool,
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
}

impl Session {
    /// To be called where a system variable has changed.
    pub(super) fn work_out(&mut self) {
        let limit = self.setting("max_execution_time").parse().ok().filter(|limit| *limit > 0);
        let seconds = self.setting("wait_timeout").parse().ok();
        self.standing = Standing {
            ansi_quotes: self.has_mode("ANSI_QUOTES"),
            no_backslash_escapes: self.has_mode("NO_BACKSLASH_ESCAPES"),
            version: version_number(&self.settings.server_version),
            select_limit: self.setting("sql_select_limit").parse().unwrap_or(u64::MAX),
            notes: self.setting("sql_notes") == "ON",
            time_limit: limit.map(Duration::from_millis),
            patience: Duration::from_secs(seconds.unwrap_or(28_800)),
        };
    }
}
