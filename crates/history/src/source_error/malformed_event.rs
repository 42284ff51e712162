//! Packets of the log that are no event.

use crate::log::LogFault;

/// An event that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// The header is no header of an event.
    #[error("{0}")]
    Header(#[from] LogFault),
    /// Header and packet do not fit each other.
    #[error("an event that says it is {said} bytes long and has {there}")]
    Length {
        /// Bytes that its header says it has.
        said: u32,
        /// Bytes of the packet.
        there: usize,
    },
    /// A transaction without its beginning.
    #[error("the server left out events inside of a transaction, before one of type {0}")]
    LeftOut(u8),
}
