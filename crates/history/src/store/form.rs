//! How versions and rows of the baseline are written: their keys and their bytes.
//!
//! Knows what one pair holds; what another one holds that it leans on is the reader's business
//! (`store`).

use super::{BaseRow, ChangeSequence, GenerationId, KeyMove, Version};
use crate::engine::{Batch, StoreError, StoreFault, Table};
use crate::image::{self, Image};
use crate::number::{put_number, take_number};
use crate::schema::DefinitionId;
use both::{put_both, read_both};
use dbtrail_types::agent_api::EventType;
pub(crate) use keys::version_key;
pub(super) use keys::{GENERATION, SEQUENCE};
pub use keys::{generation_of, row_key, row_of, sequence_of};

mod both;
mod keys;

/// Flags of the first byte of a version: two bits each for the kind, the move of the key, and where
/// the row before is; one for the row after.
const KEY_MOVE: u8 = 2;
const BEFORE: u8 = 4;
const BEFORE_HERE: u8 = 1;
/// Instead of the kind: the change is not in the log. Its kind is with the number of its
/// definition, which is three times as large; how far the change lies back that caused it follows.
const DERIVED: u8 = 3;
/// The row before is the row after the version before.
const BEFORE_THERE: u8 = 2;
/// The row before is here, following the row after (with the number of its bytes in front), and was
/// not compared with the row after the version before when this was written.
const BEFORE_UNCHECKED: u8 = 3;
const AFTER: u8 = 0x40;
/// Of the row after, only the cells that differ from the row before are here.
const CHANGES: u8 = 0x80;

/// Versions back from any version to the next one that has its row as a whole, at most.
pub const DEPTH: u8 = 15;

pub(super) fn damaged(what: &'static str) -> StoreError {
    StoreFault::Damaged(what).into()
}

/// Writes a version; gives how many versions back its row is kept as a whole. `delta_depth`: the
/// same of the version before, if that has left the row before, under the same definition: then it
/// need not be written again.
pub fn put_version<I: AsRef<[u8]>>(
    batch: &mut Batch,
    key: (GenerationId, &[u8]),
    version: &Version<I>,
    delta_depth: Option<u8>,
) -> u8 {
    let delta_depth = delta_depth.filter(|_| version.row_before().is_some());
    let before = match (&version.before, delta_depth) {
        (None, _) => 0,
        (Some(_), Some(_)) => BEFORE_THERE,
        (Some(_), None) => BEFORE_HERE,
    };
    put(batch, key, version, (before, delta_depth))
}

/// Writes a version of an update of which it is not known what the version before has left: with
/// both of its rows, to be compared later ([`is_unchecked`]). Gives how many versions
/// back its row is kept as a whole: none.
pub fn put_unchecked<I: AsRef<[u8]>>(
    batch: &mut Batch,
    key: (GenerationId, &[u8]),
    version: &Version<I>,
) -> u8 {
    put(batch, key, version, (BEFORE_UNCHECKED, None))
}

/// Whether a version's row before is still to be compared with what was before it.
#[must_use]
pub fn is_unchecked(value: &[u8]) -> bool {
    value.first().is_some_and(|flags| flags >> BEFORE & 3 == BEFORE_UNCHECKED)
}

/// Whether the row after a version is in it as a whole, or there is none.
pub(super) fn is_full_row(value: &[u8]) -> bool {
    value.first().is_some_and(|flags| flags & CHANGES == 0)
}

/// Whether a version is read with the row that the version before it left.
pub(super) fn leans_on_before(value: &[u8]) -> bool {
    value.first().is_some_and(|flags| flags >> BEFORE & 3 == BEFORE_THERE)
}

fn put<I: AsRef<[u8]>>(
    batch: &mut Batch,
    (generation, key): (GenerationId, &[u8]),
    version: &Version<I>,
    (before, delta_depth): (u8, Option<u8>),
) -> u8 {
    let kind = match version.kind {
        EventType::Insert => 0,
        EventType::Update => 1,
        EventType::Delete => 2,
    };
    let key_move = match version.key_move {
        KeyMove::Same => 0,
        KeyMove::Left => 1,
        KeyMove::Arrived => 2,
    };
    let after = if version.after.is_some() { AFTER } else { 0 };
    let mut depth = 0;
    let write_key = |out: &mut Vec<u8>| {
        out.extend(generation.0.to_be_bytes());
        out.extend_from_slice(key);
        out.extend(version.sequence.bytes());
    };
    batch.write(Table::Versions, write_key, |out| {
        let flags = out.len();
        let derived = version.is_derived();
        out.push(if derived { DERIVED } else { kind } | key_move << KEY_MOVE | before << BEFORE | after);
        let number = u64::from(version.definition.0);
        put_number(out, if derived { number * 3 + u64::from(kind) } else { number });
        if let Some(cause) = version.cause {
            put_number(out, version.sequence.0.saturating_sub(cause.0));
        }
        if let (Some(image), BEFORE_HERE) = (&version.before, before) {
            put_number(out, image.as_ref().len() as u64);
            out.extend_from_slice(image.as_ref());
        }
        let Some(row) = &version.after else { return };
        if let (Some(image), BEFORE_UNCHECKED) = (&version.before, before) {
            return put_both(image.as_ref(), row.as_ref(), out);
        }
        let start = out.len();
        // A row that goes to another key has no version after it here.
        let near = delta_depth.filter(|below| *below < DEPTH && version.key_move == KeyMove::Same);
        if let (Some(below), Some(old)) = (near, version.row_before())
            && image::put_changes(old.as_ref(), row.as_ref(), out)
            && out.len() - start <= row.as_ref().len() / 2
        {
            out[flags] |= CHANGES;
            depth = below + 1;
            return;
        }
        out.truncate(start);
        out.extend_from_slice(row.as_ref());
    });
    depth
}

