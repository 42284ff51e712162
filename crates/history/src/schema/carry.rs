//! Rows from one definition of a table to another.

use super::columns::zero;
use super::convert::{self, By};
use super::lost_cell::{ColumnChange, LostCell, UnknownCell};
use super::table::{BackfilledValue, Full, FullColumn};
use super::{CannotCarry, Catalog, DefinitionId, Step, StoredDefinition};
use crate::number::is_zero;
use dbtrail_types::agent_api::LostColumn;
use dbtrail_types::column::{Column, same_name};
use dbtrail_types::result_set::Cell;

/// A row of which cells may not be known: why not.
pub type Carried = Vec<Result<Cell, UnknownCell>>;

/// The way back is taken only where no value was changed: it needs no rounding, and whatever does
/// not fit is refused.
const BACK: By = By::Server { mariadb: true, mode: Some(convert::STRICT), steps: false };

/// Shows a row of the columns of `from` under `to`: a cell that is not known exactly is not known,
/// and the others stay.
pub(super) fn carry(
    catalog: &Catalog,
    from: DefinitionId,
    to: DefinitionId,
    row: Carried,
) -> Result<Carried, CannotCarry> {
    if from == to {
        return Ok(row);
    }
    if let Some(path) = path(catalog, from, to) {
        return path
            .into_iter()
            .try_fold((from, row), |(at, row), next| forward(catalog, at, next, &row).map(|row| (next, row)))
            .map(|(_, row)| row);
    }
    if let Some(mut path) = path(catalog, to, from) {
        path.pop();
        path.reverse();
        path.push(to);
        return path
            .into_iter()
            .try_fold((from, row), |(at, row), next| backward(catalog, at, next, &row).map(|row| (next, row)))
            .map(|(_, row)| row);
    }
    Err(CannotCarry::OtherTable)
}

/// The definitions after `from` up to `to`, if `to` follows from it.
pub(super) fn path(catalog: &Catalog, from: DefinitionId, to: DefinitionId) -> Option<Vec<DefinitionId>> {
    let mut path = vec![to];
    let mut at = to;
    while let Some(step) = &catalog.known(at)?.step {
        at = step.before;
        if at == from {
            path.reverse();
            return Some(path);
        }
        path.push(at);
    }
    None
}

impl Catalog {
    /// The columns of `from` that `to` has no more, or, if it follows from it, in which it may have
    /// other values. A generated column has no values of its own.
    #[must_use]
    pub fn lost_columns(&self, from: DefinitionId, to: DefinitionId) -> Vec<LostColumn> {
        let (Some(mut old), Some(now)) = (self.known(from), self.known(to)) else { return Vec::new() };
        let Some(path) = path(self, from, to).or_else(|| (from == to).then(Vec::new)) else {
            // Another table has the name: its rows are matched by the names of columns.
            let gone = |c: &&FullColumn| c.generated.is_none() && now.full.position(&c.column.name).is_none();
            let gone = old.full.columns.iter().filter(gone).map(|c| c.column.name.clone());
            let statement = || "DROP TABLE and a CREATE TABLE without it".to_owned();
            return gone.map(|column| LostColumn { column, statement: statement(), dropped: true }).collect();
        };
        let columns = old.full.columns.iter().enumerate();
        let mut there: Vec<usize> =
            columns.filter(|(_, c)| c.generated.is_none()).map(|(at, _)| at).collect();
        let mut lost = Vec::new();
        for new in path.into_iter().filter_map(|id| self.known(id)) {
            let Some(step) = &new.step else { continue };
            there.retain_mut(|at| {
                let now = step.from.iter().position(|from| *from == Some(*at));
                let (was, is) = (old.full.columns.get(*at), now.and_then(|now| new.full.columns.get(now)));
                let Some(was) = was.map(|was| &was.column) else { return false };
                let may_differ = is.is_none_or(|is| same_values(&is.column, was).is_err());
                if may_differ && !lost.iter().any(|lost: &LostColumn| lost.column == was.name) {
                    let (column, statement) = (was.name.clone(), step.statement.clone());
                    lost.push(LostColumn { column, statement, dropped: now.is_none() });
                }
                *at = now.unwrap_or(*at);
                now.is_some()
            });
            old = new;
        }
        lost
    }
}

fn forward(
    catalog: &Catalog,
    from: DefinitionId,
    to: DefinitionId,
    row: &Carried,
) -> Result<Carried, CannotCarry> {
    let lost = || CannotCarry::NoDefinition;
    let (old, new) = (catalog.known(from).ok_or_else(lost)?, catalog.known(to).ok_or_else(lost)?);
    let step = new.step.as_ref().ok_or_else(lost)?;
    let refuse = |why: LostCell| UnknownCell::Lost { why, statement: step.statement.clone() };
    let values = changed(step, &old.full, &new.full);
    let columns = new.full.columns.iter().zip(&step.from);
    let row = columns
        .map(|(target, source)| {
            let Some(source) = *source else {
                return Ok(match &target.filled {
                    BackfilledValue::With(cell) => Ok(cell.clone()),
                    BackfilledValue::Unknown(why) => Err(refuse(LostCell::Backfill(why.clone()))),
                });
            };
            let was = old.full.columns.get(source).ok_or_else(lost)?;
            let regenerated = target.generated.is_some() && target.generated != was.generated;
            if regenerated || values && (new.full.inferred || target.generated.is_some()) {
                return Ok(Err(refuse(recomputed(target, new.full.inferred))));
            }
            let cell = row.get(source).ok_or_else(lost)?;
            let cell = cell.as_ref().map_err(Clone::clone);
            Ok(cell.and_then(|cell| converted(cell, &was.column, &target.column, step.by).map_err(refuse)))
        })
        .collect::<Result<_, _>>()?;
    // A session that fills CHAR with spaces computes with them.
    if step.by.pads() { Ok(row) } else { Ok(computed(new, row)) }
}

