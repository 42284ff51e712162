//! `_history.changes`: the changes of all tables that the asker may see, in the order of the log.

use super::change_filter::{Needed, own_cells};
use super::change_rows::{EventWriter, key_positions};
use super::chunks::{Chunks, Fill};
use super::conditions::unsupported;
use super::form::Form;
use super::origin::Origins;
use super::scan::Turn;
use super::visible::Visible;
use super::walk::{Step, Walk};
use super::{History, Refusal, lines};
use crate::commit_index::{Commit, Page};
use crate::commits;
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, Version};
use dbtrail_expression::{RowFilter, RowValue};
use dbtrail_types::agent_api::DiffLine;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;
use tables::Tables;

mod tables;

/// Transactions looked at in one step.
const AT_ONCE: usize = 256;

/// The lines of an answer.
#[derive(Debug)]
pub struct AllChanges {
    history: Arc<History>,
    form: Form,
    writer: EventWriter,
    visible: Visible,
    /// `None`: one transaction.
    window: Option<(Timestamp, Timestamp)>,
    /// Which transactions may still have changed a table whose changes cannot be known.
    unchecked: Option<(ChangeSequence, ChangeSequence)>,
    tables: Tables,
    walk: Walk,
    filter: Option<Condition>,
    left: u64,
    page: Page,
    origins: Origins,
    /// Of the last line: its table, and the definition under which it is.
    last: Option<(Arc<TableName>, DefinitionId)>,
    keys: Vec<usize>,
    count: u64,
}

/// A condition on the columns of `_history.changes`.
#[derive(Debug)]
pub(super) struct Condition {
    rows: RowFilter,
    needed: Needed,
    positions: KeyPositions,
}

/// Where the columns are that are not those of every change.
#[derive(Clone, Copy, Debug)]
struct KeyPositions {
    schema: usize,
    table: usize,
    changed: usize,
    before: usize,
    after: usize,
}

impl Condition {
    fn new(request: &HistoryRequest) -> Result<Option<Self>, Refusal> {
        let Some(filter) = &request.filter else { return Ok(None) };
        let TableDefinition { columns, .. } = HistoryTable::Changes.definition();
        let rows = RowFilter::new(filter, &columns).map_err(|why| unsupported(&why))?;
        let position = |name: &str| {
            let at = columns.iter().position(|column| column.name == name);
            at.ok_or_else(|| Refusal::internal(format!("changes have no column {name}")))
        };
        let positions = KeyPositions {
            schema: position("schema")?,
            table: position("table")?,
            changed: position("changed_columns")?,
            before: position("row_before")?,
            after: position("row_after")?,
        };
        Ok(Some(Self { rows, needed: Needed::of(filter, columns), positions }))
    }

    /// Whether it may be true for a change of a table.
    fn may_hold(&self, name: &TableName) -> bool {
        let mut cells = vec![RowValue::Unknown; self.needed.columns().len()];
        for (at, cell) in [(self.positions.schema, &name.schema), (self.positions.table, &name.table)] {
            if let Some(position) = cells.get_mut(at) {
                *position = RowValue::Bytes(cell.as_bytes());
            }
        }
        self.rows.holds(&cells) != Ok(false)
    }

    fn holds(
        &self,
        history: &History,
        name: &TableName,
        version: &Version,
        commit: &Commit,
        origins: &mut Origins,
    ) -> Result<bool, Refusal> {
        let own = own_cells(&self.needed, history, version, commit, origins)?;
        let mut cells: Vec<RowValue<'_>> =
            own.iter().map(|cell| cell.as_deref().map_or(RowValue::Null, RowValue::Bytes)).collect();
        let there = |there: bool| if there { RowValue::Bytes(b"") } else { RowValue::Null };
        let (before, after) = (version.before.is_some(), version.after.is_some());
        for (at, value) in [
            (self.positions.schema, RowValue::Bytes(name.schema.as_bytes())),
            (self.positions.table, RowValue::Bytes(name.table.as_bytes())),
            (self.positions.changed, there(before && after)),
            (self.positions.before, there(before)),
            (self.positions.after, there(after)),
        ] {
            if let Some(position) = cells.get_mut(at) {
                *position = value;
            }
        }
        self.rows.holds(&cells).map_err(|why| unsupported(&why))
    }
}

