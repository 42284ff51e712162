//! Binary log files to a sequence of committed entries, in the order of the log.
//!
//! Knows events, checksums, compression, GTIDs and raw values; knows no table definitions but what
//! a table map itself says.

mod applied;
mod assembly;
mod author;
mod bytes;
mod collations;
mod compressed;
mod decimal;
mod decoder;
mod event;
mod event_header;
pub(crate) mod event_kind;
mod fault;
mod file_error;
pub(crate) mod file_head;
mod gtid;
mod heads;
mod json;
mod logged_statement;
mod packed_time;
mod payload;
mod query;
mod raw;
mod raw_value;
mod reader;
mod rows;
mod savepoints;
mod source_time;
mod spill;
mod spilled;
mod spoken;
mod stamp;
mod stream;
mod table_map;
mod text;
mod transaction_changes;
pub(crate) mod type_code;

pub(super) use assembly::undecodable;
pub(crate) use collations::{charset as charset_of, name as collation_name};
pub use decimal::Digits;
pub(crate) use event_header::{EVENT_HEADER, EventHeader};
pub use fault::LogFault;
pub use file_error::FileError;
pub(crate) use gtid::of_mysql as mysql_gtid;
pub use heads::Head;
pub(crate) use raw::char_bytes;
pub use raw_value::Raw;
pub use reader::{Ends, LogReader};
pub use rows::{MappedTables, Rows, RowsEvent, Statement};
pub use source_time::SourceTime;
pub use spill::{SpillError, SpillOptions, TakeError};
pub(crate) use spoken::cut;
pub use stamp::Stamp;
pub use stream::StreamReader;
pub(crate) use text::UNREAD;
pub use transaction_changes::TransactionChanges;
pub(crate) use type_code as code;

pub use crate::binlog_position::BinlogPosition;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
pub use logged_statement::LoggedStatement;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a log cannot be read, or not further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The files themselves.
    #[error(transparent)]
    Files(#[from] FileError),
    /// An event.
    #[error("{}, event at byte {}: {fault}", position.file, position.offset)]
    Event {
        /// The position of the event.
        position: BinlogPosition,
        /// What is wrong with it.
        fault: LogFault,
    },
}

/// One transaction id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gtid {
    /// MySQL: `source_uuid[:tag]:number`.
    MySql {
        /// The server's UUID.
        source: [u8; 16],
        /// The tag (MySQL 8.3 and newer), in lower case.
        tag: Option<String>,
        /// The transaction's number, from 1.
        number: u64,
    },
    /// MariaDB: `domain-server-sequence`.
    MariaDb {
        /// Replication domain.
        domain: u32,
        /// The server that wrote it.
        server: u32,
        /// Sequence number in the domain.
        sequence: u64,
    },
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql { source, tag, number } => {
                for (i, b) in source.iter().enumerate() {
                    if matches!(i, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{b:02x}")?;
                }
                if let Some(tag) = tag {
                    write!(f, ":{tag}")?;
                }
                write!(f, ":{number}")
            }
            Self::MariaDb { domain, server, sequence } => write!(f, "{domain}-{server}-{sequence}"),
        }
    }
}

/// Whose an entry is, as the log tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The server that wrote it first (`server_id`).
    pub server: u32,
    /// The connection that made it; `None`: not logged (MariaDB before 11.5 logs it with DDL
    /// alone).
    pub connection: Option<u32>,
    /// Where its GTID event begins, or what is instead of one, in the file of its position.
    pub offset: u64,
    /// Another connection may have committed it than the log names: replicated, replayed, or XA.
    pub relayed: bool,
}

/// What was committed as one: a transaction with its row changes, or one DDL statement (with rows,
/// for CREATE TABLE ... SELECT). What was rolled back never becomes one.
#[derive(Debug)]
pub struct CommittedTransaction {
    /// Its id, where the server writes GTIDs.
    pub gtid: Option<Gtid>,
    /// Commit time: of the GTID event (MySQL 8 and newer), else the second of the commit's header.
    pub committed: Timestamp,
    /// What the commit time is.
    pub stamp: Stamp,
    /// The position of its first event.
    pub position: BinlogPosition,
    /// The server and the connection that made it.
    pub origin: Origin,
    /// In the order of the log.
    pub changes: TransactionChanges,
}

