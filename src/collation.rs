//! collation
