//! What is remembered of the transactions of a record as a whole.

use super::set::{GtidSet, add, as_text, covers, merge};
use crate::log::Gtid;
use crate::store::ChangeSequence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the record begins, or begins again after a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) at: ChangeSequence,
    #[serde(with = "as_text")]
    pub(super) set: GtidSet,
    /// A crash was before it, in which the tables may have become others with the same
    /// transactions.
    #[serde(default)]
    pub(super) crashed: bool,
}

/// What a gap means for the numbers of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumbersAfterGap {
    /// The server goes on with its numbers.
    GoOn,
    /// It has another log than the one that was captured: it gives out the same numbers again, also
    /// where it has come further meanwhile than the record had.
    Again,
    /// It goes on, and just what it has executed may have been another state before a crash.
    Crashed,
}

/// What is remembered of the transactions as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GtidState {
    /// Those of the record.
    #[serde(with = "as_text::option", default)]
    pub(super) recorded: Option<GtidSet>,
    /// What was executed where the record begins, oldest first.
    pub(super) origins: Vec<Origin>,
    /// The furthest that a number was committed after a higher one of its source or domain.
    pub(super) lag: u64,
    /// Transactions up to this change had numbers that the server has given out again since.
    #[serde(default)]
    pub(super) reborn: ChangeSequence,
}

impl GtidState {
    /// Whether the server that wrote the log is a MariaDB.
    pub(crate) fn is_of_mariadb(&self) -> bool {
        self.has(|set| matches!(set, GtidSet::MariaDb(_)))
    }

    /// The record begins after this change, of which no transaction has any; before it these were
    /// executed.
    pub fn begin(&mut self, at: ChangeSequence, set: GtidSet) {
        self.origins.push(Origin { at, set, crashed: false });
    }

    /// Whether the record begins, here, after just these: what they did was before it.
    #[must_use]
    pub fn begins_after(&self, at: ChangeSequence, set: &GtidSet) -> bool {
        self.origins.iter().any(|origin| origin.at == at && origin.set.same(set))
    }

    /// The same after a gap. A server that has not executed all that was recorded (its log was
    /// reset, it was restored, it is another one) gives out the same numbers again: what they meant
    /// before, nobody can ask for any more. `None`: it has executed nothing, as after a reset.
    pub fn start_over(&mut self, at: ChangeSequence, set: Option<GtidSet>, numbers: NumbersAfterGap) {
        let mut known = self.recorded.iter().chain(self.origins.iter().map(|o| &o.set));
        let lacks = |known: &GtidSet| !set.as_ref().is_some_and(|set| covers(set, known));
        if numbers == NumbersAfterGap::Again || known.any(lacks) {
            let highest = match self.recorded.take() {
                Some(GtidSet::MySql(sources)) => sources.values().flatten().map(|(_, to)| *to).max(),
                Some(GtidSet::MariaDb(domains)) => domains.iter().map(|(_, _, number)| *number).max(),
                None => None,
            };
            // Pages of both times are among each other.
            self.lag = self.lag.max(highest.unwrap_or_default());
            self.origins.clear();
            self.reborn = at;
        }
        let crashed = numbers == NumbersAfterGap::Crashed;
        self.origins.extend(set.map(|set| Origin { at, set, crashed }));
    }

    /// Whether these are all that was executed before and after a crash.
    pub(super) fn is_of_crash(&self, set: &GtidSet) -> bool {
        self.origins.iter().any(|origin| origin.crashed && origin.set.same(set))
    }

    /// Takes a transaction in.
    pub fn note(&mut self, gtid: &Gtid) {
        match gtid {
            Gtid::MySql { source, tag, number } => {
                let source = (*source, tag.clone());
                let recorded = self.recorded.get_or_insert_with(|| GtidSet::MySql(BTreeMap::new()));
                if let GtidSet::MySql(sources) = recorded {
                    let ranges = sources.entry(source).or_default();
                    let highest = ranges.last().map_or(0, |(_, to)| *to);
                    self.lag = self.lag.max(highest.saturating_sub(*number));
                    add(ranges, *number);
                }
            }
            Gtid::MariaDb { domain, server, sequence } => {
                let recorded = self.recorded.get_or_insert_with(|| GtidSet::MariaDb(Vec::new()));
                if let GtidSet::MariaDb(domains) = recorded {
                    match domains.iter_mut().find(|(d, _, _)| d == domain) {
                        Some(known) => {
                            self.lag = self.lag.max(known.2.saturating_sub(*sequence));
                            *known = (*domain, *server, *sequence);
                        }
                        None => domains.push((*domain, *server, *sequence)),
                    }
                }
            }
        }
    }

    /// All that was executed up to the end of the record, as the server writes it; empty where it
    /// writes none.
    #[must_use]
    pub fn executed(&self) -> String {
        let last = self.origins.last().map(|o| &o.set);
        match (last, &self.recorded) {
            (Some(GtidSet::MySql(before)), Some(GtidSet::MySql(recorded))) => {
                let mut all = before.clone();
                for (source, ranges) in recorded {
                    let known = all.entry(source.clone()).or_default();
                    known.extend(ranges);
                    merge(known);
                }
                GtidSet::MySql(all).to_string()
            }
            (Some(GtidSet::MariaDb(before)), Some(GtidSet::MariaDb(recorded))) => {
                // What the record begins with is older than what is in it, unless nothing was
                // recorded since.
                let mut all = recorded.clone();
                for entry in before {
                    match all.iter_mut().find(|(d, _, _)| *d == entry.0) {
                        Some(known) if known.2 < entry.2 => *known = *entry,
                        Some(_) => {}
                        None => all.push(*entry),
                    }
                }
                GtidSet::MariaDb(all).to_string()
            }
            (_, Some(recorded)) => recorded.to_string(),
            (Some(before), None) => before.to_string(),
            (None, None) => String::new(),
        }
    }

    pub(super) fn has(&self, family: fn(&GtidSet) -> bool) -> bool {
        self.recorded.iter().chain(self.origins.iter().map(|o| &o.set)).any(family)
    }
}
