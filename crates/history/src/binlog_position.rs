//! Positions in the binary log of a running server: where capturing goes on, and what was already
//! read.
//!
//! A position in a file orders by the number of the file, then by the byte. Positions of two
//! servers cannot be compared; [`Identity`] tells whose they are.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A byte of a log file, between two events.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BinlogPosition {
    /// File name without its folder.
    pub file: String,
    /// Byte offset in it.
    pub offset: u64,
}

impl BinlogPosition {
    /// The number after the last dot of the file's name.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.file.rsplit_once('.')?.1.parse().ok()
    }

    /// Whether everything before `other` lies before this position too. False where the names
    /// cannot be compared.
    #[must_use]
    pub fn reaches(&self, other: &Self) -> bool {
        matches!(self.compare(other), Some(Ordering::Greater | Ordering::Equal))
    }

    /// The order of two positions of one server; `None`: the names have no numbers.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.file == other.file {
            return Some(self.offset.cmp(&other.offset));
        }
        // Names of the log's files differ in their number alone (manual: ["The Binary
        // Log"](https://dev.mysql.com/doc/refman/9.7/en/binary-log.html)).
        Some((self.number()?, self.offset).cmp(&(other.number()?, other.offset)))
    }
}

impl fmt::Display for BinlogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

/// Whose log it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// MariaDB, not MySQL.
    pub mariadb: bool,
    /// `server_uuid`; MariaDB has none.
    pub uuid: Option<String>,
    /// `server_id`.
    pub server_id: u32,
    /// `@@version`, for people.
    pub version: String,
}

impl Identity {
    /// Whether file names and offsets of the one mean the same with the other.
    #[must_use]
    pub fn same_server(&self, other: &Self) -> bool {
        self.mariadb == other.mariadb && self.uuid == other.uuid && self.server_id == other.server_id
    }
}

/// Where capturing goes on: after the last entry that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePosition {
    /// In the files.
    pub at: BinlogPosition,
    /// By GTID: MySQL the executed set, MariaDB the last of each domain; empty where the server
    /// writes none.
    pub gtids: String,
    /// The server in whose log the position is.
    pub server: Identity,
    /// The last event that was taken in; it may lie after `at`, where a prepared transaction began
    /// before it.
    #[serde(default)]
    pub last: Option<LastEvent>,
}

impl ResumePosition {
    /// A position before which nothing was taken in.
    #[must_use]
    pub const fn new(at: BinlogPosition, gtids: String, server: Identity) -> Self {
        Self { at, gtids, server, last: None }
    }

    /// After everything that was taken in.
    #[must_use]
    pub fn end(&self) -> BinlogPosition {
        self.last.as_ref().map_or_else(|| self.at.clone(), LastEvent::ends)
    }

    /// From where to read, so that the last event comes again and can be compared.
    #[must_use]
    pub fn from(&self) -> BinlogPosition {
        let begins = self.last.as_ref().map(LastEvent::begins);
        begins.filter(|begins| self.at.reaches(begins)).unwrap_or_else(|| self.at.clone())
    }
}

/// An event by which a log is known again: after a restore from a backup, file names, lengths and
/// GTIDs may be as before, and the events others. Each bears the second in which it was written, so
/// none of two histories is as that of the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvent {
    /// The file in which it is.
    pub file: String,
    /// Its first byte there.
    pub offset: u64,
    /// The length of the event in bytes.
    pub length: u64,
    /// A fingerprint of all of them ([`LastEvent::fingerprint`]).
    pub fingerprint: u64,
}

impl LastEvent {
    /// Of the bytes of an event. No CRC32: after its own checksum, that of any event is the same.
    #[must_use]
    pub fn fingerprint(raw: &[u8]) -> u64 {
        xxhash_rust::xxh3::xxh3_64(raw)
    }

    /// The position of its first byte.
    #[must_use]
    pub fn begins(&self) -> BinlogPosition {
        BinlogPosition { file: self.file.clone(), offset: self.offset }
    }

    /// The position after its last byte.
    #[must_use]
    pub fn ends(&self) -> BinlogPosition {
        BinlogPosition { file: self.file.clone(), offset: self.offset.saturating_add(self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_with_checksums_of_their_own_can_be_distinguished() {
        let event = |second: u32| {
            let mut raw = [&second.to_le_bytes()[..], &[16; 23]].concat();
            raw.extend(crc32fast::hash(&raw).to_le_bytes());
            raw
        };
        assert_eq!(crc32fast::hash(&event(1)), crc32fast::hash(&event(2)), "which is why");
        assert_ne!(LastEvent::fingerprint(&event(1)), LastEvent::fingerprint(&event(2)));
    }

    #[test]
    fn positions_order_by_number_and_byte() {
        let position = |file: &str, offset| BinlogPosition { file: file.to_owned(), offset };
        assert!(position("b.000010", 4).reaches(&position("b.000009", 900)));
        assert!(
            position("b.1000000", 4).reaches(&position("b.999999", 900)),
            "numbers grow beyond six digits"
        );
        assert!(position("b.000001", 4).reaches(&position("b.000001", 4)));
        assert!(!position("b.000001", 4).reaches(&position("b.000001", 5)));
        assert!(!position("b", 9).reaches(&position("c", 5)), "names without numbers do not compare");
    }
}
