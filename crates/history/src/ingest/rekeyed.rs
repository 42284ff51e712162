//! Rows that get another key, as their table does (ALTER TABLE).
//!
//! Where all rows of the table are known, each is a row of the baseline under its new key, as if
//! the table had been read right after the statement. Else they are read again, or are unknown
//! until they change.

use super::Ingest;
use super::all_rows::RowsTaken;
use super::images::base_key;
use super::not_followed::NotFollowed;
use crate::engine::StoreError;
use crate::image::Image;
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::Effect;
use crate::store::{BaseRow, EncodedKey, put_base};
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;

/// A row that is kept, and the same under the definition that gives it its key.
type Rekeyed = (BaseRow, Image);

impl Ingest {
    /// What all rows of a table will be found by, after a statement that changes its key; `None`:
    /// it does not, or not all of them are known.
    pub(super) fn rekeyed(
        &mut self,
        effect: &Effect,
    ) -> Result<Option<BTreeMap<EncodedKey, Rekeyed>>, StoreError> {
        let Effect::Altered(name, new) = effect else { return Ok(None) };
        let new = *new;
        let TableState::Table(generation, old) = self.names.current(name) else { return Ok(None) };
        if self.catalog.same_key(old, new) || self.is_known(generation).is_err() {
            return Ok(None);
        }
        let keyed = self.columns_of(old).is_some_and(|columns| columns.has_key());
        let Some(columns) = self.columns_of(new).filter(|columns| keyed && columns.has_key()) else {
            return Ok(None);
        };
        let definition = &columns.definition;
        let (mut rows, mut taken) = (BTreeMap::new(), RowsTaken::default());
        let found = self.each_row(generation, |ingest, row, under| {
            let carried = ingest.catalog.carry(under, new, ingest.catalog.unpack(under, &row))?;
            let unknown = carried.iter().any(Result::is_err);
            let image = Image::pack_known(&carried);
            let cells: Vec<_> = carried.into_iter().map(|cell| cell.ok().flatten()).collect();
            let key = base_key(definition, &cells)?;
            // A cell that is not known now says why, when it is asked for.
            let base = if unknown {
                BaseRow { definition: under, row }
            } else {
                BaseRow { definition: new, row: image.clone() }
            };
            taken.add(base.row.bytes().len() + image.bytes().len())?;
            // The server would have refused the statement: what is known of the rows is not so.
            if rows.insert(key, (base, image)).is_some() { Err(NotFollowed::OneKey) } else { Ok(()) }
        })?;
        Ok(found.is_ok().then_some(rows))
    }

    /// Whether the record has the whole life of the table of this name.
    pub(super) fn is_recorded(&self, name: &TableName) -> bool {
        let TableState::Table(generation, _) = self.names.current(name) else { return false };
        self.generations.get(generation.0 as usize).is_some_and(|known| known.complete || known.rekeyed)
    }

    /// Keeps the rows under their new keys; `recorded`: all of them come of recorded changes.
    pub(super) fn keep_rekeyed(
        &mut self,
        name: &TableName,
        rows: BTreeMap<EncodedKey, Rekeyed>,
        recorded: bool,
    ) -> Result<(), StoreError> {
        let TableState::Table(generation, definition) = self.names.current(name) else { return Ok(()) };
        let mut kept = Vec::with_capacity(rows.len());
        for (key, (base, image)) in rows {
            put_base(&mut self.batch, generation, &key, &base);
            kept.push((key, image));
        }
        self.refer_base(name, generation, definition, &kept)?;
        if let Some(generation) = self.generation_mut(generation) {
            generation.baseline = Baseline::Complete;
            generation.rekeyed = recorded;
        }
        // The rows of the next entry are compared with these.
        self.pending.wants_commit = true;
        Ok(())
    }
}
