//! What foreign keys do to other rows, where the server does not log it.
//!
//! InnoDB deletes and changes the rows that refer to a row by itself, below the log (all MariaDB;
//! MySQL before 9.6, and later ones with `innodb_native_foreign_keys=ON`). What it does is an exact
//! rule, so it is done here too, to the rows that are known; it is recorded as a part of the same
//! transaction, and marked as derived. Where a rule, a comparison or a row is not known, the rows
//! of the table are unknown from there on.

use super::Ingest;
use super::images::Columns;
use super::references::{Encoded, Found, Referring, encoded};
use super::target::{Roles, Target};
use crate::engine::StoreError;
use crate::image::{self, Content, Image};
use crate::log::{MappedColumn, MappedTable, Rows, RowsEvent, Statement, code};
use crate::names::TableState;
use crate::record::Baseline;
use crate::schema::{Action, DefinitionId, ForeignKey};
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::column::{Column, ColumnType, TableDefinition};
use dbtrail_types::names::TableName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A chain of foreign keys of this length is no chain that a server follows (InnoDB: 255).
const DEEPEST: usize = 255;

/// A row of a parent, before and after a change of it.
pub(super) struct Parent<'a> {
    pub(super) table: &'a TableName,
    pub(super) definition: &'a TableDefinition,
    pub(super) before: &'a [u8],
    pub(super) after: Option<&'a [u8]>,
    /// Which change it is.
    pub(super) at: ChangeSequence,
    /// How many foreign keys led here.
    pub(super) depth: usize,
}

/// What a foreign key does to the rows that hold these values.
struct Blow {
    /// The values, as bytes.
    values: Vec<u8>,
    /// The new cells of the foreign key, by its columns; `None`: the rows go.
    cells: Option<Vec<(usize, Option<Vec<u8>>)>>,
}

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

/// Types of table maps that may refer to each other are of one class.
fn class(column: &MappedColumn) -> u8 {
    match column.type_code {
        code::VARCHAR | code::STRING | code::BLOB | code::VAR_STRING => code::VARCHAR,
        other => other,
    }
}

