//! Column definitions as mysqld declares them
//! ([Protocol::ColumnDefinition41](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html),
//! [manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html)).

use crate::constants::{BINARY_COLLATION, ColumnFlags, NULL_CELL, UTF8MB4_GENERAL_CI, field_type};
use crate::reader::put_bytes;
use dbtrail_types::charset;
use dbtrail_types::column::{Column, ColumnKey, ColumnType, Family, IntSize};
use dbtrail_types::result_charset::{ResultCharset, collation_id};
use dbtrail_types::result_set::ResultColumn;
use std::sync::Arc;

/// What mysqld calls NOT_FIXED_DEC: no number of decimals is fixed.
const ANY_DECIMALS: u8 = 31;
/// Bytes of the fields of fixed length that follow the names.
const FIXED_FIELDS: u8 = 0x0c;

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
    flags: ColumnFlags,
}

/// A column definition of COM_FIELD_LIST, which has one field more: the default. It is always NULL
/// here, since definitions of the agent tell that there is a default and not which.
#[must_use]
pub fn listed(column: &ResultColumn, charset: ResultCharset) -> Vec<u8> {
    let mut out = definition(column, charset);
    out.push(NULL_CELL);
    out
}

/// The definitions that were sent last, written already: a session that repeats a statement is
/// given the same columns again. The session gives the same columns only where they are the same in
/// every respect.
#[derive(Default)]
pub struct Written {
    of: Option<(Arc<[ResultColumn]>, ResultCharset)>,
    payloads: Vec<Vec<u8>>,
}

/// Columns whose definitions are kept at most: an idle connection holds them.
const MOST_WRITTEN: usize = 256;

impl Written {
    /// The payloads of the definitions of these columns.
    pub fn payloads(&mut self, columns: &Arc<[ResultColumn]>, charset: ResultCharset) -> &[Vec<u8>] {
        if !matches!(&self.of, Some((of, written)) if Arc::ptr_eq(of, columns) && *written == charset) {
            self.payloads = columns.iter().map(|column| definition(column, charset)).collect();
            self.of = Some((Arc::clone(columns), charset));
        }
        &self.payloads
    }

    /// Forgets what is too much to be held for a connection that may be idle from now on.
    pub fn shrink(&mut self) {
        if self.payloads.len() > MOST_WRITTEN {
            *self = Self::default();
        }
    }
}

