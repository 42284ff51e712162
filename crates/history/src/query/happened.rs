//! `_history`: transactions, changes, statements that changed definitions, gaps, tables. Nothing of
//! a schema that the asker may not see.

use super::all_changes::AllChanges;
use super::chunks::{Chunks, Fill};
use super::form::Form;
use super::lines::{Cells, stamp};
use super::scan::Turn;
use super::visible::Visible;
use super::{History, Refusal, lines};
use crate::commits;
use crate::sessions;
use crate::store::ChangeSequence;
use dbtrail_types::happened::{HistoryRequest, HistoryTable};
use dbtrail_types::timestamp::Timestamp;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use tables::Versions;

mod definitions;
mod tables;
mod transactions;

/// Transactions read at a time.
const AT_ONCE: usize = 64;

/// A range of the log, and the window that it was asked for as; `None`: one transaction.
type RequestedRange = (ChangeSequence, ChangeSequence, Option<(Timestamp, Timestamp)>);

/// The lines of an answer, in chunks.
#[derive(Debug)]
pub enum HistoryAnswer {
    /// Rows.
    Rows(Box<Chunks<HistoryRows>>),
    /// Changes of rows.
    Changes(Box<Chunks<AllChanges>>),
}

impl HistoryAnswer {
    /// The same answer in this form, if it has it, and the form that it has.
    #[must_use]
    pub fn in_form(self, form: Form) -> (Self, Form) {
        match self {
            Self::Rows(_) => (self, Form::Lines),
            Self::Changes(changes) => {
                let changes = changes.with(|head| form.of_line(head), |changes| changes.in_form(form));
                (Self::Changes(Box::new(changes)), form)
            }
        }
    }
}

impl Iterator for HistoryAnswer {
    type Item = Result<Vec<u8>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Changes(changes) => changes.next(),
        }
    }
}

/// Rows of a table, as they are made.
#[derive(Debug)]
pub struct HistoryRows {
    history: Arc<History>,
    visible: Visible,
    ready: VecDeque<Cells>,
    /// Where the next transactions are read, and up to where.
    next: Option<RequestedRange>,
    /// What of tables is counted before they are given.
    versions: Option<Versions>,
    /// Who made the transaction before.
    near: sessions::Near,
    count: u64,
}

impl History {
    /// A table of `_history`.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn happened(self: &Arc<Self>, request: &HistoryRequest) -> Result<HistoryAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        let table = request.table;
        let visible = Visible::new(self, request.schemas.as_deref());
        let asked = self.range_of(request, &visible)?;
        if table != HistoryTable::Changes
            && (request.filter.is_some() || request.limit.is_some() || request.connection_names)
        {
            return Err(Refusal::malformed(format!(
                "{} takes no filter, no limit and no names of connections",
                table.name()
            )));
        }
        let mut head = serde_json::to_value(table.definition())
            .map_err(|e| Refusal::internal(format!("an answer could not be written: {e}")))?;
        head["success"] = Value::Bool(true);
        let mut line = Vec::new();
        lines::json(&head, &mut line)?;
        line.push(b'\n');
        let mut ready = VecDeque::new();
        match (table, asked) {
            (HistoryTable::Changes, Some(asked)) => {
                self.all_compared()?;
                let changes = self.all_changes(request, visible, asked, line)?;
                return Ok(HistoryAnswer::Changes(Box::new(changes)));
            }
            (HistoryTable::Ddl, Some(asked)) => self.definitions(asked, &visible, &mut ready)?,
            (HistoryTable::Gaps, _) => ready.extend(
                self.gaps()
                    .map(|gap| vec![Some(stamp(gap.from)), Some(stamp(gap.to)), Some(gap.reason.clone())]),
            ),
            (
                HistoryTable::Transactions | HistoryTable::Ddl | HistoryTable::Tables | HistoryTable::Changes,
                _,
            ) => {}
        }
        let versions = (table == HistoryTable::Tables).then(|| Versions::new(self)).transpose()?;
        let next = asked.filter(|_| table == HistoryTable::Transactions);
        let rows = HistoryRows {
            history: Arc::clone(self),
            visible,
            ready,
            next,
            versions,
            near: sessions::Near::default(),
            count: 0,
        };
        Ok(HistoryAnswer::Rows(Box::new(Chunks::new(line, rows))))
    }

    /// The range of the log that a request is about; `None`: its table has none.
    fn range_of(
        &self,
        request: &HistoryRequest,
        visible: &Visible,
    ) -> Result<Option<RequestedRange>, Refusal> {
        let table = request.table;
        match (request.window, &request.transaction, table.has_window()) {
            (Some((since, until)), None, true) if since > until => {
                Err(Refusal::malformed("the window ends before it begins".to_owned()))
            }
            (Some((since, until)), None, true) => {
                self.check_transaction_ends((since, until), table, |schema| visible.sees(schema))?;
                let (from, to) = self.commit_index().sequence_range(since, until)?;
                Ok(Some((from, to, Some((since, until)))))
            }
            (None, Some(gtid), true) => {
                let (from, to) = self.transaction(gtid)?;
                Ok(Some((from, to, None)))
            }
            (None, None, false) => Ok(None),
            (_, _, false) => Err(Refusal::malformed(format!("{} has no window", table.name()))),
            (_, _, true) => {
                Err(Refusal::malformed(format!("{} needs a window, or a transaction", table.name())))
            }
        }
    }
}

impl Fill for HistoryRows {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let mut turn = Turn::new();
        while let Some(versions) = &mut self.versions {
            if versions.count(&self.history)? {
                if turn.has_passed() {
                    return Ok(true);
                }
                continue;
            }
            self.history.known_tables(&self.visible, versions, &mut self.ready)?;
            self.versions = None;
        }
        while out.len() < lines::CHUNK {
            if let Some(cells) = self.ready.pop_front() {
                let bytes = cells.iter().map(|cell| Ok::<_, &str>(cell.as_deref().map(str::as_bytes)));
                lines::row(bytes, out);
                out.push(b'\n');
                self.count += 1;
                continue;
            }
            let Some((from, to, window)) = self.next.take() else {
                return lines::trailer(self.count, &[], out).map(|()| false);
            };
            let mut found = Vec::new();
            commits::between(&*self.history.snapshot, from, to, &mut |commit| {
                found.push(commit);
                Ok(found.len() < AT_ONCE)
            })?;
            if found.len() == AT_ONCE
                && let Some(last) = found.last()
            {
                self.next = Some((last.following, to, window));
            }
            for commit in &found {
                let row = self.history.transaction_row(commit, window, &self.visible, &mut self.near)?;
                self.ready.extend(row);
            }
            if turn.is_over() {
                return Ok(true);
            }
        }
        Ok(true)
    }
}
