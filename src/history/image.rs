//! A row as one block of bytes: what the store keeps of each version.
//!
//! A cell is its length plus one as a LEB128 number and its bytes; NULL is the number 0.

use crate::reply::{Cell, Row};
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

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

    /// The packed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Of packed bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The cells, in order.
    #[must_use]
    pub fn cells(&self) -> Cells<'_> {
        Cells(&self.0)
    }

    /// The row again.
    #[must_use]
    pub fn unpack(&self) -> Row {
        self.cells().map(|c| c.map(<[u8]>::to_vec)).collect()
    }
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Appends a cell whose bytes `write` appends, unless it says that it is NULL (false); gives where its bytes stand.
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

fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or(0x7f)
}

/// The cells of an [`Image`].
#[derive(Debug)]
pub struct Cells<'a>(&'a [u8]);

impl<'a> Iterator for Cells<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut number, mut shift) = (0_usize, 0);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let Some(length) = number.checked_sub(1) else { return Some(None) };
        let (cell, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let long = vec![7; 100_000];
        let edge = vec![0; 126];
        for row in [
            vec![],
            vec![None, Some(vec![]), Some(b"x".to_vec())],
            vec![Some(long), None, Some(edge.clone()), Some([&edge[..], &[1, 2]].concat())],
        ] {
            assert_eq!(Image::pack(&row).unpack(), row);
        }
        assert_ne!(Image::pack(&[None]), Image::pack(&[Some(vec![])]), "NULL is not ''");
    }
}
