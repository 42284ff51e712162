//! RENAMEs that may have been of a session's temporary table (see `schema::renames`): what comes
//! later tells what they did.
//!
//! That a table of a name is there, or is not, rules outcomes out, and so does a row that the table
//! which a name would mean cannot have. Where what the statement was taken to have done is ruled
//! out, all names that it leaves open are in doubt since.

use super::Ingest;
use super::images::Keyed;
use super::target::Target;
use crate::engine::StoreError;
use crate::log::RowsEvent;
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::{DefinitionId, Outcome, Rename};
use crate::store::{ChangeSequence, GenerationId, Versions, row_key};
use dbtrail_types::names::TableName;
use std::sync::Arc;

impl Ingest {
    /// The names of a RENAME that may have been of a temporary table count as touched, also where
    /// it is taken to have done nothing to them.
    pub(super) fn touch_renames(&mut self, at: ChangeSequence) {
        let new = self.catalog.renames().iter().rev().take_while(|rename| rename.at == at);
        let names = new.flat_map(|rename| rename.pairs.iter().flat_map(|(from, to)| [from, to]));
        self.dirty.touched.extend(names.cloned());
    }

    /// A table of this name is there.
    pub(super) fn is_there(&mut self, name: &TableName) {
        self.seen(name, true);
    }

    /// A table of this name is made, so that there was none before; what comes later is of the new
    /// one.
    pub(super) fn is_made(&mut self, name: &TableName) {
        self.seen(name, false);
        self.is_past(name);
    }

    /// From here on a name means something else than what RENAMEs before made of it.
    pub(super) fn is_past(&mut self, name: &TableName) {
        let speaks = |r: &Rename| r.speaks_of(name) && !r.past.contains(name);
        if self.catalog.renames().iter().any(speaks) {
            self.dirty.catalog = true;
            let renames = Arc::make_mut(&mut self.catalog).renames_mut();
            for rename in renames.iter_mut().filter(|r| speaks(r)) {
                rename.past.push(name.clone());
            }
        }
    }

    /// A table of this name was seen to be there, or not to be.
    fn seen(&mut self, name: &TableName, there: bool) {
        let last = self.catalog.renames().iter().rev().find(|r| r.speaks_of(name));
        if let Some(at) = last.filter(|r| !r.past.contains(name)).map(|r| r.at) {
            self.rule_out(name, at, |outcome| outcome.get(name).is_some_and(Option::is_some) != there);
        }
    }

    /// The server was looked at, and has a table of this name or has none.
    pub(crate) fn looked_for(&mut self, name: &TableName, there: bool) {
        self.seen(name, there);
    }

    /// Some outcomes of the RENAME at this position that speaks of the name are none.
    fn rule_out(&mut self, name: &TableName, at: ChangeSequence, wrong: impl Fn(&Outcome) -> bool) {
        let renames = self.catalog.renames();
        let Some(position) = renames.iter().position(|r| r.at == at && r.speaks_of(name)) else { return };
        let Some(rename) = renames.get(position) else { return };
        if !rename.outcomes.iter().any(&wrong) {
            return;
        }
        self.dirty.catalog = true;
        let taken_wrong = rename.outcomes.first().is_none_or(&wrong);
        let left = rename.outcomes.iter().filter(|outcome| !wrong(outcome)).count();
        let all = Arc::make_mut(&mut self.catalog).renames_mut();
        if taken_wrong {
            let rename = all.remove(position);
            self.was_temporary(&rename);
        } else if left == 1 {
            let rename = all.remove(position);
            self.was_as_taken(&rename, &wrong);
        } else if let Some(rename) = all.get_mut(position) {
            rename.outcomes.retain(|outcome| !wrong(outcome));
        }
    }

    /// What was recorded is what the statement did: tables that it took elsewhere were there before
    /// it, which tells of the RENAME before.
    fn was_as_taken(&mut self, rename: &Rename, wrong: &dyn Fn(&Outcome) -> bool) {
        let Some(outcome) = rename.outcomes.iter().find(|outcome| !wrong(outcome)) else { return };
        for (now, before) in outcome {
            let Some(before) = before.as_ref().filter(|before| *before != now) else { continue };
            let earlier = self.catalog.renames().iter().rev();
            let earlier = earlier.filter(|r| r.at < rename.at).find(|r| r.speaks_of(before)).map(|r| r.at);
            if let Some(at) = earlier {
                let before = before.clone();
                self.rule_out(&before, at, |outcome| outcome.get(&before).is_some_and(Option::is_none));
            }
        }
    }

