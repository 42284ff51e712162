//! One connection, from the greeting to its end ([Connection
//! Lifecycle](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_lifecycle.html)).

mod answer;
mod commands;
mod form;
mod live;
mod login;
mod prepared;
mod work;

use super::error;
use super::gone::Gone;
use super::handle::Handle;
use super::log;
use super::status::limits;
use crate::failure::Failure;
use crate::session;
use crate::session::Cipher;
use crate::session::Connections;
use crate::session::Session;
use crate::session::Tenant;
use crate::telemetry::figures;
use crate::telemetry::metrics::{Code, metrics};
use dbtrail_mysql_wire::auth::Scramble;
use dbtrail_mysql_wire::columns;
use dbtrail_mysql_wire::compress::Algorithm;
use dbtrail_mysql_wire::constants::CapabilityFlags;
use dbtrail_mysql_wire::packets::Packets;
use dbtrail_mysql_wire::results;
use dbtrail_types::names::RequestId;
use dbtrail_types::secret::Secret;
use dbtrail_types::trace::{self, Span};
use form::Form;
pub use live::Live;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use work::Work;

/// For a login.
const LOGIN_TIME: Duration = Duration::from_secs(10);
/// For a peer that is turned away to take the reason and to go.
const LINGER: Duration = Duration::from_secs(2);

/// TLS on the port of the protocol.
#[derive(Clone, Debug)]
pub enum Tls {
    /// Not offered.
    Off,
    /// Offered; who does not want it goes on without.
    Offered(Arc<rustls::ServerConfig>),
    /// Who does not want it is turned away.
    Required(Arc<rustls::ServerConfig>),
}

/// What all connections share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Tenants by MySQL user name.
    pub tenants: HashMap<String, Arc<Tenant>>,
    /// The monitor's user and password.
    pub monitor: Option<(String, Secret)>,
    /// TLS.
    pub tls: Tls,
    /// What sessions are given.
    pub session: Arc<session::SessionSettings>,
    /// How failures are numbered.
    pub errors: error::ErrorSettings,
}

/// What the server gives a connection.
#[derive(Debug)]
pub struct ConnectionContext {
    /// The connection id that the client sees.
    pub id: u32,
    /// The peer's address without port.
    pub host: String,
    /// How it is reached.
    pub handle: Arc<Handle>,
    /// The other connections, for KILL and SHOW PROCESSLIST.
    pub connections: Arc<dyn Connections>,
}

struct Connection {
    live: Arc<Live>,
    /// As it was at the last command.
    shared: Arc<Shared>,
    context: ConnectionContext,
    packets: Packets,
    capabilities: CapabilityFlags,
    /// That of the greeting. An AuthSwitchRequest and COM_CHANGE_USER go on with it, as in mysqld:
    /// libmariadb answers both with it whatever the switch says.
    scramble: Scramble,
    /// The port that the client reached.
    port: u16,
    encrypted: Option<Cipher>,
    compression: Option<Algorithm>,
    written: columns::Written,
    cannot_carry_2002: bool,
    /// A connection of ProxySQL's pool.
    pooled: bool,
    /// Who asked to be let in last, for the log.
    asked: String,
}

/// Speaks with one client until it goes.
pub async fn serve(socket: TcpStream, live: Arc<Live>, context: ConnectionContext) {
    let (_connected, began, id) = (metrics().connected(), Instant::now(), context.id);
    // Answers are small: waiting to fill segments would only delay them.
    let _ = socket.set_nodelay(true);
    let port = socket.local_addr().map_or(0, |address| address.port());
    let end = context.handle.end.clone();
    let scramble = match Scramble::new() {
        Ok(scramble) => scramble,
        Err(error) => return tracing::error!(%error, "a connection is turned away"),
    };
    let mut connection = Connection {
        shared: live.load(),
        live,
        context,
        packets: Packets::new(Box::new(socket), 0, limits(session::Network::default())),
        capabilities: CapabilityFlags::empty(),
        scramble,
        port,
        encrypted: None,
        compression: None,
        written: columns::Written::default(),
        cannot_carry_2002: false,
        pooled: false,
        asked: String::new(),
    };
    tokio::select! {
        () = connection.run() => {}
        () = end.cancelled() => {}
    }
    trace::record(|| {
        Span::new("connection".to_owned(), log::connection_trace(id), began.elapsed())
            .number("dbtrail.connection", u64::from(id))
            .text("client.address", connection.context.host.as_str())
            .text("user.name", connection.asked.as_str())
    });
}

