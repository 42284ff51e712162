//! The listening socket, the connections and their end.

use crate::session::Connections;
use crate::wire::connection::{self, ConnectionContext, Live, Shared};
use crate::wire::handle::Handle;
use futures_util::FutureExt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod connection_threads;
mod listening;
mod registry;

use connection_threads::ConnectionThreads;
pub use listening::{Port, listen};
use registry::{Limits, Registry};

/// How long ProxySQL's connections are served while the server drains: it pings those that it does
/// not use every ten seconds (`mysql-ping_interval_server_msec`), and drops them when that fails.
const LAST_PINGS: Duration = Duration::from_secs(12);

/// For ProxySQL to see the end of one of those that are left then, before the next one ends.
const LEAVE_PAUSE: Duration = Duration::from_secs(2);

/// For the statement that saw it to get its answer on another connection, which must not end
/// meanwhile.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// How long a connection that is cancelled has to reach a point at which it ends.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Which threads run the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Those of the runtime that [`serve`] is called in: for statements that wait for an agent
    /// elsewhere.
    Shared,
    /// Threads of their own: for statements that are answered inside of this process.
    Dedicated,
}

/// The settings of the server.
#[derive(Debug)]
pub struct ServerSettings {
    /// What all connections share.
    pub shared: Arc<Shared>,
    /// How long running statements may go on after the server was told to stop.
    pub shutdown_grace: Duration,
    /// Where the connections run.
    pub threads: Threads,
}

/// Gives a connection's number and its slot back, also where its task ends in a panic.
struct Leave {
    registry: Arc<Registry>,
    id: u32,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.registry.leave(self.id);
    }
}

/// Accepts connections until `stop`, which is cancelled too where this ends by itself; then idle
/// ones end at once, and statements that run have the grace period. Connections of a ProxySQL's
/// pool refuse pings from then on and answer statements until the last pings must have come, or
/// half of the grace period is over.
pub async fn serve(listener: TcpListener, settings: Arc<ServerSettings>, stop: CancellationToken) {
    let live = Arc::new(Live::new(Arc::clone(&settings.shared)));
    run(listener, live, settings.shutdown_grace, settings.threads, stop).await;
}

/// The same, where what connections share may be replaced meanwhile: sessions of tenants that are
/// gone end, others go on.
pub async fn run(
    listener: TcpListener,
    live: Arc<Live>,
    shutdown_grace: Duration,
    threads: Threads,
    stop: CancellationToken,
) {
    // A server that nobody can connect to any more ends, and is started again, also where the
    // reason is a bug here.
    let _ended = stop.clone().drop_guard();
    let registry = Arc::new(Registry::new(Limits::of(live.load().session.max_connections)));
    let tasks = TaskTracker::new();
    let connection_threads = match threads {
        Threads::Shared => None,
        Threads::Dedicated => ConnectionThreads::start()
            .inspect_err(|error| tracing::warn!(%error, "connections get no threads of their own: they share those of all else"))
            .ok(),
    };
    let admit = |socket: TcpStream, peer: SocketAddr| {
        let handle = Arc::new(Handle::default());
        let id = registry.arrive(&handle, peer.ip());
        let others: Arc<dyn Connections> = Arc::clone(&registry) as Arc<dyn Connections>;
        let slot = ConnectionContext { id, host: peer.ip().to_string(), handle, connections: others };
        let (live, registry) = (Arc::clone(&live), Arc::clone(&registry));
        let (leave, running) = (Leave { registry, id }, tasks.token());
        let connection = move |socket| async move {
            let _ended = (leave, running);
            Box::pin(connection::serve(socket, live, slot)).await;
        };
        if let Some(connection_threads) = &connection_threads {
            if let Err(error) = connection_threads.run(socket, connection) {
                tracing::warn!(%error, "a connection could not be handed to its thread");
            }
        } else {
            tokio::spawn(connection(socket));
        }
    };
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
            () = live.replaced() => {
                reloaded(&registry, &live.load());
                continue;
            }
            () = stop.cancelled() => break,
        };
        admit(socket, peer);
    }
    // Those that the system has taken already would be reset: they are told, and come again.
    while let Some(Ok((socket, peer))) = listener.accept().now_or_never() {
        admit(socket, peer);
    }
    drop(listener);
    tasks.close();
    for handle in registry.handles() {
        handle.drain.cancel();
    }
    let pings = LAST_PINGS.min(shutdown_grace / 2);
    if tokio::time::timeout(pings, tasks.wait()).await.is_ok() {
        return;
    }
    let rest = shutdown_grace.saturating_sub(pings);
    let begun = Instant::now();
    leave_one_by_one(&registry, rest * 3 / 4).await;
    if tokio::time::timeout(rest.saturating_sub(begun.elapsed()), tasks.wait()).await.is_err() {
        // The others have only not closed their end of a connection that was told to end.
        let statements = registry.handles().iter().filter(|handle| handle.works()).count();
        if statements > 0 {
            tracing::warn!(
                statements,
                "statements still ran when the grace period was over: they are cancelled"
            );
        }
        for handle in registry.handles() {
            handle.end.cancel();
        }
        if tokio::time::timeout(LAST_WAIT, tasks.wait()).await.is_err() {
            tracing::warn!(
                connections = tasks.len(),
                "connections did not end though they were asked to: the server ends without them"
            );
        }
    }
}

/// Ends the connections of ProxySQL's pool, each when the end of the one before has been seen, or
/// not for long, in this time: a statement that meets an ended connection is tried once more, on
/// another one, which must not have ended unseen too.
async fn leave_one_by_one(registry: &Registry, time: Duration) {
    let until = Instant::now() + time;
    let mut left = registry.handles();
    // One in use is soon used again, and its end seen; one in no use is pinged before its turn.
    left.sort_by_cached_key(|handle| handle.active_since());
    while let Some(next) = left.pop() {
        if next.over.is_cancelled() {
            continue;
        }
        next.leave.cancel();
        let time = until.saturating_duration_since(Instant::now());
        let share = time / u32::try_from(left.len() + 1).unwrap_or(u32::MAX);
        let retry = RETRY_PAUSE.min(share / 2);
        let _ =
            tokio::time::timeout(LEAVE_PAUSE.min(share.saturating_sub(retry)), next.over.cancelled()).await;
        tokio::time::sleep(retry).await;
    }
}

/// What connections share was replaced: there may be more of them, or fewer, and those whose tenant
/// is gone end.
fn reloaded(registry: &Registry, shared: &Shared) {
    registry.limit(Limits::of(shared.session.max_connections));
    let gone = registry
        .handles()
        .into_iter()
        .filter(|handle| handle.identity().is_some_and(|identity| shared.role_of(&identity).is_none()));
    let ended = gone.inspect(|handle| handle.end.cancel()).count();
    if ended > 0 {
        tracing::info!(connections = ended, "sessions of tenants that are gone are ended");
    }
}
