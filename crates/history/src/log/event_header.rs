//! The header that all events have (manual: ["Event
//! header"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html)).
//! Whoever reads events, from a file or from a server, reads it here.

use super::LogFault;
use super::bytes::Bytes;

/// Bytes of the header.
pub(crate) const EVENT_HEADER: usize = 19;

/// The header of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventHeader {
    /// Seconds since 1970.
    pub(crate) timestamp: u32,
    /// One of [`super::event_kind`].
    pub(crate) kind: u8,
    /// The server that wrote it first.
    pub(crate) server: u32,
    /// Bytes of the event, header and checksum included.
    pub(crate) length: u32,
    /// Where it ends in its file, in 32 bits; 0: it does not say (MariaDB 11.4 and newer inside of
    /// transactions).
    pub(crate) end: u32,
    /// LOG_EVENT_..._F
    pub(crate) flags: u16,
}

impl EventHeader {
    /// Reads the header of an event.
    ///
    /// # Errors
    /// There are fewer bytes than a header has.
    pub(crate) fn read(event: &[u8]) -> Result<Self, LogFault> {
        let mut head = Bytes(event.get(..EVENT_HEADER).ok_or(LogFault::HeaderCut(event.len()))?);
        Ok(Self {
            timestamp: head.u32()?,
            kind: head.u8()?,
            server: head.u32()?,
            length: head.u32()?,
            end: head.u32()?,
            flags: head.u16()?,
        })
    }
}
