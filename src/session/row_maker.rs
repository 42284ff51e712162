//! Lines of the agent to cells of their source, in the form that the client gets: each cell by
//! itself, and only those that are asked for.

use super::history_rows::HistoryRows;
use super::images;
use super::local_time::{put_in_zone, put_shown_in};
use super::origin::{Sight, put_name, put_number, put_text};
use crate::agent_client::{Announced, Events, Rows};
use crate::failure::Failure;
use crate::plan::change_columns::{AFTER_KEY, BEFORE_KEY, EVENT_TIMESTAMP};
use crate::plan::guard;
use dbtrail_types::agent_api::EventType;
use dbtrail_types::agent_api::frames::{CellRef, EventRef, RowRef};
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::Row;
use dbtrail_types::zone::Zone;
use std::ops::ControlFlow;

/// Columns that a refusal lists at most.
const MOST_NAMED: usize = 40;
/// Cells of `_history.changes` in the place of those of the key: schema, table, and the key.
const NAMED: usize = 3;
/// Cells of a change after its key: what changed, the row before, the row after; then of who made
/// it; then its cause; then names.
const ORIGIN: usize = 3;
const CAUSE: usize = 8;

/// What cells are made of.
#[derive(Debug)]
pub(super) struct RowMaker {
    pub(super) source: guard::SelectableColumns,
    /// Whether a column of the source is shown or sorted by.
    pub(super) needed: Vec<bool>,
    /// Columns of instants that come once more after the others in a row, in UTC: in the zone of
    /// the session, local times may be out of order.
    pub(super) instants: Vec<usize>,
    pub(super) zone: Zone,
    pub(super) sight: Sight,
    /// They are of a table of `_history`.
    pub(super) history: Option<HistoryRows>,
}

/// A line of the agent, whose cells can be asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// The cells of a row.
    Row(&'a [CellRef<'a>]),
    /// A change.
    Change(Change<'a>),
}

/// A change with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    event: EventRef<'a>,
    announced: &'a Announced,
    definition: &'a TableDefinition,
    columns: &'a [(Vec<u8>, &'a Column)],
    /// Of `_history.changes`.
    table: Option<&'a TableName>,
}

/// Takes a line, and says whether to go on.
pub(super) type EachLine<'e> = dyn FnMut(Line<'_>) -> Result<ControlFlow<()>, Failure> + 'e;

