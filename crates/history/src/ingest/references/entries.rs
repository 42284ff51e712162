//! The entries of a row, as bytes.

use super::{ORDERED, Referring, UNORDERED, stem};
use crate::image::Content;
use crate::schema::ForeignKey;
use crate::store::GenerationId;
use crate::{image, key};
use dbtrail_types::column::TableDefinition;

/// The entries of a row.
pub(super) fn entries(
    (generation, key): (GenerationId, &[u8]),
    (referring, definition): (&Referring, &TableDefinition),
    row: &[u8],
) -> Vec<Vec<u8>> {
    let cells: Vec<Content<'_>> = image::cells(row).collect();
    let of = |(fk, positions): &(ForeignKey, Option<Vec<usize>>)| {
        let unordered = || Some([stem(generation, fk.number, UNORDERED).as_slice(), key].concat());
        let Some(positions) = positions else { return unordered() };
        match encoded(definition, positions, &cells) {
            Encoded::Null => None,
            Encoded::Values(values) => {
                Some([stem(generation, fk.number, ORDERED).as_slice(), &values, key].concat())
            }
            Encoded::Ambiguous => unordered(),
        }
    };
    referring.keys.iter().filter_map(of).collect()
}

/// Values of a foreign key as bytes that are equal where the server finds the values equal.
pub(in crate::ingest) enum Encoded {
    /// One of them is NULL: nothing refers, and nothing is referred to.
    Null,
    Values(Vec<u8>),
    /// They do not compare with certainty.
    Ambiguous,
}

pub(in crate::ingest) fn encoded(
    definition: &TableDefinition,
    positions: &[usize],
    cells: &[Content<'_>],
) -> Encoded {
    let mut values = Vec::new();
    let mut ordered = true;
    for position in positions {
        let (Some(column), Some(cell)) = (definition.columns.get(*position), cells.get(*position)) else {
            return Encoded::Ambiguous;
        };
        match cell {
            Content::Null => return Encoded::Null,
            Content::Bytes(cell) => ordered &= key::encode_stored(column, cell, &mut values).is_ok(),
            Content::Unknown => ordered = false,
        }
    }
    if ordered { Encoded::Values(values) } else { Encoded::Ambiguous }
}
