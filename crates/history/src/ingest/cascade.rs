//! What foreign keys do to other rows, where the server does not log it.
//!
//! InnoDB deletes and changes the rows that refer to a row by itself, below the log (all MariaDB;
//! MySQL before 9.6, and later ones with `innodb_native_foreign_keys=ON`). What it does is an exact
//! rule, so it is done here too, to the rows that are known; it is recorded as a part of the same
//! transaction, and marked as derived. Where a rule, a comparison or a row is not known, the rows
//! of the table are unknown from there on.

mod order;
mod rule;
mod statement;

use super::Ingest;
use super::images::Columns;
use super::not_followed::NotFollowed;
use super::references::Found;
use super::references::Referring;
use super::target::{Roles, Target};
use crate::engine::StoreError;
use crate::image::{self, Content, Image};
use crate::log::RowsEvent;
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::DefinitionId;
use crate::schema::ForeignKey;
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;
use order::Child;
pub(super) use rule::Parent;
use rule::{Blow, blow, fires, refers_to_the_same};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A chain of foreign keys of this length is no chain that a server follows (InnoDB: 255).
const DEEPEST: usize = 255;

/// What is known of a statement while its rows come in.
#[derive(Debug, Default)]
pub(super) struct Under {
    /// Tables with rows events.
    changed: BTreeSet<TableName>,
    /// Its table maps, where rows were deleted or changed, and foreign keys may have changed
    /// others.
    mapped: Option<crate::log::MappedTables>,
    /// Tables to which foreign keys refer that are not known: rows of them were deleted or changed.
    referred: BTreeSet<TableName>,
    /// Some of its tables have foreign keys that are not known: what of other tables changed
    /// counts.
    watched: bool,
    /// Rows went, or what changed of them is not known.
    any: bool,
    /// The types of columns that changed, as [`class`] sees them.
    types: BTreeSet<u8>,
    /// The first change of the statement, where this rows event deletes rows and the log has what
    /// foreign keys do.
    pub(super) deletes_since: Option<ChangeSequence>,
    /// The first change of the statement.
    first: Option<ChangeSequence>,
}

/// Why a child's rows are unknown; `None` where they follow.
type Followed = Result<(), NotFollowed>;

impl Ingest {
    pub(super) fn roles(&mut self, name: &TableName) -> Arc<Roles> {
        if let Some(roles) = self.roles.get(name) {
            return Arc::clone(roles);
        }
        let roles =
            Arc::new(Roles { keys: self.catalog.followed_keys(name), children: self.catalog.children(name) });
        self.roles.insert(name.clone(), Arc::clone(&roles));
        roles
    }

    /// Does to the rows that refer to a row what their foreign keys do, when it changes or goes.
    pub(super) fn cascade(
        &mut self,
        parent: &Parent<'_>,
        event: &RowsEvent,
        roles: &Roles,
    ) -> Result<(), StoreError> {
        for one in order::in_order(&roles.children, parent.definition) {
            let (child, key) = one;
            let at = self.next;
            let followed = if self.order_matters(parent, one, &roles.children) {
                Err(NotFollowed::Order)
            } else {
                self.follow(parent, event, child, key)?
            };
            if let Err(reason) = followed {
                let reason = format!(
                    "a foreign key ({}) may have changed or removed rows of it with rows of {}, and which is not known: {reason}",
                    key.columns.join(", "),
                    parent.table
                );
                tracing::debug!(table = %child, "{reason}");
                self.take_number();
                self.rows_unknown(child, at, &reason);
                self.unknown_below(child, at);
            }
        }
        Ok(())
    }

    /// Whether another foreign key reaches the same rows, and which of the two is first is not
    /// known.
    fn order_matters(&self, parent: &Parent<'_>, one: &Child, children: &[Child]) -> bool {
        let (child, key) = one;
        let action = |key: &ForeignKey| order::action(key, parent.after.is_none());
        let does = |key: &ForeignKey| action(key).changes_rows() && !refers_to_the_same(parent, key);
        let meets = |(other, second): &Child| {
            if other == child {
                action(second) != action(key)
            } else {
                self.catalog.below(child).contains(other) || self.catalog.below(other).contains(child)
            }
        };
        let mut others = children.iter().filter(|other| *other != one);
        others.any(|other| {
            !order::is_certain(one, other, parent.definition) && does(key) && does(&other.1) && meets(other)
        })
    }

