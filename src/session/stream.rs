//! Lines of the agent to rows of the client: projection, time zone, order, limit, notes.

use super::group::Groups;
use super::local_time::{in_zone, shown_in};
use super::origin::Sight;
use super::{images, sort};
use crate::agent_client::{AgentRows, Batch};
use crate::failure::Failure;
use crate::plan::change_columns;
use crate::plan::group::count_column;
use crate::plan::guard::{self, Admitted, Output};
use crate::statement::{Draft, Limit, VirtualSchema};
use dbtrail_types::agent_api::{ApiNote, DiffEvent, NoteCode, Octets, RowCell, RowLine};
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::result_set::{Note, ResultColumn, Row};
use dbtrail_types::zone::Zone;
use std::fmt::Write;
use std::sync::Arc;

/// Rows that ORDER BY keeps in memory at most, in bytes of cells.
const SORT_MEMORY: usize = 64 << 20;
/// Columns that a refusal lists at most.
const MOST_NAMED: usize = 40;
/// ER_UNKNOWN_ERROR: the number that notes without one of their own have.
pub(super) const NOTE: u16 = 1105;

/// Rows of a time-travel query, already in the form that the client gets (zone, projection, order,
/// limit).
#[derive(Debug)]
pub struct RowStream {
    rows: AgentRows,
    source: guard::Source,
    output: Vec<usize>,
    /// Whether a column of the source is shown or sorted by.
    needed: Vec<bool>,
    order: Vec<(usize, bool)>,
    /// Rows are counted, and not shown.
    groups: Option<Groups>,
    skip: u64,
    left: u64,
    /// `limits.max_rows`, and how many of these are left.
    most: Option<(u64, u64)>,
    zone: Zone,
    sorted: Option<(std::vec::IntoIter<Row>, Vec<Note>)>,
    sight: Sight,
    /// Of the statement itself, before those on its rows.
    notes: Vec<Note>,
}

/// The columns of a result, kept for the next one: most statements of a session ask for what the
/// one before asked for, and a name more or less is a piece of memory more or less for every
/// column.
#[derive(Debug)]
pub(super) struct Heading {
    virtual_schema: VirtualSchema,
    table: String,
    alias: Option<String>,
    output: Vec<Output>,
    definition: Arc<TableDefinition>,
    columns: Arc<[ResultColumn]>,
}

impl Heading {
    /// The columns, if all that they are made of is the same.
    fn of(&self, admitted: &Admitted) -> Option<Arc<[ResultColumn]>> {
        let draft = &admitted.resolved().draft;
        let same = Arc::ptr_eq(&self.definition, admitted.definition())
            && self.virtual_schema == draft.virtual_schema
            && self.table == draft.table
            && self.alias == draft.alias
            && self.output == admitted.output();
        same.then(|| Arc::clone(&self.columns))
    }

    fn new(admitted: &Admitted, columns: Arc<[ResultColumn]>) -> Self {
        let draft = &admitted.resolved().draft;
        Self {
            virtual_schema: draft.virtual_schema,
            table: draft.table.clone(),
            alias: draft.alias.clone(),
            output: admitted.output().to_vec(),
            definition: Arc::clone(admitted.definition()),
            columns,
        }
    }
}

/// Columns of a heading that is kept at most: an idle session holds it.
const KEPT_COLUMNS: usize = 256;

/// What a [`RowStream`] gives. A stream ends with [`Next::End`] or with an error, never with
/// nothing.
#[derive(Debug)]
pub enum Next {
    /// At least one row.
    Rows(Vec<Row>),
    /// All rows were given; the notes go to SHOW WARNINGS.
    End(Vec<Note>),
}

impl RowStream {
    /// The columns of the result, and its rows to come. `last`: the heading of the result before,
    /// and then of this one.
    pub(super) fn new(
        rows: AgentRows,
        admitted: &Admitted,
        zone: &Zone,
        last: &mut Option<Heading>,
    ) -> (Arc<[ResultColumn]>, Self) {
        let draft = &admitted.resolved().draft;
        let source = guard::source(draft.virtual_schema, admitted.definition());
        let columns = last.as_ref().and_then(|last| last.of(admitted)).unwrap_or_else(|| {
            let columns: Arc<[ResultColumn]> = result_columns(draft, &source, admitted.output()).into();
            *last = (columns.len() <= KEPT_COLUMNS).then(|| Heading::new(admitted, Arc::clone(&columns)));
            columns
        });
        let limit = admitted.limit().unwrap_or(Limit { offset: 0, count: u64::MAX });
        let mut needed = vec![false; source.len()];
        let sorted = admitted.order().iter().map(|(at, _)| *at);
        let sorted = sorted.chain(admitted.groups().into_iter().flatten().copied());
        for at in admitted.output().iter().map(|o| o.source).chain(sorted) {
            if let Some(needed) = needed.get_mut(at) {
                *needed = true;
            }
        }
        let stream = Self {
            rows,
            needed,
            output: admitted.output().iter().map(|o| o.source).collect(),
            order: admitted.order().to_vec(),
            groups: admitted.groups().map(Groups::new),
            skip: limit.offset,
            left: limit.count,
            most: admitted.max_rows().map(|most| (most, most)),
            zone: zone.clone(),
            sorted: None,
            sight: Sight::default(),
            notes: Vec::new(),
            source,
        };
        debug_assert!(draft.virtual_schema != VirtualSchema::Diff || stream.source.len() >= 13);
        (columns, stream)
    }

