//! What a foreign key does to a row, and whether the server certainly does it.

use super::super::not_followed::NotFollowed;
use super::super::references::{Encoded, encoded};
use crate::image;
use crate::image::Content;
use crate::log::RowsEvent;
use crate::schema::{Action, ForeignKey};
use crate::store::ChangeSequence;
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::names::TableName;

/// A row of a parent, before and after a change of it.
pub(in crate::ingest) struct Parent<'a> {
    pub(in crate::ingest) table: &'a TableName,
    pub(in crate::ingest) definition: &'a TableDefinition,
    pub(in crate::ingest) before: &'a [u8],
    pub(in crate::ingest) after: Option<&'a [u8]>,
    /// Which change it is.
    pub(in crate::ingest) at: ChangeSequence,
    /// How many foreign keys led here.
    pub(in crate::ingest) depth: usize,
}

/// What a foreign key does to the rows that hold these values.
pub(super) struct Blow {
    /// The values, as bytes.
    pub(super) values: Vec<u8>,
    /// The new cells of the foreign key, by its columns; `None`: the rows go.
    pub(super) cells: Option<Vec<(usize, Option<Vec<u8>>)>>,
}

/// The columns of a parent that a foreign key refers to; `None`: not all of them are among its
/// columns.
fn referenced(parent: &TableDefinition, key: &ForeignKey) -> Option<Vec<usize>> {
    let names = if key.referenced.is_empty() { &parent.primary_key } else { &key.referenced };
    names.iter().map(|name| parent.position(name)).collect()
}

/// Whether it is known, whatever is known of the child, that nothing referred to the row, or that
/// what does still does: a value is NULL, or all are as they were.
pub(super) fn refers_to_the_same(parent: &Parent<'_>, key: &ForeignKey) -> bool {
    let Some(positions) = referenced(parent.definition, key) else { return false };
    let cells = |row: &[u8]| -> Option<Vec<Option<Vec<u8>>>> {
        let cells: Vec<Content<'_>> = image::cells(row).collect();
        let known = |at: &usize| match cells.get(*at)? {
            Content::Null => Some(None),
            Content::Bytes(bytes) => Some(Some(bytes.to_vec())),
            Content::Unknown => None,
        };
        positions.iter().map(known).collect()
    };
    let Some(before) = cells(parent.before) else { return false };
    before.contains(&None) || parent.after.is_some_and(|after| cells(after) == Some(before))
}

/// What a change of a parent's row does by a foreign key; `None`: nothing.
pub(super) fn blow(
    parent: &Parent<'_>,
    child: &TableDefinition,
    key: &ForeignKey,
    action: Action,
) -> Result<Option<Blow>, NotFollowed> {
    let ours: Option<Vec<usize>> = key.columns.iter().map(|name| child.position(name)).collect();
    let (Some(theirs), Some(ours)) = (referenced(parent.definition, key), ours) else {
        return Err(NotFollowed::ForeignKeyColumns);
    };
    if theirs.len() != ours.len() {
        return Err(NotFollowed::ForeignKeyWidth);
    }
    let before: Vec<Content<'_>> = image::cells(parent.before).collect();
    let after: Option<Vec<Content<'_>>> = parent.after.map(|row| image::cells(row).collect());
    let known =
        |row: &[Content<'_>]| theirs.iter().all(|at| row.get(*at).is_some_and(|c| *c != Content::Unknown));
    if !known(&before) || !after.as_deref().is_none_or(known) {
        return Err(NotFollowed::ValueNotLogged);
    }
    let changed = |at: usize| after.as_ref().is_some_and(|after| after.get(at) != before.get(at));
    if after.is_some() && !theirs.iter().any(|at| changed(*at)) {
        return Ok(None);
    }
    let values = match encoded(parent.definition, &theirs, &before) {
        Encoded::Null => return Ok(None),
        Encoded::Values(values) => values,
        Encoded::Ambiguous => {
            return Err(NotFollowed::AmbiguousValues);
        }
    };
    for (there, here) in theirs.iter().zip(&ours) {
        let (Some(there), Some(here)) = (parent.definition.columns.get(*there), child.columns.get(*here))
        else {
            return Err(NotFollowed::ForeignKeyColumnMissing);
        };
        if !alike(there, here) {
            return Err(NotFollowed::OtherTypes { parent: there.name.clone(), child: here.name.clone() });
        }
    }
    let set = |cell: &dyn Fn(usize) -> Option<Vec<u8>>, all: bool| {
        let pairs = theirs.iter().zip(&ours).filter(|(there, _)| all || changed(**there));
        let mut cells: Vec<_> = pairs.map(|(there, here)| (*here, cell(*there))).collect();
        cells.sort_by_key(|(at, _)| *at);
        Some(cells)
    };
    let cells = match (action, &after) {
        (Action::Cascade, None) => None,
        (Action::Cascade, Some(after)) => {
            set(&|at| after.get(at).and_then(|c| c.bytes()).map(<[u8]>::to_vec), false)
        }
        (Action::SetNull, _) => set(&|_| None, true),
        (Action::Restrict | Action::SetDefault, _) => {
            return Err(NotFollowed::SetDefault);
        }
    };
    if let Some(cells) = &cells {
        for (at, cell) in cells {
            if !child.columns.get(*at).is_some_and(|c| cell.is_some() || c.nullable) {
                return Err(NotFollowed::NullInNotNull);
            }
        }
    }
    Ok(Some(Blow { values, cells }))
}

/// Whether values of the two columns are equal to the server exactly where their bytes as keys are.
fn alike(a: &Column, b: &Column) -> bool {
    let text = |ty: &ColumnType| matches!(ty, ColumnType::Char { .. } | ColumnType::VarChar { .. });
    let same_text = text(&a.ty)
        && std::mem::discriminant(&a.ty) == std::mem::discriminant(&b.ty)
        && a.collation == b.collation;
    let bytes = |ty: &ColumnType| matches!(ty, ColumnType::VarBinary { .. });
    let plain = |ty: &ColumnType| {
        let ColumnType::Int { size, unsigned, zerofill: false, .. } = ty else { return None };
        Some((*size, *unsigned))
    };
    same_text
        || (a.ty == b.ty && a.collation == b.collation)
        || (bytes(&a.ty) && bytes(&b.ty))
        || plain(&a.ty).is_some_and(|p| plain(&b.ty) == Some(p))
}

/// Whether the server certainly carries the foreign key out, by what its log says beside.
pub(super) fn fires(event: &RowsEvent, parent: &Parent<'_>, child: &TableName) -> Result<(), NotFollowed> {
    if !event.table.server.mariadb {
        return if event.table.referred || parent.depth > 0 { Ok(()) } else { Err(NotFollowed::NotReferred) };
    }
    let named = event.statement.mapped.iter().filter(|m| m.name == *child).count();
    if named > usize::from(*child == event.table.name) { Ok(()) } else { Err(NotFollowed::NotMapped) }
}
