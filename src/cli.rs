//! cli

pub mod agent;
