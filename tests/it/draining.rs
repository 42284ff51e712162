//! A shim that is told to stop, behind a pool that does what ProxySQL's was seen to do: it takes
//! any free connection unasked, pings those that it does not use, drops one whose ping fails, takes
//! an error that nobody asked for as the answer to its next statement, and tries a statement once
//! more, on another connection, where the first one ended without a word.

use super::support::{Agent, Plan, Raw, Reply, certificates, error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const GRACE: Duration = Duration::from_secs(4);
const PING: Duration = Duration::from_millis(500);
const BUSY: usize = 8;
const IDLE: usize = 20;

struct Pooled {
    raw: Raw,
    used: Instant,
}

struct Pool {
    ports: Vec<u16>,
    free: Mutex<Vec<Pooled>>,
    /// Statements that were tried once more.
    again: AtomicUsize,
    failed: AtomicUsize,
    answered: AtomicUsize,
}

impl Pool {
    /// A new connection, to the first server that takes one.
    async fn open(&self) -> Option<Pooled> {
        for port in &self.ports {
            if tokio::net::TcpStream::connect(("127.0.0.1", *port)).await.is_err() {
                continue;
            }
            let mut raw = Raw::connect(*port).await;
            raw.attributes = vec![("program_name", "proxysql"), ("_client_name", "libmariadb")];
            if raw.login("a", "secret-a", None).await.first() == Some(&0) {
                return Some(Pooled { raw, used: Instant::now() });
            }
        }
        None
    }

    /// One try: the first byte of the answer, or nothing where the connection has ended.
    async fn tried(&self, pooled: &mut Pooled) -> Option<u8> {
        pooled.raw.sequence = 0;
        let mut packet = vec![9, 0, 0, 0, 3];
        packet.extend_from_slice(b"SELECT 1");
        tokio::io::AsyncWriteExt::write_all(&mut pooled.raw.stream, &packet).await.ok()?;
        pooled.raw.sequence = 1;
        let first = pooled.raw.read().await?[0];
        if first == 0xff {
            return Some(first);
        }
        // The column, the end of columns, the row, the end of rows.
        for _ in 0..4 {
            pooled.raw.read().await?;
        }
        Some(first)
    }

    async fn statement(&self) {
        for attempt in 0..2 {
            let free = self.free.lock().await.pop();
            let Some(mut pooled) = (match free {
                Some(pooled) => Some(pooled),
                None => self.open().await,
            }) else {
                self.failed.fetch_add(1, Ordering::Relaxed);
                return;
            };
            match self.tried(&mut pooled).await {
                Some(0xff) => break,
                Some(_) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    pooled.used = Instant::now();
                    // The last one used is taken first.
                    self.free.lock().await.push(pooled);
                    return;
                }
                None if attempt == 0 => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                }
                None => break,
            }
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Pings what has not been used for a while.
    async fn ping(&self) {
        let (due, rest): (Vec<Pooled>, Vec<Pooled>) =
            self.free.lock().await.drain(..).partition(|p| p.used.elapsed() >= PING);
        let mut kept = rest;
        for mut pooled in due {
            pooled.raw.sequence = 0;
            let ping = [1, 0, 0, 0, 14];
            if tokio::io::AsyncWriteExt::write_all(&mut pooled.raw.stream, &ping).await.is_err() {
                continue;
            }
            pooled.raw.sequence = 1;
            let Some(answer) = pooled.raw.read().await else { continue };
            if answer[0] == 0xff {
                assert_eq!(error(&answer).code, 1053);
                continue;
            }
            pooled.used = Instant::now();
            kept.push(pooled);
        }
        let mut free = self.free.lock().await;
        kept.append(&mut free);
        *free = kept;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_proxysql_sees_no_error_while_a_shim_drains() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let plan = || Plan { shutdown_grace: GRACE, max_connections: 100, ..Plan::before(&agent, &made) };
    let (old, new) = (plan().start().await, plan().start().await);
    let pool = Arc::new(Pool {
        ports: vec![old.port, new.port],
        free: Mutex::default(),
        again: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
    });
    for _ in 0..IDLE {
        let pooled = pool.open().await.expect("a connection");
        pool.free.lock().await.push(pooled);
    }
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..BUSY {
        let (pool, over) = (Arc::clone(&pool), Arc::clone(&over));
        tasks.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                pool.statement().await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }));
    }
    let (pinged, pings_over) = (Arc::clone(&pool), Arc::clone(&over));
    tasks.push(tokio::spawn(async move {
        while !pings_over.load(Ordering::Relaxed) {
            tokio::time::sleep(PING / 5).await;
            pinged.ping().await;
        }
    }));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = pool.answered.load(Ordering::Relaxed);
    assert!(before > 0);
    old.stop.cancel();
    let begin = Instant::now();
    old.task.await.expect("it ends in good order");
    assert!(begin.elapsed() < GRACE, "{:?}", begin.elapsed());
    tokio::time::sleep(Duration::from_millis(500)).await;
    over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("no panic");
    }
    let (failed, again) = (pool.failed.load(Ordering::Relaxed), pool.again.load(Ordering::Relaxed));
    assert_eq!(failed, 0, "statements failed at the clients; {again} were tried again");
    // Idle connections went by their pings, and took no statement with them.
    assert!(again <= BUSY, "{again} statements met a connection that had ended");
    assert!(pool.answered.load(Ordering::Relaxed) > before);
    new.stop.cancel();
}

/// What is not a pool's ends at once, with the reason, as ever.
#[tokio::test]
async fn an_idle_client_is_reported_at_once() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { shutdown_grace: GRACE, ..Plan::before(&agent, &made) }.start().await;
    let mut client = shim.raw("a").await;
    shim.stop.cancel();
    assert_eq!(client.unasked().await.expect("the reason").code, 1053);
    // Whoever stays is waited for, for a moment.
    drop(client);
    let begin = Instant::now();
    shim.task.await.expect("it ends in good order");
    assert!(begin.elapsed() < GRACE / 2);
}
