//! Rows from one definition of a table to another.

#![expect(clippy::wildcard_enum_match_arm, reason = "the pairs of types that are not named are not followed")]

use super::table::{Filled, Full, FullColumn};
use super::{CannotCarry, Catalog, DefinitionId, Step};
use dbtrail_types::column::{Column, ColumnType, LobSize};
use dbtrail_types::reply::Cell;

/// A row of which cells may not be known: why not.
pub type Carried = Vec<Result<Cell, String>>;

/// Shows a row of the columns of `from` under `to`: a cell that cannot be told exactly is not known, and the others stay.
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
    Err(CannotCarry("the two definitions are not of one table".to_owned()))
}

/// The definitions behind `from` up to `to`, if `to` follows from it.
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

fn forward(
    catalog: &Catalog,
    from: DefinitionId,
    to: DefinitionId,
    row: &Carried,
) -> Result<Carried, CannotCarry> {
    let lost = || CannotCarry("a definition is missing".to_owned());
    let (old, new) = (catalog.known(from).ok_or_else(lost)?, catalog.known(to).ok_or_else(lost)?);
    let step = new.step.as_ref().ok_or_else(lost)?;
    let refuse = |what: String| format!("{what} (by: {})", step.statement);
    let values = changed(step, &old.full, &new.full);
    let columns = new.full.columns.iter().zip(&step.from);
    columns
        .map(|(target, source)| {
            let Some(source) = *source else {
                return Ok(match &target.filled {
                    Filled::With(cell) => Ok(cell.clone()),
                    Filled::Unknown(why) => Err(refuse(why.clone())),
                });
            };
            let was = old.full.columns.get(source).ok_or_else(lost)?;
            let anew = target.generated.is_some() && target.generated != was.generated;
            if anew || values && (new.full.learnt || target.generated.is_some()) {
                return Ok(Err(refuse(recomputed(target, new.full.learnt))));
            }
            let cell = row.get(source).ok_or_else(lost)?;
            let cell = cell.as_ref().map_err(Clone::clone);
            Ok(cell.and_then(|cell| convert(cell, &was.column, &target.column).map_err(refuse)))
        })
        .collect()
}

