//! Answers, as they go out (["Generic Response
//! Packets"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html),
//! ["Text
//! Resultset"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html)).

use super::work::late;
use super::{Connection, Work};
use crate::failure::Failure;
use crate::session::{Answer, Next, RowStream, Session, Status};
use crate::wire::error;
use crate::wire::gone::Gone;
use crate::wire::log::Line;
use dbtrail_mysql_wire::constants::CapabilityFlags;
use dbtrail_mysql_wire::reader::put_lenenc;
use dbtrail_mysql_wire::results::StateChange;
use dbtrail_mysql_wire::{columns, results};
use dbtrail_types::byte_list::ByteList;
use dbtrail_types::names::RequestId;
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::ResultColumn;
use std::pin::pin;
use std::sync::Arc;

impl Connection {
    /// The one place that sends answers.
    pub(super) async fn answer(
        &mut self,
        session: &mut Session,
        answer: Result<Answer, Failure>,
        work: Work<'_, '_>,
        line: &mut Line,
    ) -> Result<(), Gone> {
        match answer {
            Ok(Answer::Done) => {
                line.succeeded();
                self.send_ok(session).await
            }
            Ok(Answer::Table(columns, rows)) => {
                let charset = session.result_charset();
                let cells = rows.iter().map(|row| row.iter().map(Option::as_deref));
                let packets = match work.form.rows(cells, &columns, charset) {
                    Ok(packets) => packets,
                    Err(failure) => return self.send_error(session, &failure, work.request, line).await,
                };
                self.head(&columns, session.status(), charset).await?;
                for packet in packets.iter() {
                    self.packets.write(packet).await?;
                }
                self.packets.write(&results::end(session.status().into(), self.capabilities)).await?;
                line.rows(&packets);
                line.succeeded();
                Ok(())
            }
            Ok(Answer::Stream(columns, rows)) => self.stream(session, &columns, *rows, work, line).await,
            Err(failure) => self.send_error(session, &failure, work.request, line).await,
        }
    }

    /// A failure of a statement: to the client, and to SHOW WARNINGS.
    pub(super) async fn send_error(
        &mut self,
        session: &mut Session,
        failure: &Failure,
        request: &RequestId,
        line: &mut Line,
    ) -> Result<(), Gone> {
        let error = error::of(failure, self.shared.errors, self.cannot_carry_2002, Some(request));
        line.failed(failure, &error);
        self.packets.write(&results::err(error.code, error.state, &error.message)).await?;
        session.failed(error.code, error.message);
        Ok(())
    }

    /// Sends rows. The client may take them slowly, or not at all: the agent's request must not
    /// wait for it when it is killed or its time is over.
    pub(super) async fn send_rows(
        &mut self,
        rows: &ByteList,
        work: &mut Work<'_, '_>,
    ) -> Result<Result<(), Failure>, Gone> {
        let packets = &mut self.packets;
        let send_rows = async {
            for packet in rows.iter() {
                packets.write(packet).await?;
            }
            Ok::<(), Gone>(())
        };
        tokio::select! {
            send_rows = send_rows => send_rows.map(Ok),
            () = work.interrupt.as_mut() => Ok(Err(Failure::Interrupted)),
            () = late(work.deadline) => Ok(Err(Failure::TooLong)),
        }
    }

    /// How many columns there are, and their definitions.
    pub(super) async fn columns(
        &mut self,
        columns: &[ResultColumn],
        charset: ResultCharset,
    ) -> Result<(), Gone> {
        let mut count = Vec::new();
        put_lenenc(&mut count, columns.len() as u64);
        self.packets.write(&count).await?;
        for column in columns {
            self.packets.write(&columns::definition(column, charset)).await?;
        }
        Ok(())
    }

    /// The same for columns that may have been sent before.
    async fn head_again(
        &mut self,
        columns: &Arc<[ResultColumn]>,
        status: Status,
        charset: ResultCharset,
    ) -> Result<(), Gone> {
        let mut count = Vec::new();
        put_lenenc(&mut count, columns.len() as u64);
        self.packets.write(&count).await?;
        for payload in self.written.payloads(columns, charset) {
            self.packets.write(payload).await?;
        }
        self.written.shrink();
        if !self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            self.packets.write(&results::eof(status.into())).await?;
        }
        Ok(())
    }

    async fn head(
        &mut self,
        columns: &[ResultColumn],
        status: Status,
        charset: ResultCharset,
    ) -> Result<(), Gone> {
        self.columns(columns, charset).await?;
        if !self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            self.packets.write(&results::eof(status.into())).await?;
        }
        Ok(())
    }

    /// Rows as they come. The first ones are waited for before anything is sent, so that an early
    /// failure is a clean error.
    async fn stream(
        &mut self,
        session: &mut Session,
        columns: &Arc<[ResultColumn]>,
        mut rows: RowStream,
        mut work: Work<'_, '_>,
        line: &mut Line,
    ) -> Result<(), Gone> {
        let charset = session.result_charset();
        let mut begun = false;
        loop {
            let next = work.watch(&mut self.packets, pin!(rows.next())).await?;
            let ready = match &next {
                Ok(Next::Rows(block)) => work.form.rows(block.rows(), columns, charset),
                Ok(Next::End(_)) | Err(_) => Ok(ByteList::default()),
            };
            let (next, ready) = match next.and_then(|next| Ok((next, ready?))) {
                Ok(next) => next,
                Err(failure) => return self.send_error(session, &failure, work.request, line).await,
            };
            if !begun {
                self.head_again(columns, session.status(), charset).await?;
                begun = true;
            }
            match next {
                Next::Rows(_) => {
                    line.rows(&ready);
                    if let Err(failure) = self.send_rows(&ready, &mut work).await? {
                        drop(rows);
                        return self.send_error(session, &failure, work.request, line).await;
                    }
                }
                Next::End(notes) => {
                    session.finish(notes);
                    line.succeeded();
                    self.packets.write(&results::end(session.status().into(), self.capabilities)).await?;
                    return Ok(());
                }
            }
        }
    }

    /// An OK, with what the statement changed for a client that wants to know.
    pub(super) async fn send_ok(&mut self, session: &mut Session) -> Result<(), Gone> {
        let (status, changes) = (session.status(), session.take_changes());
        let tracks = self.capabilities.contains(CapabilityFlags::CLIENT_SESSION_TRACK);
        let packet = match changes {
            Some(changes) if tracks => {
                let changes: Vec<StateChange<'_>> = changes.iter().map(Into::into).collect();
                results::changed(status.into(), &changes)
            }
            Some(_) | None => results::ok(status.into(), false),
        };
        self.packets.write(&packet).await?;
        Ok(())
    }

    /// "COM_FIELD_LIST Response": no count of columns, and at the end a true EOF whatever the
    /// capabilities say.
    pub(super) async fn field_list(
        &mut self,
        session: &mut Session,
        listed: Result<Vec<ResultColumn>, Failure>,
        request: &RequestId,
        line: &mut Line,
    ) -> Result<(), Gone> {
        match listed {
            Ok(columns) => {
                line.succeeded();
                for column in &columns {
                    self.packets.write(&columns::listed(column, session.result_charset())).await?;
                }
                self.packets.write(&results::eof(session.status().into())).await?;
                Ok(())
            }
            Err(failure) => self.send_error(session, &failure, request, line).await,
        }
    }
}
