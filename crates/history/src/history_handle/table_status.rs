//! The tables of a status.

use super::super::History;
use super::super::query::TableHealth;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStatus {
    /// The schema of the table.
    pub schema: String,
    /// The name of the table, without its schema.
    pub table: String,
    /// The first instant at which it can be read; `None`: at none.
    pub oldest: Option<Timestamp>,
    /// The last instant whose state is known.
    pub newest: Option<Timestamp>,
    /// Whether it can be read at the end of the record.
    pub readable: bool,
    /// Why not, for people.
    pub reason: Option<String>,
    /// How it is at the end of the record; `None`: it does not exist there, or an older agent does
    /// not say.
    #[serde(default)]
    pub health: Option<TableHealth>,
}

/// The tables of a history: those that can be read at some time, and those that never can.
pub(super) fn tables(history: &History) -> Vec<TableStatus> {
    let mut found = BTreeMap::new();
    for schema in history.schemas().schemas {
        let entries = history.tables(&schema).map(|t| t.tables).unwrap_or_default();
        for entry in entries {
            let name = TableName { schema: schema.clone(), table: entry.table };
            let reason = history.table(&name, None).err().map(|refused| refused.message);
            let key = (name.schema.clone(), name.table.clone());
            let newest = history.coverage().known().map(|_| entry.newest);
            found.insert(key, TableStatus::of(name, Some((entry.oldest, newest)), reason));
        }
    }
    for (name, table) in history.refused(None) {
        let key = (name.schema.clone(), name.table.clone());
        let since = table.since.map(|at| format!("from {at} on: ")).unwrap_or_default();
        let reason = Some(format!("{since}{}", table.reason));
        match found.get_mut(&key) {
            Some(status) => (status.readable, status.reason) = (false, reason),
            None => drop(found.insert(key, TableStatus::of(name, None, reason))),
        }
    }
    for (name, health) in history.table_health() {
        if let Some(status) = found.get_mut(&(name.schema, name.table)) {
            status.health = Some(health);
        }
    }
    found.into_values().collect()
}

impl TableStatus {
    fn of(name: TableName, range: Option<(Timestamp, Option<Timestamp>)>, reason: Option<String>) -> Self {
        let readable = range.is_some() && reason.is_none();
        let (oldest, newest) = range.unzip();
        let newest = newest.flatten();
        Self { schema: name.schema, table: name.table, oldest, newest, readable, reason, health: None }
    }
}
