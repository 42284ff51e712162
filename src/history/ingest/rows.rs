//! Row changes to versions.

use super::recent::{Print, Trace};
use super::{Ingest, NOT_CAPTURED};
use crate::agent_api::EventType;
use crate::column::TableDefinition;
use crate::history::engine::StoreError;
use crate::history::image::Image;
use crate::history::key::{self, KeyError};
use crate::history::log::{Raw, RowChange};
use crate::history::names::Standing;
use crate::history::record::Space;
use crate::history::schema::DefinitionId;
use crate::history::store::{Sequence, Side, SpaceId, Version, put_version};
use crate::history::value;
use crate::reply::Row;
use std::sync::Arc;

/// A row of the server's table as the baseline keeps it: its key's bytes.
pub(in crate::history) fn base_key(definition: &TableDefinition, row: &Row) -> Result<Box<[u8]>, String> {
    stored_key(definition, row).map_err(|trouble| match trouble {
        Trouble::Unreadable(why) | Trouble::Uncertain(why) => why,
    })
}

/// A row with its key.
struct Keyed {
    image: Image,
    key: Box<[u8]>,
}

/// Why a row cannot be kept.
enum Trouble {
    /// The table cannot be read from this row on.
    Unreadable(String),
    /// Its key has no certain place: rows of the table cannot be found by key.
    Uncertain(String),
}

/// From which place on a table is in doubt, and why.
struct Doubt(Sequence, &'static str);

impl Ingest {
    pub(super) fn row(&mut self, change: &RowChange, at: Sequence) -> Result<(), StoreError> {
        let Some((space, definition)) = self.readable(change, at) else { return Ok(()) };
        let Some(known) = self.catalog.definition(definition).cloned() else { return Ok(()) };
        if known.primary_key.is_empty() {
            return Ok(());
        }
        let positions = self.catalog.source_positions(definition);
        let keyed = |image: &Option<Vec<Option<Raw>>>| {
            image.as_ref().map(|i| keyed(i, &known, positions)).transpose()
        };
        let images = keyed(&change.before).and_then(|before| Ok((before, keyed(&change.after)?)));
        match images {
            Ok((before, after)) => {
                for (key, version) in versions(change.kind, (before, after), definition, at) {
                    if let Some(doubt) = self.keep(space, &key, &version)? {
                        self.doubt(change, space, &doubt, at);
                        break;
                    }
                }
            }
            Err(Trouble::Uncertain(reason)) => {
                if let Some(space) = self.space_mut(space) {
                    space.uncertain.get_or_insert(reason);
                }
            }
            Err(Trouble::Unreadable(reason)) => {
                self.names_mut().set(&change.table.name, at, Standing::Unreadable(reason));
            }
        }
        Ok(())
    }

    /// Incarnation and definition of the table of a row; `None`: it cannot be read (and that is now noted).
    fn readable(&mut self, change: &RowChange, at: Sequence) -> Option<(SpaceId, DefinitionId)> {
        let name = &change.table.name;
        let standing = self.names.current(name);
        if matches!(standing, Standing::Unreadable(_)) {
            return None;
        }
        if !self.captures(name) {
            self.names_mut().set(name, at, Standing::Unreadable(NOT_CAPTURED.to_owned()));
            return None;
        }
        let definition = match self.definition_of(change) {
            Ok(definition) => definition,
            Err(reason) => {
                self.names_mut().set(name, at, Standing::Unreadable(reason));
                return None;
            }
        };
        match standing {
            Standing::Table(space, same) if same == definition => Some((space, definition)),
            Standing::Table(space, other) => {
                let space = self.continued(space, other, definition, at);
                self.names_mut().set(name, at, Standing::Table(space, definition));
                Some((space, definition))
            }
            Standing::Unknown { empty } => {
                let started = self.names.history(name).last().map_or(Sequence(0), |(from, _)| *from);
                let space = self.new_space(Space::new(definition, started, empty));
                self.names_mut().learn(name, space, definition);
                Some((space, definition))
            }
            Standing::Absent => {
                let reason =
                    format!("the log has a row of {name}, which by its own statements does not exist there");
                self.names_mut().set(name, at, Standing::Unreadable(reason));
                None
            }
            Standing::Unreadable(_) => None,
        }
    }

    fn definition_of(&mut self, change: &RowChange) -> Result<DefinitionId, String> {
        let table = &change.table;
        if let Some((seen, definition)) = self.observed.get(&table.name)
            && (Arc::ptr_eq(seen, table) || seen == table)
        {
            return Ok(*definition);
        }
        self.dirty.catalog = true;
        let definition = Arc::make_mut(&mut self.catalog).observe(table)?;
        self.observed.insert(table.name.clone(), (table.clone(), definition));
        Ok(definition)
    }

    /// The incarnation under a new definition: the same one as long as the key is the same.
    pub(super) fn continued(
        &mut self,
        space: SpaceId,
        old: DefinitionId,
        new: DefinitionId,
        at: Sequence,
    ) -> SpaceId {
        if self.catalog.same_key(old, new) {
            return space;
        }
        self.new_space(Space { before: Some(space), ..Space::new(new, at, false) })
    }

    /// Keeps a version, if it fits what was there.
    fn keep(&mut self, space: SpaceId, key: &[u8], version: &Version) -> Result<Option<Doubt>, StoreError> {
        let print = self.recent.key(space, key);
        let last = self.last(space, key, print)?;
        let before = version.row_before().map(|row| self.recent.row(row));
        let complete_since = self.spaces.get(space.0 as usize).filter(|s| s.complete).map(|s| s.started);
        let doubt = match (&last, complete_since) {
            (Some(last), _) => {
                disagreement(last, before, version.definition).map(|why| Doubt(last.sequence, why))
            }
            (None, Some(started)) if before.is_some() => {
                Some(Doubt(started, "a row is changed that was never put into the table"))
            }
            (None, _) => None,
        };
        if doubt.is_some() {
            return Ok(doubt);
        }
        let known =
            last.is_some_and(|l| before.is_some() && l.row == before && l.definition == version.definition);
        self.versions += 1;
        put_version(&mut self.batch, (space, key), version, known);
        self.recent.has(space, key);
        let row = version.row_after().map(|row| self.recent.row(row));
        let trace = Trace { sequence: version.sequence, definition: version.definition, row };
        self.recent.remember(print, trace);
        Ok(None)
    }

    fn doubt(&mut self, change: &RowChange, space: SpaceId, doubt: &Doubt, at: Sequence) {
        let name = &change.table.name;
        let reason = format!("the log contradicts itself about {name}: {}", doubt.1);
        self.names_mut().set(name, at, Standing::Unreadable(reason.clone()));
        if let Some(space) = self.space_mut(space)
            && space.doubt.as_ref().is_none_or(|(from, _)| doubt.0 < *from)
        {
            space.doubt = Some((doubt.0, reason));
        }
    }
}

/// What each key sees of a change.
fn versions(
    kind: EventType,
    images: (Option<Keyed>, Option<Keyed>),
    definition: DefinitionId,
    sequence: Sequence,
) -> Vec<(Box<[u8]>, Version)> {
    let version = |side, before: Option<&Keyed>, after: Option<&Keyed>| Version {
        sequence,
        definition,
        kind,
        side,
        before: before.map(|k| k.image.clone()),
        after: after.map(|k| k.image.clone()),
    };
    match images {
        (Some(b), Some(a)) if b.key != a.key => {
            let (left, arrived) =
                (version(Side::Left, Some(&b), Some(&a)), version(Side::Arrived, Some(&b), Some(&a)));
            vec![(b.key, left), (a.key, arrived)]
        }
        (before, after) => {
            let version = version(Side::Same, before.as_ref(), after.as_ref());
            after.or(before).map(|k| (k.key, version)).into_iter().collect()
        }
    }
}

/// In what a change does not fit what its key held; `before`: the fingerprint of the row before it.
fn disagreement(last: &Trace, before: Option<Print>, definition: DefinitionId) -> Option<&'static str> {
    match (last.row, before) {
        (Some(_), None) => Some("a row is made with a key that has one already"),
        (None, Some(_)) => Some("a row is changed that is not there"),
        (Some(was), Some(is)) if last.definition == definition && was != is => {
            Some("a row before a change is not as the change before it had left it")
        }
        _ => None,
    }
}

