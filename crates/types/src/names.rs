//! Names: of a server whose history is kept, of a table, of a request.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name under which an agent keeps the history of one MySQL server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerId(pub String);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A real table: the schema that MySQL knows, and the table in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// The real schema, never one of the virtual three.
    pub schema: String,
    /// The table.
    pub table: String,
}

impl TableName {
    /// Both names in lower case: by these a server compares that tells no upper from lower case.
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        Self { schema: self.schema.to_lowercase(), table: self.table.to_lowercase() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// Names one statement in the log line, in the error text and in the agent's `X-Request-Id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// The next id of this process: the connection's number and a count, so that a grep for the
    /// connection finds all of it.
    #[must_use]
    pub fn next(connection: u32) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self(format!("{connection}-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
