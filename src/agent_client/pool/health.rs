//! Which agents are ready: what they say of themselves, and whether they could be reached.

use crate::agent_client::AgentClient;
use dbtrail_types::names::RequestId;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two questions whether an agent is ready, of those of which there are several.
const INTERVAL: Duration = Duration::from_secs(1);
/// For the answer: an agent that takes longer is not asked for rows first.
const PATIENCE: Duration = Duration::from_secs(2);

/// The agents of a pool.
#[derive(Debug)]
pub(super) struct Members {
    members: Vec<Member>,
    watched: AtomicBool,
}

#[derive(Debug)]
struct Member {
    agent: AgentClient,
    ready: AtomicBool,
}

impl Members {
    /// Taken to be ready until one is seen not to be.
    pub(super) fn new(agents: Vec<AgentClient>) -> Self {
        let member = |agent| Member { agent, ready: AtomicBool::new(true) };
        Self { members: agents.into_iter().map(member).collect(), watched: AtomicBool::new(false) }
    }

    pub(super) fn agents(&self) -> impl Iterator<Item = &AgentClient> {
        self.members.iter().map(|member| &member.agent)
    }

    pub(super) fn agent(&self, index: usize) -> Option<&AgentClient> {
        self.members.get(index).map(|member| &member.agent)
    }

    /// In which order a statement asks them: those that are ready, each statement from another one
    /// on; then the others, since what they say of themselves may be old.
    pub(super) fn order(self: &Arc<Self>, request: &RequestId) -> Vec<usize> {
        let all = 0..self.members.len();
        if all.len() < 2 {
            return all.collect();
        }
        if !self.watched.swap(true, Ordering::Relaxed) {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
        let is_ready = |index: &usize| self.members[*index].ready.load(Ordering::Relaxed);
        let (mut order, others): (Vec<usize>, Vec<usize>) = all.partition(is_ready);
        if !order.is_empty() {
            let first = first(request, order.len());
            order.rotate_left(first);
        }
        order.extend(others);
        order
    }

    /// One could not be reached: it is asked last until it says that it is ready.
    pub(super) fn is_away(&self, index: usize) {
        self.set(index, false);
    }

    fn set(&self, index: usize, ready: bool) {
        let Some(member) = self.members.get(index) else { return };
        if member.ready.swap(ready, Ordering::Relaxed) != ready {
            let url = member.agent.base_url();
            if ready {
                tracing::info!("the agent {url} is ready, and is asked again");
            } else {
                tracing::warn!("the agent {url} is not ready or cannot be reached: others are asked first");
            }
        }
    }
}

/// With which of so many a statement begins: all its questions go to the same.
fn first(request: &RequestId, of: usize) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(request.as_str());
    usize::try_from(hash % of as u64).unwrap_or(0)
}

/// Asks each agent again and again, until nobody has the pool any more.
async fn watch(pool: Weak<Members>) {
    loop {
        let Some(members) = pool.upgrade() else { return };
        let answers = members.agents().map(|agent| timeout(PATIENCE, agent.is_ready()));
        let answers = futures_util::future::join_all(answers).await;
        for (index, answer) in answers.into_iter().enumerate() {
            members.set(index, answer.unwrap_or(false));
        }
        drop(members);
        sleep(INTERVAL).await;
    }
}
