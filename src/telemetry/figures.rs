//! What happened for one user, which SHOW STATUS tells him: the events of the metrics, which are of
//! all users together.

use super::metrics::{Code, Ended};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

/// The figures of one user since the start.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Logins that were let in.
    pub logins: u64,
    /// Logins with a wrong password, or without a free slot. Counted from his first login on, since
    /// names of others come from strangers.
    pub refused: u64,
    /// Statements by class and outcome.
    pub statements: HashMap<(&'static str, Code), u64>,
    /// Rows sent.
    pub rows: u64,
    /// The bytes of these rows.
    pub bytes: u64,
    /// Requests to agents by outcome.
    pub agent_requests: HashMap<&'static str, u64>,
    /// What limits ended or refused, by their names.
    pub limits: HashMap<&'static str, u64>,
}

impl Figures {
    /// Statements that have ended.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.statements.values().sum()
    }
}

/// Users who have logged in: no more than are configured.
static USERS: LazyLock<RwLock<HashMap<String, Arc<Mutex<Figures>>>>> = LazyLock::new(RwLock::default);

/// What happened for a user so far.
#[must_use]
pub fn of(user: &str) -> Figures {
    let mut copy = Figures::default();
    change(user, |figures| copy.clone_from(figures));
    copy
}

/// Counts for a user who has logged in once.
fn change(user: &str, by: impl FnOnce(&mut Figures)) {
    let users = USERS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(figures) = users.get(user) {
        by(&mut figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A login was let in.
pub fn let_in(user: &str) {
    let known = USERS.read().unwrap_or_else(PoisonError::into_inner).contains_key(user);
    if !known {
        USERS.write().unwrap_or_else(PoisonError::into_inner).entry(user.to_owned()).or_default();
    }
    change(user, |figures| figures.logins += 1);
}

/// A login was refused.
pub fn refused(user: &str) {
    change(user, |figures| figures.refused += 1);
}

/// A statement ended.
pub fn statement(user: &str, ended: &Ended) {
    change(user, |figures| {
        *figures.statements.entry((ended.class, ended.code)).or_default() += 1;
        figures.rows += ended.rows;
        figures.bytes += ended.bytes;
    });
}

/// An agent answered, or was unreachable: as for the metrics.
pub fn agent(user: &str, outcome: &'static str) {
    change(user, |figures| *figures.agent_requests.entry(outcome).or_default() += 1);
}

/// A limit ended or refused something.
pub fn limit(user: &str, name: &'static str) {
    change(user, |figures| *figures.limits.entry(name).or_default() += 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_take_no_room_and_users_are_apart() {
        let users = || USERS.read().unwrap().len();
        let before = users();
        refused("nobody of the figures");
        limit("nobody of the figures", "max_connections");
        assert_eq!((users(), of("nobody of the figures").refused), (before, 0));
        let_in("one of the figures");
        let_in("another of the figures");
        let_in("another of the figures");
        agent("one of the figures", "answered");
        refused("one of the figures");
        let (one, another) = (of("one of the figures"), of("another of the figures"));
        assert_eq!((one.logins, one.refused, one.agent_requests.get("answered")), (1, 1, Some(&1)));
        assert_eq!((another.logins, another.refused, another.agent_requests.len()), (2, 0, 0));
    }
}
