//! Many keys in order: what each of them held at a position in the log, in memory that does not
//! grow with their number.
//!
//! Versions and rows of the baseline are read a page of bytes at a time, each in its own order, and
//! merged by key. Of a key with many versions only the first ones are read here; its row is then
//! looked up by itself.

use super::form::{GENERATION, changed, damaged, is_unchecked, read_version, row_of, sequence_of};
use super::{BaseRow, ChangeSequence, EncodedKey, GenerationId, row_key};
use crate::engine::{Snapshot, StoreError, Table};
use crate::image::Image;
use crate::number::take_number;
use crate::schema::DefinitionId;
use std::collections::VecDeque;

/// Bytes of rows that a page holds, about: one row more is read to see that it is the last.
const PAGE: usize = 64 * 1024;
/// Pairs that a page looks at.
const LOOKED_AT: usize = 4096;
/// Versions of one key that are passed over, one by one, before the next key is looked up.
const PASSED: usize = 16;
/// Versions of one key that are read, one by one, before its row is looked up.
const READ: usize = 64;

/// Where keys begin and end: `[from, to)`, with the generation in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Bounds {
    /// Keys of a generation from `lower` on to before `upper`; `None`: to its end.
    #[must_use]
    pub fn new(generation: GenerationId, lower: &[u8], upper: Option<&[u8]>) -> Self {
        let to =
            upper.map_or_else(|| prefix_end(&generation.0.to_be_bytes()), |upper| row_key(generation, upper));
        Self { from: row_key(generation, lower), to }
    }
}

/// The first bytes after all that begin with these.
#[must_use]
pub fn prefix_end(bytes: &[u8]) -> Vec<u8> {
    let mut next = bytes.to_vec();
    while let Some(last) = next.pop() {
        if let Some(more) = last.checked_add(1) {
            next.push(more);
            return next;
        }
    }
    // All of them have the highest value: nothing that begins otherwise lies afterwards.
    vec![0xff; bytes.len() + 1]
}

/// What the versions of a key say of a position in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowAtPosition {
    /// Nothing.
    Nothing,
    /// The last version before the position left this row, or none.
    Row(Option<Image>, DefinitionId),
    /// No version is before the position, and the first one after it found this row, or none.
    Before(Option<Image>, DefinitionId),
    /// It is to be looked up by itself.
    Ask,
}

/// A key with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyContent {
    /// The key.
    pub key: EncodedKey,
    /// The row by its versions.
    pub reported: RowAtPosition,
    /// The row by the baseline.
    pub base: Option<BaseRow>,
}

/// Keys in order.
#[derive(Debug)]
pub struct RangeReader {
    versions: Pages<RowAtPosition>,
    base: Option<Pages<BaseRow>>,
    /// Certainly in before the first; certainly not in from the second on.
    cut: (ChangeSequence, ChangeSequence),
    /// After the last change of the record.
    end: ChangeSequence,
    /// Whether a change may contradict what was before it: who looks the key up finds out.
    pub unchecked: bool,
}

/// One of the two orders.
#[derive(Debug)]
struct Pages<T> {
    from: Vec<u8>,
    to: Vec<u8>,
    ready: VecDeque<(EncodedKey, T)>,
}

impl<T> Pages<T> {
    fn new(bounds: Bounds) -> Self {
        Self { from: bounds.from, to: bounds.to, ready: VecDeque::new() }
    }

    fn is_over(&self) -> bool {
        self.ready.is_empty() && self.from >= self.to
    }
}

/// The key whose versions are being read.
struct KeyReading {
    row: Vec<u8>,
    held: Option<(Option<Image>, DefinitionId)>,
    reported: Option<RowAtPosition>,
    seen: usize,
}

impl KeyReading {
    fn done(self, ready: &mut VecDeque<(EncodedKey, RowAtPosition)>) -> usize {
        let held =
            self.held.map_or(RowAtPosition::Nothing, |(row, definition)| RowAtPosition::Row(row, definition));
        let reported = self.reported.unwrap_or(held);
        let bytes = match &reported {
            RowAtPosition::Row(Some(image), _) | RowAtPosition::Before(Some(image), _) => image.bytes().len(),
            RowAtPosition::Row(None, _)
            | RowAtPosition::Before(None, _)
            | RowAtPosition::Nothing
            | RowAtPosition::Ask => 0,
        };
        let bytes = bytes + self.row.len() + size_of::<RowAtPosition>();
        ready.push_back((self.row.get(GENERATION..).unwrap_or_default().into(), reported));
        bytes
    }

    /// Takes the next version in.
    fn take(
        &mut self,
        sequence: ChangeSequence,
        value: &[u8],
        (at, doubtful): (ChangeSequence, ChangeSequence),
        end: ChangeSequence,
        unchecked: bool,
    ) -> Result<(), StoreError> {
        self.seen += 1;
        if self.reported.is_some() || sequence >= end {
            return Ok(());
        }
        if sequence >= at {
            // Whether a change in doubt is in, nobody can tell; who looks the key up says which it
            // is.
            if sequence < doubtful || unchecked && is_unchecked(value) {
                self.reported = Some(RowAtPosition::Ask);
                return Ok(());
            }
            if let Some((row, definition)) = self.held.take() {
                self.reported = Some(RowAtPosition::Row(row, definition));
                return Ok(());
            }
            let written = read_version(sequence, value);
            let version = written.ok_or_else(|| damaged("a version cannot be read"))?.applied_to(None)?;
            self.reported = Some(RowAtPosition::Before(version.row_before().cloned(), version.definition));
            return Ok(());
        }
        if self.seen > READ {
            self.reported = Some(RowAtPosition::Ask);
            return Ok(());
        }
        let written = read_version(sequence, value).ok_or_else(|| damaged("a version cannot be read"))?;
        let row = match (written.changes, &self.held) {
            (None, _) => written.version.row_after().cloned(),
            (Some(changes), Some((Some(row), _))) => Some(changed(row, changes)?),
            (Some(_), _) => return Err(damaged("the version before a change is gone")),
        };
        self.held = Some((row, written.version.definition));
        Ok(())
    }
}

