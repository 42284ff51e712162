//! The MySQL client/server protocol, written once for both of its users: the server that answers
//! clients (`src/wire` of the root package), and the client that reads the log of a MySQL or
//! MariaDB server (`crates/history`, module `source`).
//!
//! Numbers of the protocol (commands, capabilities, status flags, types) are those of
//! [`mysql_common::constants`]; [`constants`] gives them in the form that is matched against. The
//! client's requests are serialised by `mysql_common::packets`. What is written here is what that
//! crate has only for one side, or not in a form that can be cut short by a limit of time and size:
//! framing, compression, the server's half of the login, and result sets.
//!
//! Pages of the manual named in this crate are those of [the client/server
//! protocol](https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html). Nothing here
//! knows statements, sessions, HTTP or YAML.

pub mod auth;
pub mod binary;
pub mod columns;
pub mod compress;
pub mod constants;
pub mod handshake;
pub mod packets;
pub mod reader;
pub mod results;
