//! Lines of the agent to rows with all columns of their source, in the form that the client gets.

use super::history_rows::HistoryRows;
use super::images;
use super::local_time::{in_zone, shown_in};
use super::notes::note;
use super::origin::{Sight, names};
use crate::agent_client::Batch;
use crate::failure::Failure;
use crate::plan::change_columns;
use crate::plan::guard;
use dbtrail_types::agent_api::{DiffEvent, Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::result_set::{Note, Row};
use dbtrail_types::zone::Zone;

/// Columns that a refusal lists at most.
const MOST_NAMED: usize = 40;

/// What rows are made of.
#[derive(Debug)]
pub(super) struct RowMaker {
    pub(super) source: guard::SelectableColumns,
    /// Whether a column of the source is shown or sorted by.
    pub(super) needed: Vec<bool>,
    pub(super) zone: Zone,
    pub(super) sight: Sight,
    /// They are of a table of `_history`.
    pub(super) history: Option<HistoryRows>,
}

/// What a batch came to.
#[derive(Debug)]
pub enum Made {
    /// Rows, of which there may be none.
    Rows(Vec<Row>),
    /// The end, and what is to be said of it.
    End(Vec<Note>),
}

impl RowMaker {
    /// The lines that WHERE leaves, where it is carried out here.
    ///
    /// # Errors
    /// A line is not for this tenant.
    pub(super) fn wanted(&self, rows: Vec<RowLine>) -> Result<Vec<RowLine>, Failure> {
        match &self.history {
            Some(history) => history.wanted(rows),
            None => Ok(rows),
        }
    }

    /// Holds events against what the tenant may see.
    ///
    /// # Errors
    /// One is not for this tenant.
    pub(super) fn allowed(&self, events: &[DiffEvent]) -> Result<(), Failure> {
        let Some(history) = &self.history else { return Ok(()) };
        events.iter().try_for_each(|event| history.table_of(event).map(|_| ()))
    }

    /// The rows of a batch.
    ///
    /// # Errors
    /// A cell that is needed is not known, or the agent sent what cannot be.
    pub(super) fn rows(&self, batch: Batch) -> Result<Made, Failure> {
        match batch {
            Batch::Rows(rows) => {
                let rows = self.wanted(rows)?;
                rows.into_iter().map(|r| self.row(r)).collect::<Result<_, _>>().map(Made::Rows)
            }
            Batch::Events(definition, events) => {
                let rows = events.iter().map(|event| self.event(event, &definition));
                rows.collect::<Result<_, _>>().map(Made::Rows)
            }
            Batch::End(notes) => Ok(Made::End(notes.iter().map(|n| note(n, &self.zone)).collect())),
        }
    }

    fn row(&self, line: RowLine) -> Result<Row, Failure> {
        let unknown = |(i, cell): (usize, &RowCell)| match cell {
            RowCell::Unknown(why) if self.needed.get(i) == Some(&true) => Some((i, why.clone())),
            RowCell::Unknown(_) | RowCell::Null | RowCell::Value(_) => None,
        };
        if let Some((i, why)) = line.iter().enumerate().find_map(unknown) {
            return Err(self.unknown(&line, i, &why));
        }
        let cells = line.into_iter().zip(self.source.iter());
        // What is not known is not shown here.
        cells.map(|(cell, column)| self.cell(cell.known().unwrap_or_default(), column)).collect()
    }

    /// A column that was asked for is not known in a row: which can be asked for instead.
    fn unknown(&self, line: &RowLine, at: usize, why: &str) -> Failure {
        let name = self.source.get(at).map_or("", |column| column.name.as_str());
        let known = line.iter().zip(self.source.iter());
        let known = known.filter(|(cell, c)| !(c.invisible || matches!(cell, RowCell::Unknown(_))));
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

    fn cell(&self, cell: Option<Octets>, column: &Column) -> Result<Option<Vec<u8>>, Failure> {
        match (cell, &column.ty) {
            (Some(Octets(bytes)), ty @ ColumnType::Timestamp { .. }) => {
                shown_in(&self.zone, &bytes, ty).map(Some)
            }
            (cell, _) => Ok(cell.map(|o| o.0)),
        }
    }

    /// Whether a column of the source is shown or sorted by; of the others no text is made.
    fn needs(&self, at: usize) -> bool {
        self.needed.get(at) != Some(&false)
    }

    /// The first cells of a change: its id, its time, its kind and its transaction.
    fn head(&self, event: &DiffEvent) -> Result<Row, Failure> {
        let mut row = Row::with_capacity(self.source.len());
        row.push(self.needs(0).then(|| event.event_id.to_string().into_bytes()));
        let time = self.needs(1).then(|| in_zone(event.event_timestamp, &self.zone));
        row.push(time.transpose()?.map(String::into_bytes));
        row.push(self.needs(2).then(|| event_name(event).as_bytes().to_vec()));
        row.push(event.gtid.clone().filter(|_| self.needs(3)).map(String::into_bytes));
        Ok(row)
    }

    fn event(&self, event: &DiffEvent, definition: &TableDefinition) -> Result<Row, Failure> {
        if let Some(history) = &self.history {
            return self.event_of_all(event, definition, history);
        }
        let key_columns =
            &self.source[change_columns::BEFORE_KEY..self.source.len() - change_columns::AFTER_KEY];
        if event.key.len() != key_columns.len() {
            return Err(Failure::AgentNonsense(
                "the agent sent an event whose key has not the table's key columns".to_owned(),
            ));
        }
        let mut row = self.head(event)?;
        for (octets, column) in event.key.iter().zip(key_columns) {
            let key = self.needs(row.len()).then(|| octets.clone());
            row.push(self.cell(key, column)?);
        }
        self.after_key(&mut row, event, definition)?;
        Ok(row)
    }

    /// A row of `_history.changes`.
    fn event_of_all(
        &self,
        event: &DiffEvent,
        definition: &TableDefinition,
        history: &HistoryRows,
    ) -> Result<Row, Failure> {
        let table = history.table_of(event)?;
        let key = definition.key_columns();
        if event.key.len() != key.len() || key.is_empty() {
            return Err(Failure::AgentNonsense(
                "the agent sent an event whose key has not the table's key columns".to_owned(),
            ));
        }
        let mut row = self.head(event)?;
        row.extend([&table.schema, &table.table].map(|name| Some(name.clone().into_bytes())));
        let key: Vec<Column> = key.into_iter().cloned().collect();
        let shown = TableDefinition { columns: key, primary_key: Vec::new() };
        let cells: RowLine = event.key.iter().cloned().map(RowCell::Value).collect();
        let key = self.needs(row.len()).then(|| images::object(&cells, &shown, &self.zone));
        row.push(key.transpose()?);
        self.after_key(&mut row, event, definition)?;
        Ok(row)
    }

    /// What changed, the row before and after, and by whom.
    fn after_key(
        &self,
        row: &mut Row,
        event: &DiffEvent,
        definition: &TableDefinition,
    ) -> Result<(), Failure> {
        let both = event.before.as_ref().zip(event.after.as_ref()).filter(|_| self.needs(row.len()));
        row.push(both.map(|(before, after)| images::changed(before, after, definition)));
        // A cell that is not known says so in its place.
        for image in [&event.before, &event.after] {
            let image = image.as_ref().filter(|_| self.needs(row.len()));
            row.push(image.map(|i| images::object(i, definition, &self.zone)).transpose()?);
        }
        row.extend(self.sight.origin(event.origin.as_deref()));
        row.push(event.cause.map(|cause| cause.to_string().into_bytes()));
        row.extend(names(event.origin.as_deref()));
        Ok(())
    }
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

fn event_name(event: &DiffEvent) -> &'static str {
    match event.event_type {
        dbtrail_types::agent_api::EventType::Insert => "INSERT",
        dbtrail_types::agent_api::EventType::Update => "UPDATE",
        dbtrail_types::agent_api::EventType::Delete => "DELETE",
    }
}
