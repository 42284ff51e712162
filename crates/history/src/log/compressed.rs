//! Values of MariaDB's COMPRESSED columns (Knowledge Base: ["Storage-Engine Independent Column
//! Compression"](https://mariadb.com/kb/en/storage-engine-independent-column-compression/); the
//! bytes are those of 11.8).

use super::bytes::Bytes;
use super::{LogFault, Raw};
use flate2::read::{DeflateDecoder, ZlibDecoder};
use std::io::Read;

/// What is inflated at most: no packet can hold a longer value.
const LARGEST: u64 = 1 << 30;
/// The method of compression: the upper half of the first byte.
const ZLIB: u8 = 8;
/// The data have no header and no checksum of zlib around them.
const BARE: u8 = 8;

/// A value as its column holds it: a byte that says how it is kept, the length of the value where
/// it is compressed (big-endian), the data. Nothing at all is ''.
pub(super) fn value(stored: &[u8]) -> Result<Raw<'_>, LogFault> {
    let mut input = Bytes(stored);
    if input.is_empty() {
        return Ok(Raw::Bytes(stored));
    }
    let head = input.u8()?;
    if head == 0 {
        return Ok(Raw::Bytes(input.0));
    }
    if head >> 4 != ZLIB {
        return Err(LogFault::ValueCompression);
    }
    let length = input.uint_be(usize::from(head & 7))?;
    if length > LARGEST {
        return Err(LogFault::ValueTooLarge(length));
    }
    let mut out = Vec::new();
    let read = if head & BARE == 0 {
        ZlibDecoder::new(input.0).take(length + 1).read_to_end(&mut out)
    } else {
        DeflateDecoder::new(input.0).take(length + 1).read_to_end(&mut out)
    };
    read.map_err(|e| LogFault::InflateValue(e.to_string()))?;
    if out.len() as u64 != length {
        return Err(LogFault::InflatedValueLength);
    }
    Ok(Raw::Inflated(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored bytes are those that MariaDB 11.8.9 logged for these values.
    #[test]
    fn values_as_mariadb_writes_them() {
        let long = b"\x8a\x01\x2c\x4b\x3c\xbc\x32\x71\x14\x11\x87\x00";
        let three = b"\x8a\x02\x58\xab\xa8\xac\xaa\x18\x45\xa3\x88\xda\x08\x00";
        assert_eq!(value(long), Ok(Raw::Inflated("aé".repeat(100).into_bytes())));
        assert_eq!(value(three), Ok(Raw::Inflated("xyz".repeat(200).into_bytes())));
        assert_eq!(value(b"\x89\x96\x2b\x2c\x1c\x8c\x00\x00"), Ok(Raw::Inflated(vec![b'q'; 150])));
        assert_eq!(value(b"\0short"), Ok(Raw::Bytes(b"short")));
        assert_eq!(value(b""), Ok(Raw::Bytes(b"")));
    }

    #[test]
    fn damaged_values_are_refused() {
        for stored in [&b"\x10a"[..], b"\x8a\x01", b"\x8a\x01\x2d\x4b\x3c", b"\x8f", b"\x89\x01\xff\xff"] {
            assert!(value(stored).is_err(), "{stored:?}");
        }
    }
}
