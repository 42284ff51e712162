//! Which pairs of the store are older than the horizon, and may go.
//!
//! Of each key the last version before the horizon stays: it is the state there. Where the record
//! of a table is whole, a key that had no row there needs none.

use super::engine::{Batch, Pair, Snapshot, StoreError, Table};
use super::store::{self, ChangeSequence};
use super::{commit_index, gtid};
use dbtrail_types::timestamp::Timestamp;

/// What becomes of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionAction {
    /// No name means it at or after the horizon: all of it goes.
    Gone,
    /// A key without versions has no row in it, or that of the baseline.
    Complete,
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
        actions: &[RetentionAction],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<u64, StoreError> {
        let Some((table, from)) = self.at.take() else { return Ok(0) };
        let (next, dropped) = match table {
            Table::Versions => self.versions(snapshot, actions, &from, limit, batch)?,
            Table::Baseline | Table::References => {
                (Self::of_generations(table, snapshot, actions, &from, limit, batch)?, 0)
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
        actions: &[RetentionAction],
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
            dropped += self.key(snapshot, group, all_here, action_of(first, actions), batch)?;
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
            RetentionAction::Complete if all && old > 0 && !store::leaves_row(&group[old - 1].1)? => old,
            RetentionAction::Complete | RetentionAction::Partial => old.saturating_sub(1),
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
            store::make_full_row(batch, snapshot, first)?;
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
    fn of_generations(
        table: Table,
        snapshot: &dyn Snapshot,
        actions: &[RetentionAction],
        from: &[u8],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let pairs = snapshot.scan(table, from, &END, limit)?;
        for (key, _) in &pairs {
            if action_of(key, actions) == RetentionAction::Gone {
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

fn action_of(key: &[u8], actions: &[RetentionAction]) -> RetentionAction {
    let retention_action =
        store::generation_of(key).and_then(|generation| actions.get(generation.0 as usize));
    // A generation that is not known here is newer than the list.
    retention_action.copied().unwrap_or(RetentionAction::Partial)
}

/// Where to go on, if there may be more.
fn rest(pairs: &[(Vec<u8>, Vec<u8>)], limit: usize) -> Option<Vec<u8>> {
    let (last, _) = pairs.last().filter(|_| pairs.len() == limit)?;
    Some([last.as_slice(), &[0]].concat())
}

#[cfg(test)]
mod tests;
