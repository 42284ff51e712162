//! As much of an event as the reading half must know: its header, and where the log goes on.

use crate::binlog_position::BinlogPosition;
use crate::log::event_kind::{
    ANONYMOUS_GTID, FORMAT_DESCRIPTION, GTID, GTID_TAGGED, HEARTBEAT, HEARTBEAT_V2,
    MARIADB_BINLOG_CHECKPOINT, MARIADB_GTID, MARIADB_GTID_LIST, MARIADB_START_ENCRYPTION, PREVIOUS_GTIDS,
    ROTATE, STOP,
};
use crate::log::{self, EVENT_HEADER as HEADER, EventHeader, Gtid, LogFault};
use crate::source_error::MalformedEvent;

/// Where the first event of a file begins.
const FIRST: u64 = 4;
/// Events between two transactions: those that begin one (GTID events of both families), and those
/// that belong to a file.
const BETWEEN: [u8; 11] = [
    STOP,
    ROTATE,
    FORMAT_DESCRIPTION,
    GTID,
    ANONYMOUS_GTID,
    PREVIOUS_GTIDS,
    GTID_TAGGED,
    MARIADB_BINLOG_CHECKPOINT,
    MARIADB_GTID,
    MARIADB_GTID_LIST,
    MARIADB_START_ENCRYPTION,
];
/// Those of them that begin a transaction.
const BEGINNING: [u8; 4] = [GTID, ANONYMOUS_GTID, GTID_TAGGED, MARIADB_GTID];
/// LOG_EVENT_ARTIFICIAL_F: made for the replica, not in the log.
const ARTIFICIAL: u16 = 0x20;

/// Where the stream is, and what of it is in the log.
#[derive(Debug)]
pub(super) struct Track {
    /// Where the next event begins.
    position: BinlogPosition,
    /// What the writing half takes for the position: it counts the bytes of events, and goes where
    /// a ROTATE sends it.
    reported: Option<BinlogPosition>,
    /// The server was asked by GTID for what follows this position: of its file it sends the head,
    /// and then what follows.
    following: Option<BinlogPosition>,
    /// Where the description at the head of this file ends, once it has come from there.
    head: Option<u64>,
    /// Whether events end in a checksum: as the server was asked to send them, then as each file's
    /// description says.
    checksum: bool,
    /// Whether the last event of a file was one after which the server writes nothing more to it.
    closed: bool,
    /// A file that ended without one, when the stream went on in the next.
    unclosed: Option<String>,
}

/// What to do with a packet of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It only says that the server is there, or tells the position.
    Nothing,
    /// It is an event; `Some`: first say that it comes from this position.
    Event(Option<BinlogPosition>),
}

impl Track {
    /// Of a stream that was asked for from here; where the server chooses, its first packet says
    /// so.
    pub(super) fn from(position: BinlogPosition, checksum: bool) -> Self {
        let (reported, following, head, unclosed) = (None, None, None, None);
        Self { position, reported, following, head, checksum, closed: false, unclosed }
    }

    /// Of a stream that was asked for by GTID, of a server of which it is known where they end.
    pub(super) fn after(position: BinlogPosition, checksum: bool) -> Self {
        let nowhere = BinlogPosition { file: String::new(), offset: 0 };
        Self { following: Some(position), ..Self::from(nowhere, checksum) }
    }

    /// Whether events end in a checksum.
    pub(super) fn checksum(&self) -> bool {
        self.checksum
    }

    /// Where the next event begins.
    pub(super) fn position(&self) -> &BinlogPosition {
        &self.position
    }

    /// The file that ended where the server crashed, once, when the stream has gone on in the next.
    pub(super) fn crashed(&mut self) -> Option<String> {
        self.unclosed.take()
    }

