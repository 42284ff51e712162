//! Carries a plan out: asks for the rows of each table, joins, filters, groups, sorts.

use super::datum::{Datum, Order};
use super::formula::{Comparison, Formula};
use super::plan::{FOLDED, Plan, Source, folded};
use super::source::{Extent, Reader};
use crate::failure::Failure;
use dbtrail_types::reply::Row as Shown;
use std::collections::{HashMap, HashSet};

type Row = Vec<Datum>;

/// Rows of a join at most.
const MOST_JOINED: usize = 200_000;

/// The rows of the result.
///
/// # Errors
/// Every agent failure; more rows than are kept.
pub(super) async fn run(
    plan: &Plan,
    reader: &mut Reader<'_>,
    extent: &Extent,
) -> Result<Vec<Shown>, Failure> {
    let mut rows: Vec<Row> = vec![Vec::new()];
    for source in &plan.sources {
        let keep = kept(plan, source);
        let found = reader.rows(source.table, &keep, extent).await?;
        rows = joined(plan, source, &rows, &found)?;
    }
    let groups: Vec<Vec<&[Datum]>> = match &plan.group_by {
        None => rows.iter().map(|row| vec![row.as_slice()]).collect(),
        // Aggregates over no row at all are one row.
        Some(keys) if keys.is_empty() => vec![rows.iter().map(Vec::as_slice).collect()],
        Some(keys) => {
            let mut places: HashMap<Vec<Datum>, usize> = HashMap::new();
            let mut groups: Vec<Vec<&[Datum]>> = Vec::new();
            for row in &rows {
                let key = keys.iter().map(|k| folded(k, row, &[])).collect();
                let at = *places.entry(key).or_insert(groups.len());
                if at == groups.len() {
                    groups.push(Vec::new());
                }
                groups[at].push(row);
            }
            groups
        }
    };
    Ok(output(plan, &groups))
}

fn output(plan: &Plan, groups: &[Vec<&[Datum]>]) -> Vec<Shown> {
    let mut seen = HashSet::new();
    let mut found: Vec<(Vec<Datum>, Row)> = Vec::new();
    for group in groups {
        let row = group.first().copied().unwrap_or_default();
        if !plan.having.iter().all(|f| f.holds(row, group)) {
            continue;
        }
        if plan.distinct
            && !seen.insert(plan.output.iter().map(|o| folded(&o.typed, row, group)).collect::<Vec<_>>())
        {
            continue;
        }
        let keys = plan.order_by.iter().map(|(typed, _)| folded(typed, row, group)).collect();
        found.push((keys, plan.output.iter().map(|o| o.typed.formula.value(row, group)).collect()));
    }
    found.sort_by(|(a, _), (b, _)| {
        let mut pairs = a.iter().zip(b).zip(&plan.order_by);
        let decided = pairs.find_map(|((a, b), (_, descending))| {
            let ordering = FOLDED.compare(a, b);
            let ordering = if *descending { ordering.reverse() } else { ordering };
            ordering.is_ne().then_some(ordering)
        });
        decided.unwrap_or(std::cmp::Ordering::Equal)
    });
    let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let (skip, take) = plan.limit.map_or((0, usize::MAX), |l| (whole(l.offset), whole(l.count)));
    let cells = |row: Row| row.into_iter().map(|d| d.text().map(|t| t.into_owned().into_bytes())).collect();
    found.into_iter().skip(skip).take(take).map(|(_, row)| cells(row)).collect()
}

/// Two columns of the joined row that are equal in every row of the result.
struct Same(usize, usize, Order);

fn same(condition: &Formula) -> Option<Same> {
    match condition {
        Formula::Compare(Comparison::Equal, order, a, b) => match (a.as_ref(), b.as_ref()) {
            (Formula::Column(a), Formula::Column(b)) => Some(Same(*a, *b, *order)),
            _ => None,
        },
        Formula::Column(_)
        | Formula::Constant(_)
        | Formula::Compare(..)
        | Formula::Like(..)
        | Formula::IsNull(_)
        | Formula::Not(_)
        | Formula::All(_)
        | Formula::Any(_)
        | Formula::Case(..)
        | Formula::Call(..)
        | Formula::Aggregate(..) => None,
    }
}

