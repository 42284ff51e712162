//! OK, EOF and ERR packets, and rows of the text protocol ("Generic Response Packets", "Text Resultset").

use super::bytes::put_bytes;
use super::error::MySqlError;
use super::handshake::capability::DEPRECATE_EOF;
use crate::reply::{ResultColumn, Row};
use crate::session::{ResultCharset, Status};
use std::borrow::Cow;

/// Status bits ("SERVER_STATUS_flags_enum").
fn status_bits(status: Status) -> u16 {
    u16::from(status.in_transaction)
        | u16::from(status.autocommit) << 1
        | u16::from(status.no_backslash_escapes) << 9
}

/// "OK_Packet"; behind rows, where the client asked for it, with the header of an EOF packet.
pub(super) fn ok(status: Status, behind_rows: bool) -> Vec<u8> {
    let mut out = vec![if behind_rows { 0xfe } else { 0 }, 0, 0];
    out.extend_from_slice(&status_bits(status).to_le_bytes());
    out.extend_from_slice(&status.warnings.to_le_bytes());
    out
}

/// "EOF_Packet".
pub(super) fn eof(status: Status) -> Vec<u8> {
    let mut out = vec![0xfe];
    out.extend_from_slice(&status.warnings.to_le_bytes());
    out.extend_from_slice(&status_bits(status).to_le_bytes());
    out
}

/// What ends the rows of a result set.
pub(super) fn end(status: Status, capabilities: u32) -> Vec<u8> {
    if capabilities & DEPRECATE_EOF == 0 { eof(status) } else { ok(status, true) }
}

/// SERVER_STATUS_CURSOR_EXISTS, and SERVER_STATUS_LAST_ROW_SENT, which takes its place at the end.
#[derive(Clone, Copy, Debug)]
pub(super) enum CursorState {
    More = 0x40,
    Last = 0x80,
}

/// What ends the columns of a cursor, and what was fetched of it.
pub(super) fn cursor_end(status: Status, capabilities: u32, state: CursorState) -> Vec<u8> {
    let mut out = end(status, capabilities);
    // In either form the status follows the first three bytes.
    out[3] |= state as u8;
    out
}

/// "COM_STMT_PREPARE_OK".
pub(super) fn prepared(id: u32, columns: u16, parameters: u16, warnings: u16) -> Vec<u8> {
    let mut out = vec![0];
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&columns.to_le_bytes());
    out.extend_from_slice(&parameters.to_le_bytes());
    out.push(0);
    out.extend_from_slice(&warnings.to_le_bytes());
    out
}

/// "ERR_Packet".
pub(super) fn err(error: &MySqlError) -> Vec<u8> {
    let mut out = vec![0xff];
    out.extend_from_slice(&error.code.to_le_bytes());
    out.push(b'#');
    out.extend_from_slice(error.state.as_bytes());
    out.extend_from_slice(error.message.as_bytes());
    out
}

/// "ProtocolText::ResultsetRow".
pub(super) fn row(row: &Row, columns: &[ResultColumn], charset: ResultCharset) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.iter().flatten().map(|c| c.len() + 3).sum::<usize>() + row.len());
    for (cell, column) in row.iter().zip(columns) {
        match cell {
            None => out.push(0xfb),
            Some(bytes) => put_bytes(&mut out, &sent(bytes, column, charset)),
        }
    }
    out
}

/// A cell in the character set that text goes out in.
pub(super) fn sent<'a>(bytes: &'a [u8], column: &ResultColumn, charset: ResultCharset) -> Cow<'a, [u8]> {
    charset.encode(bytes, &column.column)
}
