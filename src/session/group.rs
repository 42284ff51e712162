//! COUNT(*) and GROUP BY: rows counted as they come, in memory that grows with the groups and not
//! with the rows.

use crate::failure::Failure;
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType};
use dbtrail_types::result_set::Row;
use std::collections::HashMap;

/// Groups at most.
const MOST: usize = 100_000;
/// Bytes of their values at most.
const MEMORY: usize = 64 << 20;

/// Groups in the order in which they first came.
#[derive(Debug)]
pub(super) struct Groups {
    columns: Vec<usize>,
    known: HashMap<Vec<u8>, usize>,
    counted: Vec<(Row, u64)>,
    bytes: usize,
}

impl Groups {
    /// Groups by these columns of a row; by none, all rows are one group, also if there are none.
    pub(super) fn new(columns: &[usize]) -> Self {
        let counted = if columns.is_empty() { vec![(Vec::new(), 0)] } else { Vec::new() };
        Self { columns: columns.to_vec(), known: HashMap::new(), counted, bytes: 0 }
    }

    /// Whether it needs no cell of a row.
    pub(super) fn is_a_count(&self) -> bool {
        self.columns.is_empty()
    }

    /// Rows of which no cell matters.
    pub(super) fn count(&mut self, rows: usize) {
        if let Some((_, count)) = self.counted.first_mut() {
            *count += rows as u64;
        }
    }

    /// A row.
    ///
    /// # Errors
    /// There are too many groups, or it is not known to which one it belongs.
    pub(super) fn add(&mut self, row: &Row, source: &[Column]) -> Result<(), Failure> {
        if self.is_a_count() {
            self.count(1);
            return Ok(());
        }
        let mut key = Vec::new();
        for at in &self.columns {
            let (Some(cell), Some(column)) = (row.get(*at), source.get(*at)) else { continue };
            let Some(bytes) = cell else {
                key.push(0);
                continue;
            };
            let weights = weights(column, bytes)?;
            key.push(1);
            key.extend((weights.len() as u64).to_be_bytes());
            key.extend(weights);
        }
        if let Some(at) = self.known.get(&key) {
            if let Some((first, count)) = self.counted.get_mut(*at) {
                *count += 1;
                return same(&self.columns, first, row, source);
            }
            return Ok(());
        }
        let cells: Row = self.columns.iter().map(|at| row.get(*at).cloned().flatten()).collect();
        self.bytes += key.len() + cells.iter().flatten().map(Vec::len).sum::<usize>() + 128;
        if self.counted.len() >= MOST || self.bytes > MEMORY {
            return Err(Failure::Unsupported(format!(
                "GROUP BY with more than {} groups: narrow it with WHERE, or group by fewer columns",
                self.counted.len()
            )));
        }
        self.known.insert(key, self.counted.len());
        self.counted.push((cells, 1));
        Ok(())
    }

    /// The groups as rows with so many columns and COUNT(*) after them.
    pub(super) fn rows(self, width: usize) -> Vec<Row> {
        let rows = self.counted.into_iter().map(|(cells, count)| {
            let mut row: Row = vec![None; width];
            for (at, cell) in self.columns.iter().zip(cells) {
                if let Some(position) = row.get_mut(*at) {
                    *position = cell;
                }
            }
            row.push(Some(count.to_string().into_bytes()));
            row
        });
        rows.collect()
    }
}

fn is_text(column: &Column) -> bool {
    matches!(column.ty, ColumnType::Char { .. } | ColumnType::VarChar { .. } | ColumnType::Text { .. })
}

/// What is the same in values that are equal.
fn weights(column: &Column, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    if !is_text(column) {
        return Ok(bytes.to_vec());
    }
    let unclear = |why: String| {
        Failure::Unsupported(format!(
            "GROUP BY {}: which of its values are equal is not known here ({why})",
            column.name
        ))
    };
    let text = std::str::from_utf8(bytes).map_err(|_| unclear("its text is not UTF-8".to_owned()))?;
    let mut weights = Vec::new();
    let name = column.collation.as_deref().unwrap_or_default();
    collation::sort_key(name, text, &mut weights).map_err(|why| unclear(why.to_string()))?;
    Ok(weights)
}

/// Refuses a group of several spellings: a server shows any one of them.
fn same(columns: &[usize], first: &Row, row: &Row, source: &[Column]) -> Result<(), Failure> {
    for (known, at) in first.iter().zip(columns) {
        let (Some(Some(cell)), Some(known), Some(column)) = (row.get(*at), known, source.get(*at)) else {
            continue;
        };
        if cell != known {
            return Err(Failure::Unsupported(format!(
                "GROUP BY {}: '{}' and '{}' are equal in collation {}, and a server shows either",
                column.name,
                String::from_utf8_lossy(known),
                String::from_utf8_lossy(cell),
                column.collation.as_deref().unwrap_or("(none)")
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::group::count_column;

    fn column(ty: &str, collation: Option<&str>) -> Column {
        Column { ty: ty.parse().unwrap(), collation: collation.map(str::to_owned), ..count_column() }
    }

    fn row(cells: &[Option<&str>]) -> Row {
        cells.iter().map(|cell| cell.map(|text| text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn rows_are_counted_by_groups_in_the_order_in_which_they_come() {
        let source = [column("int", None), column("varchar(9)", Some("utf8mb4_bin"))];
        let mut groups = Groups::new(&[1]);
        for text in [Some("b"), None, Some("a"), Some("b"), None] {
            groups.add(&row(&[Some("1"), text]), &source).unwrap();
        }
        let want = [
            row(&[None, Some("b"), Some("2")]),
            row(&[None, None, Some("2")]),
            row(&[None, Some("a"), Some("1")]),
        ];
        assert_eq!(groups.rows(2), want);
    }

    #[test]
    fn without_columns_there_is_one_group_also_of_no_row() {
        assert_eq!(Groups::new(&[]).rows(1), [row(&[None, Some("0")])]);
        let mut groups = Groups::new(&[]);
        groups.count(7);
        assert_eq!(groups.rows(0), [row(&[Some("7")])]);
    }

    #[test]
    fn a_group_of_several_spellings_is_refused() {
        let source = [column("varchar(9)", Some("utf8mb4_general_ci"))];
        let mut groups = Groups::new(&[0]);
        groups.add(&row(&[Some("Paid")]), &source).unwrap();
        groups.add(&row(&[Some("Paid")]), &source).unwrap();
        let refused = groups.add(&row(&[Some("paid")]), &source).unwrap_err();
        assert!(format!("{refused:?}").contains("'Paid' and 'paid'"), "{refused:?}");
    }

    #[test]
    fn groups_are_bounded() {
        let source = [column("int", None)];
        let mut groups = Groups::new(&[0]);
        let refused = (0..=MOST).find_map(|i| groups.add(&row(&[Some(&i.to_string())]), &source).err());
        assert!(format!("{refused:?}").contains("100000 groups"), "{refused:?}");
    }
}