    fn follow(
        &mut self,
        parent: &Parent<'_>,
        event: &RowsEvent,
        child: &TableName,
        key: &ForeignKey,
    ) -> Result<Followed, StoreError> {
        let action = order::action(key, parent.after.is_none());
        if !action.changes_rows() || refers_to_the_same(parent, key) {
            return Ok(Ok(()));
        }
        let (generation, id) = match self.names.current(child) {
            // Without its table a foreign key changes nothing.
            TableState::Absent => return Ok(Ok(())),
            TableState::Table(generation, id) => (generation, id),
            TableState::Unknown { .. } | TableState::Unreadable(_) => {
                return Ok(Err(NotFollowed::UnknownRows));
            }
        };
        if !self.catalog.is_declared(child) {
            return Ok(Err(NotFollowed::Undeclared));
        }
        if self.catalog.row_end(id).is_some() {
            return Ok(Err(NotFollowed::SystemVersioned));
        }
        let Some(columns) = self.columns_of(id) else { return Ok(Err(NotFollowed::NoDefinition)) };
        let blow = match blow(parent, &columns.definition, key, action) {
            Ok(Some(blow)) => blow,
            Ok(None) => return Ok(Ok(())),
            Err(reason) => return Ok(Err(reason)),
        };
        if let Err(reason) = self.is_known(generation).and_then(|()| fires(event, parent, child)) {
            return Ok(Err(reason));
        }
        if parent.depth >= DEEPEST {
            return Ok(Err(NotFollowed::ChainTooLong));
        }
        let keys = match self.referrers(generation, key.number, &blow.values)? {
            Found::Keys(keys) => keys,
            Found::Ambiguous(reason) => return Ok(Err(reason)),
        };
        // A row that goes takes others of its table with it, or their references to it.
        let updates = blow.cells.is_some() && parent.after.is_some();
        if !keys.is_empty() && updates && child == parent.table && parent.depth == 0 {
            return Ok(Err(NotFollowed::OwnTable));
        }
        let roles = self.roles(child);
        let referring = Some(Arc::new(Referring::of(roles.keys.clone(), &columns.definition)));
        let target = Target { generation, id, columns, referring, roles, row_end: None };
        for row in keys {
            if let Err(reason) = self.derive(parent, event, child, (&target, &row), &blow)? {
                return Ok(Err(reason));
            }
            if !self.is_still(child, &target) {
                // Its rows became unknown by what followed from this one.
                break;
            }
        }
        Ok(Ok(()))
    }

    /// Whether all rows of a generation are known.
    pub(super) fn is_known(&self, generation: GenerationId) -> Followed {
        match self.generations.get(generation.0 as usize) {
            Some(s) if s.not_found_by_key().is_some() || s.doubt.is_some() => Err(NotFollowed::UnknownKey),
            Some(s) if s.complete || s.baseline == Baseline::Complete => Ok(()),
            Some(s) if s.baseline == Baseline::Reading => Err(NotFollowed::ReadingNotEnded),
            _ => Err(NotFollowed::RowsBefore),
        }
    }

    /// One row that refers to the parent's.
    fn derive(
        &mut self,
        parent: &Parent<'_>,
        event: &RowsEvent,
        child: &TableName,
        (target, key): (&Target, &[u8]),
        blow: &Blow,
    ) -> Result<Followed, StoreError> {
        let Some((row, under)) = self.row_now(target.generation, key)? else {
            return Ok(Err(NotFollowed::NoSuchRow));
        };
        let row = match self.under_now(row, under, target.id) {
            Ok(row) => row,
            Err(why) => return Ok(Err(why)),
        };
        let after = match &blow.cells {
            None => None,
            Some(cells) => {
                let names: Vec<&str> = cells.iter().filter_map(|(at, _)| target.columns.name(*at)).collect();
                // What is computed from a column that changes is computed again, which is not
                // followed.
                let recalculated = self.catalog.dependents(target.id, &names);
                let content = |(at, cell)| (at, Option::map_or(cell, Content::Null, Content::Bytes));
                let given: BTreeMap<usize, Content<'_>> =
                    cells.iter().map(|(at, cell)| (*at, cell.as_deref())).map(content).collect();
                let mut all: BTreeMap<usize, Content<'_>> =
                    recalculated.into_iter().map(|at| (at, Content::Unknown)).collect();
                all.extend(given);
                let cells: Vec<_> = all.into_iter().collect();
                match image::with_cells(row.bytes(), &cells) {
                    Some(after) => Some(after),
                    None => return Ok(Err(NotFollowed::OtherCells)),
                }
            }
        };
        if after.as_deref() == Some(row.bytes()) {
            return Ok(Ok(()));
        }
        let at = self.take_number();
        self.changes += 1;
        if let Err(why) = self.keep_made(target, (row.bytes(), after.as_deref()), at, Some(parent.at))? {
            return Ok(Err(why));
        }
        let kind = if after.is_some() { EventType::Update } else { EventType::Delete };
        self.noting.changed(child, kind);
        let next = Parent {
            table: child,
            definition: &target.columns.definition,
            before: row.bytes(),
            after: after.as_deref(),
            at,
            depth: parent.depth + 1,
        };
        self.cascade(&next, event, &target.roles)?;
        Ok(Ok(()))
    }

    /// A row under the definition of now.
    pub(super) fn under_now(
        &self,
        row: Image,
        under: DefinitionId,
        now: DefinitionId,
    ) -> Result<Image, NotFollowed> {
        if under == now {
            return Ok(row);
        }
        let carried = self.catalog.carry(under, now, self.catalog.unpack(under, &row));
        Ok(Image::pack_known(&carried?))
    }

    pub(super) fn columns_of(&mut self, id: DefinitionId) -> Option<Arc<Columns>> {
        if let Some(known) = self.columns.get(&id) {
            return Some(Arc::clone(known));
        }
        let definition = self.catalog.definition(id)?;
        let columns =
            Arc::new(Columns::new(definition, self.catalog.generated(id), self.catalog.unlogged(id)));
        self.columns.insert(id, Arc::clone(&columns));
        Some(columns)
    }
}
