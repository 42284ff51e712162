//! Joins of the tables of a SELECT on `information_schema`.

use super::plan::{FromTable, Plan, collation};
use super::scope::Shared;
use crate::failure::Failure;
use dbtrail_expression::{Comparison, Key, Mode, Node, Typed, Value};
use std::collections::HashMap;

/// A row, as values.
pub(super) type Row = Vec<Value>;

/// Rows of a join at most.
const MOST_JOINED: usize = 200_000;
/// Conditions up to which what one table's say of another's is worked out: it saves questions to
/// the agent, and grows with their square.
const MOST_CARRIED: usize = 100;

/// Two columns of the joined row that are equal in every row of the result, and how they compare.
struct Same(usize, usize, &'static str);

fn same(condition: &Node) -> Option<Same> {
    let Node::Compare(Comparison::Equal, mode, both) = condition else { return None };
    let (Node::Column(a), Node::Column(b)) = &**both else { return None };
    match mode {
        Mode::Text(collation) => Some(Same(*a, *b, collation)),
        Mode::Exact => Some(Same(*a, *b, "binary")),
        Mode::Real => None,
    }
}

/// The conditions that concern this table alone, over its own columns. One on a column of another
/// table that is equal to a column of this one counts here too: so a join asks the agent for no
/// more than each side needs.
pub(super) fn kept(plan: &Plan, source: &FromTable) -> Vec<Node> {
    let own = |at: &usize| (source.offset..source.end()).contains(at);
    let outer = |at: usize| plan.sources.iter().rfind(|s| s.offset <= at).is_some_and(|s| s.left.is_some());
    let kind = |at: usize| {
        let of = plan.sources.iter().rfind(|s| s.offset <= at)?;
        Some(collation(&Typed { node: Node::Column(at), ty: of.fields.get(at - of.offset)?.ty }))
    };
    let mut known: Vec<Node> =
        plan.filter.iter().filter(|f| !f.columns().iter().any(|at| outer(*at))).cloned().collect();
    let on = source.left.iter().flatten();
    let equalities: Vec<Same> = plan.filter.iter().chain(on.clone()).filter_map(same).collect();
    if known.len() + equalities.len() <= MOST_CARRIED {
        for _ in 0..2 {
            let mut more = Vec::new();
            for Same(a, b, _) in &equalities {
                for (from, to) in [(*a, *b), (*b, *a)] {
                    let alike = kind(from) == kind(to);
                    let of_one = |f: &&Node| f.columns().iter().eq([&from]);
                    let reported = known.iter().filter(of_one).map(|f| f.moved(&|_| to));
                    more.extend(reported.filter(|_| alike).filter(|f| !known.contains(f)));
                }
            }
            more.truncate(MOST_CARRIED);
            known.extend(more);
        }
    }
    // A condition of WHERE on the rows that a LEFT JOIN may fill with NULL is looked at after the
    // join.
    known.extend(on.cloned());
    let mut kept: Vec<Node> = known.into_iter().filter(|f| f.columns().iter().all(own)).collect();
    kept = kept.iter().map(|f| f.moved(&|at| at - source.offset)).collect();
    kept.dedup();
    kept
}

/// Joins the rows so far with those of the next table. Equal columns are looked up, other
/// conditions tried.
pub(super) async fn joined(
    plan: &Plan,
    source: &FromTable,
    before: &[Row],
    found: &[Row],
    budget: &Shared,
) -> Result<Vec<Row>, Failure> {
    let end = source.end();
    let bound = |f: &&Node| f.columns().last().is_none_or(|last| *last < end);
    let filter: Vec<&Node> = plan.filter.iter().filter(bound).collect();
    let on: Vec<&Node> = match &source.left {
        Some(on) => on.iter().collect(),
        None => filter.clone(),
    };
    let pairs: Vec<Same> = on
        .iter()
        .filter_map(|f| same(f))
        .filter_map(|Same(a, b, order)| {
            let (early, late) = (a.min(b), a.max(b));
            (early < source.offset && late >= source.offset).then_some(Same(early, late, order))
        })
        .collect();
    // NULL is equal to nothing.
    let key = |row: &Row, of: &(dyn Fn(&Same) -> usize + Sync)| -> Result<Option<Vec<Key>>, Failure> {
        let mut keys = Vec::with_capacity(pairs.len());
        for same in &pairs {
            let value = row.get(of(same)).unwrap_or(&Value::Null);
            let key = budget.with(|budget| Key::of(value, same.2, budget))?;
            if key == Key::Null {
                return Ok(None);
            }
            keys.push(key);
        }
        Ok(Some(keys))
    };
    let mut index: HashMap<Vec<Key>, Vec<&Row>> = HashMap::new();
    for row in found {
        if let Some(key) = key(row, &|same| same.1 - source.offset)? {
            index.entry(key).or_default().push(row);
        }
    }
    let mut rows = Vec::new();
    let mut tried = 0_usize;
    for row in before {
        let candidates = key(row, &|same| same.0)?.and_then(|key| index.get(&key));
        let mut matched = false;
        for candidate in candidates.into_iter().flatten() {
            budget.breathe().await;
            tried += 1;
            if tried > MOST_JOINED {
                return Err(Failure::Unsupported(format!(
                    "a join of more than {MOST_JOINED} pairs of rows: narrow it with WHERE on TABLE_SCHEMA and TABLE_NAME"
                )));
            }
            let mut both = row.clone();
            both.extend(candidate.iter().cloned());
            if budget.holds(on.iter().copied(), &both, &[])? {
                matched = true;
                rows.push(both);
            }
        }
        if !matched && source.left.is_some() {
            let mut alone = row.clone();
            alone.resize(end, Value::Null);
            rows.push(alone);
        }
    }
    if source.left.is_none() {
        return Ok(rows);
    }
    let mut wanted = Vec::with_capacity(rows.len());
    for row in rows {
        budget.breathe().await;
        if budget.holds(filter.iter().copied(), &row, &[])? {
            wanted.push(row);
        }
    }
    Ok(wanted)
}