impl RowMaker {
    /// The lines that WHERE leaves, where it is carried out here.
    ///
    /// # Errors
    /// A line is not for this tenant, or `each` failed.
    pub(super) fn rows(&self, rows: &Rows, each: &mut EachLine<'_>) -> Result<(), Failure> {
        if let Some(history) = &self.history {
            for line in history.wanted(rows.lines())? {
                let cells: Vec<CellRef<'_>> = line.iter().map(CellRef::from).collect();
                if each(Line::Row(&cells))?.is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let mut cells = Vec::with_capacity(self.source.len());
        for row in rows.iter() {
            cells.clear();
            cells.extend(row.cells());
            if each(Line::Row(&cells))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The changes, each held against what the tenant may see.
    ///
    /// # Errors
    /// One is not for this tenant, or has another key than the table, or `each` failed.
    pub(super) fn changes(&self, events: &Events, each: &mut EachLine<'_>) -> Result<(), Failure> {
        let definition = &**events.definition();
        let keys = match &self.history {
            Some(_) => definition.key_columns().len(),
            None => self.source.len().saturating_sub(BEFORE_KEY + AFTER_KEY),
        };
        let columns = images::named(&definition.columns);
        for (event, announced) in events.iter() {
            let table = self.history.as_ref().map(|history| history.table_of(announced)).transpose()?;
            if event.key.count() != keys as u64 || keys == 0 {
                return Err(Failure::AgentNonsense(
                    "the agent sent an event whose key has not the table's key columns".to_owned(),
                ));
            }
            if each(Line::Change(Change { event, announced, definition, columns: &columns, table }))?
                .is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// Appends the cell of a column of the source; false: it is NULL.
    ///
    /// # Errors
    /// It is not known, or the agent sent what cannot be.
    pub(super) fn put(&self, line: Line<'_>, at: usize, out: &mut Vec<u8>) -> Result<bool, Failure> {
        self.put_in(&self.zone, line, at, out)
    }

    fn put_in(&self, zone: &Zone, line: Line<'_>, at: usize, out: &mut Vec<u8>) -> Result<bool, Failure> {
        match line {
            Line::Row(cells) => match cells.get(at) {
                Some(CellRef::Value(bytes)) => put_value(zone, bytes, self.source.get(at), out),
                Some(CellRef::Null) | None => Ok(false),
                Some(CellRef::Unknown(why)) => Err(self.unknown(cells, at, why)),
            },
            Line::Change(change) => self.put_change(zone, change, at, out),
        }
    }

    /// The cells of a line that are needed, the others being NULL; then its instants.
    ///
    /// # Errors
    /// See [`Self::put`].
    pub(super) fn row(&self, line: Line<'_>) -> Result<Row, Failure> {
        let cell = |(at, needed): (usize, &bool)| {
            let mut cell = Vec::new();
            Ok((*needed && self.put(line, at, &mut cell)?).then_some(cell))
        };
        let utc = Zone::utc();
        let instant = |at: &usize| {
            let mut cell = Vec::new();
            Ok(self.put_in(&utc, line, *at, &mut cell)?.then_some(cell))
        };
        let cells = self.needed.iter().enumerate().map(cell);
        cells.chain(self.instants.iter().map(instant)).collect()
    }

    /// Whether a column shows instants: a TIMESTAMP, or the time of a change.
    pub(super) fn is_instant(&self, at: usize) -> bool {
        let of_changes = matches!(self.source, guard::SelectableColumns::Changes(_));
        let timestamp = |column: &Column| matches!(column.ty, ColumnType::Timestamp { .. });
        of_changes && at == EVENT_TIMESTAMP || self.source.get(at).is_some_and(timestamp)
    }

    /// A column that was asked for is not known in a row: which can be asked for instead.
    fn unknown(&self, cells: &[CellRef<'_>], at: usize, why: &str) -> Failure {
        let name = self.source.get(at).map_or("", |column| column.name.as_str());
        let known = cells.iter().zip(self.source.iter());
        let known = known.filter(|(cell, c)| !(c.invisible || matches!(cell, CellRef::Unknown(_))));
        let mut known: Vec<String> = known.map(|(_, c)| quoted_name(&c.name)).collect();
        if known.len() > MOST_NAMED {
            known.truncate(MOST_NAMED);
            known.push("...".to_owned());
        }
        Failure::UnknownCell(format!(
            "what column {name} held is not known ({why}). Leave it out: SELECT {} FROM ...",
            known.join(", ")
        ))
    }

    fn put_change(
        &self,
        zone: &Zone,
        change: Change<'_>,
        at: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let event = &change.event;
        match at {
            0 => return Ok(put_number(out, Some(event.head.event_id))),
            EVENT_TIMESTAMP => return put_in_zone(out, event.head.event_timestamp, zone).map(|()| true),
            2 => return Ok(put_text(out, Some(kind_name(event.head.event_type)))),
            3 => return Ok(put_text(out, event.head.gtid)),
            _ => {}
        }
        let after_key = match change.table {
            Some(_) => BEFORE_KEY + NAMED,
            None => self.source.len().saturating_sub(AFTER_KEY),
        };
        let Some(at) = at.checked_sub(after_key) else {
            return self.put_key(zone, change, at - BEFORE_KEY, out);
        };
        let origin = change.announced.origin.as_deref();
        match at {
            0 => {
                let Some((before, after)) = event.before.zip(event.after) else { return Ok(false) };
                images::put_changed(out, before, after, &change.definition.columns);
                Ok(true)
            }
            1 => self.put_image(event.before, change.columns, out),
            2 => self.put_image(event.after, change.columns, out),
            ORIGIN..CAUSE => Ok(origin.is_some_and(|origin| self.sight.put_origin(out, origin, at - ORIGIN))),
            CAUSE => Ok(put_number(out, event.head.cause)),
            _ => Ok(origin.is_some_and(|origin| put_name(out, origin, at - CAUSE - 1))),
        }
    }

    /// A cell between the head of a change and what changed.
    fn put_key(
        &self,
        zone: &Zone,
        change: Change<'_>,
        at: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let Some(table) = change.table else {
            let Some(value) = change.event.key.iter().nth(at) else { return Ok(false) };
            return put_value(zone, value, self.source.get(BEFORE_KEY + at), out);
        };
        match at {
            0 => Ok(put_text(out, Some(&table.schema))),
            1 => Ok(put_text(out, Some(&table.table))),
            _ => {
                let (values, columns) = (change.event.key.iter(), change.definition.key_columns());
                images::put_object(out, values.map(CellRef::Value), &images::named(columns), &self.zone)?;
                Ok(true)
            }
        }
    }

    /// A cell that is not known says so in its place.
    fn put_image(
        &self,
        image: Option<RowRef<'_>>,
        columns: &[(Vec<u8>, &Column)],
        out: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let Some(image) = image else { return Ok(false) };
        images::put_object(out, image.cells(), columns, &self.zone)?;
        Ok(true)
    }
}

fn put_value(zone: &Zone, bytes: &[u8], column: Option<&Column>, out: &mut Vec<u8>) -> Result<bool, Failure> {
    match column.map(|column| &column.ty) {
        Some(ty @ ColumnType::Timestamp { .. }) => put_shown_in(out, zone, bytes, ty)?,
        Some(_) | None => out.extend_from_slice(bytes),
    }
    Ok(true)
}

/// A name as a statement can have it.
fn quoted_name(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.bytes().all(plain) && !name.bytes().all(|b| b.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

fn kind_name(kind: EventType) -> &'static str {
    match kind {
        EventType::Insert => "INSERT",
        EventType::Update => "UPDATE",
        EventType::Delete => "DELETE",
    }
}
