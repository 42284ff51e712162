//! Threads that run connections, each with a poller of its own.
//!
//! The workers of a runtime share one poller. That serves tasks that hardly compute: but a
//! statement that is answered inside of this process computes, and reads the disk, in the thread
//! that runs its connection, and while every worker does so, or has gone to sleep because there was
//! nothing else to take, nobody hears that another statement has come. Here the kernel wakes the
//! one thread that waits for it. There are more of them than cores, so that there is another one to
//! run while some read the disk. Knows nothing of what it runs.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// Threads a core.
const A_CORE: usize = 4;
/// The least and the most of them; no fewer than cores, however many these are.
const LEAST: usize = 8;
const MOST: usize = 64;

/// A set of such threads; they end when it is dropped, and with them what still runs there.
#[derive(Debug)]
pub(super) struct ConnectionThreads(Vec<ConnectionThread>);

#[derive(Debug)]
struct ConnectionThread {
    runtime: Handle,
    /// Connections that it runs.
    load: Arc<AtomicUsize>,
    /// The thread ends when this is dropped.
    _open: oneshot::Sender<()>,
}

/// Counts a connection of a loop for as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many threads on so many cores.
fn threads(cores: usize) -> usize {
    (cores * A_CORE).clamp(LEAST, MOST).max(cores)
}

impl ConnectionThreads {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives no thread or no poller.
    pub(super) fn start() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        (0..threads(cores)).map(ConnectionThread::start).collect::<io::Result<_>>().map(Self)
    }

    /// Runs a connection in the loop that has the fewest.
    ///
    /// # Errors
    /// The socket cannot be taken from the runtime that has accepted it.
    pub(super) fn run<F, R>(&self, socket: tokio::net::TcpStream, connection: F) -> io::Result<()>
    where
        F: FnOnce(tokio::net::TcpStream) -> R + Send + 'static,
        R: Future<Output = ()> + Send,
    {
        let Some(chosen) = self.0.iter().min_by_key(|l| l.load.load(Ordering::Relaxed)) else {
            return Err(io::Error::other("there is no thread to run it"));
        };
        let socket: TcpStream = socket.into_std()?;
        chosen.load.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(Arc::clone(&chosen.load));
        chosen.runtime.spawn(async move {
            let _counted = counted;
            match tokio::net::TcpStream::from_std(socket) {
                Ok(socket) => connection(socket).await,
                Err(error) => tracing::warn!(%error, "a connection could not be taken over"),
            }
        });
        Ok(())
    }
}

impl ConnectionThread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime: Runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (open, closed) = oneshot::channel();
        let thread = std::thread::Builder::new().name(format!("connections-{number}"));
        thread.spawn(move || {
            // Either end of the channel says the same: the set is gone.
            let _ = runtime.block_on(closed);
        })?;
        Ok(Self { runtime: handle, load: Arc::default(), _open: open })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Mutex;
    use std::thread::ThreadId;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn there_are_more_threads_than_cores_within_reason() {
        assert_eq!([1, 2, 4, 16, 64, 100].map(threads), [8, 8, 16, 64, 64, 100]);
    }

    /// Opens a connection, and gives both of its ends.
    async fn pair(listener: &TcpListener) -> (tokio::net::TcpStream, tokio::net::TcpStream) {
        let client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn as_many_as_there_are_threads_may_block() {
        let connection_threads = ConnectionThreads::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seen: Arc<Mutex<HashSet<ThreadId>>> = Arc::default();
        // Each waits for all, and blocks its thread with that.
        let all = connection_threads.0.len();
        let barrier = Arc::new(std::sync::Barrier::new(all));
        let mut clients = Vec::new();
        for _ in 0..all {
            let (client, server) = pair(&listener).await;
            clients.push(client);
            let (seen, barrier) = (Arc::clone(&seen), Arc::clone(&barrier));
            let answer = move |mut socket: tokio::net::TcpStream| async move {
                seen.lock().unwrap().insert(std::thread::current().id());
                barrier.wait();
                socket.write_all(b"x").await.unwrap();
            };
            connection_threads.run(server, answer).unwrap();
        }
        for mut client in clients {
            let answered = tokio::time::timeout(Duration::from_secs(20), client.read_u8()).await;
            assert_eq!(answered.unwrap().unwrap(), b'x');
        }
        assert_eq!(seen.lock().unwrap().len(), all, "each had a thread of its own");
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while connection_threads.0.iter().any(|l| l.load.load(Ordering::Relaxed) > 0) {
            assert!(std::time::Instant::now() < end, "an ended connection still counts");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_runs_ends_with_its_threads() {
        let connection_threads = ConnectionThreads::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut client, server) = pair(&listener).await;
        let wait = |mut socket: tokio::net::TcpStream| async move {
            socket.write_all(b"x").await.unwrap();
            std::future::pending::<()>().await;
        };
        connection_threads.run(server, wait).unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'x');
        drop(connection_threads);
        let closed = tokio::time::timeout(Duration::from_secs(20), client.read(&mut [0])).await;
        assert_eq!(closed.unwrap().unwrap(), 0);
    }
}
