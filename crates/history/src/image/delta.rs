//! The cells in which a row differs from the one before it, packed.

use super::super::number::{put_number, take_number};
use super::take_packed;

/// Appends the cells in which a row differs from another of as many cells: before each, how many
/// are passed over since the one before. False: the rows have not as many cells, and nothing was
/// appended.
pub fn put_changes(before: &[u8], after: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let (mut old, mut new) = (before, after);
    let mut same = 0;
    loop {
        match (take_packed(&mut old), take_packed(&mut new)) {
            (None, None) => return true,
            (Some(old), Some(new)) if old == new => same += 1,
            (Some(_), Some(new)) => {
                put_number(out, same);
                out.extend_from_slice(new);
                same = 0;
            }
            (Some(_), None) | (None, Some(_)) => {
                out.truncate(start);
                return false;
            }
        }
    }
}

/// A row with such changes; `None`: they are not of this row.
#[must_use]
pub fn changed(before: &[u8], mut changes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(before.len() + changes.len());
    let mut old = before;
    while !changes.is_empty() {
        for _ in 0..take_number(&mut changes)? {
            out.extend_from_slice(take_packed(&mut old)?);
        }
        take_packed(&mut old)?;
        out.extend_from_slice(take_packed(&mut changes)?);
    }
    out.extend_from_slice(old);
    Some(out)
}
