//! Who made transactions: user, host and program of the connection, where a look at the server's
//! list of sessions made them certain.
//!
//! Each look that named a transaction is a page: the transactions by their first change, each with
//! the number of a session in the page. Looks follow one another in the log, so pages do not
//! overlap.

use super::capture::SessionInfo;
use super::engine::{Batch, Snapshot, StoreError, StoreFault, Table};
use super::number::{put_number, take_number};
use super::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// The first byte of a page.
const FORM: u8 = 1;

/// Who made a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSession {
    /// User, host and program.
    pub info: Arc<SessionInfo>,
    /// When the server was looked at.
    pub looked: Timestamp,
}

/// Writes the page of a look: transactions by their first change, in the order of the log, with who
/// made them.
pub fn write(batch: &mut Batch, looked: Timestamp, named: &[(ChangeSequence, Arc<SessionInfo>)]) {
    let Some((first, _)) = named.first() else { return };
    let mut numbers = HashMap::new();
    let mut page = vec![FORM];
    page.extend_from_slice(&looked.micros().to_be_bytes());
    let mut infos = Vec::new();
    for (_, info) in named {
        numbers.entry(info).or_insert_with(|| {
            infos.push(info);
            infos.len() - 1
        });
    }
    put_number(&mut page, infos.len() as u64);
    for SessionInfo { user, host, program } in infos.into_iter().map(Arc::as_ref) {
        put_text(&mut page, Some(user));
        put_text(&mut page, host.as_deref());
        put_text(&mut page, program.as_deref());
    }
    let mut before = *first;
    for (sequence, info) in named {
        put_number(&mut page, sequence.0.wrapping_sub(before.0));
        put_number(&mut page, numbers.get(info).copied().unwrap_or_default() as u64);
        before = *sequence;
    }
    batch.put(Table::Sessions, &first.0.to_be_bytes(), &page);
}

/// 0: none.
fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return put_number(out, 0) };
    put_number(out, (text.len() as u64).saturating_add(1));
    out.extend_from_slice(text.as_bytes());
}

/// An error: damaged.
fn take_text(rest: &mut &[u8]) -> Result<Option<String>, ()> {
    let number = take_number(rest).and_then(|number| usize::try_from(number).ok()).ok_or(())?;
    let Some(length) = number.checked_sub(1) else { return Ok(None) };
    let (text, following) = rest.split_at_checked(length).ok_or(())?;
    *rest = following;
    std::str::from_utf8(text).map(|text| Some(text.to_owned())).map_err(|_| ())
}

/// The page that was looked at last.
#[derive(Debug, Default)]
pub struct Near(Vec<(ChangeSequence, KnownSession)>);

fn read(key: &[u8], page: &[u8]) -> Option<Vec<(ChangeSequence, KnownSession)>> {
    let mut sequence = u64::from_be_bytes(*key.first_chunk()?);
    let (form, rest) = page.split_first()?;
    let (looked, mut rest) = rest.split_first_chunk()?;
    let looked = Timestamp::from_micros(i64::from_be_bytes(*looked));
    if *form != FORM {
        return None;
    }
    let mut infos = Vec::new();
    for _ in 0..take_number(&mut rest)? {
        let (user, host, program) =
            (take_text(&mut rest).ok()??, take_text(&mut rest).ok()?, take_text(&mut rest).ok()?);
        infos.push(Arc::new(SessionInfo { user, host, program }));
    }
    let mut named = Vec::new();
    while !rest.is_empty() {
        sequence = sequence.checked_add(take_number(&mut rest)?)?;
        let info = infos.get(usize::try_from(take_number(&mut rest)?).ok()?)?;
        named.push((ChangeSequence(sequence), KnownSession { info: Arc::clone(info), looked }));
    }
    Some(named)
}

/// Who made the transaction whose first change this is; `near`: where the last answer was. `None`:
/// that is not certain.
///
/// # Errors
/// The engine failed, or the page is damaged.
pub fn of<'n>(
    snapshot: &dyn Snapshot,
    first: ChangeSequence,
    near: &'n mut Near,
) -> Result<Option<&'n KnownSession>, StoreError> {
    let inside = |near: &Near| near.0.binary_search_by_key(&first, |(sequence, _)| *sequence).ok();
    if inside(near).is_none() {
        let end = first.next().0.to_be_bytes();
        let Some((key, page)) = snapshot.last(Table::Sessions, &[], &end)? else { return Ok(None) };
        near.0 = read(&key, &page).ok_or(StoreFault::Damaged("what is kept of sessions cannot be read"))?;
    }
    Ok(inside(near).and_then(|at| near.0.get(at)).map(|(_, known)| known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, InMemory as TestEngine};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_named_is_found(pages in prop::collection::vec(prop::collection::vec((1_u64..9, 0_u8..5), 1..9), 0..6)) {
            let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
            let (mut at, mut all) = (0, Vec::new());
            for (i, page) in pages.iter().enumerate() {
                let looked = Timestamp::from_micros(i64::try_from(i).unwrap() - 3);
                let named: Vec<_> = page.iter().map(|(step, who)| {
                    at += step;
                    let text = |odd: u8| (*who != odd).then(|| format!("é{who}"));
                    (ChangeSequence(at), Arc::new(SessionInfo { user: format!("u{who}"), host: text(1), program: text(2) }))
                }).collect();
                write(&mut batch, looked, &named);
                all.extend(named.into_iter().map(|(sequence, info)| (sequence, KnownSession { info, looked })));
            }
            engine.commit(&batch).unwrap();
            let (snapshot, mut near) = (engine.snapshot(), Near::default());
            for sequence in (0..at + 3).map(ChangeSequence) {
                let wanted = all.iter().find(|(s, _)| *s == sequence).map(|(_, known)| known);
                prop_assert_eq!(of(&*snapshot, sequence, &mut near).unwrap(), wanted);
            }
        }

        #[test]
        fn damaged_pages_are_errors(key in prop::collection::vec(any::<u8>(), 0..9), page in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&key, &[&[FORM][..], &page].concat());
        }
    }
}
