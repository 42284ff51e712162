//! GROUP BY and what is computed of each group: which columns rows can be put into groups by, and
//! of which columns the values of COUNT, MIN, MAX and SUM are certainly MySQL's.

use super::change_columns::EVENT_TIMESTAMP;
use super::charsets::Charsets;
use super::computed_types::{count, extreme, groups_exactly, sum};
use super::having;
use crate::failure::Failure;
use crate::statement::{
    Aggregate, AggregateFunction, Draft, MOST_COLUMNS, OrderItem, Projected, VirtualSchema,
};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::column::{Column, ColumnType, same_name};
use dbtrail_types::zone::Zone;
use sqlparser::ast::Expr;
use std::collections::HashSet;

/// Rows in groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grouping {
    /// GROUP BY: positions in the source; none: all rows are one group.
    pub columns: Vec<usize>,
    /// What is computed of each group: these are the columns after the last one of the source.
    pub aggregates: Vec<PlannedAggregate>,
    /// Which groups are wanted, by the columns of the aggregates; `None`: all.
    pub having: Option<Filter>,
}

/// What is computed of each group.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedAggregate {
    /// The function.
    pub function: AggregateFunction,
    /// Positions in the source; none: rows are counted.
    pub columns: Vec<usize>,
    /// As what the result is declared.
    pub declared: Column,
}

/// The aggregates of a statement, each once: those of the select list, of ORDER BY, of HAVING.
#[derive(Debug)]
pub(super) struct Aggregates {
    pub(super) all: Vec<Aggregate>,
    /// HAVING with a name instead of each of them.
    having: Option<Expr>,
}

impl Aggregates {
    pub(super) fn of(draft: &Draft) -> Result<Self, Failure> {
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        let mut add = |aggregate: Aggregate| {
            if known.insert(aggregate.clone()) {
                all.push(aggregate);
            }
        };
        if draft.order_by.len() > MOST_COLUMNS {
            return Err(Failure::Unsupported(format!("ORDER BY of more than {MOST_COLUMNS} columns")));
        }
        for item in &draft.projection {
            match item {
                Projected::Aggregate { aggregate, .. } => add(aggregate.clone()),
                Projected::Column { .. } | Projected::All => {}
            }
        }
        for (item, _) in &draft.order_by {
            match item {
                OrderItem::Aggregate(aggregate) => add(aggregate.clone()),
                OrderItem::Column(_) => {}
            }
        }
        let having = having::named(draft, &mut add)?;
        if all.len() > MOST_COLUMNS {
            return Err(Failure::Unsupported(format!("more than {MOST_COLUMNS} aggregates")));
        }
        Ok(Self { all, having })
    }

    /// Where the values of one are, after so many columns of the source.
    pub(super) fn position(&self, aggregate: &Aggregate, width: usize) -> usize {
        let at = self.all.iter().position(|known| known == aggregate);
        width.saturating_add(at.unwrap_or_default())
    }

    /// How the rows of a statement are grouped; `None`: they are not. `charsets`: those in which
    /// the literals of HAVING are read; `None`: they have no values yet.
    ///
    /// # Errors
    /// A column is not there, or it is not known which of its values are equal, or how they are
    /// ordered or added.
    pub(super) fn grouping(
        self,
        draft: &Draft,
        source: &[Column],
        zone: &Zone,
        charsets: Option<Charsets>,
    ) -> Result<Option<Grouping>, Failure> {
        if !draft.is_grouped() {
            return match (self.all.first(), &self.having) {
                (Some(aggregate), _) => Err(Failure::Unsupported(format!(
                    "{aggregate} of rows that are not grouped: put it into the select list, or add GROUP BY"
                ))),
                (None, Some(_)) => {
                    Err(Failure::Unsupported("HAVING of rows that are not grouped: write WHERE".to_owned()))
                }
                (None, None) => Ok(None),
            };
        }
        if draft.virtual_schema == VirtualSchema::Undo {
            return Err(Failure::Unsupported(
                "COUNT(*) and GROUP BY of _undo: count the changes, SELECT COUNT(*) FROM _diff...".to_owned(),
            ));
        }
        let instants = (draft.virtual_schema == VirtualSchema::Diff && !zone.is_fixed())
            .then(|| event_times_as_instants(source));
        let source = instants.as_deref().unwrap_or(source);
        let columns = draft.group_by.iter().map(|name| {
            let at = position(source, name, "group statement")?;
            grouped_column(&format!("GROUP BY {name}"), at, source, zone)
        });
        let columns = columns.collect::<Result<_, _>>()?;
        let aggregates = self.all.iter().map(|aggregate| planned(aggregate, source, zone));
        let aggregates: Vec<PlannedAggregate> = aggregates.collect::<Result<_, _>>()?;
        let declared: Vec<Column> = aggregates.iter().map(PlannedAggregate::compared).collect();
        let having = self.having.as_ref().zip(charsets);
        let having = having.map(|(written, charsets)| having::condition(written, declared, (zone, charsets)));
        Ok(Some(Grouping { columns, aggregates, having: having.transpose()? }))
    }
}

