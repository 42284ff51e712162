//! Row images of the log to packed rows and the bytes of their keys.
//!
//! Knows definitions and values; knows nothing of what a key held before.

use crate::image;
use crate::key::{self, KeyError};
use crate::log::{Raw, Rows};
use crate::value::{self, ValueError};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::result_set::Row;
use std::ops::Range;
use std::sync::Arc;

/// A row of the server's table as the baseline keeps it: its key's bytes.
pub(crate) fn base_key(definition: &TableDefinition, row: &Row) -> Result<Box<[u8]>, RowError> {
    let mut key = Vec::new();
    let cell = |i: usize| row.get(i).and_then(|cell| cell.as_deref());
    stored_key(definition, &key_positions(definition), cell, &mut key)?;
    Ok(key.into())
}

/// How the keys of all rows begin that may have the key of this one, whose own is not known.
pub(crate) fn base_prefix(definition: &TableDefinition, row: &Row) -> Vec<u8> {
    let mut key = Vec::new();
    let cell = |i: usize| row.get(i).and_then(|cell| cell.as_deref());
    // What is not known of it is why this is asked.
    let _ = stored_key(definition, &key_positions(definition), cell, &mut key);
    key
}

/// Bytes that are kept for the next row, of what a large one needed.
const KEPT: usize = 1 << 20;

/// A row, packed, and the bytes of its key.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    pub(super) image: Vec<u8>,
    pub(super) key: Vec<u8>,
    /// Where the cells are in the image; `None`: NULL.
    cells: Vec<Option<Range<usize>>>,
    /// Why the key has no known position: `key` is how those begin that it may be equal to.
    pub(super) unplaced: Option<KeyError>,
}

/// The row before and the row after a change. Kept from change to change for its memory.
#[derive(Debug, Default)]
pub(super) struct Images {
    before: Keyed,
    after: Keyed,
}

impl Images {
    /// Reads the images of a row: before the change, and after it.
    pub(super) fn read(
        &mut self,
        rows: &Rows<'_>,
        columns: &Columns,
    ) -> Result<(Option<&Keyed>, Option<&Keyed>), RowError> {
        let (before, after) = (rows.before(), rows.after());
        if let Some(image) = after {
            self.after.read(image, columns, OtherColumns::Before(before))?;
        }
        if let Some(image) = before {
            let other = after.map(|image| (image, &self.after));
            self.before.read(image, columns, OtherColumns::Of(other))?;
        }
        Ok((before.map(|_| &self.before), after.map(|_| &self.after)))
    }
}

/// A definition, and what follows from it for each row.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) definition: Arc<TableDefinition>,
    /// Positions of the key's columns among the definition's.
    key: Vec<Option<usize>>,
    /// Which have text that is in UTF-8 already.
    plain: Vec<bool>,
    /// Positions of the generated ones.
    generated: Vec<usize>,
    /// Positions of those of which the log does not say how their values are shown, or whose text
    /// cannot be read.
    unlogged: Vec<usize>,
}

impl Columns {
    pub(super) fn new(definition: &Arc<TableDefinition>, generated: &[usize], unlogged: Vec<usize>) -> Self {
        Self {
            definition: Arc::clone(definition),
            key: key_positions(definition),
            plain: definition.columns.iter().map(value::is_plain).collect(),
            generated: generated.to_vec(),
            unlogged,
        }
    }

    /// The name of a column.
    pub(super) fn name(&self, at: usize) -> Option<&str> {
        self.definition.columns.get(at).map(|c| c.name.as_str())
    }

    /// Whether the table has a primary key.
    pub(super) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }
}

/// The cells of an image of the log; `None` in a cell's place: the image does not hold this column.
type Image<'a> = &'a [Option<Raw<'a>>];

/// What helps to read an image.
#[derive(Clone, Copy)]
enum OtherColumns<'a> {
    /// Of a row after a change: the row before it. A column that only that one has did not change
    /// (FULL_NODUP).
    Before(Option<Image<'a>>),
    /// Of a row before a change: the image after it, and what was read of it. Most cells of the two
    /// are the same.
    Of(Option<(Image<'a>, &'a Keyed)>),
}

/// Why a row cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowError {
    #[error("a row in the log has no cell for column {0}")]
    NoCell(String),
    #[error(
        "rows are logged without all of their columns ({0} is missing): set binlog_row_image=FULL on the server"
    )]
    NotFull(String),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("key column {0} is NULL in a row of the log")]
    KeyIsNull(String),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl RowError {
    /// Whether the row is read, and only its key has no known position: rows of the table cannot be
    /// found by key. Otherwise the table cannot be read from this row on.
    pub(super) fn is_unknown_key(&self) -> bool {
        match self {
            Self::Key(error) => error.is_valid_value(),
            Self::NoCell(_) | Self::NotFull(_) | Self::Value(_) | Self::KeyIsNull(_) => false,
        }
    }
}

