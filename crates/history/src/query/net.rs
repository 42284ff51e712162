//! What a window, or one transaction, did to the rows of a table, all in all.
//!
//! Of each key that changed: its row before, at the end, and at the end of the record, all under
//! the definition that the table has there. The states are those between two changes of the log, so
//! that no time is in doubt; the window's ends are (see [`History::span`]).

mod changed;
mod rows;
mod single_changes;

use super::chunks::{Chunks, Fill};
use super::keys::Wanted;
use super::question::{Question, State};
use super::{Found, History, Reading, Refusal, lines, unreadable};
use crate::commit_index::ReadPoint;
use crate::names::TableState;
use crate::schema::{Carried, DefinitionId, UnknownCell};
use crate::store::{ChangeSequence, EncodedKey};
use changed::Changed;
use dbtrail_types::agent_api::{LostColumn, NetHeader, NetLine, NetRequest, Span, code};
use dbtrail_types::column::Column;
use dbtrail_types::names::TableName;
use rows::{Having, Rows};
use single_changes::SingleChanges;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys looked at in one go.
const ROWS_AT_ONCE: usize = 1024;

/// The lines of an answer, in chunks.
pub type NetAnswer = Chunks<NetLines>;

/// The source of the lines.
#[derive(Debug)]
pub struct NetLines {
    history: Arc<History>,
    name: TableName,
    range: (ChangeSequence, ChangeSequence),
    having: Option<Vec<Having>>,
    /// What is still to be looked at before the first line.
    changed: Option<Changed>,
    keys: std::collections::btree_set::IntoIter<EncodedKey>,
    /// Where each change is given by itself: how, and what is left of the key at hand.
    steps: Option<SingleChanges>,
    count: u64,
}

impl History {
    /// What a window or a transaction did to rows, all in all.
    ///
    /// # Errors
    /// Every reason not to answer.
    pub fn net(self: &Arc<Self>, request: &NetRequest) -> Result<NetAnswer, Refusal> {
        self.check_server(&request.server_id)?;
        self.all_compared()?;
        let name = TableName { schema: request.schema.clone(), table: request.table.clone() };
        let name = self.catalog.folded(name);
        let (from, to) = self.span(&request.span)?;
        let range = (from, if request.to_the_end { self.end } else { to });
        let today = self.today(&name)?;
        if let Some(why) = super::no_key(today.definition) {
            return Err(Refusal::new(422, code::NOT_CAPTURED, format!("table {name}: {why}")));
        }
        let wanted = request
            .keys
            .as_ref()
            .map(|keys| Wanted::read(keys, today.definition, &name, self.gtids.is_of_mariadb()));
        let wanted = wanted.transpose()?;
        super::without_doubt(&name, today.generation, self.end, wanted.as_ref())?;
        if let Span::Window { since, until } = request.span {
            let until = (!request.to_the_end).then_some(until);
            self.check_window_ends((since, until), &name, wanted.as_ref(), |_, _, _| Ok(true))?;
        }
        let having = request.having.as_ref().map(|all| {
            all.iter().map(|one| Having::read(one, today.definition, &name)).collect::<Result<Vec<_>, _>>()
        });
        let having = having.transpose()?;
        let head = self.net_head(&name, &today, range)?;
        let changed = if range.0 < range.1 {
            let then = match self.names.at(&name, range.1) {
                Some((_, TableState::Absent)) => None,
                _ => Some(self.table_at(&name, ReadPoint { at: range.1, doubtful: range.1 })?),
            };
            Some(Changed::new(self, request, &name, range, (&today, then), wanted)?)
        } else {
            None
        };
        let lines = NetLines {
            history: Arc::clone(self),
            name,
            range,
            having,
            changed,
            keys: BTreeSet::new().into_iter(),
            steps: request
                .steps
                .then(|| SingleChanges { derived_only: request.derived_only, ..SingleChanges::default() }),
            count: 0,
        };
        Ok(Chunks::new(head, lines))
    }

    /// The changes of a span: the first, and the one after the last.
    fn span(&self, span: &Span) -> Result<(ChangeSequence, ChangeSequence), Refusal> {
        match span {
            Span::Window { since, until } => {
                if since > until {
                    return Err(Refusal::malformed("the window ends before it begins".to_owned()));
                }
                self.covered(*since)?;
                self.covered(*until)?;
                self.without_gap(*since, *until)?;
                Ok(self.commit_index().sequence_range(*since, *until)?)
            }
            Span::Transaction(gtid) => self.transaction(gtid),
        }
    }

