//! Events to committed entries: what is rolled back never becomes one.

mod transaction;
mod xa;

use super::event::{self, Event, kind};
use super::gtid::{self, Announced};
use super::savepoints::Savepoints;
use super::spoken;
use super::table_map::Mapped;
use super::{
    BinlogPosition, Change, CommittedTransaction, LogFault, MappedTable, MappedTables, ServerVersion,
    SourceTime, SpillOptions, TakeError, TransactionChanges, query, rows, table_map,
};
use crate::patterns::Patterns;
use dbtrail_types::names::TableName;
use std::collections::HashMap;
use std::sync::Arc;
use xa::xa_name;

/// Table maps of one statement that are listed at most: far more than a statement can open.
const MAPPED: usize = 16_384;

/// What is known between two events.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    file: String,
    server: ServerVersion,
    /// Which commit time of transactions counts.
    time: SourceTime,
    begun: bool,
    announced: Option<Announced>,
    /// The byte offset of the event that announced it.
    announced_at: u64,
    /// The text of the statement whose rows come next.
    text: Option<Arc<str>>,
    /// The second of the first table map of what is open.
    began: Option<u32>,
    tables: HashMap<u64, Mapped>,
    /// The tables of this statement, in the order of their maps.
    mapped: Vec<Arc<MappedTable>>,
    /// The same, as its rows events hold it.
    shared: Option<MappedTables>,
    maps: table_map::Maps,
    open: Option<Open>,
    prepared: HashMap<String, Open>,
    /// Bytes that the changes of those take in memory.
    prepared_memory: usize,
    spill: SpillOptions,
    /// Which tables are captured, as written and in lower case; rows of others are not kept.
    /// `None`: all.
    captured: Option<[Patterns; 2]>,
}

/// A transaction that is not yet committed.
#[derive(Debug)]
struct Open {
    position: BinlogPosition,
    /// That is in the log of a server that is not followed any more.
    elsewhere: bool,
    changes: TransactionChanges,
    savepoints: Savepoints,
    connection: Option<u32>,
    /// The client's character set, in which texts of statements are.
    client: Option<u16>,
}

impl Assembly {
    pub(super) fn at(time: SourceTime) -> Self {
        Self { time, ..Self::default() }
    }

    /// How large transactions may become in memory from here on.
    pub(super) fn spill(&mut self, options: SpillOptions) {
        self.spill = options;
    }

    /// Rows of tables that are not among these are not kept from here on. Names count as written
    /// and in lower case: what either takes is kept, since the server may or may not tell them
    /// apart.
    pub(super) fn capture(&mut self, tables: &Patterns) {
        self.captured = Some([tables.clone(), tables.to_lowercase()]);
    }

    fn captures(&self, name: &TableName) -> bool {
        let Some([written, lower]) = &self.captured else { return true };
        written.includes(name) || lower.includes(&name.to_lowercase())
    }

    pub(super) fn file_begins(&mut self, name: &str) {
        name.clone_into(&mut self.file);
    }

    pub(super) fn file_ends(&mut self) {
        self.open = None;
        self.announced = None;
        self.statement_ends();
    }

    /// The table maps before this hold no longer.
    fn statement_ends(&mut self) {
        self.tables.clear();
        self.mapped.clear();
        self.shared = None;
        self.text = None;
    }

    pub(super) fn server(&mut self, server: ServerVersion) {
        self.maps = table_map::Maps::default();
        self.server = server;
    }

    /// Whether nothing but the head of the first file was read.
    pub(super) fn is_fresh(&self) -> bool {
        !self.begun
    }

    /// Whether no transaction is open.
    pub(super) fn is_between(&self) -> bool {
        self.open.is_none() && self.announced.is_none()
    }

    fn position(&self, event: &Event) -> BinlogPosition {
        BinlogPosition { file: self.file.clone(), offset: event.offset }
    }

    /// The entry that an event completes, if it does.
    pub(super) fn take(&mut self, event: &Event) -> Result<Option<CommittedTransaction>, TakeError> {
        self.begun = true;
        if let Some(layout) = rows::layout(event.kind) {
            self.rows(event, layout)?;
            return Ok(None);
        }
        match event.kind {
            kind::GTID | kind::GTID_TAGGED => self.announce(gtid::mysql(event, false, self.time)?, event),
            kind::ANONYMOUS_GTID => self.announce(gtid::mysql(event, true, self.time)?, event),
            kind::MARIADB_GTID => self.announce(gtid::mariadb(event)?, event),
            kind::TABLE_MAP => {
                let (id, table) = self.maps.read(event.body(), self.server)?;
                if self.mapped.len() < MAPPED {
                    self.mapped.push(table.named());
                    self.shared = None;
                }
                self.tables.insert(id, table);
                self.began.get_or_insert(event.timestamp);
            }
            kind::ROWS_QUERY | kind::MARIADB_ANNOTATE_ROWS => {
                let client = self.open.as_ref().and_then(|open| open.client);
                self.text = spoken::read(event, client);
            }
            kind::QUERY | kind::MARIADB_QUERY_COMPRESSED | kind::EXECUTE_LOAD_QUERY => return self.query(event),
            kind::XID => return Ok(self.commit(event)),
            kind::XA_PREPARE => return self.xa_prepare(event),
            kind::INCIDENT => {
                let why = "the server logged an incident: changes are missing from its log";
                return Ok(self.unfollowable(event, why)?);
            }
            // The bytes of a file for LOAD DATA, whose statement follows; a server that encrypts
            // its files sends them in clear.
            kind::BEGIN_LOAD_QUERY
            | kind::APPEND_BLOCK
            | kind::DELETE_FILE
            | kind::MARIADB_START_ENCRYPTION
            // These accompany a statement that is logged as text, which the schema history judges;
            // or they tell nothing of rows.
            | kind::INTVAR
            | kind::RAND
            | kind::USER_VAR
            | kind::HEARTBEAT
            | kind::HEARTBEAT_V2
            | kind::IGNORABLE
            | kind::TRANSACTION_CONTEXT
            | kind::VIEW_CHANGE
            | kind::MARIADB_BINLOG_CHECKPOINT => {}
            other if event.flags & event::IGNORABLE != 0 => {
                tracing::debug!(kind = other, "an event that may be ignored");
            }
            other => return Err(LogFault::EventType(other).into()),
        }
        Ok(None)
    }

