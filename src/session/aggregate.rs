//! What is computed of a group: COUNT, MIN, MAX and SUM, row by row.

use super::equal_values::{ordered_weights, spelt, weights};
use super::sort;
use crate::failure::Failure;
use crate::plan::group::PlannedAggregate;
use crate::statement::AggregateFunction;
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::result_set::{Cell, Row};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Bytes that a value has in a set beside its own, about.
const ENTRY: usize = 48;

/// What is known of a group so far.
#[derive(Debug)]
pub(super) enum Computed {
    Count(u64),
    Distinct(HashSet<Vec<u8>>),
    /// The least or greatest value, and of text its weights.
    Extreme(Option<(Vec<u8>, Vec<u8>)>),
    /// In units of the last decimal; `None`: of no value.
    Sum(Option<i128>),
}

impl Computed {
    /// Of no row.
    pub(super) fn new(aggregate: &PlannedAggregate) -> Self {
        match aggregate.function {
            AggregateFunction::Count => Self::Count(0),
            AggregateFunction::CountDistinct => Self::Distinct(HashSet::new()),
            AggregateFunction::Min | AggregateFunction::Max => Self::Extreme(None),
            AggregateFunction::Sum => Self::Sum(None),
        }
    }

    /// More rows of which no cell matters.
    pub(super) fn count(&mut self, rows: u64) {
        if let Self::Count(count) = self {
            *count += rows;
        }
    }

    /// A row. What is kept of it is added to `bytes`.
    pub(super) fn add(
        &mut self,
        aggregate: &PlannedAggregate,
        row: &Row,
        source: &[Column],
        bytes: &mut usize,
    ) -> Result<(), Failure> {
        let mut cells = Vec::with_capacity(aggregate.columns.len());
        for at in &aggregate.columns {
            match (row.get(*at), source.get(*at)) {
                (Some(Some(cell)), Some(column)) => cells.push((cell, column)),
                // NULL is no value.
                _ => return Ok(()),
            }
        }
        let what = &aggregate.declared.name;
        match (self, cells.as_slice()) {
            (Self::Count(count), _) => *count += 1,
            (Self::Distinct(known), cells) => {
                let mut key = Vec::new();
                for (cell, column) in cells {
                    let weights = weights(what, column, cell)?;
                    key.extend((weights.len() as u64).to_be_bytes());
                    key.extend(weights);
                }
                let length = key.len();
                if known.insert(key) {
                    *bytes += length + ENTRY;
                }
            }
            (Self::Extreme(known), [(cell, column)]) => {
                let weights =
                    if column.ty.is_text() { ordered_weights(what, column, cell)? } else { Vec::new() };
                let least = aggregate.function == AggregateFunction::Min;
                let order = known.as_ref().map(|(best, of)| compared((cell, &weights), (best, of), column));
                match order {
                    Some(Ordering::Equal) => {
                        let same = known.as_ref().is_some_and(|(best, _)| best == *cell);
                        if !same {
                            let best = known.as_ref().map(|(best, _)| best.as_slice()).unwrap_or_default();
                            return Err(spelt(what, column, best, cell));
                        }
                    }
                    Some(order) if (order == Ordering::Less) != least => {}
                    Some(_) | None => {
                        let before = known.as_ref().map_or(0, |(best, of)| best.len() + of.len());
                        *bytes = (*bytes + cell.len() + weights.len()).saturating_sub(before);
                        *known = Some(((*cell).clone(), weights));
                    }
                }
            }
            (Self::Sum(sum), [(cell, column)]) => {
                let exact = |sum: i128| number(cell, column).and_then(|number| sum.checked_add(number));
                *sum = Some(exact(sum.unwrap_or(0)).ok_or_else(|| {
                    Failure::Unsupported(format!(
                        "{what}: numbers of so many digits are not added here; narrow it with WHERE"
                    ))
                })?);
            }
            (Self::Extreme(_) | Self::Sum(_), _) => {}
        }
        Ok(())
    }

    /// Whether it is the least or greatest of values that are written with zeros in front
    /// (ZEROFILL, the year 0): with GROUP BY, servers show them where they put the groups into a
    /// temporary table, and leave them out where they sort the rows.
    pub(super) fn has_zeros(&self, aggregate: &PlannedAggregate) -> bool {
        let Self::Extreme(Some((cell, _))) = self else { return false };
        unpadded(cell.clone(), &aggregate.declared) != *cell
    }

