//! Requests for rows at an instant over an HTTP/2 connection of this client's own.
//!
//! hyper's client, which is below reqwest, takes the body of a request only when the connection has
//! opened a stream for its head: two writes, two wake-ups of the agent and a task for every
//! request, which is much beside the work of a look-up. Here head and body are handed over
//! together.
//!
//! Nothing depends on this connection. It is opened after the scenes once an answer came over
//! HTTP/2; where it is missing, or breaks before an answer has begun, the request goes the common
//! way, and the common way says what is wrong. Requests only read: to ask twice changes nothing.

use super::response::came_from;
use super::transport::{CONNECT_TIME, CONNECTION_WINDOW, PING_INTERVAL, PING_TIME, STREAM_WINDOW};
use super::{AgentSettings, SetupError, tls};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use h2::client::{Connection, SendRequest};
use h2::{Ping, RecvStream};
use hyper::Request;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::{pending, poll_fn};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Between an attempt to connect that failed and the next.
const PAUSE: Duration = Duration::from_secs(5);
/// Bytes of the headers of an answer at most.
const HEADERS: u32 = 16 << 10;

/// At most one connection, and how to open it.
#[derive(Debug)]
pub(super) struct H2Pool {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed,
    Opening,
    Open(SendRequest<Bytes>),
}

type Driven = Connection<TlsStream<TcpStream>, Bytes>;

impl H2Pool {
    /// `address`: of the name of the URL the one that is connected to. `None`: the authorities are
    /// the platform's, which reqwest alone knows.
    pub(super) fn new(
        settings: &AgentSettings,
        url: &reqwest::Url,
        address: Option<IpAddr>,
    ) -> Result<Option<Arc<Self>>, SetupError> {
        let Some(pem) = &settings.ca_pem else { return Ok(None) };
        let (Some(host), Some(port), "https") = (url.host_str(), url.port_or_known_default(), url.scheme())
        else {
            return Ok(None);
        };
        // An IPv6 address has brackets in a URL, and in a URL alone.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let Ok(name) = ServerName::try_from(host.clone()) else { return Ok(None) };
        let host = address.map_or(host, |address| address.to_string());
        let mut tls = tls::config(settings, pem)?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Some(Arc::new(Self { host, port, name, tls: Arc::new(tls), state: Mutex::new(State::Closed) })))
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn sender(&self) -> Option<SendRequest<Bytes>> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open(sender) => Some(sender.clone()),
            State::Closed | State::Opening => None,
        }
    }

    /// Sends a request; `None`: there is no connection, or no answer has begun. Dropping the
    /// future, or the body of the answer, resets the stream.
    ///
    /// # Errors
    /// Those of `request`.
    pub(super) async fn send<E>(
        &self,
        request: impl FnOnce() -> Result<Request<()>, E>,
        body: Bytes,
        url: &reqwest::Url,
    ) -> Result<Option<reqwest::Response>, E> {
        let Some(sender) = self.sender() else { return Ok(None) };
        let Ok(mut sender) = sender.ready().await else { return Ok(None) };
        let Ok((answer, mut stream)) = sender.send_request(request()?, false) else { return Ok(None) };
        // The connection's task runs only after this one: it finds both, and writes both at once.
        if stream.send_data(body, true).is_err() {
            return Ok(None);
        }
        Ok(answer.await.ok().map(|answer| came_from(url, answer.map(streamed))))
    }

    /// Opens the connection in the background, unless there is one.
    pub(super) fn open(self: &Arc<Self>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Closed) {
            *state = State::Opening;
            tokio::spawn(live(Arc::downgrade(self)));
        }
    }

    async fn connect(&self) -> Option<(SendRequest<Bytes>, Driven)> {
        let socket = TcpStream::connect((self.host.as_str(), self.port)).await.ok()?;
        // Requests are small: waiting to fill segments would only delay them.
        socket.set_nodelay(true).ok()?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(self.name.clone(), socket).await.ok()?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return None;
        }
        h2::client::Builder::new()
            .enable_push(false)
            .max_header_list_size(HEADERS)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(stream)
            .await
            .ok()
    }
}

/// The life of a connection. It holds the client only while it connects: a client that is dropped
/// takes its connection along.
async fn live(client: Weak<H2Pool>) {
    let connected = match client.upgrade() {
        Some(client) => timeout(CONNECT_TIME, client.connect()).await.ok().flatten(),
        None => return,
    };
    match connected {
        Some((sender, connection)) => {
            if let Some(client) = client.upgrade() {
                client.set(State::Open(sender));
            }
            driven(connection).await;
        }
        None => sleep(PAUSE).await,
    }
    if let Some(client) = client.upgrade() {
        client.set(State::Closed);
    }
}

/// Carries the frames, until the connection breaks or the agent answers no ping.
async fn driven(mut connection: Driven) {
    let pings = connection.ping_pong();
    let silent = async {
        let Some(mut pings) = pings else { return pending().await };
        loop {
            sleep(PING_INTERVAL).await;
            if !matches!(timeout(PING_TIME, pings.ping(Ping::opaque())).await, Ok(Ok(_))) {
                return;
            }
        }
    };
    let carried = async {
        while poll_fn(|context| Poll::Ready(connection.poll_unpin(context))).await.is_pending() {
            woken().await;
            // Whoever is ready to run goes first: what they ask is written together, and what the
            // agent answers them is read together.
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = carried => {}
        () = silent => {}
    }
}

/// Ends when the task is woken the next time.
async fn woken() {
    let mut asleep = true;
    poll_fn(|_| if std::mem::take(&mut asleep) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// The body of an answer. What was read makes room for more: an answer that nobody reads waits at
/// the agent.
fn streamed(mut body: RecvStream) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream::poll_fn(move |context| {
        let next = body.poll_data(context);
        if let Poll::Ready(Some(Ok(data))) = &next {
            // It fails only where more is given back than was taken.
            let _ = body.flow_control().release_capacity(data.len());
        }
        next
    }))
}
