//! The prepared statements of one connection (["Prepared
//! Statements"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html)),
//! and what each keeps between its commands.

use super::parameters::{self, Bound, ParameterContext};
use crate::failure::Failure;
use crate::session::{About, Next, Parameter, Prepared, RowStream};
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::{ResultColumn, Row, RowBlock};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Cursors at a time: each keeps a request at the agent open.
const MOST_CURSORS: usize = 32;

/// How mysqld names commands in its errors.
pub(super) const FETCH: &str = "mysqld_stmt_fetch";
pub(super) const RESET: &str = "mysqld_stmt_reset";
const SEND_LONG_DATA: &str = "mysqld_stmt_send_long_data";

/// All of a connection. It ends with the session: COM_CHANGE_USER and COM_RESET_CONNECTION make
/// another.
#[derive(Debug, Default)]
pub(super) struct Statements {
    kept: HashMap<u32, OpenStatement>,
    last: u32,
}

/// One statement.
#[derive(Debug)]
pub(super) struct OpenStatement {
    pub(super) prepared: Arc<Prepared>,
    /// The types of its parameters, which are sent with the first execution and may be left out
    /// later.
    types: Vec<Bound>,
    /// Parameters that came in pieces, for the next execution.
    long: BTreeMap<u16, Vec<u8>>,
    /// Why they cannot be used: it lasts until COM_STMT_RESET.
    spoiled: Option<Failure>,
    cursor: Option<Cursor>,
}

impl OpenStatement {
    fn bytes(&self) -> usize {
        let pieces: usize = self.long.values().map(Vec::len).sum();
        let rows = self.cursor.as_ref().map_or(0, |cursor| cursor.ready.memory());
        self.prepared.length() + pieces + rows
    }
}

/// A result that is fetched in parts. Dropping it closes the request at the agent.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) columns: Vec<ResultColumn>,
    /// What the log says of the statement.
    pub(super) about: Box<About>,
    /// The character set that its columns were declared in.
    pub(super) charset: ResultCharset,
    /// Rows that came and were not fetched.
    ready: RowBlock,
    /// Those to come; `None`: there are no more.
    rest: Option<Box<RowStream>>,
}

impl Cursor {
    pub(super) fn new(
        columns: Vec<ResultColumn>,
        charset: ResultCharset,
        ready: &[Row],
        rest: Option<Box<RowStream>>,
        about: Box<About>,
    ) -> Self {
        let ready = RowBlock::of(columns.len(), ready);
        Self { columns, about, charset, ready, rest }
    }

    /// At most so many of the next rows. What is not ready is waited for.
    pub(super) async fn next(&mut self, most: usize) -> Result<Next, Failure> {
        if self.ready.is_empty() {
            match &mut self.rest {
                None => return Ok(Next::End(Vec::new())),
                Some(rows) => match rows.next().await? {
                    Next::Rows(rows) => self.ready = rows,
                    Next::End(notes) => {
                        self.rest = None;
                        return Ok(Next::End(notes));
                    }
                },
            }
        }
        Ok(Next::Rows(self.ready.take(most)))
    }
}

impl Statements {
    /// How many there are, and the bytes of their texts.
    pub(super) fn figures(&self) -> (usize, usize) {
        (self.kept.len(), self.kept.values().map(|s| s.prepared.length()).sum())
    }

    /// Bytes that they keep: their texts, what came of their parameters, and rows of cursors.
    pub(super) fn bytes(&self) -> usize {
        self.kept.values().map(OpenStatement::bytes).sum()
    }

    /// Whether an execution of a statement gives back what it keeps: parameters that came in
    /// pieces, a cursor.
    pub(super) fn gives_back(&self, id: u32) -> bool {
        self.kept.get(&id).is_some_and(|s| !s.long.is_empty() || s.cursor.is_some())
    }

