//! Column definitions ("Column Definition 41") as mysqld declares them.

use super::bytes::put_bytes;
use crate::session::{ResultCharset, collation_id};
use dbtrail_types::column::{Column, ColumnKey, ColumnType, IntSize, LobSize};
use dbtrail_types::reply::ResultColumn;
use std::sync::Arc;

/// The collation id of bytes.
const BINARY: u16 = 63;
/// What mysqld calls NOT_FIXED_DEC: no number of decimals is fixed.
const ANY_DECIMALS: u8 = 31;

/// Flags of the column ("Column Definition Flags").
mod flag {
    pub(super) const NOT_NULL: u16 = 1;
    pub(super) const PRI_KEY: u16 = 2;
    pub(super) const UNIQUE_KEY: u16 = 4;
    pub(super) const MULTIPLE_KEY: u16 = 8;
    pub(super) const BLOB: u16 = 16;
    pub(super) const UNSIGNED: u16 = 32;
    pub(super) const ZEROFILL: u16 = 64;
    pub(super) const BINARY: u16 = 128;
    pub(super) const ENUM: u16 = 256;
    pub(super) const AUTO_INCREMENT: u16 = 512;
    pub(super) const TIMESTAMP: u16 = 1024;
    pub(super) const SET: u16 = 2048;
    pub(super) const NO_DEFAULT_VALUE: u16 = 4096;
    pub(super) const ON_UPDATE_NOW: u16 = 8192;
    pub(super) const PART_KEY: u16 = 16384;
}

/// How long a value can be.
#[derive(Clone, Copy)]
enum Length {
    /// No text: bytes of what is shown.
    Fixed(u32),
    /// Text of so many characters.
    Characters(u32),
    /// Text of so many bytes in the column's own character set.
    Bytes(u32),
}

/// Type byte, length, decimals, and flags of the type alone.
struct Declared {
    kind: u8,
    length: Length,
    decimals: u8,
    flags: u16,
}

/// A column definition of COM_FIELD_LIST, which has one field more: the default. It is always NULL here, since definitions of the
/// agent tell that there is a default and not which.
pub(super) fn listed(column: &ResultColumn, charset: ResultCharset) -> Vec<u8> {
    let mut out = definition(column, charset);
    out.push(0xfb);
    out
}

/// The definitions that were sent last, written already: a session that repeats a statement is told the same columns again. The session gives
/// the same columns only where they are the same in every respect.
#[derive(Default)]
pub(super) struct Written {
    of: Option<(Arc<[ResultColumn]>, ResultCharset)>,
    payloads: Vec<Vec<u8>>,
}

/// Columns whose definitions are kept at most: an idle connection holds them.
const MOST_WRITTEN: usize = 256;

impl Written {
    /// The payloads of the definitions of these columns.
    pub(super) fn payloads(&mut self, columns: &Arc<[ResultColumn]>, charset: ResultCharset) -> &[Vec<u8>] {
        if !matches!(&self.of, Some((of, written)) if Arc::ptr_eq(of, columns) && *written == charset) {
            self.payloads = columns.iter().map(|column| definition(column, charset)).collect();
            self.of = Some((Arc::clone(columns), charset));
        }
        &self.payloads
    }

    /// Forgets what is too much to be held for a connection that may be idle from now on.
    pub(super) fn shrink(&mut self) {
        if self.payloads.len() > MOST_WRITTEN {
            *self = Self::default();
        }
    }
}

