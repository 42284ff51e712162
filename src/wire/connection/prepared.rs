//! The commands of prepared statements (["Prepared
//! Statements"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html)).

use super::{Connection, Form, Work};
use crate::failure::Failure;
use crate::session::{About, Answer, Next, Session};
use crate::wire::gone::Gone;
use crate::wire::log::Line;
use crate::wire::statements::{Cursor, Statements};
use dbtrail_mysql_wire::constants::{CapabilityFlags, CursorType, command as com};
use dbtrail_mysql_wire::reader::PayloadReader;
use dbtrail_mysql_wire::results::CursorState;
use dbtrail_mysql_wire::{columns, results};
use dbtrail_types::result_set::ResultColumn;
use std::sync::Arc;

/// Counts what statements keep, after it has become less.
fn recount(session: &mut Session, statements: &Statements) {
    // Less is never refused.
    let _ = session.keep_statements(statements.bytes());
}

impl Connection {
    /// COM_STMT_PREPARE to COM_STMT_FETCH.
    pub(super) async fn prepared(
        &mut self,
        command: u8,
        payload: &[u8],
        session: &mut Session,
        statements: &mut Statements,
        mut work: Work<'_, '_>,
    ) -> Result<(), Gone> {
        let mut bytes = PayloadReader(payload);
        if command == com::COM_STMT_PREPARE {
            return self.prepare(payload, session, statements, work).await;
        }
        let id = bytes.u32();
        match (command, id) {
            (com::COM_STMT_CLOSE, id) => {
                // Neither this nor the next has an answer, not even an error.
                if let Ok(id) = id {
                    statements.close(id);
                    recount(session, statements);
                }
                Ok(())
            }
            (com::COM_STMT_SEND_LONG_DATA, id) => {
                if let (Ok(id), Ok(parameter)) = (id, bytes.u16()) {
                    let limit = self.shared.session.max_packet;
                    let room = |all| session.keep_statements(all);
                    statements.send_long_data(id, (parameter, bytes.0), limit, room);
                }
                Ok(())
            }
            (_, Err(malformed)) => self.fail(&malformed.into(), Some(work.request)).await,
            (com::COM_STMT_EXECUTE, Ok(id)) => {
                work.form = Form::Binary;
                self.execute(id, bytes, session, statements, work).await
            }
            (com::COM_STMT_RESET, Ok(id)) => {
                let mut line = Line::new(session.identity(), work.request);
                line.about(About::of("reset"));
                let reset = statements.reset(id).map(|()| Answer::Done);
                recount(session, statements);
                self.answer(session, reset, work, &mut line).await
            }
            (_, Ok(id)) => {
                work.form = Form::Binary;
                let most = match bytes.u32() {
                    Ok(most) => most,
                    Err(malformed) => return self.fail(&malformed.into(), Some(work.request)).await,
                };
                let fetched = self.fetch(id, most, session, statements, work).await;
                recount(session, statements);
                fetched
            }
        }
    }

