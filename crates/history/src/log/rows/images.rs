//! The images of a rows event, one row after the other.

use super::super::bytes::{Bytes, bit};
use super::super::{LogFault, MappedTable, Raw, raw};
use super::RowsEvent;
use dbtrail_types::agent_api::EventType;

impl RowsEvent {
    /// Positions of columns that no image of an UPDATE or DELETE has, rising.
    #[must_use]
    pub fn left_out(&self) -> Vec<usize> {
        let [first, second] = &self.present;
        let missing = |i: &usize| !bit(first, *i) && !bit(second, *i);
        let inserted = self.kind == EventType::Insert || self.is_without_rows();
        (0..self.table.columns.len()).filter(|i| !inserted && missing(i)).collect()
    }

    /// Its rows, one after the other.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows {
            event: self,
            input: Bytes(self.images.as_deref().unwrap_or_default()),
            before: Vec::new(),
            after: Vec::new(),
        }
    }
}

/// The rows of an event: each image is read when it is its turn.
#[derive(Debug)]
pub struct Rows<'a> {
    event: &'a RowsEvent,
    input: Bytes<'a>,
    before: Vec<Option<Raw<'a>>>,
    after: Vec<Option<Raw<'a>>>,
}

impl<'a> Rows<'a> {
    /// Goes to the next row; false: there is none.
    ///
    /// # Errors
    /// Its images cannot be read, and neither can what follows.
    pub fn step(&mut self) -> Result<bool, LogFault> {
        if self.input.is_empty() {
            return Ok(false);
        }
        let RowsEvent { kind, table, present: [first, second], .. } = self.event;
        if *kind != EventType::Insert {
            image(&mut self.input, first, table, &mut self.before)?;
        }
        if *kind != EventType::Delete {
            image(&mut self.input, second, table, &mut self.after)?;
        }
        if *kind == EventType::Update {
            // What the image after a change leaves out has not changed (MariaDB's
            // binlog_row_image=FULL_NODUP).
            for (after, before) in self.after.iter_mut().zip(&self.before) {
                if after.is_none() {
                    after.clone_from(before);
                }
            }
        }
        Ok(true)
    }

    /// The row before (UPDATE, DELETE); `None` in a cell's place: the image does not hold this
    /// column (binlog_row_image is not FULL).
    #[must_use]
    pub fn before(&self) -> Option<&[Option<Raw<'a>>]> {
        (self.event.kind != EventType::Insert).then_some(&self.before)
    }

    /// The row after (INSERT, UPDATE); `None` in a cell's place: no image of the row holds this
    /// column.
    #[must_use]
    pub fn after(&self) -> Option<&[Option<Raw<'a>>]> {
        (self.event.kind != EventType::Delete).then_some(&self.after)
    }
}

/// One image: a bitmap of NULLs over the columns that are present, then their values.
pub(super) fn image<'a>(
    input: &mut Bytes<'a>,
    present: &[u8],
    table: &MappedTable,
    values: &mut Vec<Option<Raw<'a>>>,
) -> Result<(), LogFault> {
    let count = (0..table.columns.len()).filter(|i| bit(present, *i)).count();
    let nulls = input.take(count.div_ceil(8))?;
    values.clear();
    let mut nth = 0;
    for (i, column) in table.columns.iter().enumerate() {
        if !bit(present, i) {
            values.push(None);
            continue;
        }
        let null = bit(nulls, nth);
        nth += 1;
        values.push(Some(if null { Raw::Null } else { raw::value(column, input)? }));
    }
    Ok(())
}
