//! Up to when the log of a replica is complete.
//!
//! What a replica applies bears the time of the server on which it was made, where its log has no
//! other (MariaDB, MySQL 5.7) or that time is the one that counts. How far the replica had come
//! then, its own clock does not say: another transaction from before the end of its log may follow
//! there.

use super::{CommittedTransaction, Gtid, SourceTime, Stamp};
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeMap;

/// The latest time of what each domain (MariaDB) or source (MySQL) has, and whether the last
/// transaction of it was applied and not made here.
#[derive(Clone, Debug, Default)]
pub(super) struct Applied(BTreeMap<u128, (Timestamp, bool)>);

impl Applied {
    /// The next transaction of the log of the server with this number.
    pub(super) fn note(&mut self, entry: &CommittedTransaction, server: u32, time: SourceTime) {
        let from = match &entry.gtid {
            Some(Gtid::MariaDb { domain, .. }) => u128::from(*domain),
            Some(Gtid::MySql { source, .. }) => u128::from_be_bytes(*source),
            None => 0,
        };
        let applied = match entry.stamp {
            Stamp::Commit => time == SourceTime::Original && entry.origin.relayed,
            Stamp::Second | Stamp::Start | Stamp::Span(_) => entry.origin.server != server,
        };
        let (latest, last) = self.0.entry(from).or_insert((entry.committed, applied));
        (*latest, *last) = (entry.committed.max(*latest), applied);
    }

    /// The newest instant that no transaction can follow with; `None`: nothing was applied last.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let applied = self.0.values().filter(|(_, applied)| *applied);
        // Another one of the same time may follow.
        applied.map(|(latest, _)| Timestamp::from_micros(latest.micros() - 1)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{BinlogPosition, Origin};

    fn newest(time: SourceTime, entries: &[(u32, u32, i64, Stamp, bool)]) -> Option<i64> {
        let mut applied = Applied::default();
        for (domain, server, micros, stamp, relayed) in entries {
            let entry = CommittedTransaction {
                gtid: Some(Gtid::MariaDb { domain: *domain, server: *server, sequence: 1 }),
                committed: Timestamp::from_micros(*micros),
                stamp: *stamp,
                position: BinlogPosition { file: "binlog.000001".to_owned(), offset: 4 },
                origin: Origin { server: *server, relayed: *relayed, ..Origin::default() },
                changes: Vec::new().into(),
            };
            applied.note(&entry, 7, time);
        }
        applied.newest().map(Timestamp::micros)
    }

    #[test]
    fn what_was_applied_last_says_how_far_a_log_goes() {
        let (second, commit) = (Stamp::Second, Stamp::Commit);
        let local = |entries: &[_]| newest(SourceTime::Local, entries);
        assert_eq!(local(&[(0, 7, 50, second, false)]), None);
        assert_eq!(local(&[(0, 7, 50, second, false), (0, 8, 60, Stamp::Start, false)]), Some(59));
        // A clock that was set back there; a server that has become a primary.
        assert_eq!(local(&[(0, 8, 60, second, false), (0, 8, 40, second, false)]), Some(59));
        assert_eq!(local(&[(0, 8, 60, second, false), (0, 7, 70, second, false)]), None);
        // Of several domains, the one that is furthest behind; one of its own says nothing.
        let both = [(1, 8, 60, second, false), (2, 9, 30, second, false), (3, 7, 10, second, false)];
        assert_eq!(local(&both), Some(29));
        // MySQL 8 and newer log both times.
        let both = [(0, 8, 60, commit, true), (0, 7, 70, commit, false)];
        assert_eq!(local(&both[..1]), None);
        assert_eq!(newest(SourceTime::Original, &both[..1]), Some(59));
        assert_eq!(newest(SourceTime::Original, &both), None);
    }
}
