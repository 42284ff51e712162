//! GROUP BY: rows are put into groups as they come, in memory that grows with the groups and not
//! with the rows.

use super::aggregate::Computed;
use super::equal_values::weights;
use crate::failure::Failure;
use crate::plan::group::{Grouping, PlannedAggregate};
use dbtrail_expression::{RowFilter, RowValue};
use dbtrail_types::column::Column;
use dbtrail_types::result_set::Row;
use std::collections::HashMap;

/// Groups at most.
const MOST: usize = 100_000;
/// Bytes of their values at most.
const MEMORY: usize = 64 << 20;
/// Bytes that a group has beside its values, about.
const GROUP: usize = 128;

/// Groups in the order in which they first came.
#[derive(Debug)]
pub(super) struct Groups {
    grouping: Grouping,
    known: HashMap<Vec<u8>, usize>,
    rows: Vec<(Row, Vec<Computed>)>,
    bytes: usize,
}

impl Groups {
    /// Groups by columns of a row; by none, all rows are one group, also if there are none.
    pub(super) fn new(grouping: Grouping) -> Self {
        let mut made = Self { grouping, known: HashMap::new(), rows: Vec::new(), bytes: 0 };
        if made.grouping.columns.is_empty() {
            made.rows.push((Vec::new(), made.empty()));
        }
        made
    }

    fn empty(&self) -> Vec<Computed> {
        self.grouping.aggregates.iter().map(Computed::new).collect()
    }

    /// The columns of what is computed.
    pub(super) fn computed(&self) -> impl Iterator<Item = &Column> {
        self.grouping.aggregates.iter().map(|aggregate| &aggregate.declared)
    }

    /// What the groups take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it needs no cell of a row.
    pub(super) fn is_a_count(&self) -> bool {
        self.grouping.columns.is_empty() && self.grouping.aggregates.iter().all(|a| a.columns.is_empty())
    }

    /// Rows of which no cell matters.
    pub(super) fn count(&mut self, rows: usize) {
        if let Some((_, computed)) = self.rows.first_mut() {
            for computed in computed {
                computed.count(rows as u64);
            }
        }
    }

    /// A row.
    ///
    /// # Errors
    /// There are too many groups, or it is not known to which one it belongs or what it makes of
    /// what is computed.
    pub(super) fn add(&mut self, row: &Row, source: &[Column]) -> Result<(), Failure> {
        let at = self.group(row, source)?;
        let Some((_, computed)) = self.rows.get_mut(at) else { return Ok(()) };
        for (computed, aggregate) in computed.iter_mut().zip(&self.grouping.aggregates) {
            computed.add(aggregate, row, source, &mut self.bytes)?;
        }
        if self.bytes > MEMORY {
            return Err(self.too_many());
        }
        Ok(())
    }

    /// Which group a row belongs to.
    fn group(&mut self, row: &Row, source: &[Column]) -> Result<usize, Failure> {
        if self.grouping.columns.is_empty() {
            return Ok(0);
        }
        let mut key = Vec::new();
        for at in &self.grouping.columns {
            let (Some(cell), Some(column)) = (row.get(*at), source.get(*at)) else { continue };
            let Some(bytes) = cell else {
                key.push(0);
                continue;
            };
            let weights = weights("GROUP BY", column, bytes)?;
            key.push(1);
            key.extend((weights.len() as u64).to_be_bytes());
            key.extend(weights);
        }
        if let Some(at) = self.known.get(&key) {
            if let Some((first, _)) = self.rows.get(*at) {
                same(&self.grouping.columns, first, row, source)?;
            }
            return Ok(*at);
        }
        let cells: Row = self.grouping.columns.iter().map(|at| row.get(*at).cloned().flatten()).collect();
        let computed = self.empty();
        self.bytes += key.len() + cells.iter().flatten().map(Vec::len).sum::<usize>() + GROUP;
        self.bytes += computed.len() * size_of::<Computed>();
        if self.rows.len() >= MOST || self.bytes > MEMORY {
            return Err(self.too_many());
        }
        let at = self.rows.len();
        self.known.insert(key, at);
        self.rows.push((cells, computed));
        Ok(at)
    }

    fn too_many(&self) -> Failure {
        let values = if self.rows.len() >= MOST { "" } else { ", or of more values in them than are held" };
        Failure::Unsupported(format!(
            "GROUP BY with more than {} groups{values}: narrow it with WHERE, or group by fewer columns",
            self.rows.len()
        ))
    }

    /// The groups that HAVING leaves, as rows with so many columns and what is computed after them.
    ///
    /// # Errors
    /// Whether HAVING wants one is not known.
    pub(super) fn rows(self, width: usize) -> Result<Vec<Row>, Failure> {
        let Self { grouping, rows: groups, .. } = self;
        let compared: Vec<Column> = grouping.aggregates.iter().map(PlannedAggregate::compared).collect();
        let having = grouping.having.as_ref().map(|having| RowFilter::new(having, &compared)).transpose();
        let having = having.map_err(|why| Failure::Unsupported(why.to_string()))?;
        let mut rows = Vec::with_capacity(groups.len());
        let grouped = !grouping.columns.is_empty();
        for (cells, computed) in groups {
            let mut row: Row = vec![None; width];
            for (at, cell) in grouping.columns.iter().zip(cells) {
                if let Some(position) = row.get_mut(*at) {
                    *position = cell;
                }
            }
            let computed = computed.into_iter().zip(&grouping.aggregates);
            let has_zeros = |(computed, of): &(Computed, &PlannedAggregate)| computed.has_zeros(of);
            let computed: Vec<_> = computed.collect();
            let zeros = computed.iter().find(|one| grouped && has_zeros(one)).map(|(_, of)| *of);
            let computed: Row = computed.into_iter().map(|(computed, of)| computed.cell(of)).collect();
            let is_wanted = having.as_ref().map_or(Ok(true), |having| {
                let cells: Vec<RowValue<'_>> = computed
                    .iter()
                    .map(|cell| cell.as_deref().map_or(RowValue::Null, RowValue::Bytes))
                    .collect();
                having.holds(&cells)
            });
            if is_wanted.map_err(|why| Failure::Unsupported(why.to_string()))? {
                if let Some(aggregate) = zeros {
                    return Err(Failure::Unsupported(format!(
                        "{}: with GROUP BY, a server shows the zeros in front of a number or leaves them out, as it goes about it; ask for each group by WHERE, without GROUP BY",
                        aggregate.declared.name
                    )));
                }
                row.extend(computed);
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// Refuses a group of several spellings: a server shows any one of them.
fn same(columns: &[usize], first: &Row, row: &Row, source: &[Column]) -> Result<(), Failure> {
    for (known, at) in first.iter().zip(columns) {
        let (Some(Some(cell)), Some(known), Some(column)) = (row.get(*at), known, source.get(*at)) else {
            continue;
        };
        if cell != known {
            return Err(super::equal_values::spelt("GROUP BY", column, known, cell));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
