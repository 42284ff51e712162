//! The contents of frames, read where they are.

use super::{DiffEvent, EventHead, EventType, NULL, Octets, RowCell, RowLine, UNKNOWN, VALUE, flag};
use crate::timestamp::Timestamp;

/// A cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellRef<'a> {
    /// NULL.
    Null,
    /// The bytes of the value.
    Value(&'a [u8]),
    /// It is not known; why.
    Unknown(&'a str),
}

impl CellRef<'_> {
    fn to_cell(self) -> RowCell {
        match self {
            Self::Null => RowCell::Null,
            Self::Value(bytes) => RowCell::Value(Octets(bytes.to_vec())),
            Self::Unknown(why) => RowCell::Unknown(why.to_owned()),
        }
    }
}

impl<'a> From<&'a RowCell> for CellRef<'a> {
    fn from(cell: &'a RowCell) -> Self {
        match cell {
            RowCell::Null => Self::Null,
            RowCell::Value(Octets(bytes)) => Self::Value(bytes),
            RowCell::Unknown(why) => Self::Unknown(why),
        }
    }
}

/// A row whose cells can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRef<'a>(&'a [u8]);

impl<'a> RowRef<'a> {
    /// The cells of a row, `width` of them; `None`: it is no such row.
    #[must_use]
    pub fn read(bytes: &'a [u8], width: usize) -> Option<Self> {
        let mut rest = bytes;
        for _ in 0..width {
            take_cell(&mut rest)?;
        }
        rest.is_empty().then_some(Self(bytes))
    }

    /// The cells of a row that was read before: they are not counted again.
    #[must_use]
    pub fn read_before(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Its cells, in the order of the columns.
    #[must_use]
    pub fn cells(self) -> Cells<'a> {
        Cells(self.0)
    }

    /// The same as a line.
    #[must_use]
    pub fn to_line(self) -> RowLine {
        self.cells().map(CellRef::to_cell).collect()
    }
}

/// The cells of a [`RowRef`].
#[derive(Clone, Debug)]
pub struct Cells<'a>(&'a [u8]);

impl<'a> Iterator for Cells<'a> {
    type Item = CellRef<'a>;

    fn next(&mut self) -> Option<CellRef<'a>> {
        take_cell(&mut self.0)
    }
}

/// The values of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyValues<'a> {
    count: u64,
    bytes: &'a [u8],
}

impl<'a> KeyValues<'a> {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// In the order of the key.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || take_bytes(&mut rest))
    }
}

/// An event whose key and rows can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see DiffEvent")]
pub struct EventRef<'a> {
    pub head: EventHead<'a>,
    pub key: KeyValues<'a>,
    pub before: Option<RowRef<'a>>,
    pub after: Option<RowRef<'a>>,
}

impl<'a> EventRef<'a> {
    /// An event, its rows `width` cells wide; `None`: it is none.
    #[must_use]
    pub fn read(bytes: &'a [u8], width: usize) -> Option<Self> {
        Self::of(bytes, |row| RowRef::read(row, width))
    }

    /// An event that was read before: the cells of its rows are not counted again.
    #[must_use]
    pub fn read_before(bytes: &'a [u8]) -> Option<Self> {
        Self::of(bytes, |row| Some(RowRef::read_before(row)))
    }

    fn of(mut bytes: &'a [u8], row: impl Fn(&'a [u8]) -> Option<RowRef<'a>>) -> Option<Self> {
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
        let gtid = if has(flag::GTID) { Some(std::str::from_utf8(take_bytes(bytes)?).ok()?) } else { None };
        let count = take_number(bytes)?;
        let of_key = *bytes;
        for _ in 0..count {
            take_bytes(bytes)?;
        }
        let key = KeyValues { count, bytes: of_key.get(..of_key.len() - bytes.len())? };
        let mut image = |flag| -> Option<Option<RowRef<'a>>> {
            if !has(flag) {
                return Some(None);
            }
            let (length, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            row(take(bytes, u64::from(u32::from_le_bytes(*length)))?).map(Some)
        };
        let (before, after) = (image(flag::BEFORE)?, image(flag::AFTER)?);
        let derived = has(flag::DERIVED);
        let head = EventHead { event_id, event_timestamp, event_type, derived, cause, gtid };
        bytes.is_empty().then_some(Self { head, key, before, after })
    }

    /// The same, owned; who made it and its table are not in a frame.
    #[must_use]
    pub fn to_event(self) -> DiffEvent {
        DiffEvent {
            event_id: self.head.event_id,
            event_timestamp: self.head.event_timestamp,
            event_type: self.head.event_type,
            derived: self.head.derived,
            cause: self.head.cause,
            gtid: self.head.gtid.map(str::to_owned),
            key: self.key.iter().map(|value| Octets(value.to_vec())).collect(),
            before: self.before.map(RowRef::to_line),
            after: self.after.map(RowRef::to_line),
            origin: None,
            table: None,
        }
    }
}

/// The cells of a row, `width` of them; `None`: it is no such row.
#[must_use]
pub fn read_row(bytes: &[u8], width: usize) -> Option<RowLine> {
    RowRef::read(bytes, width).map(RowRef::to_line)
}

/// An event, its rows `width` cells wide; `None`: it is none.
#[must_use]
pub fn read_event(bytes: &[u8], width: usize) -> Option<DiffEvent> {
    EventRef::read(bytes, width).map(EventRef::to_event)
}

/// Takes a number off the beginning.
pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    // Most are of one byte.
    if let Some((first @ ..0x80, rest)) = bytes.split_first() {
        *bytes = rest;
        return Some(u64::from(*first));
    }
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

#[inline]
fn take_cell<'a>(bytes: &mut &'a [u8]) -> Option<CellRef<'a>> {
    Some(match take_number(bytes)? {
        NULL => CellRef::Null,
        UNKNOWN => CellRef::Unknown(std::str::from_utf8(take_bytes(bytes)?).ok()?),
        number => CellRef::Value(take(bytes, number - VALUE)?),
    })
}
