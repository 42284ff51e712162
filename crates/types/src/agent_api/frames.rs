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

/// Takes a number off the beginning.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0);
    loop {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(first & 0x7f);
        number |= low.checked_shl(shift).filter(|shifted| shifted >> shift == low)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(bytes)?;
    take(bytes, length)
}

fn take_integer(bytes: &mut &[u8]) -> Option<[u8; 8]> {
    let (integer, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*integer)
}

fn take_cell(bytes: &mut &[u8]) -> Option<RowCell> {
    Some(match take_number(bytes)? {
        NULL => RowCell::Null,
        UNKNOWN => RowCell::Unknown(std::str::from_utf8(take_bytes(bytes)?).ok()?.to_owned()),
        number => RowCell::Value(Octets(take(bytes, number - VALUE)?.to_vec())),
    })
}

/// The cells of a row, `width` of them; `None`: it is no such row.
#[must_use]
pub fn read_row(mut bytes: &[u8], width: usize) -> Option<RowLine> {
    let mut row = RowLine::with_capacity(width.min(bytes.len()));
    while !bytes.is_empty() {
        if row.len() == width {
            return None;
        }
        row.push(take_cell(&mut bytes)?);
    }
    (row.len() == width).then_some(row)
}

/// An event, its rows `width` cells wide; `None`: it is none.
#[must_use]
pub fn read_event(mut bytes: &[u8], width: usize) -> Option<DiffEvent> {
    let bytes = &mut bytes;
    let event_id = u64::from_le_bytes(take_integer(bytes)?);
    let event_timestamp = Timestamp::from_micros(i64::from_le_bytes(take_integer(bytes)?));
    let (flags, rest) = bytes.split_first()?;
    *bytes = rest;
    let event_type = match flags & 3 {
        0 => EventType::Insert,
        1 => EventType::Update,
        2 => EventType::Delete,
        _ => return None,
    };
    let has = |flag| flags & flag != 0;
    let cause = if has(flag::CAUSE) { Some(u64::from_le_bytes(take_integer(bytes)?)) } else { None };
    let gtid =
        if has(flag::GTID) { Some(std::str::from_utf8(take_bytes(bytes)?).ok()?.to_owned()) } else { None };
    let mut key = Vec::new();
    for _ in 0..take_number(bytes)? {
        key.push(Octets(take_bytes(bytes)?.to_vec()));
    }
    let mut image = |flag| -> Option<Option<RowLine>> {
        if !has(flag) {
            return Some(None);
        }
        let (length, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(Some(read_row(take(bytes, u64::from(u32::from_le_bytes(*length)))?, width)?))
    };
    let (before, after) = (image(flag::BEFORE)?, image(flag::AFTER)?);
    bytes.is_empty().then_some(DiffEvent {
        event_id,
        event_timestamp,
        event_type,
        derived: has(flag::DERIVED),
        cause,
        gtid,
        key,
        before,
        after,
        origin: None,
        table: None,
    })
}

#[cfg(test)]
mod tests;
