//! A cursor over bytes that came from outside: every read is checked.

use super::LogFault;
use dbtrail_mysql_wire::reader::PayloadReader;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], LogFault> {
        // The fault is made where there is one: this is done for each cell.
        let Some((head, tail)) = self.0.split_at_checked(count) else { return Err(LogFault::EventTooShort) };
        self.0 = tail;
        Ok(head)
    }

    /// Little-endian, of 1 to 8 bytes.
    pub(super) fn uint(&mut self, width: usize) -> Result<u64, LogFault> {
        Ok(little_endian(self.take(width)?))
    }

    /// Big-endian, of 1 to 8 bytes.
    pub(super) fn uint_be(&mut self, width: usize) -> Result<u64, LogFault> {
        Ok(big_endian(self.take(width)?))
    }

    pub(super) fn u8(&mut self) -> Result<u8, LogFault> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, LogFault> {
        let b = self.take(2)?;
        Ok(u16::from_le_bytes([b[0], b[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, LogFault> {
        let b = self.take(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    pub(super) fn u64(&mut self) -> Result<u64, LogFault> {
        self.uint(8)
    }

    /// A length that must fit the memory of this computer.
    pub(super) fn length(&mut self, width: usize) -> Result<usize, LogFault> {
        usize::try_from(self.uint(width)?).map_err(|_| LogFault::LengthTooLarge)
    }

    /// A length-encoded integer (manual:
    /// [Protocol::LengthEncodedInteger](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html)).
    pub(super) fn lenenc(&mut self) -> Result<u64, LogFault> {
        let mut reader = PayloadReader(self.0);
        let value = reader.lenenc().map_err(|malformed| LogFault::Packet(malformed.0))?;
        self.0 = reader.0;
        Ok(value)
    }

    pub(super) fn lenenc_size(&mut self) -> Result<usize, LogFault> {
        usize::try_from(self.lenenc()?).map_err(|_| LogFault::LengthTooLarge)
    }

    pub(super) fn lenenc_bytes(&mut self) -> Result<&'a [u8], LogFault> {
        let length = self.lenenc_size()?;
        self.take(length)
    }

    /// A name with its length in one byte, as UTF-8.
    pub(super) fn short_name(&mut self) -> Result<String, LogFault> {
        let length = usize::from(self.u8()?);
        text(self.take(length)?)
    }
}

/// Names in events are UTF-8 always.
pub(super) fn text(bytes: &[u8]) -> Result<String, LogFault> {
    String::from_utf8(bytes.to_vec()).map_err(|_| LogFault::NameNotUtf8)
}

pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, b| value << 8 | u64::from(*b))
}

pub(super) fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, b| value << 8 | u64::from(*b))
}

/// Bit `i` of a bitmap whose first bit is the lowest of the first byte.
pub(super) fn bit(map: &[u8], i: usize) -> bool {
    map.get(i / 8).is_some_and(|b| b >> (i % 8) & 1 == 1)
}
