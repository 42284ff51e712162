//! Pages of the commit index that were looked at, by the time that was asked for.

use super::Commit;
use crate::engine::Table;
use crate::store::ChangeSequence;
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Which of an entry's times.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    Committed,
    Visible,
}

impl Measure {
    /// Where the highest times of full pages are.
    pub(super) fn table(self) -> Table {
        match self {
            Self::Committed => Table::MaxCommitTimestamps,
            Self::Visible => Table::Visible,
        }
    }

    pub(super) fn of(self, commit_entry: &Commit) -> Timestamp {
        match self {
            Self::Committed => commit_entry.committed,
            Self::Visible => commit_entry.visible,
        }
    }
}

/// Pages that were looked at, by each of the times that lead to them: full pages do not change, and
/// most questions are of few of them.
#[derive(Debug, Default)]
pub struct KnownPages {
    pub(super) committed: KnownTimes,
    pub(super) visible: KnownTimes,
}

impl KnownPages {
    pub(super) fn by(&self, measure: Measure) -> &KnownTimes {
        match measure {
            Measure::Committed => &self.committed,
            Measure::Visible => &self.visible,
        }
    }
}

/// Pages under one measure.
#[derive(Debug, Default)]
pub(super) struct KnownTimes(RwLock<BTreeMap<Timestamp, KnownPage>>);

/// A time and the first change of each entry of a page.
pub(super) type Times = Arc<[(Timestamp, ChangeSequence)]>;

/// A page under the latest time up to its end.
#[derive(Debug)]
pub(super) struct KnownPage {
    /// The same of the pages before it.
    pub(super) following: Option<Timestamp>,
    pub(super) entries: Times,
}

impl KnownTimes {
    /// Pages at most, of a KiB each.
    const MOST: usize = 8192;

    /// The first page of which the latest time up to its end is `at` or later.
    pub(super) fn find(&self, at: Timestamp) -> Option<Times> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (_, page) = known.range(at..).next()?;
        page.following.is_none_or(|following| following < at).then(|| Arc::clone(&page.entries))
    }

    pub(super) fn keep(&self, latest: Timestamp, page: KnownPage) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MOST {
            // Any of them: which one is asked for next is not known. The one after the new one is
            // not always the same.
            let near = known.range(latest..).next().or_else(|| known.first_key_value());
            if let Some(near) = near.map(|(near, _)| *near) {
                known.remove(&near);
            }
        }
        known.insert(latest, page);
    }
}
