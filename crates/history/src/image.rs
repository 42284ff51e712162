//! A row as one block of bytes: what the store keeps of each version.
//!
//! A cell is its length plus one as a LEB128 number and its bytes; NULL is the number 0. A cell
//! that is not known is a number beyond every length.

mod delta;

use super::number::{put_number, take_number};
use dbtrail_types::result_set::Cell;
pub use delta::{changed, put_changes};
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

/// A cell of a row before a change, which the log does not hold. Longer than any cell can be, so
/// that a reader that does not know it finds the row cut.
const UNKNOWN: u64 = (1 << 35) - 1;
/// The same of a row after a change: another number, so that the two never pass for one cell that
/// stayed the same.
const NOW_UNKNOWN: u64 = UNKNOWN - 1;

/// What a packed row holds of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// NULL.
    Null,
    /// These bytes.
    Bytes(&'a [u8]),
    /// The record does not hold it.
    Unknown,
}

impl<'a> Content<'a> {
    /// Its bytes; `None`: NULL, or not known.
    #[must_use]
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Unknown => None,
        }
    }
}

/// One row, packed. Cheap to clone; versions that show the same row share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(Arc<[u8]>);

impl Image {
    /// Packs a row.
    #[must_use]
    pub fn pack(row: &[Cell]) -> Self {
        let mut bytes = Vec::with_capacity(row.iter().map(|c| 2 + c.as_ref().map_or(0, Vec::len)).sum());
        for cell in row {
            let packed: Result<_, Infallible> = put_cell(&mut bytes, |out| {
                out.extend_from_slice(cell.as_deref().unwrap_or_default());
                Ok(cell.is_some())
            });
            let Ok(_) = packed;
        }
        Self(bytes.into())
    }

    /// Packs a row of which cells may not be known (`Err`: why, which is not kept).
    #[must_use]
    pub fn pack_known<E>(row: &[Result<Cell, E>]) -> Self {
        let mut bytes = Vec::new();
        for cell in row {
            match cell {
                Ok(cell) => bytes.extend_from_slice(Self::pack(std::slice::from_ref(cell)).bytes()),
                Err(_) => put_unknown(&mut bytes, true),
            }
        }
        Self(bytes.into())
    }

    /// The packed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// An image from packed bytes, as [`Self::bytes`] gives them.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The cells, in order.
    #[must_use]
    pub fn cells(&self) -> Cells<'_> {
        Cells(&self.0)
    }
}

/// Appends a cell that is not known; `after`: of a row after a change.
pub fn put_unknown(out: &mut Vec<u8>, after: bool) {
    put_number(out, if after { NOW_UNKNOWN } else { UNKNOWN });
}

/// The bytes of a packed row without the cells at these positions, which rise.
#[must_use]
pub fn without(image: &[u8], positions: &[usize]) -> Vec<u8> {
    let mut out = Vec::with_capacity(image.len());
    let (mut rest, mut at, mut positions) = (image, 0, positions.iter().peekable());
    while let Some(cell) = take_packed(&mut rest) {
        if positions.next_if(|position| **position == at).is_none() {
            out.extend_from_slice(cell);
        }
        at += 1;
    }
    out
}

/// The cells of packed bytes, in order.
#[must_use]
pub fn cells(packed: &[u8]) -> Cells<'_> {
    Cells(packed)
}

/// A packed row with other bytes in some cells: positions and cells, by rising positions. `None`:
/// the row has not so many cells.
#[must_use]
pub fn with_cells(packed: &[u8], others: &[(usize, Content<'_>)]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(packed.len());
    let (mut rest, mut at) = (packed, 0);
    for (position, cell) in others {
        while at < *position {
            out.extend_from_slice(take_packed(&mut rest)?);
            at += 1;
        }
        take_packed(&mut rest)?;
        at += 1;
        if *cell == Content::Unknown {
            put_unknown(&mut out, true);
            continue;
        }
        let Ok(_) = put_cell::<Infallible>(&mut out, |bytes| {
            bytes.extend_from_slice(cell.bytes().unwrap_or_default());
            Ok(cell.bytes().is_some())
        });
    }
    out.extend_from_slice(rest);
    Some(out)
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Appends a cell whose bytes `write` appends, unless it says that it is NULL (false); gives where
/// its bytes are.
///
/// # Errors
/// Those of `write`; then what was appended is no image.
pub fn put_cell<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
) -> Result<Option<Range<usize>>, E> {
    let at = out.len();
    out.push(0);
    if !write(out)? {
        out.truncate(at + 1);
        return Ok(None);
    }
    let mut number = out.len() - at;
    // Most cells are short: their number has the one byte that is there.
    let mut more = 0;
    while number > 0x7f {
        out[at + more] = 0x80 | low_bits(number);
        number >>= 7;
        more += 1;
        out.insert(at + more, 0);
    }
    out[at + more] = low_bits(number);
    Ok(Some(at + more + 1..out.len()))
}

/// The next cell, as it is packed.
fn take_packed<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let all = *bytes;
    let length = match take_number(bytes)? {
        UNKNOWN | NOW_UNKNOWN => 0,
        number => usize::try_from(number.saturating_sub(1)).ok()?,
    };
    let (_, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    all.get(..all.len() - rest.len())
}

fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or(0x7f)
}

/// The cells of an [`Image`].
#[derive(Debug)]
pub struct Cells<'a>(&'a [u8]);

