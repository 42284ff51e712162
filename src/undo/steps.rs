//! Changes taken back one by one, the newest first.
//!
//! What foreign keys changed goes with the change that caused it: the statements of the two are in
//! the order in which parents and children give way to each other. A server that logs those changes
//! itself (MySQL 9.6 and newer) writes those of the children first, and does not say what caused
//! them: taken back in the opposite order, rows are without their parents for a while. So no
//! statement asks for them; what is left without its parent is counted when all have run.

use super::changed::{Changed, shown_key};
use super::literal::Text;
use super::obstacles::{self, Left, Scope};
use super::statement::Links;
use super::{Made, Undone, ordered, orphans};
use dbtrail_types::agent_api::{NetChange, Octets};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// What takes changes back one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepwiseUndo {
    /// The statements in their order.
    pub statements: Vec<String>,
    /// Queries for how many rows are without their parents when all of them have run.
    pub orphans: Vec<String>,
    /// What each table needs of them, and what of it is not taken back.
    pub tables: Vec<Undone>,
}

/// The changes of one key.
struct Row<'a> {
    key: &'a [Octets],
    /// The changes of the key, in the order of their numbers.
    changes: Vec<&'a NetChange>,
}

/// What takes all changes of some tables back, each by itself; `order`: the numbers of the tables,
/// parents before children. A key of which one change cannot be taken back keeps all of them.
#[must_use]
pub fn steps(tables: &[Changed<'_>], later: &[Changed<'_>], order: &[usize], text: Text) -> StepwiseUndo {
    let rows: Vec<Vec<Row<'_>>> = tables.iter().map(|t| by_key(t.changes)).collect();
    // A row has a change at least.
    let nets: Vec<Vec<NetChange>> = rows.iter().map(|rows| rows.iter().filter_map(net).collect()).collect();
    let left = left(tables, later, (&rows, &nets), text);
    let mut undone =
        StepwiseUndo { tables: vec![Undone::default(); tables.len()], ..StepwiseUndo::default() };
    undone.orphans = orphans::counts(&paired(tables, &nets), &left, text);
    let roots = Roots::of(tables);
    let mut groups: BTreeMap<Reverse<u64>, BTreeMap<usize, Vec<NetChange>>> = BTreeMap::new();
    for (number, (table, rows)) in tables.iter().zip(&rows).enumerate() {
        let Some(own) = undone.tables.get_mut(number) else { continue };
        for (i, row) in rows.iter().enumerate() {
            if let Some(why) = left.get(&(number, i)) {
                own.conflicts.push(format!("{} {}: {why}", table.name, shown_key(table.header, row.key)));
                continue;
            }
            own.rows += 1;
            for change in &row.changes {
                let group = groups.entry(Reverse(roots.of_change(change))).or_default();
                group.entry(number).or_default().push((*change).clone());
            }
        }
    }
    for group in groups.into_values() {
        let mut made: BTreeMap<usize, Undone> = BTreeMap::new();
        for (number, changes) in &group {
            let Some(table) = tables.get(*number) else { continue };
            let one = Changed { changes, ..*table };
            let writer = table.statements(text, Links::End);
            let statements = changes.iter().map(|c| Made::of(&writer, c));
            // Each was written before.
            let statements = statements.map(|made| made.unwrap_or(Made::Nothing)).collect();
            made.insert(*number, ordered(&one, statements, &writer, &|_| None));
        }
        let positions = || order.iter().filter_map(|number| Some((*number, made.get(number)?)));
        for (_, one) in positions().rev() {
            undone.statements.extend(one.deletes.iter().chain(&one.updates).cloned());
        }
        for (_, one) in positions() {
            undone.statements.extend(one.inserts.iter().cloned());
        }
        for (number, mut one) in made {
            let Some(own) = undone.tables.get_mut(number) else { continue };
            own.deletes.append(&mut one.deletes);
            own.updates.append(&mut one.updates);
            own.inserts.append(&mut one.inserts);
        }
    }
    undone
}

