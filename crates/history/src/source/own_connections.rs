//! The agent's own connections: they change nothing, so a long statement of one holds nothing up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The connection ids that are the agent's own.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnConnections(Arc<Mutex<BTreeSet<u32>>>);

/// One of them, while it is open.
#[derive(Debug)]
pub(super) struct OwnConnection {
    own: OwnConnections,
    id: u32,
}

impl OwnConnections {
    pub(super) fn know(&self, id: u32) -> OwnConnection {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        OwnConnection { own: self.clone(), id }
    }

    /// Never empty, so that a list of them can be in a statement: no connection has the number 0.
    pub(super) fn ids(&self) -> Vec<u32> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(0).chain(known.iter().copied()).collect()
    }
}

impl Drop for OwnConnection {
    fn drop(&mut self) {
        self.own.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
