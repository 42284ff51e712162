//! Cells of a row that a statement needs.

use super::literal::Unwritable;
use dbtrail_types::agent_api::{Octets, RowCell, RowLine};
use dbtrail_types::column::Column;

pub(super) fn known<'r>(
    row: &'r RowLine,
    at: usize,
    column: &Column,
) -> Result<Option<&'r [u8]>, Unwritable> {
    match row.get(at) {
        Some(RowCell::Null) => Ok(None),
        Some(RowCell::Value(Octets(bytes))) => Ok(Some(bytes)),
        Some(RowCell::Unknown(why)) => {
            Err(Unwritable(format!("what column {} held is not known ({why})", column.name)))
        }
        None => Err(Unwritable(format!("the row has no column {}", column.name))),
    }
}

pub(super) fn of(column: &Column, why: &Unwritable) -> Unwritable {
    Unwritable(format!("column {} cannot be written exactly: {why}", column.name))
}
