//! Each change of a key by itself.

use super::super::{History, Refusal};
use crate::store::{ChangeSequence, EncodedKey, GenerationId};

/// Each change by itself.
#[derive(Debug, Default)]
pub(super) struct SingleChanges {
    pub(super) generations: Vec<GenerationId>,
    pub(super) emptied: Vec<ChangeSequence>,
    pub(super) derived_only: bool,
    /// The key at hand, from where on its changes are still to be given, and whether somebody
    /// changed it since.
    pub(super) at: Option<(EncodedKey, ChangeSequence, bool)>,
}

impl SingleChanges {
    /// The next change of a key, and its cause.
    pub(super) fn next(
        &self,
        history: &History,
        key: &EncodedKey,
        (from, to): (ChangeSequence, ChangeSequence),
    ) -> Result<Option<(ChangeSequence, Option<ChangeSequence>)>, Refusal> {
        let versions = history.versions();
        let mut found: Option<(ChangeSequence, Option<ChangeSequence>)> = None;
        let emptied = self.emptied.iter().filter(|at| (from..to).contains(at) && !self.derived_only);
        let mut keep = |at, cause| {
            if found.is_none_or(|(first, _)| at < first) {
                found = Some((at, cause));
            }
        };
        emptied.for_each(|at| keep(*at, None));
        for generation in &self.generations {
            let mut start = from;
            while let Some(version) = versions.first(*generation, key, (start, to))? {
                if !self.derived_only || version.is_derived() {
                    keep(version.sequence, version.cause);
                    break;
                }
                start = version.sequence.next();
            }
        }
        Ok(found)
    }
}
