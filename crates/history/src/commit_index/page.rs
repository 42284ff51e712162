//! Entries that follow each other, as one pair of the store: an entry differs little from the one
//! before it.
//!
//! The key is the first entry's first change and its number among all entries; the value holds,
//! entry by entry, what has changed since the one before.

use super::{Commit, damaged};
use crate::engine::{Snapshot, StoreError, Table};
use crate::log::Gtid;
use crate::number::{put_number, take_number};
use crate::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;

const SECOND: u64 = 1_000_000;
/// Entries of a full page.
const FULL: usize = 64;

const NO_GTID: u8 = 0;
const MYSQL: u8 = 1;
const MARIADB: u8 = 2;
/// The id that follows the one of the entry before.
const NEXT: u8 = 3;

/// Entries that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The number of the first one among all entries.
    ordinal: u64,
    /// In the order of the log.
    pub entries: Vec<Commit>,
    /// After the last change of the last one.
    pub following: ChangeSequence,
}

impl Page {
    /// Whether another entry begins another page.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.entries.len() >= FULL
    }

    /// Takes the next entry.
    pub fn push(&mut self, commit: Commit, following: ChangeSequence, ordinal: u64) {
        if self.entries.is_empty() {
            self.ordinal = ordinal;
        }
        self.entries.push(commit);
        self.following = following;
    }

    /// After the last change of an entry, by its position in the page.
    #[must_use]
    pub fn end_of(&self, at: usize) -> ChangeSequence {
        self.entries.get(at + 1).map_or(self.following, |next| next.first)
    }

    /// The key under which the page is stored.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let first = self.entries.first().map_or(ChangeSequence(0), |m| m.first);
        [first.0.to_be_bytes(), self.ordinal.to_be_bytes()].concat()
    }

    /// The value that is stored: the page's bytes.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 8 * self.entries.len());
        let zero = Timestamp::from_micros(0);
        let mut before = Commit { first: ChangeSequence(0), committed: zero, visible: zero, gtid: None };
        if let Some(first) = self.entries.first() {
            before.first = first.first;
        }
        for commit in &self.entries {
            put_number(&mut out, commit.first.0 - before.first.0);
            put_number(&mut out, zigzag(commit.committed.micros().wrapping_sub(before.committed.micros())));
            put_number(&mut out, width(commit));
            put_gtid(&mut out, commit.gtid.as_ref(), before.gtid.as_ref());
            before = commit.clone();
        }
        // An entry's first byte is never this number's: the list ends by its count, which is last.
        out.extend((self.following.0 - before.first.0).to_be_bytes());
        out.push(u8::try_from(self.entries.len()).unwrap_or(u8::MAX));
        out
    }

    /// Reads a page.
    ///
    /// # Errors
    /// It is none.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, StoreError> {
        read(key, value).ok_or_else(damaged)
    }

    /// The page of a key, if it is still there.
    ///
    /// # Errors
    /// The engine failed.
    pub fn find(snapshot: &dyn Snapshot, key: &[u8]) -> Result<Option<Self>, StoreError> {
        let value = snapshot.get(Table::CommitIndex, key)?;
        value.map(|value| Self::read(key, &value)).transpose()
    }
}

fn read(key: &[u8], value: &[u8]) -> Option<Page> {
    let (first, rest) = key.split_first_chunk::<8>()?;
    let ordinal = u64::from_be_bytes(rest.try_into().ok()?);
    let (count, value) = value.split_last()?;
    let (mut rest, following) = value.split_last_chunk::<8>()?;
    let zero = Timestamp::from_micros(0);
    let first = ChangeSequence(u64::from_be_bytes(*first));
    let mut before = Commit { first, committed: zero, visible: zero, gtid: None };
    let mut entries = Vec::with_capacity(usize::from(*count));
    for _ in 0..*count {
        let first = ChangeSequence(before.first.0.checked_add(take_number(&mut rest)?)?);
        let step = unzigzag(take_number(&mut rest)?);
        let committed = Timestamp::from_micros(before.committed.micros().wrapping_add(step));
        let visible = visible(committed, take_number(&mut rest)?);
        let gtid = take_gtid(&mut rest, before.gtid.as_ref())?;
        before = Commit { first, committed, visible, gtid };
        entries.push(before.clone());
    }
    let following = ChangeSequence(before.first.0.checked_add(u64::from_be_bytes(*following))?);
    rest.is_empty().then_some(Page { ordinal, entries, following })
}

/// From the commit time to when the entry could be seen: mostly nothing, or whole seconds.
fn width(commit: &Commit) -> u64 {
    let micros = commit.visible.micros().wrapping_sub(commit.committed.micros()).cast_unsigned();
    if micros.is_multiple_of(SECOND) { (micros / SECOND) << 1 } else { (micros << 1) | 1 }
}

fn visible(committed: Timestamp, width: u64) -> Timestamp {
    let micros = if width & 1 == 0 { (width >> 1).wrapping_mul(SECOND) } else { width >> 1 };
    Timestamp::from_micros(committed.micros().wrapping_add(micros.cast_signed()))
}

