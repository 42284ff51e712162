//! The listening socket, the connections and their end.

use crate::failure::Failure;
use crate::session::{Connections, Process};
use crate::wire::connection::{self, Place, Shared};
use crate::wire::handle::Handle;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod loops;

use loops::Loops;

/// Which threads run the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Those of the runtime that [`serve`] is called in: for statements that wait for an agent elsewhere.
    Shared,
    /// Threads of their own: for statements that are answered inside of this process.
    Own,
}

/// What the server is told.
#[derive(Debug)]
pub struct Settings {
    /// What all connections share.
    pub shared: Arc<Shared>,
    /// How long running statements may go on after the server was told to stop.
    pub shutdown_grace: Duration,
    /// Where the connections run.
    pub threads: Threads,
}

/// The live connections.
#[derive(Debug)]
struct Registry {
    handles: Mutex<HashMap<u32, Arc<Handle>>>,
    started: Instant,
    next: Mutex<u32>,
    /// Statements since the start.
    asked: AtomicU64,
}

impl Registry {
    fn handles(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Arc<Handle>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no live connection has.
    fn enter(&self, handle: &Arc<Handle>) -> u32 {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mut handles = self.handles();
        loop {
            *next = next.wrapping_add(1).max(1);
            if let std::collections::hash_map::Entry::Vacant(e) = handles.entry(*next) {
                e.insert(Arc::clone(handle));
                return *next;
            }
        }
    }
}

/// Gives a connection's number and its place back, also where its task ends in a panic.
struct Leave {
    registry: Arc<Registry>,
    id: u32,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.registry.handles().remove(&self.id);
    }
}

impl Connections for Registry {
    fn kill(&self, id: u64, query_only: bool, user: &str) -> Result<(), Failure> {
        let handle = u32::try_from(id)
            .ok()
            .and_then(|id| self.handles().get(&id).cloned())
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

    fn figures(&self) -> (u64, u64, u64) {
        (self.handles().len() as u64, self.asked.load(Ordering::Relaxed), self.started.elapsed().as_secs())
    }

    fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    fn processes(&self, user: &str) -> Vec<Process> {
        let handles: Vec<(u32, Arc<Handle>)> =
            self.handles().iter().map(|(id, handle)| (*id, Arc::clone(handle))).collect();
        handles.into_iter().filter_map(|(id, handle)| handle.process(id, user)).collect()
    }
}

/// Accepts connections until `stop`; then idle ones end at once, and statements that run have the grace period.
pub async fn serve(listener: TcpListener, settings: Arc<Settings>, stop: CancellationToken) {
    let registry = Arc::new(Registry {
        handles: Mutex::default(),
        started: Instant::now(),
        next: Mutex::new(0),
        asked: AtomicU64::new(0),
    });
    let tasks = TaskTracker::new();
    let loops = match settings.threads {
        Threads::Shared => None,
        Threads::Own => Loops::start()
            .inspect_err(|error| tracing::warn!(%error, "connections get no threads of their own: they share those of all else"))
            .ok(),
    };
    let most = settings.shared.session.max_connections;
    loop {
        let (socket, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors: others must end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let open = registry.handles().len();
        // Those who are over the limit are told so at login; a crowd of them is not even let in.
        if open >= most.saturating_mul(2).saturating_add(64) {
            continue;
        }
        let handle = Arc::new(Handle::default());
        let id = registry.enter(&handle);
        let others: Arc<dyn Connections> = Arc::clone(&registry) as Arc<dyn Connections>;
        let full = (open >= most).then_some(most as u64);
        let place = Place { id, host: peer.ip().to_string(), handle, connections: others, full };
        let (shared, registry) = (Arc::clone(&settings.shared), Arc::clone(&registry));
        let (leave, running) = (Leave { registry, id }, tasks.token());
        let connection = move |socket| async move {
            let _ended = (leave, running);
            connection::serve(socket, shared, place).await;
        };
        if let Some(loops) = &loops {
            if let Err(error) = loops.run(socket, connection) {
                tracing::warn!(%error, "a connection could not be handed to its thread");
            }
        } else {
            tokio::spawn(connection(socket));
        }
    }
    drop(listener);
    tasks.close();
    for handle in registry.handles().values() {
        handle.drain.cancel();
    }
    if tokio::time::timeout(settings.shutdown_grace, tasks.wait()).await.is_err() {
        // The others have only not closed their end of a connection that was told to end.
        let statements = registry.handles().values().filter(|handle| handle.works()).count();
        if statements > 0 {
            tracing::warn!(
                statements,
                "statements still ran when the grace period was over: they are cancelled"
            );
        }
        for handle in registry.handles().values() {
            handle.end.cancel();
        }
        tasks.wait().await;
    }
}