/// Writes a version again with its row after as a whole, where it was not.
///
/// # Errors
/// It cannot be read.
pub(super) fn put_full_row(
    batch: &mut Batch,
    stored: &[u8],
    value: &[u8],
    row: impl FnOnce() -> Result<Image, StoreError>,
) -> Result<(), StoreError> {
    let unreadable = || damaged("a version cannot be read");
    let (flags, rest) = value.split_first().ok_or_else(unreadable)?;
    if flags & CHANGES == 0 {
        return Ok(());
    }
    let mut changes = rest;
    take_number(&mut changes).ok_or_else(unreadable)?;
    if flags & 3 == DERIVED {
        take_number(&mut changes).ok_or_else(unreadable)?;
    }
    let definition = &rest[..rest.len() - changes.len()];
    let row = row()?;
    batch.write(
        Table::Versions,
        |out| out.extend_from_slice(stored),
        |out| {
            out.push(flags & !CHANGES);
            out.extend_from_slice(definition);
            out.extend_from_slice(row.bytes());
        },
    );
    Ok(())
}

/// Writes a row of the baseline.
pub fn put_base(batch: &mut Batch, generation: GenerationId, key: &[u8], base: &BaseRow) {
    let write_value = |out: &mut Vec<u8>| {
        put_number(out, u64::from(base.definition.0));
        out.extend_from_slice(base.row.bytes());
    };
    batch.write(Table::Baseline, |out| out.extend(row_key(generation, key)), write_value);
}

/// A version as it is written.
pub(super) struct Written<'a> {
    /// Without what is to be taken from the version before.
    pub(super) version: Version,
    /// Whether the row before is to be taken from the version before.
    pub(super) before_depth: bool,
    /// In what the row after differs from the row before, where it is not here as a whole.
    pub(super) changes: Option<&'a [u8]>,
}

impl Written<'_> {
    /// The row under its key after it, where that is here as a whole.
    pub(super) fn into_row_after(self) -> Option<Image> {
        let Version { key_move, after, .. } = self.version;
        after.filter(|_| key_move != KeyMove::Left)
    }

    /// The version, after one that left this row.
    pub(super) fn applied_to(self, row: Option<&Image>) -> Result<Version, StoreError> {
        let mut version = self.version;
        if self.before_depth {
            let row = row.ok_or_else(|| damaged("the version before a change is gone"))?;
            if let Some(changes) = self.changes {
                version.after = Some(changed(row, changes)?);
            }
            version.before = Some(row.clone());
        }
        Ok(version)
    }
}

/// A row with what a version says of it.
pub(super) fn changed(row: &Image, changes: &[u8]) -> Result<Image, StoreError> {
    let row = image::changed(row.bytes(), changes);
    row.map(|row| Image::of_bytes(&row)).ok_or_else(|| damaged("the change of a row cannot be read"))
}

/// `None`: it is none.
pub(super) fn read_version(sequence: ChangeSequence, value: &[u8]) -> Option<Written<'_>> {
    let (flags, mut rest) = value.split_first()?;
    let number = take_number(&mut rest)?;
    let derived = flags & 3 == DERIVED;
    let cause =
        if derived { Some(ChangeSequence(sequence.0.saturating_sub(take_number(&mut rest)?))) } else { None };
    let (number, kind) =
        if derived { (number / 3, u8::try_from(number % 3).ok()?) } else { (number, flags & 3) };
    let kind = match kind {
        0 => EventType::Insert,
        1 => EventType::Update,
        2 => EventType::Delete,
        _ => return None,
    };
    let key_move = match flags >> KEY_MOVE & 3 {
        0 => KeyMove::Same,
        1 => KeyMove::Left,
        2 => KeyMove::Arrived,
        _ => return None,
    };
    let definition = DefinitionId(u32::try_from(number).ok()?);
    let position = flags >> BEFORE & 3;
    let mut before = None;
    if position == BEFORE_HERE {
        let length = usize::try_from(take_number(&mut rest)?).ok()?;
        let (image, before_row) = rest.split_at_checked(length)?;
        before = Some(Image::of_bytes(image));
        rest = before_row;
    }
    if position == BEFORE_UNCHECKED {
        let (before, after) = read_both(rest)?;
        let (before, after) = (Some(before), Some(after));
        let version = Version { sequence, definition, kind, key_move, cause, before, after };
        return Some(Written { version, before_depth: false, changes: None });
    }
    let before_depth = position == BEFORE_THERE;
    let changes = (flags & CHANGES != 0).then_some(rest);
    if changes.is_some() && !(before_depth && flags & AFTER != 0 && key_move == KeyMove::Same) {
        return None;
    }
    let after = (flags & (AFTER | CHANGES) == AFTER).then(|| Image::of_bytes(rest));
    let version = Version { sequence, definition, kind, key_move, cause, before, after };
    Some(Written { version, before_depth, changes })
}

/// Whether there is a row under the key after a version.
///
/// # Errors
/// It cannot be read.
pub fn leaves_row(value: &[u8]) -> Result<bool, StoreError> {
    let written =
        read_version(ChangeSequence(0), value).ok_or_else(|| damaged("a version cannot be read"))?;
    Ok(written.changes.is_some() || written.version.row_after().is_some())
}