    /// The same stream, with these notes at its end.
    pub(super) fn with_notes(mut self, notes: Vec<Note>) -> Self {
        self.notes = notes;
        self
    }

    /// The same stream, for one who sees this much.
    pub(super) fn with_sight(mut self, sight: Sight) -> Self {
        self.sight = sight;
        self
    }

    /// The next rows.
    ///
    /// # Errors
    /// Any failure of the agent after its header.
    pub async fn next(&mut self) -> Result<Next, Failure> {
        Ok(match self.next_rows().await? {
            Next::End(notes) => {
                let mut all = std::mem::take(&mut self.notes);
                all.extend(notes);
                Next::End(all)
            }
            rows @ Next::Rows(_) => rows,
        })
    }

    async fn next_rows(&mut self) -> Result<Next, Failure> {
        if !self.order.is_empty() || self.groups.is_some() || self.sorted.is_some() {
            return self.next_sorted().await;
        }
        loop {
            if self.left == 0 {
                return Ok(Next::End(Vec::new()));
            }
            match self.batch().await? {
                Next::End(notes) => return Ok(Next::End(notes)),
                Next::Rows(rows) => {
                    let rows = self.limited(rows);
                    if !rows.is_empty() {
                        self.counted(rows.len())?;
                        return Ok(Next::Rows(rows));
                    }
                }
            }
        }
    }

    async fn next_sorted(&mut self) -> Result<Next, Failure> {
        if self.sorted.is_none() {
            let (mut all, notes) = match self.groups.take() {
                Some(groups) => self.grouped(groups).await?,
                None => self.whole().await?,
            };
            let columns: Vec<Column> = self.source.iter().cloned().chain([count_column()]).collect();
            all.sort_by(|a, b| sort::compare(a, b, &self.order, &columns));
            self.sorted = Some((all.into_iter(), notes));
        }
        loop {
            let Some((rows, notes)) = &mut self.sorted else { return Ok(Next::End(Vec::new())) };
            let next: Vec<Row> = rows.take(256).collect();
            if next.is_empty() || self.left == 0 {
                return Ok(Next::End(std::mem::take(notes)));
            }
            // A long OFFSET passes over many of these.
            let next = self.limited(next);
            if !next.is_empty() {
                self.counted(next.len())?;
                return Ok(Next::Rows(next));
            }
        }
    }

    /// All rows.
    async fn whole(&mut self) -> Result<(Vec<Row>, Vec<Note>), Failure> {
        let (mut all, mut bytes) = (Vec::new(), 0_usize);
        loop {
            match self.batch().await? {
                Next::End(notes) => return Ok((all, notes)),
                Next::Rows(rows) => {
                    bytes += rows.iter().flatten().flatten().map(|c| c.len() + 32).sum::<usize>();
                    if bytes > SORT_MEMORY {
                        return Err(Failure::Unsupported(format!(
                            "ORDER BY over more than {SORT_MEMORY} bytes of rows: ask for fewer keys, or sort in the client"
                        )));
                    }
                    all.extend(rows);
                }
            }
        }
    }

    /// All rows, counted.
    async fn grouped(&mut self, mut groups: Groups) -> Result<(Vec<Row>, Vec<Note>), Failure> {
        loop {
            let rows = match self.rows.next().await? {
                Batch::Rows(rows) if groups.is_a_count() => {
                    groups.count(rows.len());
                    continue;
                }
                Batch::Events(_, events) if groups.is_a_count() => {
                    groups.count(events.len());
                    continue;
                }
                other @ (Batch::Rows(_) | Batch::Events(..) | Batch::End(_)) => self.shown(other)?,
            };
            match rows {
                Next::Rows(rows) => rows.iter().try_for_each(|row| groups.add(row, &self.source))?,
                Next::End(notes) => return Ok((groups.rows(self.source.len()), notes)),
            }
        }
    }

    /// Holds rows against `limits.max_rows`.
    fn counted(&mut self, rows: usize) -> Result<(), Failure> {
        let Some((most, left)) = &mut self.most else { return Ok(()) };
        match left.checked_sub(rows as u64) {
            Some(fewer) => {
                *left = fewer;
                Ok(())
            }
            None => Err(Failure::TooManyRows(format!(
                "the answer has more than {most} rows (limits.max_rows): ask for fewer with WHERE or LIMIT"
            ))),
        }
    }

