//! What looks at the list of sessions prove: that a connection had one user from before a commit
//! until after it.
//!
//! Numbers of connections are given out once while a server runs, and one connection of the agent
//! is open over all looks. What can change is the user of a connection (`COM_CHANGE_USER`). That
//! none did is known in two ways:
//! * `performance_schema` counts for each connection how often it did. A connection that shows the
//!   same user and count in two looks had that user between them; one that was not in a look before
//!   and shows 0 has had it from its beginning.
//! * `Com_admin_commands` of the whole server counts it, too (and pings, by which less is known).
//!   While it does not move, every connection has the user with which any of these looks has found
//!   it, also if it is gone by now.
//!
//! And a number in the log is that of the connection only while nobody can have written another's
//! (see [`super::conduct`]): without that nobody is named.
//!
//! In each look the count is read, then the end of the log, then the list, then the count again: a
//! commit after the end of the log of one look comes after all that was read before it.

use super::conduct::Conduct;
use crate::binlog_position::BinlogPosition;
use crate::capture::{ConfirmedSession, SessionInfo};
use std::collections::HashMap;
use std::sync::Arc;

/// `Com_admin_commands`, and when the counts of the server's status began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AdminCount {
    pub(super) commands: u64,
    /// Seconds from the start of the server to the last FLUSH STATUS.
    pub(super) flushed: u64,
}

/// A connection in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: u32,
    /// `None`: it is logging in, or becoming another.
    pub(super) info: Option<SessionInfo>,
    /// How often it has become another user; `None`: nobody counts.
    pub(super) changes: Option<u64>,
}

/// A look at the list.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Before all else, and after it.
    pub(super) counts: (Option<AdminCount>, Option<AdminCount>),
    /// What pretenders did up to then, also before and after; `None`: that is not known.
    pub(super) conduct: Option<(Conduct, Conduct)>,
    /// The end of the log before the list was read.
    pub(super) end: BinlogPosition,
    pub(super) list: Vec<Listed>,
}

/// A connection of the last look.
#[derive(Debug)]
struct SessionEvidence {
    info: Option<Arc<SessionInfo>>,
    changes: Option<u64>,
    /// From this position on it has had this user, by its own count; `None`: from none that is
    /// known.
    since: Option<BinlogPosition>,
}

/// What all looks over one connection have shown.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The end of the log at the first look.
    first: Option<BinlogPosition>,
    known: HashMap<u32, SessionEvidence>,
    /// The count of the whole server since it last moved, and the end of the log then.
    calm: Option<(AdminCount, BinlogPosition)>,
    /// What pretenders did up to the last look, and since when that was nothing.
    honest: Option<(Conduct, BinlogPosition)>,
}

impl Evidence {
    /// What is certain after another look.
    pub(super) fn take(&mut self, look: Look) -> Vec<ConfirmedSession> {
        let Look { counts: (before, after), conduct, end, list } = look;
        let conduct = conduct.filter(|(before, after)| after.is_harmless_since(before));
        self.honest = match (self.honest.take(), conduct) {
            (Some((last, since)), Some((before, after))) if before.is_harmless_since(&last) => {
                Some((after, since))
            }
            (_, Some((_, after))) => Some((after, end.clone())),
            (_, None) => None,
        };
        let honest = self.honest.as_ref().map(|(_, since)| since);
        let is_first = self.first.is_none();
        let first = self.first.get_or_insert_with(|| end.clone()).clone();
        let unmoved = before.filter(|_| before == after);
        self.calm = match (self.calm.take(), unmoved) {
            (Some((count, since)), Some(now)) if count == now => Some((count, since)),
            (_, Some(now)) => Some((now, end.clone())),
            (_, None) => None,
        };
        let calm = self.calm.as_ref().map(|(_, since)| since);
        let mut gone = std::mem::take(&mut self.known);
        let mut confirmed = Vec::new();
        let mut name = |id, since: Option<&BinlogPosition>, info: Option<&Arc<SessionInfo>>| {
            let (Some(since), Some(info), Some(honest)) = (since, info, honest) else { return };
            let since = if since.reaches(honest) { since } else { honest };
            if *since != end && end.reaches(since) {
                confirmed.push(ConfirmedSession { id, since: since.clone(), info: Arc::clone(info) });
            }
        };
        for Listed { id, info, changes } in list {
            let known = match (gone.remove(&id), info) {
                (_, None) => SessionEvidence { info: None, changes, since: None },
                (Some(was), Some(info)) if was.is(&info, changes) => {
                    SessionEvidence { since: was.since.or_else(|| Some(end.clone())), ..was }
                }
                (None, Some(info)) if changes == Some(0) && !is_first => {
                    SessionEvidence { info: Some(Arc::new(info)), changes, since: Some(first.clone()) }
                }
                (_, Some(info)) => SessionEvidence { info: Some(Arc::new(info)), changes, since: None },
            };
            let since = match (&known.since, calm) {
                (Some(own), Some(calm)) => Some(if own.reaches(calm) { calm } else { own }),
                (own, calm) => own.as_ref().or(calm),
            };
            name(id, since, known.info.as_ref());
            self.known.insert(id, known);
        }
        for (id, was) in gone {
            name(id, calm, was.info.as_ref());
        }
        confirmed
    }
}

