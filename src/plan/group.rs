//! COUNT(*) and GROUP BY: which columns rows can be put into groups by.

use crate::failure::Failure;
use crate::statement::{Draft, VirtualSchema};
use dbtrail_types::column::{Column, ColumnType, IntSize, same_name};
use dbtrail_types::zone::Zone;

/// The column that COUNT(*) is declared as.
#[must_use]
pub fn count_column() -> Column {
    Column {
        has_default: false,
        ..Column::new(
            "COUNT(*)".to_owned(),
            ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: None },
            None,
            false,
        )
    }
}

/// The positions of the columns of GROUP BY in the source; `None`: rows are not grouped, nor
/// counted.
///
/// # Errors
/// A column is not there, or it is not known which of its values are equal.
pub(super) fn groups(draft: &Draft, source: &[Column], zone: &Zone) -> Result<Option<Vec<usize>>, Failure> {
    if !draft.is_grouped() {
        return Ok(None);
    }
    if draft.virtual_schema == VirtualSchema::Undo {
        return Err(Failure::Unsupported(
            "COUNT(*) and GROUP BY of _undo: count the changes, SELECT COUNT(*) FROM _diff...".to_owned(),
        ));
    }
    let positions = draft.group_by.iter().map(|name| {
        let at = source.iter().position(|column| same_name(&column.name, name));
        let at = at.ok_or_else(|| Failure::UnknownColumn(name.clone(), "group statement"))?;
        let certain = source.get(at).is_some_and(|column| is_certain(column, zone));
        if certain { Ok(at) } else { Err(uncertain(source.get(at), name)) }
    });
    positions.collect::<Result<_, _>>().map(Some)
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
        // Where clocks change, two instants are shown alike.
        ColumnType::Timestamp { .. } => zone.name().starts_with(['+', '-']) || zone.name() == "UTC",
        ColumnType::Float { .. }
        | ColumnType::Double { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => false,
    }
}

fn uncertain(column: Option<&Column>, name: &str) -> Failure {
    let ty = column.map(|column| column.ty.to_string()).unwrap_or_default();
    let instead = match column.map(|column| &column.ty) {
        Some(ColumnType::Timestamp { .. }) => "SET time_zone = '+00:00' first",
        _ => "group by numbers, times, text or bytes",
    };
    Failure::Unsupported(format!(
        "GROUP BY {name} ({ty}): which of its values are equal is not known here; {instead}"
    ))
}

/// Refuses columns in the select list or in ORDER BY that are not those of a group.
fn checked(groups: &[usize], named: impl Iterator<Item = usize>, source: &[Column]) -> Result<(), Failure> {
    let stray = named.filter(|at| *at < source.len()).find(|at| !groups.contains(at));
    let Some(name) = stray.and_then(|at| source.get(at)).map(|column| &column.name) else { return Ok(()) };
    Err(Failure::Unsupported(format!(
        "column {name} besides COUNT(*) or GROUP BY, which has many values in one group: put it into GROUP BY, or leave it out"
    )))
}

/// Refuses a select list or an order that does not fit groups, or rows that are in none.
pub(super) fn valid(
    groups: Option<&[usize]>,
    shown: impl Iterator<Item = usize>,
    order: &[(usize, bool)],
    source: &[Column],
) -> Result<(), Failure> {
    match groups {
        Some(groups) => checked(groups, shown.chain(order.iter().map(|(at, _)| *at)), source),
        None if order.iter().any(|(at, _)| *at >= source.len()) => {
            Err(Failure::Unsupported("ORDER BY COUNT(*) of rows that are not grouped".to_owned()))
        }
        None => Ok(()),
    }
}
