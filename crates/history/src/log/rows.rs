//! Rows events, versions 1 and 2 (manual: [MySQL Binary Log
//! Events](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html),
//! `Rows_event`), and MariaDB's compressed ones.

use super::LogFault;
use super::MappedTable;
use super::bytes::{Bytes, bit};
use super::event::{Event, kind};
use ::bytes::Bytes as Buffer;
use dbtrail_types::agent_api::EventType;
use flate2::read::ZlibDecoder;
pub use images::Rows;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::sync::Arc;

/// What is inflated at most: a server cannot write a larger event.
const LARGEST: u64 = 1 << 30;
/// STMT_END_F: the table maps before this event hold no longer.
pub(super) const STATEMENT_END: u16 = 1;
/// NO_FOREIGN_KEY_CHECKS_F: the session had foreign_key_checks off.
const NO_CHECKS: u16 = 2;
/// RELAXED_UNIQUE_CHECKS_F: the session had unique_checks off.
const NO_UNIQUE_CHECKS: u16 = 4;
/// MySQL 9.6 and newer without `innodb_native_foreign_keys`: the server itself carries out foreign
/// keys, and logs the rows of the children (seen in every rows event of 9.7).
const CASCADES_LOGGED: u16 = 0x10;

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

/// The tables that a statement's table maps name, in their order; one may come twice.
pub type MappedTables = Arc<[Arc<MappedTable>]>;

/// What a rows event says of the statement that it is a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// All tables that its table maps name: also those of which it has no rows.
    pub mapped: MappedTables,
    /// foreign_key_checks were on.
    pub checks: bool,
    /// unique_checks were on.
    pub unique_checks: bool,
    /// What foreign keys did to other rows is logged as row changes of its own.
    pub logs_cascades: bool,
    /// It is the statement's last rows event.
    pub ends: bool,
}

impl Statement {
    /// Of the flags of a rows event.
    pub(super) fn of(flags: u16, mapped: &MappedTables) -> Self {
        Self {
            mapped: Arc::clone(mapped),
            checks: flags & NO_CHECKS == 0,
            unique_checks: flags & NO_UNIQUE_CHECKS == 0,
            logs_cascades: flags & CASCADES_LOGGED != 0,
            ends: flags & STATEMENT_END != 0,
        }
    }
}

/// An event with rows of one table, all changed in the same way.
#[derive(Clone, Debug)]
pub struct RowsEvent {
    /// Whether rows were inserted, updated or deleted.
    pub kind: EventType,
    /// The table, as the log's table map tells it.
    pub table: Arc<MappedTable>,
    /// The statement.
    pub statement: Statement,
    /// The text of the statement, where the server logs it.
    pub text: Option<Arc<str>>,
    /// Where it is in its file.
    pub offset: u64,
    /// Which columns the images have: of rows before the change, and after it.
    present: [Buffer; 2],
    /// `None`: the rows were not kept, since the table is not captured.
    images: Option<Buffer>,
}

impl RowsEvent {
    /// Reads the rows of an event.
    pub(super) fn read(
        event: &Event,
        layout: Layout,
        table: &Arc<MappedTable>,
        mapped: &MappedTables,
    ) -> Result<Self, LogFault> {
        Self::of(&event.kept(), event.offset, layout, (table, mapped))
    }

    fn of(
        body: &Buffer,
        offset: u64,
        layout: Layout,
        (table, mapped): (&Arc<MappedTable>, &MappedTables),
    ) -> Result<Self, LogFault> {
        let (_, flags) = head(body)?;
        let statement = Statement::of(flags, mapped);
        let mut input = Bytes(body);
        input.take(8)?;
        if layout.version2 {
            let extra = usize::from(input.u16()?);
            input.take(extra.checked_sub(2).ok_or(LogFault::RowsExtraData)?)?;
        }
        let width = input.lenenc_size()?;
        if width != table.columns.len() {
            return Err(LogFault::ColumnCount {
                event: width,
                table: table.name.clone(),
                mapped: table.columns.len(),
            });
        }
        let bitmap = width.div_ceil(8);
        let first = body.slice_ref(input.take(bitmap)?);
        let second = match layout.event {
            EventType::Update => body.slice_ref(input.take(bitmap)?),
            EventType::Insert | EventType::Delete => first.clone(),
        };
        // An image without columns has no bytes: nobody could tell how many rows there are.
        if [&first, &second].into_iter().any(|present| (0..width).all(|i| !bit(present, i))) {
            return Err(LogFault::RowsWithoutColumns);
        }
        let images = if layout.compressed { inflate(input.0)?.into() } else { body.slice_ref(input.0) };
        Ok(Self {
            kind: layout.event,
            table: Arc::clone(table),
            statement,
            text: None,
            offset,
            present: [first, second],
            images: Some(images),
        })
    }

