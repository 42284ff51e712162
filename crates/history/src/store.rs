//! The versions of rows, and the rows of the baseline, as pairs of an engine.
//!
//! A version's key is its table generation, its row's key and its position in the log, so that "the
//! newest version at or before" is the last pair of a range and "the versions between" are the
//! pairs of a range. A row before a change is not written where it is the row after the change
//! before it, which is beside it; and of the row after it only the cells that changed, where these
//! are few. After so many of such versions ([`DEPTH`]) is one with the whole row, so that a row is
//! never far away. Knows no definitions and no times.

use super::image::Image;
use super::schema::DefinitionId;
use dbtrail_types::agent_api::EventType;
use serde::{Deserialize, Serialize};

mod form;
mod of_changes;
mod range_reader;
mod versions;

pub use form::{DEPTH, generation_of, leaves_row, put_base, put_version, row_key, row_of, sequence_of};
pub(super) use form::{is_unchecked, put_unchecked, version_key};
pub use of_changes::ChangeOf;
pub use range_reader::{Bounds, KeyContent, RangeReader, RowAtPosition, prefix_end};
pub use versions::{Versions, make_full_row};

/// The number of a change in the order of the log, from 1: the order of commits, and inside a
/// transaction that of its changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeSequence(pub u64);

impl ChangeSequence {
    /// After every change.
    pub const END: Self = Self(u64::MAX);

    /// The change after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One generation of a table under one definition of its key. TRUNCATE, CREATE and a change of the
/// key begin another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerationId(pub u32);

/// What an event means to one key: a change of the key itself is stored under both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMove {
    /// The key stayed.
    Same,
    /// The row went to another key.
    Left,
    /// The row came from another key.
    Arrived,
}

/// One change of one row, seen from one key. `I`: an image, owned where it was read, borrowed where
/// it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<I = Image> {
    /// The number of the change.
    pub sequence: ChangeSequence,
    /// Under which definition its images are.
    pub definition: DefinitionId,
    /// What the statement did.
    pub kind: EventType,
    /// Whether this key kept the row.
    pub key_move: KeyMove,
    /// It is not in the log: a foreign key did it, by this change.
    pub cause: Option<ChangeSequence>,
    /// Row before (UPDATE, DELETE).
    pub before: Option<I>,
    /// Row after (INSERT, UPDATE).
    pub after: Option<I>,
}

impl<I> Version<I> {
    /// Whether a foreign key made it, and the log does not tell of it.
    #[must_use]
    pub const fn is_derived(&self) -> bool {
        self.cause.is_some()
    }

    /// The row under this key after the change.
    #[must_use]
    pub fn row_after(&self) -> Option<&I> {
        if self.key_move == KeyMove::Left { None } else { self.after.as_ref() }
    }

    /// The row under this key before the change.
    #[must_use]
    pub fn row_before(&self) -> Option<&I> {
        if self.key_move == KeyMove::Arrived { None } else { self.before.as_ref() }
    }
}

impl Version {
    /// What the key holds after it.
    #[must_use]
    pub fn current_row(&self) -> CurrentRow {
        let row = self.row_after().cloned();
        CurrentRow { sequence: self.sequence, definition: self.definition, row, depth: 0 }
    }
}

/// What a key holds after some change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentRow {
    /// That change.
    pub sequence: ChangeSequence,
    /// The definition of the row.
    pub definition: DefinitionId,
    /// `None`: there is no row.
    pub row: Option<Image>,
    /// How many versions back its row is kept as a whole.
    pub depth: u8,
}

/// A row as it was read from the server's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseRow {
    /// Under which definition.
    pub definition: DefinitionId,
    /// The row.
    pub row: Image,
}

/// A key as the bytes that `key` makes of it. No key of a space is the beginning of another one of
/// it.
pub type EncodedKey = Box<[u8]>;

#[cfg(test)]
mod tests;
