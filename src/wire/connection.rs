//! One connection, from the greeting to its end ("Connection Lifecycle").

mod prepared;

use super::auth::{self, CACHING_SHA2, Fast, NATIVE, Scramble};
use super::bytes::Bytes;
use super::handshake::{self, Login};
use super::log::{self, Line};
use super::packets::{Gone, Packets};
use super::statements::Statements;
use super::{binary, columns, error, results};
use crate::failure::Failure;
use crate::ident::RequestId;
use crate::reply::Row;
use crate::secret::Secret;
use crate::session::{
    self, About, Answer, Connections, Credential, Identity, Next, ResultCharset, Role, Session, Status,
    Tenant,
};
use futures_util::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Before login: bytes of a packet, and time for all of it.
const LOGIN_PACKET: usize = 64 * 1024;
const LOGIN_TIME: Duration = Duration::from_secs(10);
/// For the agent to say whether the schema of a login exists.
const SCHEMA_TIME: Duration = Duration::from_millis(500);
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
#[derive(Debug)]
pub struct Shared {
    /// Tenants by MySQL user name.
    pub tenants: HashMap<String, Arc<Tenant>>,
    /// The monitor's user and password.
    pub monitor: Option<(String, Secret)>,
    /// TLS.
    pub tls: Tls,
    /// What sessions are told.
    pub session: Arc<session::Settings>,
    /// How failures are numbered.
    pub errors: error::Settings,
}

/// How a connection is reached from outside.
#[derive(Debug, Default)]
pub struct Handle {
    /// The user that is logged in.
    pub user: Mutex<String>,
    /// KILL QUERY.
    pub interrupt: Notify,
    /// KILL CONNECTION, and the end of the server.
    pub end: CancellationToken,
    /// The server drains: an idle connection ends.
    pub drain: CancellationToken,
}

/// What the server gives a connection.
#[derive(Debug)]
pub struct Place {
    /// Its id.
    pub id: u32,
    /// The peer's address without port.
    pub host: String,
    /// How it is reached.
    pub handle: Arc<Handle>,
    /// The others.
    pub connections: Arc<dyn Connections>,
    /// There is no room: the login ends with 1226, which says this limit.
    pub full: Option<u64>,
}

struct Connection {
    shared: Arc<Shared>,
    place: Place,
    packets: Packets,
    capabilities: u32,
    encrypted: bool,
    cannot_carry_2002: bool,
    /// The last one that the client was given.
    scramble: Scramble,
    /// Who asked to be let in last, for the log.
    asked: String,
}

/// Speaks with one client until it goes.
pub async fn serve(socket: TcpStream, shared: Arc<Shared>, place: Place) {
    // Answers are small: waiting to fill segments would only delay them.
    let _ = socket.set_nodelay(true);
    let end = place.handle.end.clone();
    let connection = Connection {
        shared,
        place,
        packets: Packets::new(Box::new(socket)),
        capabilities: 0,
        encrypted: false,
        cannot_carry_2002: false,
        scramble: Scramble([0; 20]),
        asked: String::new(),
    };
    tokio::select! {
        () = connection.run() => {}
        () = end.cancelled() => {}
    }
}

impl Connection {
    async fn run(mut self) {
        let session = match tokio::time::timeout(LOGIN_TIME, self.login()).await {
            Ok(Ok(Some(session))) => session,
            Ok(Err(Gone::Refused(failure))) => return self.refuse(&failure, true).await,
            Ok(Ok(None) | Err(Gone::Closed)) | Err(_) => return,
        };
        if let Err(Gone::Refused(failure)) = self.commands(session).await {
            let login = matches!(
                failure,
                Failure::UnknownTenant(_) | Failure::AccessDenied { .. } | Failure::Full { .. }
            );
            self.refuse(&failure, login).await;
        }
    }

    fn refused_login(&self, failure: &Failure) {
        let error = error::of(failure, self.shared.errors, self.cannot_carry_2002, None);
        log::refused_login(self.place.id, &self.asked, &self.place.host, failure, &error);
    }

