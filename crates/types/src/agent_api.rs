//! The messages of the agent API, version 1: the contract between the shim and an agent.
//!
//! Shared by the client (`agent_client`) and by the agent of this project (`history`), held against
//! `docs/agent-api.yaml` by tests. Key values and cells are text or `{"hex": "..."}`, never JSON
//! numbers, so that no JSON library can round them.

use crate::column::TableDefinition;
use crate::names::{ServerId, TableName};
use crate::timestamp::{AsOf, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

mod change_columns;
mod filter;
mod hex;
mod net;

pub use change_columns::{change_columns, is_change_column};
pub use filter::{Comparison, Filter, Relation};
pub use hex::{hex_bytes, hex_text};
pub use net::{ColumnValues, NetChange, NetHeader, NetLine, NetRequest, Reference, Span};

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
}

/// The media type of a streamed answer: one JSON value a line.
pub const NDJSON: &str = "application/x-ndjson";

/// Keys that one request may name, or a range may hold, at most: what the agent of this project
/// answers.
pub const MOST_KEYS: usize = 10_000;

/// The header that names a request in the logs of both sides; the agent echoes it.
pub const REQUEST_ID: &str = "x-request-id";

/// Bytes as they travel: JSON text when they are UTF-8, else `{"hex": "..."}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Octets(pub Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        if let Ok(text) = std::str::from_utf8(&self.0) {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("hex", &hex_text(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OctetsVisitor)
    }
}

struct OctetsVisitor;

impl<'de> serde::de::Visitor<'de> for OctetsVisitor {
    type Value = Octets;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text or {\"hex\": \"...\"}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Octets, E> {
        Ok(Octets(text.as_bytes().to_vec()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Octets, E> {
        Ok(Octets(text.into_bytes()))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Octets, A::Error> {
        use serde::de::Error;
        let entry = map.next_entry::<String, String>()?;
        let Some((_, hex)) = entry.filter(|(key, _)| key == "hex") else {
            return Err(A::Error::custom("bytes are written as {\"hex\": \"...\"}"));
        };
        let bytes = hex_bytes(&hex)
            .ok_or_else(|| A::Error::custom("\"hex\" must be an even number of hexadecimal digits"))?;
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("bytes are written as {\"hex\": \"...\"} and nothing else"));
        }
        Ok(Octets(bytes))
    }
}

/// The keys whose rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Key columns in key order: always the whole primary key.
    pub columns: Vec<String>,
    /// The keys, one by one or as a range.
    #[serde(flatten)]
    pub choice: KeyChoice,
}

/// Keys one by one, or a range over the last key column. Values are the text-protocol text of the
/// column (UTC for TIMESTAMP).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChoice {
    /// Each entry has a value for every key column.
    Values(Vec<Vec<Octets>>),
    /// All keys that begin with `prefix` and whose last column is in `[from, to]`.
    Range(KeyRange),
    /// All rows of a stretch of keys, however many: a table, the keys that begin with some values,
    /// or an open range of the column after them.
    Scan(KeyScan),
}

/// A stretch of keys. Without any bound it is the whole table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyScan {
    /// Values of the first key columns, as many as are fixed; all of them are allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix: Vec<Octets>,
    /// Lower end of the key column after the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<KeyBound>,
    /// Upper end of the key column after the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<KeyBound>,
}

/// An end of a [`KeyScan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBound {
    /// The value.
    pub value: Octets,
    /// Whether rows with this very value are of the stretch.
    pub inclusive: bool,
}

/// A range over the last key column, both ends inclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRange {
    /// Values of all key columns but the last.
    pub prefix: Vec<Octets>,
    /// Lower end.
    pub from: Octets,
    /// Upper end.
    pub to: Octets,
    /// The most keys that the asker wants to hear of; the agent refuses (`too_many_keys`) when the
    /// range holds more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_keys: Option<u64>,
}

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

/// Body of `POST /v1/diff`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The real schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The keys of the rows.
    pub keys: Keys,
    /// Start of the window, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// End of the window, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Instead of a window: the GTID of one transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// Which of the changes. It may name columns of the table and those of [`change_columns`]: a
    /// change is wanted where the condition is true with the row before it or with the row after
    /// it. Key columns are those of the key under which the event is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// The most events that are wanted; the agent stops after so many. Left out: all.
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

/// A cell of a row: null, text or `{"hex": "..."}`, or `{"unknown": "why"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowCell {
    /// NULL.
    Null,
    /// The value as bytes.
    Value(Octets),
    /// The agent does not know it; why, as a half sentence. Whoever asks for this column must be
    /// refused, and for the others need not.
    Unknown(String),
}

impl RowCell {
    /// The cell as far as it is known; `Err`: why it is not.
    ///
    /// # Errors
    /// It is not known.
    pub fn known(self) -> Result<Option<Octets>, String> {
        match self {
            Self::Null => Ok(None),
            Self::Value(octets) => Ok(Some(octets)),
            Self::Unknown(why) => Err(why),
        }
    }
}

