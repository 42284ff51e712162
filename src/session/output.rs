//! Which columns of their source rows are shown, and in which order.

use dbtrail_types::result_set::Row;
use std::collections::HashSet;

/// See the module.
#[derive(Debug)]
pub(super) struct Output {
    /// Columns of the source, and whether it is the last time that one is shown.
    columns: Vec<(usize, bool)>,
    /// The first columns of the source, in its order.
    in_order: bool,
}

impl Output {
    /// These columns.
    pub(super) fn new(sources: impl DoubleEndedIterator<Item = usize>) -> Self {
        let mut shown = HashSet::new();
        let mut columns: Vec<(usize, bool)> =
            sources.rev().map(|source| (source, shown.insert(source))).collect();
        columns.reverse();
        let in_order = columns.iter().enumerate().all(|(at, (source, _))| at == *source);
        Self { columns, in_order }
    }

    /// How many columns are shown.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The columns of the source.
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|(source, _)| *source)
    }

    /// What is shown of a row with all columns of the source.
    pub(super) fn of(&self, mut row: Row) -> Row {
        if self.in_order && row.len() == self.columns.len() {
            return row;
        }
        let cells =
            self.columns.iter().map(|(at, last)| if *last { row[*at].take() } else { row[*at].clone() });
        cells.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_shown_as_they_were_asked_for() {
        let cell = |text: &str| Some(text.as_bytes().to_vec());
        let row = || vec![cell("a"), None, cell("c")];
        for (sources, shown) in [
            (&[0, 1, 2][..], row()),
            (&[0, 1], vec![cell("a"), None]),
            (&[2, 0, 2], vec![cell("c"), cell("a"), cell("c")]),
            (&[0, 1, 2, 2], vec![cell("a"), None, cell("c"), cell("c")]),
            (&[], vec![]),
        ] {
            assert_eq!(Output::new(sources.iter().copied()).of(row()), shown, "{sources:?}");
        }
    }
}