impl<'a> Iterator for Cells<'a> {
    type Item = Content<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = match take_number(&mut self.0)? {
            0 => return Some(Content::Null),
            UNKNOWN | NOW_UNKNOWN => return Some(Content::Unknown),
            number => usize::try_from(number - 1).ok()?,
        };
        let (cell, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Content::Bytes(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::result_set::Row;
    use proptest::prelude::*;

    fn unpacked(image: &Image) -> Row {
        image.cells().map(|c| c.bytes().map(<[u8]>::to_vec)).collect()
    }

    /// A cell that is not known stays so: it is none that stayed the same, and none that is NULL.
    #[test]
    fn what_is_not_known_is_neither_null_nor_unchanged() {
        let of = |after| {
            let mut bytes = Image::pack(&[Some(b"1".to_vec())]).bytes().to_vec();
            put_unknown(&mut bytes, after);
            bytes.extend_from_slice(Image::pack(&[None]).bytes());
            bytes
        };
        let rebuilt = of(true);
        let cells: Vec<Content<'_>> = Cells(&rebuilt).collect();
        assert_eq!(cells, [Content::Bytes(b"1"), Content::Unknown, Content::Null]);
        let known = Image::pack(&[Some(b"1".to_vec()), Some(b"old".to_vec()), None]);
        let mut changes = Vec::new();
        assert!(put_changes(&of(false), &of(true), &mut changes));
        let after = changed(known.bytes(), &changes).unwrap();
        assert_eq!(
            Cells(&after).nth(1),
            Some(Content::Unknown),
            "a value from before does not shine through"
        );
        assert_eq!(without(&of(true), &[1]), without(known.bytes(), &[1]));
        assert_eq!(without(&of(true), &[]), of(true));
        let row: [Result<Cell, ()>; 3] = [Ok(Some(b"1".to_vec())), Err(()), Ok(None)];
        assert_eq!(Image::pack_known(&row).bytes(), of(true));
    }

    #[test]
    fn what_is_packed_comes_back() {
        let long = vec![7; 100_000];
        let edge = vec![0; 126];
        for row in [
            vec![],
            vec![None, Some(vec![]), Some(b"x".to_vec())],
            vec![Some(long), None, Some(edge.clone()), Some([&edge[..], &[1, 2]].concat())],
        ] {
            assert_eq!(unpacked(&Image::pack(&row)), row);
        }
        assert_ne!(Image::pack(&[None]), Image::pack(&[Some(vec![])]), "NULL is not ''");
    }

    fn row() -> impl Strategy<Value = Row> {
        let cell = prop::option::weighted(0.8, prop::collection::vec(0_u8..3, 0..3));
        let long = prop::collection::vec(any::<u8>(), 120..300).prop_map(Some);
        prop::collection::vec(prop_oneof![9 => cell, 1 => long], 5)
    }

    proptest! {
        #[test]
        fn a_row_comes_back_from_its_changes(before in row(), after in row(), noise in prop::collection::vec(any::<u8>(), 0..40)) {
            let (old, new) = (Image::pack(&before), Image::pack(&after));
            let mut changes = Vec::new();
            prop_assert!(put_changes(old.bytes(), new.bytes(), &mut changes));
            let again = changed(old.bytes(), &changes);
            prop_assert_eq!(again.as_deref(), Some(new.bytes()));
            prop_assert_eq!(changes.is_empty(), before == after);
            let shorter = Image::pack(&after[1..]);
            prop_assert!(!put_changes(old.bytes(), shorter.bytes(), &mut changes));
            // Damaged bytes give something or nothing, and no panic.
            let _ = (changed(&noise, &changes), changed(old.bytes(), &noise));
        }
    }

    #[test]
    fn changes_are_small() {
        let row = |n: &str| Image::pack(&[Some(b"1".to_vec()), Some(vec![7; 500]), Some(n.into()), None]);
        let mut changes = Vec::new();
        assert!(put_changes(row("1").bytes(), row("2").bytes(), &mut changes));
        assert_eq!(changes, [2, 2, b'2']);
    }
}
