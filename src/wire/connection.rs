//! One connection, from the greeting to its end ([Connection
//! Lifecycle](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_lifecycle.html)).

mod answer;
mod live;
mod login;
mod prepared;

use super::error;
use super::gone::Gone;
use super::handle::{Handle, IDLE, command_name};
use super::log::{self, Line};
use super::statements::Statements;
use super::status::limits;
use crate::failure::Failure;
use crate::session::{self, About, Answer, Cipher, Connections, Session, Tenant};
use crate::telemetry::metrics::{Code, metrics};
use answer::Form;
use dbtrail_mysql_wire::auth::Scramble;
use dbtrail_mysql_wire::compress::Algorithm;
use dbtrail_mysql_wire::constants::{CapabilityFlags, command as com, set_option};
use dbtrail_mysql_wire::packets::Packets;
use dbtrail_mysql_wire::reader::PayloadReader;
use dbtrail_mysql_wire::{columns, handshake, results};
use dbtrail_types::names::RequestId;
use dbtrail_types::secret::Secret;
use futures_util::FutureExt;
pub use live::Live;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::futures::Notified;

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
    let _connected = metrics().connected();
    // Answers are small: waiting to fill segments would only delay them.
    let _ = socket.set_nodelay(true);
    let port = socket.local_addr().map_or(0, |address| address.port());
    let end = context.handle.end.clone();
    let scramble = match Scramble::new() {
        Ok(scramble) => scramble,
        Err(error) => return tracing::error!(%error, "a connection is turned away"),
    };
    let connection = Connection {
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
}

