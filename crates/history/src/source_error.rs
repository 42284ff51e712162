//! Why the server cannot be read.

mod client_error;
mod client_fault;
mod malformed_event;

use super::binlog_position::BinlogPosition;
use super::log::TakeError;
use super::patterns::BadPattern;
pub use client_error::ClientError;
pub use client_fault::{LoginFault, NetworkFault, ProtocolFault, TlsFault};
pub use malformed_event::MalformedEvent;

/// Why the server cannot be read, or not now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Talking to it failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What it says does not do.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// What the server has, or has not, so that its log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A file of which the server has said that it writes it.
    #[error("SHOW BINARY LOGS does not name {file}")]
    NotListed {
        /// The name of the file.
        file: String,
    },
    /// It has no PREVIOUS_GTIDS or GTID_LIST event.
    #[error("{file} does not say which transactions are before it")]
    NoPreviousGtids {
        /// The name of the file.
        file: String,
    },
    /// They are committed, and another session sees them late.
    #[error("transactions before {end} are in the log and cannot be seen in the tables yet")]
    NotVisible {
        /// The end of the log.
        end: BinlogPosition,
    },
    /// START TRANSACTION WITH CONSISTENT SNAPSHOT gave none.
    #[error("the server names no position in its log for a snapshot: is the binary log on (log_bin)?")]
    NoSnapshotPosition,
    /// Without GTIDs a position and the tables are tied by a lock.
    #[error(
        "the position where the record begins cannot be noted without a short FLUSH TABLES WITH READ LOCK, since gtid_mode is not ON, and \
         that failed: {0}. Grant RELOAD, or try when no long statement runs"
    )]
    NoLock(ClientError),
    /// Definitions changed each time while they were noted.
    #[error(
        "no time without DDL on captured tables was found in {tries} tries: exclude tables that are created and dropped all the time \
         (exclude patterns)"
    )]
    Restless {
        /// How often it was tried.
        tries: u32,
    },
    /// Include and exclude patterns.
    #[error(transparent)]
    Patterns(#[from] BadPattern),
    /// The log was to be read up to a position, and ended before it.
    #[error("the server's log ends at {at}, before {to}")]
    EndsBefore {
        /// Where it ended.
        at: BinlogPosition,
        /// Up to where it was to be read.
        to: BinlogPosition,
    },
    /// An event is damaged.
    #[error("the event at {at} cannot be read: {fault}")]
    Event {
        /// Where it begins.
        at: BinlogPosition,
        /// What is wrong with it.
        fault: TakeError,
    },
    /// A packet of the log is no event.
    #[error(transparent)]
    Packet(#[from] MalformedEvent),
    /// COM_BINLOG_DUMP has 32 bits for the position.
    #[error("{position} is beyond the first 4 GiB of its file, from where no server sends its log")]
    BeyondDump {
        /// From where the log was to be sent.
        position: BinlogPosition,
    },
    /// A proxy, or a failover.
    #[error("{now} answers at {address}, and {before} did just now")]
    OtherServer {
        /// Who answers on this connection.
        now: String,
        /// Host and port.
        address: String,
        /// Who answered on the one before.
        before: String,
    },
    /// The connection was closed in front of the first event.
    #[error("the server ended the stream at once")]
    NoEvents,
    /// The first event is no ROTATE event.
    #[error("the server's log does not begin with the name of its file")]
    NoFileName,
    /// What `gtid_executed` or the record has.
    #[error("'{0}' is no GTID set of MySQL")]
    NoGtidSet(String),
}
