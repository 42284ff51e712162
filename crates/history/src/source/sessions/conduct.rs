//! What those sessions did that can write the number of another one into the log (`SET
//! pseudo_thread_id`, which takes rights of an administrator): unless they certainly did not, no
//! number in the log names anybody.

use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// What the server shows of them at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conduct {
    /// How many statements so far changed who may.
    pub(super) rights: u64,
    pub(super) evidence: ConductEvidence,
}

/// How it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConductEvidence {
    /// None of them had another number just now, and they have run so many statements that can
    /// give them one.
    Counted(u64),
    /// The list of sessions.
    Listed(ListedSessions),
}

/// What the list of sessions says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedSessions {
    /// When it was about to be asked for, and when it was there.
    pub(super) since: Instant,
    pub(super) until: Instant,
    /// Theirs, each with the whole seconds since its last command began; `None`: it is running one,
    /// or the server does not say.
    pub(super) suspects: BTreeMap<u32, Option<u64>>,
    /// All sessions.
    pub(super) all: BTreeSet<u32>,
    /// How often anybody has connected.
    pub(super) connections: u64,
    /// How often one of them has connected; `None`: nobody counts.
    pub(super) logins: Option<u64>,
}

impl Conduct {
    /// Whether none of them can have written another's number since what was shown earlier.
    pub(super) fn is_harmless_since(&self, earlier: &Self) -> bool {
        let evidence = match (&self.evidence, &earlier.evidence) {
            (ConductEvidence::Counted(now), ConductEvidence::Counted(then)) => now == then,
            (ConductEvidence::Listed(now), ConductEvidence::Listed(then)) => now.is_idle_since(then),
            (ConductEvidence::Counted(_), ConductEvidence::Listed(_))
            | (ConductEvidence::Listed(_), ConductEvidence::Counted(_)) => false,
        };
        evidence && self.rights == earlier.rights
    }
}

impl ListedSessions {
    /// A list that is about to be asked for.
    pub(super) fn new(connections: u64, logins: Option<u64>, since: Instant) -> Self {
        let (suspects, all) = (BTreeMap::new(), BTreeSet::new());
        Self { since, until: since, suspects, all, connections, logins }
    }

    /// Whether each of theirs has done nothing at all, and none came and went between the lists.
    fn is_idle_since(&self, earlier: &Self) -> bool {
        let between = self.until.saturating_duration_since(earlier.since).as_secs();
        // Seconds are cut on both sides.
        let rested = |seconds: &Option<u64>| seconds.is_some_and(|seconds| seconds >= between + 2);
        let same = self.suspects.keys().eq(earlier.suspects.keys()) && self.suspects.values().all(rested);
        let came = self.all.difference(&earlier.all).count() as u64;
        let all_seen = self.connections.checked_sub(earlier.connections) == Some(came);
        same && (all_seen || self.logins.is_some() && self.logins == earlier.logins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn none_of_them_has_done_anything() {
        let counted = |rights, n| Conduct { rights, evidence: ConductEvidence::Counted(n) };
        assert!(counted(1, 5).is_harmless_since(&counted(1, 5)));
        assert!(!counted(1, 6).is_harmless_since(&counted(1, 5)), "a statement");
        assert!(!counted(2, 5).is_harmless_since(&counted(1, 5)), "rights");
        let begin = Instant::now();
        let at = |second: u64, suspects: &[(u32, Option<u64>)], all: &[u32], connections, logins| Conduct {
            rights: 0,
            evidence: ConductEvidence::Listed(ListedSessions {
                since: begin + Duration::from_secs(second),
                until: begin + Duration::from_secs(second),
                suspects: suspects.iter().copied().collect(),
                all: all.iter().copied().collect(),
                connections,
                logins,
            }),
        };
        let before = at(0, &[(4, Some(0))], &[4, 5], 5, None);
        let listed = |suspects: &[(u32, Option<u64>)], all: &[u32], connections, logins| {
            at(3, suspects, all, connections, logins)
        };
        assert!(listed(&[(4, Some(5))], &[4, 5], 5, None).is_harmless_since(&before));
        // Two came and are there; the one that went was none of theirs.
        assert!(listed(&[(4, Some(5))], &[4, 6, 7], 7, None).is_harmless_since(&before));
        for (after, why) in [
            (listed(&[(4, Some(4))], &[4, 5], 5, None), "a statement, perhaps: its seconds are cut"),
            (listed(&[(4, Some(0))], &[4, 5], 5, None), "a statement"),
            (listed(&[(4, Some(9)), (6, Some(9))], &[4, 5, 6], 6, None), "one more"),
            (listed(&[], &[5], 5, None), "one that is gone"),
            (listed(&[(4, Some(9))], &[4, 5], 7, None), "somebody who came and went"),
            (listed(&[(4, None)], &[4, 5], 5, None), "a statement that is running"),
            (listed(&[(4, Some(9))], &[4, 5], 3, None), "a count that began again"),
            (counted(0, 1), "another kind of evidence"),
        ] {
            assert!(!after.is_harmless_since(&before), "{why}");
        }
        // Logins of theirs are counted: whoever came and went was another.
        let before = at(0, &[(4, Some(9))], &[4, 5], 5, Some(3));
        assert!(listed(&[(4, Some(9))], &[4], 90, Some(3)).is_harmless_since(&before));
        assert!(!listed(&[(4, Some(9))], &[4], 90, Some(4)).is_harmless_since(&before));
    }
}
