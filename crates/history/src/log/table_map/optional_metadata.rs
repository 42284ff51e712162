//! The optional metadata of a table map, which `binlog_row_metadata` decides on.

use super::super::bytes::{Bytes, text};
use super::super::{LogFault, MappedColumn, MappedTable, collations, type_code as code};
use super::{is_enum, is_number, is_text_or_geometry, is_text_or_vector};

/// The optional metadata: type, length, value, until the end.
pub(super) fn optional(input: &mut Bytes<'_>, table: &mut MappedTable) -> Result<(), LogFault> {
    while !input.is_empty() {
        let kind = input.u8()?;
        let mut field = Bytes(input.lenenc_bytes()?);
        match kind {
            1 => signedness(&field, table),
            2 if table.server.mariadb => default_charset(&mut field, table, is_text_or_geometry)?,
            2 => default_charset(&mut field, table, is_text_or_vector)?,
            3 if table.server.mariadb => column_charsets(&mut field, table, is_text_or_geometry)?,
            3 => column_charsets(&mut field, table, is_text_or_vector)?,
            4 => names(&mut field, table)?,
            5 => labels(&mut field, table, code::SET)?,
            6 => labels(&mut field, table, code::ENUM)?,
            7 => geometry(&mut field, table)?,
            8 => table.primary_key = Some(key(&mut field, false, table.columns.len())?),
            9 => table.primary_key = Some(key(&mut field, true, table.columns.len())?),
            10 => default_charset(&mut field, table, is_enum)?,
            11 => column_charsets(&mut field, table, is_enum)?,
            12 => visibility(&field, table),
            // A field of a newer server; its length says where the next one begins.
            _ => {}
        }
    }
    Ok(())
}

/// Bits from the highest of the first byte on, one for each number.
fn signedness(field: &Bytes<'_>, table: &mut MappedTable) {
    for (i, column) in table.columns.iter_mut().filter(|c| is_number(c.type_code)).enumerate() {
        column.unsigned = field.0.get(i / 8).map(|b| b >> (7 - i % 8) & 1 == 1);
    }
}

fn visibility(field: &Bytes<'_>, table: &mut MappedTable) {
    for (i, column) in table.columns.iter_mut().enumerate() {
        column.visible = field.0.get(i / 8).map(|b| b >> (7 - i % 8) & 1 == 1);
    }
}

fn collation_id(field: &mut Bytes<'_>, mariadb: bool) -> Result<u16, LogFault> {
    let id = u16::try_from(field.lenenc()?).map_err(|_| LogFault::CollationId)?;
    Ok(collations::of_server(id, mariadb))
}

/// One collation for all, and pairs (which of these columns, collation) for the others.
fn default_charset(
    field: &mut Bytes<'_>,
    table: &mut MappedTable,
    of: fn(u8) -> bool,
) -> Result<(), LogFault> {
    let mariadb = table.server.mariadb;
    let all = collation_id(field, mariadb)?;
    let mut columns: Vec<&mut MappedColumn> = table.columns.iter_mut().filter(|c| of(c.type_code)).collect();
    for column in &mut columns {
        column.collation = Some(all);
    }
    while !field.is_empty() {
        let which = field.lenenc_size()?;
        let collation = collation_id(field, mariadb)?;
        let column = columns.get_mut(which).ok_or(LogFault::CollationWithoutColumn)?;
        column.collation = Some(collation);
    }
    Ok(())
}

fn column_charsets(
    field: &mut Bytes<'_>,
    table: &mut MappedTable,
    of: fn(u8) -> bool,
) -> Result<(), LogFault> {
    let mariadb = table.server.mariadb;
    for column in table.columns.iter_mut().filter(|c| of(c.type_code)) {
        column.collation = Some(collation_id(field, mariadb)?);
    }
    Ok(())
}

fn names(field: &mut Bytes<'_>, table: &mut MappedTable) -> Result<(), LogFault> {
    for column in &mut table.columns {
        column.name = Some(text(field.lenenc_bytes()?)?);
    }
    Ok(())
}

fn labels(field: &mut Bytes<'_>, table: &mut MappedTable, kind: u8) -> Result<(), LogFault> {
    for column in table.columns.iter_mut().filter(|c| c.type_code == kind) {
        let count = field.lenenc_size()?;
        let labels: Result<Vec<Vec<u8>>, LogFault> =
            (0..count).map(|_| field.lenenc_bytes().map(<[u8]>::to_vec)).collect();
        column.labels = Some(labels?);
    }
    Ok(())
}

fn geometry(field: &mut Bytes<'_>, table: &mut MappedTable) -> Result<(), LogFault> {
    for column in table.columns.iter_mut().filter(|c| c.type_code == code::GEOMETRY) {
        column.geometry = Some(field.u8()?);
    }
    Ok(())
}

/// Positions of the key columns; `prefixed`: each with the length of its prefix (0: the whole
/// column).
fn key(field: &mut Bytes<'_>, prefixed: bool, columns: usize) -> Result<Vec<usize>, LogFault> {
    let mut key = Vec::new();
    while !field.is_empty() {
        let position = field.lenenc_size()?;
        if position >= columns {
            return Err(LogFault::KeyWithoutColumn);
        }
        if prefixed {
            field.lenenc()?;
        }
        key.push(position);
    }
    Ok(key)
}
