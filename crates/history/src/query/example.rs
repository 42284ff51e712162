//! A row of the record, for a first statement to try.

use super::{Found, History};
use crate::names::TableState;
use crate::store::ChangeSequence;
use dbtrail_types::column::Column;
use dbtrail_types::names::TableName;

/// Tables looked at, at most.
const MAX_TABLES: usize = 200;
/// Keys of a table looked at, at most.
const MAX_KEYS: usize = 20;

/// A row that is there at the end of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The table of the row.
    pub table: TableName,
    /// Its key: columns in key order, each with its text.
    pub key: Vec<(Column, Vec<u8>)>,
}

impl History {
    /// A row that can be asked for at the end of the record; one of a table whose key is made of
    /// integers rather than of another. `None`: a short look found none.
    #[must_use]
    pub fn example(&self) -> Option<Example> {
        let named = |integers: bool| {
            let tables = self.names.iter().take(MAX_TABLES);
            tables.filter_map(move |(name, table_states)| {
                let Some((_, TableState::Table(generation, definition))) = table_states.last() else {
                    return None;
                };
                let found = self.found(name, *generation, *definition).ok()?;
                super::without_doubt(name, found.generation, ChangeSequence::END, None).ok()?;
                let key = found.definition.key_columns();
                let full_key = !key.is_empty() && key.len() == found.definition.primary_key.len();
                let is_integer = |c: &&Column| c.ty.is_integer();
                (full_key && key.iter().all(is_integer) == integers).then_some((name, found))
            })
        };
        named(true).chain(named(false)).find_map(|(name, found)| {
            let key = self.some_key(&found)?;
            Some(Example { table: name.clone(), key })
        })
    }

    /// The key of one of the first rows of a table.
    fn some_key(&self, found: &Found<'_>) -> Option<Vec<(Column, Vec<u8>)>> {
        let (versions, generation) = (self.versions(), found.generation_id);
        let window: (&[u8], &[u8]) = (&[], &[0xff; 64]);
        let read = versions.base_keys(generation, window, MAX_KEYS).ok()?;
        let changed = versions.keys(generation, window, self.end, MAX_KEYS).ok()?;
        read.iter().chain(&changed).find_map(|key| {
            let (row, under) = match versions.newest_before(generation, key, self.end).ok()? {
                Some(held) => (held.row?, held.definition),
                None => versions.base(generation, key).ok()?.map(|base| (base.row, base.definition))?,
            };
            // Of a row under another definition the cells are elsewhere.
            let row = (under == found.definition_id).then(|| self.catalog.unpack(under, &row))?;
            let columns = found.definition.primary_key.iter();
            let cells = columns.map(|name| {
                let at = found.definition.position(name)?;
                Some((found.definition.columns.get(at)?.clone(), row.get(at)?.clone().ok()??))
            });
            cells.collect()
        })
    }
}
