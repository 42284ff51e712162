//! Why a part of the log is not read.

use crate::binlog_position::BinlogPosition;
use crate::gtid::NumbersAfterGap;
use crate::log::LogFault;
use crate::source_error::{ClientError, MalformedEvent};

/// An event of the log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventFault {
    /// What it holds.
    #[error("the event at {at} cannot be read: {fault}")]
    Content {
        /// Where it begins.
        at: BinlogPosition,
        /// What is wrong with it.
        fault: LogFault,
    },
    /// The packet in which it came.
    #[error("the log cannot be read after {after}: {fault}")]
    Packet {
        /// The end of the event before it.
        after: BinlogPosition,
        /// What is wrong with it.
        fault: MalformedEvent,
    },
}

/// Why the log cannot be followed on, so that the record has a gap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogLoss {
    /// The reading half has taken a start, and there is a record.
    #[error("capturing began again")]
    StartedOver,
    /// An event cannot be read, also when it is sent again.
    #[error(transparent)]
    Event(#[from] EventFault),
    /// The last event that was captured is not the one that the server has there.
    #[error(
        "the server's log has another event at {at} than the one that was captured there: the server was restored from a backup, or its log reset, and went on \
         from there"
    )]
    OtherEvent {
        /// Where it begins.
        at: BinlogPosition,
    },
    /// `lower_case_table_names` has changed.
    #[error(
        "the server has lower_case_table_names={setting} now, under which names are other tables' than before"
    )]
    TableNames {
        /// Its value now.
        setting: u8,
    },
    /// It does not send its log from where the record ends: its error.
    #[error(
        "the server's log has no event where one was captured, though its file is as long: it was restored from a backup, or its log \
         reset ({0})"
    )]
    NoEvent(ClientError),
    /// It does not know the transaction with which the record ends: its error.
    #[error(
        "the server does not have the last transaction that was captured: it took over without it, or was restored ({0})"
    )]
    NoTransaction(ClientError),
    /// Refused several times: its error.
    #[error("the server does not send its log on: {0}")]
    NotSent(ClientError),
    /// The file in which the record ends was purged.
    #[error("the server has purged {file} before it was read to the end: its oldest file is {oldest} now")]
    Purged {
        /// The file.
        file: String,
        /// What it has instead.
        oldest: String,
    },
    /// Files are numbered from 1 again.
    #[error(
        "the server's log was begun again (RESET BINARY LOGS AND GTIDS, RESET MASTER, or a restore): it was read up to {at}, and its oldest file is {} now",
        .oldest.as_deref().unwrap_or("none")
    )]
    BegunAgain {
        /// Where the record ends.
        at: BinlogPosition,
        /// `None`: it has no file.
        oldest: Option<String>,
    },
    /// The file is shorter than what was read of it.
    #[error(
        "{} ends at byte {size} on the server and was read up to {}: did it lose its end in a crash (sync_binlog), or was the log reset?",
        .at.file,
        .at.offset
    )]
    Shorter {
        /// Where the record ends.
        at: BinlogPosition,
        /// Bytes of the file on the server.
        size: u64,
    },
    /// The server crashed, and did not sync every commit.
    #[error(
        "the server crashed at the end of {file}, and had not synced every commit ({settings}; with 1 and 1 it loses none): its tables may lack what its \
         log has, or have what it lacks"
    )]
    Crash {
        /// The file, which nothing closes.
        file: String,
        /// The settings, as they were last.
        settings: String,
    },
    /// GTIDs that are in the record, and not in `gtid_executed`.
    #[error(
        "the server does not have transactions any more that were captured from it ({gtids}): was it restored or reset?"
    )]
    Forgotten {
        /// The set, or its beginning.
        gtids: String,
    },
    /// BINLOG_GTID_POS knows no such position.
    #[error(
        "no event of the server's log begins at {at}, up to where it was read: was it restored, or its log reset?"
    )]
    NoEventBegins {
        /// Where the record ends.
        at: BinlogPosition,
    },
    /// The GTIDs before the end of the record are others.
    #[error(
        "the server's log has '{there}' before {at} where {captured} was captured: was it restored, or its log reset?"
    )]
    OtherGtids {
        /// On the server.
        there: String,
        /// Where the record ends.
        at: BinlogPosition,
        /// In the record.
        captured: String,
    },
    /// Another server than the one that was captured from.
    #[error("{server}, and {why}")]
    OtherServer {
        /// The server that answers now, and the one captured from.
        server: OtherServer,
        /// Why it cannot be followed on from there.
        why: NotByGtid,
    },
}

impl LogLoss {
    /// What it means for the numbers of transactions.
    pub(crate) fn numbers(&self) -> NumbersAfterGap {
        match self {
            Self::OtherEvent { .. }
            | Self::NoEvent(_)
            | Self::NoTransaction(_)
            | Self::BegunAgain { .. }
            | Self::Shorter { .. }
            | Self::Forgotten { .. }
            | Self::NoEventBegins { .. }
            | Self::OtherGtids { .. }
            | Self::OtherServer { why: NotByGtid::Misses { .. }, .. } => NumbersAfterGap::Again,
            Self::Crash { .. } => NumbersAfterGap::Crashed,
            Self::StartedOver
            | Self::Event(_)
            | Self::TableNames { .. }
            | Self::NotSent(_)
            | Self::Purged { .. }
            | Self::OtherServer { why: NotByGtid::NoGtids | NotByGtid::Purged { .. }, .. } => {
                NumbersAfterGap::GoOn
            }
        }
    }
}

/// A server that is not the one captured from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "another server answers than the one captured from (now {now}, before server_id {server_id}{})",
    .uuid.as_ref().map_or_else(String::new, |u| format!(" and server_uuid {u}"))
)]
pub struct OtherServer {
    /// What it says it is.
    pub now: String,
    /// `server_id` of the one captured from.
    pub server_id: u32,
    /// Its `server_uuid`, where it has one.
    pub uuid: Option<String>,
}

/// Why another server's log does not go on where the record ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotByGtid {
    /// One of the two has no GTIDs, or they are of the other family.
    #[error("positions in its log cannot be compared without GTIDs")]
    NoGtids,
    /// Transactions of the record are not in its `gtid_executed`.
    #[error("it does not have all transactions that were captured ({gtids})")]
    Misses {
        /// The set, or its beginning.
        gtids: String,
    },
    /// Transactions that the record lacks are in its `gtid_purged`.
    #[error("it has purged transactions from its log that were not captured ({gtids})")]
    Purged {
        /// The set, or its beginning.
        gtids: String,
    },
}