/// The payload of one column definition.
#[must_use]
pub fn definition(column: &ResultColumn, charset: ResultCharset) -> Vec<u8> {
    let mut declared = declared(&column.column);
    let (collation, length) = match declared.length {
        Length::Fixed(length) => (BINARY_COLLATION, length),
        Length::Characters(_) | Length::Bytes(_) => text(&column.column, declared.length, charset),
    };
    if column.org_name.is_empty() {
        expression(&mut declared, &column.column);
    }
    let mut out = Vec::with_capacity(128);
    for text in ["def", &column.schema, &column.table, &column.org_table, &column.name, &column.org_name] {
        put_bytes(&mut out, text.as_bytes());
    }
    out.push(FIXED_FIELDS);
    out.extend_from_slice(&collation.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.push(declared.kind);
    out.extend_from_slice(&(declared.flags | attributes(&column.column)).bits().to_le_bytes());
    out.push(declared.decimals);
    out.extend_from_slice(&[0, 0]);
    out
}

/// What mysqld declares otherwise of an expression than of a column.
#[expect(clippy::wildcard_enum_match_arm, reason = "text alone has types of its own in expressions")]
fn expression(declared: &mut Declared, column: &Column) {
    match declared.length {
        Length::Fixed(_) => declared.flags |= ColumnFlags::BINARY_FLAG,
        Length::Characters(_) | Length::Bytes(_) => declared.decimals = ANY_DECIMALS,
    }
    let bytes = match column.ty {
        // NULL as it is written.
        ColumnType::VarBinary { bytes: 0 } => {
            declared.kind = field_type::NULL;
            return;
        }
        ColumnType::Binary { .. } => {
            declared.decimals = ANY_DECIMALS;
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
        LONGEST_VARCHAR..LONGEST_MEDIUM => field_type::MEDIUM_BLOB,
        _ => field_type::LONG_BLOB,
    };
}

/// Bytes from which text of an expression is MYSQL_TYPE_MEDIUM_BLOB and MYSQL_TYPE_LONG_BLOB.
const LONGEST_VARCHAR: u32 = 1 << 16;
const LONGEST_MEDIUM: u32 = 1 << 24;

/// Collation id and length in bytes of text: those of the character set that it goes out in.
fn text(column: &Column, length: Length, charset: ResultCharset) -> (u16, u32) {
    // The types that are shown as text and have no collation are ASCII, which MariaDB calls latin1.
    let plain = column.ty.family() == Family::Address;
    let own = column.charset().unwrap_or(if plain { "latin1" } else { "utf8mb4" });
    let (collation, widest) = match charset {
        ResultCharset::Utf8 { collation_id } => (collation_id, 4),
        ResultCharset::Utf8mb3 { collation_id } => (collation_id, 3),
        ResultCharset::Latin1 { collation_id } | ResultCharset::Ascii { collation_id } => (collation_id, 1),
        ResultCharset::Binary => (BINARY_COLLATION, 1),
        ResultCharset::AsStored => {
            let name = column.collation.as_deref().unwrap_or(if plain { "latin1_swedish_ci" } else { "" });
            let own_id = collation_id(name).unwrap_or(UTF8MB4_GENERAL_CI);
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

/// Bytes of the shortest and of the longest character of a column's own character set.
fn bytes_of_character(charset: &str) -> (u32, u32) {
    charset::bytes_of_character(charset).unwrap_or((1, 1))
}

/// Flags that come with the column's attributes and its indexes.
fn attributes(column: &Column) -> ColumnFlags {
    let set = |on: bool, flag: ColumnFlags| if on { flag } else { ColumnFlags::empty() };
    let key = match column.key {
        ColumnKey::None => ColumnFlags::empty(),
        ColumnKey::Primary => ColumnFlags::PRI_KEY_FLAG | ColumnFlags::PART_KEY_FLAG,
        ColumnKey::Unique => ColumnFlags::UNIQUE_KEY_FLAG | ColumnFlags::PART_KEY_FLAG,
        ColumnKey::Multiple => ColumnFlags::MULTIPLE_KEY_FLAG | ColumnFlags::PART_KEY_FLAG,
    };
    let timestamp = column.ty.family() == Family::Timestamp;
    let binary = column.collation.as_deref().is_some_and(|c| c.ends_with("_bin") || c == "binary");
    key | set(column.indexes.unique, ColumnFlags::UNIQUE_KEY_FLAG)
        | set(column.indexes.multiple, ColumnFlags::MULTIPLE_KEY_FLAG)
        | set(column.indexes.part, ColumnFlags::PART_KEY_FLAG)
        | set(!column.nullable, ColumnFlags::NOT_NULL_FLAG)
        | set(column.auto_increment, ColumnFlags::AUTO_INCREMENT_FLAG)
        | set(!column.has_default && !column.nullable, ColumnFlags::NO_DEFAULT_VALUE_FLAG)
        | set(binary, ColumnFlags::BINARY_FLAG)
        // Of a DATETIME with ON UPDATE, MySQL says nothing.
        | set(timestamp && column.on_update_now, ColumnFlags::ON_UPDATE_NOW_FLAG)
        | set(timestamp && (column.on_update_now || column.default_now), ColumnFlags::TIMESTAMP_FLAG)
}

fn declared(column: &Column) -> Declared {
    let of = |kind, length, decimals, flags| Declared { kind, length, decimals, flags };
    let fixed = |kind, length, decimals, flags| of(kind, Length::Fixed(length), decimals, flags);
    let characters = |kind, count, flags| of(kind, Length::Characters(count), 0, flags);
    let bytes = |kind, length, flags| of(kind, Length::Fixed(length), 0, flags | ColumnFlags::BINARY_FLAG);
    let none = ColumnFlags::empty();
    let signs = |unsigned: bool, zerofill: bool| {
        let unsigned = if unsigned { ColumnFlags::UNSIGNED_FLAG } else { none };
        unsigned | if zerofill { ColumnFlags::ZEROFILL_FLAG } else { none }
    };
    let fraction = |fsp: u8| if fsp == 0 { 0 } else { u32::from(fsp) + 1 };
    let most_chars = u32::try_from(column.ty.most_chars().unwrap_or(0)).unwrap_or(u32::MAX);
    match &column.ty {
        ColumnType::Int { size, unsigned, zerofill, display_width } => {
            let kind = match size {
                IntSize::Tiny => field_type::TINY,
                IntSize::Small => field_type::SHORT,
                IntSize::Medium => field_type::INT24,
                IntSize::Int => field_type::LONG,
                IntSize::Big => field_type::LONGLONG,
            };
            let width = display_width.unwrap_or(size.display_width(*unsigned));
            fixed(kind, u32::from(width), 0, signs(*unsigned, *zerofill))
        }
        ColumnType::Decimal { precision, scale, unsigned, zerofill } => {
            let length = u32::from(*precision) + u32::from(*scale > 0) + u32::from(!unsigned);
            fixed(field_type::NEWDECIMAL, length, *scale, signs(*unsigned, *zerofill))
        }
        ColumnType::Float { digits, unsigned, zerofill } => {
            let (length, decimals) = digits.map_or((12, ANY_DECIMALS), |(p, s)| (u32::from(p), s));
            fixed(field_type::FLOAT, length, decimals, signs(*unsigned, *zerofill))
        }
        ColumnType::Double { digits, unsigned, zerofill } => {
            let (length, decimals) = digits.map_or((22, ANY_DECIMALS), |(p, s)| (u32::from(p), s));
            fixed(field_type::DOUBLE, length, decimals, signs(*unsigned, *zerofill))
        }
        ColumnType::Bit { bits } => fixed(field_type::BIT, u32::from(*bits), 0, ColumnFlags::UNSIGNED_FLAG),
        ColumnType::Year => {
            fixed(field_type::YEAR, 4, 0, ColumnFlags::UNSIGNED_FLAG | ColumnFlags::ZEROFILL_FLAG)
        }
        ColumnType::Date => bytes(field_type::DATE, 10, none),
        ColumnType::Time { fsp } => {
            fixed(field_type::TIME, 10 + fraction(*fsp), *fsp, ColumnFlags::BINARY_FLAG)
        }
        ColumnType::DateTime { fsp } => {
            fixed(field_type::DATETIME, 19 + fraction(*fsp), *fsp, ColumnFlags::BINARY_FLAG)
        }
        ColumnType::Timestamp { fsp } => {
            fixed(field_type::TIMESTAMP, 19 + fraction(*fsp), *fsp, ColumnFlags::BINARY_FLAG)
        }
        ColumnType::Char { chars } => characters(field_type::STRING, *chars, none),
        ColumnType::VarChar { chars } => characters(field_type::VAR_STRING, *chars, none),
        ColumnType::Binary { bytes: length } => bytes(field_type::STRING, *length, none),
        ColumnType::VarBinary { bytes: length } => bytes(field_type::VAR_STRING, *length, none),
        ColumnType::Text { size } => {
            of(field_type::BLOB, Length::Bytes(size.most_bytes()), 0, ColumnFlags::BLOB_FLAG)
        }
        ColumnType::Blob { size } => bytes(field_type::BLOB, size.most_bytes(), ColumnFlags::BLOB_FLAG),
        ColumnType::Enum { .. } => characters(field_type::STRING, most_chars, ColumnFlags::ENUM_FLAG),
        ColumnType::Set { .. } => characters(field_type::STRING, most_chars, ColumnFlags::SET_FLAG),
        ColumnType::Json => bytes(field_type::JSON, u32::MAX, ColumnFlags::BLOB_FLAG),
        ColumnType::Geometry { .. } => bytes(field_type::GEOMETRY, u32::MAX, ColumnFlags::BLOB_FLAG),
        ColumnType::Vector { dimensions } => fixed(
            field_type::VECTOR,
            dimensions.saturating_mul(4),
            ANY_DECIMALS,
            ColumnFlags::BLOB_FLAG | ColumnFlags::BINARY_FLAG,
        ),
        ColumnType::Uuid => address(36),
        ColumnType::Inet4 => address(15),
        ColumnType::Inet6 => address(39),
    }
}

/// MariaDB's types that are shown as text: its flags are those of bytes.
fn address(longest: u32) -> Declared {
    let flags = ColumnFlags::BINARY_FLAG | ColumnFlags::UNSIGNED_FLAG;
    Declared { kind: field_type::STRING, length: Length::Characters(longest), decimals: 0, flags }
}

#[cfg(test)]
mod tests;
