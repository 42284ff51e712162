//! Checked reading of packets, and the few forms in which packets are written
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html)).

use crate::constants::NULL_CELL;

/// What came is no packet of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    fn short() -> Self {
        Self("a packet is shorter than its own lengths say".to_owned())
    }
}

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub struct PayloadReader<'a>(pub &'a [u8]);

impl<'a> PayloadReader<'a> {
    /// The next `count` bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(count).ok_or_else(Malformed::short)?;
        self.0 = tail;
        Ok(head)
    }

    /// A little-endian integer of 1 to 8 bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn uint(&mut self, bytes: usize) -> Result<u64, Malformed> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |value, b| value << 8 | u64::from(*b)))
    }

    /// One byte.
    ///
    /// # Errors
    /// There is none.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    /// An integer of two bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        let b = self.take(2)?;
        Ok(u16::from_le_bytes([b[0], b[1]]))
    }

    /// An integer of four bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        let b = self.take(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Text up to a zero byte; at the end of a packet the zero may be missing.
    pub fn until_zero(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|b| *b == 0);
        let text = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = end.map_or(&[], |e| &self.0[e + 1..]);
        text
    }

    /// A length-encoded integer.
    ///
    /// # Errors
    /// It is cut short, or begins with a byte that begins none.
    #[inline]
    pub fn lenenc(&mut self) -> Result<u64, Malformed> {
        match self.u8()? {
            small @ 0..=250 => Ok(u64::from(small)),
            252 => self.uint(2),
            253 => self.uint(3),
            254 => self.uint(8),
            251 | 255 => Err(Malformed("a length-encoded integer that begins with 0xfb or 0xff".to_owned())),
        }
    }

    /// Length-encoded bytes.
    ///
    /// # Errors
    /// They are cut short.
    #[inline]
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.lenenc()?;
        self.take(usize::try_from(length).map_err(|_| Malformed::short())?)
    }

    /// A cell of a row in the text protocol; `None`: NULL.
    ///
    /// # Errors
    /// It is cut short.
    pub fn cell(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        if self.0.first() == Some(&NULL_CELL) {
            self.0 = &self.0[1..];
            return Ok(None);
        }
        self.lenenc_bytes().map(Some)
    }
}

/// A length of three bytes, as in the headers of packets.
pub(crate) fn length(bytes: &[u8]) -> usize {
    bytes.iter().take(3).rev().fold(0, |length, b| length << 8 | usize::from(*b))
}

/// Appends a length-encoded integer.
pub fn put_lenenc(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_le_bytes();
    match value {
        0..=250 => out.push(bytes[0]),
        251..=0xffff => {
            out.push(252);
            out.extend_from_slice(&bytes[..2]);
        }
        0x1_0000..=0xff_ffff => {
            out.push(253);
            out.extend_from_slice(&bytes[..3]);
        }
        _ => {
            out.push(254);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Appends length-encoded bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_lenenc(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_lengths_there_and_back() {
        for value in [0, 250, 251, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, u64::MAX] {
            let mut out = Vec::new();
            put_lenenc(&mut out, value);
            assert_eq!(PayloadReader(&out).lenenc(), Ok(value));
            assert!(PayloadReader(&out[..out.len() - 1]).lenenc().is_err());
        }
    }

    #[test]
    fn ok_cells() {
        let mut row = PayloadReader(b"\xfb\0\x02ab\x05cut");
        assert_eq!(row.cell(), Ok(None));
        assert_eq!(row.cell(), Ok(Some(&b""[..])));
        assert_eq!(row.cell(), Ok(Some(&b"ab"[..])));
        assert!(row.cell().is_err());
    }
}
