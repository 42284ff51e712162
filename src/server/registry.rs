//! Who is connected: those who have logged in, and those who have not.
//!
//! The two have slots of their own. Whoever only opens sockets takes no slot of those who have a
//! password, and makes room again as soon as others come.

use crate::failure::Failure;
use crate::session::{Connections, LoginSlot, Process};
use crate::wire::handle::Handle;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many connections there may be of each kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Logged in (`limits.max_connections`).
    pub(super) clients: usize,
    /// Logged in beside those, to look after the server.
    pub(super) caretakers: usize,
    /// Not logged in.
    pub(super) strangers: usize,
    /// Not logged in, of one address.
    pub(super) strangers_of_one_address: usize,
}

impl Limits {
    /// With so many slots for clients. A proxy opens its whole pool at once, from one address:
    /// there is room for that.
    pub(super) fn of(clients: usize) -> Self {
        Self { clients, caretakers: 16, strangers: 1024, strangers_of_one_address: 512 }
    }
}

/// The live connections.
#[derive(Debug)]
pub(super) struct Registry {
    state: Mutex<State>,
    started: Instant,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    last_id: u32,
    arrived: u64,
    connections: HashMap<u32, OpenConnection>,
    /// Those who have not logged in and were not sent away, in the order in which they came.
    strangers: BTreeMap<u64, u32>,
    clients: usize,
    caretakers: usize,
}

#[derive(Debug)]
struct OpenConnection {
    handle: Arc<Handle>,
    address: IpAddr,
    arrived: u64,
    /// `None`: not logged in.
    slot: Option<LoginSlot>,
}

impl State {
    /// Ends the connection of the stranger who is the best to lose: the one that has been silent
    /// for longest, else the one that came first.
    fn turn_out(&mut self, among: impl Fn(&OpenConnection) -> bool) {
        let waiting = || {
            let entries = self.strangers.iter().filter_map(|(at, id)| Some((*at, self.connections.get(id)?)));
            entries.filter(|(_, entry)| among(entry))
        };
        let silent = waiting().find(|(_, entry)| !entry.handle.spoke.load(Ordering::Relaxed));
        if let Some((at, handle)) =
            silent.or_else(|| waiting().next()).map(|(at, entry)| (at, Arc::clone(&entry.handle)))
        {
            self.strangers.remove(&at);
            handle.end.cancel();
        }
    }
}

impl Registry {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            limits,
            last_id: 0,
            arrived: 0,
            connections: HashMap::new(),
            strangers: BTreeMap::new(),
            clients: 0,
            caretakers: 0,
        };
        Self { state: Mutex::new(state), started: Instant::now() }
    }

    /// From now on these limits. Who is in stays, also where there are too many.
    pub(super) fn limit(&self, limits: Limits) {
        self.state().limits = limits;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection came: gives a number that no live one has. Where there are too many who have
    /// not logged in, one of them ends.
    pub(super) fn arrive(&self, handle: &Arc<Handle>, address: IpAddr) -> u32 {
        let mut state = self.state();
        let waiting = state.strangers.len();
        let same = |entry: &OpenConnection| entry.address == address;
        let of_address = || {
            let entries = state.strangers.values().filter_map(|id| state.connections.get(id));
            entries.filter(|entry| same(entry)).count()
        };
        if waiting >= state.limits.strangers_of_one_address
            && of_address() >= state.limits.strangers_of_one_address
        {
            state.turn_out(same);
        } else if waiting >= state.limits.strangers {
            state.turn_out(|_| true);
        }
        let id = loop {
            state.last_id = state.last_id.wrapping_add(1).max(1);
            if !state.connections.contains_key(&state.last_id) {
                break state.last_id;
            }
        };
        state.arrived += 1;
        let arrived = state.arrived;
        state.strangers.insert(arrived, id);
        let entry = OpenConnection { handle: Arc::clone(handle), address, arrived, slot: None };
        state.connections.insert(id, entry);
        id
    }

    /// A connection ended.
    pub(super) fn leave(&self, id: u32) {
        let mut state = self.state();
        let Some(entry) = state.connections.remove(&id) else { return };
        entry.handle.over.cancel();
        match entry.slot {
            None => drop(state.strangers.remove(&entry.arrived)),
            Some(LoginSlot::Client) => state.clients -= 1,
            Some(LoginSlot::Caretaker) => state.caretakers -= 1,
        }
    }

    /// All connections.
    pub(super) fn handles(&self) -> Vec<Arc<Handle>> {
        self.state().connections.values().map(|entry| Arc::clone(&entry.handle)).collect()
    }
}