impl RangeReader {
    /// The keys inside of bounds; `base`: with the rows of the baseline. `cut`: before the first
    /// position a change is certainly in, from the second on it is certainly not. `end`: after the
    /// last change.
    #[must_use]
    pub fn new(
        bounds: Bounds,
        base: bool,
        cut: (ChangeSequence, ChangeSequence),
        end: ChangeSequence,
    ) -> Self {
        let base = base.then(|| Pages::new(bounds.clone()));
        Self { versions: Pages::new(bounds), base, cut, end, unchecked: false }
    }

    /// The next key; `None`: there is none. One call reads a page at most.
    ///
    /// # Errors
    /// The engine failed.
    pub fn next(&mut self, snapshot: &dyn Snapshot) -> Result<Option<KeyContent>, StoreError> {
        while self.versions.ready.is_empty() && !self.versions.is_over() {
            self.read_versions(snapshot)?;
        }
        if let Some(base) = &mut self.base {
            while base.ready.is_empty() && !base.is_over() {
                read_base(base, snapshot)?;
            }
        }
        let version = self.versions.ready.front().map(|(key, _)| key);
        let base = self.base.as_ref().and_then(|b| b.ready.front()).map(|(key, _)| key);
        let (take_version, take_base) = match (version, base) {
            (None, None) => return Ok(None),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(version), Some(base)) => (version <= base, base <= version),
        };
        let version = take_version.then(|| self.versions.ready.pop_front()).flatten();
        let base = self.base.as_mut().filter(|_| take_base).and_then(|b| b.ready.pop_front());
        Ok(match (version, base) {
            (Some((key, reported)), base) => {
                Some(KeyContent { key, reported, base: base.map(|(_, row)| row) })
            }
            (None, Some((key, row))) => {
                Some(KeyContent { key, reported: RowAtPosition::Nothing, base: Some(row) })
            }
            (None, None) => None,
        })
    }

    fn read_versions(&mut self, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
        let (cut, end, unchecked) = (self.cut, self.end, self.unchecked);
        let Pages { from, to, ready } = &mut self.versions;
        let (mut bytes, mut looked, mut now) = (0, 0, None::<KeyReading>);
        let mut next = None;
        snapshot.forward(Table::Versions, from, to, &mut |stored, value| {
            let row = row_of(stored)?;
            let sequence = sequence_of(stored).ok_or_else(|| damaged("a version has no position"))?;
            if now.as_ref().is_none_or(|now| now.row != row) {
                if let Some(read) = now.take() {
                    bytes += read.done(ready);
                }
                if bytes >= PAGE || looked >= LOOKED_AT {
                    next = Some(stored.to_vec());
                    return Ok(false);
                }
                now = Some(KeyReading { row: row.to_vec(), held: None, reported: None, seen: 0 });
            }
            looked += 1;
            let Some(reading) = &mut now else { return Ok(false) };
            reading.take(sequence, value, cut, end, unchecked)?;
            if reading.reported.is_some() && reading.seen > PASSED {
                next = Some(prefix_end(row));
                return Ok(false);
            }
            Ok(true)
        })?;
        if let Some(read) = now {
            read.done(ready);
        }
        *from = next.unwrap_or_else(|| to.clone());
        Ok(())
    }
}

fn read_base(pages: &mut Pages<BaseRow>, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
    let Pages { from, to, ready } = pages;
    let (mut bytes, mut next) = (0, None);
    snapshot.forward(Table::Baseline, from, to, &mut |stored, value| {
        if bytes >= PAGE {
            next = Some(stored.to_vec());
            return Ok(false);
        }
        let row = base_row(value)?;
        bytes += stored.len() + row.row.bytes().len() + size_of::<BaseRow>();
        ready.push_back((stored.get(GENERATION..).unwrap_or_default().into(), row));
        Ok(true)
    })?;
    *from = next.unwrap_or_else(|| to.clone());
    Ok(())
}

/// A row of the baseline as it is written.
pub(super) fn base_row(value: &[u8]) -> Result<BaseRow, StoreError> {
    let mut rest = value;
    let definition = take_number(&mut rest).and_then(|n| u32::try_from(n).ok());
    let definition = definition.ok_or_else(|| damaged("a row of the baseline cannot be read"))?;
    Ok(BaseRow { definition: DefinitionId(definition), row: Image::of_bytes(rest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_after_all_that_begin_with_some() {
        assert_eq!(prefix_end(&[1, 2]), [1, 3]);
        assert_eq!(prefix_end(&[1, 0xff, 0xff]), [2]);
        assert!(prefix_end(&[0xff, 0xff]).as_slice() > &[0xff, 0xff][..]);
    }
}