/// The keys that keep their changes, and why: a table and a row of it. `nets`: what all changes of
/// each row come to.
fn left(
    tables: &[Changed<'_>],
    later: &[Changed<'_>],
    (rows, nets): (&[Vec<Row<'_>>], &[Vec<NetChange>]),
    text: Text,
) -> Left {
    let mut kept = Left::new();
    for (number, (table, rows)) in tables.iter().zip(rows).enumerate() {
        for (i, row) in rows.iter().enumerate() {
            let made = |change: &&NetChange| Made::of(&table.statements(text, Links::End), change).err();
            if let Some(why) = row.changes.iter().find_map(made) {
                kept.insert((number, i), why);
            }
        }
    }
    // Each of its changes has to find its place, also where a row only passes through.
    let flat = |rows: &Vec<Row<'_>>| -> Vec<(usize, NetChange)> {
        let each = rows.iter().enumerate();
        each.flat_map(|(i, row)| row.changes.iter().map(move |c| (i, (*c).clone()))).collect()
    };
    let (positions, changes): (Vec<Vec<usize>>, Vec<Vec<NetChange>>) =
        rows.iter().map(|rows| flat(rows).into_iter().unzip()).unzip();
    let (ends, between) = (paired(tables, nets), paired(tables, &changes));
    loop {
        let before = kept.len();
        obstacles::find(&ends, later, Scope::Ends, &mut kept);
        let mut left = Left::new();
        for (number, positions) in positions.iter().enumerate() {
            for (change, row) in positions.iter().enumerate() {
                if let Some(why) = kept.get(&(number, *row)) {
                    left.insert((number, change), why.clone());
                }
            }
        }
        obstacles::find(&between, later, Scope::Between, &mut left);
        for ((number, change), why) in left {
            if let Some(row) = positions.get(number).and_then(|positions| positions.get(change)) {
                kept.entry((number, *row)).or_insert(why);
            }
        }
        if kept.len() == before {
            return kept;
        }
    }
}

/// The tables with other changes.
fn paired<'a>(tables: &[Changed<'a>], changes: &'a [Vec<NetChange>]) -> Vec<Changed<'a>> {
    tables.iter().zip(changes).map(|(table, changes)| Changed { changes, ..*table }).collect()
}

/// What all changes of a row come to.
fn net(row: &Row<'_>) -> Option<NetChange> {
    let (first, last) = (row.changes.first()?, row.changes.last()?);
    Some(NetChange { before: first.before.clone(), change: None, cause: None, ..(*last).clone() })
}

fn by_key(changes: &[NetChange]) -> Vec<Row<'_>> {
    let mut positions: HashMap<&[Octets], usize> = HashMap::new();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for change in changes {
        let position = *positions.entry(&change.key).or_insert(rows.len());
        match rows.get_mut(position) {
            Some(row) => row.changes.push(change),
            None => rows.push(Row { key: &change.key, changes: vec![change] }),
        }
    }
    for row in &mut rows {
        row.changes.sort_by_key(|change| change.change);
    }
    rows
}

/// Which change caused which.
struct Roots(HashMap<u64, u64>);

impl Roots {
    fn of(tables: &[Changed<'_>]) -> Self {
        let all = tables.iter().flat_map(|t| t.changes);
        Self(all.filter_map(|c| Some((c.change?, c.cause?))).collect())
    }

    /// The change with which one goes: that which caused it, and so on up. A cause comes before
    /// what it causes, so that this ends.
    fn of_change(&self, change: &NetChange) -> u64 {
        let mut at = change.cause.or(change.change).unwrap_or_default();
        while let Some(cause) = self.0.get(&at).filter(|cause| **cause < at) {
            at = *cause;
        }
        at
    }
}

#[cfg(test)]
mod tests;
