//! What the tests on the wire share: an agent that does as it is given to, a shim before it, and a
//! MySQL client that shows every byte.

use dbtrail_history::serve::tls_config;
use dbtrail_shim::agent_client::{self, AgentClient, Caller};
use dbtrail_shim::plan::guard;
use dbtrail_shim::server;
use dbtrail_shim::session::{self, Credential, Tenant};
use dbtrail_shim::wire::connection::{Shared, Tls};
use dbtrail_shim::wire::error::{self, Unreachable};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::zone::Zone;
use mysql_common::scramble::scramble_native;
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;

/// No step of a test on loopback takes as long as this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a future, but not for ever.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("{what}: nothing came for {PATIENCE:?}"))
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

/// The answer to [`FLASHBACK`]: a header, three rows, a trailer.
pub fn three_rows() -> String {
    format!(
        "{{\"success\":true,{COLUMNS}}}\n[\"1\",\"one\"]\n[\"2\",null]\n[\"3\",\"three\"]\n{{\"end\":{{\"rows\":3,\"notes\":[]}}}}\n"
    )
}

/// The answer to [`DIFF`]: a header, three events, a trailer.
pub fn three_events() -> String {
    let event = |id: u8, kind: &str, before: &str, after: &str| {
        format!(
            "{{\"event\":{{\"event_id\":{id},\"event_timestamp\":\"2020-01-01T00:0{id}:00.000000Z\",\"event_type\":\"{kind}\",\"gtid\":null,\"key\":[\"1\"],\"before\":{before},\"after\":{after}}}}}\n"
        )
    };
    let events = [
        event(1, "INSERT", "null", r#"["1","one"]"#),
        event(2, "UPDATE", r#"["1","one"]"#, r#"["1","two"]"#),
        event(3, "DELETE", r#"["1","two"]"#, "null"),
    ];
    format!("{{\"success\":true,{COLUMNS}}}\n{}{{\"end\":{{\"rows\":3,\"notes\":[]}}}}\n", events.concat())
}

/// A request that the agent got.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What the agent does after the bytes that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Waits for the next request.
    KeepAlive,
    /// Ends the connection in order.
    Close,
    /// Resets the connection.
    Reset,
    /// Sends nothing more and waits for the client to leave.
    Wait,
    /// Sends these bytes without end.
    Repeat(&'static [u8]),
}

/// What the agent does with one request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub bytes: Vec<u8>,
    pub then: Then,
}

impl Reply {
    /// A whole HTTP answer.
    pub fn http(status: u16, kind: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { bytes: head.into_bytes(), then: Then::KeepAlive }
    }

    pub fn ndjson(body: &str) -> Self {
        Self::http(200, "application/x-ndjson", body)
    }

    pub fn json(status: u16, body: &str) -> Self {
        Self::http(status, "application/json", body)
    }

    /// The beginning of a body without an announced length, and what follows it.
    pub fn part(status: u16, body: &str, then: Then) -> Self {
        let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-type: application/x-ndjson\r\n\r\n{body}");
        Self { bytes: head.into_bytes(), then }
    }

    /// The same in chunks, the last of which (that of length 0) is missing.
    pub fn chunk(status: u16, body: &str, then: Then) -> Self {
        let mut head = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        if !body.is_empty() {
            head = format!("{head}{:x}\r\n{body}\r\n", body.len());
        }
        Self { bytes: head.into_bytes(), then }
    }

    /// A whole answer of one chunk.
    pub fn chunked(status: u16, body: &str) -> Self {
        let mut reply = Self::chunk(status, body, Then::KeepAlive);
        reply.bytes.extend(b"0\r\n\r\n");
        reply
    }

    /// Nothing at all.
    pub fn nothing(then: Then) -> Self {
        Self { bytes: Vec::new(), then }
    }
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;
type World = dyn Fn(&str) -> Reply + Send + Sync;

struct Inner {
    script: Mutex<Arc<Script>>,
    /// What questions about definitions get instead of the truth.
    metadata: Mutex<Option<Reply>>,
    /// What it knows of schemas, tables and definitions, by the path after `/v1/servers/`.
    world: Mutex<Option<Arc<World>>>,
    requests: Mutex<Vec<Request>>,
    /// How many requests came, and how many clients left before their answer was over.
    figures: watch::Sender<(usize, usize)>,
    /// How many questions about schemas and definitions came.
    questions: watch::Sender<usize>,
}

/// An HTTPS agent that answers questions about definitions truly, and all others as its script
/// says.
pub struct Agent {
    pub port: u16,
    inner: Arc<Inner>,
}

/// Certificates of an agent, and what a client must trust.
pub struct Certificates {
    pub authority: String,
    pub chain: String,
    pub key: String,
}

/// A certificate for a host name by an authority made for it.
pub fn certificates(host: &str, expired: bool) -> Certificates {
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).expect("an authority");
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut leaf = rcgen::CertificateParams::new(vec![host.to_owned()]).expect("parameters");
    if expired {
        leaf.not_before = rcgen::date_time_ymd(2001, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let certificate = leaf.signed_by(&key, &issuer).expect("a certificate");
    Certificates {
        authority: authority_certificate.pem(),
        chain: certificate.pem(),
        key: key.serialize_pem(),
    }
}

/// A certificate that signs itself and says that it is an authority, as `openssl req -x509` makes
/// them.
pub fn self_signed(host: &str, expired: bool) -> Certificates {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut own = rcgen::CertificateParams::new(vec![host.to_owned()]).expect("parameters");
    own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    if expired {
        own.not_before = rcgen::date_time_ymd(2001, 1, 1);
        own.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let pem = own.self_signed(&key).expect("a certificate").pem();
    Certificates { authority: pem.clone(), chain: pem, key: key.serialize_pem() }
}

impl Agent {
    /// Listens on a port of its own.
    pub async fn start(made: &Certificates) -> Self {
        let mut config = rustls::ServerConfig::clone(
            &tls_config(made.chain.as_bytes(), made.key.as_bytes()).expect("TLS"),
        );
        // Bytes of HTTP/1.1 can be written by hand.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let script: Arc<Script> = Arc::new(|_| Reply::ndjson(&three_rows()));
        let figures = watch::Sender::new((0, 0));
        let inner = Arc::new(Inner {
            script: Mutex::new(script),
            metadata: Mutex::default(),
            world: Mutex::default(),
            requests: Mutex::default(),
            figures,
            questions: watch::Sender::new(0),
        });
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, inner) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        let _ = speak(stream, &inner).await;
                    }
                });
            }
        });
        Self { port, inner }
    }

    /// What it does with requests for rows from now on.
    pub fn script(&self, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        *self.inner.script.lock().expect("a lock") = Arc::new(script);
    }

    /// The same reply to each of them.
    pub fn always(&self, reply: Reply) {
        self.script(move |_| reply.clone());
    }

    /// Questions about definitions get this reply.
    pub fn set_metadata(&self, reply: Reply) {
        *self.inner.metadata.lock().expect("a lock") = Some(reply);
    }

    /// What it knows of schemas, tables and definitions from now on.
    pub fn world(&self, world: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.inner.world.lock().expect("a lock") = Some(Arc::new(world));
    }

    /// Questions about definitions get the truth again.
    pub fn truth(&self) {
        *self.inner.metadata.lock().expect("a lock") = None;
    }

    /// All requests until now, those for definitions too.
    pub fn requests(&self) -> Vec<Request> {
        self.inner.requests.lock().expect("a lock").clone()
    }

    /// The last request for rows.
    pub fn last(&self) -> Request {
        self.requests().into_iter().rfind(|r| !r.path.contains("/servers/")).expect("a request for rows")
    }

    /// Waits for so many requests for rows.
    pub async fn asked(&self, count: usize) {
        let mut figures = self.inner.figures.subscribe();
        let enough = figures.wait_for(|(asked, _)| *asked >= count);
        soon("a request at the agent", enough).await.expect("the agent lives");
    }

    /// Waits for so many questions about schemas and definitions.
    pub async fn questions(&self, count: usize) {
        let mut asked = self.inner.questions.subscribe();
        soon("a question at the agent", asked.wait_for(|n| *n >= count)).await.expect("the agent lives");
    }

    /// How many requests for rows came, and how many clients left before the end of their answer.
    pub fn figures(&self) -> (usize, usize) {
        *self.inner.figures.borrow()
    }

    /// Waits until so many clients left before the end of their answer.
    pub async fn left_alone(&self, count: usize) {
        let mut figures = self.inner.figures.subscribe();
        let enough = figures.wait_for(|(_, left)| *left >= count);
        soon("a cancelled request at the agent", enough).await.expect("the agent lives");
    }
}

