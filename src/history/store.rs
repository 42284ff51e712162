//! The versions of rows, and the rows of the baseline, as pairs of an engine.
//!
//! A version's key is its table incarnation, its row's key and its place in the log, so that "the newest version at or before" is the last pair of a range and
//! "the versions between" are the pairs of a range. A row before a change is not written where it is the row after the change before it, which stands beside it.
//! Knows no definitions and no times.

use super::engine::{Batch, Pair, Snapshot, StoreError, Table};
use super::image::Image;
use super::schema::DefinitionId;
use crate::agent_api::EventType;
use serde::{Deserialize, Serialize};

/// The number of a change in the order of the log, from 1: the order of commits, and inside a transaction that of its changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// Behind every change.
    pub const END: Self = Self(u64::MAX);

    /// The change behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One incarnation of a table under one definition of its key. TRUNCATE, CREATE and a change of the key begin another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpaceId(pub u32);

/// What an event means to one key: a change of the key itself is stored under both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The key stayed.
    Same,
    /// The row went to another key.
    Left,
    /// The row came from another key.
    Arrived,
}

/// One change of one row, seen from one key. `I`: an image, owned where it was read, borrowed where it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<I = Image> {
    /// Which change.
    pub sequence: Sequence,
    /// Under which definition its images stand.
    pub definition: DefinitionId,
    /// What the statement did.
    pub kind: EventType,
    /// Whether this key kept the row.
    pub side: Side,
    /// Row before (UPDATE, DELETE).
    pub before: Option<I>,
    /// Row after (INSERT, UPDATE).
    pub after: Option<I>,
}

impl<I> Version<I> {
    /// The row under this key after the change.
    #[must_use]
    pub fn row_after(&self) -> Option<&I> {
        if self.side == Side::Left { None } else { self.after.as_ref() }
    }

    /// The row under this key before the change.
    #[must_use]
    pub fn row_before(&self) -> Option<&I> {
        if self.side == Side::Arrived { None } else { self.before.as_ref() }
    }
}

impl Version {
    /// What the key holds after it.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { sequence: self.sequence, definition: self.definition, row: self.row_after().cloned() }
    }
}

/// What a key holds after some change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// That change.
    pub sequence: Sequence,
    /// The definition of the row.
    pub definition: DefinitionId,
    /// `None`: there is no row.
    pub row: Option<Image>,
}

/// A row as it was read from the server's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseRow {
    /// Under which definition.
    pub definition: DefinitionId,
    /// The row.
    pub row: Image,
}

/// A key as the bytes that `key` makes of it. No key of a space is the beginning of another one of it.
pub type EncodedKey = Box<[u8]>;

/// Behind every key: no incarnation has this number.
const END: [u8; SPACE] = [0xff; SPACE];
const SPACE: usize = 4;
const SEQUENCE: usize = 8;

/// Flags of a version's first byte: two bits each for the kind, the side, and where the row before is; one for the row after.
const SIDE: u8 = 2;
const BEFORE: u8 = 4;
const BEFORE_HERE: u8 = 1;
/// The row before is the row after the version before.
const BEFORE_THERE: u8 = 2;
const AFTER: u8 = 0x40;

/// The key of a row, as the baseline has it; a version's begins with it.
#[must_use]
pub fn row_key(space: SpaceId, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SPACE + key.len() + SEQUENCE + 1);
    bytes.extend(space.0.to_be_bytes());
    bytes.extend_from_slice(key);
    bytes
}

fn version_key(space: SpaceId, key: &[u8], sequence: Sequence) -> Vec<u8> {
    let mut bytes = row_key(space, key);
    bytes.extend(sequence.0.to_be_bytes());
    bytes
}

fn damaged(what: &str) -> StoreError {
    StoreError(format!("{what}: the data folder is damaged"))
}

/// Writes a number in as few bytes as it needs, seven bits in each.
pub fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(0x80 | u8::try_from(value & 0x7f).unwrap_or(0));
        value >>= 7;
    }
    out.push(u8::try_from(value & 0x7f).unwrap_or(0));
}

/// Reads such a number; `None`: the bytes end before it does, or it is none.
pub fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}

