//! Where columns are, and what rows have in them.

use dbtrail_types::agent_api::{NetHeader, Octets, RowCell, RowLine};
use dbtrail_types::index_form::index_form;

/// The columns of a table.
#[derive(Clone, Copy)]
pub(super) struct Places<'a>(&'a NetHeader);

impl<'a> Places<'a> {
    pub(super) fn of(header: &'a NetHeader) -> Self {
        Self(header)
    }

    /// Of these columns; `None`: one is none of the table's, or there is none.
    pub(super) fn all(self, columns: &[String]) -> Option<Vec<usize>> {
        let places: Option<Vec<usize>> =
            columns.iter().map(|column| self.0.definition.position(column)).collect();
        places.filter(|places| !places.is_empty())
    }
}

/// What a row has in some columns, as an index compares it; `None`: one is NULL, which is equal to
/// nothing, or not known.
pub(super) fn form(header: &NetHeader, row: &RowLine, places: &[usize]) -> Option<Vec<Vec<u8>>> {
    let cell = |at: &usize| match row.get(*at)? {
        RowCell::Value(Octets(bytes)) => Some(index_form(header.definition.columns.get(*at)?, bytes)),
        RowCell::Null | RowCell::Unknown(_) => None,
    };
    places.iter().map(cell).collect()
}
