//! The index of changes, read a few blocks at a time, by whoever answers while it is read.

use super::{Change, ChangeSequence, EachChange, GenerationId, key_of, read};
use crate::engine::{Snapshot, StoreError, Table};
use crate::store::EncodedKey;

/// Blocks read at a time.
const AT_ONCE: usize = 4;

/// A [`Change`] that owns its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedChange {
    /// The number of the change.
    pub sequence: ChangeSequence,
    /// In which generation of a table.
    pub generation: GenerationId,
    /// The key of the row; `None`: all rows of the generation went at once.
    pub key: Option<EncodedKey>,
}

/// The changes of `[from, to)`, in the order of the log.
#[derive(Debug)]
pub struct Walk {
    from: ChangeSequence,
    to: ChangeSequence,
    /// Where the next blocks begin; `None`: there are none left.
    start: Option<Vec<u8>>,
}

impl Walk {
    /// Begins to read.
    ///
    /// # Errors
    /// The engine failed.
    pub fn new(
        snapshot: &dyn Snapshot,
        from: ChangeSequence,
        to: ChangeSequence,
    ) -> Result<Self, StoreError> {
        if from >= to {
            return Ok(Self { from, to, start: None });
        }
        // A block that begins with this very number may go on from the end of the one before.
        let before = snapshot.last(Table::Changes, &[], &key_of(from))?;
        let start = before.map_or_else(|| key_of(from).to_vec(), |(key, _)| key);
        Ok(Self { from, to, start: Some(start) })
    }

    /// The next changes, which may be none; `None`: there are no more.
    ///
    /// # Errors
    /// The engine failed, or the index is damaged.
    pub fn next(&mut self, snapshot: &dyn Snapshot) -> Result<Option<Vec<OwnedChange>>, StoreError> {
        if self.start.is_none() {
            return Ok(None);
        }
        let mut found = Vec::new();
        self.visit(snapshot, &mut |change| {
            let Change { sequence, generation, key } = change;
            found.push(OwnedChange { sequence, generation, key: key.map(EncodedKey::from) });
            Ok(true)
        })?;
        Ok(Some(found))
    }

    /// Gives the next changes, which may be none; false: there are no more after them.
    ///
    /// # Errors
    /// The engine failed, or the index is damaged.
    pub fn visit(&mut self, snapshot: &dyn Snapshot, each: &mut EachChange<'_>) -> Result<bool, StoreError> {
        let Some(start) = self.start.take() else { return Ok(false) };
        let blocks = snapshot.scan(Table::Changes, &start, &key_of(self.to), AT_ONCE)?;
        for (key, block) in &blocks {
            read(key, block, self.from, self.to, each)?;
        }
        if let Some((last, _)) = blocks.last()
            && blocks.len() == AT_ONCE
        {
            self.start = Some([last.as_slice(), &[0]].concat());
        }
        Ok(self.start.is_some())
    }
}