    fn announce(&mut self, announced: Announced, event: &Event) {
        let (begins, connection) = (announced.begins, announced.connection);
        self.announced = Some(announced);
        self.announced_at = event.offset;
        // What was open without COMMIT when a new transaction is announced was cut by a crash.
        self.open = None;
        if begins {
            self.begin(event, connection, None);
        }
    }

    fn rows(&mut self, event: &Event, layout: rows::Layout) -> Result<(), TakeError> {
        let (id, flags) = rows::head(event.body())?;
        let table = self.tables.get(&id).cloned();
        let mapped = Arc::clone(self.shared.get_or_insert_with(|| self.mapped.as_slice().into()));
        let text = self.text.clone();
        if flags & rows::STATEMENT_END != 0 {
            self.statement_ends();
        }
        let Some(table) = table else {
            // An event for no table only marks the end of a statement.
            let dummy = id == 0x00ff_ffff && flags & rows::STATEMENT_END != 0;
            return if dummy { Ok(()) } else { Err(LogFault::RowsWithoutTableMap.into()) };
        };
        let lost = |name, reason| Change::Unfollowable { tables: vec![name], reason };
        // Events' own lengths say where the next ones begin: only this table is lost.
        let unread = |name, fault: &LogFault| lost(name, undecodable(&self.file, event.offset, fault));
        let change = match table {
            Mapped::Unread(name, fault) => unread(name, &fault),
            Mapped::Known(table) if !self.captures(&table.name) => {
                Change::Rows(rows::RowsEvent::without_rows(event, layout, &table, &mapped)?)
            }
            Mapped::Known(table) if layout.partial => {
                let reason = "a row was logged with partial JSON: set binlog_row_value_options to ''";
                lost(table.name.clone(), reason.to_owned())
            }
            Mapped::Known(table) => match rows::RowsEvent::read(event, layout, &table, &mapped) {
                Ok(mut rows) => {
                    rows.text = text;
                    Change::Rows(rows)
                }
                Err(fault) => unread(table.name.clone(), &fault),
            },
        };
        let open = self.open.as_mut().ok_or(LogFault::RowsOutsideTransaction)?;
        // Rows of a table that is not captured take no more memory than one of them.
        if let (Some(last), Change::Rows(next)) = (open.changes.last_rows(), &change)
            && last.absorb(next)
        {
            return Ok(());
        }
        Ok(self.push(change)?)
    }

    fn query(&mut self, event: &Event) -> Result<Option<CommittedTransaction>, TakeError> {
        let read = query::read(event, self.server)?;
        if self.announced.as_ref().is_some_and(|a| a.idle) {
            return Ok(self.nothing(event));
        }
        let words = first_words(&read.sql);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["BEGIN", ..] | ["START", "TRANSACTION", ..] | ["XA", "START" | "BEGIN", ..] => {
                let client = read.charsets.map(|(client, _, _)| client);
                let connection =
                    read.connection.or_else(|| self.announced.as_ref().and_then(|a| a.connection));
                self.begin(event, connection, client);
            }
            ["COMMIT", ..] => return Ok(self.commit(event)),
            ["ROLLBACK", "TO", ..] => {
                if let Some(open) = &mut self.open {
                    open.savepoints.rollback_to(&read.sql, &mut open.changes)?;
                }
            }
            ["ROLLBACK", ..] => return Ok(self.rolled_back(event)?),
            ["SAVEPOINT", ..] => {
                if let Some(open) = &mut self.open {
                    open.savepoints.set(&read.sql, open.changes.mark()?);
                }
            }
            ["RELEASE", "SAVEPOINT", ..] | ["XA", "END", ..] => {}
            ["XA", "COMMIT", ..] => return Ok(self.xa_commit(event, &read)?),
            ["XA", "ROLLBACK", ..] => {
                self.take_prepared(&xa_name(&read.sql));
                return Ok(self.nothing(event));
            }
            _ => return Ok(self.change(event, Change::Statement(read))?),
        }
        Ok(None)
    }
}

/// What is known of a table whose rows cannot be read.
pub(crate) fn undecodable(file: &str, offset: u64, fault: &LogFault) -> String {
    format!("rows of it in {file}, event at byte {offset}, cannot be decoded: {fault}")
}

/// The first words of a statement in upper case; comments in front are passed over.
fn first_words(sql: &str) -> Vec<String> {
    let mut rest = sql.trim_start();
    while let Some(inside) = rest.strip_prefix("/*") {
        if inside.starts_with(['!', 'M']) {
            break;
        }
        rest = inside.split_once("*/").map_or("", |(_, following)| following).trim_start();
    }
    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .take(3)
        .map(str::to_uppercase)
        .collect()
}
