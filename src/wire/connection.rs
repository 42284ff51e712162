//! One connection, from the greeting to its end ("Connection Lifecycle").

mod prepared;

use super::auth::{self, CACHING_SHA2, Fast, NATIVE, Scramble};
use super::bytes::Bytes;
use super::compress::Algorithm;
use super::handshake::{self, Login, capability};
use super::log::{self, Line};
use super::packets::{Gone, Packets};
use super::statements::Statements;
use super::{binary, columns, error, results};
use crate::failure::Failure;
use crate::ident::RequestId;
use crate::reply::Row;
use crate::secret::Secret;
use crate::session::{
    self, About, Answer, Cipher, Connections, Credential, Identity, Link, Next, Process, ResultCharset, Role,
    Session, Status, Tenant,
};
use futures_util::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
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
    /// What it does, once it is logged in.
    pub activity: Mutex<Option<Activity>>,
}

/// What a connection does, for SHOW PROCESSLIST.
#[derive(Debug)]
pub struct Activity {
    host: String,
    schema: Option<String>,
    command: &'static str,
    since: std::time::Instant,
    /// As the client sent it. Its memory stays for the next one.
    statement: Vec<u8>,
    has_statement: bool,
}

/// What a connection does between two commands.
const IDLE: &str = "Sleep";
/// Bytes of a statement that SHOW PROCESSLIST can show.
const STATEMENT: usize = 64 * 1024;
/// Bytes of memory that stay for the next one.
const KEPT: usize = 4 * 1024;

impl Handle {
    /// The connection as SHOW PROCESSLIST shows it to `user`, if it is theirs.
    #[must_use]
    pub fn process(&self, id: u32, user: &str) -> Option<Process> {
        let owner = self.user.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let activity = activity.as_ref().filter(|_| owner == user)?;
        Some(Process {
            id,
            user: owner,
            host: activity.host.clone(),
            schema: activity.schema.clone(),
            command: activity.command,
            seconds: activity.since.elapsed().as_secs(),
            statement: activity
                .has_statement
                .then(|| String::from_utf8_lossy(&activity.statement).into_owned()),
        })
    }

    /// Whether a command is being carried out.
    #[must_use]
    pub fn works(&self) -> bool {
        let activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        activity.as_ref().is_some_and(|activity| activity.command != IDLE)
    }

    /// A command begins; [`IDLE`] when it is over.
    fn does(&self, session: &Session, command: &'static str, statement: Option<&[u8]>) {
        let mut activity = self.activity.lock().unwrap_or_else(PoisonError::into_inner);
        let activity = activity.get_or_insert_with(|| Activity {
            host: String::new(),
            schema: None,
            command,
            since: std::time::Instant::now(),
            statement: Vec::new(),
            has_statement: false,
        });
        session.identity().host.clone_into(&mut activity.host);
        match (&mut activity.schema, session.schema()) {
            (Some(before), Some(now)) => now.clone_into(before),
            (before, now) => *before = now.map(str::to_owned),
        }
        activity.command = command;
        activity.since = std::time::Instant::now();
        activity.has_statement = statement.is_some();
        activity.statement.clear();
        // A connection that is idle holds no long text.
        if activity.statement.capacity() > KEPT {
            activity.statement = Vec::new();
        }
        if let Some(statement) = statement {
            activity.statement.extend_from_slice(&statement[..statement.len().min(STATEMENT)]);
        }
    }
}

/// A command as SHOW PROCESSLIST names it.
const fn command_name(command: u8) -> &'static str {
    match command {
        0x02 => "Init DB",
        0x03 => "Query",
        0x04 => "Field List",
        0x09 => "Statistics",
        0x0e => "Ping",
        0x11 => "Change user",
        0x16 => "Prepare",
        0x17 => "Execute",
        0x18 => "Long Data",
        0x19 => "Close stmt",
        0x1a => "Reset stmt",
        0x1b => "Set option",
        0x1c => "Fetch",
        0x1f => "Reset Connection",
        _ => "Error",
    }
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
    /// That of the greeting. An AuthSwitchRequest and COM_CHANGE_USER go on with it, as in mysqld: libmariadb answers both with it whatever
    /// the switch says.
    scramble: Scramble,
    encrypted: Option<Cipher>,
    compression: Option<Algorithm>,
    written: columns::Written,
    cannot_carry_2002: bool,
    /// Who asked to be let in last, for the log.
    asked: String,
}

