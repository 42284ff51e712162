//! Table maps against definitions.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the types that are not named have one form in a table map"
)]

mod infer;

use super::convert::By;
use super::implicit_default::longest_character;
use super::table::{Full, FullColumn};
use super::table_map_error::{Attribute, TableMapError};
use super::{Catalog, DefinitionId, versioned};
use crate::log::{MappedColumn, MappedTable, char_bytes, code, collation_name};
use dbtrail_types::charset;
use dbtrail_types::column::{ColumnType, IntSize, LobSize, same_name};
use infer::infer;

/// The definition under which rows of this map were written.
pub(super) fn reconcile_table_map(
    catalog: &mut Catalog,
    table: &MappedTable,
) -> Result<DefinitionId, TableMapError> {
    let Some(id) = catalog.tables.get(&table.name).copied() else {
        let mut full = infer(table)?;
        full.settle();
        let id = catalog.add(full);
        catalog.tables.insert(table.name.clone(), id);
        return Ok(id);
    };
    let known = catalog.full(id);
    if known.columns.len() + hidden(table, known) != table.columns.len() {
        return Err(TableMapError::ColumnCount {
            table: table.name.clone(),
            logged: table.columns.len(),
            declared: known.columns.len(),
        });
    }
    let mut corrected = known.clone();
    for (full, mapped) in corrected.columns.iter_mut().zip(&table.columns) {
        check(full, mapped, table)?;
    }
    if let Some(unknown) = corrected.columns.iter().find(|c| c.is_text() && !c.collation_known) {
        return Err(TableMapError::NoCollation {
            table: table.name.clone(),
            column: unknown.column.name.clone(),
        });
    }
    if let Some(key) = &table.primary_key {
        let reported: Vec<&str> =
            key.iter().filter_map(|i| corrected.columns.get(*i)).map(|c| c.column.name.as_str()).collect();
        let same_length = reported.len() == key.len();
        let reported = match reported.as_slice() {
            // A row of the past has the key of the one of now.
            [own @ .., versioned::ROW_END] if corrected.versioned => own.to_vec(),
            _ => reported,
        };
        if !same_length || reported != corrected.key() {
            return Err(TableMapError::PrimaryKey(table.name.clone()));
        }
    }
    if corrected == *known {
        return Ok(id);
    }
    let from = (0..corrected.columns.len()).map(Some).collect();
    let id = catalog.follow_up(id, corrected, from, ("a table map of the log", By::Nobody));
    catalog.tables.insert(table.name.clone(), id);
    Ok(id)
}

/// What MariaDB calls the columns that it adds to a table after all others, for unique indexes over
/// whole TEXT and BLOB columns: hashes of these.
const HASH: &str = "DB_ROW_HASH_";

/// How many columns of a map are such hashes.
fn hidden(table: &MappedTable, known: &Full) -> usize {
    let hashed = if table.server.mariadb { known.hashed() } else { 0 };
    let is_hash = |mapped: &&MappedColumn| {
        mapped.type_code == code::LONGLONG && mapped.name.as_deref().is_none_or(|n| n.starts_with(HASH))
    };
    let more = table.columns.get(known.columns.len()..).unwrap_or_default();
    if more.len() == hashed && more.iter().filter(is_hash).count() == hashed { hashed } else { 0 }
}

fn check(full: &mut FullColumn, mapped: &MappedColumn, table: &MappedTable) -> Result<(), TableMapError> {
    let column = &mut full.column;
    let own = column.name.clone();
    let contradiction = |what: Attribute| {
        Err(TableMapError::Contradiction { table: table.name.clone(), column: own.clone(), what })
    };
    if mapped.name.as_deref().is_some_and(|n| !same_name(n, &column.name)) {
        return contradiction(Attribute::Name);
    }
    if column.ty == ColumnType::Json && mapped.type_code == code::BLOB && mapped.meta == [4] {
        // MariaDB's JSON is another name of LONGTEXT with a binary collation.
        column.ty = ColumnType::Text { size: LobSize::Long };
        column.collation = Some("utf8mb4_bin".to_owned());
    }
    if !matches(&column.ty, mapped) {
        return contradiction(Attribute::Type);
    }
    if let (Some(unsigned), Some(declared)) = (mapped.unsigned, unsigned(&column.ty))
        && unsigned != declared
    {
        return contradiction(Attribute::Sign);
    }
    if column.nullable != mapped.nullable {
        if full.nullability_known {
            return contradiction(Attribute::Nullability);
        }
        column.nullable = mapped.nullable;
        column.has_default |= mapped.nullable;
    }
    full.nullability_known = true;
    if let Some(id) = mapped.collation {
        let reported = collation_name(id);
        match (&column.collation, reported) {
            (None, Some(reported)) if !full.collation_known => {
                column.collation = Some(reported);
                full.collation_known = true;
            }
            (Some(declared), Some(reported)) if *declared != reported => {
                if full.collation_known && !same_collation(declared, &reported) {
                    return contradiction(Attribute::Collation);
                }
                column.collation = Some(reported);
                full.collation_known = true;
            }
            (Some(_), Some(_)) => full.collation_known = true,
            (Some(_), None) => {
                return Err(TableMapError::UnknownCollation { id, column: own });
            }
            _ => {}
        }
    }
    let width = full.column.charset().filter(|_| full.collation_known).and_then(longest_character);
    let (length, chars) = match (&full.column.ty, mapped.type_code) {
        (ColumnType::VarChar { chars }, code::VARCHAR) => (varchar_bytes(mapped), *chars),
        (ColumnType::VarChar { chars }, code::MARIADB_VARCHAR_COMPRESSED) => {
            (varchar_bytes(mapped).saturating_sub(1), *chars)
        }
        (ColumnType::Char { chars }, code::STRING) => (char_bytes(&mapped.meta), *chars),
        _ => return Ok(()),
    };
    match width {
        Some(width) if u32::try_from(length).ok() != chars.checked_mul(width) => {
            contradiction(Attribute::LengthOrCharset)
        }
        _ => Ok(()),
    }
}