fn backward(
    catalog: &Catalog,
    from: DefinitionId,
    to: DefinitionId,
    row: &Carried,
) -> Result<Carried, CannotCarry> {
    let lost = || CannotCarry("a definition is missing".to_owned());
    let (new, old) = (catalog.known(from).ok_or_else(lost)?, catalog.known(to).ok_or_else(lost)?);
    let step = new.step.as_ref().ok_or_else(lost)?;
    let refuse = |what: String| format!("{what} (by: {})", step.statement);
    let values = changed(step, &old.full, &new.full);
    let columns = old.full.columns.iter().enumerate();
    columns
        .map(|(position, target)| {
            let Some(source) = step.from.iter().position(|f| *f == Some(position)) else {
                let name = &target.column.name;
                return Ok(Err(refuse(format!(
                    "column {name} was dropped, and what was in it is not recorded"
                ))));
            };
            let is = new.full.columns.get(source).ok_or_else(lost)?;
            let anew = target.generated.is_some() && target.generated != is.generated;
            if anew || values && (new.full.learnt || is.generated.is_some()) {
                return Ok(Err(refuse(recomputed(is, new.full.learnt))));
            }
            if let Err(why) = certain(&is.column, &target.column) {
                return Ok(Err(refuse(why)));
            }
            let cell = row.get(source).ok_or_else(lost)?;
            let cell = cell.as_ref().map_err(Clone::clone);
            Ok(cell.and_then(|cell| convert(cell, &is.column, &target.column).map_err(refuse)))
        })
        .collect()
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

fn recomputed(column: &FullColumn, learnt: bool) -> String {
    let name = &column.column.name;
    if learnt {
        format!("whether column {name} is generated, and was computed anew, is not in the log")
    } else {
        format!("generated column {name} was computed anew, which is not followed")
    }
}

/// Going back is certain only where going forth can have lost nothing: not where a value was cut, rounded or made NOT NULL.
fn certain(now: &Column, before: &Column) -> Result<(), String> {
    let labels = matches!((&now.ty, &before.ty), (ColumnType::Enum { .. }, ColumnType::Enum { .. }));
    let same = now.ty == before.ty && now.charset() == before.charset();
    if (same || labels) && (now.nullable || !before.nullable) {
        return Ok(());
    }
    Err(format!(
        "column {} changed from {} to {}, and what its value was before is not recorded",
        now.name, before.ty, now.ty
    ))
}

/// A cell of one type as a cell of another, where that is certain.
fn convert(cell: &Cell, from: &Column, to: &Column) -> Result<Cell, String> {
    let Some(bytes) = cell else {
        return if to.nullable {
            Ok(None)
        } else {
            Err(format!("column {} became NOT NULL, and its value was NULL", to.name))
        };
    };
    if from.ty == to.ty && from.charset() == to.charset() {
        return Ok(cell.clone());
    }
    let refuse = || {
        format!(
            "column {} changed from {} to {}, and how its value changed is not certain",
            to.name, from.ty, to.ty
        )
    };
    let text = || std::str::from_utf8(bytes).map_err(|_| refuse());
    match (&from.ty, &to.ty) {
        (ColumnType::Int { .. }, ColumnType::Int { size, unsigned, zerofill: false, .. }) => {
            let value: i128 = text()?.parse().map_err(|_| refuse())?;
            let bits = match size {
                dbtrail_types::column::IntSize::Tiny => 8,
                dbtrail_types::column::IntSize::Small => 16,
                dbtrail_types::column::IntSize::Medium => 24,
                dbtrail_types::column::IntSize::Int => 32,
                dbtrail_types::column::IntSize::Big => 64,
            };
            let (low, high) = if *unsigned {
                (0, (1_i128 << bits) - 1)
            } else {
                (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
            };
            if (low..=high).contains(&value) {
                Ok(Some(value.to_string().into_bytes()))
            } else {
                Err(refuse())
            }
        }
        (ColumnType::Enum { .. }, ColumnType::Enum { labels }) => {
            let text = text()?;
            if labels.iter().any(|l| l == text) { Ok(cell.clone()) } else { Err(refuse()) }
        }
        (ColumnType::Set { .. }, ColumnType::Set { labels }) => {
            let chosen: Vec<&str> = text()?.split(',').filter(|l| !l.is_empty()).collect();
            let shown: Vec<&str> = labels.iter().map(String::as_str).filter(|l| chosen.contains(l)).collect();
            if shown.len() == chosen.len() { Ok(Some(shown.join(",").into_bytes())) } else { Err(refuse()) }
        }
        (ColumnType::Decimal { .. }, ColumnType::Decimal { precision, scale, zerofill: false, .. }) => {
            decimal(text()?, usize::from(*precision), usize::from(*scale))
                .map(|t| Some(t.into_bytes()))
                .ok_or_else(refuse)
        }
        (ColumnType::Time { .. }, ColumnType::Time { fsp })
        | (ColumnType::DateTime { .. }, ColumnType::DateTime { fsp })
        | (ColumnType::Timestamp { .. }, ColumnType::Timestamp { fsp }) => {
            fraction(text()?, usize::from(*fsp)).map(|t| Some(t.into_bytes())).ok_or_else(refuse)
        }
        (
            ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. },
            ColumnType::VarChar { chars } | ColumnType::Char { chars },
        ) => {
            let text = text()?;
            let short = text.chars().count() <= usize::try_from(*chars).unwrap_or(usize::MAX);
            if short && convertible(text, to) { Ok(cell.clone()) } else { Err(refuse()) }
        }
        (ColumnType::VarChar { .. } | ColumnType::Text { .. }, ColumnType::Text { size }) => {
            let text = text()?;
            // A character takes four bytes at most in any character set.
            let room = usize::try_from(room(*size)).unwrap_or(usize::MAX);
            let short = text.chars().count().saturating_mul(4) <= room;
            if short && convertible(text, to) { Ok(cell.clone()) } else { Err(refuse()) }
        }
        (
            ColumnType::Blob { .. } | ColumnType::VarBinary { .. },
            ColumnType::Blob { .. } | ColumnType::VarBinary { .. },
        ) => {
            let room = match to.ty {
                ColumnType::Blob { size } => room(size),
                ColumnType::VarBinary { bytes } => bytes,
                _ => 0,
            };
            if bytes.len() <= usize::try_from(room).unwrap_or(usize::MAX) {
                Ok(cell.clone())
            } else {
                Err(refuse())
            }
        }
        _ => Err(refuse()),
    }
}

/// Bytes that the four sizes of TEXT and BLOB hold.
fn room(size: LobSize) -> u32 {
    match size {
        LobSize::Tiny => 255,
        LobSize::Normal => 65_535,
        LobSize::Medium => 16_777_215,
        LobSize::Long => u32::MAX,
    }
}

/// Whether the text can be held in the column's character set as it is.
fn convertible(text: &str, to: &Column) -> bool {
    match to.charset() {
        Some("utf8mb4") => true,
        Some("utf8mb3" | "utf8") => text.chars().all(|c| u32::from(c) < 0x1_0000),
        _ => text.is_ascii(),
    }
}

fn decimal(text: &str, precision: usize, scale: usize) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.trim_start_matches('-').trim_start_matches('0').len();
    let (kept, cut) = fraction.split_at(scale.min(fraction.len()));
    if digits > precision.checked_sub(scale)? || cut.bytes().any(|b| b != b'0') {
        return None;
    }
    Some(if scale == 0 { whole.to_owned() } else { format!("{whole}.{kept:0<scale$}") })
}

fn fraction(text: &str, fsp: usize) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (kept, cut) = fraction.split_at(fsp.min(fraction.len()));
    if cut.bytes().any(|b| b != b'0') {
        return None;
    }
    Some(if fsp == 0 { whole.to_owned() } else { format!("{whole}.{kept:0<fsp$}") })
}
