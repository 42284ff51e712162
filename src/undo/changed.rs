//! What changed in a table.

use super::literal::{self, Text};
use super::statement::{Links, Table};
use dbtrail_types::agent_api::{NetChange, NetHeader, Octets};
use dbtrail_types::names::TableName;

/// What changed in a table.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    /// The name of the table.
    pub name: &'a TableName,
    /// What the agent says of it.
    pub header: &'a NetHeader,
    /// Its rows that changed.
    pub changes: &'a [NetChange],
}

impl<'a> Changed<'a> {
    /// What its statements are written by.
    #[must_use]
    pub fn statements(&self, text: Text, links: Links) -> Table<'a> {
        Table { name: self.name, header: self.header, text, links }
    }
}

/// A key for people: `id = 42`.
#[must_use]
pub fn shown_key(header: &NetHeader, key: &[Octets]) -> String {
    let columns = header.definition.key_columns();
    let parts = columns.iter().zip(key).map(|(column, value)| {
        let text = literal::value(Some(&value.0), column, Text::Ascii);
        format!("{} = {}", column.name, text.map_or_else(|_| "?".to_owned(), |v| v.sql))
    });
    parts.collect::<Vec<String>>().join(" AND ")
}
