//! The versions of rows, and the rows of the baseline, as pairs of an engine.
//!
//! A version's key is its table generation, its row's key and its position in the log, so that "the
//! newest version at or before" is the last pair of a range and "the versions between" are the
//! pairs of a range. A row before a change is not written where it is the row after the change
//! before it, which is beside it; and of the row after it only the cells that changed, where these
//! are few. After so many of such versions ([`DEPTH`]) is one with the whole row, so that a row is
//! never far away. Knows no definitions and no times.

use super::engine::{Batch, Pair, Snapshot, StoreError, Table};
use super::image::Image;
use super::schema::DefinitionId;
use dbtrail_types::agent_api::EventType;
use form::{SEQUENCE, SPACE, Written, changed, damaged, read_version};
use serde::{Deserialize, Serialize};

mod form;
mod range_reader;

pub use form::{DEPTH, generation_of, leaves_row, put_base, put_version, row_key, row_of, sequence_of};
pub(super) use form::{is_unchecked, put_unchecked, version_key};
pub use range_reader::{Bounds, KeyContent, RangeReader, RowAtPosition, prefix_end};

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
    pub side: KeyMove,
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
        if self.side == KeyMove::Left { None } else { self.after.as_ref() }
    }

    /// The row under this key before the change.
    #[must_use]
    pub fn row_before(&self) -> Option<&I> {
        if self.side == KeyMove::Arrived { None } else { self.before.as_ref() }
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

/// After every key: no generation has this number.
const END: [u8; SPACE] = [0xff; SPACE];

/// Writes a version with its row after as a whole, where it is not: what it differs from is about
/// to go.
///
/// # Errors
/// The version cannot be read.
pub fn make_whole(
    batch: &mut Batch,
    snapshot: &dyn Snapshot,
    (stored, value): &Pair,
) -> Result<(), StoreError> {
    form::put_whole(batch, stored, value, || {
        let gone = || damaged("the version before a change is gone");
        let (row, sequence) = (row_of(stored)?, sequence_of(stored).ok_or_else(gone)?);
        let generation = generation_of(row).ok_or_else(gone)?;
        let held = Versions(snapshot).newest_before(generation, &row[SPACE..], sequence.next())?;
        held.and_then(|held| held.row).ok_or_else(gone)
    })
}

/// Reads versions from a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a>(pub &'a dyn Snapshot);

impl Versions<'_> {
    fn read<'v>(key: &[u8], stored: &[u8], value: &'v [u8]) -> Result<Written<'v>, StoreError> {
        if stored.len() != SPACE + key.len() + SEQUENCE {
            return Err(damaged("a version is where another key's are"));
        }
        sequence_of(stored)
            .and_then(|s| read_version(s, value))
            .ok_or_else(|| damaged("a version cannot be read"))
    }

    /// What the key held just before the change `cut`; `None`: nothing is recorded of it before.
    ///
    /// # Errors
    /// The engine failed.
    pub fn newest_before(
        &self,
        generation: GenerationId,
        key: &[u8],
        cut: ChangeSequence,
    ) -> Result<Option<CurrentRow>, StoreError> {
        let (from, to) = (version_key(generation, key, ChangeSequence(0)), version_key(generation, key, cut));
        let mut newest = None;
        let mut changes: Vec<Vec<u8>> = Vec::new();
        self.0.back(Table::Versions, &from, &to, &mut |stored, value| {
            let written = Self::read(key, stored, value)?;
            let held = newest.get_or_insert_with(|| written.version.current_row());
            if let Some(more) = written.changes {
                changes.push(more.to_vec());
                // A version is never further from its row than that; if it seems so, the row is
                // missing below.
                return Ok(changes.len() <= usize::from(DEPTH));
            }
            held.row = written.version.row_after().cloned();
            Ok(false)
        })?;
        let Some(mut held) = newest else { return Ok(None) };
        for more in changes.iter().rev() {
            let row = held.row.ok_or_else(|| damaged("the version before a change is gone"))?;
            held.row = Some(changed(&row, more)?);
            held.depth += 1;
        }
        Ok(Some(held))
    }

    /// The key of the first version from this row on, of whatever row and generation.
    ///
    /// # Errors
    /// The engine failed.
    pub fn next_key(&self, row: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let next = self.0.scan(Table::Versions, row, &END, 1)?.pop();
        Ok(next.map(|(key, _)| key))
    }

    /// Up to `limit` versions of the key in `[from, to)`, oldest first.
    ///
    /// # Errors
    /// The engine failed.
    pub fn between(
        &self,
        generation: GenerationId,
        key: &[u8],
        window: (ChangeSequence, ChangeSequence),
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        self.between_after(generation, key, window, limit, None)
    }

    /// The same; `before_row`: the row that the version just before the first of them left, where
    /// it is known already.
    ///
    /// # Errors
    /// The engine failed.
    pub fn between_after(
        &self,
        generation: GenerationId,
        key: &[u8],
        (from, to): (ChangeSequence, ChangeSequence),
        limit: usize,
        before_row: Option<&Image>,
    ) -> Result<Vec<Version>, StoreError> {
        let (start, end) = (version_key(generation, key, from), version_key(generation, key, to));
        let pairs = self.0.scan(Table::Versions, &start, &end, limit)?;
        let mut versions: Vec<Version> = Vec::with_capacity(pairs.len());
        for (stored, value) in &pairs {
            let written = Self::read(key, stored, value)?;
            let earlier;
            let row = match versions.last() {
                _ if !written.before_depth => None,
                Some(last) => last.row_after(),
                None if before_row.is_some() => before_row,
                None => {
                    earlier = self.newest_before(generation, key, written.version.sequence)?;
                    earlier.as_ref().and_then(|held| held.row.as_ref())
                }
            };
            let version = written.applied_to(row)?;
            versions.push(version);
        }
        Ok(versions)
    }

    /// The first version of the key in `[from, to)`.
    ///
    /// # Errors
    /// The engine failed.
    pub fn first(
        &self,
        generation: GenerationId,
        key: &[u8],
        window: (ChangeSequence, ChangeSequence),
    ) -> Result<Option<Version>, StoreError> {
        Ok(self.between(generation, key, window, 1)?.pop())
    }

    /// Up to `limit` keys in `[from, to]` with a version before `cut`, in order.
    ///
    /// # Errors
    /// The engine failed.
    pub fn keys(
        &self,
        generation: GenerationId,
        (from, to): (&[u8], &[u8]),
        cut: ChangeSequence,
        limit: usize,
    ) -> Result<Vec<EncodedKey>, StoreError> {
        let mut keys = Vec::new();
        let mut start = row_key(generation, from);
        let end = version_key(generation, to, ChangeSequence::END);
        while keys.len() < limit {
            let Some((stored, _)) = self.0.scan(Table::Versions, &start, &end, 1)?.pop() else { break };
            let (key, first) = stored
                .split_at_checked(stored.len().saturating_sub(SEQUENCE))
                .and_then(|(key, _)| Some((key.get(SPACE..)?, sequence_of(&stored)?)))
                .ok_or_else(|| damaged("a version has a key that is too short"))?;
            start = version_key(generation, key, ChangeSequence::END);
            if first < cut {
                keys.push(key.into());
            }
        }
        Ok(keys)
    }

    /// The key's row in the baseline.
    ///
    /// # Errors
    /// The engine failed.
    pub fn base(&self, generation: GenerationId, key: &[u8]) -> Result<Option<BaseRow>, StoreError> {
        let Some(value) = self.0.get(Table::Baseline, &row_key(generation, key))? else { return Ok(None) };
        range_reader::base_row(&value).map(Some)
    }

    /// Up to `limit` keys of the baseline in `[from, to]`, in order.
    ///
    /// # Errors
    /// The engine failed.
    pub fn base_keys(
        &self,
        generation: GenerationId,
        (from, to): (&[u8], &[u8]),
        limit: usize,
    ) -> Result<Vec<EncodedKey>, StoreError> {
        let mut end = row_key(generation, to);
        end.push(0);
        let pairs = self.0.scan(Table::Baseline, &row_key(generation, from), &end, limit)?;
        Ok(pairs.into_iter().map(|(key, _)| key[SPACE..].into()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, MemoryEngine};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn image(text: &str) -> Image {
        Image::pack(&[Some(text.as_bytes().to_vec())])
    }

    fn version(sequence: u64, before: Option<&str>, after: Option<&str>) -> Version {
        Version {
            sequence: ChangeSequence(sequence),
            definition: DefinitionId(300),
            kind: match (before, after) {
                (None, _) => EventType::Insert,
                (_, None) => EventType::Delete,
                _ => EventType::Update,
            },
            side: KeyMove::Same,
            cause: None,
            before: before.map(image),
            after: after.map(image),
        }
    }

    fn kept(versions: &[(&[u8], Version)]) -> Arc<dyn Snapshot> {
        let mut engine = MemoryEngine::default();
        for (key, version) in versions {
            let snapshot = engine.snapshot();
            let last = Versions(&*snapshot).newest_before(GenerationId(2), key, ChangeSequence::END).unwrap();
            let mut batch = Batch::default();
            let there = last.filter(|l| l.row.as_ref() == version.row_before()).map(|l| l.depth);
            put_version(&mut batch, (GenerationId(2), key), version, there);
            drop(snapshot);
            engine.commit(&batch).unwrap();
        }
        engine.snapshot()
    }

    #[test]
    fn versions_are_found_by_their_position() {
        let k = &b"k"[..];
        let history = [
            (k, version(2, None, Some("a"))),
            (k, version(5, Some("a"), Some("b"))),
            (k, version(9, Some("b"), None)),
            (&b"m"[..], version(7, Some("old"), Some("new"))),
        ];
        let snapshot = kept(&history);
        let versions = Versions(&*snapshot);
        let newest = |cut| {
            versions.newest_before(GenerationId(2), k, ChangeSequence(cut)).unwrap().map(|h| h.sequence.0)
        };
        assert_eq!(
            [newest(2), newest(3), newest(5), newest(6), newest(99)],
            [None, Some(2), Some(2), Some(5), Some(9)]
        );
        let first = |from| {
            versions
                .first(GenerationId(2), k, (ChangeSequence(from), ChangeSequence::END))
                .unwrap()
                .map(|v| v.sequence.0)
        };
        assert_eq!([first(0), first(2), first(3), first(10)], [Some(2), Some(2), Some(5), None]);
        let all = versions.between(GenerationId(2), k, (ChangeSequence(0), ChangeSequence::END), 9).unwrap();
        assert_eq!(all, [&history[0].1, &history[1].1, &history[2].1].map(Clone::clone));
        let late = versions.between(GenerationId(2), k, (ChangeSequence(5), ChangeSequence(9)), 9).unwrap();
        assert_eq!(late, [history[1].1.clone()], "its row before is in the version before");
        let window = (ChangeSequence(5), ChangeSequence(9));
        let reported = versions.between_after(GenerationId(2), k, window, 9, Some(&image("told"))).unwrap();
        assert_eq!(reported[0].before, Some(image("told")), "what is known is not read again");
        let keys = |from: &[u8], to: &[u8], cut| {
            versions.keys(GenerationId(2), (from, to), ChangeSequence(cut), 9).unwrap().len()
        };
        assert_eq!([keys(b"a", b"m", 99), keys(b"a", b"m", 6), keys(b"m", b"a", 99)], [2, 1, 0]);
        assert!(versions.newest_before(GenerationId(0), k, ChangeSequence::END).unwrap().is_none());
    }

    proptest! {
        /// Rows of three cells, of which one is long, under one key: every state and every change
        /// comes back, and is never far from a whole row.
        #[test]
        fn what_is_written_as_a_change_comes_back(rows in prop::collection::vec(prop::option::weighted(0.9, (0_u8..4, 0_u8..4)), 1..80)) {
            let image = |(a, b): (u8, u8)| Image::pack(&[Some(vec![a]), Some(vec![9; 50]), Some(vec![b])]);
            let (mut all, mut now): (Vec<Version>, Option<Image>) = (Vec::new(), None);
            for (sequence, row) in (1_u64..).zip(&rows) {
                let next = row.map(image);
                let kind = match (&now, &next) {
                    (None, None) => continue,
                    (None, Some(_)) => EventType::Insert,
                    (Some(_), Some(_)) => EventType::Update,
                    (Some(_), None) => EventType::Delete,
                };
                let (before, after) = (std::mem::replace(&mut now, next.clone()), next);
                all.push(Version { sequence: ChangeSequence(sequence), definition: DefinitionId(3), kind, side: KeyMove::Same, cause: (sequence % 3 == 0).then_some(ChangeSequence(sequence / 2)), before, after });
            }
            let snapshot = kept(&all.iter().map(|v| (&b"k"[..], v.clone())).collect::<Vec<_>>());
            let versions = Versions(&*snapshot);
            prop_assert_eq!(&versions.between(GenerationId(2), b"k", (ChangeSequence(0), ChangeSequence::END), 99).unwrap(), &all);
            for version in &all {
                let ChangeSequence(n) = version.sequence;
                let held = versions.newest_before(GenerationId(2), b"k", ChangeSequence(n + 1)).unwrap().unwrap();
                prop_assert_eq!((held.sequence, held.row.as_ref()), (version.sequence, version.row_after()));
                prop_assert!(held.depth <= DEPTH);
                let one = versions.first(GenerationId(2), b"k", (ChangeSequence(n), ChangeSequence::END)).unwrap();
                prop_assert_eq!(one.as_ref(), Some(version));
            }
        }
    }

    #[test]
    fn only_what_changed_is_written() {
        let row = |n: u8| Image::pack(&[Some(vec![n]), Some(vec![9; 500])]);
        let update = |n: u8| Version {
            before: Some(row(n)),
            after: Some(row(n + 1)),
            ..version(u64::from(n) + 2, Some("a"), Some("b"))
        };
        let first = Version { after: Some(row(0)), ..version(1, None, Some("a")) };
        let versions: Vec<(&[u8], Version)> =
            std::iter::once(first).chain((0..20).map(update)).map(|v| (&b"k"[..], v)).collect();
        let snapshot = kept(&versions);
        let pairs = snapshot.scan(Table::Versions, &[0], &[9], 99).unwrap();
        let whole: Vec<usize> =
            pairs.iter().enumerate().filter(|(_, (_, value))| value.len() > 500).map(|(i, _)| i).collect();
        assert_eq!(whole, [0, 16], "and the rest is small");
        let lost =
            Versions(&*snapshot).newest_before(GenerationId(2), b"k", ChangeSequence(9)).unwrap().unwrap();
        assert_eq!((lost.row, lost.depth), (Some(row(7)), 7));
    }

    #[test]
    fn a_change_of_a_row_that_is_gone_is_no_row() {
        let mut engine = MemoryEngine::default();
        let mut batch = Batch::default();
        let long = |n| format!("{}{n}", "x".repeat(90));
        let image = |n| Image::pack(&[Some(b"k".to_vec()), Some(long(0).into_bytes()), Some(vec![n])]);
        let update =
            Version { before: Some(image(1)), after: Some(image(2)), ..version(5, Some(""), Some("")) };
        assert_eq!(put_version(&mut batch, (GenerationId(2), b"k"), &update, Some(3)), 4);
        engine.commit(&batch).unwrap();
        let snapshot = engine.snapshot();
        let versions = Versions(&*snapshot);
        assert!(
            versions
                .newest_before(GenerationId(2), b"k", ChangeSequence::END)
                .unwrap_err()
                .0
                .contains("damaged")
        );
        assert!(versions.first(GenerationId(2), b"k", (ChangeSequence(0), ChangeSequence::END)).is_err());
    }

    #[test]
    fn a_known_row_is_written_once() {
        let long = "x".repeat(1000);
        let snapshot =
            kept(&[(b"k", version(1, None, Some(&long))), (b"k", version(2, Some(&long), Some("short")))]);
        let pairs = snapshot.scan(Table::Versions, &[0], &[9], 9).unwrap();
        assert!(pairs[1].1.len() < 20, "{} bytes", pairs[1].1.len());
    }

    #[test]
    fn a_key_change_is_seen_from_both_sides() {
        let mut v = version(1, Some("a"), Some("b"));
        for side in [KeyMove::Left, KeyMove::Arrived] {
            v.side = side;
            let snapshot = kept(&[(b"k", v.clone())]);
            let read = Versions(&*snapshot)
                .between(GenerationId(2), b"k", (ChangeSequence(0), ChangeSequence(9)), 9)
                .unwrap();
            assert_eq!(read, [v.clone()]);
            assert_eq!(
                (v.row_after().is_some(), v.row_before().is_some()),
                (side == KeyMove::Arrived, side == KeyMove::Left)
            );
        }
    }

    #[test]
    fn rows_of_the_baseline_come_back() {
        let mut engine = MemoryEngine::default();
        let mut batch = Batch::default();
        let base = BaseRow { definition: DefinitionId(7), row: image("r") };
        for key in [&b"a"[..], b"b", b"c"] {
            put_base(&mut batch, GenerationId(1), key, &base);
        }
        engine.commit(&batch).unwrap();
        let snapshot = engine.snapshot();
        let versions = Versions(&*snapshot);
        assert_eq!(versions.base(GenerationId(1), b"b").unwrap(), Some(base));
        assert_eq!(versions.base(GenerationId(2), b"b").unwrap(), None);
        assert_eq!(versions.base_keys(GenerationId(1), (b"b", b"c"), 9).unwrap().len(), 2);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        for value in [&[][..], &[3], &[0x0f, 0], &[0x10, 0, 200, 1], &[0x0c, 0], &[0, 0x80]] {
            assert!(read_version(ChangeSequence(1), value).is_none(), "{value:?}");
        }
    }
}
