//! OK, EOF and ERR packets, and rows of the text protocol ("Generic Response Packets", "Text Resultset").

use super::bytes::{put_bytes, put_lenenc};
use super::error::MySqlError;
use super::handshake::capability::DEPRECATE_EOF;
use crate::session::{Change, ResultCharset, Status};
use dbtrail_types::column::ColumnType;
use dbtrail_types::real;
use dbtrail_types::reply::{ResultColumn, Row};
use std::borrow::Cow;

/// SERVER_SESSION_STATE_CHANGED.
const STATE_CHANGED: u16 = 1 << 14;

/// Status bits ("SERVER_STATUS_flags_enum").
fn status_bits(status: Status) -> u16 {
    u16::from(status.in_transaction)
        | u16::from(status.autocommit) << 1
        | u16::from(status.more_results) << 3
        | u16::from(status.no_backslash_escapes) << 9
        | u16::from(status.read_only) << 13
}

/// "OK_Packet" of a statement that changed the session's state, to a client with CLIENT_SESSION_TRACK: only then does it differ from
/// [`ok`], by an empty info and the changes behind it ("Session State Information").
pub(super) fn changed(status: Status, changes: &[Change]) -> Vec<u8> {
    let mut out = vec![0, 0, 0];
    out.extend_from_slice(&(status_bits(status) | STATE_CHANGED).to_le_bytes());
    out.extend_from_slice(&status.warnings.to_le_bytes());
    out.push(0);
    let mut all = Vec::new();
    for change in changes {
        let (kind, data) = match change {
            Change::Variable(name, value) => {
                let mut data = Vec::new();
                put_bytes(&mut data, name.as_bytes());
                put_bytes(&mut data, value.as_bytes());
                (0, data)
            }
            Change::Schema(name) => (1, one(name)),
            // No length of its own inside: mysqld writes it so.
            Change::State => (2, b"1".to_vec()),
            Change::Characteristics(statements) => (4, one(statements)),
            Change::Transaction(state) => (5, one(state)),
        };
        all.push(kind);
        put_lenenc(&mut all, data.len() as u64);
        all.extend_from_slice(&data);
    }
    put_bytes(&mut out, &all);
    out
}

fn one(text: &str) -> Vec<u8> {
    let mut data = Vec::new();
    put_bytes(&mut data, text.as_bytes());
    data
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
            // Of a FLOAT an agent tells more than the text protocol shows.
            Some(bytes) if matches!(column.column.ty, ColumnType::Float { digits: None, .. }) => {
                put_bytes(&mut out, &real::shown_float(bytes));
            }
            Some(bytes) => put_bytes(&mut out, &sent(bytes, column, charset)),
        }
    }
    out
}

/// A cell in the character set that text goes out in.
pub(super) fn sent<'a>(bytes: &'a [u8], column: &ResultColumn, charset: ResultCharset) -> Cow<'a, [u8]> {
    charset.encode(bytes, &column.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: Status = Status {
        autocommit: true,
        in_transaction: false,
        read_only: false,
        no_backslash_escapes: false,
        more_results: false,
        warnings: 0,
    };

    /// Recorded from MySQL 9.7.
    #[test]
    fn ok_changes_of_state() {
        let variable = |name: &str, value: &str| Change::Variable(name.to_owned(), value.to_owned());
        let off = Status { autocommit: false, ..STATUS };
        let begun = Status { in_transaction: true, ..off };
        for (status, changes, want) in [
            (
                STATUS,
                vec![Change::Schema("mysql".to_owned())],
                b"\0\0\0\x02@\0\0\0\x08\x01\x06\x05mysql".to_vec(),
            ),
            (
                off,
                vec![variable("autocommit", "OFF")],
                b"\0\0\0\0@\0\0\0\x11\0\x0f\nautocommit\x03OFF".to_vec(),
            ),
            (
                off,
                vec![variable("character_set_results", "")],
                b"\0\0\0\0@\0\0\0\x19\0\x17\x15character_set_results\0".to_vec(),
            ),
            (
                off,
                vec![variable("time_zone", "+03:00"), Change::State],
                b"\0\0\0\0@\0\0\0\x16\0\x11\ttime_zone\x06+03:00\x02\x011".to_vec(),
            ),
            (
                begun,
                vec![
                    Change::Transaction("T_______"),
                    Change::Characteristics("START TRANSACTION;".to_owned()),
                ],
                b"\0\0\0\x01@\0\0\0 \x05\t\x08T_______\x04\x13\x12START TRANSACTION;".to_vec(),
            ),
            (STATUS, vec![], b"\0\0\0\x02@\0\0\0\0".to_vec()),
        ] {
            assert_eq!(changed(status, &changes), want, "{changes:?}");
        }
    }

    #[test]
    fn ok_status_flags() {
        let flags = |status| u16::from_le_bytes([ok(status, false)[3], ok(status, false)[4]]);
        assert_eq!(flags(STATUS), 2);
        assert_eq!(flags(Status { more_results: true, ..STATUS }), 10);
        assert_eq!(
            flags(Status { in_transaction: true, read_only: true, no_backslash_escapes: true, ..STATUS }),
            0x2203
        );
    }
}