async fn speak(mut stream: TlsStream<TcpStream>, inner: &Inner) -> std::io::Result<()> {
    let mut input = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = input.windows(4).position(|w| w == b"\r\n\r\n") {
                break input.drain(..end + 4).collect::<Vec<u8>>();
            }
            if stream.read_buf(&mut input).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8(head).expect("a head in ASCII");
        let mut lines = head.lines();
        let path = lines.next().and_then(|l| l.split(' ').nth(1)).expect("a request line").to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|l| l.split_once(':'))
            .map(|(n, v)| (n.to_owned(), v.trim().to_owned()))
            .collect();
        let mut request = Request { path, headers, body: String::new() };
        let length: usize = request.header("content-length").map_or(0, |l| l.parse().expect("a number"));
        while input.len() < length {
            if stream.read_buf(&mut input).await? == 0 {
                return Ok(());
            }
        }
        request.body = String::from_utf8(input.drain(..length).collect()).expect("JSON");
        inner.requests.lock().expect("a lock").push(request.clone());
        let reply = if let Some(rest) = request.path.strip_prefix("/v1/servers/") {
            inner.questions.send_modify(|n| *n += 1);
            let lie = inner.metadata.lock().expect("a lock").clone();
            let world = inner.world.lock().expect("a lock").clone();
            lie.unwrap_or_else(|| world.map_or_else(|| metadata(rest), |world| world(rest)))
        } else {
            inner.figures.send_modify(|(asked, _)| *asked += 1);
            let script = Arc::clone(&inner.script.lock().expect("a lock"));
            script(&request)
        };
        stream.write_all(&reply.bytes).await?;
        stream.flush().await?;
        match reply.then {
            Then::KeepAlive => {}
            Then::Close => return stream.shutdown().await,
            Then::Reset => {
                stream.get_ref().0.set_zero_linger()?;
                return Ok(());
            }
            Then::Wait => {
                // Whatever comes, it is no request: one connection carries one at a time.
                let gone = stream.read(&mut [0; 1]).await;
                if !matches!(gone, Ok(1)) {
                    inner.figures.send_modify(|(_, left)| *left += 1);
                }
                return Ok(());
            }
            Then::Repeat(bytes) => {
                while stream.write_all(bytes).await.is_ok() {}
                inner.figures.send_modify(|(_, left)| *left += 1);
                return Ok(());
            }
        }
    }
}