    async fn prepare(
        &mut self,
        text: &[u8],
        session: &mut Session,
        statements: &mut Statements,
        mut work: Work<'_, '_>,
    ) -> Result<(), Gone> {
        let mut line = Line::of(session, work.request);
        let prepare = session.prepare(text, statements.figures(), work.request);
        let prepared = work.watch(&mut self.packets, prepare).await;
        let (prepared, declared) = match prepared? {
            Ok(prepared) => prepared,
            Err(failure) => return self.send_error(session, &failure, work.request, &mut line).await,
        };
        let id = statements.keep(Arc::new(prepared));
        let status = session.status();
        // Both are bounded: MOST_COLUMNS and MOST_PARAMETERS.
        let count = |declared: &[ResultColumn]| u16::try_from(declared.len()).unwrap_or(u16::MAX);
        let (shown, parameters) = (count(&declared.columns), count(&declared.parameters));
        self.packets.write(&results::prepared(id, shown, parameters, status.warnings)).await?;
        for declared in [&declared.parameters, &declared.columns] {
            for column in declared {
                self.packets.write(&columns::definition(column, session.result_charset())).await?;
            }
            if !declared.is_empty() && !self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
                self.packets.write(&results::eof(status.into())).await?;
            }
        }
        line.succeeded();
        Ok(())
    }

    async fn execute(
        &mut self,
        id: u32,
        mut bytes: PayloadReader<'_>,
        session: &mut Session,
        statements: &mut Statements,
        mut work: Work<'_, '_>,
    ) -> Result<(), Gone> {
        let mut line = Line::of(session, work.request);
        session.noted().set(About::of("execute"));
        // Flags, and a count of iterations that is always 1.
        let flags = bytes.u8().and_then(|flags| bytes.u32().map(|_| flags));
        let gives_back = statements.gives_back(id);
        let bound = statements.execute(id, bytes.0, |send_rows| session.text_of(send_rows));
        if gives_back {
            recount(session, statements);
        }
        let (flags, (prepared, values)) =
            match flags.map_err(Failure::from).and_then(|flags| Ok((flags, bound?))) {
                Ok(ready) => ready,
                Err(failure) => return self.send_error(session, &failure, work.request, &mut line).await,
            };
        let executed = session.execute(&prepared, &values, work.request);
        let answer = work.watch(&mut self.packets, executed).await;
        let answer = answer?;
        // mysqld takes no notice of the other types.
        if flags & CursorType::CURSOR_TYPE_READ_ONLY.bits() == 0 {
            return self.answer(session, answer, work, &mut line).await;
        }
        let charset = session.result_charset();
        let about = Box::new(session.noted().get());
        let (shown, cursor) = match answer {
            Ok(Answer::Table(shown, rows)) => {
                (shown.clone(), Cursor::new(shown, charset, &rows, None, about))
            }
            Ok(Answer::Stream(shown, rows)) => {
                (shown.to_vec(), Cursor::new(shown.to_vec(), charset, &[], Some(rows), about))
            }
            other => return self.answer(session, other, work, &mut line).await,
        };
        let room = |all| session.keep_statements(all);
        if let Err(failure) = statements.open(id, cursor, room) {
            return self.send_error(session, &failure, work.request, &mut line).await;
        }
        let status = session.status();
        self.columns(&shown, charset).await?;
        self.packets.write(&results::cursor_end(status.into(), self.capabilities, CursorState::More)).await?;
        line.succeeded();
        Ok(())
    }

    /// "COM_STMT_FETCH": rows without their columns. The cursor is closed where fewer are left than
    /// asked for, and by a failure.
    async fn fetch(
        &mut self,
        id: u32,
        most: u32,
        session: &mut Session,
        statements: &mut Statements,
        mut work: Work<'_, '_>,
    ) -> Result<(), Gone> {
        let mut line = Line::new(session.identity(), work.request);
        line.about(About::of("fetch"));
        session.finish(Vec::new());
        let mut cursor = match statements.take_cursor(id) {
            Ok(cursor) => cursor,
            Err(failure) => return self.send_error(session, &failure, work.request, &mut line).await,
        };
        line.about(About { kind: "fetch", ..About::clone(&cursor.about) });
        let mut left = usize::try_from(most).unwrap_or(usize::MAX);
        let state = loop {
            if left == 0 {
                break CursorState::More;
            }
            let rows = match work.watch(&mut self.packets, cursor.next(left)).await? {
                Ok(Next::Rows(rows)) => rows,
                Ok(Next::End(notes)) => {
                    session.finish(notes);
                    break CursorState::Last;
                }
                Err(failure) => return self.send_error(session, &failure, work.request, &mut line).await,
            };
            left -= rows.len();
            let packets = match work.form.rows(rows.rows(), &cursor.columns, cursor.charset) {
                Ok(packets) => packets,
                Err(failure) => return self.send_error(session, &failure, work.request, &mut line).await,
            };
            line.rows(&packets);
            if let Err(failure) = self.send_rows(&packets, &mut work).await? {
                drop(cursor);
                return self.send_error(session, &failure, work.request, &mut line).await;
            }
        };
        if matches!(state, CursorState::More) {
            statements.put_cursor(id, cursor);
        }
        line.succeeded();
        self.packets.write(&results::cursor_end(session.status().into(), self.capabilities, state)).await?;
        Ok(())
    }
}
