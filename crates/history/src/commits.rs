//! What is kept of each entry of the log beside its rows: who made it, where it is, which
//! statements it had, and how many rows of which tables changed.
//!
//! Entries that were written together lie in pages: what they have in common (the file, tables,
//! statements that come again) is once in a page, the rest as the difference to the entry before;
//! and pages are packed.

mod packing;
mod page_writer;

use super::engine::{Snapshot, StoreError, StoreFault, Table};
use super::number::take_number;
use super::store::ChangeSequence;
use dbtrail_types::names::TableName;
pub use page_writer::CommitPageWriter;
use std::sync::Arc;

/// Pages read at a time.
const AT_ONCE: usize = 16;

/// An entry, as its page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The number of its first change.
    pub first: ChangeSequence,
    /// After its last one.
    pub following: ChangeSequence,
    /// The server that wrote it first.
    pub server: u32,
    /// The connection on that server; `None`: the log does not tell.
    pub connection: Option<u32>,
    /// The file of the log.
    pub file: Arc<str>,
    /// Where it begins in that.
    pub offset: u64,
    /// The tables of which rows changed, in the order in which they came.
    pub tables: Vec<Touched>,
    /// From which change on which statement ran.
    pub statements: Vec<Spoken>,
}

/// How many rows of a table changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The name that it had then.
    pub name: Arc<TableName>,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted one by one.
    pub deleted: u64,
    /// All of its rows went at once (TRUNCATE, DROP), which are not counted.
    pub emptied: bool,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The number of the first change that the statement made.
    pub from: ChangeSequence,
    /// It was logged as a statement (DDL), and not with its rows.
    pub logged: bool,
    /// Its text; `None`: the server does not log it, or the agent is set not to keep it.
    pub text: Option<Arc<str>>,
}

impl Commit {
    /// The text of the statement that made a change.
    #[must_use]
    pub fn statement_of(&self, sequence: ChangeSequence) -> Option<&Arc<str>> {
        let following = self.statements.partition_point(|s| s.from <= sequence);
        self.statements.get(following.checked_sub(1)?)?.text.as_ref()
    }
}

const SAME_SERVER: u8 = 1;
const SAME_CONNECTION: u8 = 2;
const SAME_FILE: u8 = 4;

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (text, following) = rest.split_at_checked(length)?;
    *rest = following;
    std::str::from_utf8(text).ok()
}

/// The entries of a page.
fn read(key: &[u8], page: &[u8]) -> Option<Vec<Commit>> {
    let mut following = ChangeSequence(u64::from_be_bytes(*key.first_chunk()?));
    let (mut server, mut connection, mut file, mut offset) = (0_u32, 0_u64, Arc::<str>::from(""), 0_u64);
    let (mut names, mut texts): (Vec<Arc<TableName>>, Vec<Arc<str>>) = (Vec::new(), Vec::new());
    let page = packing::unpacked(page)?;
    let mut rest = &*page;
    let mut commits = Vec::new();
    while let Some((flags, more)) = rest.split_first() {
        rest = more;
        let first = ChangeSequence(following.0.checked_add(take_number(&mut rest)?)?);
        following = ChangeSequence(first.0.checked_add(take_number(&mut rest)?)?);
        if flags & SAME_SERVER == 0 {
            server = u32::try_from(take_number(&mut rest)?).ok()?;
        }
        if flags & SAME_CONNECTION == 0 {
            connection = take_number(&mut rest)?;
        }
        if flags & SAME_FILE == 0 {
            file = take_text(&mut rest)?.into();
            offset = take_number(&mut rest)?;
        } else {
            offset = offset.wrapping_add(take_number(&mut rest)?);
        }
        let mut tables = Vec::new();
        for _ in 0..take_number(&mut rest)? {
            let number = take_number(&mut rest)?;
            let at = usize::try_from(number >> 1).ok()?;
            if at == names.len() {
                let (schema, table) = (take_text(&mut rest)?, take_text(&mut rest)?);
                names.push(Arc::new(TableName { schema: schema.to_owned(), table: table.to_owned() }));
            }
            let name = Arc::clone(names.get(at)?);
            let (inserted, updated, deleted) =
                (take_number(&mut rest)?, take_number(&mut rest)?, take_number(&mut rest)?);
            tables.push(Touched { name, inserted, updated, deleted, emptied: number & 1 != 0 });
        }
        let mut statements = Vec::new();
        let mut from = first;
        for _ in 0..take_number(&mut rest)? {
            let number = take_number(&mut rest)?;
            from = ChangeSequence(from.0.checked_add(number >> 1)?);
            let text = match usize::try_from(take_number(&mut rest)?).ok()? {
                0 => None,
                at => {
                    if at > texts.len() {
                        texts.push(take_text(&mut rest)?.into());
                    }
                    Some(Arc::clone(texts.get(at - 1)?))
                }
            };
            statements.push(Spoken { from, logged: number & 1 != 0, text });
        }
        let connection = u32::try_from(connection).ok().filter(|id| *id > 0);
        let file = Arc::clone(&file);
        commits.push(Commit { first, following, server, connection, file, offset, tables, statements });
    }
    Some(commits)
}

fn damaged() -> StoreError {
    StoreFault::Damaged("what is kept of transactions cannot be read").into()
}

