//! Rows whose key has no known position.

use super::super::Ingest;
use super::super::images::Keyed;
use super::super::target::Target;
use super::versions;
use crate::engine::StoreError;
use crate::log::RowsEvent;
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::EventType;

impl Ingest {
    /// Takes a change in of a row that has no known position before it, or after it, or both: keys
    /// that may be its own are refused from now on. A key that it had or got, and that is known, is
    /// kept. False: the table cannot be read any more.
    pub(super) fn unplaced(
        &mut self,
        event: &RowsEvent,
        target: &Target,
        (kind, images): (EventType, (Option<&Keyed>, Option<&Keyed>)),
        at: ChangeSequence,
    ) -> Result<bool, StoreError> {
        self.noting.changed(&event.table.name, kind);
        let mut placed = None;
        for keyed in [images.0, images.1].into_iter().flatten() {
            match (&keyed.unplaced, self.generation_mut(target.generation)) {
                (Some(why), Some(generation)) => generation.unplace(&keyed.key, &why.to_string()),
                (Some(_), None) => {}
                (None, _) => placed = Some(&keyed.key),
            }
        }
        for (key, version) in versions(kind, images, target.id, at).into_iter().flatten() {
            if placed.is_some_and(|placed| placed == key)
                && let Some(doubt) = self.keep(target, key, &version, false)?
            {
                self.doubt(&event.table.name, target.generation, &doubt, at);
                return Ok(false);
            }
        }
        self.unreadable_parent(event, at);
        Ok(true)
    }
}
