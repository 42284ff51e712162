//! Row changes to versions.

use super::recent::{Print, Trace};
use super::{Ingest, NOT_CAPTURED};
use crate::agent_api::EventType;
use crate::column::TableDefinition;
use crate::history::engine::StoreError;
use crate::history::image;
use crate::history::key::{self, KeyError};
use crate::history::log::{MappedTable, Raw, Rows, RowsEvent, undecodable};
use crate::history::names::Standing;
use crate::history::record::Space;
use crate::history::schema::DefinitionId;
use crate::history::store::{Sequence, Side, SpaceId, Version, put_version, row_key};
use crate::history::value;
use crate::ident::TableName;
use crate::reply::Row;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// A row of the server's table as the baseline keeps it: its key's bytes.
pub(in crate::history) fn base_key(definition: &TableDefinition, row: &Row) -> Result<Box<[u8]>, String> {
    let mut key = Vec::new();
    let cell = |i: usize| row.get(i).and_then(|cell| cell.as_deref());
    match stored_key(definition, &key_places(definition), cell, &mut key) {
        Ok(()) => Ok(key.into()),
        Err(Trouble::Unreadable(why) | Trouble::Uncertain(why)) => Err(why),
    }
}

/// Bytes that are kept for the next row, of what a large one needed.
const KEPT: usize = 1 << 20;

/// A row, packed, and the bytes of its key.
#[derive(Debug, Default)]
struct Keyed {
    image: Vec<u8>,
    key: Vec<u8>,
    /// Where the cells stand in the image; `None`: NULL.
    cells: Vec<Option<Range<usize>>>,
}

/// The row before and the row after a change. Kept from change to change for its memory.
#[derive(Debug, Default)]
pub(super) struct Images {
    before: Keyed,
    after: Keyed,
}

impl Images {
    /// Reads the images of a row: before the change, and after it.
    fn read(
        &mut self,
        rows: &Rows<'_>,
        columns: &Columns,
    ) -> Result<(Option<&Keyed>, Option<&Keyed>), Trouble> {
        let (before, after) = (rows.before(), rows.after());
        if let Some(image) = after {
            self.after.read(image, columns, None)?;
        }
        if let Some(image) = before {
            self.before.read(image, columns, after.map(|image| (image, &self.after)))?;
        }
        Ok((before.map(|_| &self.before), after.map(|_| &self.after)))
    }
}

/// A table that rows are of.
struct Target {
    space: SpaceId,
    id: DefinitionId,
    columns: Arc<Columns>,
}

/// A definition, and where its columns are.
#[derive(Debug)]
pub(super) struct Columns {
    definition: Arc<TableDefinition>,
    /// In the images of the log.
    positions: Vec<usize>,
    /// Of the key's, among the definition's.
    key: Vec<Option<usize>>,
    /// Which have text that is in UTF-8 already.
    plain: Vec<bool>,
}

