//! An order in which statements can run: no value of a unique index is written while another row
//! still has it, and no row comes before the one to which it refers.

use dbtrail_types::agent_api::{NetChange, NetHeader, Octets, RowCell, RowLine};
use dbtrail_types::names::TableName;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row that stays and changes: from how it is at the end of the window to how it was before.
#[derive(Debug)]
pub(super) struct Move<'a> {
    pub(super) end: &'a RowLine,
    pub(super) before: &'a RowLine,
    pub(super) sql: String,
}

/// What becomes of one.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// It is changed in its place.
    Update(String),
    /// Its values and those of others go round in a circle: it goes, and comes back after the
    /// others.
    Replace { end: &'a RowLine, before: &'a RowLine, sql: String },
}

/// Values of an index, as they would at least be told apart by every collation; `None`: one is
/// NULL, which is in nobody's way.
fn values(row: &RowLine, positions: &[usize]) -> Option<Vec<String>> {
    positions
        .iter()
        .map(|at| match row.get(*at) {
            Some(RowCell::Value(Octets(bytes))) => {
                Some(String::from_utf8_lossy(bytes).trim_end().to_lowercase())
            }
            Some(RowCell::Null | RowCell::Unknown(_)) | None => None,
        })
        .collect()
}

/// Orders the rows that stay.
pub(super) fn moves<'a>(header: &NetHeader, moves: Vec<Move<'a>>) -> Vec<Step<'a>> {
    // For each row, those that have to be changed before it, since they have a value now that it
    // had.
    let mut first: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); moves.len()];
    for index in unique(header) {
        let changing = |m: &Move<'_>| values(m.end, &index) != values(m.before, &index);
        let holders: HashMap<Vec<String>, usize> = moves
            .iter()
            .enumerate()
            .filter(|(_, m)| changing(m))
            .filter_map(|(i, m)| Some((values(m.end, &index)?, i)))
            .collect();
        for (i, m) in moves.iter().enumerate().filter(|(_, m)| changing(m)) {
            let holder = values(m.before, &index).and_then(|wanted| holders.get(&wanted));
            if let Some(holder) = holder.filter(|h| **h != i)
                && let Some(first) = first.get_mut(i)
            {
                first.insert(*holder);
            }
        }
    }
    let mut waiting: BTreeMap<usize, Move<'a>> = moves.into_iter().enumerate().collect();
    // Who waits for whom, the other way round.
    let mut following: Vec<Vec<usize>> = vec![Vec::new(); first.len()];
    for (i, holders) in first.iter().enumerate() {
        for holder in holders {
            if let Some(following) = following.get_mut(*holder) {
                following.push(i);
            }
        }
    }
    let mut ready: BTreeSet<usize> =
        first.iter().enumerate().filter(|(_, f)| f.is_empty()).map(|(i, _)| i).collect();
    let mut steps = Vec::new();
    while let Some(next) = ready.pop_first().or_else(|| waiting.keys().next().copied()) {
        let Some(Move { end, before, sql }) = waiting.remove(&next) else { continue };
        let circle = first.get(next).is_some_and(|f| !f.is_empty());
        steps.push(if circle { Step::Replace { end, before, sql } } else { Step::Update(sql) });
        for i in following.get(next).into_iter().flatten() {
            let Some(first) = first.get_mut(*i) else { continue };
            first.remove(&next);
            if first.is_empty() && waiting.contains_key(i) {
                ready.insert(*i);
            }
        }
    }
    steps
}

/// The positions of the columns of each index that may be unique: where the record does not tell
/// them, of each column that is in an index.
fn unique(header: &NetHeader) -> Vec<Vec<usize>> {
    let definition = &header.definition;
    let Some(indexes) = &header.unique else {
        let columns = definition.columns.iter().enumerate();
        return columns.filter(|(_, c)| c.indexes.part || c.indexes.unique).map(|(i, _)| vec![i]).collect();
    };
    let positions = |names: &Vec<String>| names.iter().filter_map(|name| definition.position(name)).collect();
    indexes.iter().map(positions).collect()
}

/// Rows by what they have in some columns.
type ByValues<'a> = HashMap<Vec<String>, Vec<&'a RowLine>>;

/// Rows that refer to others of their own table, and are taken back.
#[derive(Debug, Default)]
pub(super) struct Referring<'a> {
    /// For each foreign key: where the columns are to which it refers, and the rows by what they
    /// have in its own.
    keys: Vec<(Vec<usize>, ByValues<'a>)>,
}

impl<'a> Referring<'a> {
    /// Of the changes that are taken back.
    pub(super) fn of(
        name: &TableName,
        header: &NetHeader,
        changes: &(impl Iterator<Item = &'a NetChange> + Clone),
    ) -> Self {
        let own = within(name, header).into_iter().map(|(columns, referenced)| {
            let mut rows = ByValues::new();
            let ends = changes.clone().filter_map(|c| c.end.as_ref());
            for row in ends {
                if let Some(parent) = values(row, &columns) {
                    rows.entry(parent).or_default().push(row);
                }
            }
            (referenced, rows)
        });
        Self { keys: own.collect() }
    }

    /// Those that refer to this one.
    pub(super) fn to(&self, row: &RowLine) -> Vec<&'a RowLine> {
        let found = self.keys.iter().filter_map(|(referenced, rows)| rows.get(&values(row, referenced)?));
        found.flatten().copied().collect()
    }
}

/// Foreign keys of a table to itself: the positions of their columns, and of those to which they
/// refer.
fn within(name: &TableName, header: &NetHeader) -> Vec<(Vec<usize>, Vec<usize>)> {
    let references = header.references.iter().flatten();
    references
        .filter(|r| r.child == *name && r.parent == *name)
        .map(|r| {
            let positions =
                |names: &[String]| names.iter().filter_map(|n| header.definition.position(n)).collect();
            (positions(&r.columns), positions(&r.referenced))
        })
        .collect()
}

/// Orders the rows that come back: one to which others of the same table refer comes before them.
pub(super) fn parents_first(
    name: &TableName,
    header: &NetHeader,
    inserts: Vec<(&RowLine, String)>,
) -> Vec<String> {
    let own = within(name, header);
    if own.is_empty() {
        return inserts.into_iter().map(|(_, sql)| sql).collect();
    }
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); inserts.len()];
    for (columns, referenced) in &own {
        let holders: HashMap<Vec<String>, usize> = inserts
            .iter()
            .enumerate()
            .filter_map(|(i, (row, _))| Some((values(row, referenced)?, i)))
            .collect();
        for (i, (row, _)) in inserts.iter().enumerate() {
            let parent = values(row, columns).and_then(|wanted| holders.get(&wanted));
            if let Some(parent) = parent.filter(|p| **p != i)
                && let Some(parents) = parents.get_mut(i)
            {
                parents.push(*parent);
            }
        }
    }
    let mut left: Vec<Option<String>> = inserts.into_iter().map(|(_, sql)| Some(sql)).collect();
    let mut ordered = Vec::with_capacity(left.len());
    let mut begun = vec![false; left.len()];
    for start in 0..left.len() {
        // Down to the row that refers to none of them, and back up; a circle is cut where it began.
        let mut stack = vec![(start, 0)];
        while let Some((row, at)) = stack.pop() {
            if at == 0 && std::mem::replace(&mut begun[row], true) {
                continue;
            }
            if let Some(parent) = parents.get(row).and_then(|p| p.get(at)).copied() {
                stack.push((row, at + 1));
                stack.push((parent, 0));
            } else if let Some(sql) = left.get_mut(row).and_then(Option::take) {
                ordered.push(sql);
            }
        }
    }
    ordered
}