/// The conditions that concern this table alone, over its own columns. One on a column of another table that is equal to a column of
/// this one counts here too: so a join asks the agent for no more than each side needs.
fn kept(plan: &Plan, source: &Source) -> Vec<Formula> {
    let own = |at: &usize| (source.offset..source.offset + source.table.fields.len()).contains(at);
    let outer = |at: usize| plan.sources.iter().rfind(|s| s.offset <= at).is_some_and(|s| s.left.is_some());
    let order = |at: usize| {
        let of = plan.sources.iter().rfind(|s| s.offset <= at)?;
        Some(of.table.fields.get(at - of.offset)?.kind())
    };
    let mut known: Vec<Formula> =
        plan.filter.iter().filter(|f| !f.columns().iter().any(|at| outer(*at))).cloned().collect();
    let on = source.left.iter().flatten();
    let equalities: Vec<Same> = plan.filter.iter().chain(on.clone()).filter_map(same).collect();
    for _ in 0..2 {
        let mut more = Vec::new();
        for Same(a, b, _) in &equalities {
            for (from, to) in [(*a, *b), (*b, *a)] {
                let alike = order(from) == order(to);
                let of_one = |f: &&Formula| f.columns().iter().eq([&from]);
                let told = known.iter().filter(of_one).map(|f| f.moved(&|_| to));
                more.extend(told.filter(|_| alike).filter(|f| !known.contains(f)));
            }
        }
        known.extend(more);
    }
    // A condition of WHERE on the rows that a LEFT JOIN may fill with NULL is looked at behind the join.
    known.extend(on.cloned());
    let mut kept: Vec<Formula> = known.into_iter().filter(|f| f.columns().iter().all(own)).collect();
    kept = kept.iter().map(|f| f.moved(&|at| at - source.offset)).collect();
    kept.dedup();
    kept
}

/// Joins the rows so far with those of the next table. Equal columns are looked up, other conditions tried.
fn joined(plan: &Plan, source: &Source, before: &[Row], found: &[Row]) -> Result<Vec<Row>, Failure> {
    let end = source.offset + source.table.fields.len();
    let bound = |f: &&Formula| f.columns().last().is_none_or(|last| *last < end);
    let on: Vec<&Formula> = match &source.left {
        Some(on) => on.iter().collect(),
        None => plan.filter.iter().filter(bound).collect(),
    };
    let pairs: Vec<Same> = on
        .iter()
        .filter_map(|f| same(f))
        .filter_map(|Same(a, b, order)| {
            let (early, late) = (a.min(b), a.max(b));
            (early < source.offset && late >= source.offset).then_some(Same(early, late, order))
        })
        .collect();
    let key = |row: &Row, of: &dyn Fn(&Same) -> usize| -> Option<Vec<Datum>> {
        pairs
            .iter()
            .map(|same| {
                let value = row.get(of(same)).unwrap_or(&Datum::Null);
                (*value != Datum::Null).then(|| same.2.folded(value))
            })
            .collect()
    };
    let mut index: HashMap<Vec<Datum>, Vec<&Row>> = HashMap::new();
    for row in found {
        if let Some(key) = key(row, &|same| same.1 - source.offset) {
            index.entry(key).or_default().push(row);
        }
    }
    let mut rows = Vec::new();
    let mut tried = 0_usize;
    for row in before {
        let candidates = key(row, &|same| same.0).and_then(|key| index.get(&key));
        let mut matched = false;
        for candidate in candidates.into_iter().flatten() {
            tried += 1;
            if tried > MOST_JOINED {
                return Err(Failure::Unsupported(format!(
                    "a join of more than {MOST_JOINED} pairs of rows: narrow it with WHERE on TABLE_SCHEMA and TABLE_NAME"
                )));
            }
            let mut both = row.clone();
            both.extend(candidate.iter().cloned());
            if on.iter().all(|f| f.holds(&both, &[])) {
                matched = true;
                rows.push(both);
            }
        }
        if !matched && source.left.is_some() {
            let mut alone = row.clone();
            alone.resize(end, Datum::Null);
            rows.push(alone);
        }
    }
    if source.left.is_some() {
        let conditions: Vec<&Formula> = plan.filter.iter().filter(bound).collect();
        rows.retain(|row| conditions.iter().all(|f| f.holds(row, &[])));
    }
    Ok(rows)
}
