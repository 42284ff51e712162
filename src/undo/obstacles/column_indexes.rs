//! Where columns are, and what rows have in them.

use super::super::changed::Changed;
use dbtrail_types::agent_api::{NetHeader, Octets, Reference, RowCell, RowLine};
use dbtrail_types::index_form::index_form;

/// The columns of a table.
#[derive(Clone, Copy)]
pub(super) struct ColumnIndexes<'a>(&'a NetHeader);

impl<'a> ColumnIndexes<'a> {
    pub(super) fn of(header: &'a NetHeader) -> Self {
        Self(header)
    }

    /// Of these columns; `None`: one is none of the table's, or there is none.
    pub(super) fn all(self, columns: &[String]) -> Option<Vec<usize>> {
        let positions: Option<Vec<usize>> =
            columns.iter().map(|column| self.0.definition.position(column)).collect();
        positions.filter(|positions| !positions.is_empty())
    }
}

/// What a row has in some columns, as an index compares it; `None`: one is NULL, which is equal to
/// nothing, or not known.
pub(super) fn form(header: &NetHeader, row: &RowLine, positions: &[usize]) -> Option<Vec<Vec<u8>>> {
    let cell = |at: &usize| match row.get(*at)? {
        RowCell::Value(Octets(bytes)) => Some(index_form(header.definition.columns.get(*at)?, bytes)),
        RowCell::Null | RowCell::Unknown(_) => None,
    };
    positions.iter().map(cell).collect()
}

/// The foreign keys of which both tables may be named.
pub(in super::super) fn references<'a>(table: &Changed<'a>) -> impl Iterator<Item = &'a Reference> + use<'a> {
    let all = table.header.references.iter().flatten();
    all.filter(|r| !r.columns.is_empty() && r.columns.len() == r.referenced.len())
}

/// The values of some columns as they are; `None`: one is NULL or not known, or there is no row.
pub(super) fn raw(row: Option<&RowLine>, positions: &[usize]) -> Option<Vec<Vec<u8>>> {
    let cell = |at: &usize| match row?.get(*at)? {
        RowCell::Value(Octets(bytes)) => Some(bytes.clone()),
        RowCell::Null | RowCell::Unknown(_) => None,
    };
    positions.iter().map(cell).collect()
}
