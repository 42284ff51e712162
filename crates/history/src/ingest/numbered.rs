//! Rows whose key an ALTER TABLE gave a number: a column of it became AUTO_INCREMENT.

use super::Ingest;
use super::all_rows::RowsTaken;
use super::images::base_key;
use super::not_followed::NotFollowed;
use crate::engine::StoreError;
use crate::names::TableState;
use crate::number::is_zero;
use crate::record::Baseline;
use crate::schema::Effect;

impl Ingest {
    /// Whether a statement may give rows that are known other keys, since it makes a column of the
    /// key AUTO_INCREMENT.
    pub(super) fn numbers_keys(&mut self, effect: &Effect) -> Result<bool, StoreError> {
        let Effect::Altered(name, new) = effect else { return Ok(false) };
        let TableState::Table(generation, old) = self.names.current(name) else { return Ok(false) };
        let columns = self.catalog.numbered_keys(old, *new);
        // What becomes known under another key is looked at there.
        if columns.is_empty() || !self.catalog.same_key(old, *new) {
            return Ok(false);
        }
        // Rows that are on their way may be from before.
        if self.generations.get(generation.0 as usize).is_some_and(|g| g.baseline == Baseline::Reading) {
            return Ok(true);
        }
        let Some(known) = self.columns_of(old) else { return Ok(true) };
        if let ([column], [_]) = (columns.as_slice(), known.definition.primary_key.as_slice()) {
            let mut row = vec![None; known.definition.columns.len()];
            if let Some(cell) = row.get_mut(*column) {
                *cell = Some(b"0".to_vec());
            }
            return match base_key(&known.definition, &row) {
                Ok(key) => Ok(self.row_now(generation, &key)?.is_some()),
                Err(_) => Ok(true),
            };
        }
        let mut taken = RowsTaken::default();
        let found = self.each_row(generation, |ingest, row, under| {
            taken.add(0)?;
            let row = ingest.catalog.carry(under, old, ingest.catalog.unpack(under, &row))?;
            let zero = |at: &usize| {
                let cell = row.get(*at).and_then(|cell| cell.as_ref().ok());
                cell.is_none_or(|cell| cell.as_ref().is_some_and(|number| is_zero(number)))
            };
            if columns.iter().any(zero) { Err(NotFollowed::OneKey) } else { Ok(()) }
        })?;
        Ok(found.is_err())
    }
}