fn varchar_bytes(mapped: &MappedColumn) -> usize {
    let meta = |i: usize| mapped.meta.get(i).copied().unwrap_or(0);
    usize::from(u16::from_le_bytes([meta(0), meta(1)]))
}

/// `utf8_bin` and `utf8mb3_bin` are two names of one collation.
pub(super) fn same_collation(a: &str, b: &str) -> bool {
    let plain = |c: &str| c.replacen("utf8mb3_", "utf8_", 1);
    plain(a) == plain(b)
}

fn unsigned(ty: &ColumnType) -> Option<bool> {
    match ty {
        ColumnType::Int { unsigned, .. }
        | ColumnType::Decimal { unsigned, .. }
        | ColumnType::Float { unsigned, .. }
        | ColumnType::Double { unsigned, .. } => Some(*unsigned),
        _ => None,
    }
}

/// Whether a column of this type is written as the map says.
fn matches(ty: &ColumnType, mapped: &MappedColumn) -> bool {
    let meta = |i: usize| mapped.meta.get(i).copied().unwrap_or(0);
    let length = || u16::from_le_bytes([meta(0), meta(1)]);
    match (ty, mapped.type_code) {
        (ColumnType::Int { size, .. }, c) => c == int_code(*size),
        (ColumnType::Decimal { precision, scale, .. }, code::NEWDECIMAL) => {
            meta(0) == *precision && meta(1) == *scale
        }
        (ColumnType::Bit { bits }, code::BIT) => {
            u32::from(meta(1)) * 8 + u32::from(meta(0)) == u32::from(*bits)
        }
        (ColumnType::Time { fsp: 0 }, code::TIME)
        | (ColumnType::DateTime { fsp: 0 }, code::DATETIME)
        | (ColumnType::Timestamp { fsp: 0 }, code::TIMESTAMP)
        | (ColumnType::Float { .. }, code::FLOAT)
        | (ColumnType::Double { .. }, code::DOUBLE)
        | (ColumnType::Year, code::YEAR)
        | (ColumnType::Date, code::DATE | code::NEWDATE)
        | (ColumnType::Json, code::JSON)
        | (ColumnType::Geometry { .. }, code::GEOMETRY)
        | (ColumnType::Vector { .. }, code::VECTOR) => true,
        // MariaDB's vector.
        (ColumnType::Vector { dimensions }, code::VARCHAR) => {
            dimensions.checked_mul(4) == Some(u32::from(length()))
        }
        // MariaDB's COMPRESSED columns have a byte in front of each value.
        (ColumnType::VarChar { chars }, code::MARIADB_VARCHAR_COMPRESSED) => u32::from(length()) > *chars,
        (ColumnType::VarBinary { bytes }, code::MARIADB_VARCHAR_COMPRESSED) => {
            u32::from(length()).checked_sub(1) == Some(*bytes)
        }
        (ColumnType::Time { fsp }, code::TIME2)
        | (ColumnType::DateTime { fsp }, code::DATETIME2)
        | (ColumnType::Timestamp { fsp }, code::TIMESTAMP2) => meta(0) == *fsp,
        (ColumnType::VarChar { chars }, code::VARCHAR) => u32::from(length()) >= *chars,
        (ColumnType::VarBinary { bytes }, code::VARCHAR) => u32::from(length()) == *bytes,
        (ColumnType::Char { chars }, code::STRING) => {
            char_bytes(&mapped.meta) >= usize::try_from(*chars).unwrap_or(usize::MAX)
        }
        (ColumnType::Binary { bytes }, code::STRING) => {
            char_bytes(&mapped.meta) == usize::try_from(*bytes).unwrap_or(usize::MAX)
        }
        (ColumnType::Uuid | ColumnType::Inet6, code::STRING) => char_bytes(&mapped.meta) == 16,
        (ColumnType::Inet4, code::STRING) => char_bytes(&mapped.meta) == 4,
        (
            ColumnType::Text { size } | ColumnType::Blob { size },
            code::BLOB | code::MARIADB_BLOB_COMPRESSED,
        ) => meta(0) == size.length_bytes(),
        (ColumnType::Enum { labels }, code::ENUM) | (ColumnType::Set { labels }, code::SET) => {
            mapped.labels.as_ref().is_none_or(|reported| same_labels(labels, reported, mapped.collation))
        }
        _ => false,
    }
}

fn same_labels(declared: &[String], reported: &[Vec<u8>], collation: Option<u16>) -> bool {
    labels_of(reported, collation).is_some_and(|reported| reported == declared)
}

fn labels_of(reported: &[Vec<u8>], collation: Option<u16>) -> Option<Vec<String>> {
    let collation = collation.and_then(collation_name)?;
    let charset = collation.split('_').next()?;
    reported.iter().map(|l| charset::decode(charset, l).ok().map(std::borrow::Cow::into_owned)).collect()
}

fn int_code(size: IntSize) -> u8 {
    match size {
        IntSize::Tiny => code::TINY,
        IntSize::Small => code::SHORT,
        IntSize::Medium => code::INT24,
        IntSize::Int => code::LONG,
        IntSize::Big => code::LONGLONG,
    }
}
