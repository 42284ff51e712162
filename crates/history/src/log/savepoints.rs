//! Savepoints of a transaction: what is rolled back to one of them leaves what came after it in the
//! log, and never takes effect.
//!
//! Servers log `ROLLBACK TO` only where rows of a table without transactions are after the
//! savepoint; else they take the rows out of the log.

use super::{Change, SpillError, TransactionChanges, UNREAD};
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;

/// The names set so far, and how many changes were in front of each.
#[derive(Debug, Default)]
pub(super) struct Savepoints(Vec<(String, usize)>);

impl Savepoints {
    /// `SAVEPOINT name`, after so many changes.
    pub(super) fn set(&mut self, sql: &str, changes: usize) {
        self.0.push((name(sql), changes));
    }

    /// How many changes are in front of each, rising.
    pub(super) fn marks(&self) -> Vec<usize> {
        self.0.iter().map(|(_, changes)| *changes).collect()
    }

    /// `ROLLBACK TO name`: the changes after the savepoint go. Where it is not known which
    /// savepoint is meant, all tables with changes in the transaction are in doubt.
    pub(super) fn rollback_to(
        &mut self,
        sql: &str,
        changes: &mut TransactionChanges,
    ) -> Result<(), SpillError> {
        let name = name(sql);
        // Servers compare such names without regard to case and accents.
        let plain = |name: &str| name.is_ascii() && !name.contains(UNREAD);
        let comparable = plain(&name) && self.0.iter().all(|(other, _)| plain(other));
        match self.0.iter().rposition(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            Some(i) if comparable => {
                changes.truncate(self.0[i].1)?;
                self.0.truncate(i + 1);
                Ok(())
            }
            _ => {
                let unknown_rollback = unknown_rollback(changes);
                // The doubt stays, whatever savepoint comes next.
                let left = changes.len();
                self.0.iter_mut().for_each(|(_, mark)| *mark = left);
                unknown_rollback
            }
        }
    }
}

fn unknown_rollback(changes: &mut TransactionChanges) -> Result<(), SpillError> {
    let mut tables: BTreeSet<TableName> = BTreeSet::new();
    let mut left = Vec::new();
    for change in std::mem::take(changes) {
        match change? {
            Change::Rows(rows) => drop(tables.insert(rows.table.name.clone())),
            other @ (Change::Statement(_) | Change::Unfollowable { .. }) => left.push(other),
        }
    }
    if !tables.is_empty() {
        let reason =
            "a transaction was rolled back to a savepoint whose name cannot be distinguished from others"
                .to_owned();
        left.push(Change::Unfollowable { tables: tables.into_iter().collect(), reason });
    }
    *changes = left.into();
    Ok(())
}

/// The name in `SAVEPOINT name` and `ROLLBACK TO name`, without its quotes.
fn name(sql: &str) -> String {
    let sql = sql.trim_end_matches([';', ' ']);
    match (sql.find('`'), sql.rfind('`')) {
        (Some(open), Some(close)) if open < close => sql[open + 1..close].replace("``", "`"),
        _ => sql.rsplit(char::is_whitespace).next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(n: u8) -> Change {
        Change::Unfollowable { tables: Vec::new(), reason: n.to_string() }
    }

    fn left(savepoints: &[(&str, usize)], to: &str) -> usize {
        let mut all = Savepoints::default();
        for (sql, changes) in savepoints {
            all.set(sql, *changes);
        }
        let kept = || TransactionChanges::from((0..9).map(change).collect::<Vec<_>>());
        let (mut changes, mut spilled) = (kept(), kept());
        spilled.spill(&super::super::SpillOptions::default(), &all.marks()).unwrap();
        let mut same = Savepoints(all.0.clone());
        all.rollback_to(to, &mut changes).unwrap();
        same.rollback_to(to, &mut spilled).unwrap();
        assert_eq!(changes.len(), spilled.len());
        changes.len()
    }

    #[test]
    fn a_name_is_all_that_is_between_its_quotes() {
        let set = [("SAVEPOINT `x b`", 2), ("SAVEPOINT `y b`", 5), ("SAVEPOINT plain", 7)];
        assert_eq!(left(&set, "ROLLBACK TO `x b`"), 2);
        assert_eq!(left(&set, "ROLLBACK TO `Y B`"), 5);
        assert_eq!(left(&set, "ROLLBACK TO plain"), 7);
        assert_eq!(left(&set, "ROLLBACK TO SAVEPOINT plain;"), 7);
        assert_eq!(left(&[("SAVEPOINT `a``b`", 3)], "ROLLBACK TO `a``b`"), 3);
    }

    /// Nothing is taken out where it is not known what.
    #[test]
    fn names_that_may_be_equal_are_not_distinguished() {
        assert_eq!(left(&[("SAVEPOINT `é`", 2)], "ROLLBACK TO `É`"), 9);
        assert_eq!(left(&[("SAVEPOINT `é`", 2), ("SAVEPOINT e", 4)], "ROLLBACK TO e"), 9);
        assert_eq!(left(&[("SAVEPOINT `\u{fffd}`", 2)], "ROLLBACK TO `\u{fffd}`"), 9);
        assert_eq!(left(&[], "ROLLBACK TO `gone`"), 9);
    }
}
