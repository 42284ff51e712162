//! The agent that ships with the project: reads binary logs, keeps the history, serves the agent
//! API.
//!
//! It knows nothing of the shim; the shim knows it only through `agent_api`.
//!
//! ```text
//! binary log files ------------------> log -> schema -> ingest -> store -> query -> serve running
//! server -> source -> recorder -^                          |
//! engine (memory, disk, object store)
//! ```

pub mod backup;
pub mod binlog_position;
pub mod capture;
pub mod changes;
mod checkpoint;
mod commit_index;
pub mod commits;
mod disk_space;
pub mod engine;
pub mod follower;
mod gtid;
pub mod history_handle;
mod image;
mod ingest;
pub mod key;
mod last_statements;
pub mod live;
pub mod log;
mod log_gap;
mod names;
mod number;
pub mod patterns;
mod progress;
pub mod query;
mod record;
pub mod recorder;
mod retention;
pub mod schema;
pub mod schema_dump;
pub mod serve;
mod sessions;
pub mod source;
mod source_error;
pub mod store;
pub mod value;

pub use gtid::GtidSet;
pub use history_handle::HistoryHandle;
pub use ingest::{LogEnds, ReadError, ReadOptions};
pub use record::{Coverage, History};
