//! Row changes to versions.

mod again;
mod definition;
mod made;
mod unplaced;

use super::Ingest;
use super::cascade::Parent;
use super::head_cache::CachedHead;
use super::images::{Images, Keyed};
use super::references::Referring;
use super::target::Target;
use super::unchecked::{Doubt, disagreement};
use crate::changes::Change;
use crate::engine::StoreError;
use crate::image::{self};
use crate::log::{Rows, RowsEvent, Statement, undecodable};
use crate::names::TableState;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, KeyMove, Version, put_unchecked, put_version, row_key};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;
use std::borrow::Cow;
use std::slice;
use std::sync::Arc;

impl Ingest {
    /// Takes the rows of an event in; `file`: where it is.
    pub(super) fn rows(&mut self, event: &RowsEvent, file: &str) -> Result<(), StoreError> {
        let mut rows = event.rows();
        let mut target = None;
        let mut first = true;
        // Rows that refer to rows that cannot be read were looked after.
        let mut lost = false;
        self.note_rows(event);
        self.statement_goes_on(event);
        if event.is_without_rows() {
            self.without_rows(event);
        }
        loop {
            let at = self.next;
            match rows.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => {
                    self.take_number();
                    let reason = undecodable(file, event.offset, &fault);
                    self.unfollowable(slice::from_ref(&event.table.name), &reason, at);
                    break;
                }
            }
            self.take_number();
            self.changes += 1;
            if std::mem::take(&mut first) {
                target = self.target(event, at);
            }
            if target.is_none() {
                self.noting.changed(&event.table.name, event.kind);
            }
            if let Some(known) = &target
                && !self.row(event, &rows, known, at)?
            {
                // It cannot be read from here on.
                target = None;
            }
            if target.as_ref().is_some_and(|t| !self.is_still(&event.table.name, t)) {
                // What a foreign key of it did to rows of its own is not known.
                target = self.target(event, self.next);
            }
            if target.is_none() && !std::mem::replace(&mut lost, true) {
                self.unreadable_parent(event, at);
            }
        }
        if event.statement.ends {
            self.statement_ends();
        }
        Ok(())
    }

    /// Takes an event in whose rows were not kept: its table is not captured, and rows that refer
    /// to its rows may have changed.
    fn without_rows(&mut self, event: &RowsEvent) {
        let at = self.take_number();
        self.changes += 1;
        if self.captures(&event.table.name) {
            // Which tables are captured is known to the reader of the log before its first event.
            let reason = "its rows were not kept when the log was read: a bug here";
            self.unfollowable(slice::from_ref(&event.table.name), reason, at);
        } else {
            self.target(event, at);
        }
        self.unreadable_parent(event, at);
    }

    /// The table of an event, if it can be read and has a key.
    fn target(&mut self, event: &RowsEvent, at: ChangeSequence) -> Option<Target> {
        let (generation, id) = self.readable(event, at)?;
        if event.kind == EventType::Insert && self.may_keep_no_rows(generation, id) {
            self.unfollowable(slice::from_ref(&event.table.name), definition::NO_ENGINE, at);
            return None;
        }
        let columns = self.columns_of(id)?;
        let roles = self.roles(&event.table.name);
        let keyed = !roles.keys.is_empty();
        let referring = keyed.then(|| Arc::new(Referring::of(roles.keys.clone(), &columns.definition)));
        columns.has_key().then_some(Target {
            generation,
            id,
            columns,
            referring,
            roles,
            row_end: self.catalog.row_end(id),
        })
    }

    /// Whether a table is the same as when its rows began to come: a foreign key that refers to it
    /// can change that.
    pub(super) fn is_still(&self, name: &TableName, target: &Target) -> bool {
        target.roles.children.is_empty()
            || self.names.current(name) == TableState::Table(target.generation, target.id)
    }

    /// Takes a row in; false: its table cannot be read any more.
    fn row(
        &mut self,
        event: &RowsEvent,
        rows: &Rows<'_>,
        target: &Target,
        at: ChangeSequence,
    ) -> Result<bool, StoreError> {
        let mut images = std::mem::take(&mut self.images);
        let kept = self.row_with(event, rows, target, at, &mut images);
        self.images = images;
        kept
    }

    fn row_with(
        &mut self,
        event: &RowsEvent,
        rows: &Rows<'_>,
        target: &Target,
        at: ChangeSequence,
        images: &mut Images,
    ) -> Result<bool, StoreError> {
        self.watch(rows, event);
        match images.read(rows, &target.columns) {
            Ok(images) => {
                let Some((kind, images)) = target.of_now((event.kind, event.table.server), images) else {
                    return Ok(true);
                };
                if [images.0, images.1].into_iter().flatten().any(|keyed| keyed.unplaced.is_some()) {
                    return self.unplaced(event, target, (kind, images), at);
                }
                if self.went_before(event, target, images)? {
                    return Ok(true);
                }
                self.noting.changed(&event.table.name, kind);
                if target.row_end.is_some() && !target.roles.children.is_empty() && images.0.is_some() {
                    self.unreadable_parent(event, at);
                }
                if !self.catalog.renames().is_empty() {
                    self.weigh(event, target, images)?;
                }
                for (key, version) in versions(kind, images, target.id, at).into_iter().flatten() {
                    let put_off = self.may_put_off(target, &version);
                    if let Some(doubt) = self.keep(target, key, &version, put_off)? {
                        self.doubt(&event.table.name, target.generation, &doubt, at);
                        return Ok(false);
                    }
                }
                let Statement { checks, logs_cascades, .. } = event.statement;
                if let (None, Some(before), after, false, true, false) = (
                    target.row_end,
                    images.0,
                    images.1,
                    target.roles.children.is_empty(),
                    checks,
                    logs_cascades,
                ) {
                    let parent = Parent {
                        table: &event.table.name,
                        definition: &target.columns.definition,
                        before: &before.image,
                        after: after.map(|a| a.image.as_slice()),
                        at,
                        depth: 0,
                    };
                    self.cascade(&parent, event, &target.roles)?;
                }
                Ok(true)
            }
            Err(error) if error.is_unknown_key() => {
                self.noting.changed(&event.table.name, event.kind);
                if let Some(generation) = self.generation_mut(target.generation) {
                    generation.unfindable.get_or_insert_with(|| error.to_string());
                }
                self.unreadable_parent(event, at);
                Ok(true)
            }
            Err(error) => {
                self.noting.changed(&event.table.name, event.kind);
                self.names_mut().set(&event.table.name, at, TableState::unreadable(error.to_string()));
                Ok(false)
            }
        }
    }

    /// Keeps a version, if it fits what was there. `put_off`: where that is not remembered, it is
    /// compared later.
    fn keep(
        &mut self,
        target: &Target,
        key: &[u8],
        version: &Version<&[u8]>,
        put_off: bool,
    ) -> Result<Option<Doubt>, StoreError> {
        let generation = target.generation;
        let fingerprint = |row: &&[u8]| self.recent.row(&self.comparable(version.definition, row));
        let before = version.row_before().map(fingerprint);
        let after = version.row_after().map(fingerprint);
        let fingerprint = self.recent.key(generation, key);
        let row = row_key(generation, key);
        let put_off = put_off && self.recent.find(fingerprint).is_none();
        let last =
            if put_off { None } else { self.last((generation, key), &row, fingerprint, before.is_none())? };
        let doubt = match &last {
            _ if put_off => None,
            Some(last) if self.restates(last, before) => None,
            Some(last) => disagreement(last, before, version.definition).map(|why| Doubt(last.sequence, why)),
            None => self.unlike_first((generation, key), version.definition, before)?,
        };
        if doubt.is_some() {
            return Ok(doubt);
        }
        // A key that had no row may have gone from the store with all of its versions, and a
        // range may reach over it since.
        if before.is_none() || last.is_none() {
            self.recent.absent_ranges.put(&row);
        }
        let there =
            last.filter(|l| before.is_some() && l.row == before && l.definition == version.definition);
        self.versions += 1;
        let depth = if put_off {
            self.unchecked.put_off();
            put_unchecked(&mut self.batch, (generation, key), version)
        } else {
            put_version(&mut self.batch, (generation, key), version, there.map(|last| last.depth))
        };
        self.index.note(&mut self.batch, Change { sequence: version.sequence, generation, key: Some(key) });
        let head =
            CachedHead { sequence: version.sequence, definition: version.definition, depth, row: after };
        self.recent.remember(fingerprint, head);
        if let Some(referring) = &target.referring {
            let after = version.row_after().map(|row| (*row, version.definition));
            let columns = &target.columns.definition;
            self.refer((generation, key), (referring, columns), version.row_before().copied(), after);
        }
        self.is_used(generation);
        self.commit_piece_if_full()?;
        Ok(None)
    }

    /// What two rows are compared by: all cells but those of generated columns, which follow from
    /// the others and are not in every row of the log, and of text that cannot be read.
    pub(super) fn comparable<'a>(&self, id: DefinitionId, row: &'a [u8]) -> Cow<'a, [u8]> {
        match self.catalog.uncompared(id) {
            [] => Cow::Borrowed(row),
            uncompared => Cow::Owned(image::without(row, uncompared)),
        }
    }
}

/// A version, and the key that sees it.
type KeyedVersion<'a> = (&'a [u8], Version<&'a [u8]>);

/// What each key sees of a change: a change of the key itself is seen by two.
fn versions<'a>(
    kind: EventType,
    images: (Option<&'a Keyed>, Option<&'a Keyed>),
    definition: DefinitionId,
    sequence: ChangeSequence,
) -> [Option<KeyedVersion<'a>>; 2] {
    let version = |key_move| Version {
        sequence,
        definition,
        kind,
        key_move,
        cause: None,
        before: images.0.map(|k| k.image.as_slice()),
        after: images.1.map(|k| k.image.as_slice()),
    };
    match images {
        (Some(b), Some(a)) if b.key != a.key => {
            [Some((&b.key, version(KeyMove::Left))), Some((&a.key, version(KeyMove::Arrived)))]
        }
        (before, after) => [after.or(before).map(|k| (k.key.as_slice(), version(KeyMove::Same))), None],
    }
}
