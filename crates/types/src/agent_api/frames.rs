//! The binary form of a streamed answer: the same lines, of which rows and events are bytes.
//!
//! An answer is a row of frames. A frame is the number of its bytes (u32, little-endian), a byte
//! for its kind, and its content:
//!
//! * 0: a line of the NDJSON form without its line end (header, definition, origin, table, trailer,
//!   refusal);
//! * 1: a row: its cells;
//! * 2: an event: `event_id` (u64), `event_timestamp` (i64, microseconds since 1970, UTC), a byte
//!   of flags ([`flag`]), `cause` (u64) if it has one, the length of `gtid` and its text if it has
//!   one, the number of key values, each with its length and its bytes, and of the rows before and
//!   after, as far as they are there, the number of bytes of their cells (u32), and the cells.
//!
//! A cell begins with a number: 0 is NULL, 1 a cell that is not known, with the length of the
//! reason and its text after it, and n + 2 a value of n bytes, which follow. Numbers and lengths
//! are LEB128, integers little-endian.

use super::diff::{DiffEvent, EventType};
use super::octets::Octets;
use super::row_cell::{RowCell, RowLine};
use crate::timestamp::Timestamp;
pub use reading::{CellRef, Cells, EventRef, KeyValues, RowRef, read_event, read_row};

mod reading;

/// The media type of the binary form.
pub const FRAMES: &str = "application/vnd.dbtrail.frames";

/// Bytes before the content of a frame.
pub const HEAD: usize = 5;

/// What the content of a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A line of the NDJSON form.
    Line,
    /// A row.
    Row,
    /// An event.
    Event,
}

/// The flags of an event. The two lowest bits are its type: 0 INSERT, 1 UPDATE, 2 DELETE.
pub mod flag {
    /// A foreign key made it.
    pub const DERIVED: u8 = 4;
    /// It has a cause.
    pub const CAUSE: u8 = 8;
    /// It has a GTID.
    pub const GTID: u8 = 16;
    /// It has a row before.
    pub const BEFORE: u8 = 32;
    /// It has a row after.
    pub const AFTER: u8 = 64;
}

const NULL: u64 = 0;
const UNKNOWN: u64 = 1;
/// What is added to the length of a value.
const VALUE: u64 = 2;

impl FrameKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Line => 0,
            Self::Row => 1,
            Self::Event => 2,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Line),
            1 => Some(Self::Row),
            2 => Some(Self::Event),
            _ => None,
        }
    }
}

/// Appends a frame whose content `write` appends.
pub fn put_frame<T>(out: &mut Vec<u8>, kind: FrameKind, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    put_counted(out, &[kind.byte()], write)
}

/// Appends the number of bytes (u32) that `write` appends, what comes between, and these bytes.
pub fn put_counted<T>(out: &mut Vec<u8>, between: &[u8], write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(between);
    let content = out.len();
    let written = write(out);
    // A row of MySQL's has no 4 GiB.
    let length = u32::try_from(out.len() - content).unwrap_or(u32::MAX).to_le_bytes();
    out[start..start + length.len()].copy_from_slice(&length);
    written
}

/// The kind of the first frame of these bytes, and how many bytes its content has, which need not
/// be there yet; `None`: too few bytes are there. `Err`: it is no frame.
#[must_use]
pub fn frame_head(bytes: &[u8]) -> Option<Result<(FrameKind, usize), u8>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let kind = *rest.first()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    Some(FrameKind::of(kind).map(|kind| (kind, length)).ok_or(kind))
}

/// Appends a number.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends bytes with their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a cell; `Err`: why it is not known.
pub fn put_cell(out: &mut Vec<u8>, cell: Result<Option<&[u8]>, &str>) {
    match cell {
        Ok(None) => put_number(out, NULL),
        Ok(Some(bytes)) => {
            put_number(out, bytes.len() as u64 + VALUE);
            out.extend_from_slice(bytes);
        }
        Err(why) => {
            put_number(out, UNKNOWN);
            put_bytes(out, why.as_bytes());
        }
    }
}

/// An event before its key and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see DiffEvent")]
pub struct EventHead<'a> {
    pub event_id: u64,
    pub event_timestamp: Timestamp,
    pub event_type: EventType,
    pub derived: bool,
    pub cause: Option<u64>,
    pub gtid: Option<&'a str>,
}

/// Appends what is before the key of an event, which has a row before and a row after or not.
pub fn put_event_head(out: &mut Vec<u8>, head: &EventHead<'_>, (before, after): (bool, bool)) {
    out.extend_from_slice(&head.event_id.to_le_bytes());
    out.extend_from_slice(&head.event_timestamp.micros().to_le_bytes());
    let flag = |there: bool, flag: u8| if there { flag } else { 0 };
    let kind = match head.event_type {
        EventType::Insert => 0,
        EventType::Update => 1,
        EventType::Delete => 2,
    };
    out.push(
        kind | flag(head.derived, flag::DERIVED)
            | flag(head.cause.is_some(), flag::CAUSE)
            | flag(head.gtid.is_some(), flag::GTID)
            | flag(before, flag::BEFORE)
            | flag(after, flag::AFTER),
    );
    if let Some(cause) = head.cause {
        out.extend_from_slice(&cause.to_le_bytes());
    }
    if let Some(gtid) = head.gtid {
        put_bytes(out, gtid.as_bytes());
    }
}

/// Appends the cells of a row.
pub fn put_row(out: &mut Vec<u8>, row: &RowLine) {
    for cell in row {
        match cell {
            RowCell::Null => put_cell(out, Ok(None)),
            RowCell::Value(Octets(bytes)) => put_cell(out, Ok(Some(bytes))),
            RowCell::Unknown(why) => put_cell(out, Err(why)),
        }
    }
}

/// Appends an event.
pub fn put_event(out: &mut Vec<u8>, event: &DiffEvent) {
    let &DiffEvent { event_id, event_timestamp, event_type, derived, cause, .. } = event;
    let gtid = event.gtid.as_deref();
    let head = EventHead { event_id, event_timestamp, event_type, derived, cause, gtid };
    put_event_head(out, &head, (event.before.is_some(), event.after.is_some()));
    put_number(out, event.key.len() as u64);
    event.key.iter().for_each(|Octets(bytes)| put_bytes(out, bytes));
    for row in [&event.before, &event.after].into_iter().flatten() {
        put_counted(out, &[], |out| put_row(out, row));
    }
}

#[cfg(test)]
mod tests;
