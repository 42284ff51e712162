//! Carries a plan out: asks for the rows of each table, joins, filters, groups, sorts.

use super::join::{Row, joined, kept};
use super::plan::{Plan, QueryPlan, Rows, Subplan, collation};
use super::scope::Shared;
use super::source::{ColumnScope, MetadataReader};
use crate::failure::Failure;
use crate::statement::{Limit, SubqueryKind};
use dbtrail_expression::{Key, Node, Typed, Value};
use dbtrail_types::result_set::Row as Shown;
use std::collections::{HashMap, HashSet};

/// Rows for each of which a subquery is asked at most.
const MOST_ASKED: usize = 2000;

impl QueryPlan {
    /// The rows, as values.
    ///
    /// # Errors
    /// As [`run`].
    pub(super) async fn rows(&self, reader: &mut MetadataReader<'_>) -> Result<Vec<Row>, Failure> {
        let mut rows = Box::pin(run(&self.first, reader, &ColumnScope::All)).await?;
        if self.others.is_empty() {
            return Ok(rows);
        }
        let budget = reader.budget.clone();
        for (all, plan) in &self.others {
            rows.extend(Box::pin(run(plan, reader, &ColumnScope::All)).await?);
            if !all {
                rows = self.distinct(rows, &budget).await?;
            }
        }
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            budget.breathe().await;
            let keys = self.order_by.iter().map(|(typed, _)| key(typed, &row, &[], &budget));
            keyed.push((keys.collect::<Result<Vec<_>, _>>()?, row));
        }
        let directions: Vec<bool> = self.order_by.iter().map(|(_, descending)| *descending).collect();
        Ok(sorted(keyed, &directions, self.limit))
    }

    async fn distinct(&self, rows: Vec<Row>, budget: &Shared) -> Result<Vec<Row>, Failure> {
        let (mut seen, mut kept) = (HashSet::new(), Vec::new());
        for row in rows {
            budget.breathe().await;
            let keys = self.united.iter().map(|typed| key(typed, &row, &[], budget));
            if seen.insert(keys.collect::<Result<Vec<_>, _>>()?) {
                kept.push(row);
            }
        }
        Ok(kept)
    }
}

/// The rows of a SELECT, as values.
///
/// # Errors
/// Every agent failure; more rows than are kept; what is not known or takes too long.
pub(super) async fn run(
    plan: &Plan,
    reader: &mut MetadataReader<'_>,
    column_scope: &ColumnScope,
) -> Result<Vec<Row>, Failure> {
    let budget = reader.budget.clone();
    let plan = &settled(plan, reader).await?;
    let mut rows: Vec<Row> = vec![vec![Value::Null; plan.around]];
    for source in &plan.sources {
        let keep = kept(plan, source);
        let found = match &source.rows {
            Rows::Table(table) => reader.rows(table, &keep, column_scope).await?,
            Rows::Derived(query) => Box::pin(query.rows(reader)).await?,
        };
        budget.breathe().await;
        rows = joined(plan, source, &rows, &found, &budget).await?;
    }
    rows = with_subqueries(plan, rows, reader).await?;
    for assignment in &plan.assignments {
        for row in &mut rows {
            budget.breathe().await;
            row.resize(assignment.at, Value::Null);
            row.push(budget.value(&assignment.node, row, &[])?);
        }
    }
    let groups: Vec<Vec<&[Value]>> = match &plan.group_by {
        None => rows.iter().map(|row| vec![row.as_slice()]).collect(),
        // Aggregates over no row at all are one row.
        Some(keys) if keys.is_empty() => vec![rows.iter().map(Vec::as_slice).collect()],
        Some(keys) => {
            let mut shown_schemas: HashMap<Vec<Key>, usize> = HashMap::new();
            let mut groups: Vec<Vec<&[Value]>> = Vec::new();
            for row in &rows {
                let key = keys.iter().map(|k| key(k, row, &[], &budget)).collect::<Result<_, _>>()?;
                let at = *shown_schemas.entry(key).or_insert(groups.len());
                if at == groups.len() {
                    groups.push(Vec::new());
                }
                groups[at].push(row);
                budget.breathe().await;
            }
            groups
        }
    };
    output(plan, &groups, &budget).await
}

/// Rows as they are shown.
pub(super) fn shown(rows: Vec<Row>) -> Vec<Shown> {
    let cells = |row: Row| row.into_iter().map(|d| d.text().map(|t| t.as_bytes().to_vec())).collect();
    rows.into_iter().map(cells).collect()
}

/// What is compared instead of a value.
fn key(typed: &Typed, row: &[Value], group: &[&[Value]], budget: &Shared) -> Result<Key, Failure> {
    let value = budget.value(&typed.node, row, group)?;
    Ok(budget.with(|budget| Key::of(&value, collation(typed), budget))?)
}

