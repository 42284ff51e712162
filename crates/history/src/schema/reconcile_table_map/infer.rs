//! A definition from a table map alone, where no statement gave one.

use super::super::generated;
use super::super::implicit_default::longest_character;
use super::super::table::{BackfilledValue, Full, FullColumn};
use super::super::table_map_error::{NotInferred, TableMapError};
use super::{HASH, labels_of, varchar_bytes};
use crate::log::{MappedColumn, MappedTable, char_bytes, code, collation_name};
use dbtrail_types::column::{Column, ColumnType, IntSize, LobSize};

/// Whether a table map of MariaDB does not tell a type: UUID and INET6 are written as BINARY(16)
/// is, and INET4 as BINARY(4).
fn has_no_type(table: &MappedTable, mapped: &MappedColumn) -> bool {
    let binary = mapped.collation.and_then(collation_name).is_none_or(|c| c == "binary");
    table.server.mariadb
        && mapped.type_code == code::STRING
        && binary
        && matches!(char_bytes(&mapped.meta), 4 | 16)
}

/// A definition from a map alone. What a map cannot tell is refused: ZEROFILL of unsigned numbers
/// changes their text.
pub(super) fn infer(table: &MappedTable) -> Result<Full, TableMapError> {
    let mut full = Full { inferred: true, ..Full::default() };
    let is_hash = |mapped: &MappedColumn| {
        table.server.mariadb
            && mapped.type_code == code::LONGLONG
            && mapped.name.as_deref().is_some_and(|n| n.starts_with(HASH))
    };
    let own = table.columns.iter().rposition(|mapped| !is_hash(mapped)).map_or(0, |last| last + 1);
    for mapped in table.columns.iter().take(own) {
        let name = mapped.name.clone().ok_or_else(|| TableMapError::NoNames(table.name.clone()))?;
        let ty = inferred_type(mapped).map_err(|why| TableMapError::NoType {
            table: table.name.clone(),
            column: name.clone(),
            why,
        })?;
        let is_bytes = ty.is_bytes();
        let collation = mapped.collation.and_then(collation_name).filter(|c| !is_bytes && c != "binary");
        full.columns.push(FullColumn {
            column: Column {
                has_default: mapped.nullable,
                ..Column::new(name, ty, collation, mapped.nullable)
            },
            visible: mapped.visible.unwrap_or(true),
            collation_known: true,
            nullability_known: true,
            filled: BackfilledValue::Unknown("the column is known from a table map".to_owned()),
            generated: has_no_type(table, mapped).then(|| generated::NO_TYPE.to_owned()),
        });
    }
    let key = table.primary_key.as_ref().ok_or_else(|| TableMapError::NoPrimaryKey(table.name.clone()))?;
    full.primary_key =
        key.iter().filter_map(|i| full.columns.get(*i).map(|c| c.column.name.clone())).collect();
    let keyed = |c: &&FullColumn| c.generated.is_some() && full.primary_key.contains(&c.column.name);
    if let Some(unlogged) = full.columns.iter().find(keyed) {
        return Err(TableMapError::KeyType {
            table: table.name.clone(),
            column: unlogged.column.name.clone(),
        });
    }
    Ok(full)
}

fn inferred_type(mapped: &MappedColumn) -> Result<ColumnType, NotInferred> {
    let meta = |i: usize| mapped.meta.get(i).copied().unwrap_or(0);
    let text = mapped.collation.and_then(collation_name).is_some_and(|c| c != "binary");
    let width = || {
        let charset = mapped.collation.and_then(collation_name);
        let charset = charset.as_deref().and_then(|c| c.split('_').next());
        charset.and_then(longest_character).ok_or(NotInferred::Charset)
    };
    let signed = || match mapped.unsigned {
        Some(false) => Ok(false),
        _ => Err(NotInferred::Zerofill),
    };
    let int = |size| {
        signed().map(|unsigned| ColumnType::Int { size, unsigned, zerofill: false, display_width: None })
    };
    let labels =
        || mapped.labels.as_ref().and_then(|l| labels_of(l, mapped.collation)).ok_or(NotInferred::Labels);
    match mapped.type_code {
        code::TINY => int(IntSize::Tiny),
        code::SHORT => int(IntSize::Small),
        code::INT24 => int(IntSize::Medium),
        code::LONG => int(IntSize::Int),
        code::LONGLONG => int(IntSize::Big),
        code::NEWDECIMAL => signed().map(|unsigned| ColumnType::Decimal {
            precision: meta(0),
            scale: meta(1),
            unsigned,
            zerofill: false,
        }),
        code::BIT => Ok(ColumnType::Bit { bits: meta(1).saturating_mul(8).saturating_add(meta(0)) }),
        code::YEAR => Ok(ColumnType::Year),
        code::DATE | code::NEWDATE => Ok(ColumnType::Date),
        code::TIME2 => Ok(ColumnType::Time { fsp: meta(0) }),
        code::DATETIME2 => Ok(ColumnType::DateTime { fsp: meta(0) }),
        code::TIMESTAMP2 => Ok(ColumnType::Timestamp { fsp: meta(0) }),
        code::JSON => Ok(ColumnType::Json),
        code::ENUM => labels().map(|labels| ColumnType::Enum { labels }),
        code::SET => labels().map(|labels| ColumnType::Set { labels }),
        code::VARCHAR | code::MARIADB_VARCHAR_COMPRESSED => {
            let head = usize::from(mapped.type_code == code::MARIADB_VARCHAR_COMPRESSED);
            let bytes = varchar_bytes(mapped).saturating_sub(head);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            if text {
                width().map(|width| ColumnType::VarChar { chars: bytes / width })
            } else {
                Ok(ColumnType::VarBinary { bytes })
            }
        }
        code::STRING => {
            let bytes = u32::try_from(char_bytes(&mapped.meta)).unwrap_or(u32::MAX);
            if text {
                width().map(|width| ColumnType::Char { chars: bytes / width })
            } else {
                Ok(ColumnType::Binary { bytes })
            }
        }
        code::BLOB | code::MARIADB_BLOB_COMPRESSED => {
            let size = match meta(0) {
                1 => LobSize::Tiny,
                2 => LobSize::Normal,
                3 => LobSize::Medium,
                _ => LobSize::Long,
            };
            Ok(if text { ColumnType::Text { size } } else { ColumnType::Blob { size } })
        }
        other => Err(NotInferred::Code(other)),
    }
}