/// A row with the generated cells that are not known otherwise, where they can be computed from the
/// others.
fn computed(known: &StoredDefinition, mut row: Carried) -> Carried {
    for at in &known.generated {
        if row.get(*at).is_some_and(Result::is_err) {
            let reported = |other: usize| row.get(other)?.as_ref().ok().map(Option::as_deref);
            let cell = known.computed(*at, reported);
            if let (Some(cell), Some(pos)) = (cell, row.get_mut(*at)) {
                *pos = Ok(cell);
            }
        }
    }
    row
}

fn backward(
    catalog: &Catalog,
    from: DefinitionId,
    to: DefinitionId,
    row: &Carried,
) -> Result<Carried, CannotCarry> {
    let lost = || CannotCarry::NoDefinition;
    let (new, old) = (catalog.known(from).ok_or_else(lost)?, catalog.known(to).ok_or_else(lost)?);
    let step = new.step.as_ref().ok_or_else(lost)?;
    let refuse = |why: LostCell| UnknownCell::Lost { why, statement: step.statement.clone() };
    let values = changed(step, &old.full, &new.full);
    let columns = old.full.columns.iter().enumerate();
    let row = columns
        .map(|(position, target)| {
            let Some(source) = step.from.iter().position(|f| *f == Some(position)) else {
                let name = &target.column.name;
                return Ok(Err(refuse(LostCell::Dropped(name.clone()))));
            };
            let is = new.full.columns.get(source).ok_or_else(lost)?;
            let regenerated = target.generated.is_some() && target.generated != is.generated;
            if regenerated || values && (new.full.inferred || is.generated.is_some()) {
                return Ok(Err(refuse(recomputed(is, new.full.inferred))));
            }
            if let Err(why) = same_values(&is.column, &target.column) {
                return Ok(Err(refuse(why)));
            }
            let cell = row.get(source).ok_or_else(lost)?;
            let cell = cell.as_ref().map_err(Clone::clone);
            Ok(cell.and_then(|cell| {
                if may_be_numbered(cell, &new.full, &is.column, &target.column, step.by) {
                    return Err(refuse(LostCell::Numbered(is.column.name.clone())));
                }
                converted(cell, &is.column, &target.column, BACK).map_err(refuse)
            }))
        })
        .collect::<Result<_, _>>()?;
    Ok(computed(old, row))
}

/// Whether the statement touched values or names that the expression of a generated column may use.
fn changed(step: &Step, old: &Full, new: &Full) -> bool {
    let mut pairs =
        step.from.iter().zip(&new.columns).filter_map(|(from, now)| Some((&old.columns[(*from)?], now)));
    pairs.any(|(before, now)| {
        let (before, now) = (&before.column, &now.column);
        before.ty != now.ty || before.charset() != now.charset() || before.name != now.name
    })
}

fn recomputed(column: &FullColumn, inferred: bool) -> LostCell {
    let name = column.column.name.clone();
    if inferred { LostCell::MayBeGenerated(name) } else { LostCell::Recomputed(name) }
}

/// Going back is known only where going forth can have lost nothing: not where a value was cut,
/// rounded or made NOT NULL.
fn same_values(now: &Column, before: &Column) -> Result<(), LostCell> {
    let same = now.ty == before.ty && now.charset() == before.charset();
    if (same || convert::is_lossless(before, now)) && (now.nullable || !before.nullable) {
        return Ok(());
    }
    Err(LostCell::BeforeChange(changes(before, now)))
}

/// A cell of one type as a cell of another, where that is known.
fn converted(cell: &Cell, from: &Column, to: &Column, by: By) -> Result<Cell, LostCell> {
    let numbers = to.auto_increment && !from.auto_increment;
    let numbered = || LostCell::Numbered(to.name.clone());
    let Some(bytes) = cell else {
        if to.nullable {
            return Ok(None);
        }
        if numbers {
            return Err(numbered());
        }
        let zero = if by.is_lax() { zero(to) } else { None };
        return zero.map(Some).ok_or_else(|| LostCell::WasNull(to.name.clone()));
    };
    let same = from.ty == to.ty && from.charset() == to.charset();
    let kept = if same { Some(bytes.clone()) } else { convert::convert(bytes, from, to, by) };
    match kept {
        Some(bytes) if numbers && !by.keeps_zeros() && is_zero(&bytes) => Err(numbered()),
        Some(bytes) => Ok(Some(bytes)),
        None => Err(LostCell::Converted(changes(from, to))),
    }
}

/// Whether a value of now may be a number that the statement gave the row. There is one zero at the
/// most that is the whole key, and it gets the first number.
fn may_be_numbered(cell: &Cell, new: &Full, now: &Column, before: &Column, by: By) -> bool {
    let numbers = now.auto_increment && !before.auto_increment && (before.nullable || !by.keeps_zeros());
    let alone = new.primary_key.len() == 1 && new.primary_key.iter().all(|n| same_name(n, &now.name));
    let may_be =
        |n: &Vec<u8>| if alone && !by.steps() { n == b"1" } else { !is_zero(n) && !n.starts_with(b"-") };
    numbers && cell.as_ref().is_some_and(may_be)
}

/// What changed of a column: its type, or its character set.
fn changes(from: &Column, to: &Column) -> Box<ColumnChange> {
    let form = |column: &Column| {
        let charset = column.charset().filter(|_| from.charset() != to.charset()).map(str::to_owned);
        (column.ty.clone(), charset)
    };
    Box::new(ColumnChange { column: to.name.clone(), from: form(from), to: form(to) })
}