    /// What was recorded as done by a RENAME was not done, or not all of it.
    fn was_temporary(&mut self, rename: &Rename) {
        let list: Vec<String> = rename.pairs.iter().map(|(from, to)| format!("{from} TO {to}")).collect();
        let reason = format!(
            "the log has RENAME TABLE {}, and by what comes after it it was that of a temporary table, which MariaDB logs without a mark",
            list.join(", ")
        );
        let names = rename.outcomes.first().into_iter().flat_map(|outcome| outcome.keys());
        for name in names.filter(|name| rename.leaves_open(name)) {
            self.names_mut().doubt(name, rename.at, &reason);
        }
    }

    /// A row of a name that a RENAME leaves open: tables that cannot have had it before are not
    /// what the name means.
    pub(super) fn weigh(
        &mut self,
        event: &RowsEvent,
        target: &Target,
        (before, after): (Option<&Keyed>, Option<&Keyed>),
    ) -> Result<(), StoreError> {
        let name = &event.table.name;
        let last = self.catalog.renames().iter().rev().find(|r| r.speaks_of(name));
        let Some(rename) = last.filter(|r| !r.past.contains(name)).cloned() else { return Ok(()) };
        let meant = |outcome: &Outcome| outcome.get(name).cloned().flatten();
        let taken = rename.outcomes.first().and_then(meant);
        let mut others: Vec<TableName> = rename.outcomes.iter().filter_map(meant).collect();
        others.sort();
        others.dedup();
        for other in others.into_iter().filter(|other| Some(other) != taken.as_ref()) {
            let table_state = self.names.at(&other, rename.at).map(|(_, table_state)| table_state.clone());
            let Some(TableState::Table(generation, definition)) = table_state else { continue };
            let keyed = (before.or(after), before);
            if self.cannot_have(event, (target, definition), generation, keyed)? {
                self.rule_out(name, rename.at, |outcome| meant(outcome).as_ref() == Some(&other));
            }
        }
        Ok(())
    }

    /// Whether a table of this definition and generation cannot have had this row, or had one where
    /// none may have been.
    fn cannot_have(
        &mut self,
        event: &RowsEvent,
        (target, definition): (&Target, DefinitionId),
        generation: GenerationId,
        (keyed, before): (Option<&Keyed>, Option<&Keyed>),
    ) -> Result<bool, StoreError> {
        let columns = self.catalog.definition(definition).cloned();
        if columns.as_deref() != Some(&*target.columns.definition) {
            let mut other = (*self.catalog).clone();
            return Ok(other.would_reconcile(definition, &event.table).is_err());
        }
        let Some(keyed) = keyed else { return Ok(false) };
        let row = row_key(generation, &keyed.key);
        let fingerprint = self.recent.key(generation, &keyed.key);
        let is = before.map(|b| self.recent.row(&self.comparable(target.id, &b.image)));
        let known = self
            .generations
            .get(generation.0 as usize)
            .is_some_and(|s| s.doubt.is_none() && s.not_found_by_key().is_none());
        if let Some(last) = self.last((generation, &keyed.key), &row, fingerprint, false)? {
            return Ok(known && last.definition == definition && last.row != is);
        }
        let state = self.generations.get(generation.0 as usize).map(|s| (s.complete, s.baseline));
        match state {
            Some((true, _)) => Ok(known && is.is_some()),
            Some((false, Baseline::Complete)) => {
                let snapshot = self.committed();
                let base = Versions(&*snapshot).base(generation, &keyed.key)?;
                if base.as_ref().is_some_and(|base| base.definition != definition) {
                    return Ok(false);
                }
                let was = base.map(|b| self.recent.row(&self.comparable(definition, b.row.bytes())));
                Ok(known && was != is)
            }
            _ => Ok(false),
        }
    }
}