impl Connections for Registry {
    fn kill(&self, id: u64, query_only: bool, user: &str) -> Result<(), Failure> {
        let handle = u32::try_from(id)
            .ok()
            .and_then(|id| self.state().connections.get(&id).map(|entry| Arc::clone(&entry.handle)))
            .ok_or(Failure::NoSuchThread(id))?;
        if *handle.user.lock().unwrap_or_else(PoisonError::into_inner) != user {
            return Err(Failure::NotOwner(id));
        }
        if query_only {
            handle.interrupt.notify_waiters();
        } else {
            handle.end.cancel();
        }
        Ok(())
    }

    fn enter(&self, id: u32, user: &str, slot: LoginSlot) -> Result<(), Failure> {
        let mut state = self.state();
        let state = &mut *state;
        let Some(entry) = state.connections.get_mut(&id) else { return Ok(()) };
        // COM_CHANGE_USER stays in its place.
        if entry.slot.is_some() {
            return Ok(());
        }
        let (taken, limit) = match slot {
            LoginSlot::Client => (&mut state.clients, state.limits.clients),
            LoginSlot::Caretaker => (&mut state.caretakers, state.limits.caretakers),
        };
        if *taken >= limit {
            return Err(Failure::Full { user: user.to_owned(), limit: limit as u64 });
        }
        *taken += 1;
        entry.slot = Some(slot);
        state.strangers.remove(&entry.arrived);
        Ok(())
    }

    fn figures(&self, user: &str) -> (u64, u64) {
        let handles = self.handles();
        let own = handles.iter().filter(|h| *h.user.lock().unwrap_or_else(PoisonError::into_inner) == user);
        (own.count() as u64, self.started.elapsed().as_secs())
    }

    fn processes(&self, user: &str) -> Vec<Process> {
        let handles: Vec<(u32, Arc<Handle>)> = {
            let state = self.state();
            state.connections.iter().map(|(id, entry)| (*id, Arc::clone(&entry.handle))).collect()
        };
        handles.into_iter().filter_map(|(id, handle)| handle.process(id, user)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { clients: 2, caretakers: 1, strangers: 4, strangers_of_one_address: 2 };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    /// The number of a connection that came from an address, and its handle.
    fn come(registry: &Registry, from: u8) -> (u32, Arc<Handle>) {
        let handle = Arc::new(Handle::default());
        (registry.arrive(&handle, address(from)), handle)
    }

    #[test]
    fn the_oldest_silent_stranger_of_an_address_gives_way_to_the_next_one() {
        let registry = Registry::new(LIMITS);
        let (_, first) = come(&registry, 1);
        let (_, second) = come(&registry, 1);
        let (_, other) = come(&registry, 2);
        first.spoke.store(true, Ordering::Relaxed);
        let (_, third) = come(&registry, 1);
        assert!(!first.end.is_cancelled(), "it is about to log in");
        assert!(second.end.is_cancelled());
        third.spoke.store(true, Ordering::Relaxed);
        come(&registry, 1);
        assert!(first.end.is_cancelled(), "where all speak, the first that came");
        assert!(!other.end.is_cancelled());
    }

    #[test]
    fn the_oldest_silent_stranger_of_all_gives_way_where_many_addresses_come() {
        let registry = Registry::new(LIMITS);
        let all: Vec<_> = (1..=6).map(|from| come(&registry, from).1).collect();
        let ended: Vec<bool> = all.iter().map(|handle| handle.end.is_cancelled()).collect();
        assert_eq!(ended, [true, true, false, false, false, false]);
    }

    #[test]
    fn strangers_take_no_slot_of_clients_and_clients_none_of_caretakers() {
        let registry = Registry::new(LIMITS);
        let login = |slot| {
            let (id, handle) = come(&registry, 1);
            (registry.enter(id, "a", slot), id, handle)
        };
        let (first, id, handle) = login(LoginSlot::Client);
        assert!(first.is_ok() && login(LoginSlot::Client).0.is_ok());
        assert!(matches!(login(LoginSlot::Client).0, Err(Failure::Full { limit: 2, .. })));
        assert!(login(LoginSlot::Caretaker).0.is_ok());
        assert!(matches!(login(LoginSlot::Caretaker).0, Err(Failure::Full { limit: 1, .. })));
        // It is in already: COM_CHANGE_USER takes no second slot.
        assert!(registry.enter(id, "b", LoginSlot::Client).is_ok());
        for _ in 0..20 {
            come(&registry, 1);
        }
        assert!(!handle.end.is_cancelled(), "who has logged in makes room for nobody");
        registry.leave(id);
        assert!(login(LoginSlot::Client).0.is_ok());
    }

    #[test]
    fn a_user_counts_only_connections_of_his_own() {
        let registry = Registry::new(LIMITS);
        for user in ["a", "b", "a"] {
            let (_, handle) = come(&registry, 1);
            user.clone_into(&mut handle.user.lock().unwrap());
        }
        assert_eq!((registry.figures("a").0, registry.figures("b").0, registry.figures("c").0), (2, 1, 0));
    }
}
