//! Which pairs of the store are older than the horizon, and may go.
//!
//! Of each key the last version before the horizon stays: it is the state there. Where the record of a table is whole, a key that had no row there needs none.

use super::engine::{Batch, Snapshot, StoreError, Table};
use super::store::{self, Sequence};
use super::{gtid, moments};
use crate::instant::Instant;

/// What becomes of an incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// No name means it at or behind the horizon: all of it goes.
    Gone,
    /// A key without versions has no row in it, or that of the baseline.
    Whole,
    /// Of a key without versions nothing is known: that one had no row is kept.
    Partial,
}

/// A pass over all tables.
#[derive(Debug)]
pub struct Sweeper {
    horizon: Sequence,
    oldest: Instant,
    /// The table that is looked at, and where to go on in it.
    at: Option<(Table, Vec<u8>)>,
}

/// In this order.
const ORDER: [Table; 6] =
    [Table::Versions, Table::Baseline, Table::Moments, Table::Maxima, Table::Steps, Table::Gtids];

const END: [u8; 40] = [0xff; 40];

impl Sweeper {
    /// A pass that drops what lies before a change and an instant.
    #[must_use]
    pub const fn new(horizon: Sequence, oldest: Instant) -> Self {
        Self { horizon, oldest, at: Some((ORDER[0], Vec::new())) }
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
        fates: &[Fate],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<u64, StoreError> {
        let Some((table, from)) = self.at.take() else { return Ok(0) };
        let (next, dropped) = match table {
            Table::Versions => self.versions(snapshot, fates, &from, limit, batch)?,
            Table::Baseline => (Self::baseline(snapshot, fates, &from, limit, batch)?, 0),
            Table::Gtids => (self.gtids(snapshot, &from, limit, batch)?, 0),
            Table::Moments | Table::Maxima | Table::Steps | Table::Meta => {
                (self.times(table, snapshot, &from, limit, batch)?, 0)
            }
        };
        self.at = if let Some(from) = next {
            Some((table, from))
        } else {
            let place = ORDER.iter().position(|t| *t == table);
            place.and_then(|i| ORDER.get(i + 1)).map(|t| (*t, Vec::new()))
        };
        Ok(dropped)
    }

    fn versions(
        &self,
        snapshot: &dyn Snapshot,
        fates: &[Fate],
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
            dropped += self.key(group, all_here, fate_of(first, fates), batch)?;
            done += same;
        }
        let next = more.then(|| match pairs.get(done) {
            Some((key, _)) => key.clone(),
            None => pairs.last().map(|(k, _)| [k.as_slice(), &[0]].concat()).unwrap_or_default(),
        });
        Ok((next, dropped))
    }

    /// The versions of one key, oldest first; `all`: there are no more of it.
    fn key(
        &self,
        group: &[(Vec<u8>, Vec<u8>)],
        all: bool,
        fate: Fate,
        batch: &mut Batch,
    ) -> Result<u64, StoreError> {
        let old =
            group.iter().take_while(|(k, _)| store::sequence_of(k).is_some_and(|s| s < self.horizon)).count();
        let keep_from = match fate {
            Fate::Gone => group.len(),
            Fate::Whole if all && old > 0 && !store::leaves_row(&group[old - 1].1)? => old,
            Fate::Whole | Fate::Partial => old.saturating_sub(1),
        };
        for (key, _) in &group[..keep_from] {
            batch.remove(Table::Versions, key.clone());
        }
        if old > 0 && fate != Fate::Partial {
            // What the row was before its first change is older than the horizon.
            batch.remove(Table::Baseline, store::row_of(&group[0].0)?.to_vec());
        }
        Ok(keep_from as u64)
    }

    fn baseline(
        snapshot: &dyn Snapshot,
        fates: &[Fate],
        from: &[u8],
        limit: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let pairs = snapshot.scan(Table::Baseline, from, &END, limit)?;
        for (key, _) in &pairs {
            if fate_of(key, fates) == Fate::Gone {
                batch.remove(Table::Baseline, key.clone());
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
            if gtid::place_of(value).is_some_and(|behind| behind < self.horizon) {
                batch.remove(Table::Gtids, key.clone());
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
        let end = moments::before(table, snapshot, self.horizon, self.oldest)?;
        let pairs = snapshot.scan(table, from, &end, limit)?;
        for (key, _) in &pairs {
            batch.remove(table, key.clone());
        }
        Ok(rest(&pairs, limit))
    }
}

fn fate_of(key: &[u8], fates: &[Fate]) -> Fate {
    let fate = store::space_of(key).and_then(|space| fates.get(space.0 as usize));
    // An incarnation that is not known here is newer than the list.
    fate.copied().unwrap_or(Fate::Partial)
}

/// Where to go on, if there may be more.
fn rest(pairs: &[(Vec<u8>, Vec<u8>)], limit: usize) -> Option<Vec<u8>> {
    let (last, _) = pairs.last().filter(|_| pairs.len() == limit)?;
    Some([last.as_slice(), &[0]].concat())
}
