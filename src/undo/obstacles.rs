//! Rows of today that are in the way of what would be taken back: rows that refer to one that would
//! go, a parent that is gone, a value of a unique index that another row has by now.
//!
//! What somebody did since can leave one row where it is, and that another one: it goes on until
//! nothing more is found. All of it is what the record knows; what it does not know, the guards of
//! the statements and the server find.

mod column_indexes;
#[cfg(test)]
mod tests;

use super::changed::{Changed, shown_key};
pub(super) use column_indexes::references;
use column_indexes::{ColumnIndexes, raw};
use dbtrail_types::agent_api::{ColumnValues, NetChange, Octets, Reference, RowLine};
use dbtrail_types::names::TableName;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A change: the number of its table, and its own in that.
pub(super) type Id = (usize, usize);
/// Changes that no statement takes back, and why.
pub(super) type Left = HashMap<Id, String>;
/// Values of some columns, as an index compares them.
type Value = Vec<Vec<u8>>;

/// Of the tables that rows are taken back in, and of those that refer to them or are referred to:
/// which rows have to be known as they are now.
#[must_use]
pub fn wanted(tables: &[Changed<'_>]) -> BTreeMap<TableName, Vec<ColumnValues>> {
    let mut all: BTreeMap<TableName, Vec<ColumnValues>> = BTreeMap::new();
    let mut want = |table: &TableName, columns: &[String], values: BTreeSet<Vec<Vec<u8>>>| {
        if !values.is_empty() {
            let values = values.into_iter().map(|v| v.into_iter().map(Octets).collect()).collect();
            all.entry(table.clone()).or_default().push(ColumnValues { columns: columns.to_vec(), values });
        }
    };
    for table in tables {
        let positions = ColumnIndexes::of(table.header);
        let changes = || table.changes.iter().filter(|c| !c.since);
        // Values that rows have on one side of the change alone.
        let on = |columns: &[String], gone: bool| -> BTreeSet<Vec<Vec<u8>>> {
            let Some(at) = positions.all(columns) else { return BTreeSet::new() };
            let of = |c: &NetChange| {
                let (before, end) = (raw(c.before.as_ref(), &at), raw(c.end.as_ref(), &at));
                if before == end {
                    None
                } else if gone {
                    end
                } else {
                    before
                }
            };
            changes().filter_map(of).collect()
        };
        for reference in references(table) {
            if reference.parent == *table.name {
                want(&reference.child, &reference.columns, on(&reference.referenced, true));
            }
            if reference.child == *table.name {
                want(&reference.parent, &reference.referenced, on(&reference.columns, false));
            }
        }
        for index in table.header.unique.iter().flatten() {
            want(table.name, index, on(index, false));
        }
    }
    all
}

/// Which states are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// That when all statements have run.
    Ends,
    /// Those between them, of rows that are changed more than once: foreign keys are not looked at
    /// there.
    Between,
}

/// Adds what cannot be taken back to what is there of it. `later`: rows from the beginning of the
/// window on, as they were then (`before`) and as they are now (`end`).
pub(super) fn find(tables: &[Changed<'_>], later: &[Changed<'_>], scope: Scope, left: &mut Left) {
    let rules = rules(tables, later, scope);
    let mut waiting: BTreeSet<(usize, &Value)> = BTreeSet::new();
    for (number, rule) in rules.iter().enumerate() {
        waiting.extend(rule.values().map(|value| (number, value)));
    }
    while let Some((number, value)) = waiting.pop_first() {
        let Some(rule) = rules.get(number) else { continue };
        for (id, why) in rule.left_at(value, left) {
            if left.contains_key(&id) {
                continue;
            }
            left.insert(id, why);
            // What this one makes room for, or brings back, others may have counted on.
            for (number, rule) in rules.iter().enumerate() {
                waiting.extend(rule.touched(id).map(|value| (number, value)));
            }
        }
    }
}

