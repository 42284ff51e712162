//! Rows events, versions 1 and 2 (manual: "MySQL Binary Log Events", `Rows_event`), and MariaDB's compressed ones.

use super::bytes::{Bytes, bit};
use super::event::kind;
use super::{LogFault, MappedTable, Raw, RowChange, raw};
use crate::agent_api::EventType;
use flate2::read::ZlibDecoder;
use std::io::Read;
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

/// All rows of an event.
pub(super) fn read(
    body: &[u8],
    layout: Layout,
    table: &Arc<MappedTable>,
) -> Result<Vec<RowChange>, LogFault> {
    let mut input = Bytes(body);
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
    let first = input.take(width.div_ceil(8))?;
    let second = if layout.event == EventType::Update { input.take(width.div_ceil(8))? } else { first };
    let inflated;
    if layout.compressed {
        inflated = inflate(input.0)?;
        input = Bytes(&inflated);
    }
    let mut changes = Vec::new();
    while !input.is_empty() {
        let one = image(&mut input, first, table)?;
        let (before, after) = match layout.event {
            EventType::Insert => (None, Some(one)),
            EventType::Delete => (Some(one), None),
            EventType::Update => (Some(one), Some(image(&mut input, second, table)?)),
        };
        changes.push(RowChange { kind: layout.event, table: Arc::clone(table), before, after });
        if width == 0 {
            return Err(LogFault::new("a rows event without columns"));
        }
    }
    Ok(changes)
}

/// One image: a bitmap of NULLs over the columns that are present, then their values.
fn image(input: &mut Bytes<'_>, present: &[u8], table: &MappedTable) -> Result<Vec<Option<Raw>>, LogFault> {
    let count = (0..table.columns.len()).filter(|i| bit(present, *i)).count();
    let nulls = input.take(count.div_ceil(8))?;
    let mut values = Vec::with_capacity(table.columns.len());
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
    Ok(values)
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