/// One change inside an entry.
#[derive(Clone, Debug)]
pub enum Change {
    /// Rows of one table.
    Rows(RowsEvent),
    /// A statement logged as text: DDL, or (a gap!) DML of a session with another binlog_format.
    Statement(LoggedStatement),
    /// Something that changes rows and cannot be followed (an event that does not decode, a LOAD
    /// DATA event, an incident): the tables named, or all when none is.
    Unfollowable {
        /// The tables hit; empty: unknown, so all.
        tables: Vec<TableName>,
        /// Why, for the person who asks for them.
        reason: String,
    },
}

/// The server that wrote a file of the log, as far as its version decides how a statement is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerVersion {
    /// MariaDB, not MySQL.
    pub mariadb: bool,
    /// Major and minor number; (0, 0): not known.
    pub number: (u16, u16),
    /// The third number.
    pub patch: u16,
}

impl ServerVersion {
    /// Reads the version text of a format description event.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut parts = text.split(['.', '-']).map(|p| p.parse().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let patch = parts.next().unwrap_or(0);
        Self { mariadb: text.to_ascii_lowercase().contains("mariadb"), number, patch }
    }

    /// The version as executable comments write it (90704 is 9.7.4); `None`: not known.
    #[must_use]
    pub fn code(self) -> Option<u32> {
        let (major, minor) = self.number;
        (self.number > (0, 0))
            .then(|| u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(self.patch))
    }

    /// MariaDB older than this; false for an unknown version.
    #[must_use]
    pub fn mariadb_before(self, number: (u16, u16)) -> bool {
        self.mariadb && self.number > (0, 0) && self.number < number
    }

    /// MySQL older than this; false for an unknown version.
    #[must_use]
    pub fn mysql_before(self, number: (u16, u16)) -> bool {
        !self.mariadb && self.number > (0, 0) && self.number < number
    }
}

/// A table as a table map event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedTable {
    /// Schema and table.
    pub name: TableName,
    /// Its columns, in table order, invisible and generated ones included.
    pub columns: Vec<MappedColumn>,
    /// Positions of the key columns (optional metadata), in key order.
    pub primary_key: Option<Vec<usize>>,
    /// The server that wrote it: JSON is text in MariaDB, and old temporal formats differ.
    pub server: ServerVersion,
    /// MySQL: a foreign key of some table refers to it (`TM_REFERRED_FK_DB_F`). MariaDB never says
    /// so.
    pub referred: bool,
}

/// A column as a table map event tells it. What is `None` was not in the optional metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedColumn {
    /// Type byte, as in `mysql_common::constants::ColumnType`, after ENUM/SET/CHAR were told apart.
    pub type_code: u8,
    /// The type's metadata bytes.
    pub meta: Vec<u8>,
    /// NULL allowed.
    pub nullable: bool,
    /// UNSIGNED (numbers).
    pub unsigned: Option<bool>,
    /// Its name (row metadata FULL).
    pub name: Option<String>,
    /// Collation id (text, ENUM, SET); 63 is binary.
    pub collation: Option<u16>,
    /// Labels of ENUM or SET (row metadata FULL), in the column's character set.
    pub labels: Option<Vec<Vec<u8>>>,
    /// Geometry kind (row metadata FULL).
    pub geometry: Option<u8>,
    /// Whether `SELECT *` shows it (MySQL 8.0.23 and newer, row metadata FULL).
    pub visible: Option<bool>,
}

impl MappedColumn {
    /// A column of which the optional metadata tells nothing.
    pub(super) const fn plain(type_code: u8, meta: Vec<u8>, nullable: bool) -> Self {
        Self {
            type_code,
            meta,
            nullable,
            unsigned: None,
            name: None,
            collation: None,
            labels: None,
            geometry: None,
            visible: None,
        }
    }
}
