//! Which rows are asked for.

use super::octets::Octets;
use serde::{Deserialize, Serialize};

/// The keys whose rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Key columns in key order: always the whole primary key.
    pub columns: Vec<String>,
    /// Which keys.
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
    /// All rows of a range of keys, however many: a table, the keys that begin with some values,
    /// or an open range of the column after them.
    Scan(KeyScan),
}

/// A range of keys. Without any bound it is the whole table.
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
    /// Whether rows with this very value are of the range.
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