/// Decodes an image and encodes its key.
fn keyed(image: &[Option<Raw>], definition: &TableDefinition, positions: &[usize]) -> Result<Keyed, Trouble> {
    let mut row: Row = Vec::with_capacity(definition.columns.len());
    for (i, column) in definition.columns.iter().enumerate() {
        let name = &column.name;
        let raw = positions
            .get(i)
            .and_then(|p| image.get(*p))
            .ok_or_else(|| Trouble::Unreadable(format!("a row in the log has no place for column {name}")))?;
        let raw = raw.as_ref().ok_or_else(|| {
            Trouble::Unreadable(format!(
                "rows are logged without all of their columns ({name} is missing): set binlog_row_image=FULL on the server"
            ))
        })?;
        row.push(value::cell(raw, column).map_err(|e| Trouble::Unreadable(e.to_string()))?);
    }
    let key = stored_key(definition, &row)?;
    Ok(Keyed { image: Image::pack(&row), key })
}

fn stored_key(definition: &TableDefinition, row: &Row) -> Result<Box<[u8]>, Trouble> {
    let mut key = Vec::new();
    for name in &definition.primary_key {
        let place = definition.position(name);
        let Some((column, Some(cell))) = place.map(|i| (&definition.columns[i], &row[i])) else {
            return Err(Trouble::Unreadable(format!(
                "key column {name} is hidden, or NULL in a row of the log"
            )));
        };
        key::encode_stored(column, cell, &mut key).map_err(|e| match e {
            KeyError::Type { .. } | KeyError::Uncertain { .. } => Trouble::Uncertain(e.to_string()),
            KeyError::NotAValue { .. } => Trouble::Unreadable(e.to_string()),
        })?;
    }
    Ok(key.into())
}
