//! Changes of which the log has no images.

use super::super::Ingest;
use super::super::images::Keyed;
use super::super::not_followed::NotFollowed;
use super::super::target::Target;
use super::versions;
use crate::engine::StoreError;
use crate::ingest::unchecked::Doubt;
use crate::store::{ChangeSequence, Version};
use dbtrail_types::agent_api::EventType;

impl Ingest {
    /// Keeps a change of which the log has no images; the error says why that cannot be. `cause`:
    /// the change by which a foreign key made it.
    pub(in crate::ingest) fn keep_made(
        &mut self,
        target: &Target,
        (before, after): (&[u8], Option<&[u8]>),
        at: ChangeSequence,
        cause: Option<ChangeSequence>,
    ) -> Result<Result<(), NotFollowed>, StoreError> {
        self.keep_change(target, (Some(before), after), at, cause)
    }

    /// The same of a row that may come, too; one of the two rows is there.
    pub(in crate::ingest) fn keep_change(
        &mut self,
        target: &Target,
        (before, after): (Option<&[u8]>, Option<&[u8]>),
        at: ChangeSequence,
        cause: Option<ChangeSequence>,
    ) -> Result<Result<(), NotFollowed>, StoreError> {
        let keyed = |row: &[u8]| Keyed::of(row, &target.columns);
        let read = before.map(keyed).transpose().and_then(|b| Ok((b, after.map(keyed).transpose()?)));
        let (before, after) = match read {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error.into())),
        };
        let kind = match (&before, &after) {
            (None, _) => EventType::Insert,
            (Some(_), Some(_)) => EventType::Update,
            (Some(_), None) => EventType::Delete,
        };
        for (key, version) in
            versions(kind, (before.as_ref(), after.as_ref()), target.id, at).into_iter().flatten()
        {
            let version = Version { cause, ..version };
            if let Some(Doubt(_, why)) = self.keep(target, key, &version, false)? {
                return Ok(Err(NotFollowed::Disagrees(why)));
            }
        }
        Ok(Ok(()))
    }
}
