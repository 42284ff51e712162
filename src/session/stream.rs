//! Rows of the agent to rows of the client: order, groups, limit, select list, notes.

mod collecting;

use super::group::Groups;
use super::heading::Heading;
use super::history_rows::HistoryRows;
use super::notes::note;
use super::origin::Sight;
use super::output::Output;
use super::row_maker::{EachLine, RowMaker};
use super::sort::{self, Order};
use crate::agent_client::{AgentRows, Batch};
use crate::failure::Failure;
use crate::plan::group::Grouping;
use crate::plan::guard::{self, Admitted};
use crate::plan::selected::Selected;
use crate::statement::{Limit, VirtualSchema};
use dbtrail_types::agent_api::ApiNote;
use dbtrail_types::column::Column;
use dbtrail_types::memory::{Memory, Share};
use dbtrail_types::result_set::{Note, ResultColumn, Row, RowBlock};
use dbtrail_types::zone::Zone;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Rows of a time-travel query, already in the form that the client gets (zone, projection, order,
/// limit).
#[derive(Debug)]
pub struct RowStream {
    rows: AgentRows,
    maker: RowMaker,
    output: Output,
    order: Vec<(usize, bool)>,
    /// Rows are put into groups, and not shown.
    groups: Option<Groups>,
    skip: u64,
    left: u64,
    /// `limits.max_rows`, and how many of these are left.
    most: Option<(u64, u64)>,
    sorted: Option<(std::vec::IntoIter<Row>, Vec<Note>)>,
    /// What rows to be sorted and groups take of the memory of all sessions.
    share: Share,
    /// Of the statement itself, before those on its rows.
    notes: Vec<Note>,
}

/// What a [`RowStream`] gives. A stream ends with [`Next::End`] or with an error, never with
/// nothing.
#[derive(Debug)]
pub enum Next {
    /// At least one row.
    Rows(RowBlock),
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
        let columns = Heading::columns(admitted, &source, last);
        let selected = admitted.selected().clone();
        debug_assert!(draft.virtual_schema != VirtualSchema::Diff || source.len() >= 13);
        let maker = RowMaker {
            source,
            needed: Vec::new(),
            instants: Vec::new(),
            zone: zone.clone(),
            sight: Sight::default(),
            history: None,
        };
        (columns, Self::of(rows, maker, selected, (admitted.limit(), admitted.max_rows())))
    }

    /// The rows of a table of `_history`.
    pub(super) fn of_history(
        rows: AgentRows,
        selected: Selected,
        limits: (Option<Limit>, Option<u64>),
        (history, sight): (HistoryRows, Sight),
        zone: &Zone,
    ) -> Self {
        let source = guard::SelectableColumns::Table(Arc::clone(&rows.announced));
        let zone = zone.clone();
        let (needed, instants) = (Vec::new(), Vec::new());
        let maker = RowMaker { source, needed, instants, zone, sight, history: Some(history) };
        Self::of(rows, maker, selected, limits)
    }

    fn of(
        rows: AgentRows,
        mut maker: RowMaker,
        selected: Selected,
        (limit, max_rows): (Option<Limit>, Option<u64>),
    ) -> Self {
        let Selected { output, mut order, grouping } = selected;
        let output = Output::new(output.iter().map(|column| column.source));
        maker.needed = vec![false; maker.source.len()];
        let grouped = grouping.iter().flat_map(Grouping::needed);
        let sorted = order.iter().map(|(at, _)| *at).chain(grouped);
        for at in output.sources().chain(sorted) {
            if let Some(needed) = maker.needed.get_mut(at) {
                *needed = true;
            }
        }
        // What is grouped by instants, or computed of them, is so only where clocks never change.
        if grouping.is_none() && !maker.zone.is_fixed() {
            for (at, _) in &mut order {
                if maker.is_instant(*at) {
                    maker.instants.push(*at);
                    *at = maker.source.len() + maker.instants.len() - 1;
                }
            }
        }
        let limit = limit.unwrap_or(Limit { offset: 0, count: u64::MAX });
        Self {
            rows,
            maker,
            output,
            order,
            groups: grouping.map(Groups::new),
            skip: limit.offset,
            left: limit.count,
            most: max_rows.map(|most| (most, most)),
            sorted: None,
            share: Share::default(),
            notes: Vec::new(),
        }
    }

    /// The same stream, with these notes at its end.
    pub(super) fn with_notes(mut self, notes: Vec<Note>) -> Self {
        self.notes = notes;
        self
    }

    /// The same stream, which keeps what it sorts in this memory, with others.
    pub(super) fn sharing(mut self, memory: Option<Arc<Memory>>) -> Self {
        if let Some(memory) = memory {
            self.share.of(memory);
        }
        self
    }

    /// The same stream, for one who sees this much.
    pub(super) fn with_sight(mut self, sight: Sight) -> Self {
        self.maker.sight = sight;
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
            let batch = self.rows.next().await?;
            if let Batch::End(notes) = &batch {
                return Ok(Next::End(self.noted(notes)));
            }
            let block = self.block(&batch)?;
            if !block.is_empty() {
                self.counted(block.len())?;
                return Ok(Next::Rows(block));
            }
        }
    }

    /// The lines of a batch as the select list has them, as far as OFFSET and LIMIT want them.
    fn block(&mut self, batch: &Batch) -> Result<RowBlock, Failure> {
        let Self { maker, output, skip, left, .. } = self;
        let mut block = RowBlock::new(output.len());
        each_line(maker, batch, &mut |line| {
            if *skip > 0 {
                *skip -= 1;
                return Ok(ControlFlow::Continue(()));
            }
            if *left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            *left -= 1;
            for source in output.sources() {
                block.put(|out| maker.put(line, source, out))?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(block)
    }

    fn noted(&self, notes: &[ApiNote]) -> Vec<Note> {
        notes.iter().map(|n| note(n, &self.maker.zone)).collect()
    }

    async fn next_sorted(&mut self) -> Result<Next, Failure> {
        if self.sorted.is_none() {
            let computed: Vec<Column> = self.groups.iter().flat_map(Groups::computed).cloned().collect();
            let (all, notes) = match self.groups.take() {
                Some(groups) => self.grouped(groups).await?,
                None => self.all_rows().await?,
            };
            let source = &self.maker.source;
            // There are instants or what is computed of groups, never both.
            let instants = self.maker.instants.iter().filter_map(|at| source.get(*at));
            let columns: Vec<Column> = source.iter().chain(instants).cloned().chain(computed).collect();
            let all = sort::sorted(all, Order { by: &self.order, columns: &columns }).await;
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
                return Ok(Next::Rows(RowBlock::of(self.output.len(), &next)));
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
        for row in rows {
            if self.skip > 0 {
                self.skip -= 1;
            } else if self.left > 0 {
                self.left -= 1;
                kept.push(self.output.of(row));
            }
        }
        kept
    }
}

/// Gives the lines of a batch.
fn each_line(maker: &RowMaker, batch: &Batch, each: &mut EachLine<'_>) -> Result<(), Failure> {
    match batch {
        Batch::Rows(rows) => maker.rows(rows, each),
        Batch::Events(events) => maker.changes(events, each),
        Batch::End(_) => Ok(()),
    }
}
