//! Numbers of the protocol by their names in the manual.
//!
//! All of them are those of `mysql_common`; what is a variant of an enum there is an integer here,
//! so that a byte of a packet can be matched against it.

pub use mysql_common::constants::{CapabilityFlags, ColumnFlags, ColumnType, CursorType, StatusFlags};

/// The first byte of a command
/// ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html)).
#[expect(missing_docs, reason = "the names are the manual's")]
pub mod command {
    use mysql_common::constants::Command;

    pub const COM_QUIT: u8 = Command::COM_QUIT as u8;
    pub const COM_INIT_DB: u8 = Command::COM_INIT_DB as u8;
    pub const COM_QUERY: u8 = Command::COM_QUERY as u8;
    pub const COM_FIELD_LIST: u8 = Command::COM_FIELD_LIST as u8;
    pub const COM_STATISTICS: u8 = Command::COM_STATISTICS as u8;
    pub const COM_PING: u8 = Command::COM_PING as u8;
    pub const COM_CHANGE_USER: u8 = Command::COM_CHANGE_USER as u8;
    pub const COM_STMT_PREPARE: u8 = Command::COM_STMT_PREPARE as u8;
    pub const COM_STMT_EXECUTE: u8 = Command::COM_STMT_EXECUTE as u8;
    pub const COM_STMT_SEND_LONG_DATA: u8 = Command::COM_STMT_SEND_LONG_DATA as u8;
    pub const COM_STMT_CLOSE: u8 = Command::COM_STMT_CLOSE as u8;
    pub const COM_STMT_RESET: u8 = Command::COM_STMT_RESET as u8;
    pub const COM_SET_OPTION: u8 = Command::COM_SET_OPTION as u8;
    pub const COM_STMT_FETCH: u8 = Command::COM_STMT_FETCH as u8;
    pub const COM_RESET_CONNECTION: u8 = Command::COM_RESET_CONNECTION as u8;
}

/// The argument of COM_SET_OPTION (`enum_mysql_set_option`).
#[expect(missing_docs, reason = "the names are the manual's")]
pub mod set_option {
    pub const MYSQL_OPTION_MULTI_STATEMENTS_ON: u8 = 0;
    pub const MYSQL_OPTION_MULTI_STATEMENTS_OFF: u8 = 1;
}

/// The first byte of a packet that is no row
/// ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html)).
pub mod header {
    /// OK_Packet, and the first byte of an event of the log.
    pub const OK: u8 = 0x00;
    /// AuthMoreData of a plugin, during the login.
    pub const AUTH_MORE_DATA: u8 = 0x01;
    /// LOCAL INFILE Request.
    pub const LOCAL_INFILE: u8 = 0xfb;
    /// EOF_Packet; during the login AuthSwitchRequest.
    pub const EOF: u8 = 0xfe;
    /// The same byte during the login.
    pub const AUTH_SWITCH_REQUEST: u8 = EOF;
    /// ERR_Packet.
    pub const ERR: u8 = 0xff;
    /// Bytes from which on a packet that begins as an EOF_Packet is a row.
    pub const LONGEST_EOF: usize = 9;
}

/// A cell that is NULL, in the text protocol.
pub const NULL_CELL: u8 = 0xfb;

/// The collation id of bytes (`binary`).
pub const BINARY_COLLATION: u16 = 63;
/// The collation id of utf8mb4_general_ci, which every version knows.
pub const UTF8MB4_GENERAL_CI: u16 = 45;

/// The type of a value by its number, as an integer ("enum_field_types",
/// [manual](https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html)).
#[expect(missing_docs, reason = "the names are the manual's")]
pub mod field_type {
    use mysql_common::constants::ColumnType as T;

    pub const DECIMAL: u8 = T::MYSQL_TYPE_DECIMAL as u8;
    pub const TINY: u8 = T::MYSQL_TYPE_TINY as u8;
    pub const SHORT: u8 = T::MYSQL_TYPE_SHORT as u8;
    pub const LONG: u8 = T::MYSQL_TYPE_LONG as u8;
    pub const FLOAT: u8 = T::MYSQL_TYPE_FLOAT as u8;
    pub const DOUBLE: u8 = T::MYSQL_TYPE_DOUBLE as u8;
    pub const NULL: u8 = T::MYSQL_TYPE_NULL as u8;
    pub const TIMESTAMP: u8 = T::MYSQL_TYPE_TIMESTAMP as u8;
    pub const LONGLONG: u8 = T::MYSQL_TYPE_LONGLONG as u8;
    pub const INT24: u8 = T::MYSQL_TYPE_INT24 as u8;
    pub const DATE: u8 = T::MYSQL_TYPE_DATE as u8;
    pub const TIME: u8 = T::MYSQL_TYPE_TIME as u8;
    pub const DATETIME: u8 = T::MYSQL_TYPE_DATETIME as u8;
    pub const YEAR: u8 = T::MYSQL_TYPE_YEAR as u8;
    pub const VARCHAR: u8 = T::MYSQL_TYPE_VARCHAR as u8;
    pub const BIT: u8 = T::MYSQL_TYPE_BIT as u8;
    pub const VECTOR: u8 = T::MYSQL_TYPE_VECTOR as u8;
    pub const JSON: u8 = T::MYSQL_TYPE_JSON as u8;
    pub const NEWDECIMAL: u8 = T::MYSQL_TYPE_NEWDECIMAL as u8;
    pub const ENUM: u8 = T::MYSQL_TYPE_ENUM as u8;
    pub const SET: u8 = T::MYSQL_TYPE_SET as u8;
    pub const TINY_BLOB: u8 = T::MYSQL_TYPE_TINY_BLOB as u8;
    pub const MEDIUM_BLOB: u8 = T::MYSQL_TYPE_MEDIUM_BLOB as u8;
    pub const LONG_BLOB: u8 = T::MYSQL_TYPE_LONG_BLOB as u8;
    pub const BLOB: u8 = T::MYSQL_TYPE_BLOB as u8;
    pub const VAR_STRING: u8 = T::MYSQL_TYPE_VAR_STRING as u8;
    pub const STRING: u8 = T::MYSQL_TYPE_STRING as u8;
    pub const GEOMETRY: u8 = T::MYSQL_TYPE_GEOMETRY as u8;
}
