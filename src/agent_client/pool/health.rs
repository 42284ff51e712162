//! Which agents are ready: what they say of themselves, and whether they could be reached.
//!
//! An agent may keep the histories of several servers, and be ready for one of them alone: it is
//! asked for each server of which something was asked lately.

use super::names::{Addresses, Names};
use crate::agent_client::{AgentClient, Caller};
use arc_swap::ArcSwap;
use dbtrail_types::names::{RequestId, ServerId};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Between two questions whether an agent is ready, of those of which there are several.
const INTERVAL: Duration = Duration::from_secs(1);
/// For the answer: an agent that takes longer is not asked for rows first.
const PATIENCE: Duration = Duration::from_secs(2);
/// A server of which nothing was asked for so long is not asked about.
const LATELY: Duration = Duration::from_secs(60);
/// Questions that one agent is asked a second at most: of many servers each is asked about less
/// often.
const PACE: u32 = 50;

/// The agents of a pool.
#[derive(Debug)]
pub(super) struct Members {
    /// As they were given.
    given: Vec<AgentClient>,
    /// The same, or in place of a name with several addresses an agent at each of them.
    now: ArcSwap<Vec<Arc<Member>>>,
    /// Of which servers something was asked.
    asked: Mutex<HashMap<ServerId, Question>>,
    names: Names,
    watched: AtomicBool,
}

/// The last question about a server: by whom, and when.
#[derive(Clone, Debug)]
struct Question {
    caller: Caller,
    at: Instant,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) agent: AgentClient,
    reachable: AtomicBool,
    /// For which servers it is not ready.
    unready: Mutex<HashSet<ServerId>>,
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Member {
    /// Taken to be ready until it is seen not to be.
    pub(super) fn new(agent: AgentClient) -> Arc<Self> {
        Arc::new(Self { agent, reachable: AtomicBool::new(true), unready: Mutex::default() })
    }

    fn is_ready(&self, server: &ServerId) -> bool {
        self.reachable.load(Ordering::Relaxed) && !locked(&self.unready).contains(server)
    }

    /// It could not be reached: it is asked last until it answers again.
    pub(super) fn is_away(&self) {
        if self.reachable.swap(false, Ordering::Relaxed) {
            tracing::warn!("the agent {} cannot be reached: others are asked first", self.agent.named());
        }
    }

    fn is_back(&self) {
        if !self.reachable.swap(true, Ordering::Relaxed) {
            tracing::info!("the agent {} can be reached again", self.agent.named());
        }
    }

    fn set(&self, server: &ServerId, ready: bool) {
        let mut unready = locked(&self.unready);
        let changed = if ready { unready.remove(server) } else { unready.insert(server.clone()) };
        let (agent, server) = (self.agent.named(), &server.0);
        match (changed, ready) {
            (false, _) => {}
            (true, true) => tracing::info!("the agent {agent} is ready for {server}, and is asked again"),
            (true, false) => {
                tracing::warn!("the agent {agent} is not ready for {server}: others are asked first");
            }
        }
    }

    /// Asks it about servers, one after the other.
    async fn look(&self, servers: &[(ServerId, Question)]) {
        for (server, asked) in servers {
            match timeout(PATIENCE, self.agent.is_ready(server, &asked.caller)).await {
                Ok(Some(ready)) => {
                    self.is_back();
                    self.set(server, ready);
                }
                // Nor would it answer about another one.
                Ok(None) | Err(_) => return self.is_away(),
            }
        }
    }
}

impl Members {
    pub(super) fn new(given: Vec<AgentClient>, names: Names) -> Self {
        let now = given.iter().cloned().map(Member::new).collect();
        let now = ArcSwap::from_pointee(now);
        Self { given, now, asked: Mutex::default(), names, watched: AtomicBool::new(false) }
    }

    /// The agents as they were given.
    pub(super) fn given(&self) -> impl Iterator<Item = &AgentClient> {
        self.given.iter()
    }

    /// Whether there is one agent, at one address.
    pub(super) fn is_one(&self) -> bool {
        self.now.load().len() == 1
    }

