//! All rows of a table that are known, as they are now.

use super::Ingest;
use super::not_followed::NotFollowed;
use crate::engine::{StoreError, after_prefix};
use crate::image::Image;
use crate::log::{Change, CommittedTransaction};
use crate::schema::DefinitionId;
use crate::store::{ChangeSequence, EncodedKey, GenerationId, Versions};

/// Keys looked at in one go.
const AT_ONCE: usize = 1024;
/// Rows that one statement moves, removes or gives other keys, and their bytes, at most: they are
/// kept in memory until it is whole.
const MOST: usize = 500_000;
const MOST_BYTES: usize = 128 << 20;

/// How much of that is taken.
#[derive(Debug, Default)]
pub(super) struct RowsTaken {
    rows: usize,
    bytes: usize,
}

impl RowsTaken {
    /// One row more; the error says that there are too many.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), NotFollowed> {
        self.rows += 1;
        self.bytes += bytes;
        if self.rows > MOST || self.bytes > MOST_BYTES { Err(NotFollowed::TooManyRows) } else { Ok(()) }
    }
}

impl Ingest {
    /// Whether rows of an entry can only be known by rows that are in the store: a commit has to
    /// come before it.
    #[must_use]
    pub fn leans_on_store(entry: &CommittedTransaction) -> bool {
        entry.changes.is_spilled()
            || entry.changes.in_memory().iter().any(|change| match change {
                // Partitions are emptied, or rows get another key.
                Change::Statement(statement) => {
                    let sql = statement.sql.to_ascii_uppercase();
                    sql.contains("ALTER") || sql.contains("INDEX")
                }
                Change::Rows(_) | Change::Unfollowable { .. } => false,
            })
    }

    /// Calls `each` with all rows of a table that are in the store, with their definitions, until
    /// it fails.
    pub(super) fn each_row(
        &mut self,
        generation: GenerationId,
        mut each: impl FnMut(&Self, Image, DefinitionId) -> Result<(), NotFollowed>,
    ) -> Result<Result<(), NotFollowed>, StoreError> {
        for base in [false, true] {
            let mut from = Vec::new();
            while let Some(keys) = self.some_keys(generation, &from, base)? {
                if let Some(last) = keys.last() {
                    from = after_prefix(last);
                }
                for key in keys {
                    let snapshot = self.committed();
                    let versions = Versions(&*snapshot);
                    if base && versions.newest_before(generation, &key, ChangeSequence::END)?.is_some() {
                        continue;
                    }
                    let Some((row, under)) = self.row_now(generation, &key)? else { continue };
                    if let Err(why) = each(self, row, under) {
                        return Ok(Err(why));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    fn some_keys(
        &mut self,
        generation: GenerationId,
        from: &[u8],
        base: bool,
    ) -> Result<Option<Vec<EncodedKey>>, StoreError> {
        let snapshot = self.committed();
        let versions = Versions(&*snapshot);
        let last = vec![0xff_u8; 1 << 12];
        let window = (from, last.as_slice());
        let keys = if base {
            versions.base_keys(generation, window, AT_ONCE)?
        } else {
            versions.keys(generation, window, ChangeSequence::END, AT_ONCE)?
        };
        Ok((!keys.is_empty()).then_some(keys))
    }
}