impl Keyed {
    /// Reads an image of the log, and encodes its key.
    fn read(
        &mut self,
        image: &[Option<Raw<'_>>],
        columns: &Columns,
        other_columns: OtherColumns<'_>,
    ) -> Result<(), RowError> {
        let Columns { definition, key: positions, plain, generated, unlogged } = columns;
        let (before_row, other, is_after) = match other_columns {
            OtherColumns::Before(before) => (before, None, true),
            OtherColumns::Of(other) => (None, other, false),
        };
        self.image.clear();
        self.image.shrink_to(KEPT);
        self.cells.clear();
        for (i, column) in definition.columns.iter().enumerate() {
            let raw = image.get(i).ok_or_else(|| RowError::NoCell(column.name.clone()))?;
            let raw = raw.as_ref().or_else(|| before_row?.get(i)?.as_ref());
            let Some(raw) = raw.filter(|_| !unlogged.contains(&i)) else {
                if generated.contains(&i) || unlogged.contains(&i) {
                    image::put_unknown(&mut self.image, is_after);
                    self.cells.push(None);
                    continue;
                }
                return Err(RowError::NotFull(column.name.clone()));
            };
            let same = other.and_then(|(image, keyed)| keyed.same_cell(raw, image.get(i)?.as_ref()?, i));
            let cell = image::put_cell(&mut self.image, |out| match (raw, same) {
                (_, Some(cell)) => {
                    out.extend_from_slice(cell);
                    Ok(true)
                }
                (Raw::Bytes(bytes), None) if plain.get(i) == Some(&true) && str::from_utf8(bytes).is_ok() => {
                    out.extend_from_slice(bytes);
                    Ok(true)
                }
                _ => value::write(raw, column, out),
            });
            self.cells.push(cell?);
        }
        self.key.clear();
        let (cells, bytes) = (&self.cells, &self.image);
        let cell = |i: usize| cells.get(i)?.clone().and_then(|at| bytes.get(at));
        self.unplaced = None;
        match stored_key(definition, positions, cell, &mut self.key) {
            Err(RowError::Key(why @ KeyError::UnknownWeight { .. })) => self.unplaced = Some(why),
            kept => kept?,
        }
        Ok(())
    }

    /// A row that is packed already.
    pub(super) fn of(row: &[u8], columns: &Columns) -> Result<Self, RowError> {
        let cells: Vec<_> = image::cells(row).collect();
        let mut key = Vec::new();
        stored_key(&columns.definition, &columns.key, |i| cells.get(i)?.bytes(), &mut key)?;
        Ok(Self { image: row.to_vec(), key, cells: Vec::new(), unplaced: None })
    }

    /// The text of a value, where it is one that was read here. Of floating point numbers, two that
    /// are equal may have different texts.
    fn same_cell(&self, value: &Raw<'_>, read: &Raw<'_>, i: usize) -> Option<&[u8]> {
        if matches!(value, Raw::Float(_) | Raw::Double(_)) || value != read {
            return None;
        }
        self.image.get(self.cells.get(i)?.clone()?)
    }
}

/// Where the columns of the key are among all columns.
fn key_positions(definition: &TableDefinition) -> Vec<Option<usize>> {
    definition.primary_key.iter().map(|name| definition.position(name)).collect()
}

/// Appends the key of a row whose cells are known by their place among the columns (`None`: NULL).
fn stored_key<'a>(
    definition: &TableDefinition,
    positions: &[Option<usize>],
    cell: impl Fn(usize) -> Option<&'a [u8]>,
    key: &mut Vec<u8>,
) -> Result<(), RowError> {
    for (position, name) in positions.iter().zip(&definition.primary_key) {
        let Some((column, cell)) = position.and_then(|i| Some((definition.columns.get(i)?, cell(i)?))) else {
            return Err(RowError::KeyIsNull(name.clone()));
        };
        key::encode_stored(column, cell, key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        let text = r#"{"columns": [{"name": "id", "type": "int", "nullable": false, "key": "primary"}, {"name": "d", "type": "double", "nullable": true},
            {"name": "v", "type": "varchar(9)", "collation": "latin1_bin", "nullable": true}], "primary_key": ["id"]}"#;
        Columns::new(&Arc::new(serde_json::from_str(text).unwrap()), &[], Vec::new())
    }

    fn image(id: i64, d: f64, v: &[u8]) -> Vec<Option<Raw<'_>>> {
        vec![Some(Raw::Int(id)), Some(Raw::Double(d)), Some(Raw::Bytes(v))]
    }

    /// An image is the same whether cells are taken from another one or not.
    #[test]
    fn cells_of_another_image_are_taken_only_where_they_are_the_same() {
        let columns = columns();
        let rows = [
            image(1, 0.0, b"a"),
            image(1, -0.0, b"a"),
            image(-1, f64::NAN, b"\xe4"),
            image(1, 1.5, b""),
            vec![Some(Raw::Int(1)), Some(Raw::Null), Some(Raw::Null)],
        ];
        for one in &rows {
            for other in &rows {
                let [mut alone, mut first, mut second] = [(); 3].map(|()| Keyed::default());
                let nothing = || OtherColumns::Of(None);
                assert!(alone.read(one, &columns, nothing()).is_ok());
                assert!(first.read(other, &columns, nothing()).is_ok());
                assert!(second.read(one, &columns, OtherColumns::Of(Some((other, &first)))).is_ok());
                assert_eq!(
                    (&second.image, &second.key),
                    (&alone.image, &alone.key),
                    "{one:?} after {other:?}"
                );
            }
        }
    }

    /// Bytes of latin1 that are UTF-8 too, of another text.
    #[test]
    fn text_is_read_in_its_character_set() {
        let mut keyed = Keyed::default();
        assert!(keyed.read(&image(1, 0.0, b"\xc3\xa4"), &columns(), OtherColumns::Of(None)).is_ok());
        let cell = keyed.cells[2].clone().unwrap();
        assert_eq!(std::str::from_utf8(&keyed.image[cell]), Ok("\u{c3}\u{a4}"));
    }
}
