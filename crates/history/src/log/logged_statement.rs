//! A statement that the log has as text, with what of its session decides how it is read.

use super::ServerVersion;
use dbtrail_types::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A statement in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedStatement {
    /// The database that was current.
    pub schema: Option<String>,
    /// The text, decoded to UTF-8; U+FFFD stands for each character that could not be.
    pub sql: String,
    /// Whether all of the text could be decoded.
    pub decoded: bool,
    /// sql_mode bits of the session (ANSI_QUOTES is 0x4, NO_BACKSLASH_ESCAPES is 0x100000), where
    /// the event tells.
    pub sql_mode: Option<u64>,
    /// Id of collation_server / character set defaults of the session where the event tells:
    /// (client, connection, server).
    pub charsets: Option<(u16, u16, u16)>,
    /// Id of the default collation of utf8mb4 in that session (MySQL), where the event tells.
    pub default_utf8mb4: Option<u16>,
    /// Collation id of the current database, where the event tells.
    pub database_collation: Option<u16>,
    /// explicit_defaults_for_timestamp of the session, where the event tells (MySQL 8): without it
    /// a TIMESTAMP is NOT NULL.
    pub explicit_timestamps: Option<bool>,
    /// auto_increment_increment and auto_increment_offset of the session, where one of them is not
    /// 1.
    #[serde(default)]
    pub auto_increment_steps: Option<(u16, u16)>,
    /// The server that wrote it.
    pub server: ServerVersion,
    /// The schemas whose tables it changed, triggers and functions included, where the event lists
    /// them (MySQL).
    pub updated_schemas: Option<Vec<String>>,
    /// MariaDB's `character_set_collations` where the event tells it: pairs of the id of a
    /// character set's first collation, and the id of the one it has when none is named. Without it
    /// the session had the server's own setting.
    pub set_collations: Option<Vec<(u16, u16)>>,
    /// Session time zone name, where the event tells (defaults of TIMESTAMP columns are read in
    /// it).
    pub time_zone: Option<String>,
    /// When the statement began.
    pub at: Timestamp,
    /// Whole seconds from the statement's start to when it was logged, as the server counts them:
    /// its effect could be seen no earlier than about so many seconds after `at`. 0 where the
    /// event tells none.
    pub exec_time: u32,
    /// The error that the statement ended with where it was logged all the same; 0: none.
    pub error: u16,
    /// The connection that ran it; `None`: none did, or the event does not tell.
    pub connection: Option<u32>,
}

impl LoggedStatement {
    /// A statement of which nothing is given but its text, the server that wrote it, and when it
    /// began.
    #[must_use]
    pub fn plain(sql: &str, server: ServerVersion, at: Timestamp) -> Self {
        Self {
            schema: None,
            sql: sql.to_owned(),
            decoded: true,
            sql_mode: None,
            charsets: None,
            default_utf8mb4: None,
            database_collation: None,
            explicit_timestamps: None,
            auto_increment_steps: None,
            server,
            updated_schemas: None,
            set_collations: None,
            time_zone: None,
            at,
            exec_time: 0,
            error: 0,
            connection: None,
        }
    }
}
