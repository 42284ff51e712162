//! Whether a change fits what was before it, and changes of which that is looked at later.
//!
//! A row before a change that is not the row after the change before it tells of rows that changed
//! without the log. To look for the change before takes longer than all else of a change, where its
//! key is not remembered. Of an update both rows are in the log: it can be written without, as a
//! whole, and be compared when nothing else is to be done ([`Ingest::check_some`]), with the same
//! consequence. How far that is is kept with the record; where too many changes wait for it, no
//! more are put off. Until then nothing is answered that another change could contradict: a look-up
//! compares what it reads with the change after it, and what is asked of a window is refused
//! (`query::unchecked`).

use super::Ingest;
use super::head_cache::{CachedHead, Fingerprint};
use super::target::Target;
use crate::changes;
use crate::engine::{Snapshot, StoreError, Table};
use crate::names::TableState;
use crate::record::{Baseline, TableGeneration};
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, GenerationId, KeyMove, Version, Versions, is_unchecked, version_key};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;

/// Changes that may wait to be compared.
const MOST: u64 = 4_000_000;
/// Bytes of both rows of a change that is put off: wide rows are better written as what changed in
/// them, for which the version before is needed.
const WIDE: usize = 1024;

/// From which position on a table is in doubt, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt(pub(super) ChangeSequence, pub(super) &'static str);

/// Which changes are not compared yet with what was before them.
#[derive(Debug, Default)]
pub(super) struct Unchecked {
    /// Whether changes are put off at all: somebody must call [`Ingest::check_some`] then.
    on: bool,
    /// Whether the log has more than can be taken in just now.
    lagging: bool,
    /// None of the changes before this one.
    since: ChangeSequence,
    /// Some from there on.
    some: bool,
}

impl Unchecked {
    pub(super) fn put_off(&mut self) {
        self.some = true;
    }
}

/// A change that was compared and does not fit.
#[derive(Debug)]
pub(crate) struct Misfit {
    generation: GenerationId,
    doubt: Doubt,
}

impl Ingest {
    /// Changes may be put off from here on; all before this one were compared.
    pub(crate) fn put_off_since(&mut self, since: ChangeSequence) {
        self.unchecked = Unchecked { on: true, lagging: true, since, some: since < self.next };
    }

    /// Whether the log has more than can be taken in just now: only then are changes put off, since
    /// questions about windows wait until all are compared.
    pub(crate) fn is_lagging(&mut self, lagging: bool) {
        self.unchecked.lagging = lagging;
    }

    /// Before which change all were compared, as of now.
    pub(crate) fn checked(&mut self) -> ChangeSequence {
        if !self.unchecked.some {
            self.unchecked.since = self.next;
        }
        self.unchecked.since
    }

    /// Whether changes wait to be compared.
    pub(crate) fn has_unchecked(&self) -> bool {
        self.unchecked.on && self.unchecked.some
    }

    /// Whether a change of the log need not be compared at once.
    pub(super) fn may_put_off(&self, target: &Target, version: &Version<&[u8]>) -> bool {
        let Unchecked { on, lagging, since, .. } = self.unchecked;
        let (Some(before), Some(after)) = (version.before, version.after) else { return false };
        // Rows that are being read may be from after this change, and cannot be compared with it
        // later. What a statement deletes may be restated, and names that may be renamed are told
        // by their rows.
        let read = |generation: &TableGeneration| generation.baseline != Baseline::Reading;
        on && lagging
            && version.kind == EventType::Update
            && version.key_move == KeyMove::Same
            && before.len() + after.len() <= WIDE
            && self.next.0.saturating_sub(since.0) < MOST
            && self.under.deletes_since.is_none()
            && self.catalog.renames().is_empty()
            && self.generations.get(target.generation.0 as usize).is_some_and(read)
    }

    /// Compares some of the changes that were put off, which all are committed; those before
    /// `horizon` have nothing before them any more.
    pub(crate) fn check_some(
        &mut self,
        horizon: ChangeSequence,
        limit: usize,
    ) -> Result<Vec<Misfit>, StoreError> {
        let (snapshot, end) = (self.committed(), self.next);
        let (mut wanted, mut upto) = (Vec::new(), end);
        changes::between(&*snapshot, self.unchecked.since, end, &mut |change| {
            // Two changes may have one number: either both of them or none.
            if wanted.len() >= limit && upto != change.sequence {
                upto = change.sequence;
                return Ok(false);
            }
            upto = change.sequence;
            if let Some(key) = change.key {
                wanted.push((change.generation, key.to_vec(), change.sequence));
            }
            Ok(true)
        })?;
        let rest = wanted.len() >= limit && wanted.last().is_some_and(|(.., last)| *last < upto);
        let mut misfits = Vec::new();
        for (generation, key, sequence) in wanted.iter().filter(|(.., sequence)| *sequence > horizon) {
            if let Some(doubt) = self.misfit(&*snapshot, (*generation, key), *sequence)? {
                misfits.push(Misfit { generation: *generation, doubt });
            }
        }
        self.unchecked.since = if rest { upto } else { end };
        self.unchecked.some = rest;
        Ok(misfits)
    }