    /// Whether the server has closed the file that it wrote.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// Takes the next packet's event.
    pub(super) fn take(&mut self, event: &[u8]) -> Result<Step, MalformedEvent> {
        let header = header(event)?;
        if is_heartbeat_kind(header.kind) {
            return Ok(Step::Nothing);
        }
        if header.kind == FORMAT_DESCRIPTION {
            self.checksum = matches!(event, [.., 1, _, _, _, _]);
            // Before the events from the middle of a file the server sends the description that is
            // at its head.
            if self.position.offset != FIRST {
                return Ok(Step::Event(self.say()));
            }
            self.head = Some(FIRST + u64::from(header.length));
        } else if header.kind == MARIADB_START_ENCRYPTION && self.head != Some(self.position.offset) {
            // Sent with the description; it is at the head of the file, and takes no room
            // elsewhere.
            return Ok(Step::Nothing);
        } else if header.flags & ARTIFICIAL != 0 || (header.kind == ROTATE && header.end == 0) {
            if header.kind == ROTATE {
                let target = self.target(event)?;
                if !self.closed && !self.position.file.is_empty() && target.file != self.position.file {
                    self.unclosed = Some(self.position.file.clone());
                }
                self.position = target;
                match self.following.take() {
                    Some(following) if following.file == self.position.file => {
                        self.position = following.clone();
                        self.following = Some(following);
                    }
                    _ => {}
                }
            }
            return Ok(Step::Nothing);
        }
        if self.following.is_some() && self.position.offset != FIRST {
            if !BEGINNING.contains(&header.kind) {
                // The head of the file, whose positions are far before this one.
                return Ok(Step::Nothing);
            }
            self.following = None;
        }
        self.position.offset = begins(&header, self.position.offset);
        let first = self.say();
        if first.is_some() && !BETWEEN.contains(&header.kind) {
            // The writing half would drop the transaction that it is in. No server is known to do
            // this.
            return Err(MalformedEvent::LeftOut(header.kind));
        }
        self.position.offset += u64::from(header.length);
        self.closed = log::file_head::closes(event);
        if header.kind == ROTATE {
            self.position = self.target(event)?;
        }
        self.reported = Some(self.position.clone());
        Ok(Step::Event(first))
    }

    /// The position, if the writing half takes another for it.
    fn say(&mut self) -> Option<BinlogPosition> {
        if self.reported.as_ref() == Some(&self.position) {
            return None;
        }
        self.reported = Some(self.position.clone());
        self.reported.clone()
    }

    /// Where a ROTATE sends the reader.
    fn target(&self, event: &[u8]) -> Result<BinlogPosition, MalformedEvent> {
        let body = event.get(HEADER..).unwrap_or_default();
        let (head, name) = body.split_at_checked(8).ok_or(LogFault::RotateWithoutPosition)?;
        let offset = head.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        let name = if self.checksum { &name[..name.len().saturating_sub(4)] } else { name };
        Ok(BinlogPosition { file: String::from_utf8_lossy(name).into_owned(), offset })
    }
}

/// The header of the event that a packet holds.
fn header(event: &[u8]) -> Result<EventHeader, MalformedEvent> {
    let header = EventHeader::read(event)?;
    if usize::try_from(header.length) == Ok(event.len()) {
        Ok(header)
    } else {
        Err(MalformedEvent::Length { said: header.length, there: event.len() })
    }
}

/// Where an event begins: at the position that was counted to, or further on, where the server has
/// left events out.
fn begins(header: &EventHeader, counted: u64) -> u64 {
    if header.end == 0 {
        return counted;
    }
    let low = header.end.wrapping_sub(header.length);
    let [a, b, c, d, ..] = counted.to_le_bytes();
    let ahead = low.wrapping_sub(u32::from_le_bytes([a, b, c, d]));
    // Never backwards.
    if ahead < 1 << 31 { counted + u64::from(ahead) } else { counted }
}

fn is_heartbeat_kind(kind: u8) -> bool {
    matches!(kind, HEARTBEAT | HEARTBEAT_V2)
}

/// Whether the server only says that it is there.
pub(super) fn is_heartbeat(event: &[u8]) -> bool {
    event.get(4).is_some_and(|kind| is_heartbeat_kind(*kind))
}

/// Whether it is the description at the head of a file, which comes before the server looks at the
/// position asked for.
pub(super) fn is_head(event: &[u8]) -> bool {
    event.get(4) == Some(&FORMAT_DESCRIPTION)
}

/// The transaction that a GTID event of MySQL announces; `None`: another event, or one that cannot
/// be read.
pub(super) fn mysql_gtid(event: &[u8], checksum: bool) -> Option<Gtid> {
    let kind = *event.get(4)?;
    if !matches!(kind, GTID | GTID_TAGGED) {
        return None;
    }
    let end = event.len().checked_sub(if checksum { 4 } else { 0 })?;
    let body = event.get(HEADER..end)?;
    log::mysql_gtid(kind, body).ok()
}

#[cfg(test)]
mod tests;
