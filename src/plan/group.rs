//! GROUP BY and what is computed of each group: which columns rows can be put into groups by, and
//! of which columns the values of COUNT, MIN, MAX and SUM are certainly MySQL's.

use super::charsets::Charsets;
use super::having;
use crate::failure::Failure;
use crate::statement::{Aggregate, AggregateFunction, Draft, OrderItem, Projected, VirtualSchema};
use dbtrail_types::agent_api::Filter;
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType, IntSize, same_name};
use dbtrail_types::zone::Zone;
use sqlparser::ast::Expr;

/// Digits that SUM has more than its column.
const MORE_DIGITS: u8 = 22;
/// Digits that a DECIMAL has at most.
const MOST_DIGITS: u8 = 65;
/// Characters of text beyond which mysqld declares MIN and MAX as another type.
const LONGEST_TEXT: u32 = 16_383;

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
        let mut all = Vec::new();
        let mut add = |aggregate: Aggregate| {
            if !all.contains(&aggregate) {
                all.push(aggregate);
            }
        };
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
        let columns = draft.group_by.iter().map(|name| {
            let at = position(source, name, "group statement")?;
            certain(&format!("GROUP BY {name}"), at, source, zone)
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
        let ty = match self.declared.ty {
            ColumnType::Timestamp { fsp } => ColumnType::DateTime { fsp },
            ref other => other.clone(),
        };
        Column { ty, ..self.declared.clone() }
    }
}

fn position(source: &[Column], name: &str, clause: &'static str) -> Result<usize, Failure> {
    let at = source.iter().position(|column| same_name(&column.name, name));
    at.ok_or_else(|| Failure::UnknownColumn(name.to_owned(), clause))
}

/// A column of which it is known what is equal.
fn certain(what: &str, at: usize, source: &[Column], zone: &Zone) -> Result<usize, Failure> {
    let column = source.get(at);
    if column.is_some_and(|column| is_certain(column, zone)) {
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

/// Whether values of a column that are the same, and no others, are equal; of text that is looked
/// at value by value.
fn is_certain(column: &Column, zone: &Zone) -> bool {
    match column.ty {
        ColumnType::Int { .. }
        | ColumnType::Decimal { .. }
        | ColumnType::Year
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Binary { .. }
        | ColumnType::VarBinary { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Bit { .. }
        | ColumnType::Enum { .. }
        | ColumnType::Set { .. }
        | ColumnType::Uuid
        | ColumnType::Inet4
        | ColumnType::Inet6 => true,
        ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. } => {
            column.collation.is_some()
        }
        ColumnType::Timestamp { .. } => is_fixed(zone),
        ColumnType::Float { .. }
        | ColumnType::Double { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => false,
    }
}

/// Where clocks change, two instants are shown alike.
fn is_fixed(zone: &Zone) -> bool {
    zone.name().starts_with(['+', '-']) || zone.name() == "UTC"
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
                certain(&aggregate.to_string(), *at, source, zone)?;
            }
            (count(), None)
        }
        (AggregateFunction::Min | AggregateFunction::Max, Some(column)) => {
            let ty = extreme(column, zone).map_err(|why| uncertain(aggregate, column, why))?;
            (ty, column.collation.clone())
        }
        (AggregateFunction::Sum, Some(column)) => {
            let why = "it is exact for whole numbers and DECIMAL alone";
            (sum(&column.ty).ok_or_else(|| uncertain(aggregate, column, why))?, None)
        }
    };
    let nullable = !matches!(function, AggregateFunction::Count | AggregateFunction::CountDistinct);
    let has_default = !nullable;
    let declared = Column { has_default, ..Column::new(aggregate.to_string(), ty, collation, nullable) };
    Ok(PlannedAggregate { function, columns, declared })
}

fn uncertain(aggregate: &Aggregate, column: &Column, why: &str) -> Failure {
    Failure::Unsupported(format!(
        "{aggregate} ({}): {why}; ask for the rows and compute it in the application",
        column.ty
    ))
}

/// What COUNT is declared as.
fn count() -> ColumnType {
    ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: Some(21) }
}

/// What MIN and MAX of a column are declared as, where its order is known.
fn extreme(column: &Column, zone: &Zone) -> Result<ColumnType, &'static str> {
    let unordered = "how MySQL orders its values is not known here";
    match &column.ty {
        ColumnType::Int { size, unsigned, .. } => {
            Ok(ColumnType::Int { size: *size, unsigned: *unsigned, zerofill: false, display_width: None })
        }
        &ColumnType::Decimal { precision, scale, unsigned, .. } => {
            Ok(ColumnType::Decimal { precision, scale, unsigned, zerofill: false })
        }
        ty @ (ColumnType::Float { zerofill: false, .. }
        | ColumnType::Double { zerofill: false, .. }
        | ColumnType::Year
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Binary { .. }
        | ColumnType::VarBinary { .. }) => Ok(ty.clone()),
        ty @ ColumnType::Timestamp { .. } if is_fixed(zone) => Ok(ty.clone()),
        ColumnType::Timestamp { .. } => {
            Err("where clocks change, local times are not in order: SET time_zone = '+00:00' first")
        }
        ty @ (ColumnType::Char { chars } | ColumnType::VarChar { chars }) if *chars <= LONGEST_TEXT => {
            let name = column.collation.as_deref().unwrap_or_default();
            collation::sort_key(name, "", &mut Vec::new()).map_err(|_| unordered)?;
            Ok(ty.clone())
        }
        ColumnType::Char { .. }
        | ColumnType::VarChar { .. }
        | ColumnType::Text { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Float { .. }
        | ColumnType::Double { .. }
        | ColumnType::Bit { .. }
        | ColumnType::Enum { .. }
        | ColumnType::Set { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. }
        | ColumnType::Uuid
        | ColumnType::Inet4
        | ColumnType::Inet6 => Err(unordered),
    }
}

/// What SUM of a column is declared as, where it is exact.
fn sum(ty: &ColumnType) -> Option<ColumnType> {
    let (digits, scale) = match ty {
        ColumnType::Int { size, unsigned, .. } => {
            let digits = match size {
                IntSize::Tiny => 3,
                IntSize::Small => 5,
                IntSize::Medium => 8,
                IntSize::Int => 10,
                IntSize::Big => 19 + u8::from(*unsigned),
            };
            (digits, 0)
        }
        ColumnType::Decimal { precision, scale, .. } => (*precision, *scale),
        ColumnType::Year => (4, 0),
        _ => return None,
    };
    let precision = digits.saturating_add(MORE_DIGITS).min(MOST_DIGITS);
    Some(ColumnType::Decimal { precision, scale, unsigned: false, zerofill: false })
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
