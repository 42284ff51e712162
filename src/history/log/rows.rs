//! Rows events, versions 1 and 2 (manual: "MySQL Binary Log Events", `Rows_event`), and MariaDB's compressed ones.

use super::bytes::{Bytes, bit};
use super::event::{Event, kind};
use super::{LogFault, MappedTable, Raw, raw};
use crate::agent_api::EventType;
use ::bytes::Bytes as Buffer;
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

/// What is inflated at most: a server cannot write a larger event.
const LARGEST: u64 = 1 << 30;
/// STMT_END_F: the table maps before this event hold no longer.
pub(super) const STATEMENT_END: u16 = 1;

/// What a type byte says of the event's layout.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    event: EventType,
    version2: bool,
    compressed: bool,
    /// PARTIAL_UPDATE_ROWS_EVENT: the after image holds changes of JSON documents.
    pub(super) partial: bool,
}

/// `None`: not a rows event.
pub(super) fn layout(event: u8) -> Option<Layout> {
    use EventType::{Delete, Insert, Update};
    let of = |event, version2, compressed| Some(Layout { event, version2, compressed, partial: false });
    match event {
        kind::WRITE_ROWS_V1 => of(Insert, false, false),
        kind::UPDATE_ROWS_V1 => of(Update, false, false),
        kind::DELETE_ROWS_V1 => of(Delete, false, false),
        kind::WRITE_ROWS => of(Insert, true, false),
        kind::UPDATE_ROWS => of(Update, true, false),
        kind::DELETE_ROWS => of(Delete, true, false),
        kind::MARIADB_WRITE_ROWS_COMPRESSED_V1 => of(Insert, false, true),
        kind::MARIADB_UPDATE_ROWS_COMPRESSED_V1 => of(Update, false, true),
        kind::MARIADB_DELETE_ROWS_COMPRESSED_V1 => of(Delete, false, true),
        kind::MARIADB_WRITE_ROWS_COMPRESSED => of(Insert, true, true),
        kind::MARIADB_UPDATE_ROWS_COMPRESSED => of(Update, true, true),
        kind::MARIADB_DELETE_ROWS_COMPRESSED => of(Delete, true, true),
        kind::PARTIAL_UPDATE_ROWS => {
            Some(Layout { event: Update, version2: true, compressed: false, partial: true })
        }
        _ => None,
    }
}

/// The head of a rows event: for which table, and whether the statement ends with it.
pub(super) fn head(body: &[u8]) -> Result<(u64, u16), LogFault> {
    let mut input = Bytes(body);
    Ok((input.uint(6)?, input.u16()?))
}

/// An event with rows of one table, all changed in the same way.
#[derive(Clone, Debug)]
pub struct RowsEvent {
    /// What happened.
    pub kind: EventType,
    /// The table, as the log's table map tells it.
    pub table: Arc<MappedTable>,
    /// Where it stands in its file.
    pub offset: u64,
    /// Holds what the ranges below tell.
    bytes: Buffer,
    /// Which columns the images have: of rows before the change, and after it.
    present: [Range<usize>; 2],
    images: Range<usize>,
}

impl RowsEvent {
    /// Of an event.
    pub(super) fn read(event: &Event, layout: Layout, table: &Arc<MappedTable>) -> Result<Self, LogFault> {
        let (bytes, body) = event.kept();
        Self::of(bytes, body, event.offset, layout, table)
    }

