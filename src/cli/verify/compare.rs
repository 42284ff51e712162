//! Rows of the server against rows of the history.

use super::key::Key;
use super::source::Row;
use dbtrail_types::agent_api::{Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use serde::Serialize;
use std::collections::BTreeMap;

/// Characters of a value that are shown.
const SHOWN: usize = 80;

/// A row that is not what the history says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// `id = 5`.
    pub(super) key: String,
    /// What is different, in words.
    pub(super) what: String,
}

/// Whether a cell of the server is the one of the history. What the history does not know fits all.
fn same(column: &Column, server: Option<&[u8]>, history: &RowCell) -> bool {
    match (server, history) {
        (_, RowCell::Unknown(_)) | (None, RowCell::Null) => true,
        (Some(server), RowCell::Value(Octets(history))) => {
            server == history.as_slice() || is_float(column) && as_float(server) == as_float(history)
        }
        (None, RowCell::Value(_)) | (Some(_), RowCell::Null) => false,
    }
}

fn is_float(column: &Column) -> bool {
    matches!(column.ty, ColumnType::Float { digits: None, zerofill: false, .. })
}

/// The bits of a FLOAT, in whose text each side has digits of its own.
fn as_float(text: &[u8]) -> Option<u32> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "that is what a FLOAT is")]
    Some((number as f32).to_bits())
}

/// Whether two rows are the same, as far as the history knows it.
pub(super) fn same_row(definition: &TableDefinition, server: &Row, history: &RowLine) -> bool {
    let columns = definition.columns.iter().zip(server.iter().zip(history));
    server.len() == history.len()
        && columns.into_iter().all(|(column, (server, history))| same(column, server.as_deref(), history))
}

/// The key of a row of the server; `None`: it has none.
pub(super) fn key_of(positions: &[usize], row: &Row) -> Option<Key> {
    positions.iter().map(|position| row.get(*position)?.clone()).collect()
}

/// The key of a row of the history.
pub(super) fn key_in(positions: &[usize], row: &RowLine) -> Option<Key> {
    let value = |position: &usize| match row.get(*position)? {
        RowCell::Value(Octets(bytes)) => Some(bytes.clone()),
        RowCell::Null | RowCell::Unknown(_) => None,
    };
    positions.iter().map(value).collect()
}

/// The keys whose rows are not the same on both sides.
pub(super) fn differing(
    definition: &TableDefinition,
    server: &BTreeMap<Key, Row>,
    history: &BTreeMap<Key, RowLine>,
) -> Vec<Key> {
    let other = server
        .iter()
        .filter(|(key, row)| history.get(*key).is_none_or(|history| !same_row(definition, row, history)));
    let missing = history.keys().filter(|key| !server.contains_key(*key));
    other.map(|(key, _)| key).chain(missing).cloned().collect()
}

fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            let cut: String = text.chars().take(SHOWN).collect();
            if cut.len() < text.len() { format!("'{cut}...'") } else { format!("'{cut}'") }
        }
        Err(_) => format!("0x{}", hex::encode(bytes.get(..SHOWN / 2).unwrap_or(bytes))),
    }
}

/// `id = '5'`.
pub(super) fn shown_key(definition: &TableDefinition, key: &Key) -> String {
    let names = definition.primary_key.iter().zip(key);
    names.map(|(name, value)| format!("{name} = {}", shown(value))).collect::<Vec<_>>().join(", ")
}

/// What is different, for people.
pub(super) fn difference(
    definition: &TableDefinition,
    key: &Key,
    server: Option<&Row>,
    history: Option<&RowLine>,
) -> Difference {
    let what = match (server, history) {
        (Some(_), None) => "the server has this row, and the history has none".to_owned(),
        (None, Some(_)) => "the history has this row, and the server has none".to_owned(),
        (None, None) => "neither side has this row any more".to_owned(),
        (Some(server), Some(history)) => {
            let columns = definition.columns.iter().zip(server.iter().zip(history));
            let parts: Vec<String> = columns
                .filter(|(column, (server, history))| !same(column, server.as_deref(), history))
                .map(|(column, (server, history))| {
                    let server = server.as_deref().map_or_else(|| "NULL".to_owned(), shown);
                    let history = match history {
                        RowCell::Null => "NULL".to_owned(),
                        RowCell::Value(Octets(bytes)) => shown(bytes),
                        RowCell::Unknown(_) => "not known".to_owned(),
                    };
                    format!("{} is {server} on the server and {history} in the history", column.name)
                })
                .collect();
            parts.join(", ")
        }
    };
    Difference { key: shown_key(definition, key), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> TableDefinition {
        serde_json::from_value(serde_json::json!({"columns": [
            {"name": "id", "type": "int", "nullable": false},
            {"name": "f", "type": "float", "nullable": true},
            {"name": "d", "type": "double", "nullable": true}], "primary_key": ["id"]}))
        .unwrap()
    }

    fn cell(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    fn reported(text: &str) -> RowCell {
        RowCell::Value(Octets(text.as_bytes().to_vec()))
    }

    #[test]
    fn cells_are_compared_as_what_they_are() {
        let definition = definition();
        let server = vec![Some(cell("1")), Some(cell("0.10000000149011612")), None];
        assert!(same_row(&definition, &server, &vec![reported("1"), reported("0.1"), RowCell::Null]));
        assert!(same_row(
            &definition,
            &server,
            &vec![reported("1"), RowCell::Unknown("x".into()), RowCell::Null]
        ));
        for other in [
            vec![reported("1"), reported("0.10000002"), RowCell::Null],
            vec![reported("1"), reported("0.1"), reported("")],
            vec![reported("01"), reported("0.1"), RowCell::Null],
        ] {
            assert!(!same_row(&definition, &server, &other), "{other:?}");
        }
        let doubles = vec![Some(cell("1")), None, Some(cell("0.10000000149011612"))];
        assert!(!same_row(&definition, &doubles, &vec![reported("1"), RowCell::Null, reported("0.1")]));
    }

    #[test]
    fn rows_of_one_side_alone_are_found() {
        let definition = definition();
        let row = |id: &str| vec![Some(cell(id)), None, None];
        let line = |id: &str| vec![reported(id), RowCell::Null, RowCell::Null];
        let key = |id: &str| vec![id.as_bytes().to_vec()];
        let server = BTreeMap::from([(key("1"), row("1")), (key("2"), row("2"))]);
        let history = BTreeMap::from([(key("1"), line("1")), (key("3"), line("3"))]);
        assert_eq!(differing(&definition, &server, &history), [key("2"), key("3")]);
        let reported = difference(&definition, &key("2"), server.get(&key("2")), None);
        assert_eq!(reported.key, "id = '2'");
        assert_eq!(reported.what, "the server has this row, and the history has none");
    }
}
