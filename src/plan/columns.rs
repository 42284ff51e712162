//! The columns of an answer: which there are, which are shown, and in which order of rows.

use super::change_columns::{diff_columns, undo_columns};
use super::group::Aggregates;
use crate::failure::Failure;
use crate::statement::{MOST_COLUMNS, OrderItem, Projected, VirtualSchema};
use dbtrail_types::column::{Column, Family, TableDefinition, same_name};
use std::sync::Arc;

/// A column of the result: which column of the source (after those: what is computed of groups),
/// and the name to show. For rows the source is the table's columns; for a diff it is `event_id,
/// event_timestamp, event_type, gtid, <key columns>, changed_columns, row_before, row_after`, and
/// who made the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Position in the source.
    pub source: usize,
    /// The alias, or the column's own name.
    pub name: String,
}

/// The columns that a query on a schema has to choose from.
#[derive(Clone, Debug)]
pub enum SelectableColumns {
    /// Those of the table.
    Table(Arc<TableDefinition>),
    /// Those of a diff.
    Changes(Vec<Column>),
}

impl std::ops::Deref for SelectableColumns {
    type Target = [Column];

    fn deref(&self) -> &[Column] {
        match self {
            Self::Table(definition) => &definition.columns,
            Self::Changes(columns) => columns,
        }
    }
}

/// The columns that a query on this schema has to choose from. Those of a diff that no table column
/// stands for have a type of their own.
#[must_use]
pub fn source(schema: VirtualSchema, definition: &Arc<TableDefinition>) -> SelectableColumns {
    match schema {
        VirtualSchema::Flashback | VirtualSchema::Snapshot => {
            SelectableColumns::Table(Arc::clone(definition))
        }
        VirtualSchema::Diff => SelectableColumns::Changes(diff_columns(definition)),
        VirtualSchema::Undo => SelectableColumns::Changes(undo_columns()),
    }
}

pub(super) fn output(
    projection: &[Projected],
    source: &[Column],
    aggregates: &Aggregates,
) -> Result<Vec<Output>, Failure> {
    let shown = || source.iter().enumerate().filter(|(_, column)| !column.invisible);
    let all = || shown().map(|(i, c)| Output { source: i, name: c.name.clone() });
    if projection.is_empty() {
        return Ok(all().collect());
    }
    let mut output = Vec::new();
    for item in projection {
        match item {
            Projected::All => output.extend(all()),
            Projected::Aggregate { aggregate, name } => output
                .push(Output { source: aggregates.position(aggregate, source.len()), name: name.clone() }),
            Projected::Column { name, alias } => {
                let at = position(source, name)
                    .ok_or_else(|| Failure::UnknownColumn(name.clone(), "field list"))?;
                output.push(Output {
                    source: at,
                    name: alias.clone().unwrap_or_else(|| source[at].name.clone()),
                });
            }
        }
        if output.len() > MOST_COLUMNS {
            return Err(Failure::Unsupported(format!("more than {MOST_COLUMNS} columns")));
        }
    }
    Ok(output)
}

fn position(source: &[Column], name: &str) -> Option<usize> {
    source.iter().position(|c| same_name(&c.name, name))
}

/// What to order by: an alias of the select list, a column, or what is computed of a group.
pub(super) fn order(
    item: &OrderItem,
    output: &[Output],
    source: &[Column],
    aggregates: &Aggregates,
) -> Result<usize, Failure> {
    let name = match item {
        OrderItem::Aggregate(aggregate) => return Ok(aggregates.position(aggregate, source.len())),
        OrderItem::Column(name) => name,
    };
    let aliased = output.iter().find(|o| same_name(&o.name, name)).map(|o| o.source);
    let at = aliased
        .or_else(|| position(source, name))
        .ok_or_else(|| Failure::UnknownColumn(name.to_owned(), "order clause"))?;
    source.get(at).map_or(Ok(()), ordered)?;
    Ok(at)
}

/// Refuses a column whose order is not certainly MySQL's.
pub(super) fn ordered(column: &Column) -> Result<(), Failure> {
    let orders_alike = match column.ty.family() {
        Family::Text | Family::Bytes if column.ty.is_lob() => false,
        Family::Integer
        | Family::Decimal
        | Family::FloatingPoint
        | Family::Year
        | Family::Bytes
        | Family::Date
        | Family::Time
        | Family::DateTime
        | Family::Timestamp => true,
        Family::Text => {
            // The PAD SPACE ones by code points; utf8mb4_0900_bin and MariaDB's nopad ones compare
            // otherwise, and those of other sets by other bytes.
            column
                .collation
                .as_deref()
                .is_some_and(|c| matches!(c, "utf8mb4_bin" | "utf8mb3_bin" | "utf8_bin" | "ascii_bin"))
        }
        Family::Bit
        | Family::Enum
        | Family::Set
        | Family::Json
        | Family::Geometry
        | Family::Vector
        | Family::Address => false,
    };
    if orders_alike {
        return Ok(());
    }
    Err(Failure::Unsupported(format!(
        "ORDER BY {} ({}): its order here might not be MySQL's; order by a number, a time or a _bin column",
        column.name, column.ty
    )))
}