/// The entries of a page that was looked at last.
#[derive(Debug, Default)]
pub struct Near(Vec<Commit>);

/// What is kept of the entry that a change is a part of; `near`: where the last answer was. `None`:
/// the change is none of an entry's.
///
/// # Errors
/// The engine failed, or the page is damaged.
pub fn of<'n>(
    snapshot: &dyn Snapshot,
    sequence: ChangeSequence,
    near: &'n mut Near,
) -> Result<Option<&'n Commit>, StoreError> {
    // They are in the order of their numbers.
    let find = |near: &Near| {
        let at = near.0.partition_point(|c| c.first <= sequence).checked_sub(1)?;
        near.0.get(at).filter(|c| sequence < c.following).map(|_| at)
    };
    let mut at = find(near);
    if at.is_none() {
        let end = sequence.next().0.to_be_bytes();
        let Some((key, page)) = snapshot.last(Table::Commits, &[], &end)? else { return Ok(None) };
        near.0 = read(&key, &page).ok_or_else(damaged)?;
        at = find(near);
    }
    Ok(at.and_then(|at| near.0.get(at)))
}

/// Gives the entries with a change in `[from, to)` in the order of the log, until `each` has had
/// enough (false).
///
/// # Errors
/// The engine failed, a page is damaged, or `each` failed.
pub fn between(
    snapshot: &dyn Snapshot,
    from: ChangeSequence,
    to: ChangeSequence,
    each: &mut dyn FnMut(Commit) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    // An entry of a page that begins before may go on after it.
    let before = snapshot.last(Table::Commits, &[], &from.0.to_be_bytes())?;
    let mut start = before.map_or_else(|| from.0.to_be_bytes().to_vec(), |(key, _)| key);
    let end = to.0.to_be_bytes();
    loop {
        let pages = snapshot.scan(Table::Commits, &start, &end, AT_ONCE)?;
        for (key, page) in &pages {
            for commit in read(key, page).ok_or_else(damaged)? {
                if commit.first < to && commit.following > from && !each(commit)? {
                    return Ok(());
                }
            }
        }
        match pages.last() {
            Some((last, _)) if pages.len() == AT_ONCE => start = [last.as_slice(), &[0]].concat(),
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Batch;
    use crate::engine::{Engine, InMemory as TestEngine};
    use proptest::prelude::*;

    type Made = (u64, u64, u32, u32, u8, u64, Vec<(u8, u64)>, Vec<(u64, u8)>);

    fn commit() -> impl Strategy<Value = Made> {
        (
            0_u64..3,
            1_u64..5,
            0_u32..3,
            0_u32..3,
            0_u8..2,
            any::<u64>(),
            prop::collection::vec((0_u8..4, 0_u64..999), 0..4),
            prop::collection::vec((0_u64..3, 0_u8..5), 0..4),
        )
    }

    proptest! {
        #[test]
        fn what_was_noted_is_found(
            made in prop::collection::vec(commit(), 1..200),
            every in 1_usize..90,
            window in (1_u64..300, 1_u64..300),
        ) {
            let (mut engine, mut batch, mut writer) = (TestEngine::default(), Batch::default(), CommitPageWriter::default());
            let mut at = 1;
            let mut all = Vec::new();
            for (i, (gap, length, server, connection, file, offset, tables, statements)) in made.into_iter().enumerate() {
                let first = ChangeSequence(at + gap);
                at += gap + length;
                let mut from = first.0;
                let commit = Commit {
                    first,
                    following: ChangeSequence(at),
                    server,
                    connection: (connection > 0).then_some(connection),
                    file: format!("binlog.{file:06}").into(),
                    offset,
                    tables: tables.into_iter().map(|(name, count)| Touched {
                        name: Arc::new(TableName { schema: "s".to_owned(), table: format!("t{name}") }),
                        inserted: count, updated: count / 2, deleted: 7, emptied: name == 3,
                    }).collect(),
                    statements: statements.into_iter().map(|(step, text)| {
                        from += step;
                        Spoken { from: ChangeSequence(from), logged: step == 2, text: (text > 0).then(|| format!("DELETE {text}").into()) }
                    }).collect(),
                };
                writer.note(&mut batch, &commit);
                all.push(commit);
                if i % every == 0 {
                    writer.flush(&mut batch);
                    engine.commit(&batch).unwrap();
                    batch.clear();
                }
            }
            writer.flush(&mut batch);
            engine.commit(&batch).unwrap();
            let snapshot = engine.snapshot();
            let (from, to) = (ChangeSequence(window.0), ChangeSequence(window.1));
            let mut found = Vec::new();
            between(&*snapshot, from, to, &mut |commit| {
                found.push(commit);
                Ok(true)
            }).unwrap();
            let here = |c: &&Commit| c.first < to && c.following > from;
            let wanted: Vec<Commit> = all.iter().filter(here).cloned().collect();
            prop_assert_eq!(found, wanted);
            let mut near = Near::default();
            for sequence in 0..at + 2 {
                let wanted = all.iter().find(|c| c.first.0 <= sequence && sequence < c.following.0);
                prop_assert_eq!(of(&*snapshot, ChangeSequence(sequence), &mut near).unwrap(), wanted);
            }
        }

        #[test]
        fn damaged_pages_are_errors(key in prop::collection::vec(any::<u8>(), 0..9), page in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&key, &page);
        }
    }
}
