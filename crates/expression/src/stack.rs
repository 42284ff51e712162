//! The stack that one more level of an expression needs.

/// Stack that must be left for one more level, and how much more there is then.
pub(crate) const RED_ZONE: usize = 128 * 1024;

pub(crate) const STACK: usize = 1024 * 1024;
