//! One integration binary: a file a concern. Nothing here needs another program; what does is in `tests/real`.
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod agent_api;
mod architecture;
mod chatter;
mod end_to_end;
mod log;
mod process;
mod program;
mod truth_agent;
