//! Neutral rows: what a statement answers, before anyone thinks of packets.

use crate::column::Column;

/// One value: the bytes that mysqld sends in the text protocol under `SET NAMES utf8mb4`, but of a
/// FLOAT all digits; `None` is NULL.
pub type Cell = Option<Vec<u8>>;

/// One row, a cell a column.
pub type Row = Vec<Cell>;

/// Rows in one block of memory, for those that only pass through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowBlock {
    width: usize,
    bytes: Vec<u8>,
    /// Where each cell ends; `None`: it is NULL.
    ends: Vec<Option<usize>>,
}

impl RowBlock {
    /// Of rows of so many cells, of which there are none yet.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width: width.max(1), bytes: Vec::new(), ends: Vec::new() }
    }

    /// These rows.
    #[must_use]
    pub fn of(width: usize, rows: &[Row]) -> Self {
        let mut block = Self::new(width);
        for row in rows {
            for at in 0..block.width {
                let cell = row.get(at).and_then(Option::as_deref);
                block.bytes.extend_from_slice(cell.unwrap_or_default());
                block.ends.push(cell.is_some().then_some(block.bytes.len()));
            }
        }
        block
    }

    /// Bytes of memory that they take.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<Option<usize>>()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() / self.width
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends a cell whose bytes `write` appends, unless it says that it is NULL (false). What was
    /// written when it fails is no block.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn put<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
        let is_value = write(&mut self.bytes)?;
        self.ends.push(is_value.then_some(self.bytes.len()));
        Ok(())
    }

    /// Takes the first rows out, no more than so many.
    #[must_use]
    pub fn take(&mut self, rows: usize) -> Self {
        let cells = rows.saturating_mul(self.width).min(self.ends.len());
        let bytes = self.ends[..cells].iter().rev().find_map(|end| *end).unwrap_or_default();
        let rest = self.ends[cells..].iter().map(|end| end.map(|end| end - bytes)).collect();
        let later = Self { width: self.width, bytes: self.bytes.split_off(bytes), ends: rest };
        self.ends.truncate(cells);
        std::mem::replace(self, later)
    }

    /// The rows, each as its cells.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Option<&[u8]>>> {
        let mut start = 0;
        self.ends.chunks_exact(self.width).map(move |ends| {
            let mut from = start;
            start = ends.iter().rev().find_map(|end| *end).unwrap_or(start);
            ends.iter().map(move |end| {
                let end = (*end)?;
                Some(&self.bytes[std::mem::replace(&mut from, end)..end])
            })
        })
    }
}

/// A column of a result set: the declaration, and the names around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// The name to show: the alias, or the column's own.
    pub name: String,
    /// The column's own name; empty for an expression.
    pub org_name: String,
    /// The alias of the table, or its name; empty for an expression.
    pub table: String,
    /// The table's own name; empty for an expression.
    pub org_table: String,
    /// The schema as the statement sees it (`_flashback`); empty for an expression.
    pub schema: String,
    /// Type, collation and flags.
    pub column: Column,
}

/// What the user should know but did not ask; shown by SHOW WARNINGS with level `Note` or
/// `Warning`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `Note` or `Warning`, as SHOW WARNINGS prints it.
    pub level: &'static str,
    /// A MySQL error number.
    pub code: u16,
    /// The sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_block_are_what_was_put_there() {
        let rows: Vec<Row> = vec![
            vec![None, Some(b"a".to_vec()), None],
            vec![None, None, None],
            vec![Some(Vec::new()), None, Some(b"bc".to_vec())],
            vec![Some(b"d".to_vec()), Some(b"e".to_vec()), Some(b"f".to_vec())],
        ];
        let mut block = RowBlock::new(3);
        for cell in rows.iter().flatten() {
            let put: Result<(), ()> = block.put(|out| {
                out.extend_from_slice(cell.as_deref().unwrap_or_default());
                Ok(cell.is_some())
            });
            assert_eq!(put, Ok(()));
        }
        let again: Vec<Row> = block.rows().map(|row| row.map(|c| c.map(<[u8]>::to_vec)).collect()).collect();
        assert_eq!((&again, block.len()), (&rows, 4));
        assert_eq!(RowBlock::of(3, &rows), block);
        for count in 0..6 {
            let mut rest = block.clone();
            let first = rest.take(count);
            let count = count.min(4);
            assert_eq!((first, rest), (RowBlock::of(3, &rows[..count]), RowBlock::of(3, &rows[count..])));
        }
        assert!(RowBlock::new(2).is_empty());
    }
}