    /// As it is shown where all rows are one group.
    pub(super) fn cell(self, aggregate: &PlannedAggregate) -> Cell {
        match self {
            Self::Count(count) => Some(count.to_string().into_bytes()),
            Self::Distinct(known) => Some(known.len().to_string().into_bytes()),
            Self::Extreme(known) => {
                known.map(|(cell, _)| cell).map(|cell| unpadded(cell, &aggregate.declared))
            }
            Self::Sum(sum) => sum.map(|sum| shown(sum, scale(&aggregate.declared)).into_bytes()),
        }
    }
}

fn compared((a, of_a): (&Vec<u8>, &[u8]), (b, of_b): (&Vec<u8>, &[u8]), column: &Column) -> Ordering {
    if column.ty.is_floating_point() {
        let value = |t: &[u8]| std::str::from_utf8(t).ok().and_then(|t| t.parse::<f64>().ok());
        // Zero has two signs.
        value(a).partial_cmp(&value(b)).unwrap_or(Ordering::Equal)
    } else if column.ty.is_text() {
        of_a.cmp(of_b)
    } else {
        sort::values(a, b, &column.ty)
    }
}

fn scale(column: &Column) -> u8 {
    if let ColumnType::Decimal { scale, .. } = column.ty { scale } else { 0 }
}

/// A whole number or a DECIMAL, in units of its last decimal.
fn number(cell: &[u8], column: &Column) -> Option<i128> {
    let text = std::str::from_utf8(cell).ok()?;
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = usize::from(scale(column));
    if fraction.len() > digits {
        return None;
    }
    format!("{integer}{fraction:0<digits$}").parse().ok()
}

fn shown(sum: i128, scale: u8) -> String {
    let width = usize::from(scale) + 1;
    let digits = format!("{:0>width$}", sum.unsigned_abs());
    let (integer, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if sum < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{integer}") } else { format!("{sign}{integer}.{fraction}") }
}

/// A number without the zeros of ZEROFILL, which MIN and MAX do not show, nor those of the year 0.
fn unpadded(cell: Vec<u8>, declared: &Column) -> Vec<u8> {
    if !declared.ty.is_exact_number() && declared.ty != ColumnType::Year {
        return cell;
    }
    let zeros = cell.iter().take_while(|digit| **digit == b'0').count();
    let needed = cell.get(zeros).is_none_or(|next| !next.is_ascii_digit());
    let cut = if needed { zeros.saturating_sub(1) } else { zeros };
    cell.get(cut..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_numbers_are_shown_as_the_server_does() {
        for (sum, scale, text) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (12345, 2, "123.45"),
            (-7, 0, "-7"),
        ] {
            assert_eq!(shown(sum, scale), text);
        }
        let column = |ty: &str| Column::new("c".to_owned(), ty.parse().unwrap(), None, true);
        for (cell, ty, number_of) in [
            ("0005", "int", Some(5)),
            ("-1.50", "decimal(5,2)", Some(-150)),
            ("-0.05", "decimal(5,2)", Some(-5)),
            ("2026", "year", Some(2026)),
            ("1.555", "decimal(5,2)", None),
            ("x", "int", None),
        ] {
            assert_eq!(number(cell.as_bytes(), &column(ty)), number_of, "{cell}");
        }
        for (cell, ty, text) in [
            ("0005", "int", "5"),
            ("0000", "int", "0"),
            ("000.50", "decimal(5,2)", "0.50"),
            ("-0.50", "decimal(5,2)", "-0.50"),
            ("0000", "year", "0"),
            ("2026", "year", "2026"),
        ] {
            assert_eq!(unpadded(cell.as_bytes().to_vec(), &column(ty)), text.as_bytes(), "{cell}");
            let (function, declared) = (AggregateFunction::Max, column(ty));
            let aggregate = PlannedAggregate { function, columns: vec![0], declared };
            let greatest = Computed::Extreme(Some((cell.as_bytes().to_vec(), Vec::new())));
            assert_eq!(greatest.has_zeros(&aggregate), cell != text, "{cell}");
        }
    }
}