async fn output(plan: &Plan, groups: &[Vec<&[Value]>], budget: &Shared) -> Result<Vec<Row>, Failure> {
    let mut seen = HashSet::new();
    let mut found: Vec<(Vec<Key>, Row)> = Vec::new();
    for group in groups {
        budget.breathe().await;
        let row = group.first().copied().unwrap_or_default();
        if !budget.holds(plan.having.iter(), row, group)? {
            continue;
        }
        if plan.distinct {
            let keys = plan.output.iter().map(|o| key(&o.typed, row, group, budget));
            if !seen.insert(keys.collect::<Result<Vec<_>, _>>()?) {
                continue;
            }
        }
        let keys = plan.order_by.iter().map(|(typed, _)| key(typed, row, group, budget));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let cells = plan.output.iter().map(|o| budget.value(&o.typed.node, row, group));
        found.push((keys, cells.collect::<Result<_, _>>()?));
    }
    let directions: Vec<bool> = plan.order_by.iter().map(|(_, descending)| *descending).collect();
    Ok(sorted(found, &directions, plan.limit))
}

/// Rows in the order of their keys, each in its direction, and of them what LIMIT takes.
fn sorted(mut found: Vec<(Vec<Key>, Row)>, descending: &[bool], limit: Option<Limit>) -> Vec<Row> {
    found.sort_by(|(a, _), (b, _)| {
        let mut pairs = a.iter().zip(b).zip(descending);
        let decided = pairs.find_map(|((a, b), descending)| {
            let ordering = a.cmp(b);
            let ordering = if *descending { ordering.reverse() } else { ordering };
            ordering.is_ne().then_some(ordering)
        });
        decided.unwrap_or(std::cmp::Ordering::Equal)
    });
    let row_count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let (skip, take) = limit.map_or((0, usize::MAX), |l| (row_count(l.offset), row_count(l.count)));
    found.into_iter().skip(skip).take(take).map(|(_, row)| row).collect()
}

fn value(kind: SubqueryKind, rows: &[Row]) -> Result<Value, Failure> {
    match (kind, rows) {
        (SubqueryKind::Exists, _) => Ok(Value::Int(i128::from(!rows.is_empty()))),
        (_, []) => Ok(Value::Null),
        (_, [row]) => Ok(row.first().cloned().unwrap_or(Value::Null)),
        _ => Err(Failure::Unsupported(
            "a subquery of several rows where there can be one (1242 in MySQL)".to_owned(),
        )),
    }
}

/// The plan with the values of those subqueries in it that do not depend on its rows.
async fn settled(plan: &Plan, reader: &mut MetadataReader<'_>) -> Result<Plan, Failure> {
    let mut settled = plan.clone();
    let (once, per_row): (Vec<Subplan>, Vec<Subplan>) =
        std::mem::take(&mut settled.subqueries).into_iter().partition(|s| !s.plan.depends_on(0..plan.end));
    settled.subqueries = per_row;
    for subquery in once {
        let rows = Box::pin(subquery.plan.rows(reader)).await?;
        let at = subquery.at;
        settled = match subquery.kind {
            SubqueryKind::List => {
                let values: Vec<Value> = rows.into_iter().filter_map(|r| r.into_iter().next()).collect();
                settled.mapped(&|node| node.with_list(at, &values))
            }
            kind @ (SubqueryKind::Scalar | SubqueryKind::Exists) => {
                let value = value(kind, &rows)?;
                settled.mapped(&|node| node.with(&|column| (column == at).then(|| value.clone())))
            }
        };
        if settled.nodes().iter().any(|node| node.columns().contains(&at)) {
            return Err(Failure::Unsupported("IN of a subquery here".to_owned()));
        }
    }
    Ok(settled)
}

/// The joined rows with the values of the subqueries that depend on them, where the conditions on
/// these hold too.
async fn with_subqueries(
    plan: &Plan,
    rows: Vec<Row>,
    reader: &mut MetadataReader<'_>,
) -> Result<Vec<Row>, Failure> {
    // Others have been looked at while the sources were joined.
    let is_left = |f: &&Node| plan.sources.is_empty() || f.columns().range(plan.end..).next().is_some();
    let filter: Vec<&Node> = plan.filter.iter().filter(is_left).collect();
    if !plan.subqueries.is_empty() && rows.len() > MOST_ASKED {
        return Err(Failure::Unsupported(format!(
            "a subquery that depends on the row, for more than {MOST_ASKED} rows: narrow it with WHERE on TABLE_SCHEMA and TABLE_NAME"
        )));
    }
    let budget = reader.budget.clone();
    let mut wanted = Vec::with_capacity(rows.len());
    for mut row in rows {
        budget.breathe().await;
        for subquery in &plan.subqueries {
            let known = |at: usize| row.get(at).cloned();
            let bound = subquery.plan.mapped(&|node| node.with(&|at| known(at).filter(|_| at < plan.end)));
            let found = Box::pin(bound.rows(reader)).await?;
            if subquery.kind == SubqueryKind::List {
                return Err(Failure::Unsupported("IN of a subquery that depends on the row".to_owned()));
            }
            row.resize(subquery.at, Value::Null);
            row.push(value(subquery.kind, &found)?);
        }
        if budget.holds(filter.iter().copied(), &row, &[])? {
            wanted.push(row);
        }
    }
    Ok(wanted)
}
