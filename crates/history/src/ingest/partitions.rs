//! Rows that go with their partitions, or from one table to another.

use super::Ingest;
use super::all_rows::RowsTaken;
use super::images::Keyed;
use super::not_followed::NotFollowed;
use super::references::Referring;
use super::target::Target;
use crate::engine::StoreError;
use crate::image::{self, Content};
use crate::names::TableState;
use crate::schema::{Emptied, Moved};
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::EventType;
use dbtrail_types::column::Column;
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The row before a change and the row after it, packed.
type Both<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// What became of a row, one side of which is there.
fn kind_of(both: Both<'_>) -> EventType {
    match both {
        (None, _) => EventType::Insert,
        (Some(_), Some(_)) => EventType::Update,
        (Some(_), None) => EventType::Delete,
    }
}

/// Whether a packed row of one table is one of the other.
fn same_form(a: &Target, b: &Target) -> bool {
    let (a, b) = (&a.columns.definition, &b.columns.definition);
    let same = |(a, b): (&Column, &Column)| a.ty == b.ty && a.collation == b.collation;
    a.columns.len() == b.columns.len()
        && a.columns.iter().zip(&b.columns).all(same)
        && a.primary_key.len() == b.primary_key.len()
}

impl Ingest {
    /// Some partitions of a table lose their rows.
    pub(super) fn empty_partitions(
        &mut self,
        name: &TableName,
        emptied: &Emptied,
        at: ChangeSequence,
    ) -> Result<(), StoreError> {
        let unknown = |why: &NotFollowed| format!("a statement emptied partitions of the table, and {why}");
        let target = match self.keyed_target(name) {
            Ok(target) => target,
            Err(why) => {
                self.rows_unknown(name, at, &unknown(&why));
                return Ok(());
            }
        };
        let all_known = match self.is_known(target.generation) {
            Ok(()) => true,
            Err(NotFollowed::ReadingNotEnded | NotFollowed::RowsBefore) => false,
            Err(why) => {
                self.rows_unknown(name, at, &unknown(&why));
                return Ok(());
            }
        };
        let rows = match self.rows_in(&target, Some(emptied))? {
            Ok(rows) => rows,
            Err(why) => {
                self.rows_unknown(name, at, &unknown(&why));
                return Ok(());
            }
        };
        for row in rows {
            self.changes += 1;
            self.noting.changed(name, EventType::Delete);
            if let Err(why) = self.keep_made(&target, (&row, None), at, None)? {
                self.rows_unknown(name, at, &unknown(&why));
                return Ok(());
            }
        }
        if !all_known {
            self.lost(&target, emptied, at);
        }
        Ok(())
    }

    /// Rows of which nothing is known may have gone too; everything else of the table holds.
    fn lost(&mut self, target: &Target, emptied: &Emptied, at: ChangeSequence) {
        // Rows that are on their way from the server may be of before this statement: they are
        // asked for again.
        self.being_read.remove(&target.generation);
        if let Some(generation) = self.generation_mut(target.generation) {
            generation.lose(at, target.id, emptied.clone());
        }
    }

    /// A table all of whose rows are known; the error says what is not.
    fn known_target(&mut self, name: &TableName) -> Result<Target, NotFollowed> {
        let target = self.keyed_target(name)?;
        self.is_known(target.generation).map_err(|_| NotFollowed::NotAllRows)?;
        Ok(target)
    }

    /// A table whose rows are found by key.
    pub(super) fn keyed_target(&mut self, name: &TableName) -> Result<Target, NotFollowed> {
        let TableState::Table(generation, id) = self.names.current(name) else {
            return Err(NotFollowed::UnknownColumns);
        };
        let columns = self.columns_of(id).filter(|c| c.has_key()).ok_or(NotFollowed::NotAllRows)?;
        let roles = self.roles(name);
        let keyed = !roles.keys.is_empty();
        let referring = keyed.then(|| Arc::new(Referring::of(roles.keys.clone(), &columns.definition)));
        Ok(Target { generation, id, columns, referring, roles, row_end: None })
    }

    /// Rows of one table become those of another one.
    pub(super) fn move_rows(&mut self, moved: &Moved, at: ChangeSequence) -> Result<(), StoreError> {
        let reason = match self.moved(moved, at)? {
            Ok(()) => return Ok(()),
            Err(why) => format!("rows of two tables are exchanged, and {why}: {}", moved.statement),
        };
        for name in [&moved.from, &moved.to] {
            self.rows_unknown(name, at, &reason);
        }
        Ok(())
    }

    fn moved(&mut self, moved: &Moved, at: ChangeSequence) -> Result<Result<(), NotFollowed>, StoreError> {
        let (from, to) = match (self.known_target(&moved.from), self.known_target(&moved.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(why), _) => return Ok(Err(NotFollowed::of(&moved.from, why))),
            (_, Err(why)) => return Ok(Err(NotFollowed::of(&moved.to, why))),
        };
        if !same_form(&from, &to) {
            return Ok(Err(NotFollowed::ColumnsDiffer));
        }
        let there = match self.rows_in(&from, moved.partitions.as_ref())? {
            Ok(rows) => rows,
            Err(why) => return Ok(Err(why)),
        };
        let back = match if moved.back { self.rows_in(&to, None)? } else { Ok(Vec::new()) } {
            Ok(rows) => rows,
            Err(why) => return Ok(Err(why)),
        };
        let sides = [(&moved.from, &from, &there, &back), (&moved.to, &to, &back, &there)];
        for (name, target, gone, come) in sides {
            // A key that both had changes its row.
            let mut rows: BTreeMap<Vec<u8>, Both<'_>> = BTreeMap::new();
            for (row, is_new) in gone.iter().map(|r| (r, false)).chain(come.iter().map(|r| (r, true))) {
                let key = match Keyed::of(row, &target.columns) {
                    Ok(keyed) => keyed.key,
                    Err(error) => return Ok(Err(error.into())),
                };
                let both = rows.entry(key).or_default();
                *(if is_new { &mut both.1 } else { &mut both.0 }) = Some(row.as_slice());
            }
            for both in rows.into_values().filter(|(before, after)| before != after) {
                self.changes += 1;
                let kind = kind_of(both);
                self.noting.changed(name, kind);
                if let Err(why) = self.keep_change(target, both, at, None)? {
                    return Ok(Err(why));
                }
            }
        }
        Ok(Ok(()))
    }

    /// The rows that lie in some partitions (`None`: all); the error says why that is not known.
    fn rows_in(
        &mut self,
        target: &Target,
        emptied: Option<&Emptied>,
    ) -> Result<Result<Vec<Vec<u8>>, NotFollowed>, StoreError> {
        let (mut rows, mut taken) = (Vec::new(), RowsTaken::default());
        let found = self.each_row(target.generation, |ingest, row, under| {
            let row = ingest.under_now(row, under, target.id)?;
            let held = emptied.map_or(Some(true), |emptied| {
                let cells: Option<Vec<Option<&[u8]>>> = image::cells(row.bytes())
                    .map(|cell| match cell {
                        Content::Null => Some(None),
                        Content::Bytes(bytes) => Some(Some(bytes)),
                        Content::Unknown => None,
                    })
                    .collect();
                emptied.keeps(&target.columns.definition, &cells?)
            });
            if held.ok_or(NotFollowed::PartitionOfRow)? {
                taken.add(row.bytes().len())?;
                rows.push(row.bytes().to_vec());
            }
            Ok(())
        })?;
        Ok(found.map(|()| rows))
    }
}
