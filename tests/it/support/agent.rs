//! An agent that answers by a script.

use super::replies::{Reply, Request, Then, three_rows};
use super::{COLUMNS, soon};
use dbtrail_history::serve::tls_config;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, rustls};

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