    /// Of an event with rows of a table that is not captured: what it says of the statement, and no
    /// row.
    pub(super) fn without_rows(
        event: &Event,
        layout: Layout,
        table: &Arc<MappedTable>,
        mapped: &MappedTables,
    ) -> Result<Self, LogFault> {
        let (_, flags) = head(event.body())?;
        Ok(Self {
            kind: layout.event,
            table: Arc::clone(table),
            statement: Statement::of(flags, mapped),
            text: None,
            offset: event.offset,
            present: [Buffer::new(), Buffer::new()],
            images: None,
        })
    }

    /// Bytes of its rows.
    pub(super) fn size(&self) -> usize {
        self.images.as_ref().map_or(0, Buffer::len)
    }

    /// Its parts, to be kept apart.
    pub(super) fn into_kept(self) -> RowsEventParts {
        let Self { kind, table, statement, text, offset, present: [first, second], images } = self;
        let Statement { mapped, checks, unique_checks, logs_cascades, ends } = statement;
        let without_rows = images.is_none();
        let rest = Rest { kind, checks, unique_checks, logs_cascades, ends, offset, without_rows };
        RowsEventParts { table, mapped, text, rest, parts: [first, second, images.unwrap_or_default()] }
    }

    /// Of what [`Self::into_kept`] gave.
    pub(super) fn of_kept(kept: RowsEventParts) -> Self {
        let RowsEventParts { table, mapped, text, rest, parts: [first, second, images] } = kept;
        let Rest { kind, checks, unique_checks, logs_cascades, ends, offset, without_rows } = rest;
        let statement = Statement { mapped, checks, unique_checks, logs_cascades, ends };
        let images = (!without_rows).then_some(images);
        Self { kind, table, statement, text, offset, present: [first, second], images }
    }

    /// Whether its rows were not kept, since the table is not captured.
    #[must_use]
    pub fn is_without_rows(&self) -> bool {
        self.images.is_none()
    }

    /// Takes in what comes next, if that is more of the same statement, table and kind, and neither
    /// has its rows.
    pub(super) fn absorb(&mut self, next: &Self) -> bool {
        let same = self.is_without_rows()
            && next.is_without_rows()
            && !self.statement.ends
            && self.kind == next.kind
            && self.table.name == next.table.name
            && (self.statement.checks, self.statement.logs_cascades)
                == (next.statement.checks, next.statement.logs_cascades);
        self.statement.ends |= same && next.statement.ends;
        same
    }

    /// Of a body of version 2, for tests.
    #[cfg(test)]
    pub(crate) fn of_body(
        body: &Buffer,
        event: EventType,
        table: &Arc<MappedTable>,
    ) -> Result<Self, LogFault> {
        let layout = Layout { event, version2: true, compressed: false, partial: false };
        Self::of(body, 4, layout, (table, &Arc::from([Arc::clone(table)])))
    }
}

/// The parts of a rows event.
pub(super) struct RowsEventParts {
    pub(super) table: Arc<MappedTable>,
    pub(super) mapped: MappedTables,
    pub(super) text: Option<Arc<str>>,
    pub(super) rest: Rest,
    /// Which columns the two images of a row have, and the rows.
    pub(super) parts: [Buffer; 3],
}

/// Those that are neither shared nor long.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Rest {
    kind: EventType,
    checks: bool,
    unique_checks: bool,
    logs_cascades: bool,
    ends: bool,
    offset: u64,
    without_rows: bool,
}

/// MariaDB's compression (Knowledge Base: [Compressing Events to Reduce Size of the Binary
/// Log](https://mariadb.com/kb/en/compressing-events-to-reduce-size-of-the-binary-log/)): a byte
/// with the algorithm and the width of the length, the length (big-endian), zlib data.
pub(super) fn inflate(data: &[u8]) -> Result<Vec<u8>, LogFault> {
    let mut input = Bytes(data);
    let head = input.u8()?;
    if head & 0xe0 != 0x80 || head & 0x70 != 0 {
        return Err(LogFault::EventCompression);
    }
    let length = input.uint_be(usize::from(head & 0x07))?;
    if length > LARGEST {
        return Err(LogFault::EventTooLarge(length));
    }
    let mut out = Vec::new();
    ZlibDecoder::new(input.0)
        .take(length + 1)
        .read_to_end(&mut out)
        .map_err(|e| LogFault::Inflate(e.to_string()))?;
    if out.len() as u64 != length {
        return Err(LogFault::InflatedEventLength);
    }
    Ok(out)
}

mod images;
#[cfg(test)]
mod tests;