    /// The last packet of a connection; `login`: it refuses one.
    async fn refuse(&mut self, failure: &Failure, login: bool) {
        if login {
            self.refused_login(failure);
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
        self.packets.write(&results::err(&error)).await?;
        Ok(())
    }

    fn scramble() -> Result<Scramble, Gone> {
        Scramble::new().map_err(|e| Gone::Refused(Failure::Internal(e.to_string())))
    }

    /// `None`: refused, and told so.
    async fn login(&mut self) -> Result<Option<Session>, Gone> {
        self.scramble = Self::scramble()?;
        let tls = !matches!(self.shared.tls, Tls::Off);
        let version = self.shared.session.server_version.clone();
        self.packets.write(&handshake::greeting(&version, self.place.id, &self.scramble, tls)).await?;
        self.packets.flush().await?;
        let mut payload = self.packets.read(LOGIN_PACKET).await?;
        if tls && handshake::wants_tls(&payload) {
            self.encrypt().await?;
            payload = self.packets.read(LOGIN_PACKET).await?;
        }
        let login = handshake::response(&payload, handshake::offered(tls)).map_err(Gone::Refused)?;
        self.capabilities = login.capabilities;
        login.user.clone_into(&mut self.asked);
        if matches!(self.shared.tls, Tls::Required(_)) && !self.encrypted {
            let denied = Failure::AccessDenied {
                user: login.user,
                host: self.place.host.clone(),
                using_password: true,
            };
            return Err(Gone::Refused(denied));
        }
        let session = self.enter(&login, false).await?;
        self.greet(session, login.schema.as_deref()).await
    }

    /// The schema of a login, and its OK.
    async fn greet(&mut self, mut session: Session, schema: Option<&str>) -> Result<Option<Session>, Gone> {
        if let Some(schema) = schema {
            let request = RequestId::next(self.place.id);
            let asked = tokio::time::timeout(SCHEMA_TIME, session.use_schema(schema, &request)).await;
            match asked {
                Ok(Ok(())) => {}
                // ProxySQL shuns a server whose logins fail with 2002 or 1317, and waits a second for one: an agent that is down must
                // not look like a shim that is. The statements to come will say it, each for itself.
                Ok(Err(
                    Failure::AgentUnreachable(_) | Failure::AgentFailed { .. } | Failure::AgentNonsense(_),
                ))
                | Err(_) => session.assume_schema(schema),
                Ok(Err(failure)) => {
                    self.refused_login(&failure);
                    self.fail(&failure, Some(&request)).await?;
                    self.packets.flush().await?;
                    return Ok(None);
                }
            }
        }
        self.packets.write(&results::ok(session.status(), false)).await?;
        self.packets.flush().await?;
        Ok(Some(session))
    }

    async fn encrypt(&mut self) -> Result<(), Gone> {
        let (Tls::Offered(config) | Tls::Required(config)) = self.shared.tls.clone() else {
            return Err(Gone::Closed);
        };
        let (placeholder, _) = tokio::io::duplex(1);
        let plain = std::mem::replace(&mut self.packets, Packets::new(Box::new(placeholder)));
        let (stream, sequence) = plain.into_stream();
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        self.packets = Packets::go_on(Box::new(stream), sequence);
        self.encrypted = true;
        Ok(())
    }

    /// Verifies a password: at login, and in COM_CHANGE_USER (`again`). Who is not known runs through the same exchange.
    async fn enter(&mut self, login: &Login, again: bool) -> Result<Session, Gone> {
        login.user.clone_into(&mut self.asked);
        self.cannot_carry_2002 = login.attribute("program_name").is_some_and(|p| p.starts_with("proxysql"))
            || login.attribute("_client_name") == Some("libmariadb");
        let tenant = self.shared.tenants.get(&login.user).cloned();
        let monitor = self.shared.monitor.as_ref().filter(|(user, _)| *user == login.user);
        let (credential, role) = match (tenant, monitor) {
            (Some(tenant), _) => (tenant.credential.clone(), Some(Role::Tenant(tenant))),
            (None, Some((_, password))) => (Credential::Password(password.clone()), Some(Role::Monitor)),
            (None, None) => (Credential::NativeHash(Self::scramble()?.0), None),
        };
        let (verified, using_password) = self.verify(login, &credential, again).await?;
        let Some(role) = role else { return Err(Gone::Refused(Failure::UnknownTenant(login.user.clone()))) };
        if !verified {
            let (user, host) = (login.user.clone(), self.place.host.clone());
            return Err(Gone::Refused(Failure::AccessDenied { user, host, using_password }));
        }
        if let Some(limit) = self.place.full {
            return Err(Gone::Refused(Failure::Full { user: login.user.clone(), limit }));
        }
        let user = login.user.clone();
        user.clone_into(&mut self.place.handle.user.lock().unwrap_or_else(PoisonError::into_inner));
        let identity = Identity { role, user, host: self.place.host.clone(), connection_id: self.place.id };
        let (settings, others) = (Arc::clone(&self.shared.session), Arc::clone(&self.place.connections));
        Ok(Session::new(identity, settings, others, login.collation))
    }

    /// Whether the password is right, and whether there was one.
    ///
    /// COM_CHANGE_USER brings a response to the last scramble, as libmariadb makes it (and answers with the same bytes to an
    /// AuthSwitchRequest behind it), or to the greeting's, or none: who is not verified at once is asked, as in MySQL.
    async fn verify(
        &mut self,
        login: &Login,
        credential: &Credential,
        again: bool,
    ) -> Result<(bool, bool), Gone> {
        let mut plugin = login.plugin.clone().unwrap_or_else(|| NATIVE.to_owned());
        let known = plugin == NATIVE || plugin == CACHING_SHA2;
        if known && !login.response.is_empty() {
            let (right, using_password) = self.check(&plugin, &login.response, credential, !again).await?;
            if right || !again {
                return Ok((right, using_password));
            }
        }
        if !known {
            CACHING_SHA2.clone_into(&mut plugin);
        }
        self.scramble = Self::scramble()?;
        let mut switch = vec![0xfe];
        switch.extend_from_slice(plugin.as_bytes());
        switch.push(0);
        switch.extend_from_slice(&self.scramble.0);
        switch.push(0);
        self.packets.write(&switch).await?;
        self.packets.flush().await?;
        let response = self.packets.read(LOGIN_PACKET).await?;
        self.check(&plugin, &response, credential, true).await
    }

    /// One response to the last scramble. A wrong one of caching_sha2_password leads into the full exchange where it is the `last` chance, as in
    /// mysqld: sqlx 0.8 makes it in an order of its own.
    async fn check(
        &mut self,
        plugin: &str,
        response: &[u8],
        credential: &Credential,
        last: bool,
    ) -> Result<(bool, bool), Gone> {
        let scramble = self.scramble.clone();
        let using_password = !(response.is_empty() || response == [0]);
        if plugin == NATIVE {
            return Ok((auth::native(response, &scramble, credential), using_password));
        }
        match auth::fast(response, &scramble, credential) {
            Fast::Right => {
                self.packets.write(&[1, 3]).await?;
                Ok((true, true))
            }
            Fast::Wrong | Fast::Unknown if !using_password => Ok((false, false)),
            Fast::Wrong if !last => Ok((false, true)),
            Fast::Wrong | Fast::Unknown => self.full(&scramble, credential).await.map(|right| (right, true)),
        }
    }

    /// The full exchange of caching_sha2_password: the password itself, inside TLS or encrypted with RSA.
    async fn full(&mut self, scramble: &Scramble, credential: &Credential) -> Result<bool, Gone> {
        self.packets.write(&[1, 4]).await?;
        self.packets.flush().await?;
        let mut sent = self.packets.read(LOGIN_PACKET).await?;
        if self.encrypted {
            return Ok(sent.pop() == Some(0) && auth::clear(&sent, credential));
        }
        if sent == [2] {
            let key = auth::public_key()
                .ok_or_else(|| Gone::Refused(Failure::Internal("there is no RSA key".to_owned())))?;
            let mut payload = vec![1];
            payload.extend_from_slice(key.as_bytes());
            self.packets.write(&payload).await?;
            self.packets.flush().await?;
            sent = self.packets.read(LOGIN_PACKET).await?;
        }
        Ok(auth::decrypt(&sent, scramble).is_some_and(|password| auth::clear(&password, credential)))
    }

    /// Commands ("Command Phase"), one after the other.
    async fn commands(&mut self, mut session: Session) -> Result<(), Gone> {
        let mut statements = Statements::default();
        loop {
            self.packets.flush().await?;
            self.packets.new_command();
            let drain = self.place.handle.drain.clone();
            let largest = self.shared.session.max_packet;
            let payload = tokio::select! {
                payload = self.packets.read(largest) => payload?,
                () = drain.cancelled() => return Err(Gone::Refused(Failure::ShuttingDown)),
            };
            let Some((command, rest)) = payload.split_first() else {
                self.fail(&Failure::UnknownCommand, None).await?;
                continue;
            };
            let request = RequestId::next(self.place.id);
            let handle = Arc::clone(&self.place.handle);
            // One for the whole command: a KILL QUERY counts also while nobody looks.
            let interrupt = std::pin::pin!(handle.interrupt.notified());
            let mut work = Work { request: &request, interrupt, form: Form::Text };
            match command {
                0x01 => return Ok(()),
                0x02 => {
                    let mut line = Line::new(session.identity(), &request);
                    line.about(&About { kind: "use", table: None });
                    let name = String::from_utf8_lossy(rest).into_owned();
                    let done = work.watch(&mut self.packets, session.use_schema(&name, &request)).await?;
                    self.answer(&mut session, done.map(|()| Answer::Done), work, &mut line).await?;
                }
                0x03 => {
                    let mut line = Line::new(session.identity(), &request);
                    let answer = work.watch(&mut self.packets, session.query(rest, &request)).await;
                    line.about(session.about());
                    self.answer(&mut session, answer?, work, &mut line).await?;
                }
                0x04 => {
                    let mut line = Line::new(session.identity(), &request);
                    let mut arguments = Bytes(rest);
                    let (table, wildcard) = (arguments.until_zero(), arguments.0);
                    let listed = session.field_list(table, wildcard, &request);
                    let listed = work.watch(&mut self.packets, listed).await;
                    line.about(session.about());
                    self.field_list(&mut session, listed?, &request, &mut line).await?;
                }
                0x09 => {
                    let (open, statements, uptime) = self.place.connections.figures();
                    let text = format!("Uptime: {uptime}  Threads: {open}  Questions: {statements}");
                    self.packets.write(text.as_bytes()).await?;
                }
                0x0e => self.done(&session).await?,
                0x11 => {
                    let login = handshake::change_user(rest, self.capabilities).map_err(Gone::Refused)?;
                    // The former session ends here: nothing of it can be left.
                    drop(session);
                    statements = Statements::default();
                    let change = async {
                        let entered = self.enter(&login, true).await?;
                        self.greet(entered, login.schema.as_deref()).await
                    };
                    match tokio::time::timeout(LOGIN_TIME, change).await {
                        Ok(next) => match next? {
                            Some(next) => session = next,
                            None => return Ok(()),
                        },
                        Err(_) => return Err(Gone::Closed),
                    }
                }
                0x1b => {
                    session.set_multi_statements(rest.first() == Some(&0));
                    let end = results::end(session.status(), self.capabilities);
                    self.packets.write(&end).await?;
                }
                0x1f => {
                    session.reset();
                    statements = Statements::default();
                    self.done(&session).await?;
                }
                0x16..=0x1a | 0x1c => {
                    self.prepared(*command, rest, &mut session, &mut statements, work).await?;
                }
                _ => self.fail(&Failure::UnknownCommand, Some(&request)).await?,
            }
        }
    }

    /// "COM_FIELD_LIST Response": no count of columns, and at the end a true EOF whatever the capabilities say.
    async fn field_list(
        &mut self,
        session: &mut Session,
        listed: Result<Vec<crate::reply::ResultColumn>, Failure>,
        request: &RequestId,
        line: &mut Line,
    ) -> Result<(), Gone> {
        match listed {
            Ok(columns) => {
                line.rows(columns.len());
                line.done();
                for column in &columns {
                    self.packets.write(&columns::listed(column, session.result_charset())).await?;
                }
                self.packets.write(&results::eof(session.status())).await?;
                Ok(())
            }
            Err(failure) => self.told(session, &failure, request, line).await,
        }
    }

    async fn done(&mut self, session: &Session) -> Result<(), Gone> {
        self.packets.write(&results::ok(session.status(), false)).await?;
        Ok(())
    }

    /// The one place that sends answers.
    async fn answer(
        &mut self,
        session: &mut Session,
        answer: Result<Answer, Failure>,
        work: Work<'_, '_>,
        line: &mut Line,
    ) -> Result<(), Gone> {
        match answer {
            Ok(Answer::Done) => {
                line.done();
                self.done(session).await
            }
            Ok(Answer::Table(columns, rows)) => {
                let charset = session.result_charset();
                let packets = match work.form.rows(&rows, &columns, charset) {
                    Ok(packets) => packets,
                    Err(failure) => return self.told(session, &failure, work.request, line).await,
                };
                self.head(&columns, session.status(), charset).await?;
                for packet in &packets {
                    self.packets.write(packet).await?;
                }
                self.packets.write(&results::end(session.status(), self.capabilities)).await?;
                line.rows(rows.len());
                line.done();
                Ok(())
            }
            Ok(Answer::Stream(columns, rows)) => self.stream(session, &columns, *rows, work, line).await,
            Err(failure) => self.told(session, &failure, work.request, line).await,
        }
    }

    /// A failure of a statement: to the client, and to SHOW WARNINGS.
    async fn told(
        &mut self,
        session: &mut Session,
        failure: &Failure,
        request: &RequestId,
        line: &mut Line,
    ) -> Result<(), Gone> {
        let error = error::of(failure, self.shared.errors, self.cannot_carry_2002, Some(request));
        line.failed(failure, &error);
        self.packets.write(&results::err(&error)).await?;
        session.failed(error.code, error.message);
        Ok(())
    }

    /// Sends rows. The client may take them slowly, or not at all: the agent's request must not wait for it when it is killed.
    async fn sent(&mut self, rows: &[Vec<u8>], work: &mut Work<'_, '_>) -> Result<Result<(), Failure>, Gone> {
        let packets = &mut self.packets;
        let sent = async {
            for packet in rows {
                packets.write(packet).await?;
            }
            Ok::<(), Gone>(())
        };
        tokio::select! {
            sent = sent => sent.map(Ok),
            () = work.interrupt.as_mut() => Ok(Err(Failure::Interrupted)),
        }
    }

    /// How many columns there are, and their definitions.
    async fn columns(
        &mut self,
        columns: &[crate::reply::ResultColumn],
        charset: ResultCharset,
    ) -> Result<(), Gone> {
        let mut count = Vec::new();
        super::bytes::put_lenenc(&mut count, columns.len() as u64);
        self.packets.write(&count).await?;
        for column in columns {
            self.packets.write(&columns::definition(column, charset)).await?;
        }
        Ok(())
    }

    async fn head(
        &mut self,
        columns: &[crate::reply::ResultColumn],
        status: Status,
        charset: ResultCharset,
    ) -> Result<(), Gone> {
        self.columns(columns, charset).await?;
        if self.capabilities & handshake::capability::DEPRECATE_EOF == 0 {
            self.packets.write(&results::eof(status)).await?;
        }
        Ok(())
    }

    /// Rows as they come. The first ones are waited for before anything is sent, so that an early failure is a clean error.
    async fn stream(
        &mut self,
        session: &mut Session,
        columns: &[crate::reply::ResultColumn],
        mut rows: crate::session::RowStream,
        mut work: Work<'_, '_>,
        line: &mut Line,
    ) -> Result<(), Gone> {
        let charset = session.result_charset();
        let mut begun = false;
        loop {
            let next = work.watch(&mut self.packets, rows.next()).await?;
            let ready = match &next {
                Ok(Next::Rows(batch)) => work.form.rows(batch, columns, charset),
                Ok(Next::End(_)) | Err(_) => Ok(Vec::new()),
            };
            let (next, ready) = match next.and_then(|next| Ok((next, ready?))) {
                Ok(next) => next,
                Err(failure) => return self.told(session, &failure, work.request, line).await,
            };
            if !begun {
                self.head(columns, session.status(), charset).await?;
                begun = true;
            }
            match next {
                Next::Rows(batch) => {
                    line.rows(batch.len());
                    if let Err(failure) = self.sent(&ready, &mut work).await? {
                        drop(rows);
                        return self.told(session, &failure, work.request, line).await;
                    }
                }
                Next::End(notes) => {
                    session.finish(notes);
                    line.done();
                    self.packets.write(&results::end(session.status(), self.capabilities)).await?;
                    return Ok(());
                }
            }
        }
    }
}

/// One command that may take its time.
struct Work<'a, 'n> {
    request: &'a RequestId,
    /// KILL QUERY.
    interrupt: Pin<&'a mut Notified<'n>>,
    form: Form,
}

/// In which protocol rows go out.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// "Text Resultset".
    Text,
    /// "Binary Protocol Resultset".
    Binary,
}

impl Form {
    /// The packets of rows; a cell that has no binary form is a failure.
    fn rows(
        self,
        rows: &[Row],
        columns: &[crate::reply::ResultColumn],
        charset: ResultCharset,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        rows.iter()
            .map(|row| match self {
                Self::Text => Ok(results::row(row, columns, charset)),
                Self::Binary => binary::row(row, columns, charset),
            })
            .collect()
    }
}

impl Work<'_, '_> {
    /// Runs a part of it while watching for a client that goes away, for KILL QUERY and for a panic. Dropping it cancels the agent's request.
    async fn watch<T>(
        &mut self,
        packets: &mut Packets,
        run: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, Gone> {
        let run = AssertUnwindSafe(run).catch_unwind();
        tokio::select! {
            done = run => Ok(done.unwrap_or_else(|_| {
                Err(Failure::Internal("a bug was met while running the statement; please report it with the request id".to_owned()))
            })),
            () = self.interrupt.as_mut() => Ok(Err(Failure::Interrupted)),
            () = packets.closed() => Err(Gone::Closed),
        }
    }
}