impl Grouping {
    /// The positions of the columns that it is made from.
    pub fn needed(&self) -> impl Iterator<Item = usize> {
        let computed = self.aggregates.iter().flat_map(|aggregate| &aggregate.columns);
        self.columns.iter().chain(computed).copied()
    }
}

impl PlannedAggregate {
    /// What HAVING compares it as: local times are not those of a TIMESTAMP column.
    #[must_use]
    pub fn compared(&self) -> Column {
        let mut column = self.declared.clone();
        if let ColumnType::Timestamp { fsp } = column.ty {
            column.ty = ColumnType::DateTime { fsp };
        }
        column
    }
}

/// The time of a change is an instant, though it is shown as the local time that it is declared as.
fn event_times_as_instants(source: &[Column]) -> Vec<Column> {
    let mut source = source.to_vec();
    if let Some(column) = source.get_mut(EVENT_TIMESTAMP)
        && column.ty == (ColumnType::DateTime { fsp: 6 })
    {
        column.ty = ColumnType::Timestamp { fsp: 6 };
    }
    source
}

fn position(source: &[Column], name: &str, clause: &'static str) -> Result<usize, Failure> {
    let at = source.iter().position(|column| same_name(&column.name, name));
    at.ok_or_else(|| Failure::UnknownColumn(name.to_owned(), clause))
}

/// A column of which it is known what is equal.
fn grouped_column(what: &str, at: usize, source: &[Column], zone: &Zone) -> Result<usize, Failure> {
    let column = source.get(at);
    if column.is_some_and(|column| groups_exactly(column, zone)) {
        return Ok(at);
    }
    let ty = column.map(|column| column.ty.to_string()).unwrap_or_default();
    let instead = match column.map(|column| &column.ty) {
        Some(ColumnType::Timestamp { .. }) => "SET time_zone = '+00:00' first",
        _ => "take numbers, times, text or bytes",
    };
    Err(Failure::Unsupported(format!(
        "{what} ({ty}): which of its values are equal is not known here; {instead}"
    )))
}

fn planned(aggregate: &Aggregate, source: &[Column], zone: &Zone) -> Result<PlannedAggregate, Failure> {
    let columns = aggregate.columns.iter().map(|name| position(source, name, "field list"));
    let columns: Vec<usize> = columns.collect::<Result<_, _>>()?;
    let first = columns.first().and_then(|at| source.get(*at));
    let function = aggregate.function;
    let (ty, collation) = match (function, first) {
        (AggregateFunction::Count, _) | (_, None) => (count(), None),
        (AggregateFunction::CountDistinct, _) => {
            for at in &columns {
                grouped_column(&aggregate.to_string(), *at, source, zone)?;
            }
            (count(), None)
        }
        (AggregateFunction::Min | AggregateFunction::Max, Some(column)) => {
            let ty = extreme(column, zone).map_err(|why| refused_aggregate(aggregate, column, why))?;
            (ty, column.collation.clone())
        }
        (AggregateFunction::Sum, Some(column)) => {
            let why = "it is exact for whole numbers and DECIMAL alone";
            (sum(&column.ty).ok_or_else(|| refused_aggregate(aggregate, column, why))?, None)
        }
    };
    let nullable = !matches!(function, AggregateFunction::Count | AggregateFunction::CountDistinct);
    let has_default = !nullable;
    let declared = Column { has_default, ..Column::new(aggregate.to_string(), ty, collation, nullable) };
    Ok(PlannedAggregate { function, columns, declared })
}

fn refused_aggregate(aggregate: &Aggregate, column: &Column, why: &str) -> Failure {
    Failure::Unsupported(format!(
        "{aggregate} ({}): {why}; ask for the rows and compute it in the application",
        column.ty
    ))
}

/// Refuses columns in the select list or in ORDER BY that are not those of a group.
pub(super) fn valid(
    grouping: Option<&Grouping>,
    shown: impl Iterator<Item = usize>,
    order: &[(usize, bool)],
    source: &[Column],
) -> Result<(), Failure> {
    let Some(grouping) = grouping else { return Ok(()) };
    let named = shown.chain(order.iter().map(|(at, _)| *at)).filter(|at| *at < source.len());
    let stray = named.into_iter().find(|at| !grouping.columns.contains(at));
    let Some(name) = stray.and_then(|at| source.get(at)).map(|column| &column.name) else { return Ok(()) };
    Err(Failure::Unsupported(format!(
        "column {name} besides COUNT(*) or GROUP BY, which has many values in one group: put it into GROUP BY, or leave it out"
    )))
}