impl Connection {
    async fn run(mut self) {
        let session = match tokio::time::timeout(LOGIN_TIME, self.login()).await {
            Ok(Ok(Some(session))) => session,
            Ok(Err(Gone::Refused(failure))) => return self.refuse(&failure, true).await,
            Ok(Ok(None)) => return,
            Ok(Err(Gone::Closed)) | Err(_) => return metrics().login("abandoned", Code::Ended(0)),
        };
        metrics().login("let_in", Code::Ended(0));
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
        metrics().login("refused", Code::Ended(error.code));
        if matches!(failure, Failure::Full { .. }) {
            metrics().limit("max_connections");
        }
        log::refused_login(self.context.id, &self.asked, &self.context.host, failure, &error);
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

    /// Commands ([Command
    /// Phase](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html)),
    /// one after the other.
    async fn commands(&mut self, mut session: Session) -> Result<(), Gone> {
        let mut statements = Statements::default();
        loop {
            // Before the wait too: a tenant may have gone while this one logged in.
            self.take_up(&mut session)?;
            self.packets.set_limits(limits(session.network()));
            self.packets.flush().await?;
            if session.is_over() {
                return Err(Gone::Closed);
            }
            self.packets.new_command();
            self.context.handle.does(&session, IDLE, None);
            // What a SELECT changed was sent in no OK, and belongs to no later one.
            session.take_changes();
            let (drain, leave) = (self.context.handle.drain.clone(), self.context.handle.leave.clone());
            let largest = self.shared.session.max_packet;
            let payload = tokio::select! {
                payload = self.packets.read(largest) => payload?,
                () = drain.cancelled(), if !self.pooled => return Err(Gone::Refused(Failure::ShuttingDown)),
                // An error that nobody asked for would be the answer to ProxySQL's next statement,
                // and not be tried again; an end is, on another connection.
                () = leave.cancelled() => return Err(Gone::Closed),
                () = tokio::time::sleep(session.patience()) => return Err(Gone::Refused(Failure::Inactive)),
            };
            self.take_up(&mut session)?;
            let Some((command, rest)) = payload.split_first() else {
                self.fail(&Failure::UnknownCommand, None).await?;
                continue;
            };
            let request = RequestId::next(self.context.id);
            let handle = Arc::clone(&self.context.handle);
            handle.does(&session, command_name(*command), (*command == com::COM_QUERY).then_some(rest));
            // One for the whole command: a KILL QUERY counts also while nobody looks.
            let interrupt = pin!(handle.interrupt.notified());
            let deadline = session.time_limit().map(|limit| tokio::time::Instant::now() + limit);
            let mut work = Work { request: &request, interrupt, deadline, form: Form::Text };
            match *command {
                com::COM_QUIT => return Ok(()),
                com::COM_INIT_DB => {
                    let mut line = Line::new(session.identity(), &request);
                    line.about(About::of("use"));
                    let name = String::from_utf8_lossy(rest).into_owned();
                    let done = work.watch(&mut self.packets, session.use_schema(&name, &request)).await?;
                    self.answer(&mut session, done.map(|()| Answer::Done), work, &mut line).await?;
                }
                com::COM_QUERY => self.statements(&mut session, rest, work).await?,
                com::COM_FIELD_LIST => {
                    let mut line = Line::of(&session, &request);
                    let mut arguments = PayloadReader(rest);
                    let (table, wildcard) = (arguments.until_zero(), arguments.0);
                    let listed = session.field_list(table, wildcard, &request);
                    let listed = work.watch(&mut self.packets, listed).await;
                    self.field_list(&mut session, listed?, &request, &mut line).await?;
                }
                com::COM_STATISTICS => {
                    let (open, statements, uptime) =
                        self.context.connections.figures(&session.identity().user);
                    let text = format!("Uptime: {uptime}  Threads: {open}  Questions: {statements}");
                    self.packets.write(text.as_bytes()).await?;
                }
                // ProxySQL then drops a connection that it does not use, and nobody notices.
                com::COM_PING if drain.is_cancelled() => return Err(Gone::Refused(Failure::ShuttingDown)),
                com::COM_PING => self.send_ok(&mut session).await?,
                com::COM_CHANGE_USER => {
                    let login = handshake::change_user(rest, self.capabilities)
                        .map_err(|e| Gone::Refused(e.into()))?;
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
                com::COM_SET_OPTION => {
                    session.set_multi_statements(
                        rest.first() == Some(&set_option::MYSQL_OPTION_MULTI_STATEMENTS_ON),
                    );
                    let end = results::end(session.status().into(), self.capabilities);
                    self.packets.write(&end).await?;
                }
                com::COM_RESET_CONNECTION => {
                    session.reset();
                    statements = Statements::default();
                    self.send_ok(&mut session).await?;
                }
                com::COM_STMT_PREPARE
                | com::COM_STMT_EXECUTE
                | com::COM_STMT_SEND_LONG_DATA
                | com::COM_STMT_CLOSE
                | com::COM_STMT_RESET
                | com::COM_STMT_FETCH => {
                    self.prepared(*command, rest, &mut session, &mut statements, work).await?;
                }
                _ => self.fail(&Failure::UnknownCommand, Some(&request)).await?,
            }
        }
    }

    /// COM_QUERY: the statements of a packet
    /// ([Multi-Statement](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_sp.html)),
    /// one after the other, up to the first that fails.
    async fn statements(
        &mut self,
        session: &mut Session,
        text: &[u8],
        mut work: Work<'_, '_>,
    ) -> Result<(), Gone> {
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (one, following) = session.split(text);
            rest = following;
            let request = RequestId::next(self.context.id);
            let mut work = Work {
                request: &request,
                interrupt: work.interrupt.as_mut(),
                deadline: None,
                form: Form::Text,
            };
            let mut line = Line::of(session, &request);
            work.deadline = session.time_limit().map(|limit| tokio::time::Instant::now() + limit);
            let answer = work.watch(&mut self.packets, pin!(session.query(one, &request))).await;
            session.set_more_results(rest.is_some());
            self.answer(session, answer?, work, &mut line).await?;
            session.set_more_results(false);
            if session.has_failed() {
                break;
            }
        }
        Ok(())
    }
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

impl Work<'_, '_> {
    /// Runs a part of it while watching for a client that goes away, for KILL QUERY and for a
    /// panic. Dropping it cancels the agent's request.
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