/// The payload of one column definition.
pub(super) fn definition(column: &ResultColumn, charset: ResultCharset) -> Vec<u8> {
    let mut declared = declared(&column.column);
    let (collation, length) = match declared.length {
        Length::Fixed(length) => (BINARY, length),
        Length::Characters(_) | Length::Bytes(_) => text(&column.column, declared.length, charset),
    };
    if column.org_name.is_empty() {
        expression(&mut declared, &column.column);
    }
    let mut out = Vec::with_capacity(128);
    for text in ["def", &column.schema, &column.table, &column.org_table, &column.name, &column.org_name] {
        put_bytes(&mut out, text.as_bytes());
    }
    out.push(0x0c);
    out.extend_from_slice(&collation.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.push(declared.kind);
    out.extend_from_slice(&(declared.flags | attributes(&column.column)).to_le_bytes());
    out.push(declared.decimals);
    out.extend_from_slice(&[0, 0]);
    out
}

/// What mysqld declares otherwise of an expression than of a column.
#[expect(clippy::wildcard_enum_match_arm, reason = "text alone has types of its own in expressions")]
fn expression(declared: &mut Declared, column: &Column) {
    match declared.length {
        Length::Fixed(_) => declared.flags |= flag::BINARY,
        Length::Characters(_) | Length::Bytes(_) => declared.decimals = ANY_DECIMALS,
    }
    let bytes = match column.ty {
        // NULL as it is written.
        ColumnType::VarBinary { bytes: 0 } => {
            declared.kind = NULL;
            return;
        }
        ColumnType::VarBinary { bytes } => {
            declared.decimals = ANY_DECIMALS;
            bytes
        }
        ColumnType::VarChar { chars } => {
            chars.saturating_mul(bytes_of_character(column.charset().unwrap_or("utf8mb4")).1)
        }
        _ => return,
    };
    declared.kind = match bytes {
        0..LONGEST_VARCHAR => declared.kind,
        LONGEST_VARCHAR..LONGEST_MEDIUM => MEDIUM_BLOB,
        _ => LONG_BLOB,
    };
}

/// Types of expressions: MYSQL_TYPE_NULL, and those of long text.
const NULL: u8 = 6;
const MEDIUM_BLOB: u8 = 250;
const LONG_BLOB: u8 = 251;
/// Bytes from which text of an expression is of these types.
const LONGEST_VARCHAR: u32 = 1 << 16;
const LONGEST_MEDIUM: u32 = 1 << 24;

/// Collation id and length in bytes of text: those of the character set that it goes out in.
fn text(column: &Column, length: Length, charset: ResultCharset) -> (u16, u32) {
    // The types that are shown as text and have no collation are ASCII, which MariaDB calls latin1.
    let plain = matches!(column.ty, ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6);
    let own = column.charset().unwrap_or(if plain { "latin1" } else { "utf8mb4" });
    let (collation, widest) = match charset {
        ResultCharset::Utf8 { collation_id } => (collation_id, 4),
        ResultCharset::Utf8mb3 { collation_id } => (collation_id, 3),
        ResultCharset::Latin1 { collation_id } | ResultCharset::Ascii { collation_id } => (collation_id, 1),
        ResultCharset::Binary => (BINARY, 1),
        ResultCharset::AsStored => {
            let name = column.collation.as_deref().unwrap_or(if plain { "latin1_swedish_ci" } else { "" });
            let own_id = collation_id(name).unwrap_or(45);
            (own_id, bytes_of_character(own).1)
        }
    };
    let length = match length {
        Length::Fixed(length) => length,
        Length::Characters(characters) => characters.saturating_mul(widest),
        Length::Bytes(bytes) if charset == ResultCharset::AsStored => bytes,
        // As many as there could be, if all of them were short ones.
        Length::Bytes(bytes) => (bytes / bytes_of_character(own).0).saturating_mul(widest),
    };
    (collation, length)
}

/// Bytes of the shortest and of the longest character, in the sets that this version reads.
fn bytes_of_character(charset: &str) -> (u32, u32) {
    match charset {
        "utf8mb4" => (1, 4),
        "utf8mb3" | "utf8" => (1, 3),
        "ucs2" => (2, 2),
        "utf16" => (2, 4),
        _ => (1, 1),
    }
}

/// Flags that come with the column's attributes and its indexes.
fn attributes(column: &Column) -> u16 {
    let set = |on: bool, flag: u16| if on { flag } else { 0 };
    let key = match column.key {
        ColumnKey::None => 0,
        ColumnKey::Primary => flag::PRI_KEY | flag::PART_KEY,
        ColumnKey::Unique => flag::UNIQUE_KEY | flag::PART_KEY,
        ColumnKey::Multiple => flag::MULTIPLE_KEY | flag::PART_KEY,
    };
    let timestamp = matches!(column.ty, ColumnType::Timestamp { .. });
    let binary = column.collation.as_deref().is_some_and(|c| c.ends_with("_bin") || c == "binary");
    key | set(column.indexes.unique, flag::UNIQUE_KEY)
        | set(column.indexes.multiple, flag::MULTIPLE_KEY)
        | set(column.indexes.part, flag::PART_KEY)
        | set(!column.nullable, flag::NOT_NULL)
        | set(column.auto_increment, flag::AUTO_INCREMENT)
        | set(!column.has_default && !column.nullable, flag::NO_DEFAULT_VALUE)
        | set(binary, flag::BINARY)
        // Of a DATETIME with ON UPDATE, MySQL says nothing.
        | set(timestamp && column.on_update_now, flag::ON_UPDATE_NOW)
        | set(timestamp && (column.on_update_now || column.default_now), flag::TIMESTAMP)
}

fn declared(column: &Column) -> Declared {
    let of = |kind, length, decimals, flags| Declared { kind, length, decimals, flags };
    let fixed = |kind, length, decimals, flags| of(kind, Length::Fixed(length), decimals, flags);
    let characters = |kind, count, flags| of(kind, Length::Characters(count), 0, flags);
    let bytes = |kind, length, flags| of(kind, Length::Fixed(length), 0, flags | flag::BINARY);
    let signs = |unsigned: bool, zerofill: bool| {
        flag::UNSIGNED * u16::from(unsigned) + flag::ZEROFILL * u16::from(zerofill)
    };
    let fraction = |fsp: u8| if fsp == 0 { 0 } else { u32::from(fsp) + 1 };
    match &column.ty {
        ColumnType::Int { size, unsigned, zerofill, display_width } => {
            let (kind, signed_length, unsigned_length) = match size {
                IntSize::Tiny => (1, 4, 3),
                IntSize::Small => (2, 6, 5),
                IntSize::Medium => (9, 9, 8),
                IntSize::Int => (3, 11, 10),
                IntSize::Big => (8, 20, 20),
            };
            let usual = if *unsigned { unsigned_length } else { signed_length };
            fixed(kind, display_width.map_or(usual, u32::from), 0, signs(*unsigned, *zerofill))
        }
        ColumnType::Decimal { precision, scale, unsigned, zerofill } => {
            let length = u32::from(*precision) + u32::from(*scale > 0) + u32::from(!unsigned);
            fixed(246, length, *scale, signs(*unsigned, *zerofill))
        }
        ColumnType::Float { digits, unsigned, zerofill } => {
            let (length, decimals) = digits.map_or((12, ANY_DECIMALS), |(p, s)| (u32::from(p), s));
            fixed(4, length, decimals, signs(*unsigned, *zerofill))
        }
        ColumnType::Double { digits, unsigned, zerofill } => {
            let (length, decimals) = digits.map_or((22, ANY_DECIMALS), |(p, s)| (u32::from(p), s));
            fixed(5, length, decimals, signs(*unsigned, *zerofill))
        }
        ColumnType::Bit { bits } => fixed(16, u32::from(*bits), 0, flag::UNSIGNED),
        ColumnType::Year => fixed(13, 4, 0, flag::UNSIGNED | flag::ZEROFILL),
        ColumnType::Date => bytes(10, 10, 0),
        ColumnType::Time { fsp } => fixed(11, 10 + fraction(*fsp), *fsp, flag::BINARY),
        ColumnType::DateTime { fsp } => fixed(12, 19 + fraction(*fsp), *fsp, flag::BINARY),
        ColumnType::Timestamp { fsp } => fixed(7, 19 + fraction(*fsp), *fsp, flag::BINARY),
        ColumnType::Char { chars } => characters(254, *chars, 0),
        ColumnType::VarChar { chars } => characters(253, *chars, 0),
        ColumnType::Binary { bytes: length } => bytes(254, *length, 0),
        ColumnType::VarBinary { bytes: length } => bytes(253, *length, 0),
        ColumnType::Text { size } => of(252, Length::Bytes(lob(*size)), 0, flag::BLOB),
        ColumnType::Blob { size } => bytes(252, lob(*size), flag::BLOB),
        ColumnType::Enum { labels } => {
            characters(254, labels.iter().map(|l| count(l)).max().unwrap_or(0), flag::ENUM)
        }
        ColumnType::Set { labels } => {
            let commas = u32::try_from(labels.len().saturating_sub(1)).unwrap_or(0);
            characters(254, labels.iter().map(|l| count(l)).sum::<u32>() + commas, flag::SET)
        }
        ColumnType::Json => bytes(245, u32::MAX, flag::BLOB),
        ColumnType::Geometry { .. } => bytes(255, u32::MAX, flag::BLOB),
        ColumnType::Vector { dimensions } => {
            fixed(242, dimensions.saturating_mul(4), ANY_DECIMALS, flag::BLOB | flag::BINARY)
        }
        ColumnType::Uuid => address(36),
        ColumnType::Inet4 => address(15),
        ColumnType::Inet6 => address(39),
    }
}

/// MariaDB's types that are shown as text: its flags are those of bytes.
fn address(longest: u32) -> Declared {
    let flags = flag::BINARY | flag::UNSIGNED;
    Declared { kind: 254, length: Length::Characters(longest), decimals: 0, flags }
}

fn count(label: &str) -> u32 {
    u32::try_from(label.chars().count()).unwrap_or(u32::MAX)
}

fn lob(size: LobSize) -> u32 {
    match size {
        LobSize::Tiny => 255,
        LobSize::Normal => 65_535,
        LobSize::Medium => 16_777_215,
        LobSize::Long => u32::MAX,
    }
}
