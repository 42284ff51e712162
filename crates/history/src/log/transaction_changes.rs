//! The changes of a transaction, in order: in memory, or, where they are many, in a temporary file.

use super::spill::{SpillError, SpillOptions};
use super::spilled::Spilled;
use super::{Change, RowsEvent};

/// Bytes that a change takes beside its rows and texts, about.
const ASIDE: usize = 256;

/// See the module.
#[derive(Debug)]
pub struct TransactionChanges(ChangeStorage);

#[derive(Debug)]
enum ChangeStorage {
    /// The changes, and about how many bytes they take.
    Memory(Vec<Change>, usize),
    File(Box<Spilled>),
}

impl Default for TransactionChanges {
    fn default() -> Self {
        Self(ChangeStorage::Memory(Vec::new(), 0))
    }
}

impl From<Vec<Change>> for TransactionChanges {
    fn from(changes: Vec<Change>) -> Self {
        let bytes = changes.iter().map(size).sum();
        Self(ChangeStorage::Memory(changes, bytes))
    }
}

/// About how many bytes a change takes in memory.
fn size(change: &Change) -> usize {
    let more = match change {
        Change::Rows(rows) => rows.size(),
        Change::Statement(statement) => statement.sql.len(),
        Change::Unfollowable { tables, reason } => tables.len() * ASIDE + reason.len(),
    };
    ASIDE + more
}

impl TransactionChanges {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            ChangeStorage::Memory(changes, _) => changes.len(),
            ChangeStorage::File(spilled) => spilled.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are in a file.
    #[must_use]
    pub fn is_spilled(&self) -> bool {
        matches!(self.0, ChangeStorage::File(_))
    }

    /// Those that are in memory: all of them, or none.
    #[must_use]
    pub fn in_memory(&self) -> &[Change] {
        match &self.0 {
            ChangeStorage::Memory(changes, _) => changes,
            ChangeStorage::File(_) => &[],
        }
    }

    /// Whether there are rows among them.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        match &self.0 {
            ChangeStorage::Memory(changes, _) => changes.iter().any(|c| matches!(c, Change::Rows(_))),
            ChangeStorage::File(spilled) => spilled.has_rows(),
        }
    }

    /// Bytes that they take in memory, about.
    pub(super) fn memory(&self) -> usize {
        match &self.0 {
            ChangeStorage::Memory(_, bytes) => *bytes,
            ChangeStorage::File(_) => 0,
        }
    }

    /// Adds a change.
    pub(super) fn push(&mut self, change: Change) -> Result<(), SpillError> {
        match &mut self.0 {
            ChangeStorage::Memory(changes, bytes) => {
                *bytes += size(&change);
                changes.push(change);
                Ok(())
            }
            ChangeStorage::File(spilled) => spilled.push(change),
        }
    }

    /// The last one, where it is a rows event that may go on.
    pub(super) fn last_rows(&mut self) -> Option<&mut RowsEvent> {
        let last = match &mut self.0 {
            ChangeStorage::Memory(changes, _) => changes.last_mut(),
            ChangeStorage::File(spilled) => spilled.last(),
        };
        if let Some(Change::Rows(rows)) = last { Some(rows) } else { None }
    }

    /// A position after the last one, for [`Self::truncate`].
    pub(super) fn mark(&mut self) -> Result<usize, SpillError> {
        if let ChangeStorage::File(spilled) = &mut self.0 {
            spilled.mark()?;
        }
        Ok(self.len())
    }

    /// Those after a mark go.
    pub(super) fn truncate(&mut self, mark: usize) -> Result<(), SpillError> {
        match &mut self.0 {
            ChangeStorage::Memory(changes, bytes) => {
                changes.truncate(mark);
                *bytes = changes.iter().map(size).sum();
                Ok(())
            }
            ChangeStorage::File(spilled) => spilled.truncate(mark),
        }
    }

    /// Only these stay.
    pub(super) fn retain(&mut self, stays: impl Fn(&Change) -> bool) -> Result<(), SpillError> {
        let mut left = Vec::new();
        for change in std::mem::take(self) {
            let change = change?;
            if stays(&change) {
                left.push(change);
            }
        }
        *self = left.into();
        Ok(())
    }

    /// Puts them in a file; `marks`: rising.
    pub(super) fn spill(&mut self, options: &SpillOptions, marks: &[usize]) -> Result<(), SpillError> {
        let ChangeStorage::Memory(changes, _) = &mut self.0 else { return Ok(()) };
        let mut spilled = Spilled::create(options.folder.as_deref())?;
        let mut marks = marks.iter().copied().peekable();
        for (i, change) in std::mem::take(changes).into_iter().enumerate() {
            while marks.next_if(|mark| *mark <= i).is_some() {
                spilled.mark()?;
            }
            spilled.push(change)?;
        }
        if marks.next().is_some() {
            spilled.mark()?;
        }
        self.0 = ChangeStorage::File(Box::new(spilled));
        Ok(())
    }
}

impl IntoIterator for TransactionChanges {
    type Item = Result<Change, SpillError>;
    type IntoIter = Box<dyn Iterator<Item = Self::Item>>;

    fn into_iter(self) -> Self::IntoIter {
        match self.0 {
            ChangeStorage::Memory(changes, _) => Box::new(changes.into_iter().map(Ok)),
            ChangeStorage::File(spilled) => spilled.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(n: usize) -> Change {
        Change::Unfollowable { tables: Vec::new(), reason: n.to_string() }
    }

    fn of(count: usize) -> TransactionChanges {
        (0..count).map(change).collect::<Vec<_>>().into()
    }

    fn reasons(changes: TransactionChanges) -> Vec<usize> {
        let reason = |change: Result<Change, SpillError>| match change.unwrap() {
            Change::Unfollowable { reason, .. } => reason.parse().unwrap(),
            other @ (Change::Rows(_) | Change::Statement(_)) => panic!("{other:?}"),
        };
        changes.into_iter().map(reason).collect()
    }

    /// The same of a file as of memory, wherever it spills.
    #[test]
    fn marks_are_kept_when_it_spills() {
        for spills_at in 0..=6 {
            let mut changes = TransactionChanges::default();
            let mut marks = Vec::new();
            for n in 0..6 {
                if n == spills_at {
                    changes.spill(&SpillOptions::default(), &marks).unwrap();
                }
                marks.push(changes.mark().unwrap());
                changes.push(change(n)).unwrap();
            }
            changes.truncate(marks[4]).unwrap();
            changes.push(change(40)).unwrap();
            assert_eq!(changes.len(), 5);
            changes.truncate(marks[2]).unwrap();
            changes.push(change(20)).unwrap();
            changes.push(change(21)).unwrap();
            assert_eq!((changes.is_spilled(), changes.len()), (spills_at < 6, 4));
            assert_eq!(reasons(changes), [0, 1, 20, 21], "{spills_at}");
        }
    }

    #[test]
    fn what_stays_stays_in_order() {
        for spills in [false, true] {
            let mut changes = of(5);
            if spills {
                changes.spill(&SpillOptions::default(), &[]).unwrap();
            }
            let odd = |c: &Change| matches!(c, Change::Unfollowable { reason, .. } if reason != "2");
            changes.retain(odd).unwrap();
            assert_eq!(reasons(changes), [0, 1, 3, 4]);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let options = SpillOptions { folder: Some("/nowhere/at/all".into()), memory: 0 };
        let why = of(1).spill(&options, &[]).unwrap_err().to_string();
        assert!(why.contains("/nowhere/at/all"), "{why}");
    }
}
