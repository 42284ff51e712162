//! From where a server is asked to send its log.

use crate::binlog_position::BinlogPosition;

/// From where the log is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A byte of a file of this server.
    ResumePosition(BinlogPosition),
    /// After these transactions, wherever this server has them.
    Gtids(String),
    /// The same of the server that was followed before: the position where they end there is known,
    /// and no dump can be asked for from it.
    AfterGtids(BinlogPosition, String),
}
