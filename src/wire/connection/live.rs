//! What all connections share, as it is now: a reload replaces it while they go on.

use super::Shared;
use crate::session::{Identity, Role};
use arc_swap::ArcSwap;
use dbtrail_types::memory::Memory;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The present [`Shared`]. Connections look at it before each command.
#[derive(Debug)]
pub struct Live {
    shared: ArcSwap<Shared>,
    replaced: Notify,
    /// For the commands of all, and of each user.
    memory: Arc<Memory>,
    by_user: Mutex<HashMap<String, Arc<Memory>>>,
}

impl Live {
    /// Begins with this.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        let memory = Memory::new(shared.session.memory.all);
        let (shared, replaced) = (ArcSwap::new(shared), Notify::new());
        Self { shared, replaced, memory, by_user: Mutex::default() }
    }

    /// As it is now.
    #[must_use]
    pub fn load(&self) -> Arc<Shared> {
        self.shared.load_full()
    }

    /// From now on this: new logins and the next command of each session have it. Sessions of
    /// tenants that are gone are ended by the server.
    pub fn replace(&self, shared: Arc<Shared>) {
        let most = shared.session.memory;
        self.memory.limit(most.all);
        for memory in self.by_user.lock().unwrap_or_else(PoisonError::into_inner).values() {
            memory.limit(most.user);
        }
        self.shared.store(shared);
        self.replaced.notify_one();
    }

    /// Waits for the next [`Live::replace`]; one that nobody waited for counts too. For one who
    /// waits.
    pub async fn replaced(&self) {
        self.replaced.notified().await;
    }

    /// The memory for the commands of a user: a part of that for all, so that nobody takes it from
    /// the others.
    pub(super) fn memory_of(&self, user: &str) -> Arc<Memory> {
        let mut by_user = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = by_user.get(user) {
            return Arc::clone(memory);
        }
        let most = self.shared.load().session.memory.user;
        let memory = Memory::within(&self.memory, most);
        by_user.insert(user.to_owned(), Arc::clone(&memory));
        memory
    }

    /// What there is now, if it is another than `before`.
    pub(super) fn newer(&self, before: &Arc<Shared>) -> Option<Arc<Shared>> {
        let now = self.shared.load();
        (!Arc::ptr_eq(&now, before)).then(|| Arc::clone(&now))
    }
}

impl Shared {
    /// The role that a session goes on with; `None`: its user is gone, or has become a tenant with
    /// another server's history, and what a session asked of the one must not be answered from the
    /// other.
    #[must_use]
    pub fn role_of(&self, identity: &Identity) -> Option<Role> {
        match &identity.role {
            Role::Tenant(before) => {
                let now = self.tenants.get(&identity.user)?;
                (now.server_id == before.server_id).then(|| Role::Tenant(Arc::clone(now)))
            }
            Role::Monitor => {
                let (user, _) = self.monitor.as_ref()?;
                (*user == identity.user).then_some(Role::Monitor)
            }
        }
    }
}