    /// In what a change that is kept does not fit what was before it, where that was not compared.
    fn misfit(
        &self,
        snapshot: &dyn Snapshot,
        (generation, key): (GenerationId, &[u8]),
        sequence: ChangeSequence,
    ) -> Result<Option<Doubt>, StoreError> {
        let Some(value) = snapshot.get(Table::Versions, &version_key(generation, key, sequence))? else {
            return Ok(None);
        };
        if !is_unchecked(&value) {
            return Ok(None);
        }
        let versions = Versions(snapshot);
        let Some(version) = versions.first(generation, key, (sequence, sequence.next()))? else {
            return Ok(None);
        };
        let fingerprint = |definition, row: &[u8]| self.recent.row(&self.comparable(definition, row));
        let before = version.row_before().map(|row| fingerprint(version.definition, row.bytes()));
        match versions.newest_before(generation, key, sequence)? {
            Some(held) => {
                let row = held.row.as_ref().map(|row| fingerprint(held.definition, row.bytes()));
                let last = super::HeadCache::head(&held, row);
                Ok(disagreement(&last, before, version.definition).map(|why| Doubt(last.sequence, why)))
            }
            None => self.unlike_first_of(snapshot, (generation, key), version.definition, before),
        }
    }

    /// The same of the first recorded change of a key. All changes up to the end of the reading of
    /// the table are recorded, so a key without one had the row of the baseline until now.
    pub(super) fn unlike_first(
        &mut self,
        key: (GenerationId, &[u8]),
        definition: DefinitionId,
        before: Option<Fingerprint>,
    ) -> Result<Option<Doubt>, StoreError> {
        let snapshot = self.committed();
        self.unlike_first_of(&*snapshot, key, definition, before)
    }

    fn unlike_first_of(
        &self,
        snapshot: &dyn Snapshot,
        (generation, key): (GenerationId, &[u8]),
        definition: DefinitionId,
        before: Option<Fingerprint>,
    ) -> Result<Option<Doubt>, StoreError> {
        // Of a new row nothing is looked up: that took longer than all else of it.
        let (Some(is), Some(known)) = (before, self.generations.get(generation.0 as usize)) else {
            return Ok(None);
        };
        if known.complete {
            return Ok(Some(Doubt(known.started, "a row is changed that was never put into the table")));
        }
        if known.baseline == Baseline::None {
            return Ok(None);
        }
        let Some(base) = Versions(snapshot).base(generation, key)? else { return Ok(None) };
        let was = self.recent.row(&self.comparable(base.definition, base.row.bytes()));
        let differs = base.definition == definition && is != was;
        let why = "a row before its first change is not as it was read from the table";
        Ok(differs.then_some(Doubt(known.started, why)))
    }

    /// What was found of changes that were put off: the table cannot be read from the last position
    /// that was known, and its record begins again after all that was taken in.
    pub(crate) fn misfits(&mut self, misfits: &[Misfit]) {
        for Misfit { generation, doubt } in misfits {
            let is_of = |state: &TableState| matches!(state, TableState::Table(of, _) if of == generation);
            let of = |state: Option<&(ChangeSequence, TableState)>| state.is_some_and(|(_, s)| is_of(s));
            let now = self.names.iter().find(|(_, states)| of(states.last()));
            let ever = || self.names.iter().find(|(_, states)| states.iter().any(|(_, s)| is_of(s)));
            let Some(name) = now.or_else(ever).map(|(name, _)| name.clone()) else { continue };
            if is_of(&self.names.current(&name)) {
                // A number of its own: the table holds from after it on.
                let noticed = self.take_number();
                self.doubt(&name, *generation, doubt, noticed);
            } else {
                self.doubt_generation(*generation, doubt, &name);
            }
        }
    }

    pub(super) fn doubt(
        &mut self,
        name: &TableName,
        generation: GenerationId,
        doubt: &Doubt,
        at: ChangeSequence,
    ) {
        let reason = self.doubt_generation(generation, doubt, name);
        self.names_mut().set(name, at, TableState::unreadable(reason));
    }

    fn doubt_generation(&mut self, generation: GenerationId, doubt: &Doubt, name: &TableName) -> String {
        let reason = format!("the log contradicts itself about {name}: {}", doubt.1);
        if let Some(generation) = self.generation_mut(generation)
            && generation.doubt.as_ref().is_none_or(|(from, _)| doubt.0 < *from)
        {
            generation.doubt = Some((doubt.0, reason.clone()));
        }
        reason
    }
}

/// In what a change does not fit what its key held; `before`: the fingerprint of the row before it.
pub(super) fn disagreement(
    last: &CachedHead,
    before: Option<Fingerprint>,
    definition: DefinitionId,
) -> Option<&'static str> {
    match (last.row, before) {
        (Some(_), None) => Some("a row is made with a key that has one already"),
        (None, Some(_)) => Some("a row is changed that is not there"),
        (Some(was), Some(is)) if last.definition == definition && was != is => {
            Some("a row before a change is not as the change before it had left it")
        }
        _ => None,
    }
}
