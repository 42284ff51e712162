//! Pages in fewer bytes: the texts of statements make up most of them, and resemble each other.
//!
//! A page whose first byte has the flag [`PACKED`], which no entry has, is a zstd frame
//! ([RFC 8878](https://www.rfc-editor.org/rfc/rfc8878)) after the number of bytes that it is unpacked.

use super::super::number::{put_number, take_number};
use std::borrow::Cow;
use std::fmt;
use zstd::bulk::{Compressor, decompress};

/// The first byte of a page that is packed.
const PACKED: u8 = 0x80;
/// Pages of fewer bytes are left as they are: they would get little smaller.
const SMALL: usize = 256;
/// The fastest of the common levels: of statements as programs send them, 32 KiB become 2 KiB.
const LEVEL: i32 = 1;
/// Bytes of a page that is packed. None has as many, since the texts of a transaction are bounded;
/// whoever unpacks one makes room for no more.
const MOST: usize = 64 << 20;
/// Bytes of memory that stay for the next page.
const KEPT: usize = 64 << 10;

/// Packs pages.
#[derive(Default)]
pub(super) struct Packer {
    /// Kept, since making it takes longer than packing a page.
    compressor: Option<Compressor<'static>>,
    out: Vec<u8>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    /// The page as it is stored: packed where that makes it smaller.
    pub(super) fn packed<'p>(&'p mut self, page: &'p [u8]) -> &'p [u8] {
        if (SMALL..=MOST).contains(&page.len()) { self.compressed(page).unwrap_or(page) } else { page }
    }

    /// `None`: it does not get smaller, or there is no memory for it.
    fn compressed(&mut self, page: &[u8]) -> Option<&[u8]> {
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(LEVEL).ok()?),
        };
        self.out.clear();
        self.out.shrink_to(KEPT);
        self.out.push(PACKED);
        put_number(&mut self.out, page.len() as u64);
        let head = self.out.len();
        self.out.resize(page.len(), 0);
        // Where there is no room in as many bytes, it has not become smaller.
        let length = compressor.compress_to_buffer(page, &mut self.out[head..]).ok()?;
        self.out.get(..head + length)
    }
}

/// A page as it was before it was packed. `None`: it is damaged.
pub(super) fn unpacked(page: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some((&PACKED, mut rest)) = page.split_first() else { return Some(Cow::Borrowed(page)) };
    let length = usize::try_from(take_number(&mut rest)?).ok().filter(|length| *length <= MOST)?;
    decompress(rest, length).ok().filter(|page| page.len() == length).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn statements_that_resemble_each_other_take_little() {
        let text = |n| format!("UPDATE stock SET s_quantity = {n} WHERE s_i_id = {}", n * 7919);
        let texts = (0..200).map(text).collect::<Vec<_>>().join(";");
        let mut packer = Packer::default();
        let packed = packer.packed(texts.as_bytes());
        assert!(packed.len() * 5 < texts.len(), "{} of {} bytes", packed.len(), texts.len());
        assert_eq!(unpacked(packed).as_deref(), Some(texts.as_bytes()));
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(pages in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..900), 1_usize..6), 1..5)) {
            let mut packer = Packer::default();
            for (mut page, times) in pages {
                // As entries begin.
                page[0] &= 7;
                let page = page.repeat(times);
                let packed = packer.packed(&page);
                prop_assert!(packed.len() <= page.len());
                let again = unpacked(packed);
                prop_assert_eq!(again.as_deref(), Some(page.as_slice()));
            }
        }

        #[test]
        fn damaged_ones_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..90), cut in 0_usize..60) {
            let _ = unpacked(&[&[PACKED][..], &bytes].concat());
            let mut packer = Packer::default();
            let packed = packer.packed(&[7; 300]).to_vec();
            prop_assert!(packed.len() < 60);
            if cut < packed.len() {
                prop_assert!(unpacked(&packed[..cut]).is_none_or(|page| page.len() != 300));
            }
        }
    }
}