impl History {
    /// The changes of all tables that the asker may see, in a window or one transaction.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub(super) fn all_changes(
        self: &Arc<Self>,
        request: &HistoryRequest,
        visible: Visible,
        (from, to, window): (ChangeSequence, ChangeSequence, Option<(Timestamp, Timestamp)>),
        head: Vec<u8>,
    ) -> Result<Chunks<AllChanges>, Refusal> {
        let filter = Condition::new(request)?;
        let wanted =
            |name: &TableName| visible.sees(&name.schema) && filter.as_ref().is_none_or(|f| f.may_hold(name));
        let tables = Tables::new(self, (from, to), &wanted)?;
        let walk = Walk::new(self, tables.generations(), None, (from, to))?;
        let unchecked = (from < to && tables.has_unanswerable()).then_some((from, to));
        let answer = AllChanges {
            history: Arc::clone(self),
            form: Form::Lines,
            writer: EventWriter::default(),
            visible,
            window,
            unchecked,
            tables,
            walk,
            filter,
            left: request.limit.unwrap_or(u64::MAX),
            page: Page::default(),
            origins: Origins::new(request.connection_names),
            last: None,
            keys: Vec::new(),
            count: 0,
        };
        Ok(Chunks::new(head, answer))
    }
}

impl AllChanges {
    /// The same lines in this form.
    pub(super) fn in_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Looks at some more transactions: whether one of them changed a table whose changes cannot be
    /// known.
    fn check(&mut self, (from, to): (ChangeSequence, ChangeSequence)) -> Result<(), Refusal> {
        let (mut seen, mut next, mut unanswerable) = (0, None, None);
        commits::between(&*self.history.snapshot, from, to, &mut |commit| {
            unanswerable = commit.tables.iter().find_map(|table| self.tables.unanswerable(&table.name));
            seen += 1;
            next = Some(commit.following);
            Ok(unanswerable.is_none() && seen < AT_ONCE)
        })?;
        if let Some(refusal) = unanswerable {
            return Err(refusal);
        }
        self.unchecked = next.filter(|_| seen == AT_ONCE).map(|next| (next, to));
        Ok(())
    }

    fn line(&mut self, version: &Version, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let history = Arc::clone(&self.history);
        let Some(name) = self.tables.name(self.walk.generation(), version.sequence) else { return Ok(()) };
        // A table may have been renamed out of what the asker may see.
        if !self.visible.sees(&name.schema) {
            return Ok(());
        }
        let commit = history.commit_index().of_near(version.sequence, &mut self.page)?.cloned();
        let commit = commit.ok_or_else(|| Refusal::internal("a change without an entry".to_owned()))?;
        if self.window.is_some_and(|(since, until)| !(since..=until).contains(&commit.committed)) {
            return Ok(());
        }
        if let Some(filter) = &self.filter
            && !filter.holds(&history, &name, version, &commit, &mut self.origins)?
        {
            return Ok(());
        }
        self.announce(&history, name, version.definition, out)?;
        self.origins.announce(&history, version.sequence, self.form, out)?;
        self.writer.write(self.form, &history.catalog, version, &commit, &self.keys, out)?;
        self.count += 1;
        self.left -= 1;
        Ok(())
    }

    /// Lines of the table and of its definition, where the next event has others.
    fn announce(
        &mut self,
        history: &History,
        name: Arc<TableName>,
        id: DefinitionId,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let (same_table, same_definition) =
            self.last.as_ref().map_or((false, false), |(table, under)| (*table == name, *under == id));
        if !same_table {
            self.form.json(&DiffLine::Table(TableName::clone(&name)), out)?;
        }
        if !same_definition {
            let definition = history.catalog.definition(id);
            let definition =
                definition.ok_or_else(|| Refusal::internal("a change without a definition".to_owned()))?;
            self.form.json(&DiffLine::Definition(TableDefinition::clone(definition)), out)?;
            self.keys = key_positions(definition);
        }
        self.last = Some((name, id));
        Ok(())
    }
}

impl Fill for AllChanges {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let history = Arc::clone(&self.history);
        let mut turn = Turn::new();
        while out.len() < lines::CHUNK {
            if let Some(range) = self.unchecked.take() {
                self.check(range)?;
                // What one step costs is many times a look at the clock.
                if turn.has_passed() {
                    return Ok(true);
                }
                continue;
            }
            match if self.left == 0 { Step::End } else { self.walk.next(&history)? } {
                Step::Change(version) => self.line(&version, out)?,
                Step::Nothing => {}
                Step::End => return self.form.trailer(self.count, &[], out).map(|()| false),
            }
            if turn.is_over() {
                return Ok(true);
            }
        }
        Ok(true)
    }
}
