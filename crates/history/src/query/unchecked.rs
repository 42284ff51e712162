//! Changes that are not compared yet with what was before them: what they could contradict is not
//! answered.
//!
//! A change whose row before it is not the row that the change before had left tells of a change
//! between the two that is not in the log. While the agent is behind its log, that is looked at
//! later (`ingest::unchecked`).

use super::question::Question;
use super::{History, Refusal};
use crate::engine::Table;
use crate::image;
use crate::schema::DefinitionId;
use crate::store::{CurrentRow, is_unchecked, version_key};
use dbtrail_types::agent_api::code;
use std::borrow::Cow;

impl History {
    /// What is asked of a window, or of what a transaction did, is certain.
    ///
    /// # Errors
    /// Not all changes are compared yet with what was before them.
    pub(crate) fn all_compared(&self) -> Result<(), Refusal> {
        if !self.unchecked {
            return Ok(());
        }
        let why = "the agent has more of the log to take in than it can just now, and not every change is compared with what was before it: ask again in a moment (rows of an instant are answered meanwhile)";
        Err(Refusal::new(503, code::OVERLOADED, why.to_owned()))
    }

    fn comparable<'a>(&self, id: DefinitionId, row: &'a [u8]) -> Cow<'a, [u8]> {
        match self.catalog.uncompared(id) {
            [] => Cow::Borrowed(row),
            uncompared => Cow::Owned(image::without(row, uncompared)),
        }
    }
}

impl Question<'_> {
    /// The first change of a key after the position fits what is known of the key there.
    ///
    /// # Errors
    /// It tells of another row: one that was changed without the log.
    pub(super) fn next_fits(&self, key: &[u8], last: Option<&CurrentRow>) -> Result<(), Refusal> {
        let history = self.history;
        if !history.unchecked {
            return Ok(());
        }
        let (versions, generation) = (history.versions(), self.found.generation_id);
        let Some(next) = versions.first(generation, key, (self.cut.at, history.end))? else { return Ok(()) };
        let stored = history.snapshot.get(Table::Versions, &version_key(generation, key, next.sequence))?;
        if !stored.is_some_and(|value| is_unchecked(&value)) {
            return Ok(());
        }
        let Some(is) = next.row_before() else { return Ok(()) };
        let same = |under: DefinitionId, was: &[u8]| {
            under != next.definition
                || history.comparable(under, was) == history.comparable(under, is.bytes())
        };
        let fits = match last {
            Some(last) => last.row.as_ref().is_some_and(|was| same(last.definition, was.bytes())),
            None if self.found.generation.complete => false,
            None => {
                versions.base(generation, key)?.is_none_or(|base| same(base.definition, base.row.bytes()))
            }
        };
        if fits {
            return Ok(());
        }
        let why = "a row before a change is not as what was recorded before it had left it";
        Err(super::unreadable(&self.name, &format!("the log contradicts itself about {}: {why}", self.name)))
    }
}