impl Columns {
    fn new(definition: &Arc<TableDefinition>, positions: &[usize]) -> Self {
        Self {
            definition: Arc::clone(definition),
            positions: positions.to_vec(),
            key: key_places(definition),
            plain: definition.columns.iter().map(value::is_plain).collect(),
        }
    }
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
    /// Takes the rows of an event in; `file`: where it stands.
    pub(super) fn rows(&mut self, event: &RowsEvent, file: &str) -> Result<(), StoreError> {
        let mut rows = event.rows();
        let mut target = None;
        let mut first = true;
        loop {
            let at = self.next;
            match rows.step() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(fault) => {
                    self.take_number();
                    let reason = undecodable(file, event.offset, &fault);
                    self.unfollowable(slice::from_ref(&event.table.name), &reason, at);
                    return Ok(());
                }
            }
            self.take_number();
            self.changes += 1;
            if std::mem::take(&mut first) {
                target = self.target(&event.table, at);
            }
            if let Some(known) = &target
                && !self.row(event, &rows, known, at)?
            {
                // It cannot be read from here on.
                target = None;
            }
        }
    }

    /// The table of an event, if it can be read and has a key.
    fn target(&mut self, table: &Arc<MappedTable>, at: Sequence) -> Option<Target> {
        let (space, id) = self.readable(table, at)?;
        let columns = if let Some(known) = self.columns.get(&id) {
            Arc::clone(known)
        } else {
            let definition = self.catalog.definition(id)?;
            let columns = Arc::new(Columns::new(definition, self.catalog.source_positions(id)));
            self.columns.insert(id, Arc::clone(&columns));
            columns
        };
        (!columns.key.is_empty()).then_some(Target { space, id, columns })
    }

    /// Takes a row in; false: its table cannot be read any more.
    fn row(
        &mut self,
        event: &RowsEvent,
        rows: &Rows<'_>,
        target: &Target,
        at: Sequence,
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
        at: Sequence,
        images: &mut Images,
    ) -> Result<bool, StoreError> {
        match images.read(rows, &target.columns) {
            Ok(images) => {
                for (key, version) in versions(event.kind, images, target.id, at).into_iter().flatten() {
                    if let Some(doubt) = self.keep(target.space, key, &version)? {
                        self.doubt(&event.table.name, target.space, &doubt, at);
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Err(Trouble::Uncertain(reason)) => {
                if let Some(space) = self.space_mut(target.space) {
                    space.uncertain.get_or_insert(reason);
                }
                Ok(true)
            }
            Err(Trouble::Unreadable(reason)) => {
                self.names_mut().set(&event.table.name, at, Standing::Unreadable(reason));
                Ok(false)
            }
        }
    }

    /// Incarnation and definition of the table of a row; `None`: it cannot be read (and that is now noted).
    fn readable(&mut self, table: &Arc<MappedTable>, at: Sequence) -> Option<(SpaceId, DefinitionId)> {
        let name = &table.name;
        let standing = self.names.current(name);
        if matches!(standing, Standing::Unreadable(_)) {
            return None;
        }
        if !self.captures(name) {
            self.names_mut().set(name, at, Standing::Unreadable(NOT_CAPTURED.to_owned()));
            return None;
        }
        let definition = match self.definition_of(table) {
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

    fn definition_of(&mut self, table: &Arc<MappedTable>) -> Result<DefinitionId, String> {
        if let Some((seen, definition)) = self.observed.get(&table.name)
            && (Arc::ptr_eq(seen, table) || seen == table)
        {
            return Ok(*definition);
        }
        self.dirty.catalog = true;
        let definition = Arc::make_mut(&mut self.catalog).observe(table)?;
        self.observed.insert(table.name.clone(), (Arc::clone(table), definition));
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
    fn keep(
        &mut self,
        space: SpaceId,
        key: &[u8],
        version: &Version<&[u8]>,
    ) -> Result<Option<Doubt>, StoreError> {
        let print = self.recent.key(space, key);
        let before = version.row_before().map(|row| self.recent.row(row));
        let row = row_key(space, key);
        let last = self.last((space, key), &row, print, before.is_none())?;
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
        if before.is_none() || last.is_none() {
            self.recent.stretches.put(&row);
        }
        let there =
            last.filter(|l| before.is_some() && l.row == before && l.definition == version.definition);
        self.versions += 1;
        let depth = put_version(&mut self.batch, (space, key), version, there.map(|last| last.depth));
        let row = version.row_after().map(|after| self.recent.row(after));
        let trace = Trace { sequence: version.sequence, definition: version.definition, depth, row };
        self.recent.remember(print, trace);
        Ok(None)
    }

    fn doubt(&mut self, name: &TableName, space: SpaceId, doubt: &Doubt, at: Sequence) {
        let reason = format!("the log contradicts itself about {name}: {}", doubt.1);
        self.names_mut().set(name, at, Standing::Unreadable(reason.clone()));
        if let Some(space) = self.space_mut(space)
            && space.doubt.as_ref().is_none_or(|(from, _)| doubt.0 < *from)
        {
            space.doubt = Some((doubt.0, reason));
        }
    }
}

/// A version, and the key that sees it.
type Seen<'a> = (&'a [u8], Version<&'a [u8]>);

/// What each key sees of a change: a change of the key itself is seen by two.
fn versions<'a>(
    kind: EventType,
    images: (Option<&'a Keyed>, Option<&'a Keyed>),
    definition: DefinitionId,
    sequence: Sequence,
) -> [Option<Seen<'a>>; 2] {
    let version = |side| Version {
        sequence,
        definition,
        kind,
        side,
        before: images.0.map(|k| k.image.as_slice()),
        after: images.1.map(|k| k.image.as_slice()),
    };
    match images {
        (Some(b), Some(a)) if b.key != a.key => {
            [Some((&b.key, version(Side::Left))), Some((&a.key, version(Side::Arrived)))]
        }
        (before, after) => [after.or(before).map(|k| (k.key.as_slice(), version(Side::Same))), None],
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

impl Keyed {
    /// Reads an image of the log, and encodes its key. `other`: another image of the same table, and what was read of it; most cells of a row before a change
    /// are those of the row after it.
    fn read(
        &mut self,
        image: &[Option<Raw<'_>>],
        columns: &Columns,
        other: Option<(&[Option<Raw<'_>>], &Self)>,
    ) -> Result<(), Trouble> {
        let Columns { definition, positions, key: places, plain } = columns;
        self.image.clear();
        self.image.shrink_to(KEPT);
        self.cells.clear();
        for (i, column) in definition.columns.iter().enumerate() {
            let at = positions.get(i).copied();
            let raw = at.and_then(|at| image.get(at)).ok_or_else(|| {
                Trouble::Unreadable(format!("a row in the log has no place for column {}", column.name))
            })?;
            let raw = raw.as_ref().ok_or_else(|| {
                Trouble::Unreadable(format!(
                    "rows are logged without all of their columns ({} is missing): set binlog_row_image=FULL on the server",
                    column.name
                ))
            })?;
            let same = other.and_then(|(image, keyed)| keyed.same_cell(raw, image.get(at?)?.as_ref()?, i));
            let cell = image::put_cell(&mut self.image, |out| match (raw, same) {
                (_, Some(cell)) => {
                    out.extend_from_slice(cell);
                    Ok(true)
                }
                (Raw::Bytes(bytes), None) if plain.get(i) == Some(&true) && str::from_utf8(bytes).is_ok() => {
                    out.extend_from_slice(bytes);
                    Ok(true)
                }
                _ => value::write(raw, column, out),
            });
            self.cells.push(cell.map_err(|e| Trouble::Unreadable(e.to_string()))?);
        }
        self.key.clear();
        let (cells, bytes) = (&self.cells, &self.image);
        let cell = |i: usize| cells.get(i)?.clone().and_then(|at| bytes.get(at));
        stored_key(definition, places, cell, &mut self.key)
    }

    /// The text of a value, where it is one that was read here. Of floating point numbers, two that are equal may have different texts.
    fn same_cell(&self, value: &Raw<'_>, read: &Raw<'_>, i: usize) -> Option<&[u8]> {
        if matches!(value, Raw::Float(_) | Raw::Double(_)) || value != read {
            return None;
        }
        self.image.get(self.cells.get(i)?.clone()?)
    }
}

/// Where the columns of the key are among the columns that are shown.
fn key_places(definition: &TableDefinition) -> Vec<Option<usize>> {
    definition.primary_key.iter().map(|name| definition.position(name)).collect()
}

/// Appends the key of a row whose cells are told by their place among the columns (`None`: NULL).
fn stored_key<'a>(
    definition: &TableDefinition,
    places: &[Option<usize>],
    cell: impl Fn(usize) -> Option<&'a [u8]>,
    key: &mut Vec<u8>,
) -> Result<(), Trouble> {
    for (place, name) in places.iter().zip(&definition.primary_key) {
        let Some((column, cell)) = place.and_then(|i| Some((definition.columns.get(i)?, cell(i)?))) else {
            return Err(Trouble::Unreadable(format!(
                "key column {name} is hidden, or NULL in a row of the log"
            )));
        };
        key::encode_stored(column, cell, key).map_err(|e| match e {
            KeyError::Type { .. } | KeyError::Uncertain { .. } => Trouble::Uncertain(e.to_string()),
            KeyError::NotAValue { .. } => Trouble::Unreadable(e.to_string()),
        })?;
    }
    Ok(())
}
