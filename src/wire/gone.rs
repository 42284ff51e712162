//! Errors of packets as what happens to the connection.

use crate::failure::Failure;
use dbtrail_mysql_wire::binary::NotAValue;
use dbtrail_mysql_wire::packets::PacketError;
use dbtrail_mysql_wire::reader::Malformed;

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Gone {
    /// The peer closed the connection, or it broke.
    Closed,
    /// The server ends the connection, without a word.
    Left,
    /// What came cannot be answered but by a failure and the end.
    Refused(Failure),
}

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self::Closed
    }
}

impl From<PacketError> for Gone {
    fn from(error: PacketError) -> Self {
        Self::Refused(match error {
            PacketError::Closed | PacketError::Io(_) | PacketError::NotTaken(_) => return Self::Closed,
            PacketError::TimedOut(_) => Failure::Stalled,
            PacketError::TooLarge(_) => Failure::PacketTooLarge,
            PacketError::NoMemory(_) => Failure::NoMemory,
            PacketError::OutOfOrder { .. } => Failure::MalformedPacket("packets out of order".to_owned()),
            PacketError::Malformed(malformed) => malformed.into(),
        })
    }
}

impl From<Malformed> for Failure {
    fn from(Malformed(what): Malformed) -> Self {
        Self::MalformedPacket(what)
    }
}

impl From<NotAValue> for Failure {
    fn from(cell: NotAValue) -> Self {
        Self::AgentNonsense(format!("the agent sent {cell}"))
    }
}