/// What has to hold when all statements have run.
enum Constraint<'a> {
    /// A row that refers to a value has its parent.
    Foreign { child: Box<ValueIndex<'a>>, parent: Box<ValueIndex<'a>>, reference: &'a Reference },
    /// No two rows have a value.
    Unique { rows: Box<ValueIndex<'a>>, index: &'a [String], scope: Scope },
}

/// Some columns of a table: who has which values.
#[derive(Default)]
struct ValueIndex<'a> {
    header: Option<Changed<'a>>,
    /// Rows that changed since the beginning of the window, and have it now.
    now: HashMap<Value, HashSet<&'a [Octets]>>,
    /// A row had it at the beginning of the window.
    then: HashSet<Value>,
    /// Changes to be taken back of rows that have it, and will not.
    leaves: HashMap<Value, Vec<(Id, &'a [Octets])>>,
    /// Changes to be taken back of rows that have it not, and will.
    comes: HashMap<Value, Vec<(Id, &'a [Octets])>>,
    /// Both, of a change.
    of: HashMap<Id, Vec<Value>>,
}

impl<'a> ValueIndex<'a> {
    fn new(name: &TableName, columns: &[String], tables: &[Changed<'a>], later: &[Changed<'a>]) -> Self {
        let mut side = Self::default();
        let own = tables.iter().enumerate().find(|(_, t)| t.name == name);
        let rows = later.iter().find(|t| t.name == name);
        let Some(header) = own.map(|(_, t)| t).or(rows) else { return side };
        side.header = Some(*header);
        let Some(positions) = ColumnIndexes::of(header.header).all(columns) else { return side };
        let form = |row: Option<&RowLine>| column_indexes::form(header.header, row?, &positions);
        let mut now: HashMap<&[Octets], Option<Value>> = HashMap::new();
        if let Some((number, table)) = own {
            for (i, change) in table.changes.iter().enumerate() {
                let (before, end) = (form(change.before.as_ref()), form(change.end.as_ref()));
                side.then.extend(before.clone());
                let current = if change.since { form(change.now.as_ref()) } else { end.clone() };
                now.insert(&change.key, current);
                if change.since || before == end {
                    continue;
                }
                let id = (number, i);
                let mut note = |values: &mut HashMap<Value, Vec<_>>, value: Option<Value>| {
                    if let Some(value) = value {
                        values.entry(value.clone()).or_default().push((id, change.key.as_slice()));
                        side.of.entry(id).or_default().push(value);
                    }
                };
                note(&mut side.leaves, end);
                note(&mut side.comes, before);
            }
        }
        for change in rows.into_iter().flat_map(|t| t.changes) {
            side.then.extend(form(change.before.as_ref()));
            now.insert(&change.key, form(change.end.as_ref()));
        }
        for (key, value) in now {
            if let Some(value) = value {
                side.now.entry(value).or_default().insert(key);
            }
        }
        side
    }

    fn taken<'s>(
        values: &'s HashMap<Value, Vec<(Id, &'a [Octets])>>,
        value: &Value,
        left: &'s Left,
    ) -> impl Iterator<Item = (Id, &'a [Octets])> + use<'s, 'a> {
        values.get(value).into_iter().flatten().copied().filter(|(id, _)| !left.contains_key(id))
    }

    fn leaving<'s>(
        &'s self,
        value: &Value,
        left: &'s Left,
    ) -> impl Iterator<Item = (Id, &'a [Octets])> + use<'s, 'a> {
        Self::taken(&self.leaves, value, left)
    }

    fn coming<'s>(
        &'s self,
        value: &Value,
        left: &'s Left,
    ) -> impl Iterator<Item = (Id, &'a [Octets])> + use<'s, 'a> {
        Self::taken(&self.comes, value, left)
    }

    /// A row that has the value now and keeps it, other than some.
    fn staying(&self, value: &Value, left: &Left) -> Option<&'a [Octets]> {
        let holders = self.now.get(value)?;
        let leaving: HashSet<&[Octets]> = self.leaving(value, left).map(|(_, key)| key).collect();
        holders.iter().find(|key| !leaving.contains(*key)).copied()
    }

    /// A row for people.
    fn shown(&self, key: &[Octets]) -> String {
        self.header.map_or_else(String::new, |t| format!("{} ({})", t.name, shown_key(t.header, key)))
    }
}

