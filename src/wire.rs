//! The MySQL protocol on one connection: framing, handshake, authentication, commands, result sets.
//!
//! Pages of the manual named here are those of "MySQL Source Code Documentation", "Client/Server Protocol". The socket is owned by
//! [`connection`]; everything else is bytes in, bytes and decisions out. Knows nothing of HTTP or YAML.

pub mod auth;
mod binary;
mod bytes;
mod columns;
mod compress;
pub mod connection;
pub mod error;
pub mod handle;
mod handshake;
mod log;
mod packets;
mod parameters;
mod results;
mod statements;