/// Writes a version. `there`: the row before is the one that the version before left, under the same definition, and need not be written again.
pub fn put_version<I: AsRef<[u8]>>(
    batch: &mut Batch,
    (space, key): (SpaceId, &[u8]),
    version: &Version<I>,
    there: bool,
) {
    let there = there && version.row_before().is_some();
    let before = match (&version.before, there) {
        (None, _) => 0,
        (Some(_), true) => BEFORE_THERE,
        (Some(_), false) => BEFORE_HERE,
    };
    let kind = match version.kind {
        EventType::Insert => 0,
        EventType::Update => 1,
        EventType::Delete => 2,
    };
    let side = match version.side {
        Side::Same => 0,
        Side::Left => 1,
        Side::Arrived => 2,
    };
    let after = if version.after.is_some() { AFTER } else { 0 };
    let write_key = |out: &mut Vec<u8>| {
        out.extend(space.0.to_be_bytes());
        out.extend_from_slice(key);
        out.extend(version.sequence.0.to_be_bytes());
    };
    batch.write(Table::Versions, write_key, |out| {
        out.push(kind | side << SIDE | before << BEFORE | after);
        put_number(out, u64::from(version.definition.0));
        if let (Some(image), BEFORE_HERE) = (&version.before, before) {
            put_number(out, image.as_ref().len() as u64);
            out.extend_from_slice(image.as_ref());
        }
        if let Some(image) = &version.after {
            out.extend_from_slice(image.as_ref());
        }
    });
}

/// Writes a row of the baseline.
pub fn put_base(batch: &mut Batch, space: SpaceId, key: &[u8], base: &BaseRow) {
    let write_value = |out: &mut Vec<u8>| {
        put_number(out, u64::from(base.definition.0));
        out.extend_from_slice(base.row.bytes());
    };
    batch.write(Table::Baseline, |out| out.extend(row_key(space, key)), write_value);
}

/// A version as it is written.
struct Written {
    version: Version,
    /// Whether the row before is to be taken from the version before.
    before_there: bool,
}

fn read_version(sequence: Sequence, value: &[u8]) -> Option<Written> {
    let (flags, mut rest) = value.split_first()?;
    let kind = match flags & 3 {
        0 => EventType::Insert,
        1 => EventType::Update,
        2 => EventType::Delete,
        _ => return None,
    };
    let side = match flags >> SIDE & 3 {
        0 => Side::Same,
        1 => Side::Left,
        2 => Side::Arrived,
        _ => return None,
    };
    let definition = DefinitionId(u32::try_from(take_number(&mut rest)?).ok()?);
    let place = flags >> BEFORE & 3;
    let mut before = None;
    if place == BEFORE_HERE {
        let length = usize::try_from(take_number(&mut rest)?).ok()?;
        let (image, behind) = rest.split_at_checked(length)?;
        before = Some(Image::of_bytes(image));
        rest = behind;
    }
    let after = (flags & AFTER != 0).then(|| Image::of_bytes(rest));
    let version = Version { sequence, definition, kind, side, before, after };
    Some(Written { version, before_there: place == BEFORE_THERE })
}

/// The key of a version without its place: the row of which it is a version, as the baseline has it too.
///
/// # Errors
/// It is none.
pub fn row_of(key: &[u8]) -> Result<&[u8], StoreError> {
    let end = key.len().checked_sub(SEQUENCE).filter(|end| *end >= SPACE);
    end.map(|end| &key[..end]).ok_or_else(|| damaged("a version has a key that is too short"))
}

/// The incarnation that a key of either table belongs to.
#[must_use]
pub fn space_of(key: &[u8]) -> Option<SpaceId> {
    Some(SpaceId(u32::from_be_bytes(*key.first_chunk()?)))
}

/// Whether there is a row under the key after a version.
///
/// # Errors
/// It cannot be read.
pub fn leaves_row(value: &[u8]) -> Result<bool, StoreError> {
    let written = read_version(Sequence(0), value).ok_or_else(|| damaged("a version cannot be read"))?;
    Ok(written.version.row_after().is_some())
}

/// The place of a version, of its key.
#[must_use]
pub fn sequence_of(key: &[u8]) -> Option<Sequence> {
    let bytes = key.get(key.len().checked_sub(SEQUENCE)?..)?;
    Some(Sequence(u64::from_be_bytes(bytes.try_into().ok()?)))
}

