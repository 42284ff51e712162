//! The commands of a connection, one after the other.

use super::super::gone::Gone;
use super::super::handle::{IDLE, command_name};
use super::super::log::Line;
use super::super::statements::Statements;
use super::super::status::limits;
use super::form::Form;
use super::work::Work;
use super::{Connection, LOGIN_TIME};
use crate::failure::Failure;
use crate::session::{About, Answer, Session};
use crate::telemetry::figures;
use dbtrail_mysql_wire::constants::{command as com, set_option};
use dbtrail_mysql_wire::reader::PayloadReader;
use dbtrail_mysql_wire::{handshake, results};
use dbtrail_types::names::RequestId;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

impl Connection {
    /// Commands ([Command
    /// Phase](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html)),
    /// one after the other.
    pub(super) async fn commands(&mut self, session: &mut Session) -> Result<(), Gone> {
        let mut statements = Statements::default();
        loop {
            // Before the wait too: a tenant may have gone while this one logged in.
            self.take_up(session)?;
            self.packets.set_limits(limits(session.network()));
            self.packets.flush().await?;
            if session.is_over() {
                return Err(Gone::Closed);
            }
            self.packets.new_command();
            self.packets.release_memory();
            self.context.handle.does(session, IDLE, None);
            // What a SELECT changed was sent in no OK, and belongs to no later one.
            session.take_changes();
            let (drain, leave) = (self.context.handle.drain.clone(), self.context.handle.leave.clone());
            tokio::select! {
                arrived = self.packets.arrived() => arrived?,
                () = drain.cancelled(), if !self.pooled => return Err(Gone::Refused(Failure::ShuttingDown)),
                // An error that nobody asked for would be the answer to ProxySQL's next statement,
                // and not be tried again; an end is, on another connection.
                () = leave.cancelled() => return Err(Gone::Left),
                () = tokio::time::sleep(session.patience()) => return Err(Gone::Refused(Failure::Inactive)),
            }
            // On the heap, and only while it runs: an idle connection holds nothing of what a
            // command needs.
            if Box::pin(self.command(session, &mut statements)).await?.is_break() {
                return Ok(());
            }
        }
    }

    /// Reads one command and carries it out. A break: the client has said goodbye.
    async fn command(
        &mut self,
        session: &mut Session,
        statements: &mut Statements,
    ) -> Result<ControlFlow<()>, Gone> {
        let payload = self.packets.read(self.shared.session.max_packet).await?;
        self.take_up(session)?;
        let Some((command, rest)) = payload.split_first() else {
            self.fail(&Failure::UnknownCommand, None).await?;
            return Ok(ControlFlow::Continue(()));
        };
        let request = RequestId::next(self.context.id);
        let handle = Arc::clone(&self.context.handle);
        handle.does(session, command_name(*command), (*command == com::COM_QUERY).then_some(rest));
        // One for the whole command: a KILL QUERY counts also while nobody looks.
        let interrupt = pin!(handle.interrupt.notified());
        let deadline = session.time_limit().map(|limit| tokio::time::Instant::now() + limit);
        let mut work = Work { request: &request, interrupt, deadline, form: Form::Text };
        match *command {
            com::COM_QUIT => return Ok(ControlFlow::Break(())),
            com::COM_INIT_DB => {
                let mut line = Line::new(session.identity(), &request);
                line.about(About::of("use"));
                let name = String::from_utf8_lossy(rest).into_owned();
                let done = work.watch(&mut self.packets, session.use_schema(&name, &request)).await?;
                self.answer(session, done.map(|()| Answer::Done), work, &mut line).await?;
            }
            com::COM_QUERY => self.statements(session, rest, work).await?,
            com::COM_FIELD_LIST => {
                let mut line = Line::of(session, &request);
                let mut arguments = PayloadReader(rest);
                let (table, wildcard) = (arguments.until_zero(), arguments.0);
                let listed = session.field_list(table, wildcard, &request);
                let listed = work.watch(&mut self.packets, listed).await;
                self.field_list(session, listed?, &request, &mut line).await?;
            }
            com::COM_STATISTICS => {
                let user = &session.identity().user;
                let (open, uptime) = self.context.connections.figures(user);
                let statements = figures::of(user).questions();
                let text = format!("Uptime: {uptime}  Threads: {open}  Questions: {statements}");
                self.packets.write(text.as_bytes()).await?;
            }
            // ProxySQL then drops a connection that it does not use, and nobody notices.
            com::COM_PING if self.context.handle.drain.is_cancelled() => {
                return Err(Gone::Refused(Failure::ShuttingDown));
            }
            com::COM_PING => self.send_ok(session).await?,
            com::COM_CHANGE_USER => {
                let login =
                    handshake::change_user(rest, self.capabilities).map_err(|e| Gone::Refused(e.into()))?;
                // The former session ends here: either another one takes over or the connection
                // ends.
                *statements = Statements::default();
                let change = async {
                    let entered = self.enter(&login).await?;
                    match self.in_schema(entered, login.schema.as_deref()).await? {
                        Some(session) => self.welcome(session).await.map(Some),
                        None => Ok(None),
                    }
                };
                match tokio::time::timeout(LOGIN_TIME, change).await {
                    Ok(next) => match next? {
                        Some(next) => *session = next,
                        None => return Ok(ControlFlow::Break(())),
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
                *statements = Statements::default();
                self.send_ok(session).await?;
            }
            com::COM_STMT_PREPARE
            | com::COM_STMT_EXECUTE
            | com::COM_STMT_SEND_LONG_DATA
            | com::COM_STMT_CLOSE
            | com::COM_STMT_RESET
            | com::COM_STMT_FETCH => {
                self.prepared(*command, rest, session, statements, work).await?;
            }
            _ => self.fail(&Failure::UnknownCommand, Some(&request)).await?,
        }
        Ok(ControlFlow::Continue(()))
    }

    /// COM_QUERY: the statements of a packet
    /// ([Multi-Statement](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_sp.html)),
    /// one after the other, up to the first that fails.
    pub(super) async fn statements(
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