/// Speaks with one client until it goes.
pub async fn serve(socket: TcpStream, shared: Arc<Shared>, place: Place) {
    // Answers are small: waiting to fill segments would only delay them.
    let _ = socket.set_nodelay(true);
    let end = place.handle.end.clone();
    let scramble = match Scramble::new() {
        Ok(scramble) => scramble,
        Err(error) => return tracing::error!(%error, "a connection is turned away"),
    };
    let connection = Connection {
        shared,
        place,
        packets: Packets::new(Box::new(socket)),
        capabilities: 0,
        scramble,
        encrypted: None,
        compression: None,
        written: columns::Written::default(),
        cannot_carry_2002: false,
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
        if let Some(algorithm) = self.compression {
            self.packets.compress(algorithm);
        }
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

    /// `None`: refused, and told so.
    async fn login(&mut self) -> Result<Option<Session>, Gone> {
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
        // A client that takes both is given the one that mysqld lists first.
        self.compression = if login.capabilities & capability::COMPRESS != 0 {
            Some(Algorithm::Zlib)
        } else {
            (login.capabilities & capability::ZSTD != 0).then_some(Algorithm::Zstd(login.zstd_level))
        };
        login.user.clone_into(&mut self.asked);
        if matches!(self.shared.tls, Tls::Required(_)) && self.encrypted.is_none() {
            let denied = Failure::AccessDenied {
                user: login.user,
                host: self.place.host.clone(),
                using_password: true,
            };
            return Err(Gone::Refused(denied));
        }
        let session = self.enter(&login).await?;
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
        session.set_multi_statements(self.capabilities & capability::MULTI_STATEMENTS != 0);
        self.done(&mut session).await?;
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
        self.encrypted = Some(cipher(stream.get_ref().1));
        self.packets = Packets::go_on(Box::new(stream), sequence);
        Ok(())
    }

    /// Verifies a password: at login, and in COM_CHANGE_USER. Who is not known runs through the same exchange.
    async fn enter(&mut self, login: &Login) -> Result<Session, Gone> {
        login.user.clone_into(&mut self.asked);
        self.cannot_carry_2002 = login.attribute("program_name").is_some_and(|p| p.starts_with("proxysql"))
            || login.attribute("_client_name") == Some("libmariadb");
        let tenant = self.shared.tenants.get(&login.user).cloned();
        let monitor = self.shared.monitor.as_ref().filter(|(user, _)| *user == login.user);
        let (credential, role) = match (tenant, monitor) {
            (Some(tenant), _) => (tenant.credential.clone(), Some(Role::Tenant(tenant))),
            (None, Some((_, password))) => (Credential::Password(password.clone()), Some(Role::Monitor)),
            (None, None) => {
                let nobody = Scramble::new().map_err(|e| Gone::Refused(Failure::Internal(e.to_string())))?;
                (Credential::NativeHash(nobody.0), None)
            }
        };
        let (verified, using_password) = self.verify(login, &credential).await?;
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
        let identity = Identity {
            role,
            user,
            host: self.place.host.clone(),
            connection_id: self.place.id,
            link: Link {
                tls_offered: !matches!(self.shared.tls, Tls::Off),
                cipher: self.encrypted.clone(),
                compression: self.compression.map(Algorithm::name),
            },
        };
        let (settings, others) = (Arc::clone(&self.shared.session), Arc::clone(&self.place.connections));
        Ok(Session::new(identity, settings, others, login.collation))
    }

    /// Whether the password is right, and whether there was one.
    async fn verify(&mut self, login: &Login, credential: &Credential) -> Result<(bool, bool), Gone> {
        let plugin = login.plugin.as_deref().unwrap_or(NATIVE);
        let known = plugin == NATIVE || plugin == CACHING_SHA2;
        // COM_CHANGE_USER of libmysqlclient comes without a response and waits to be asked.
        if known && !login.response.is_empty() {
            return self.check(plugin, &login.response, credential).await;
        }
        let plugin = if known { plugin } else { CACHING_SHA2 };
        let mut switch = vec![0xfe];
        switch.extend_from_slice(plugin.as_bytes());
        switch.push(0);
        switch.extend_from_slice(&self.scramble.0);
        switch.push(0);
        self.packets.write(&switch).await?;
        self.packets.flush().await?;
        let response = self.packets.read(LOGIN_PACKET).await?;
        self.check(plugin, &response, credential).await
    }

    /// One response to the scramble. A wrong one of caching_sha2_password leads into the full exchange, as in mysqld: sqlx 0.8 makes it in
    /// an order of its own.
    async fn check(
        &mut self,
        plugin: &str,
        response: &[u8],
        credential: &Credential,
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
            Fast::Wrong | Fast::Unknown => self.full(&scramble, credential).await.map(|right| (right, true)),
        }
    }

    /// The full exchange of caching_sha2_password: the password itself, inside TLS or encrypted with RSA.
    async fn full(&mut self, scramble: &Scramble, credential: &Credential) -> Result<bool, Gone> {
        self.packets.write(&[1, 4]).await?;
        self.packets.flush().await?;
        let mut sent = self.packets.read(LOGIN_PACKET).await?;
        if self.encrypted.is_some() {
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
            self.place.handle.does(&session, IDLE, None);
            // What a SELECT changed was told by no OK, and belongs to no later one.
            session.take_changes();
            let drain = self.place.handle.drain.clone();
            let largest = self.shared.session.max_packet;
            let payload = tokio::select! {
                payload = self.packets.read(largest) => payload?,
                () = drain.cancelled() => return Err(Gone::Refused(Failure::ShuttingDown)),
                () = tokio::time::sleep(session.patience()) => return Err(Gone::Refused(Failure::Inactive)),
            };
            let Some((command, rest)) = payload.split_first() else {
                self.fail(&Failure::UnknownCommand, None).await?;
                continue;
            };
            let request = RequestId::next(self.place.id);
            let handle = Arc::clone(&self.place.handle);
            handle.does(&session, command_name(*command), (*command == 0x03).then_some(rest));
            // One for the whole command: a KILL QUERY counts also while nobody looks.
            let interrupt = pin!(handle.interrupt.notified());
            let deadline = session.time_limit().map(|limit| tokio::time::Instant::now() + limit);
            let mut work = Work { request: &request, interrupt, deadline, form: Form::Text };
            match command {
                0x01 => return Ok(()),
                0x02 => {
                    let mut line = Line::new(session.identity(), &request);
                    line.about(&About { kind: "use", table: None });
                    let name = String::from_utf8_lossy(rest).into_owned();
                    let done = work.watch(&mut self.packets, session.use_schema(&name, &request)).await?;
                    self.answer(&mut session, done.map(|()| Answer::Done), work, &mut line).await?;
                }
                0x03 => self.statements(&mut session, rest, work).await?,
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
                0x0e => self.done(&mut session).await?,
                0x11 => {
                    let login = handshake::change_user(rest, self.capabilities).map_err(Gone::Refused)?;
                    // The former session ends here: nothing of it can be left.
                    drop(session);
                    statements = Statements::default();
                    let change = async {
                        let entered = self.enter(&login).await?;
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
                    self.done(&mut session).await?;
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

    /// An OK, with what the statement changed for a client that wants to know.
    async fn done(&mut self, session: &mut Session) -> Result<(), Gone> {
        let (status, changes) = (session.status(), session.take_changes());
        let tracks = self.capabilities & capability::SESSION_TRACK != 0;
        let packet = match changes {
            Some(changes) if tracks => results::changed(status, &changes),
            Some(_) | None => results::ok(status, false),
        };
        self.packets.write(&packet).await?;
        Ok(())
    }

    /// COM_QUERY: the statements of a packet ("Multi-Statement"), one after the other, up to the first that fails.
    async fn statements(
        &mut self,
        session: &mut Session,
        text: &[u8],
        mut work: Work<'_, '_>,
    ) -> Result<(), Gone> {
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (one, behind) = session.split(text);
            rest = behind;
            let request = RequestId::next(self.place.id);
            let mut work = Work {
                request: &request,
                interrupt: work.interrupt.as_mut(),
                deadline: None,
                form: Form::Text,
            };
            let mut line = Line::new(session.identity(), &request);
            work.deadline = session.time_limit().map(|limit| tokio::time::Instant::now() + limit);
            let answer = work.watch(&mut self.packets, pin!(session.query(one, &request))).await;
            line.about(session.about());
            session.set_more_results(rest.is_some());
            self.answer(session, answer?, work, &mut line).await?;
            session.set_more_results(false);
            if session.has_failed() {
                break;
            }
        }
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

    /// The same for columns that may have been sent before.
    async fn head_again(
        &mut self,
        columns: &Arc<[crate::reply::ResultColumn]>,
        status: Status,
        charset: ResultCharset,
    ) -> Result<(), Gone> {
        let mut count = Vec::new();
        super::bytes::put_lenenc(&mut count, columns.len() as u64);
        self.packets.write(&count).await?;
        for payload in self.written.payloads(columns, charset) {
            self.packets.write(payload).await?;
        }
        self.written.shrink();
        if self.capabilities & capability::DEPRECATE_EOF == 0 {
            self.packets.write(&results::eof(status)).await?;
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
        if self.capabilities & capability::DEPRECATE_EOF == 0 {
            self.packets.write(&results::eof(status)).await?;
        }
        Ok(())
    }

    /// Rows as they come. The first ones are waited for before anything is sent, so that an early failure is a clean error.
    async fn stream(
        &mut self,
        session: &mut Session,
        columns: &Arc<[crate::reply::ResultColumn]>,
        mut rows: crate::session::RowStream,
        mut work: Work<'_, '_>,
        line: &mut Line,
    ) -> Result<(), Gone> {
        let charset = session.result_charset();
        let mut begun = false;
        loop {
            let next = work.watch(&mut self.packets, pin!(rows.next())).await?;
            let ready = match &next {
                Ok(Next::Rows(batch)) => work.form.rows(batch, columns, charset),
                Ok(Next::End(_)) | Err(_) => Ok(Vec::new()),
            };
            let (next, ready) = match next.and_then(|next| Ok((next, ready?))) {
                Ok(next) => next,
                Err(failure) => return self.told(session, &failure, work.request, line).await,
            };
            if !begun {
                self.head_again(columns, session.status(), charset).await?;
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

/// Version and cipher of TLS, as OpenSSL and so mysqld name them.
fn cipher(tls: &rustls::ServerConnection) -> Cipher {
    let version = match tls.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(_) | None => "TLSv1.2",
    };
    let suite = tls.negotiated_cipher_suite().map(|s| s.suite().as_str().unwrap_or_default());
    let suite = suite.unwrap_or_default();
    let name = suite.strip_prefix("TLS13_").map_or_else(
        || {
            suite
                .trim_start_matches("TLS_")
                .replace("WITH_", "")
                .replace("AES_", "AES")
                .replace('_', "-")
                .replace("-POLY1305-SHA256", "-POLY1305")
        },
        |rest| format!("TLS_{rest}"),
    );
    Cipher { version, name }
}

/// One command that may take its time.
struct Work<'a, 'n> {
    request: &'a RequestId,
    /// KILL QUERY.
    interrupt: Pin<&'a mut Notified<'n>>,
    /// The session's max_execution_time.
    deadline: Option<tokio::time::Instant>,
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
        let deadline = self.deadline;
        let late = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = run => Ok(done.unwrap_or_else(|_| {
                Err(Failure::Internal("a bug was met while running the statement; please report it with the request id".to_owned()))
            })),
            () = self.interrupt.as_mut() => Ok(Err(Failure::Interrupted)),
            () = late => Ok(Err(Failure::TooLong)),
            () = packets.closed() => Err(Gone::Closed),
        }
    }
}
