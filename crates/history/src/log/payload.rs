//! The body of a Transaction_payload_event (manual: ["Binary Log Transaction
//! Compression"](https://dev.mysql.com/doc/refman/9.7/en/binary-log-transaction-compression.html)).

use super::LogFault;
use super::bytes::Bytes;
use std::io::{BufRead, BufReader, Cursor, Read};

/// What is unpacked at most of one transaction: more than fits into the largest event of any
/// server, unless it is all alike.
const LARGEST: u64 = 64 << 30;

/// The events inside, unpacked as they are read.
pub(super) fn reader(body: &[u8]) -> Result<Box<dyn BufRead + '_>, LogFault> {
    let mut input = Bytes(body);
    let mut compression = None;
    loop {
        let field = input.lenenc()?;
        if field == 0 {
            break;
        }
        let mut value = Bytes(input.lenenc_bytes()?);
        if field == 2 {
            compression = Some(value.lenenc()?);
        }
    }
    match compression {
        Some(0) => {
            let decoder = zstd::stream::read::Decoder::with_buffer(input.0)
                .map_err(|e| LogFault::Payload(e.to_string()))?;
            Ok(Box::new(BufReader::new(decoder.take(LARGEST))))
        }
        Some(255) => Ok(Box::new(Cursor::new(input.0))),
        other => Err(LogFault::PayloadCompression(other)),
    }
}
