//! What goes wrong with packets.

use crate::reader::Malformed;
use std::io;
use std::time::Duration;

/// Why a packet cannot be read or written. The connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// The peer closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nothing came, or too slowly.
    #[error("nothing came for {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// Nothing of what was to be sent was taken.
    #[error("no data was taken for {} s", .0.as_secs_f32())]
    NotTaken(Duration),
    /// A packet was lost, or the peer counts otherwise.
    #[error("packet number {number} where {expected} was expected")]
    OutOfOrder {
        /// The number that came.
        number: u8,
        /// The number that follows the last one.
        expected: u8,
    },
    /// A payload is longer than what may come.
    #[error("a packet of more than {0} bytes")]
    TooLarge(usize),
    /// Those who share the memory hold as much as there may be.
    #[error("no memory is left for a packet of {0} bytes")]
    NoMemory(usize),
    /// A compressed packet that cannot be unpacked.
    #[error("{0}")]
    Malformed(#[from] Malformed),
}
