//! The agent that ships with the project: reads binary logs, keeps the history, serves the agent API.
//!
//! It knows nothing of the shim; the shim knows it only through `agent_api`.
//!
//! ```text
//! binary log files -> log -> schema -> ingest -> store -> query -> serve
//! ```

pub mod log;
pub mod schema;
pub mod value;
