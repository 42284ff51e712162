//! The messages of the agent API, version 1: the contract between the shim and an agent.
//!
//! Shared by the client (`agent_client`) and by the agent of this project (`history`), held against
//! `docs/agent-api.yaml` by tests. Key values and cells are text or `{"hex": "..."}`, never JSON
//! numbers, so that no JSON library can round them.

use crate::column::TableDefinition;
use crate::names::ServerId;
use crate::timestamp::{AsOf, Timestamp};
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;

mod change_columns;
mod diff;
mod filter;
pub mod frames;
mod keys;
mod net;
mod octets;
mod row_cell;
mod tables;

pub use change_columns::{change_columns, is_change_column};
pub(crate) use diff::is_false;
pub use diff::{ChangeOrigin, DiffEvent, DiffLine, DiffRequest, EventType};
pub use filter::{Comparison, Filter, Relation};
pub use keys::{KeyBound, KeyChoice, KeyRange, KeyScan, Keys};
pub use net::{ColumnValues, LostColumn, NetChange, NetHeader, NetLine, NetRequest, Reference, Span};
pub use octets::Octets;
pub use row_cell::{RowCell, RowLine};
pub use tables::{RefusedTable, Schemas, TableAnswer, TableEntry, Tables};

/// Where each question goes, below the base URL.
pub mod path {
    /// `POST`: rows at an instant, from recorded changes alone.
    pub const FLASHBACK: &str = "/v1/flashback";
    /// `POST`: rows at an instant, baseline included.
    pub const SNAPSHOT: &str = "/v1/snapshot";
    /// `POST`: changes inside a window.
    pub const DIFF: &str = "/v1/diff";
    /// `POST`: what a window did to the rows of a table, all in all.
    pub const NET_CHANGES: &str = "/v1/net_changes";
    /// `POST`: transactions, statements that changed definitions, gaps, tables.
    pub const HISTORY: &str = "/v1/history";
    /// `GET`: the record, and how capturing goes.
    pub const STATUS: &str = "/v1/status";
    /// `GET`: the same of all servers whose histories the agent has.
    pub const SERVERS: &str = "/v1/servers";
    /// `POST`: a copy of the store in another folder, for who may read `agent.json` alone.
    pub const BACKUP: &str = "/v1/backup";
}

/// The media type of a streamed answer: one JSON value a line.
pub const NDJSON: &str = "application/x-ndjson";

/// Keys that one request may name, or a range may hold, at most: what the agent of this project
/// answers.
pub const MOST_KEYS: usize = 10_000;

/// The header that names a request in the logs of both sides; the agent echoes it.
pub const REQUEST_ID: &str = "x-request-id";

/// Body of `POST /v1/flashback` and `POST /v1/snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsRequest {
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The real schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The keys of the rows.
    pub keys: Keys,
    /// The instant or the GTID set whose state is asked for.
    pub at: AsOf,
    /// Which of these rows. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// The most lines that are wanted; the agent stops after so many. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// The first line of a streamed answer.
///
/// For rows: the columns at that instant. For a diff: the columns at the end of the window; a
/// [`DiffLine::Definition`] line announces other ones before the events that have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always true here; a refusal is an [`ErrorBody`].
    pub success: bool,
    /// Columns and primary key.
    #[serde(flatten)]
    pub definition: TableDefinition,
    /// The instant answered, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<AsOf>,
}

/// The last line of a streamed answer. A body without it was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// The end.
    pub end: End,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How many row or event lines there were.
    pub rows: u64,
    /// What an empty or partial answer means.
    #[serde(default)]
    pub notes: Vec<ApiNote>,
}

/// Why a key has no row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiNote {
    /// The stable code of the note.
    pub code: NoteCode,
    /// The key, in key order.
    pub key: Vec<Octets>,
    /// When it was deleted, or created later; of a key that never existed: since when the record
    /// goes, where that is not the table's creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Why a key has no row at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// No row ever had this key, and the record goes back to the table's creation; or none since
    /// `at`, where the record begins.
    NeverExisted,
    /// The last row with this key was deleted at `at`.
    DeletedAt,
    /// The first row with this key was created at `at`, later than the instant asked for.
    NotYetCreated,
}

/// A refusal, as the body of a 4xx, a 5xx or (`success: false`) a 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Always false.
    pub success: bool,
    /// The sentence for the person who asked.
    pub error: String,
    /// A word for programs: see [`code`]. Other agents may leave it out: empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// `out_of_range`: the instant asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// `out_of_range`: the oldest readable instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// `out_of_range`: the newest readable instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
}

fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The words that [`ErrorBody::code`] can hold. A client must live with others too.
#[expect(missing_docs, reason = "each word says it")]
pub mod code {
    pub const UNKNOWN_TABLE: &str = "unknown_table";
    pub const UNKNOWN_SERVER: &str = "unknown_server";
    pub const MALFORMED_TIMESTAMP: &str = "malformed_timestamp";
    pub const MALFORMED_GTID: &str = "malformed_gtid";
    pub const MALFORMED_REQUEST: &str = "malformed_request";
    pub const MISSING_SERVER_ID: &str = "missing_server_id";
    pub const OUT_OF_RANGE: &str = "out_of_range";
    pub const GAP: &str = "gap";
    pub const AMBIGUOUS_TIME: &str = "ambiguous_time";
    pub const NOT_RECORDED: &str = "not_recorded";
    pub const UNSUPPORTED_KEY: &str = "unsupported_key";
    pub const TOO_MANY_KEYS: &str = "too_many_keys";
    pub const UNSUPPORTED_FILTER: &str = "unsupported_filter";
    pub const UNREADABLE_TABLE: &str = "unreadable_table";
    pub const NOT_CAPTURED: &str = "not_captured";
    pub const UNAUTHORIZED: &str = "unauthorized";
    pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    pub const NOT_FOUND: &str = "not_found";
    pub const OVERLOADED: &str = "overloaded";
    pub const NOT_READY: &str = "not_ready";
    pub const INTERNAL: &str = "internal";
}