impl Connection {
    async fn run(&mut self) {
        // On the heap, so that an idle connection holds nothing of its login.
        let Some(mut session) = Box::pin(self.let_in()).await else { return };
        if let Some(algorithm) = self.compression {
            self.packets.compress(algorithm);
        }
        match self.commands(&mut session).await {
            Ok(()) | Err(Gone::Closed) => {}
            // Until the client has seen it: a server that drains ends the next one then.
            Err(Gone::Left) => drop(tokio::time::timeout(LINGER, self.packets.linger()).await),
            Err(Gone::Refused(failure)) => {
                let login = matches!(
                    failure,
                    Failure::UnknownTenant(_) | Failure::AccessDenied { .. } | Failure::Full { .. }
                );
                Box::pin(self.refuse(&failure, login)).await;
            }
        }
    }

    /// The login within its time; `None`: there is none, and the client knows why where it could
    /// be said.
    async fn let_in(&mut self) -> Option<Session> {
        match tokio::time::timeout(LOGIN_TIME, self.login()).await {
            Ok(Ok(Some(session))) => {
                metrics().login("let_in", Code::Ended(0));
                return Some(session);
            }
            Ok(Err(Gone::Refused(failure))) => self.refuse(&failure, true).await,
            Ok(Ok(None)) => {}
            Ok(Err(Gone::Closed | Gone::Left)) | Err(_) => metrics().login("abandoned", Code::Ended(0)),
        }
        None
    }

    fn refused_login(&self, failure: &Failure) {
        let error = error::of(failure, self.shared.errors, self.cannot_carry_2002, None);
        metrics().login("refused", Code::Ended(error.code));
        figures::refused(&self.asked);
        log::refused_login(self.context.id, &self.asked, &self.context.host, failure, &error);
    }

    /// The last packet of a connection; `login`: it refuses one.
    async fn refuse(&mut self, failure: &Failure, login: bool) {
        if login {
            self.refused_login(failure);
        }
        // How long a packet of a login may be is in no configuration.
        if let Some(limit) = log::limit(failure).filter(|limit| !login || *limit != "max_packet") {
            metrics().limit(limit);
            figures::limit(&self.asked, limit);
        }
        // A peer that does not take it is not waited for.
        let last = async {
            if self.fail(failure, None).await.is_ok() {
                let _ = self.packets.linger().await;
            }
        };
        let _ = tokio::time::timeout(LINGER, last).await;
    }

    async fn fail(&mut self, failure: &Failure, request: Option<&RequestId>) -> Result<(), Gone> {
        let error = error::of(failure, self.shared.errors, self.cannot_carry_2002, request);
        self.packets.write(&results::err(error.code, error.state, &error.message)).await?;
        Ok(())
    }

    /// What was reloaded since the last command holds for the next one. The end: the session's
    /// tenant is gone.
    fn take_up(&mut self, session: &mut Session) -> Result<(), Gone> {
        let Some(shared) = self.live.newer(&self.shared) else { return Ok(()) };
        let Some(role) = shared.role_of(session.identity()) else { return Err(Gone::Closed) };
        session.take_up(role, Arc::clone(&shared.session));
        self.context.handle.identify(session.identity());
        self.shared = shared;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_holds_nothing_of_what_a_command_needs() {
        let bytes = size_of_future(serve);
        assert!(bytes <= 2048, "the task of a connection has {bytes} bytes");
    }
}
