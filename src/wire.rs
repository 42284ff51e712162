//! The MySQL protocol on one connection.
