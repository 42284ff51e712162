//! One connection of a client: login, commands, answers, and how failures are worded for it.
//!
//! Packets themselves are those of [`dbtrail_mysql_wire`]. The socket is owned by [`connection`];
//! everything else is bytes in, bytes and decisions out. Knows nothing of HTTP or YAML.

pub mod cause;
pub mod connection;
pub mod error;
mod gone;
pub mod handle;
mod log;
mod parameters;
mod statements;
mod status;
