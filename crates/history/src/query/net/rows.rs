//! The rows of a key before, in and after a range of the log.

use super::super::{Found, History, Refusal, change_rows};
use crate::schema::Carried;
use crate::store::{ChangeSequence, EncodedKey};
use dbtrail_types::agent_api::{ColumnValues, NetChange, Octets, RowCell, RowLine};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::index_form::index_form;
use dbtrail_types::names::TableName;
use std::collections::HashSet;

/// Values of columns that rows are wanted for.
#[derive(Debug)]
pub(super) struct Having {
    positions: Vec<usize>,
    values: HashSet<Vec<Vec<u8>>>,
}

impl Having {
    pub(super) fn read(
        asked: &ColumnValues,
        definition: &TableDefinition,
        name: &TableName,
    ) -> Result<Self, Refusal> {
        let position = |column: &String| {
            let why = || Refusal::malformed(format!("having: table {name} has no column {column}"));
            definition.position(column).ok_or_else(why)
        };
        let positions = asked.columns.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        if asked.values.iter().any(|value| value.len() != positions.len()) {
            return Err(Refusal::malformed("having: a value a column is needed".to_owned()));
        }
        let form = |(at, value): (&usize, &Octets)| {
            definition.columns.get(*at).map(|column| index_form(column, &value.0)).unwrap_or_default()
        };
        let values = asked.values.iter().map(|value| positions.iter().zip(value).map(form).collect());
        Ok(Self { values: values.collect(), positions })
    }

    pub(super) fn holds(&self, row: Option<&Carried>, definition: &TableDefinition) -> bool {
        let form = |at: &usize| match row?.get(*at)? {
            Ok(Some(bytes)) => Some(index_form(definition.columns.get(*at)?, bytes)),
            _ => None,
        };
        self.positions.iter().map(form).collect::<Option<Vec<_>>>().is_some_and(|v| self.values.contains(&v))
    }
}

/// Rows of one key before, in and after a range of the log.
pub(super) struct Rows<'a> {
    pub(super) history: &'a History,
    pub(super) name: &'a TableName,
    pub(super) today: &'a Found<'a>,
    pub(super) range: (ChangeSequence, ChangeSequence),
}

impl Rows<'_> {
    pub(super) fn row(&self, key: &EncodedKey, cut: ChangeSequence) -> Result<Option<Carried>, Refusal> {
        self.history.row_between(self.name, key, cut, self.today)
    }

    pub(super) fn same(&self, a: Option<&Carried>, b: Option<&Carried>) -> bool {
        let generated = self.history.catalog.set_by_server(self.today.definition_id);
        match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => {
                let cells = a.iter().zip(b).enumerate();
                // A generated column follows from the others, and the time of a row comes back with
                // no statement; a cell that is not known is the same as none.
                a.len() == b.len()
                    && cells.filter(|(i, _)| !generated.contains(i)).all(|(_, (a, b))| a.is_ok() && a == b)
            }
            _ => false,
        }
    }

    /// Whether somebody changed the row after the range.
    pub(super) fn since(&self, key: &EncodedKey) -> Result<bool, Refusal> {
        let (end, now) = (self.row(key, self.range.1)?, self.row(key, self.history.end)?);
        Ok(!self.same(end.as_ref(), now.as_ref()))
    }

    /// All that the range did to it; `None`: nothing, or nothing that is wanted.
    pub(super) fn net(
        &self,
        key: &EncodedKey,
        having: Option<&[Having]>,
    ) -> Result<Option<NetChange>, Refusal> {
        let (from, to) = self.range;
        let (before, end) = (self.row(key, from)?, self.row(key, to)?);
        if let Some(having) = having {
            let rows = [before.as_ref(), end.as_ref()];
            let holds = |one: &Having| rows.iter().any(|row| one.holds(*row, self.today.definition));
            if !having.iter().any(holds) {
                return Ok(None);
            }
        }
        if self.same(before.as_ref(), end.as_ref()) {
            return Ok(None);
        }
        let now = if to == self.history.end { end.clone() } else { self.row(key, self.history.end)? };
        let since = !self.same(end.as_ref(), now.as_ref());
        Ok(self.changes_of(before, end, since, now))
    }

    /// What one change did to it.
    pub(super) fn step(
        &self,
        key: &EncodedKey,
        change: ChangeSequence,
        cause: Option<ChangeSequence>,
        since: bool,
    ) -> Result<Option<NetChange>, Refusal> {
        let (before, end) = (self.row(key, change)?, self.row(key, change.next())?);
        if self.same(before.as_ref(), end.as_ref()) {
            return Ok(None);
        }
        let now = if since { self.row(key, self.history.end)? } else { None };
        let reported = self.changes_of(before, end, since, now);
        Ok(reported.map(|net| NetChange { change: Some(change.0), cause: cause.map(|c| c.0), ..net }))
    }

    pub(super) fn changes_of(
        &self,
        before: Option<Carried>,
        end: Option<Carried>,
        since: bool,
        now: Option<Carried>,
    ) -> Option<NetChange> {
        let some = before.as_ref().or(end.as_ref())?;
        let positions = change_rows::key_positions(self.today.definition);
        let key = positions.iter().map(|at| match some.get(*at) {
            Some(Ok(Some(bytes))) => Octets(bytes.clone()),
            _ => Octets(Vec::new()),
        });
        Some(NetChange {
            key: key.collect(),
            before: before.map(line),
            end: end.map(line),
            since,
            now: now.filter(|_| since).map(line),
            change: None,
            cause: None,
        })
    }
}

fn line(row: Carried) -> RowLine {
    row.into_iter()
        .map(|cell| match cell {
            Ok(None) => RowCell::Null,
            Ok(Some(bytes)) => RowCell::Value(Octets(bytes)),
            Err(why) => RowCell::Unknown(why.to_string()),
        })
        .collect()
}
