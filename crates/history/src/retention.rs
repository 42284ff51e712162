//! Which pairs of the store are older than the horizon, and may go.
//!
//! Of each key the last version before the horizon stays: it is the state there. Where the record
//! of a table is whole, a key that had no row there needs none.

use super::engine::{Batch, Pair, Snapshot, StoreError, Table};
use super::store::{self, ChangeSequence};
use super::{commit_index, gtid};
use dbtrail_types::timestamp::Timestamp;

/// What becomes of an generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionAction {
    /// No name means it at or after the horizon: all of it goes.
    Gone,
    /// A key without versions has no row in it, or that of the baseline.
    Whole,
    /// Of a key without versions nothing is known: that one had no row is kept.
    Partial,
}

/// A pass over all tables.
#[derive(Debug)]
pub struct Sweeper {
    horizon: ChangeSequence,
    oldest: Timestamp,
    /// The table that is looked at, and where to go on in it.
    at: Option<(Table, Vec<u8>)>,
    /// A version that stays only if none of its key comes after it and before the horizon.
    held: Option<Vec<u8>>,
}

/// In this order.
const ORDER: [Table; 11] = [
    Table::Versions,
    Table::Baseline,
    Table::References,
    Table::Changes,
    Table::Commits,
    Table::Sessions,
    Table::CommitIndex,
    Table::MaxCommitTimestamps,
    Table::Visible,
    Table::ClockRegressions,
    Table::Gtids,
];

const END: [u8; 40] = [0xff; 40];

impl Sweeper {
    /// A pass that drops what lies before a change and an instant.
    #[must_use]
    pub const fn new(horizon: ChangeSequence, oldest: Timestamp) -> Self {
        Self { horizon, oldest, at: Some((ORDER[0], Vec::new())), held: None }
    }