impl SessionEvidence {
    fn is(&self, info: &SessionInfo, changes: Option<u64>) -> bool {
        changes.is_some() && self.changes == changes && self.info.as_deref() == Some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::super::conduct::ConductEvidence;
    use super::*;

    fn at(offset: u64) -> BinlogPosition {
        BinlogPosition { file: "binlog.000001".to_owned(), offset }
    }

    fn user(user: &str) -> SessionInfo {
        SessionInfo { user: user.to_owned(), host: None, program: None }
    }

    fn conduct(statements: u64) -> Conduct {
        Conduct { rights: 0, evidence: ConductEvidence::Counted(statements) }
    }

    /// A look at this end of the log, with the server's counts around it.
    fn look(end: u64, counts: (u64, u64), list: &[(u32, &str, Option<u64>)]) -> Look {
        let count = |commands| Some(AdminCount { commands, flushed: 0 });
        let list = list.iter().map(|&(id, name, changes)| {
            let info = (!name.is_empty()).then(|| user(name));
            Listed { id, info, changes }
        });
        let conduct = Some((conduct(0), conduct(0)));
        Look { counts: (count(counts.0), count(counts.1)), conduct, end: at(end), list: list.collect() }
    }

    fn named(evidence: &mut Evidence, taken: Look) -> Vec<(u32, u64, String)> {
        let mut confirmed: Vec<_> =
            evidence.take(taken).into_iter().map(|c| (c.id, c.since.offset, c.info.user.clone())).collect();
        confirmed.sort();
        confirmed
    }

    #[test]
    fn a_connection_that_counts_its_users() {
        let mut evidence = Evidence::default();
        // The server's own count moves all the time.
        let mut see =
            |end, list: &[(u32, &str, Option<u64>)]| named(&mut evidence, look(end, (end, end + 1), list));
        let is = |id, since, name: &str| (id, since, name.to_owned());
        assert_eq!(see(10, &[(1, "a", Some(0)), (2, "p", Some(3))]), []);
        // What was committed before the first look had ended could have been another's.
        assert_eq!(see(20, &[(1, "a", Some(0)), (2, "p", Some(3))]), []);
        // 3 came since: it never was another.
        let list = [(1, "a", Some(0)), (2, "p", Some(3)), (3, "b", Some(0)), (4, "c", Some(1))];
        assert_eq!(see(30, &list), [is(1, 20, "a"), is(2, 20, "p"), is(3, 10, "b")]);
        // 2 became another and came back; 3 is another; 1 is gone; 4 has not changed again.
        let list = [(2, "p", Some(5)), (3, "x", Some(1)), (4, "c", Some(1))];
        assert_eq!(see(40, &list), []);
        assert_eq!(see(50, &list), [is(4, 40, "c")]);
        assert_eq!(see(60, &list), [is(2, 50, "p"), is(3, 50, "x"), is(4, 40, "c")]);
        // One that is becoming another now, and one that nobody counts.
        assert_eq!(see(70, &[(2, "", Some(5)), (3, "x", None)]), []);
        assert_eq!(see(80, &[(2, "p", Some(5)), (3, "x", None)]), []);
        // It was there while it was not counted: 0 says nothing.
        assert_eq!(see(90, &[(3, "x", Some(0))]), []);
    }

    #[test]
    fn while_nobody_on_the_server_can_have_become_another() {
        let mut evidence = Evidence::default();
        let mut see =
            |end, counts, list: &[(u32, &str, Option<u64>)]| named(&mut evidence, look(end, counts, list));
        let is = |id, since, name: &str| (id, since, name.to_owned());
        assert_eq!(see(10, (7, 7), &[(1, "a", None)]), []);
        assert_eq!(see(20, (7, 7), &[(1, "a", None), (2, "b", None)]), [is(1, 10, "a"), is(2, 10, "b")]);
        // Gone, and known all the same.
        assert_eq!(see(30, (7, 7), &[(2, "b", None)]), [is(1, 10, "a"), is(2, 10, "b")]);
        assert_eq!(see(40, (7, 7), &[(2, "b", None)]), [is(2, 10, "b")]);
        // Something moved before this look, and inside of the next.
        assert_eq!(see(50, (8, 8), &[(2, "b", None)]), []);
        assert_eq!(see(60, (8, 9), &[(2, "b", None)]), []);
        assert_eq!(see(70, (9, 9), &[(2, "b", None)]), []);
        assert_eq!(see(80, (9, 9), &[(2, "b", None)]), [is(2, 70, "b")]);
        // The same number after FLUSH STATUS.
        let flushed = Some(AdminCount { commands: 9, flushed: 5 });
        let list = vec![Listed { id: 2, info: Some(user("b")), changes: None }];
        let conduct = Some((conduct(0), conduct(0)));
        let look = Look { counts: (flushed, flushed), conduct, end: at(90), list };
        assert_eq!(named(&mut evidence, look), []);
    }

    #[test]
    fn nobody_is_named_while_another_can_have_written_the_number() {
        let mut evidence = Evidence::default();
        let mut see = |end, conduct| {
            let look = Look { conduct, ..look(end, (7, 7), &[(1, "a", Some(0))]) };
            named(&mut evidence, look)
        };
        let both = |before, after| Some((conduct(before), conduct(after)));
        let named = |since| [(1, since, "a".to_owned())];
        assert_eq!(see(10, both(3, 3)), []);
        assert_eq!(see(20, both(3, 3)), named(10));
        // One of them ran SET between the looks, or during one, or it is not known.
        assert_eq!(see(30, both(4, 4)), []);
        assert_eq!(see(40, both(4, 4)), named(30));
        assert_eq!(see(50, both(4, 5)), []);
        assert_eq!(see(60, both(5, 5)), []);
        assert_eq!(see(70, both(5, 5)), named(60));
        assert_eq!(see(80, None), []);
        assert_eq!(see(90, both(5, 5)), []);
        assert_eq!(see(95, both(5, 5)), named(90));
    }
}
