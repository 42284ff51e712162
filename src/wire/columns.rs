//! Column definitions ("Column Definition 41") as mysqld declares them.

use super::bytes::put_bytes;
use crate::column::{Column, ColumnKey, ColumnType, IntSize, LobSize};
use crate::reply::ResultColumn;
use crate::session::ResultCharset;

/// The collation id of bytes.
const BINARY: u16 = 63;

/// Type byte, length in bytes, decimals, flags of the type alone, and whether it is text.
struct Declared {
    kind: u8,
    length: u32,
    decimals: u8,
    flags: u16,
    text: bool,
}

/// A column definition of COM_FIELD_LIST, which has one field more: the default. It is always NULL here, since definitions of the
/// agent tell that there is a default and not which.
pub(super) fn listed(column: &ResultColumn, charset: ResultCharset) -> Vec<u8> {
    let mut out = definition(column, charset);
    out.push(0xfb);
    out
}

/// The payload of one column definition.
pub(super) fn definition(column: &ResultColumn, charset: ResultCharset) -> Vec<u8> {
    let declared = declared(&column.column, charset);
    let mut out = Vec::with_capacity(128);
    for text in ["def", &column.schema, &column.table, &column.org_table, &column.name, &column.org_name] {
        put_bytes(&mut out, &charset.encoded(text.as_bytes()));
    }
    let collation = match (declared.text, charset) {
        (false, _) => BINARY,
        (
            true,
            ResultCharset::Utf8 { collation_id }
            | ResultCharset::Utf8mb3 { collation_id }
            | ResultCharset::Latin1 { collation_id }
            | ResultCharset::Ascii { collation_id },
        ) => collation_id,
        // As stored: the bytes are UTF-8 always.
        (true, ResultCharset::AsStored) => 45,
    };
    // Text that is computed has no fixed length: NOT_FIXED_DEC.
    let computed = declared.kind == 253 && column.org_name.is_empty();
    let decimals = if computed { 31 } else { declared.decimals };
    out.push(0x0c);
    out.extend_from_slice(&collation.to_le_bytes());
    out.extend_from_slice(&declared.length.to_le_bytes());
    out.push(declared.kind);
    // A number that is computed is declared binary, one of a table is not.
    let computed = u16::from(column.org_table.is_empty() && !declared.text) * 128;
    out.extend_from_slice(&(declared.flags | computed | attributes(&column.column)).to_le_bytes());
    out.push(decimals);
    out.extend_from_slice(&[0, 0]);
    out
}

/// Flags of the column (manual: "Column Definition Flags").
fn attributes(column: &Column) -> u16 {
    let key = match column.key {
        ColumnKey::None => 0,
        ColumnKey::Primary => 2 | 0x4000,
        ColumnKey::Unique => 4 | 0x4000,
        ColumnKey::Multiple => 8 | 0x4000,
    };
    let mut flags = key | u16::from(!column.nullable);
    if column.auto_increment {
        flags |= 512;
    }
    if !column.has_default && !column.nullable {
        flags |= 4096;
    }
    if column.on_update_now {
        flags |= 8192;
    }
    flags
}

fn declared(column: &Column, charset: ResultCharset) -> Declared {
    let width = charset.width();
    let number = |kind, length, decimals, flags| Declared { kind, length, decimals, flags, text: false };
    let text = |kind, chars: u32, flags: u16| Declared {
        kind,
        length: chars.saturating_mul(width),
        decimals: 0,
        flags,
        text: true,
    };
    let bytes =
        |kind, length, flags: u16| Declared { kind, length, decimals: 0, flags: flags | 128, text: false };
    let signs = |unsigned: bool, zerofill: bool| 32 * u16::from(unsigned) + 64 * u16::from(zerofill);
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
            number(kind, display_width.map_or(usual, u32::from), 0, signs(*unsigned, *zerofill))
        }
        ColumnType::Decimal { precision, scale, unsigned, zerofill } => {
            let length = u32::from(*precision) + u32::from(*scale > 0) + u32::from(!unsigned);
            number(246, length, *scale, signs(*unsigned, *zerofill))
        }
        ColumnType::Float { digits, unsigned, zerofill } => {
            let (length, decimals) = digits.map_or((12, 31), |(p, s)| (u32::from(p), s));
            number(4, length, decimals, signs(*unsigned, *zerofill))
        }
        ColumnType::Double { digits, unsigned, zerofill } => {
            let (length, decimals) = digits.map_or((22, 31), |(p, s)| (u32::from(p), s));
            number(5, length, decimals, signs(*unsigned, *zerofill))
        }
        ColumnType::Bit { bits } => number(16, u32::from(*bits), 0, 32),
        ColumnType::Year => number(13, 4, 0, 32 | 64),
        ColumnType::Date => number(10, 10, 0, 128),
        ColumnType::Time { fsp } => number(11, 10 + fraction(*fsp), *fsp, 128),
        ColumnType::DateTime { fsp } => number(12, 19 + fraction(*fsp), *fsp, 128),
        ColumnType::Timestamp { fsp } => number(7, 19 + fraction(*fsp), *fsp, 128),
        ColumnType::Char { chars } => text(254, *chars, 0),
        ColumnType::VarChar { chars } => text(253, *chars, 0),
        ColumnType::Binary { bytes: length } => bytes(254, *length, 0),
        ColumnType::VarBinary { bytes: length } => bytes(253, *length, 0),
        ColumnType::Text { size } => text(252, lob(*size), 16),
        ColumnType::Blob { size } => bytes(252, lob(*size), 16),
        ColumnType::Enum { labels } => {
            text(254, labels.iter().map(|l| characters(l)).max().unwrap_or(0), 256)
        }
        ColumnType::Set { labels } => {
            let commas = u32::try_from(labels.len().saturating_sub(1)).unwrap_or(0);
            text(254, labels.iter().map(|l| characters(l)).sum::<u32>() + commas, 2048)
        }
        ColumnType::Json => bytes(245, u32::MAX, 16),
        ColumnType::Geometry { .. } => bytes(255, u32::MAX, 16),
        ColumnType::Vector { dimensions } => bytes(242, dimensions.saturating_mul(4), 16),
        ColumnType::Uuid => text(254, 36, 0),
        ColumnType::Inet4 => text(254, 15, 0),
        ColumnType::Inet6 => text(254, 39, 0),
    }
}

fn characters(label: &str) -> u32 {
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