    /// OFFSET, LIMIT and the select list.
    fn limited(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let mut kept = Vec::with_capacity(rows.len());
        for mut row in rows {
            if self.skip > 0 {
                self.skip -= 1;
            } else if self.left > 0 {
                self.left -= 1;
                let whole =
                    self.output.len() == row.len() && self.output.iter().enumerate().all(|(i, o)| i == *o);
                kept.push(if whole {
                    std::mem::take(&mut row)
                } else {
                    self.output.iter().map(|o| row[*o].clone()).collect()
                });
            }
        }
        kept
    }

    /// The next rows with all columns of the source.
    async fn batch(&mut self) -> Result<Next, Failure> {
        let batch = self.rows.next().await?;
        self.shown(batch)
    }

    fn shown(&self, batch: Batch) -> Result<Next, Failure> {
        match batch {
            Batch::Rows(rows) => {
                rows.into_iter().map(|r| self.row(r)).collect::<Result<_, _>>().map(Next::Rows)
            }
            Batch::Events(definition, events) => {
                let rows: Result<Vec<Row>, Failure> =
                    events.into_iter().map(|e| self.event(e, &definition)).collect();
                rows.map(Next::Rows)
            }
            Batch::End(notes) => Ok(Next::End(notes.iter().map(|n| note(n, &self.zone)).collect())),
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

    fn event(&self, event: DiffEvent, definition: &TableDefinition) -> Result<Row, Failure> {
        let key_columns =
            &self.source[change_columns::BEFORE_KEY..self.source.len() - change_columns::BEHIND_KEY];
        if event.key.len() != key_columns.len() {
            return Err(Failure::AgentNonsense(
                "the agent sent an event whose key has not the table's key columns".to_owned(),
            ));
        }
        let mut row: Row = vec![
            Some(event.event_id.to_string().into_bytes()),
            Some(in_zone(event.event_timestamp, &self.zone)?.into_bytes()),
            Some(event_name(&event).as_bytes().to_vec()),
            event.gtid.map(String::into_bytes),
        ];
        for (octets, column) in event.key.into_iter().zip(key_columns) {
            row.push(self.cell(Some(octets), column)?);
        }
        let changed =
            event.before.as_ref().zip(event.after.as_ref()).map(|(b, a)| images::changed(b, a, definition));
        row.push(changed);
        // A cell that is not known says so in its place.
        for image in [&event.before, &event.after] {
            row.push(image.as_ref().map(|i| images::object(i, definition, &self.zone)).transpose()?);
        }
        row.extend(self.sight.origin(event.origin.as_deref()));
        row.push(event.cause.map(|cause| cause.to_string().into_bytes()));
        Ok(row)
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

/// The columns of a result as they are declared.
pub(super) fn result_columns(draft: &Draft, source: &[Column], output: &[Output]) -> Vec<ResultColumn> {
    let columns = output.iter().map(|o| {
        let Some(column) = source.get(o.source).cloned() else {
            let (org_name, table, org_table, schema) = Default::default();
            let (name, column) = (o.name.clone(), count_column());
            return ResultColumn { name, org_name, table, org_table, schema, column };
        };
        ResultColumn {
            name: o.name.clone(),
            org_name: column.name.clone(),
            table: draft.alias.clone().unwrap_or_else(|| draft.table.clone()),
            org_table: draft.table.clone(),
            schema: draft.virtual_schema.name().to_owned(),
            column,
        }
    });
    columns.collect()
}

fn event_name(event: &DiffEvent) -> &'static str {
    match event.event_type {
        dbtrail_types::agent_api::EventType::Insert => "INSERT",
        dbtrail_types::agent_api::EventType::Update => "UPDATE",
        dbtrail_types::agent_api::EventType::Delete => "DELETE",
    }
}

fn note(note: &ApiNote, zone: &Zone) -> Note {
    let key: Vec<String> = note.key.iter().map(|o| String::from_utf8_lossy(&o.0).into_owned()).collect();
    let at = note.at.and_then(|at| in_zone(at, zone).ok());
    let when = at.map_or_else(
        || "at an instant that is not known".to_owned(),
        |at| format!("at {at} ({})", zone.name()),
    );
    let mut message = format!("key ({}): ", key.join(", "));
    // Writing to a String cannot fail.
    let _ = match note.code {
        NoteCode::NeverExisted if note.at.is_some() => {
            write!(message, "no row has had it since the record begins, {when}")
        }
        NoteCode::NeverExisted => write!(message, "no row ever had it"),
        NoteCode::DeletedAt => write!(message, "its row was deleted {when}"),
        NoteCode::NotYetCreated => write!(message, "its row was created only later, {when}"),
    };
    Note { level: "Note", code: NOTE, message }
}
