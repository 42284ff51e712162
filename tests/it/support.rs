//! What the tests on the wire share: an agent that answers by a script, a shim before it, and a
//! MySQL client that shows every byte.

mod agent;
mod client;
mod outcome;
mod replies;

pub use agent::{Agent, Certificates, certificates, self_signed};
pub use client::Raw;
use dbtrail_shim::agent_client::{self, AgentClient, AgentPool, Caller};
use dbtrail_shim::plan::guard;
use dbtrail_shim::server;
use dbtrail_shim::session::{self, Credential, Tenant};
use dbtrail_shim::wire::connection::{Shared, Tls};
use dbtrail_shim::wire::error::{self, Unreachable};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::zone::Zone;
pub use outcome::{ErrPacket, Outcome, cells, error};
pub use replies::{Reply, Request, Then, three_events, three_rows};
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// No step of a test on loopback takes as long as this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a future, but not for ever.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("{what}: nothing came for {PATIENCE:?}"))
}

/// How many times a test repeats what it makes up: `.ci/run fast` takes every tenth.
pub fn rounds(all: usize) -> usize {
    all / every()
}

/// Of what a test has recorded, each or every tenth is tried, for the same reason.
pub fn every() -> usize {
    if std::env::var_os("DBTRAIL_TEST_QUICK").is_some() { 10 } else { 1 }
}

/// What sessions may do in a test that is about something else.
pub fn session_settings() -> session::SessionSettings {
    session::SessionSettings {
        server_version: "8.0.36".to_owned(),
        max_diff_window: Duration::from_secs(3600),
        guard: guard::PlanSettings::of_keys(1000),
        orm_forms: false,
        max_packet: 1 << 20,
        max_connections: 10,
        max_prepared_statements: 100,
        memory: session::MemoryLimits { all: 64 << 20, user: 32 << 20 },
        compute: dbtrail_expression::Limits::default(),
    }
}

/// The table of the scripted agent, as the inside of a JSON object.
pub const COLUMNS: &str = r#""columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},{"name":"v","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["id"]"#;

/// A statement about it whose instant is long past, for tenants that have a current database.
pub const FLASHBACK: &str = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id IN (1, 2, 3)";
/// The same of more rows than can be counted here.
pub const RANGE: &str = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE id BETWEEN 0 AND 2147483647";
/// The same of a window.
pub const DIFF: &str =
    "SELECT * FROM _diff.t BETWEEN '2020-01-01 00:00:00' AND '2020-01-01 00:30:00' WHERE id = 1";

/// A shim that runs in this process.
pub struct Shim {
    pub port: u16,
    pub stop: CancellationToken,
    pub task: tokio::task::JoinHandle<()>,
}

/// How the shim of a test is set up.
pub struct Plan {
    pub agent_url: String,
    /// Others that keep the same history.
    pub more_agents: Vec<String>,
    pub authority: Option<String>,
    pub max_connections: usize,
    pub max_prepared_statements: usize,
    pub max_packet: usize,
    pub guard: guard::PlanSettings,
    pub memory: session::MemoryLimits,
    pub orm_forms: bool,
    pub shutdown_grace: Duration,
    pub threads: server::Threads,
    pub tls: Tls,
    /// How many more tenants there are: `t0`, `t1`...
    pub tenants: usize,
}

impl Plan {
    pub fn before(agent: &Agent, made: &Certificates) -> Self {
        Self::at(format!("https://localhost:{}", agent.port), made)
    }

    pub fn at(agent_url: String, made: &Certificates) -> Self {
        Self {
            agent_url,
            more_agents: Vec::new(),
            authority: Some(made.authority.clone()),
            tls: Tls::Off,
            max_connections: 10,
            max_prepared_statements: 10,
            max_packet: 1 << 20,
            guard: guard::PlanSettings::of_keys(1000),
            memory: session::MemoryLimits { all: 64 << 20, user: 32 << 20 },
            orm_forms: false,
            shutdown_grace: Duration::from_millis(10),
            threads: server::Threads::Shared,
            tenants: 0,
        }
    }

    /// Tenants `a` and `b`, passwords `secret-a` and `secret-b`, servers `server-a` and `server-b`,
    /// tokens `token-a` and `token-b`. The first has the default schema `tt`; the second none, and
    /// may use `tt` alone. More tenants are like both, with no default schema and no limits. The
    /// monitor's user is `monitor`, its password `secret-monitor`.
    pub async fn start(self) -> Shim {
        let ca_pem = self.authority.map(String::into_bytes);
        let client = |base_url| {
            let (ca_pem, identity_pem) = (ca_pem.clone(), None);
            let settings = agent_client::AgentSettings { base_url, ca_pem, identity_pem };
            AgentClient::new(&settings).expect("a client")
        };
        let urls = [self.agent_url].into_iter().chain(self.more_agents);
        let pool = AgentPool::new(urls.map(client).collect());
        let tenant = |user: &str, default_schema: Option<&str>, allowed_schemas: Option<Vec<String>>| {
            let tenant = Tenant {
                mysql_user: user.to_owned(),
                credential: Credential::Password(Secret::new(format!("secret-{user}"))),
                server_id: ServerId(format!("server-{user}")),
                agent: pool.clone(),
                caller: Caller { tenant: user.to_owned(), token: Some(Secret::new(format!("token-{user}"))) },
                default_schema: default_schema.map(str::to_owned),
                allowed_schemas,
                time_zone: Zone::utc(),
            };
            (user.to_owned(), Arc::new(tenant))
        };
        let session = session::SessionSettings {
            guard: self.guard,
            orm_forms: self.orm_forms,
            max_packet: self.max_packet,
            max_connections: self.max_connections,
            max_prepared_statements: self.max_prepared_statements,
            memory: self.memory,
            ..session_settings()
        };
        let shared = Shared {
            tenants: [tenant("a", Some("tt"), None), tenant("b", None, Some(vec!["tt".to_owned()]))]
                .into_iter()
                .chain((0..self.tenants).map(|n| tenant(&format!("t{n}"), None, None)))
                .collect(),
            monitor: Some(("monitor".to_owned(), Secret::new("secret-monitor".to_owned()))),
            tls: self.tls,
            session: Arc::new(session),
            errors: error::ErrorSettings { plain_1064: false, unreachable: Unreachable::Auto },
        };
        let settings = server::ServerSettings {
            shared: Arc::new(shared),
            shutdown_grace: self.shutdown_grace,
            threads: self.threads,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let stop = CancellationToken::new();
        let task = tokio::spawn(server::serve(listener, Arc::new(settings), stop.clone()));
        Shim { port, stop, task }
    }
}

/// An agent and a shim before it.
pub async fn pair() -> (Agent, Shim) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    (agent, shim)
}

/// The same with a shim whose connections run on these threads.
pub async fn pair_on(threads: server::Threads) -> (Agent, Shim) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { threads, ..Plan::before(&agent, &made) }.start().await;
    (agent, shim)
}

/// The same of ranges of any length, and so answers of any length.
pub async fn wide_pair() -> (Agent, Shim) {
    let (made, guard) = (certificates("localhost", false), guard::PlanSettings::of_keys(u64::MAX));
    let agent = Agent::start(&made).await;
    let shim = Plan { guard, ..Plan::before(&agent, &made) }.start().await;
    (agent, shim)
}

impl Shim {
    /// The client of packets, logged in.
    pub async fn raw(&self, user: &str) -> Raw {
        let mut raw = Raw::connect(self.port).await;
        let ok = raw.login(user, &format!("secret-{user}"), None).await;
        assert_eq!(ok.first(), Some(&0), "{ok:?}");
        raw
    }
}
