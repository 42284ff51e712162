//! Both rows of a change, that it can be read by itself: the one after it as a whole, and after
//! that the one before it, mostly as what differs.

use crate::image::{self, Image};
use crate::number::{put_number, take_number};

/// How the row before is written: as a whole, or as the cells in which it differs from the row
/// after.
const FULL_ROW: u8 = 0;
const DIFFERENCE: u8 = 1;

/// The row after a change, and then the row before it.
pub(super) fn put_both(before: &[u8], after: &[u8], out: &mut Vec<u8>) {
    put_number(out, after.len() as u64);
    out.extend_from_slice(after);
    out.push(DIFFERENCE);
    let start = out.len();
    if !image::put_changes(after, before, out) || out.len() - start > before.len() {
        out.truncate(start - 1);
        out.push(FULL_ROW);
        out.extend_from_slice(before);
    }
}

/// The row before a change and the row after it, as `put_both` writes them.
pub(super) fn read_both(mut bytes: &[u8]) -> Option<(Image, Image)> {
    let length = usize::try_from(take_number(&mut bytes)?).ok()?;
    let (after, rest) = bytes.split_at_checked(length)?;
    let before = match rest.split_first()? {
        (&FULL_ROW, before) => Image::of_bytes(before),
        (&DIFFERENCE, changes) => Image::of_bytes(&image::changed(after, changes)?),
        _ => return None,
    };
    Some((before, Image::of_bytes(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(cells: &[&str]) -> Image {
        Image::pack(&cells.iter().map(|cell| Some(cell.as_bytes().to_vec())).collect::<Vec<_>>())
    }

    #[test]
    fn both_rows_come_back() {
        let long = "x".repeat(300);
        for (before, after, most) in [
            (image(&["1", &long, "new"]), image(&["1", &long, "paid"]), 320),
            (image(&["1", "a"]), image(&["2", "b"]), 20),
            (image(&["1"]), image(&["1", "a column more"]), 40),
            (image(&["1", "same"]), image(&["1", "same"]), 20),
        ] {
            let mut out = Vec::new();
            put_both(before.bytes(), after.bytes(), &mut out);
            assert!(out.len() < most, "{} bytes", out.len());
            assert_eq!(read_both(&out), Some((before, after)));
            for cut in 0..out.len() {
                // No panic; what is cut may be another row.
                let _ = read_both(&out[..cut]);
            }
        }
        for damaged in [&[][..], &[3], &[0, 2], &[0x80]] {
            assert_eq!(read_both(damaged), None, "{damaged:?}");
        }
    }
}