    /// Keeps a statement; gives its number.
    pub(super) fn keep(&mut self, prepared: Arc<Prepared>) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if !self.kept.contains_key(&self.last) {
                break;
            }
        }
        let kept =
            OpenStatement { prepared, types: Vec::new(), long: BTreeMap::new(), spoiled: None, cursor: None };
        self.kept.insert(self.last, kept);
        self.last
    }

    fn get(&mut self, id: u32, command: &'static str) -> Result<&mut OpenStatement, Failure> {
        self.kept.get_mut(&id).ok_or_else(|| Failure::UnknownPrepared(id.to_string(), command))
    }

    /// COM_STMT_CLOSE.
    pub(super) fn close(&mut self, id: u32) {
        self.kept.remove(&id);
    }

    /// COM_STMT_RESET: forgets what came in pieces and closes the cursor.
    pub(super) fn reset(&mut self, id: u32) -> Result<(), Failure> {
        let kept = self.get(id, RESET)?;
        (kept.long, kept.spoiled, kept.cursor) = (BTreeMap::new(), None, None);
        Ok(())
    }

    /// COM_STMT_SEND_LONG_DATA: has no answer, so that what is wrong with it is reported at the
    /// next execution. `limit`: bytes that a connection keeps in pieces; `room`: whether the
    /// connection may keep so many bytes in all.
    pub(super) fn send_long_data(
        &mut self,
        id: u32,
        (parameter, data): (u16, &[u8]),
        limit: usize,
        room: impl FnOnce(usize) -> Result<(), Failure>,
    ) {
        let all = self.bytes();
        let held: usize = self.kept.values().flat_map(|s| s.long.values()).map(Vec::len).sum();
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.spoiled.is_some() {
            return;
        }
        if usize::from(parameter) >= kept.prepared.parameters() {
            kept.spoiled = Some(Failure::WrongArguments(SEND_LONG_DATA));
        } else if held + data.len() > limit {
            kept.long = BTreeMap::new();
            kept.spoiled = Some(Failure::LongDataTooLong);
        } else if let Err(failure) = room(all + data.len()) {
            kept.long = BTreeMap::new();
            kept.spoiled = Some(failure);
        } else {
            kept.long.entry(parameter).or_default().extend_from_slice(data);
        }
    }

    /// COM_STMT_EXECUTE: the statement and the values of its parameters. Whatever comes of it, the
    /// former cursor is closed and what came in pieces is used up.
    pub(super) fn execute(
        &mut self,
        id: u32,
        payload: &[u8],
        text: impl Fn(&[u8]) -> Option<String>,
    ) -> Result<(Arc<Prepared>, Vec<Parameter>), Failure> {
        let kept = self.get(id, parameters::EXECUTE)?;
        kept.cursor = None;
        if let Some(failure) = &kept.spoiled {
            return Err(failure.clone());
        }
        let long = std::mem::take(&mut kept.long);
        let known = ParameterContext { count: kept.prepared.parameters(), types: &kept.types, long: &long };
        let (types, values) = parameters::read(payload, &known, text)?;
        kept.types = types;
        Ok((Arc::clone(&kept.prepared), values))
    }

    /// Opens a cursor for a statement. `room`: whether the connection may keep so many bytes in
    /// all.
    pub(super) fn open(
        &mut self,
        id: u32,
        cursor: Cursor,
        room: impl FnOnce(usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let open = self.kept.values().filter(|s| s.cursor.is_some()).count();
        if open >= MOST_CURSORS {
            return Err(Failure::Unsupported(format!(
                "more than {MOST_CURSORS} open cursors on a connection: fetch them to their ends, or close statements"
            )));
        }
        room(self.bytes() + cursor.ready.memory())?;
        self.get(id, parameters::EXECUTE)?.cursor = Some(cursor);
        Ok(())
    }

    /// COM_STMT_FETCH: the cursor of a statement, which is given back where it has more.
    pub(super) fn take_cursor(&mut self, id: u32) -> Result<Cursor, Failure> {
        self.get(id, FETCH)?.cursor.take().ok_or(Failure::NoCursor(id))
    }

    /// Gives a cursor back.
    pub(super) fn put_cursor(&mut self, id: u32, cursor: Cursor) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.cursor = Some(cursor);
        }
    }
}