    /// `body`: where it lies in the bytes.
    fn of(
        bytes: Buffer,
        body: Range<usize>,
        offset: u64,
        layout: Layout,
        table: &Arc<MappedTable>,
    ) -> Result<Self, LogFault> {
        let mut input = Bytes(bytes.get(body.clone()).unwrap_or_default());
        input.take(8)?;
        if layout.version2 {
            let extra = usize::from(input.u16()?);
            input.take(
                extra
                    .checked_sub(2)
                    .ok_or_else(|| LogFault::new("a rows event whose extra data is too short"))?,
            )?;
        }
        let width = input.lenenc_size()?;
        if width != table.columns.len() {
            return Err(LogFault::new(format!(
                "a rows event of {width} columns for {}, whose table map has {}",
                table.name,
                table.columns.len()
            )));
        }
        if width == 0 {
            return Err(LogFault::new("a rows event without columns"));
        }
        let bitmap = width.div_ceil(8);
        let first = input.take(bitmap)?;
        let second = if layout.event == EventType::Update { input.take(bitmap)? } else { first };
        let (table, kind) = (Arc::clone(table), layout.event);
        if layout.compressed {
            let bytes: Buffer = [first, second, &inflate(input.0)?].concat().into();
            let images = 2 * bitmap..bytes.len();
            return Ok(Self { kind, table, offset, bytes, present: [0..bitmap, bitmap..2 * bitmap], images });
        }
        let images = body.end - input.0.len()..body.end;
        let second = images.start - bitmap..images.start;
        let first = if layout.event == EventType::Update {
            second.start - bitmap..second.start
        } else {
            second.clone()
        };
        Ok(Self { kind, table, offset, bytes, present: [first, second], images })
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// Of a body of version 2, for tests.
    #[cfg(test)]
    pub(in crate::history) fn of_body(
        body: &Buffer,
        event: EventType,
        table: &Arc<MappedTable>,
    ) -> Result<Self, LogFault> {
        let layout = Layout { event, version2: true, compressed: false, partial: false };
        Self::of(body.clone(), 0..body.len(), 4, layout, table)
    }

    /// Its rows, one after the other.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        let [first, second] = &self.present;
        let present = [self.part(first), self.part(second)];
        let input = Bytes(self.part(&self.images));
        Rows { event: self, present, input, before: Vec::new(), after: Vec::new() }
    }
}

/// The rows of an event: each image is read when it is its turn.
#[derive(Debug)]
pub struct Rows<'a> {
    event: &'a RowsEvent,
    present: [&'a [u8]; 2],
    input: Bytes<'a>,
    before: Vec<Option<Raw<'a>>>,
    after: Vec<Option<Raw<'a>>>,
}

impl<'a> Rows<'a> {
    /// Goes to the next row; false: there is none.
    ///
    /// # Errors
    /// Its images cannot be read, and neither can what comes behind.
    pub fn step(&mut self) -> Result<bool, LogFault> {
        if self.input.is_empty() {
            return Ok(false);
        }
        let RowsEvent { kind, table, .. } = self.event;
        let [first, second] = self.present;
        if *kind != EventType::Insert {
            image(&mut self.input, first, table, &mut self.before)?;
        }
        if *kind != EventType::Delete {
            image(&mut self.input, second, table, &mut self.after)?;
        }
        Ok(true)
    }

    /// The row before (UPDATE, DELETE); `None` in a cell's place: the image does not hold this column (binlog_row_image is not FULL).
    #[must_use]
    pub fn before(&self) -> Option<&[Option<Raw<'a>>]> {
        (self.event.kind != EventType::Insert).then_some(&self.before)
    }

    /// The row after (INSERT, UPDATE).
    #[must_use]
    pub fn after(&self) -> Option<&[Option<Raw<'a>>]> {
        (self.event.kind != EventType::Delete).then_some(&self.after)
    }
}

/// One image: a bitmap of NULLs over the columns that are present, then their values.
fn image<'a>(
    input: &mut Bytes<'a>,
    present: &[u8],
    table: &MappedTable,
    values: &mut Vec<Option<Raw<'a>>>,
) -> Result<(), LogFault> {
    let count = (0..table.columns.len()).filter(|i| bit(present, *i)).count();
    let nulls = input.take(count.div_ceil(8))?;
    values.clear();
    let mut nth = 0;
    for (i, column) in table.columns.iter().enumerate() {
        if !bit(present, i) {
            values.push(None);
            continue;
        }
        let null = bit(nulls, nth);
        nth += 1;
        values.push(Some(if null { Raw::Null } else { raw::value(column, input)? }));
    }
    Ok(())
}

/// MariaDB's compression (Knowledge Base: "Compressing Events to Reduce Size of the Binary Log"): a byte with the
/// algorithm and the width of the length, the length (big-endian), zlib data.
pub(super) fn inflate(data: &[u8]) -> Result<Vec<u8>, LogFault> {
    let mut input = Bytes(data);
    let head = input.u8()?;
    if head & 0xe0 != 0x80 || head & 0x70 != 0 {
        return Err(LogFault::new("a compressed event of an unknown kind of compression"));
    }
    let length = input.uint_be(usize::from(head & 0x07))?;
    if length > LARGEST {
        return Err(LogFault::new(format!("a compressed event of {length} bytes")));
    }
    let mut out = Vec::new();
    ZlibDecoder::new(input.0)
        .take(length + 1)
        .read_to_end(&mut out)
        .map_err(|e| LogFault::new(format!("a compressed event that cannot be inflated: {e}")))?;
    if out.len() as u64 != length {
        return Err(LogFault::new("a compressed event whose length is not what it says"));
    }
    Ok(out)
}
