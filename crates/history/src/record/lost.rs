//! Partitions that lost their rows (DROP or TRUNCATE PARTITION) while not all rows of their table
//! were known.
//!
//! What the record knew of their rows is deleted there, row by row. A key of which it knew nothing
//! may have had a row that went with them: before that statement the key is unknown, and nothing
//! else of the table is. A row that is changed or read later was there all the while, since no
//! INSERT of it is in the log.

use super::TableGeneration;
use crate::schema::{Catalog, DefinitionId, Emptied};
use crate::store::{ChangeSequence, Version};
use dbtrail_types::agent_api::Octets;
use dbtrail_types::column::ColumnType;
use serde::{Deserialize, Serialize};

/// Of how many such statements the partitions are kept; the older ones count for all keys.
const MOST: usize = 32;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRows {
    first: ChangeSequence,
    /// Several statements are kept as one.
    last: ChangeSequence,
    /// Which partitions, of a table with this definition; `None`: any.
    partitions: Option<(DefinitionId, Emptied)>,
}

impl LostRows {
    /// The statement, or the last one of several.
    #[must_use]
    pub const fn last(&self) -> ChangeSequence {
        self.last
    }

    /// Whether a row lay in what was emptied; `None`: that is not known.
    fn held(&self, catalog: &Catalog, version: &Version) -> Option<bool> {
        let (definition, emptied) = self.partitions.as_ref()?;
        let row = version.row_before().or(version.row_after())?;
        let row = catalog.unpack(version.definition, row);
        let row = catalog.carry(version.definition, *definition, row).ok()?;
        let cells: Option<Vec<Option<&[u8]>>> =
            row.iter().map(|c| Some(c.as_ref().ok()?.as_deref())).collect();
        emptied.keeps(catalog.definition(*definition)?, &cells?)
    }

    /// Whether a row with this key would lie in what was emptied; `None`: that is not known. What
    /// decides the partition is a part of each key.
    fn would_hold(&self, catalog: &Catalog, key: &[Octets]) -> Option<bool> {
        let (definition, emptied) = self.partitions.as_ref()?;
        let definition = catalog.definition(*definition)?;
        let mut cells = vec![None; definition.columns.len()];
        for (column, value) in definition.key_columns().into_iter().zip(key) {
            // Of other types one value may be written in several ways.
            if !matches!(column.ty, ColumnType::Int { .. } | ColumnType::Date) {
                return None;
            }
            *cells.get_mut(definition.position(&column.name)?)? = Some(&*value.0);
        }
        emptied.keeps(definition, &cells)
    }
}

impl TableGeneration {
    /// Partitions lose their rows, of which not all are known.
    pub(crate) fn lose(&mut self, at: ChangeSequence, definition: DefinitionId, emptied: Emptied) {
        self.lost.push(LostRows { first: at, last: at, partitions: Some((definition, emptied)) });
        if self.lost.len() > MOST {
            let first = self.lost.remove(0);
            if let Some(next) = self.lost.first_mut() {
                *next = LostRows { first: first.first, last: next.last, partitions: None };
            }
        }
    }

    /// The last such statement in `[from, to)`.
    #[must_use]
    pub fn last_lost(&self, from: ChangeSequence, to: ChangeSequence) -> Option<ChangeSequence> {
        let all = self.lost.iter().filter(|lost| lost.last >= from && lost.first < to);
        all.map(LostRows::last).max()
    }

    /// Whether a row with a key of which nothing is recorded may have gone with a partition from
    /// `from` on.
    #[must_use]
    pub fn may_have_lost_key(&self, catalog: &Catalog, from: ChangeSequence, key: &[Octets]) -> bool {
        let mut lost = self.lost.iter().filter(|lost| lost.last >= from);
        lost.any(|lost| lost.would_hold(catalog, key) != Some(false))
    }

    /// Whether a key of which nothing is recorded up to `from` may have had a row there that went
    /// with a partition before `to`; `next`: its first change from `from` on.
    #[must_use]
    pub fn may_have_lost(
        &self,
        catalog: &Catalog,
        (from, to): (ChangeSequence, ChangeSequence),
        next: Option<&Version>,
    ) -> bool {
        let to = next.map_or(to, |next| next.sequence.min(to));
        let mut lost = self.lost.iter().filter(|lost| lost.last >= from && lost.first < to);
        lost.any(|lost| {
            let held = next.and_then(|next| lost.held(catalog, next));
            // A row that is there afterwards was there before; if it cannot have stayed, the log
            // does not tell how it came.
            let stayed = next.is_some_and(|next| next.row_before().is_some());
            if stayed { held == Some(true) } else { held != Some(false) }
        })
    }
}