    /// Whether all tables were looked at.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.at.is_none()
    }

    /// Looks at about `limit` pairs; gives how many versions go.
    ///
    /// # Errors
    /// The engine failed.
    pub fn step(
        &mut self,
        snapshot: &dyn Snapshot,
        fates: &[RetentionAction],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<u64, StoreError> {
        let Some((table, from)) = self.at.take() else { return Ok(0) };
        let (next, dropped) = match table {
            Table::Versions => self.versions(snapshot, fates, &from, limit, batch)?,
            Table::Baseline | Table::References => {
                (Self::of_spaces(table, snapshot, fates, &from, limit, batch)?, 0)
            }
            Table::Gtids => (self.gtids(snapshot, &from, limit, batch)?, 0),
            Table::Changes
            | Table::Commits
            | Table::CommitIndex
            | Table::MaxCommitTimestamps
            | Table::Visible
            | Table::ClockRegressions
            | Table::Meta
            | Table::Sessions => (self.times(table, snapshot, &from, limit, batch)?, 0),
        };
        let position = ORDER.iter().position(|t| *t == table);
        let following = || position.and_then(|i| ORDER.get(i + 1)).map(|t| (*t, Vec::new()));
        self.at = next.map(|from| (table, from)).or_else(following);
        Ok(dropped)
    }

    fn versions(
        &mut self,
        snapshot: &dyn Snapshot,
        fates: &[RetentionAction],
        from: &[u8],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<(Option<Vec<u8>>, u64), StoreError> {
        let pairs = snapshot.scan(Table::Versions, from, &END, limit)?;
        let more = pairs.len() == limit;
        let mut dropped = 0;
        let mut done = 0;
        while let Some((first, _)) = pairs.get(done) {
            let row = store::row_of(first)?;
            let same =
                pairs[done..].iter().take_while(|(k, _)| store::row_of(k).is_ok_and(|r| r == row)).count();
            if more && done + same == pairs.len() && done > 0 {
                // The rest of this key comes with the next step.
                break;
            }
            let group = &pairs[done..done + same];
            let all_here = !(more && done + same == pairs.len());
            dropped += self.key(snapshot, group, all_here, fate_of(first, fates), batch)?;
            done += same;
        }
        let next = more.then(|| match pairs.get(done) {
            Some((key, _)) => key.clone(),
            None => pairs.last().map(|(k, _)| [k.as_slice(), &[0]].concat()).unwrap_or_default(),
        });
        Ok((next, dropped))
    }

    /// Versions of one key, oldest first; `all`: there are no more of it.
    fn key(
        &mut self,
        snapshot: &dyn Snapshot,
        group: &[Pair],
        all: bool,
        retention_action: RetentionAction,
        batch: &mut Batch,
    ) -> Result<u64, StoreError> {
        let row = store::row_of(&group[0].0)?;
        let held = self.held.take().filter(|held| store::row_of(held).is_ok_and(|r| r == row));
        let old =
            group.iter().take_while(|(k, _)| store::sequence_of(k).is_some_and(|s| s < self.horizon)).count();
        let keep_from = match retention_action {
            RetentionAction::Gone => group.len(),
            RetentionAction::Whole if all && old > 0 && !store::leaves_row(&group[old - 1].1)? => old,
            RetentionAction::Whole | RetentionAction::Partial => old.saturating_sub(1),
        };
        let mut going: Vec<&[u8]> = group[..keep_from].iter().map(|(key, _)| key.as_slice()).collect();
        // What the last step kept of this key is not the last one before the horizon, if one is
        // here.
        going.extend(held.as_deref().filter(|_| old > 0 || retention_action == RetentionAction::Gone));
        for key in &going {
            batch.remove(Table::Versions, key);
        }
        // The first that stays may say only in what it differs from those that go.
        if !going.is_empty()
            && let Some(first) = group.get(keep_from)
        {
            store::make_whole(batch, snapshot, first)?;
        }
        if old > 0 && retention_action != RetentionAction::Partial {
            // What the row was before its first change is older than the horizon.
            batch.remove(Table::Baseline, row);
        }
        if !all && old == group.len() && retention_action != RetentionAction::Gone {
            self.held = group.last().map(|(key, _)| key.clone());
        }
        Ok(going.len() as u64)
    }

    /// Pairs that are kept as long as their generation is.
    fn of_spaces(
        table: Table,
        snapshot: &dyn Snapshot,
        fates: &[RetentionAction],
        from: &[u8],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let pairs = snapshot.scan(table, from, &END, limit)?;
        for (key, _) in &pairs {
            if fate_of(key, fates) == RetentionAction::Gone {
                batch.remove(table, key);
            }
        }
        Ok(rest(&pairs, limit))
    }

    /// Transactions that ended before the horizon.
    fn gtids(
        &self,
        snapshot: &dyn Snapshot,
        from: &[u8],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let pairs = snapshot.scan(Table::Gtids, from, &END, limit)?;
        for (key, value) in &pairs {
            if gtid::position_of(value).is_some_and(|before_row| before_row < self.horizon) {
                batch.remove(Table::Gtids, key);
            }
        }
        Ok(rest(&pairs, limit))
    }

    /// Entries, up to the last one before the horizon, which dates the versions that stay.
    fn times(
        &self,
        table: Table,
        snapshot: &dyn Snapshot,
        from: &[u8],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let end = commit_index::before(table, snapshot, self.horizon, self.oldest)?;
        let pairs = snapshot.scan(table, from, &end, limit)?;
        for (key, _) in &pairs {
            batch.remove(table, key);
        }
        Ok(rest(&pairs, limit))
    }
}

fn fate_of(key: &[u8], fates: &[RetentionAction]) -> RetentionAction {
    let retention_action = store::generation_of(key).and_then(|generation| fates.get(generation.0 as usize));
    // An generation that is not known here is newer than the list.
    retention_action.copied().unwrap_or(RetentionAction::Partial)
}

/// Where to go on, if there may be more.
fn rest(pairs: &[(Vec<u8>, Vec<u8>)], limit: usize) -> Option<Vec<u8>> {
    let (last, _) = pairs.last().filter(|_| pairs.len() == limit)?;
    Some([last.as_slice(), &[0]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes;
    use crate::engine::{Engine, InMemory as TestEngine};
    use crate::image::Image;
    use crate::schema::DefinitionId;
    use crate::store::{
        BaseRow, CurrentRow, GenerationId, KeyMove, Version, Versions, put_base, put_version,
    };
    use dbtrail_types::agent_api::EventType;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SPACE: GenerationId = GenerationId(0);

    /// One change a sequence number: of this key, to this row (`None`: it is deleted, if there is
    /// one).
    fn recorded(changes: &[(u8, Option<u8>)]) -> TestEngine {
        let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
        let image = |v: u8| Image::pack(&[Some(vec![v]), Some(vec![0; 20])]);
        let mut now: BTreeMap<u8, u8> = BTreeMap::new();
        let mut depths: BTreeMap<u8, u8> = BTreeMap::new();
        for key in 0..4 {
            put_base(&mut batch, SPACE, &[key], &BaseRow { definition: DefinitionId(0), row: image(99) });
        }
        for ((key, row), sequence) in changes.iter().zip(1..) {
            let before = now.get(key).copied();
            let kind = match (before, row) {
                (None, None) => continue,
                (None, Some(_)) => EventType::Insert,
                (Some(_), Some(_)) => EventType::Update,
                (Some(_), None) => EventType::Delete,
            };
            let version = Version {
                sequence: ChangeSequence(sequence),
                definition: DefinitionId(0),
                kind,
                side: KeyMove::Same,
                cause: None,
                before: before.map(image),
                after: row.map(image),
            };
            depths.insert(
                *key,
                put_version(&mut batch, (SPACE, &[*key]), &version, before.and(depths.get(key)).copied()),
            );
            match row {
                Some(row) => now.insert(*key, *row),
                None => now.remove(key),
            };
        }
        engine.commit(&batch).unwrap();
        engine
    }

    fn swept(engine: &mut TestEngine, horizon: u64, retention_action: RetentionAction, limit: usize) -> u64 {
        let mut sweeper = Sweeper::new(ChangeSequence(horizon), Timestamp::from_micros(0));
        let mut dropped = 0;
        while !sweeper.is_done() {
            let mut batch = Batch::default();
            dropped += sweeper.step(&*engine.snapshot(), &[retention_action], limit, &mut batch).unwrap();
            engine.commit(&batch).unwrap();
        }
        dropped
    }

    proptest! {
        #[test]
        fn states_and_changes_after_the_retention_horizon_stay(
            changes in prop::collection::vec((0_u8..4, prop::option::of(0_u8..9)), 0..60),
            horizon in 0_u64..60,
            limit in 2_usize..9,
            whole in any::<bool>(),
        ) {
            let mut engine = recorded(&changes);
            let before = engine.snapshot();
            let retention_action = if whole { RetentionAction::Whole } else { RetentionAction::Partial };
            swept(&mut engine, horizon, retention_action, limit);
            let after = engine.snapshot();
            for key in 0..4_u8 {
                let all = |s| Versions(s).between(SPACE, &[key], (ChangeSequence(horizon), ChangeSequence::END), 99).unwrap();
                prop_assert_eq!(all(&*after), all(&*before), "changes of {}", key);
                for cut in horizon..62 {
                    // How far back the whole row lies may change.
                    let at = |s| {
                        let held = Versions(s).newest_before(SPACE, &[key], ChangeSequence(cut)).unwrap();
                        held.map(|held| CurrentRow { depth: 0, ..held })
                    };
                    let (was, is) = (at(&*before), at(&*after));
                    let gone = was.as_ref().is_some_and(|h| h.row.is_none());
                    prop_assert!(is == was || whole && gone && is.is_none(), "{key} at {cut}: {is:?}, not {was:?}");
                    // Where nothing is recorded any more, the row of the baseline must not come
                    // back.
                    let base = Versions(&*after).base(SPACE, &[key]).unwrap();
                    prop_assert!(was.is_none() || is.is_some() || base.is_none());
                }
            }
        }
    }

    /// Of the index of changes everything after the horizon stays, and no more than a block of what
    /// lies before it.
    #[test]
    fn the_index_of_changes_goes_with_the_versions() {
        let all = |engine: &TestEngine, from| {
            let mut found = Vec::new();
            changes::between(&*engine.snapshot(), ChangeSequence(from), ChangeSequence::END, &mut |c| {
                found.push((c.sequence.0, c.key.map(<[u8]>::to_vec)));
                Ok(true)
            })
            .unwrap();
            found
        };
        let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
        let mut writer = changes::ChangeIndexWriter::default();
        for sequence in 1..10_000_u64 {
            let key = sequence.to_be_bytes();
            let change =
                changes::Change { sequence: ChangeSequence(sequence), generation: SPACE, key: Some(&key) };
            writer.note(&mut batch, change);
        }
        writer.flush(&mut batch);
        engine.commit(&batch).unwrap();
        let whole = all(&engine, 9000);
        assert_eq!(whole.len(), 1000);
        swept(&mut engine, 9000, RetentionAction::Whole, 5);
        assert_eq!(all(&engine, 9000), whole);
        assert!(all(&engine, 0).len() < 2000);
    }

    #[test]
    fn what_is_old_goes() {
        let changes: Vec<(u8, Option<u8>)> = (0..100).map(|i| (i % 2, Some(i % 9))).collect();
        let mut engine = recorded(&changes);
        assert_eq!(
            swept(&mut engine, 91, RetentionAction::Whole, 10),
            88,
            "of each key the last one before stays"
        );
        let mut engine = recorded(&changes);
        assert_eq!(swept(&mut engine, 91, RetentionAction::Gone, 10), 100);
        assert!(engine.snapshot().scan(Table::Baseline, &[], &END, 9).unwrap().is_empty());
    }
}
