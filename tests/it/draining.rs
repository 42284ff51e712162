//! A shim that is told to stop, behind a pool that does what ProxySQL's was seen to do: it takes
//! any free connection unasked, pings those that it does not use, drops one whose ping fails, takes
//! an error that nobody asked for as the answer to its next statement, and tries a statement once
//! more, on another connection, where the first one ended without a word.

use super::program::{Bare, Program, chain, said};
use super::support::{Agent, Plan, Raw, Reply, certificates, error, soon};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

const GRACE: Duration = Duration::from_secs(8);
const PING: Duration = Duration::from_millis(500);
const BUSY: usize = 8;
const IDLE: usize = 20;

struct Pooled {
    raw: Raw,
    used: Instant,
}

struct Pool {
    /// User and password.
    account: (&'static str, &'static str),
    ports: Vec<u16>,
    free: Mutex<Vec<Pooled>>,
    /// Statements that were tried once more.
    again: AtomicUsize,
    /// How statements failed.
    failed: std::sync::Mutex<Vec<&'static str>>,
    answered: AtomicUsize,
}

impl Pool {
    fn new(account: (&'static str, &'static str), ports: Vec<u16>) -> Self {
        Self {
            account,
            ports,
            free: Mutex::default(),
            again: AtomicUsize::new(0),
            failed: std::sync::Mutex::default(),
            answered: AtomicUsize::new(0),
        }
    }

    /// A new connection, to the first server that takes one.
    async fn open(&self) -> Option<Pooled> {
        for port in &self.ports {
            if tokio::net::TcpStream::connect(("127.0.0.1", *port)).await.is_err() {
                continue;
            }
            let mut raw = Raw::connect(*port).await;
            raw.attributes = vec![("program_name", "proxysql"), ("_client_name", "libmariadb")];
            let (user, password) = self.account;
            if raw.login(user, password, None).await.first() == Some(&0) {
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

    fn fails(&self, how: &'static str) {
        self.failed.lock().expect("no panic").push(how);
    }

    async fn statement(&self) {
        for attempt in 0..2 {
            let free = self.free.lock().await.pop();
            let Some(mut pooled) = (match free {
                Some(pooled) => Some(pooled),
                None => self.open().await,
            }) else {
                return self.fails("no server took a connection");
            };
            match self.tried(&mut pooled).await {
                Some(0xff) => return self.fails("an error"),
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
                None => self.fails("the second connection had ended too"),
            }
        }
    }

    /// Pings what has not been used for a while.
    async fn ping(&self) {
        let due: Vec<Pooled> =
            self.free.lock().await.extract_if(.., |pooled| pooled.used.elapsed() >= PING).collect();
        let mut kept = Vec::new();
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

/// A pool in use: busy clients, idle connections, and pings of those.
struct Load {
    pool: Arc<Pool>,
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    async fn start(pool: Pool) -> Self {
        let (pool, over) = (Arc::new(pool), Arc::new(AtomicBool::new(false)));
        for _ in 0..IDLE {
            let pooled = pool.open().await.expect("a connection");
            pool.free.lock().await.push(pooled);
        }
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
        Self { pool, over, tasks }
    }

    fn answered(&self) -> usize {
        self.pool.answered.load(Ordering::Relaxed)
    }

    /// No statement failed while so many shims ended; how many were answered.
    async fn ended(self, shims: usize) -> usize {
        self.over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no panic");
        }
        let pool = self.pool;
        let (failed, again) = (pool.failed.lock().expect("no panic"), pool.again.load(Ordering::Relaxed));
        assert!(failed.is_empty(), "statements failed at the clients: {failed:?}; {again} were tried again");
        // Idle connections went by their pings, and took no statement with them.
        assert!(again <= BUSY * shims, "{again} statements met a connection that had ended");
        pool.answered.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_proxysql_sees_no_error_while_a_shim_drains() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let plan = || Plan { shutdown_grace: GRACE, max_connections: 100, ..Plan::before(&agent, &made) };
    let (old, new) = (plan().start().await, plan().start().await);
    let load = Load::start(Pool::new(("a", "secret-a"), vec![old.port, new.port])).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = load.answered();
    assert!(before > 0);
    old.stop.cancel();
    let begin = Instant::now();
    old.task.await.expect("it ends in good order");
    assert!(begin.elapsed() < GRACE, "{:?}", begin.elapsed());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(load.ended(1).await > before);
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

/// The program is replaced twice: the new one listens on the port of the old one, which is told to
/// end then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_replaced_without_a_failed_statement() {
    let mut chain = chain("reuse_port: \"on\"\nshutdown_grace: 8s\n");
    chain.configure(&chain.yaml.replace("listen: 127.0.0.1:0", &format!("listen: 127.0.0.1:{}", chain.port)));
    let load = Load::start(Pool::new(("app", "pass-word"), vec![chain.port])).await;
    let config = chain.folder.path().join("shim.yaml").to_str().expect("UTF-8").to_owned();
    for _ in 0..2 {
        let before = load.answered();
        let new = Program::start(&["--config", &config]);
        new.line("the shim listens");
        let mut old = std::mem::replace(&mut chain.shim, new);
        tokio::time::sleep(Duration::from_millis(300)).await;
        old.terminate();
        let ended = tokio::task::spawn_blocking(move || old.ended()).await.expect("no panic");
        assert_eq!(ended.code(), Some(0));
        assert!(load.answered() > before);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    load.ended(2).await;
    // Whoever does not share finds the port taken.
    let alone = std::fs::read_to_string(&config).expect("it is there").replace("\"on\"", "\"off\"");
    chain.configure(&alone);
    let (code, _, why) = said(&["--config", &config]);
    assert_eq!(code, Some(1));
    assert!(why.contains("cannot be listened on"), "{why}");
}

/// sd_listen_fds(3): the socket is there before the program, and outlives it.
#[test]
fn a_socket_that_is_passed_is_listened_on() {
    let chain = chain("");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let config = chain.folder.path().join("shim.yaml").to_str().expect("UTF-8").to_owned();
    for _ in 0..2 {
        // Whoever comes before it listens waits.
        let early = std::thread::spawn(move || Bare::login(port, "app", "pass-word", 0).1);
        let mut shim = Program::start_on(&listener, &["--config", &config]);
        assert_eq!(early.join().expect("no panic").first(), Some(&0));
        assert!(shim.line("the shim listens").contains(&format!("127.0.0.1:{port}")));
        shim.terminate();
        assert_eq!(shim.ended().code(), Some(0));
    }
}

/// Whoever waits for a signal would go on as if there were a server.
#[tokio::test]
async fn what_waits_for_a_server_hears_of_its_end() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    drop(shim.raw("a").await);
    assert!(!shim.stop.is_cancelled());
    shim.task.abort();
    soon("the end is told", shim.stop.cancelled()).await;
}
