//! What a statement logs of a row that it has changed already.

use super::super::Ingest;
use super::super::head_cache::{CachedHead, Fingerprint};
use super::super::images::Keyed;
use super::super::target::Target;
use crate::engine::StoreError;
use crate::log::RowsEvent;
use crate::store::row_key;

impl Ingest {
    /// Whether a row that goes is reported as it was before the same statement changed it. Seen on
    /// MySQL 9.7.4, where a row refers to itself by ON DELETE SET NULL: its log has that change,
    /// and then the row goes as it was before it.
    pub(super) fn restates(&self, last: &CachedHead, before: Option<Fingerprint>) -> bool {
        let since = self.under.deletes_since;
        before.is_some() && last.row.is_some() && since.is_some_and(|since| last.sequence >= since)
    }

    /// Whether a row goes that the same statement has removed already. Seen on MySQL 9.7.4, where
    /// `DELETE p, c FROM p JOIN c ...` names a table whose rows go with those of the other by a
    /// foreign key: its log has them twice, and the table twice among its table maps.
    pub(super) fn went_before(
        &mut self,
        event: &RowsEvent,
        target: &Target,
        (before, after): (Option<&Keyed>, Option<&Keyed>),
    ) -> Result<bool, StoreError> {
        let (Some(since), Some(before), None) = (self.under.deletes_since, before, after) else {
            return Ok(false);
        };
        let maps = event.statement.mapped.iter().filter(|mapped| mapped.name == event.table.name);
        if maps.count() < 2 {
            return Ok(false);
        }
        let row = row_key(target.generation, &before.key);
        let fingerprint = self.recent.key(target.generation, &before.key);
        let last = self.last((target.generation, &before.key), &row, fingerprint, false)?;
        Ok(last.is_some_and(|last| last.row.is_none() && last.sequence >= since))
    }
}