impl Serialize for RowCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Value(octets) => octets.serialize(serializer),
            Self::Unknown(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unknown", why)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for RowCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> serde::de::Visitor<'de> for CellVisitor {
    type Value = RowCell;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null, text, {\"hex\": \"...\"} or {\"unknown\": \"why\"}")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<RowCell, E> {
        Ok(RowCell::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<RowCell, E> {
        Ok(RowCell::Null)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RowCell, E> {
        OctetsVisitor.visit_str(text).map(RowCell::Value)
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<RowCell, E> {
        OctetsVisitor.visit_string(text).map(RowCell::Value)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<RowCell, A::Error> {
        use serde::de::Error;
        let (form, text) = map
            .next_entry::<String, String>()?
            .ok_or_else(|| A::Error::custom("an object in place of a cell is empty"))?;
        let cell =
            match form.as_str() {
                "unknown" => RowCell::Unknown(text),
                "hex" => RowCell::Value(Octets(hex_bytes(&text).ok_or_else(|| {
                    A::Error::custom("\"hex\" must be an even number of hexadecimal digits")
                })?)),
                _ => return Err(A::Error::custom("bytes are written as {\"hex\": \"...\"}")),
            };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("an object in place of a cell holds one thing"));
        }
        Ok(cell)
    }
}

/// A row line of `/v1/flashback` and `/v1/snapshot`: a cell a column, in the header's order.
pub type RowLine = Vec<RowCell>;

/// A line of `/v1/diff` between header and trailer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffLine {
    /// Of changes of all tables: events after this line are of this table.
    Table(TableName),
    /// Events after this line have these columns (the header's hold until the first such line).
    Definition(TableDefinition),
    /// Events after this line were made so, until the next such line. Before the first one nothing
    /// of it is known.
    Origin(ChangeOrigin),
    /// One change of one row.
    Event(Box<DiffEvent>),
}

/// Who made changes, and by which statement. What is left out is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOrigin {
    /// `server_id` of the server that wrote the transaction first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<u32>,
    /// The connection on that server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<u32>,
    /// The binary log file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binlog_file: Option<String>,
    /// Where the transaction begins in it, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binlog_position: Option<u64>,
    /// The text of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// With a statement: the schemas of all tables that its transaction changed, and those whose
    /// names are in the text. Who may not see all of them is not shown the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statement_schemas: Vec<String>,
}

/// One change of one row, seen under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffEvent {
    /// Rises with the order of commits, and inside a transaction with the order of changes. Unique
    /// within a history, but that rows removed at once (TRUNCATE, DROP) share the one of their
    /// statement.
    pub event_id: u64,
    /// Commit time.
    pub event_timestamp: Timestamp,
    /// INSERT, UPDATE or DELETE.
    pub event_type: EventType,
    /// It is not in the log: a foreign key (CASCADE, SET NULL) did it, by a change of the same
    /// transaction that is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub derived: bool,
    /// Of a derived one: the event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u64>,
    /// The transaction, where the server has GTIDs.
    pub gtid: Option<String>,
    /// The key under which the event is shown, in key order: a change of the key itself is shown
    /// under both.
    pub key: Vec<Octets>,
    /// Row before, a cell a column; `None` for INSERT.
    pub before: Option<RowLine>,
    /// Row after; `None` for DELETE.
    pub after: Option<RowLine>,
    /// Who made it: of the [`DiffLine::Origin`] before it.
    #[serde(skip)]
    pub origin: Option<Arc<ChangeOrigin>>,
    /// Its table: of the [`DiffLine::Table`] before it.
    #[serde(skip)]
    pub table: Option<Arc<TableName>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the SQL statements of these names")]
pub enum EventType {
    Insert,
    Update,
    Delete,
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

/// Answer of `GET /v1/servers/{server_id}/schemas`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schemas {
    /// Always true here.
    pub success: bool,
    /// Real schemas of which the history knows a table, sorted.
    pub schemas: Vec<String>,
}

/// Answer of `GET /v1/servers/{server_id}/schemas/{schema}/tables`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Always true here.
    pub success: bool,
    /// Sorted by name.
    pub tables: Vec<TableEntry>,
    /// Those of which no row can be asked for at the end of the record, sorted by name. Left out:
    /// none, or the agent does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedTable>,
}

/// A table that is there and of which no row can be asked for at the end of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedTable {
    /// The name of the table, without its schema.
    pub table: String,
    /// From when on; left out where it was never answered in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why, and what changes it.
    pub reason: String,
}

/// A table that the history knows, dropped ones too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// The name of the table, without its schema.
    pub table: String,
    /// The oldest instant that can be asked for.
    pub oldest: Timestamp,
    /// The newest one.
    pub newest: Timestamp,
    /// Whether it exists at `newest`.
    pub dropped: bool,
}

/// Answer of `GET /v1/servers/{server_id}/schemas/{schema}/tables/{table}?at=` (`at` is RFC 3339;
/// `gtid=` is the other form; without one: newest).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAnswer {
    /// Always true here.
    pub success: bool,
    /// The server id under which the history is asked for.
    pub server_id: ServerId,
    /// The real schema.
    pub schema: String,
    /// The table, as it was created.
    pub table: String,
    /// Columns and primary key.
    #[serde(flatten)]
    pub definition: TableDefinition,
}