    /// The table as it is at the end of the record, on which statements would run.
    fn today(&self, name: &TableName) -> Result<Found<'_>, Refusal> {
        let now = ReadPoint { at: ChangeSequence::END, doubtful: ChangeSequence::END };
        if self.names.at(name, ChangeSequence::END).is_some_and(|(_, s)| *s == TableState::Absent)
            && self.names.history(name).iter().any(|(_, s)| matches!(s, TableState::Table(..)))
        {
            let newest = self.coverage.newest;
            return Err(Refusal::new(
                404,
                code::UNKNOWN_TABLE,
                format!(
                    "table {name} is not there at the end of the record ({newest}), so no statement can bring its rows back: create it first \
                     (`dbtrail-shim dump` writes the CREATE TABLE and all rows of an instant)"
                ),
            ));
        }
        self.table_at(name, now)
    }

    fn net_head(
        &self,
        name: &TableName,
        today: &Found<'_>,
        range: (ChangeSequence, ChangeSequence),
    ) -> Result<Vec<u8>, Refusal> {
        let definition = today.definition;
        let generated = self.catalog.set_by_server(today.definition_id).into_iter();
        let generated = generated.filter_map(|at| Some(definition.columns.get(at)?.name.clone())).collect();
        let header = NetHeader {
            success: true,
            definition: definition.as_ref().clone(),
            newest: self.coverage.newest,
            generated,
            unique: self.catalog.unique(today.definition_id),
            references: self.catalog.references(name),
            below: self.catalog.below(name).into_iter().filter(|child| child != name).collect(),
            lost: self.lost_columns(name, range),
        };
        let mut out = Vec::new();
        lines::json(&header, &mut out)?;
        out.push(b'\n');
        Ok(out)
    }

    /// The columns of which statements of a range took values away.
    fn lost_columns(
        &self,
        name: &TableName,
        (from, to): (ChangeSequence, ChangeSequence),
    ) -> Vec<LostColumn> {
        let id = |at| self.table_at(name, ReadPoint { at, doubtful: at }).map(|found| found.definition_id);
        match (id(from), id(to)) {
            (Ok(before), Ok(after)) => self.catalog.lost_columns(before, after),
            // What cannot be read is refused row by row.
            _ => Vec::new(),
        }
    }

    /// The row of a key between two changes of the log, under the definition of today. `None`:
    /// there was none.
    fn row_between(
        &self,
        name: &TableName,
        key: &EncodedKey,
        cut: ChangeSequence,
        today: &Found<'_>,
    ) -> Result<Option<Carried>, Refusal> {
        let position = ReadPoint { at: cut, doubtful: cut };
        if let Some((_, TableState::Absent)) = self.names.at(name, cut) {
            return Ok(None);
        }
        let found = self.table_at(name, position)?;
        if !self.catalog.same_key(found.definition_id, today.definition_id) {
            return Err(unreadable(name, "its primary key is another one now than it was then"));
        }
        let question = Question { history: self, name: name.clone(), found, cut: position };
        match question.state(key, Reading::Snapshot)? {
            State::Row(image, under) => {
                let image = question.filled(key, image, under)?;
                let row = self.catalog.unpack(under, &image);
                let now = today.definition_id;
                if under != now && !self.catalog.precedes(under, now) && !self.catalog.precedes(now, under) {
                    return Ok(self.by_name(under, today, &row));
                }
                let carried = self.catalog.carry(under, now, row);
                carried.map(Some).map_err(|why| unreadable(name, &why.to_string()))
            }
            State::NoRow(_) => Ok(None),
            State::Unknown => Err(Refusal::new(
                422,
                code::NOT_RECORDED,
                format!(
                    "the record does not say whether {name} had a row with a key that changed in the window"
                ),
            )),
        }
    }
}

impl History {
    /// A row of a table that was dropped, as one of the table that was created under its name
    /// since: by columns of the same name and declaration.
    fn by_name(&self, under: DefinitionId, today: &Found<'_>, row: &Carried) -> Option<Carried> {
        let then = self.catalog.definition(under)?;
        let cell = |column: &Column| {
            let at = then.position(&column.name);
            let was = at.and_then(|at| Some((at, then.columns.get(at)?)));
            let same = was.filter(|(_, was)| was.ty == column.ty && was.collation == column.collation);
            let cell = same.and_then(|(at, _)| row.get(at).cloned());
            cell.unwrap_or_else(|| Err(UnknownCell::CreatedAgain { column: column.name.clone() }))
        };
        Some(today.definition.columns.iter().map(cell).collect())
    }
}

impl Fill for NetLines {
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let history = Arc::clone(&self.history);
        if let Some(changed) = &mut self.changed {
            if changed.step(&history)? {
                return Ok(true);
            }
            if let Some(steps) = &mut self.steps {
                (steps.generations, steps.emptied) = changed.generations(&history);
            }
            self.keys = self.changed.take().map(Changed::into_keys).unwrap_or_default();
        }
        let today = history.today(&self.name)?;
        let rows = Rows { history: &history, name: &self.name, today: &today, range: self.range };
        for _ in 0..ROWS_AT_ONCE {
            if out.len() >= lines::CHUNK {
                break;
            }
            let net = if let Some(steps) = &mut self.steps {
                let Some((key, from, since)) = steps.at.take() else {
                    let Some(key) = self.keys.next() else {
                        lines::trailer(self.count, &[], out)?;
                        return Ok(false);
                    };
                    let since = rows.since(&key)?;
                    steps.at = Some((key, self.range.0, since));
                    continue;
                };
                let (_, to) = self.range;
                let Some((change, cause)) = steps.next(&history, &key, (from, to))? else { continue };
                steps.at = Some((key.clone(), change.next(), since));
                rows.step(&key, change, cause, since)?
            } else {
                let Some(key) = self.keys.next() else {
                    lines::trailer(self.count, &[], out)?;
                    return Ok(false);
                };
                rows.net(&key, self.having.as_deref())?
            };
            if let Some(net) = net {
                lines::json(&NetLine { net }, out)?;
                out.push(b'\n');
                self.count += 1;
            }
        }
        Ok(true)
    }
}