/// Why a child's rows are unknown; `None` where they follow.
type Unsure = Result<(), String>;

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

    /// A rows event begins.
    pub(super) fn statement_goes_on(&mut self, event: &RowsEvent) {
        let Statement { mapped, checks, logs_cascades, .. } = &event.statement;
        let first = *self.under.first.get_or_insert(self.next);
        self.under.deletes_since = Some(first).filter(|_| *logs_cascades && event.kind == EventType::Delete);
        if !self.catalog.united(&event.table.name).is_empty() {
            let at = self.take_number();
            for table in self.catalog.united(&event.table.name).to_vec() {
                let reason = format!("rows of it were changed through {}, a MERGE table", event.table.name);
                self.rows_unknown(&table, at, &reason);
            }
        }
        if mapped.len() > 1 {
            self.under.changed.insert(event.table.name.clone());
        }
        if event.kind == EventType::Insert || !checks || *logs_cascades {
            return;
        }
        if event.table.mariadb && mapped.len() > 1 && self.under.mapped.is_none() {
            self.under.watched |= mapped.iter().any(|m| !self.catalog.is_declared(&m.name));
            self.under.mapped = Some(Arc::clone(mapped));
        }
        let declared = self.catalog.is_declared(&event.table.name);
        if event.table.referred && (!declared || self.has_unknown_children()) {
            self.under.watched = true;
            self.under.referred.insert(event.table.name.clone());
        }
    }

    /// Looks at what changed of a row, where that says which other rows may have changed with it.
    pub(super) fn watch(&mut self, rows: &Rows<'_>, event: &RowsEvent) {
        if !self.under.watched || event.kind == EventType::Insert {
            return;
        }
        let (Some(before), Some(after)) = (rows.before(), rows.after()) else {
            self.under.any = true;
            return;
        };
        for ((column, before), after) in event.table.columns.iter().zip(before).zip(after) {
            // What an image leaves out has not changed.
            if after.is_some() && before != after {
                self.under.types.insert(class(column));
            }
        }
    }

    /// The last rows event of a statement was taken in. MariaDB maps the tables whose rows a
    /// foreign key may change, and writes no rows of them; MySQL only says that a foreign key
    /// refers to the table.
    pub(super) fn statement_ends(&mut self) {
        let under = std::mem::take(&mut self.under);
        if !under.watched {
            return;
        }
        let hit = |columns: &[MappedColumn]| {
            under.any || columns.is_empty() || columns.iter().any(|c| under.types.contains(&class(c)))
        };
        let maps = || under.mapped.iter().flat_map(|m| m.iter());
        let hidden = |m: &&Arc<MappedTable>| {
            let twice = || maps().filter(|other| other.name == m.name).count() > 1;
            hit(&m.columns) && (!under.changed.contains(&m.name) || twice())
        };
        let parents: Vec<String> = under.changed.iter().map(ToString::to_string).collect();
        let children: Vec<TableName> = maps().filter(hidden).map(|m| m.name.clone()).collect();
        let children = children.into_iter().filter(|name| !self.catalog.is_declared(name));
        let children: BTreeSet<TableName> = children.collect();
        let nothing = !under.any && under.types.is_empty();
        if nothing || (children.is_empty() && under.referred.is_empty()) {
            return;
        }
        let at = self.take_number();
        for child in children {
            self.hidden_child(&child, &parents.join(", "), at);
        }
        if let Some(parent) = under.referred.first() {
            self.doubt_unknown_children(parent, at);
        }
    }

    fn hidden_child(&mut self, child: &TableName, parents: &str, at: ChangeSequence) {
        let reason = format!(
            "a statement on {parents} may have changed or removed rows of it by a foreign key (the log names the table, and has no rows of it; its foreign keys \
             are not in the record)"
        );
        self.rows_unknown(child, at, &reason);
        self.unknown_below(child, at);
    }

    /// Whether there are tables whose foreign keys are not known.
    fn has_unknown_children(&mut self) -> bool {
        let mentioned = self.names.iter().len();
        if let Some((of, known)) = self.unknown_children
            && of == mentioned
        {
            return known;
        }
        let known = !self.unknown_children().is_empty();
        self.unknown_children = Some((mentioned, known));
        known
    }

    /// The tables whose foreign keys are not known: those that the record tells of, and those that
    /// foreign keys refer to.
    fn unknown_children(&self) -> BTreeSet<TableName> {
        let living = self.names.living(&[]).into_iter().filter(|name| !self.catalog.is_declared(name));
        let parents = self.catalog.unknown_parents();
        let parents = parents.filter(|name| !matches!(self.names.current(name), TableState::Absent));
        living.chain(parents.cloned()).collect()
    }

    /// Some table refers to the parent, and the log does not say which: each whose foreign keys are
    /// not known.
    fn doubt_unknown_children(&mut self, parent: &TableName, at: ChangeSequence) {
        let reason = format!(
            "a statement on {parent} may have changed or removed rows of it by a foreign key (foreign keys refer to {parent}, the server does not log what they \
             do, and the foreign keys of this table are not in the record)"
        );
        for name in self.unknown_children() {
            self.rows_unknown(&name, at, &reason);
            self.unknown_below(&name, at);
        }
        self.names_mut().sweep_unmentioned(at);
    }

    /// Rows of a parent changed, and how is not known: what follows from that is not known either.
    pub(super) fn unknown_below(&mut self, parent: &TableName, at: ChangeSequence) {
        for child in self.catalog.below(parent) {
            let reason = format!(
                "rows of {parent} changed in a way that is not known, and a foreign key may have changed or removed rows of this table with them"
            );
            self.rows_unknown(&child, at, &reason);
        }
    }

    /// A rows event of a table that cannot be read: rows that refer to its rows may have changed.
    pub(super) fn unreadable_parent(&mut self, event: &RowsEvent, at: ChangeSequence) {
        let Statement { checks, logs_cascades, .. } = event.statement;
        if event.kind != EventType::Insert && checks && !logs_cascades {
            self.under.any = true;
            self.unknown_below(&event.table.name, at);
        }
    }

    /// Does to the rows that refer to a row what their foreign keys do, when it changes or goes.
    pub(super) fn cascade(
        &mut self,
        parent: &Parent<'_>,
        event: &RowsEvent,
        roles: &Roles,
    ) -> Result<(), StoreError> {
        for (child, key) in &roles.children {
            let at = self.next;
            if let Err(reason) = self.follow(parent, event, child, key)? {
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

    fn follow(
        &mut self,
        parent: &Parent<'_>,
        event: &RowsEvent,
        child: &TableName,
        key: &ForeignKey,
    ) -> Result<Unsure, StoreError> {
        let action = if parent.after.is_none() { key.on_delete } else { key.on_update };
        if !action.changes_rows() || refers_to_the_same(parent, key) {
            return Ok(Ok(()));
        }
        let (generation, id) = match self.names.current(child) {
            // Without its table a foreign key changes nothing.
            TableState::Absent => return Ok(Ok(())),
            TableState::Table(generation, id) => (generation, id),
            TableState::Unknown { .. } | TableState::Unreadable(_) => {
                return Ok(Err("its own rows are not known".to_owned()));
            }
        };
        if !self.catalog.is_declared(child) {
            return Ok(Err("which of its columns are generated is not in the record".to_owned()));
        }
        if self.catalog.row_end(id).is_some() {
            return Ok(Err("it is system-versioned: the times of its rows are not in the log".to_owned()));
        }
        let Some(columns) = self.columns_of(id) else { return Ok(Err("it has no definition".to_owned())) };
        let blow = match blow(parent, &columns.definition, key, action) {
            Ok(Some(blow)) => blow,
            Ok(None) => return Ok(Ok(())),
            Err(reason) => return Ok(Err(reason)),
        };
        if let Err(reason) = self.is_known(generation).and_then(|()| fires(event, parent, child)) {
            return Ok(Err(reason));
        }
        if parent.depth >= DEEPEST {
            return Ok(Err("the chain of foreign keys is longer than a server follows".to_owned()));
        }
        let keys = match self.referrers(generation, key.number, &blow.values)? {
            Found::Keys(keys) => keys,
            Found::Uncertain(reason) => return Ok(Err(reason)),
        };
        // A row that goes takes others of its table with it, or their references to it.
        let updates = blow.cells.is_some() && parent.after.is_some();
        if !keys.is_empty() && updates && child == parent.table && parent.depth == 0 {
            return Ok(Err("the server does not change rows of a table with other rows of it".to_owned()));
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

    /// Whether all rows of an generation are known.
    pub(super) fn is_known(&self, generation: GenerationId) -> Unsure {
        match self.generations.get(generation.0 as usize) {
            Some(s) if s.uncertain.is_some() || s.doubt.is_some() => {
                Err("its rows cannot be found by key".to_owned())
            }
            Some(s) if s.complete || s.baseline == Baseline::Whole => Ok(()),
            Some(s) if s.baseline == Baseline::Reading => {
                Err("the first reading of its rows had not ended".to_owned())
            }
            _ => Err("the rows that it had before are not in the record".to_owned()),
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
    ) -> Result<Unsure, StoreError> {
        let Some((row, under)) = self.row_now(target.generation, key)? else {
            return Ok(Err("a row that refers to it is not there".to_owned()));
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
                    None => return Ok(Err("a row has not the cells of its definition".to_owned())),
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
    ) -> Result<Image, String> {
        if under == now {
            return Ok(row);
        }
        let carried = self.catalog.carry(under, now, self.catalog.unpack(under, &row));
        carried.map(|row| Image::pack_known(&row)).map_err(|why| why.to_string())
    }

    pub(super) fn columns_of(&mut self, id: DefinitionId) -> Option<Arc<Columns>> {
        if let Some(known) = self.columns.get(&id) {
            return Some(Arc::clone(known));
        }
        let definition = self.catalog.definition(id)?;
        let columns = Arc::new(Columns::new(definition, self.catalog.generated(id), self.catalog.untold(id)));
        self.columns.insert(id, Arc::clone(&columns));
        Some(columns)
    }
}

/// The columns of a parent that a foreign key refers to; `None`: not all of them are among its
/// columns.
fn referenced(parent: &TableDefinition, key: &ForeignKey) -> Option<Vec<usize>> {
    let names = if key.referenced.is_empty() { &parent.primary_key } else { &key.referenced };
    names.iter().map(|name| parent.position(name)).collect()
}

/// Whether it is known, whatever is known of the child, that nothing referred to the row, or that
/// what does still does: a value is NULL, or all are as they were.
fn refers_to_the_same(parent: &Parent<'_>, key: &ForeignKey) -> bool {
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
fn blow(
    parent: &Parent<'_>,
    child: &TableDefinition,
    key: &ForeignKey,
    action: Action,
) -> Result<Option<Blow>, String> {
    let ours: Option<Vec<usize>> = key.columns.iter().map(|name| child.position(name)).collect();
    let (Some(theirs), Some(ours)) = (referenced(parent.definition, key), ours) else {
        return Err("a column of the foreign key is not shown in rows".to_owned());
    };
    if theirs.len() != ours.len() {
        return Err("the foreign key has not as many columns as it refers to".to_owned());
    }
    let before: Vec<Content<'_>> = image::cells(parent.before).collect();
    let after: Option<Vec<Content<'_>>> = parent.after.map(|row| image::cells(row).collect());
    let known =
        |row: &[Content<'_>]| theirs.iter().all(|at| row.get(*at).is_some_and(|c| *c != Content::Unknown));
    if !known(&before) || !after.as_deref().is_none_or(known) {
        return Err("a value that it refers to is not in the log".to_owned());
    }
    let changed = |at: usize| after.as_ref().is_some_and(|after| after.get(at) != before.get(at));
    if after.is_some() && !theirs.iter().any(|at| changed(*at)) {
        return Ok(None);
    }
    let values = match encoded(parent.definition, &theirs, &before) {
        Encoded::Null => return Ok(None),
        Encoded::Values(values) => values,
        Encoded::Uncertain => {
            return Err("the values that it refers to do not compare with certainty".to_owned());
        }
    };
    for (there, here) in theirs.iter().zip(&ours) {
        let (Some(there), Some(here)) = (parent.definition.columns.get(*there), child.columns.get(*here))
        else {
            return Err("a column of the foreign key is missing".to_owned());
        };
        if !alike(there, here) {
            return Err(format!("columns {} and {} are not of one type", there.name, here.name));
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
            return Err("no server is known that carries SET DEFAULT out".to_owned());
        }
    };
    if let Some(cells) = &cells {
        for (at, cell) in cells {
            if !child.columns.get(*at).is_some_and(|c| cell.is_some() || c.nullable) {
                return Err("a column that takes no NULL would get one".to_owned());
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
fn fires(event: &RowsEvent, parent: &Parent<'_>, child: &TableName) -> Unsure {
    if !event.table.mariadb {
        return if event.table.referred || parent.depth > 0 {
            Ok(())
        } else {
            Err("the log says that no foreign key refers to the table that was changed".to_owned())
        };
    }
    let named = event.statement.mapped.iter().filter(|m| m.name == *child).count();
    if named > usize::from(*child == event.table.name) {
        Ok(())
    } else {
        Err("the log does not name the table with the statement, as it does where a foreign key changes rows"
            .to_owned())
    }
}