/// Schemas and definitions: `{server}/schemas` and
/// `{server}/schemas/{schema}/tables/{table}?at=...`.
fn metadata(rest: &str) -> Reply {
    let parts: Vec<&str> = rest.split('?').next().unwrap_or_default().split('/').collect();
    match parts[..] {
        [_, "schemas"] => Reply::json(200, r#"{"success":true,"schemas":["other","tt"]}"#),
        [server, "schemas", schema, "tables", table] => Reply::json(
            200,
            &format!(
                r#"{{"success":true,"server_id":"{server}","schema":"{schema}","table":"{table}",{COLUMNS}}}"#
            ),
        ),
        _ => Reply::json(404, r#"{"success":false,"error":"no such thing","code":"not_found"}"#),
    }
}

/// A shim that runs in this process.
pub struct Shim {
    pub port: u16,
    pub stop: CancellationToken,
    pub task: tokio::task::JoinHandle<()>,
}

/// How the shim of a test is set up.
pub struct Plan {
    pub agent_url: String,
    pub authority: Option<String>,
    pub max_connections: usize,
    pub max_prepared_statements: usize,
    pub max_packet: usize,
    pub guard: guard::PlanSettings,
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
            authority: Some(made.authority.clone()),
            tls: Tls::Off,
            max_connections: 10,
            max_prepared_statements: 10,
            max_packet: 1 << 20,
            guard: guard::PlanSettings::of_keys(1000),
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
        let settings = agent_client::AgentSettings {
            base_url: self.agent_url,
            ca_pem: self.authority.map(String::into_bytes),
            identity_pem: None,
        };
        let client = AgentClient::new(&settings).expect("a client");
        let tenant = |user: &str, default_schema: Option<&str>, allowed_schemas: Option<Vec<String>>| {
            let tenant = Tenant {
                mysql_user: user.to_owned(),
                credential: Credential::Password(Secret::new(format!("secret-{user}"))),
                server_id: ServerId(format!("server-{user}")),
                agent: client.clone(),
                caller: Caller { tenant: user.to_owned(), token: Some(Secret::new(format!("token-{user}"))) },
                default_schema: default_schema.map(str::to_owned),
                allowed_schemas,
                time_zone: Zone::utc(),
            };
            (user.to_owned(), Arc::new(tenant))
        };
        let session = session::SessionSettings {
            server_version: "8.0.36".to_owned(),
            max_diff_window: Duration::from_secs(3600),
            guard: self.guard,
            orm_forms: self.orm_forms,
            max_packet: self.max_packet,
            max_connections: self.max_connections,
            max_prepared_statements: self.max_prepared_statements,
            compute: dbtrail_expression::Limits::default(),
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

/// What came for a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// OK: warnings.
    Done(u16),
    /// A result set that ended well: cells, warnings.
    Rows(Vec<Vec<Option<String>>>, u16),
    /// An error before anything else.
    Error(ErrPacket),
    /// Rows, and then an error.
    Broken(Vec<Vec<Option<String>>>, ErrPacket),
    /// The connection ended without an answer.
    Closed,
}

/// An ERR packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrPacket {
    pub code: u16,
    pub state: String,
    pub message: String,
}

impl ErrPacket {
    /// The word for the cause at the end of the text; empty: there is none.
    pub fn word(&self) -> &str {
        let word = self.message.strip_suffix(']').and_then(|text| text.rsplit_once(" ["));
        word.map_or("", |(_, word)| word)
    }

    /// The request id in the text.
    pub fn request(&self) -> &str {
        let following =
            self.message.rsplit_once(" (request ").unwrap_or_else(|| panic!("no request id: {self:?}")).1;
        following.split(')').next().expect("there is one")
    }

    /// Number, SQLSTATE and text without the request id, which must be there.
    pub fn plain(&self) -> (u16, &str, &str) {
        let (text, id) =
            (self.message.rsplit_once(" (request ").map_or("", |(text, _)| text), self.request());
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        assert!(id.split_once('-').is_some_and(|(c, n)| digits(c) && digits(n)), "{self:?}");
        let following = self.message.rsplit_once(&format!("(request {id})")).expect("it is there").1;
        let word = self.word();
        assert!(following.is_empty() || following == format!(" [{word}]"), "{self:?}");
        (self.code, &self.state, text)
    }
}

/// A MySQL client that knows packets and nothing else: MySQL 4.1 framing, EOF packets,
/// mysql_native_password.
pub struct Raw {
    pub stream: TcpStream,
    pub sequence: u8,
    pub id: u32,
    /// Connect attributes of the login to come.
    pub attributes: Vec<(&'static str, &'static str)>,
    /// Collation id of the login to come.
    pub collation: u8,
    /// CLIENT_DEPRECATE_EOF at the login to come.
    pub deprecate_eof: bool,
    pub scramble: Vec<u8>,
}

/// PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH.
const CAPABILITIES: u32 = 1 << 9 | 1 << 15 | 1 << 19;
const CONNECT_WITH_DB: u32 = 8;
const CONNECT_ATTRS: u32 = 1 << 20;
const DEPRECATE_EOF: u32 = 1 << 24;

impl Raw {
    /// Connects and reads the greeting.
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("a connection");
        let mut raw = Self {
            stream,
            sequence: 0,
            id: 0,
            attributes: Vec::new(),
            collation: 45,
            deprecate_eof: false,
            scramble: Vec::new(),
        };
        let greeting = raw.read().await.expect("a greeting");
        let version = greeting.iter().position(|b| *b == 0).expect("a version") + 1;
        raw.id = u32::from_le_bytes(greeting[version..version + 4].try_into().expect("four bytes"));
        raw.scramble = greeting[version + 4..version + 12].to_vec();
        raw.scramble.extend_from_slice(&greeting[version + 31..version + 43]);
        raw
    }

    /// One payload; `None`: the connection has ended.
    pub async fn read(&mut self) -> Option<Vec<u8>> {
        soon("a packet", async {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head).await.ok()?;
            assert_eq!(head[3], self.sequence, "packets out of order");
            self.sequence = self.sequence.wrapping_add(1);
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(payload)
        })
        .await
    }

    pub async fn write(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short payload").to_le_bytes();
        let mut packet = vec![length[0], length[1], length[2], self.sequence];
        packet.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&packet).await.expect("written");
    }

    /// Logs in; gives the OK or ERR packet.
    pub async fn login(&mut self, user: &str, password: &str, schema: Option<&str>) -> Vec<u8> {
        let mut capabilities = CAPABILITIES;
        if schema.is_some() {
            capabilities |= CONNECT_WITH_DB;
        }
        if !self.attributes.is_empty() {
            capabilities |= CONNECT_ATTRS;
        }
        if self.deprecate_eof {
            capabilities |= DEPRECATE_EOF;
        }
        let mut payload = capabilities.to_le_bytes().to_vec();
        payload.extend_from_slice(&(1_u32 << 24).to_le_bytes());
        payload.push(self.collation);
        payload.extend_from_slice(&[0; 23]);
        payload.extend_from_slice(user.as_bytes());
        payload.push(0);
        let response =
            scramble_native(&self.scramble, password.as_bytes()).map_or(Vec::new(), |r| r.to_vec());
        payload.push(u8::try_from(response.len()).expect("20 bytes"));
        payload.extend_from_slice(&response);
        if let Some(schema) = schema {
            payload.extend_from_slice(schema.as_bytes());
            payload.push(0);
        }
        payload.extend_from_slice(b"mysql_native_password\0");
        if !self.attributes.is_empty() {
            let short = |text: &str| u8::try_from(text.len()).expect("a short text");
            let mut list = Vec::new();
            for (name, value) in &self.attributes {
                list.push(short(name));
                list.extend_from_slice(name.as_bytes());
                list.push(short(value));
                list.extend_from_slice(value.as_bytes());
            }
            payload.push(u8::try_from(list.len()).expect("a short list"));
            payload.extend_from_slice(&list);
        }
        self.write(&payload).await;
        self.login_answer(password).await
    }

    /// The OK or ERR packet of an exchange, through an AuthSwitchRequest if one comes.
    async fn login_answer(&mut self, password: &str) -> Vec<u8> {
        let answer = self.read().await.expect("an answer to the login");
        if answer.first() != Some(&0xfe) {
            return answer;
        }
        let plugin = b"\xfemysql_native_password\0";
        assert!(answer.starts_with(plugin), "{answer:?}");
        let scramble = answer[plugin.len()..].strip_suffix(&[0]).expect("a zero byte").to_vec();
        let response = scramble_native(&scramble, password.as_bytes()).map_or(Vec::new(), |r| r.to_vec());
        self.write(&response).await;
        self.read().await.expect("an answer to the login")
    }

    /// COM_CHANGE_USER; gives the OK or ERR packet.
    pub async fn change_user(&mut self, user: &str, password: &str, schema: &str) -> Vec<u8> {
        self.sequence = 0;
        let mut payload = vec![0x11];
        payload.extend_from_slice(user.as_bytes());
        payload.push(0);
        let response =
            scramble_native(&self.scramble, password.as_bytes()).map_or(Vec::new(), |r| r.to_vec());
        payload.push(u8::try_from(response.len()).expect("20 bytes"));
        payload.extend_from_slice(&response);
        payload.extend_from_slice(schema.as_bytes());
        payload.extend_from_slice(&[0, 45, 0]);
        payload.extend_from_slice(b"mysql_native_password\0");
        self.write(&payload).await;
        self.login_answer(password).await
    }

    /// Sends COM_QUERY and does not wait.
    pub async fn send(&mut self, sql: &str) {
        self.command(3, sql.as_bytes()).await;
    }

    /// Sends a command and does not wait.
    pub async fn command(&mut self, command: u8, payload: &[u8]) {
        self.sequence = 0;
        self.write(&[&[command], payload].concat()).await;
    }

    /// Runs a statement.
    pub async fn query(&mut self, sql: &str) -> Outcome {
        self.send(sql).await;
        self.outcome().await
    }

    /// The rows of a statement that must give some.
    pub async fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self.query(sql).await {
            Outcome::Rows(rows, _) => rows,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The error of a statement that must have one before any row.
    pub async fn err_packet(&mut self, sql: &str) -> ErrPacket {
        match self.query(sql).await {
            Outcome::Error(reported) => reported,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The single cell of a statement.
    pub async fn cell(&mut self, sql: &str) -> Option<String> {
        let rows = self.rows(sql).await;
        assert_eq!((rows.len(), rows.first().map(Vec::len)), (1, Some(1)), "{sql}: {rows:?}");
        rows.into_iter().flatten().next().flatten()
    }

    /// Reads the answer to a statement.
    pub async fn outcome(&mut self) -> Outcome {
        let Some(first) = self.read().await else { return Outcome::Closed };
        match first[0] {
            0 => return Outcome::Done(u16::from_le_bytes([first[5], first[6]])),
            0xff => return Outcome::Error(error(&first)),
            _ => {}
        }
        for _ in 0..=first[0] {
            self.read().await.expect("a column or the end of the columns");
        }
        let mut rows = Vec::new();
        loop {
            let Some(packet) = self.read().await else { return Outcome::Closed };
            match packet[0] {
                0xfe if packet.len() == 5 => {
                    return Outcome::Rows(rows, u16::from_le_bytes([packet[1], packet[2]]));
                }
                0xff => return Outcome::Broken(rows, error(&packet)),
                _ => rows.push(cells(&packet)),
            }
        }
    }

    /// An ERR packet that nobody asked for; `None`: the connection ended without one.
    pub async fn unasked(&mut self) -> Option<ErrPacket> {
        self.sequence = 0;
        self.read().await.map(|packet| error(&packet))
    }

    /// Whether the server has closed the connection.
    pub async fn is_closed(&mut self) -> bool {
        !matches!(soon("the end of the connection", self.stream.read(&mut [0; 1])).await, Ok(1))
    }
}

/// An ERR packet's parts.
pub fn error(packet: &[u8]) -> ErrPacket {
    assert_eq!((packet[0], packet[3]), (0xff, b'#'), "{packet:?}");
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).expect("UTF-8");
    ErrPacket {
        code: u16::from_le_bytes([packet[1], packet[2]]),
        state: text(&packet[4..9]),
        message: text(&packet[9..]),
    }
}

/// The cells of a row, none of which is longer than 64 KiB here.
pub fn cells(mut packet: &[u8]) -> Vec<Option<String>> {
    let mut cells = Vec::new();
    while let Some((first, rest)) = packet.split_first() {
        let (length, rest) = match first {
            0xfb => {
                cells.push(None);
                packet = rest;
                continue;
            }
            0xfc => (usize::from(u16::from_le_bytes([rest[0], rest[1]])), &rest[2..]),
            short => (usize::from(*short), rest),
        };
        cells.push(Some(String::from_utf8(rest[..length].to_vec()).expect("UTF-8")));
        packet = &rest[length..];
    }
    cells
}