/// Reads versions from a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a>(pub &'a dyn Snapshot);

impl Versions<'_> {
    fn read(key: &[u8], (stored, value): &Pair) -> Result<Written, StoreError> {
        if stored.len() != SPACE + key.len() + SEQUENCE {
            return Err(damaged("a version stands where another key's are"));
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
        space: SpaceId,
        key: &[u8],
        cut: Sequence,
    ) -> Result<Option<Held>, StoreError> {
        let (from, to) = (version_key(space, key, Sequence(0)), version_key(space, key, cut));
        let found = self.0.last(Table::Versions, &from, &to)?;
        found.map(|pair| Ok(Self::read(key, &pair)?.version.held())).transpose()
    }

    /// The key of the first version from this row on, of whatever row and incarnation.
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
        space: SpaceId,
        key: &[u8],
        (from, to): (Sequence, Sequence),
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        let (start, end) = (version_key(space, key, from), version_key(space, key, to));
        let pairs = self.0.scan(Table::Versions, &start, &end, limit)?;
        let mut versions: Vec<Version> = Vec::with_capacity(pairs.len());
        for pair in &pairs {
            let Written { mut version, before_there } = Self::read(key, pair)?;
            if before_there {
                let known = match versions.last() {
                    Some(last) => last.row_after().cloned(),
                    None => self.newest_before(space, key, version.sequence)?.and_then(|held| held.row),
                };
                version.before = Some(known.ok_or_else(|| damaged("the version before a change is gone"))?);
            }
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
        space: SpaceId,
        key: &[u8],
        window: (Sequence, Sequence),
    ) -> Result<Option<Version>, StoreError> {
        Ok(self.between(space, key, window, 1)?.pop())
    }

    /// Up to `limit` keys in `[from, to]` with a version before `cut`, in order.
    ///
    /// # Errors
    /// The engine failed.
    pub fn keys(
        &self,
        space: SpaceId,
        (from, to): (&[u8], &[u8]),
        cut: Sequence,
        limit: usize,
    ) -> Result<Vec<EncodedKey>, StoreError> {
        let mut keys = Vec::new();
        let mut start = row_key(space, from);
        let end = version_key(space, to, Sequence::END);
        while keys.len() < limit {
            let Some((stored, _)) = self.0.scan(Table::Versions, &start, &end, 1)?.pop() else { break };
            let (key, first) = stored
                .split_at_checked(stored.len().saturating_sub(SEQUENCE))
                .and_then(|(key, _)| Some((key.get(SPACE..)?, sequence_of(&stored)?)))
                .ok_or_else(|| damaged("a version has a key that is too short"))?;
            start = version_key(space, key, Sequence::END);
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
    pub fn base(&self, space: SpaceId, key: &[u8]) -> Result<Option<BaseRow>, StoreError> {
        let Some(value) = self.0.get(Table::Baseline, &row_key(space, key))? else { return Ok(None) };
        let mut rest = value.as_slice();
        let definition = take_number(&mut rest).and_then(|n| u32::try_from(n).ok());
        let definition = definition.ok_or_else(|| damaged("a row of the baseline cannot be read"))?;
        Ok(Some(BaseRow { definition: DefinitionId(definition), row: Image::of_bytes(rest) }))
    }

    /// Up to `limit` keys of the baseline in `[from, to]`, in order.
    ///
    /// # Errors
    /// The engine failed.
    pub fn base_keys(
        &self,
        space: SpaceId,
        (from, to): (&[u8], &[u8]),
        limit: usize,
    ) -> Result<Vec<EncodedKey>, StoreError> {
        let mut end = row_key(space, to);
        end.push(0);
        let pairs = self.0.scan(Table::Baseline, &row_key(space, from), &end, limit)?;
        Ok(pairs.into_iter().map(|(key, _)| key[SPACE..].into()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::engine::{Engine, MemoryEngine};
    use std::sync::Arc;

    fn image(text: &str) -> Image {
        Image::pack(&[Some(text.as_bytes().to_vec())])
    }

    fn version(sequence: u64, before: Option<&str>, after: Option<&str>) -> Version {
        Version {
            sequence: Sequence(sequence),
            definition: DefinitionId(300),
            kind: match (before, after) {
                (None, _) => EventType::Insert,
                (_, None) => EventType::Delete,
                _ => EventType::Update,
            },
            side: Side::Same,
            before: before.map(image),
            after: after.map(image),
        }
    }

    fn kept(versions: &[(&[u8], Version)]) -> Arc<dyn Snapshot> {
        let mut engine = MemoryEngine::default();
        for (key, version) in versions {
            let snapshot = engine.snapshot();
            let last = Versions(&*snapshot).newest_before(SpaceId(2), key, Sequence::END).unwrap();
            let mut batch = Batch::default();
            let there = last.is_some_and(|l| l.row.as_ref() == version.row_before());
            put_version(&mut batch, (SpaceId(2), key), version, there);
            drop(snapshot);
            engine.commit(&batch).unwrap();
        }
        engine.snapshot()
    }

    #[test]
    fn versions_are_found_by_their_place() {
        let k = &b"k"[..];
        let history = [
            (k, version(2, None, Some("a"))),
            (k, version(5, Some("a"), Some("b"))),
            (k, version(9, Some("b"), None)),
            (&b"m"[..], version(7, Some("old"), Some("new"))),
        ];
        let snapshot = kept(&history);
        let versions = Versions(&*snapshot);
        let newest =
            |cut| versions.newest_before(SpaceId(2), k, Sequence(cut)).unwrap().map(|h| h.sequence.0);
        assert_eq!(
            [newest(2), newest(3), newest(5), newest(6), newest(99)],
            [None, Some(2), Some(2), Some(5), Some(9)]
        );
        let first = |from| {
            versions.first(SpaceId(2), k, (Sequence(from), Sequence::END)).unwrap().map(|v| v.sequence.0)
        };
        assert_eq!([first(0), first(2), first(3), first(10)], [Some(2), Some(2), Some(5), None]);
        let all = versions.between(SpaceId(2), k, (Sequence(0), Sequence::END), 9).unwrap();
        assert_eq!(all, [&history[0].1, &history[1].1, &history[2].1].map(Clone::clone));
        let late = versions.between(SpaceId(2), k, (Sequence(5), Sequence(9)), 9).unwrap();
        assert_eq!(late, [history[1].1.clone()], "its row before stands in the version before");
        let keys = |from: &[u8], to: &[u8], cut| {
            versions.keys(SpaceId(2), (from, to), Sequence(cut), 9).unwrap().len()
        };
        assert_eq!([keys(b"a", b"m", 99), keys(b"a", b"m", 6), keys(b"m", b"a", 99)], [2, 1, 0]);
        assert!(versions.newest_before(SpaceId(0), k, Sequence::END).unwrap().is_none());
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
        for side in [Side::Left, Side::Arrived] {
            v.side = side;
            let snapshot = kept(&[(b"k", v.clone())]);
            let read = Versions(&*snapshot).between(SpaceId(2), b"k", (Sequence(0), Sequence(9)), 9).unwrap();
            assert_eq!(read, [v.clone()]);
            assert_eq!(
                (v.row_after().is_some(), v.row_before().is_some()),
                (side == Side::Arrived, side == Side::Left)
            );
        }
    }

    #[test]
    fn rows_of_the_baseline_come_back() {
        let mut engine = MemoryEngine::default();
        let mut batch = Batch::default();
        let base = BaseRow { definition: DefinitionId(7), row: image("r") };
        for key in [&b"a"[..], b"b", b"c"] {
            put_base(&mut batch, SpaceId(1), key, &base);
        }
        engine.commit(&batch).unwrap();
        let snapshot = engine.snapshot();
        let versions = Versions(&*snapshot);
        assert_eq!(versions.base(SpaceId(1), b"b").unwrap(), Some(base));
        assert_eq!(versions.base(SpaceId(2), b"b").unwrap(), None);
        assert_eq!(versions.base_keys(SpaceId(1), (b"b", b"c"), 9).unwrap().len(), 2);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        for value in [&[][..], &[3], &[0x03, 0], &[0x10, 0, 200, 1], &[0x0c, 0], &[0, 0x80]] {
            assert!(read_version(Sequence(1), value).is_none(), "{value:?}");
        }
    }
}
