//! The reading half of capturing against a real server, which `tests/real/source.py` starts and
//! names.
//!
//! `DBTRAIL_SOURCE_URL` is its address (an account that may do everything), `DBTRAIL_SOURCE_LOGS`
//! the folder of its binary logs.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects by failing"
)]

mod cells;
mod harness;
mod keys;
mod login;
mod preflight;
mod stream;
mod times;