/// Small numbers for small steps either way.
fn zigzag(step: i64) -> u64 {
    (step << 1 ^ step >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// The id that a server gives to the transaction after this one, most of the time.
fn next(gtid: &Gtid) -> Option<Gtid> {
    Some(match gtid {
        Gtid::MySql { source, tag, number } => {
            Gtid::MySql { source: *source, tag: tag.clone(), number: number.checked_add(1)? }
        }
        Gtid::MariaDb { domain, server, sequence } => {
            Gtid::MariaDb { domain: *domain, server: *server, sequence: sequence.checked_add(1)? }
        }
    })
}

fn put_gtid(out: &mut Vec<u8>, gtid: Option<&Gtid>, before: Option<&Gtid>) {
    if gtid.is_some() && before.and_then(next).as_ref() == gtid {
        out.push(NEXT);
        return;
    }
    match gtid {
        None => out.push(NO_GTID),
        Some(Gtid::MySql { source, tag, number }) => {
            out.push(MYSQL);
            out.extend(source);
            put_number(out, *number);
            let tag = tag.as_deref().unwrap_or_default().as_bytes();
            put_number(out, tag.len() as u64);
            out.extend(tag);
        }
        Some(Gtid::MariaDb { domain, server, sequence }) => {
            out.push(MARIADB);
            put_number(out, u64::from(*domain));
            put_number(out, u64::from(*server));
            put_number(out, *sequence);
        }
    }
}

/// The outer `None`: the bytes are no id.
#[expect(clippy::option_option, reason = "an entry may have no id, and the bytes may be damaged")]
fn take_gtid(input: &mut &[u8], before: Option<&Gtid>) -> Option<Option<Gtid>> {
    let (family, rest) = input.split_first()?;
    *input = rest;
    Some(match *family {
        NO_GTID => None,
        NEXT => Some(next(before?)?),
        MYSQL => {
            let (source, rest) = input.split_first_chunk::<16>()?;
            *input = rest;
            let number = take_number(input)?;
            let length = usize::try_from(take_number(input)?).ok()?;
            let (tag, rest) = input.split_at_checked(length)?;
            *input = rest;
            let tag = (!tag.is_empty()).then(|| String::from_utf8_lossy(tag).into_owned());
            Some(Gtid::MySql { source: *source, tag, number })
        }
        MARIADB => {
            let mut narrow = || u32::try_from(take_number(input)?).ok();
            let (domain, server) = (narrow()?, narrow()?);
            Some(Gtid::MariaDb { domain, server, sequence: take_number(input)? })
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back() {
        let mariadb = |sequence| Some(Gtid::MariaDb { domain: 1, server: 2, sequence });
        let mysql = |number, tag: Option<&str>| {
            Some(Gtid::MySql { source: [7; 16], tag: tag.map(str::to_owned), number })
        };
        let gtids = [
            None,
            mysql(9, None),
            mysql(10, None),
            mysql(9, None),
            mysql(u64::MAX, Some("tag")),
            mysql(0, None),
            mariadb(5),
            mariadb(6),
            None,
            mariadb(7),
        ];
        let times = [5, -5, 0, i64::MAX, i64::MIN, 1, 2, 3, 3, 1_700_000_000_000_000];
        let mut page = Page::default();
        for ((gtid, at), i) in gtids.into_iter().zip(times).zip(0_u64..) {
            let committed = Timestamp::from_micros(at);
            let wide = [0, 1, 1_000_000, 999_999, 10_000_000][usize::try_from(i % 5).unwrap()];
            let visible = Timestamp::from_micros(at.saturating_add(wide));
            let commit = Commit { first: ChangeSequence(100 + i / 2 * 1000), committed, visible, gtid };
            page.push(commit, ChangeSequence(100 + i / 2 * 1000 + 3), 40 + i);
        }
        assert_eq!(Page::read(&page.key(), &page.written()).unwrap(), page);
        assert_eq!((page.end_of(0), page.end_of(9)), (ChangeSequence(100), ChangeSequence(4103)));
        for cut in 0..page.written().len() {
            let _ = Page::read(&page.key(), &page.written()[..cut]);
        }
        assert!(Page::read(&page.key(), &[]).is_err() && Page::read(&[1], &page.written()).is_err());
    }

    #[test]
    fn a_busy_page_is_small() {
        let mut page = Page::default();
        for i in 0..64 {
            let gtid = Some(Gtid::MySql { source: [7; 16], tag: None, number: 1_000_000 + i });
            let committed = Timestamp::from_micros(1_700_000_000_000_000 + i.cast_signed() * 731);
            page.push(
                Commit { first: ChangeSequence(i), committed, visible: committed, gtid },
                ChangeSequence(i + 1),
                i,
            );
        }
        assert!(page.is_full());
        assert!(page.written().len() < 64 * 6 + 40, "{}", page.written().len());
    }
}
