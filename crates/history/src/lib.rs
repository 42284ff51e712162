//! The agent that ships with the project: reads binary logs, keeps the history, serves the agent API.
//!
//! It knows nothing of the shim; the shim knows it only through `agent_api`.
//!
//! ```text
//! binary log files ------------------> log -> schema -> ingest -> store -> query -> serve
//! running server -> source -> recorder -^                          |
//!                                                                engine (memory, disk)
//! ```

pub mod capture;
pub mod changes;
pub mod commits;
mod durable;
pub mod engine;
mod gtid;
mod image;
mod ingest;
pub mod key;
pub mod live;
pub mod log;
mod moments;
mod names;
mod number;
pub mod patterns;
pub mod place;
pub mod published;
pub mod query;
mod record;
pub mod recorder;
mod retention;
pub mod schema;
pub mod serve;
pub mod source;
pub mod store;
pub mod value;

pub use gtid::GtidSet;
pub use ingest::{LogEnds, ReadError};
pub use published::Published;
pub use record::{Coverage, History};
