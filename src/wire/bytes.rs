//! Checked reading of packets, and the few forms in which packets are written ("Protocol Basics").

use crate::failure::Failure;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

fn short() -> Failure {
    Failure::MalformedPacket("a packet is shorter than its own lengths say".to_owned())
}

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Failure> {
        let (head, tail) = self.0.split_at_checked(count).ok_or_else(short)?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Failure> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Failure> {
        let b = self.take(2)?;
        Ok(u16::from_le_bytes([b[0], b[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Failure> {
        let b = self.take(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Text up to a zero byte; at the end of a packet the zero may be missing.
    pub(super) fn until_zero(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|b| *b == 0);
        let text = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = end.map_or(&[], |e| &self.0[e + 1..]);
        text
    }

    pub(super) fn lenenc(&mut self) -> Result<usize, Failure> {
        let number = |b: &[u8]| b.iter().rev().fold(0_u64, |v, b| v << 8 | u64::from(*b));
        let value = match self.u8()? {
            small @ 0..=250 => u64::from(small),
            252 => number(self.take(2)?),
            253 => number(self.take(3)?),
            254 => number(self.take(8)?),
            _ => return Err(short()),
        };
        usize::try_from(value).map_err(|_| short())
    }

    pub(super) fn lenenc_bytes(&mut self) -> Result<&'a [u8], Failure> {
        let length = self.lenenc()?;
        self.take(length)
    }
}

/// Appends a length-encoded integer.
pub(super) fn put_lenenc(out: &mut Vec<u8>, value: u64) {
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
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_lenenc(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_lengths_there_and_back() {
        for value in [0, 250, 251, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000] {
            let mut out = Vec::new();
            put_lenenc(&mut out, value);
            assert_eq!(Bytes(&out).lenenc().unwrap() as u64, value);
        }
    }
}