impl Constraint<'_> {
    /// The values at which it may not hold.
    fn values(&self) -> impl Iterator<Item = &Value> {
        let (first, second) = match self {
            Self::Foreign { child, parent, .. } => (&child.comes, Some(&parent.leaves)),
            Self::Unique { rows, .. } => (&rows.comes, None),
        };
        first.keys().chain(second.into_iter().flat_map(HashMap::keys))
    }

    /// The values that a change brings or takes away.
    fn touched(&self, id: Id) -> impl Iterator<Item = &Value> {
        let (first, second) = match self {
            Self::Foreign { child, parent, .. } => (child, Some(parent)),
            Self::Unique { rows, .. } => (rows, None),
        };
        [Some(first), second].into_iter().flatten().filter_map(move |side| side.of.get(&id)).flatten()
    }

    /// The changes that have to be left, so that it holds at a value.
    fn left_at(&self, value: &Value, left: &Left) -> Vec<(Id, String)> {
        match self {
            Self::Unique { rows, index, scope } => {
                let Some(key) = rows.staying(value, left) else { return Vec::new() };
                let others = rows.coming(value, left).filter(|(_, own)| *own != key);
                let when = match scope {
                    Scope::Ends => "",
                    Scope::Between => " on the way",
                };
                let why = format!(
                    "the value of ({}) that it had{when} is that of another row by now, {}",
                    index.join(", "),
                    rows.shown(key)
                );
                others.map(|(id, _)| (id, why.clone())).collect()
            }
            Self::Foreign { child, parent, reference } => {
                if child.coming(value, left).next().is_none() && parent.leaving(value, left).next().is_none()
                {
                    return Vec::new();
                }
                let comes_back = parent.coming(value, left).next().is_some();
                let stays = parent.staying(value, left).is_some();
                if comes_back || stays {
                    return Vec::new();
                }
                let refers = child.staying(value, left).map(|key| child.shown(key));
                let going: Vec<(Id, _)> = parent.leaving(value, left).collect();
                if !going.is_empty() {
                    let back = || child.coming(value, left).next().map(|(_, key)| child.shown(key));
                    let Some(refers) = refers.or_else(back) else { return Vec::new() };
                    let why = format!(
                        "{refers} refers to it and is not taken back with it: take that row back first (name its table as well), then ask again"
                    );
                    return going.into_iter().map(|(id, _)| (id, why.clone())).collect();
                }
                if !parent.then.contains(value) {
                    // It never changed.
                    return Vec::new();
                }
                let why = format!(
                    "the row of {} to which its ({}) refers is gone, and does not come back with it: take that one back first (name its table as well), then ask again",
                    reference.parent,
                    reference.columns.join(", ")
                );
                child.coming(value, left).map(|(id, _)| (id, why.clone())).collect()
            }
        }
    }
}

fn rules<'a>(tables: &[Changed<'a>], later: &[Changed<'a>], scope: Scope) -> Vec<Constraint<'a>> {
    let (mut rules, mut seen) = (Vec::new(), Vec::new());
    for table in tables {
        for reference in references(table) {
            if scope == Scope::Between || seen.contains(&reference) {
                continue;
            }
            seen.push(reference);
            rules.push(Constraint::Foreign {
                child: Box::new(ValueIndex::new(&reference.child, &reference.columns, tables, later)),
                parent: Box::new(ValueIndex::new(&reference.parent, &reference.referenced, tables, later)),
                reference,
            });
        }
        for index in table.header.unique.iter().flatten() {
            let rows = Box::new(ValueIndex::new(table.name, index, tables, later));
            rules.push(Constraint::Unique { rows, index, scope });
        }
    }
    rules
}
