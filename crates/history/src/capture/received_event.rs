//! Events of the log with the time at which they came.

use std::time::Instant as Timer;

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Header, body and, where the server writes one, checksum.
    pub raw: Vec<u8>,
    /// When it had come: it was in the server's log by then, however late the writing half takes it
    /// in.
    pub received: Timer,
}

impl From<Vec<u8>> for ReceivedEvent {
    /// An event that has come just now.
    fn from(raw: Vec<u8>) -> Self {
        Self { raw, received: Timer::now() }
    }
}
