//! OK, EOF and ERR packets, and rows of the text protocol
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html),
//! [result
//! sets](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html)).

use crate::constants::{CapabilityFlags, NULL_CELL, StatusFlags, header};
use crate::reader::{put_bytes, put_lenenc};
use dbtrail_types::column::ColumnType;
use dbtrail_types::float_text;
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::ResultColumn;
use mysql_common::constants::SessionStateType;
use std::borrow::Cow;

/// What OK and EOF packets say of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Transaction, autocommit, more results, ...
    pub flags: StatusFlags,
    /// The number of warnings of the last statement.
    pub warnings: u16,
}

/// One change of the session's state
/// ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateChange<'a> {
    /// A system variable, and its new value.
    Variable(&'a str, &'a str),
    /// The current database.
    Schema(&'a str),
    /// Anything.
    State,
    /// The statements that would begin the transaction again.
    Characteristics(&'a str),
    /// The state of the transaction, in eight letters.
    Transaction(&'a str),
}

/// "OK_Packet" of a statement that changed the session's state, to a client with
/// CLIENT_SESSION_TRACK: only then does it differ from [`ok`], by an empty info and the changes
/// after it (["Session State
/// Information"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo)).
#[must_use]
pub fn changed(status: Status, changes: &[StateChange<'_>]) -> Vec<u8> {
    let mut out = vec![header::OK, 0, 0];
    let flags = status.flags | StatusFlags::SERVER_SESSION_STATE_CHANGED;
    out.extend_from_slice(&flags.bits().to_le_bytes());
    out.extend_from_slice(&status.warnings.to_le_bytes());
    out.push(0);
    let mut all = Vec::new();
    for change in changes {
        let (kind, data) = match *change {
            StateChange::Variable(name, value) => {
                let mut data = Vec::new();
                put_bytes(&mut data, name.as_bytes());
                put_bytes(&mut data, value.as_bytes());
                (SessionStateType::SESSION_TRACK_SYSTEM_VARIABLES, data)
            }
            StateChange::Schema(name) => (SessionStateType::SESSION_TRACK_SCHEMA, one(name)),
            // No length of its own inside: mysqld writes it so.
            StateChange::State => (SessionStateType::SESSION_TRACK_STATE_CHANGE, b"1".to_vec()),
            StateChange::Characteristics(statements) => {
                (SessionStateType::SESSION_TRACK_TRANSACTION_CHARACTERISTICS, one(statements))
            }
            StateChange::Transaction(state) => {
                (SessionStateType::SESSION_TRACK_TRANSACTION_STATE, one(state))
            }
        };
        all.push(kind.into());
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

/// "OK_Packet"; after rows, where the client asked for it, with the header of an EOF packet.
#[must_use]
pub fn ok(status: Status, after_rows: bool) -> Vec<u8> {
    let mut out = vec![if after_rows { header::EOF } else { header::OK }, 0, 0];
    out.extend_from_slice(&status.flags.bits().to_le_bytes());
    out.extend_from_slice(&status.warnings.to_le_bytes());
    out
}

/// "EOF_Packet".
#[must_use]
pub fn eof(status: Status) -> Vec<u8> {
    let mut out = vec![header::EOF];
    out.extend_from_slice(&status.warnings.to_le_bytes());
    out.extend_from_slice(&status.flags.bits().to_le_bytes());
    out
}

/// What ends the rows of a result set.
#[must_use]
pub fn end(status: Status, capabilities: CapabilityFlags) -> Vec<u8> {
    if capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) { ok(status, true) } else { eof(status) }
}

/// Whether a cursor has more rows.
#[derive(Clone, Copy, Debug)]
pub enum CursorState {
    /// SERVER_STATUS_CURSOR_EXISTS.
    More,
    /// SERVER_STATUS_LAST_ROW_SENT.
    Last,
}

/// What ends the columns of a cursor, and what was fetched of it.
#[must_use]
pub fn cursor_end(status: Status, capabilities: CapabilityFlags, state: CursorState) -> Vec<u8> {
    let flag = match state {
        CursorState::More => StatusFlags::SERVER_STATUS_CURSOR_EXISTS,
        CursorState::Last => StatusFlags::SERVER_STATUS_LAST_ROW_SENT,
    };
    end(Status { flags: status.flags | flag, ..status }, capabilities)
}

/// "COM_STMT_PREPARE_OK".
#[must_use]
pub fn prepared(id: u32, columns: u16, parameters: u16, warnings: u16) -> Vec<u8> {
    let mut out = vec![header::OK];
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&columns.to_le_bytes());
    out.extend_from_slice(&parameters.to_le_bytes());
    out.push(0);
    out.extend_from_slice(&warnings.to_le_bytes());
    out
}

/// "ERR_Packet".
#[must_use]
pub fn err(code: u16, sqlstate: &str, message: &str) -> Vec<u8> {
    let mut out = vec![header::ERR];
    out.extend_from_slice(&code.to_le_bytes());
    out.push(b'#');
    out.extend_from_slice(sqlstate.as_bytes());
    out.extend_from_slice(message.as_bytes());
    out
}

/// Appends a
/// [ProtocolText::ResultsetRow](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html).
pub fn put_row<'a>(
    out: &mut Vec<u8>,
    row: impl Iterator<Item = Option<&'a [u8]>>,
    columns: &[ResultColumn],
    charset: ResultCharset,
) {
    for (cell, column) in row.zip(columns) {
        match cell {
            None => out.push(NULL_CELL),
            // Of a FLOAT an agent tells more than the text protocol shows.
            Some(bytes) if matches!(column.column.ty, ColumnType::Float { digits: None, .. }) => {
                put_bytes(out, &float_text::shown_float(bytes));
            }
            Some(bytes) => put_bytes(out, &sent(bytes, column, charset)),
        }
    }
}

/// A cell in the character set that text goes out in.
#[must_use]
pub fn sent<'a>(bytes: &'a [u8], column: &ResultColumn, charset: ResultCharset) -> Cow<'a, [u8]> {
    charset.encode(bytes, &column.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: Status = Status { flags: StatusFlags::SERVER_STATUS_AUTOCOMMIT, warnings: 0 };

    /// Recorded from MySQL 9.7.
    #[test]
    fn ok_changes_of_state() {
        use StateChange::{Characteristics, Schema, State, Transaction, Variable};
        let off = Status { flags: StatusFlags::empty(), ..STATUS };
        let begun = Status { flags: StatusFlags::SERVER_STATUS_IN_TRANS, ..STATUS };
        for (status, changes, want) in [
            (STATUS, vec![Schema("mysql")], b"\0\0\0\x02@\0\0\0\x08\x01\x06\x05mysql".to_vec()),
            (
                off,
                vec![Variable("autocommit", "OFF")],
                b"\0\0\0\0@\0\0\0\x11\0\x0f\nautocommit\x03OFF".to_vec(),
            ),
            (
                off,
                vec![Variable("character_set_results", "")],
                b"\0\0\0\0@\0\0\0\x19\0\x17\x15character_set_results\0".to_vec(),
            ),
            (
                off,
                vec![Variable("time_zone", "+03:00"), State],
                b"\0\0\0\0@\0\0\0\x16\0\x11\ttime_zone\x06+03:00\x02\x011".to_vec(),
            ),
            (
                begun,
                vec![Transaction("T_______"), Characteristics("START TRANSACTION;")],
                b"\0\0\0\x01@\0\0\0 \x05\t\x08T_______\x04\x13\x12START TRANSACTION;".to_vec(),
            ),
            (STATUS, vec![], b"\0\0\0\x02@\0\0\0\0".to_vec()),
        ] {
            assert_eq!(changed(status, &changes), want, "{changes:?}");
        }
    }
}