    /// In which order a statement asks them: those that are ready, each statement from another one
    /// on; then the others, since what they say of themselves may be old.
    pub(super) fn order(
        self: &Arc<Self>,
        server: &ServerId,
        caller: &Caller,
        request: &RequestId,
    ) -> Vec<Arc<Member>> {
        let is_watched = self.given.len() > 1 || self.given.iter().any(|agent| agent.name().is_some());
        if is_watched && !self.watched.swap(true, Ordering::Relaxed) {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
        let all = self.now.load();
        if all.len() < 2 {
            return all.to_vec();
        }
        self.note(server, caller);
        let (mut order, others): (Vec<_>, Vec<_>) =
            all.iter().cloned().partition(|member| member.is_ready(server));
        if !order.is_empty() {
            let first = first(request, order.len());
            order.rotate_left(first);
        }
        order.extend(others);
        order
    }

    /// Something is asked about a server.
    fn note(&self, server: &ServerId, caller: &Caller) {
        let (mut asked, at) = (locked(&self.asked), Instant::now());
        match asked.get_mut(server) {
            Some(before) => {
                before.at = at;
                if before.caller.token != caller.token {
                    before.caller = caller.clone();
                }
            }
            None => _ = asked.insert(server.clone(), Question { caller: caller.clone(), at }),
        }
    }

    /// Of which servers something was asked lately, at the least the last one. Of others what was
    /// known is forgotten.
    fn lately(&self) -> Vec<(ServerId, Question)> {
        let mut asked = locked(&self.asked);
        let before = asked.len();
        let last = asked.values().map(|asked| asked.at).max();
        asked.retain(|_, asked| asked.at.elapsed() < LATELY || Some(asked.at) == last);
        if asked.len() < before {
            for member in self.now.load().iter() {
                locked(&member.unready).retain(|server| asked.contains_key(server));
            }
        }
        asked.iter().map(|(server, asked)| (server.clone(), asked.clone())).collect()
    }

    /// Asks all agents about servers.
    async fn look(&self, servers: &[(ServerId, Question)]) {
        let all = self.now.load_full();
        if all.len() > 1 {
            futures_util::future::join_all(all.iter().map(|member| member.look(servers))).await;
        }
    }

    /// Has an agent for each address that names have now. An agent that is there already stays as
    /// it is known.
    fn resolved(&self, found: &[Addresses]) {
        let before = self.now.load_full();
        let mut now = Vec::new();
        for (agent, found) in self.given.iter().zip(found) {
            let kept = |address| {
                let is_it = |m: &&Arc<Member>| m.agent.is_same(agent) && m.agent.address() == address;
                before.iter().find(is_it).cloned()
            };
            match found {
                Addresses::One => now.push(kept(None).unwrap_or_else(|| Member::new(agent.clone()))),
                Addresses::Several(addresses) => {
                    for address in addresses {
                        let member =
                            kept(Some(*address)).map_or_else(|| agent.at(*address).map(Member::new), Ok);
                        match member {
                            Ok(member) => now.push(member),
                            Err(e) => tracing::error!("no client for {address}: {e}"),
                        }
                    }
                }
                Addresses::Unknown => {
                    now.extend(before.iter().filter(|member| member.agent.is_same(agent)).cloned());
                }
            }
        }
        let is_same =
            now.len() == before.len() && now.iter().zip(before.iter()).all(|(a, b)| Arc::ptr_eq(a, b));
        if !is_same && !now.is_empty() {
            let named: Vec<String> = now.iter().map(|member| member.agent.named()).collect();
            tracing::info!("agents are now: {}", named.join(", "));
            self.now.store(Arc::new(now));
        }
    }

    /// Watched by nobody but the test.
    #[cfg(test)]
    pub(super) fn by_hand(self) -> Self {
        self.watched.store(true, Ordering::Relaxed);
        self
    }

    /// What the agents are called now.
    #[cfg(test)]
    pub(super) fn named(&self) -> Vec<String> {
        self.now.load().iter().map(|member| member.agent.named()).collect()
    }

    /// Asks all of them once about the servers of which something was asked.
    #[cfg(test)]
    pub(super) async fn look_once(&self) {
        self.look(&self.lately()).await;
    }

    /// Looks what addresses names have.
    pub(super) async fn resolve(&self) {
        let found = futures_util::future::join_all(self.given.iter().map(|agent| self.names.of(agent))).await;
        self.resolved(&found);
    }
}

/// With which of so many a statement begins: all its questions go to the same.
fn first(request: &RequestId, of: usize) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(request.as_str());
    usize::try_from(hash % of as u64).unwrap_or(0)
}

/// Asks each agent again and again, until nobody has the pool any more.
async fn watch(pool: Weak<Members>) {
    let mut resolved: Option<Instant> = None;
    loop {
        let Some(members) = pool.upgrade() else { return };
        if resolved.is_none_or(|at| at.elapsed() >= Names::INTERVAL) {
            members.resolve().await;
            resolved = Some(Instant::now());
        }
        let servers = members.lately();
        members.look(&servers).await;
        drop(members);
        let many = u32::try_from(servers.len()).unwrap_or(u32::MAX);
        sleep(INTERVAL.max(INTERVAL.saturating_mul(many) / PACE)).await;
    }
}
