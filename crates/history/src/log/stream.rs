//! Events as a server sends them to a replica, to committed entries with the positions after them
//! (manual: ["Replication
//! Protocol"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html)).
//!
//! Beside the events of its files a server sends some that are in no file: a rotate event with the
//! file's name in front of each file, a copy of the format description where reading begins inside
//! of a file, and heartbeats. Of these only the copies must come here; the others do no harm.

use super::decoder::Decoder;
use super::event::{self, Event, kind};
use super::{CommittedTransaction, LogFault, SourceTime, SpillOptions, TakeError};
use crate::binlog_position::BinlogPosition;
use crate::patterns::Patterns;
use ::bytes::Bytes as Buffer;

/// Where the first event of a file is.
const FIRST: u64 = 4;

/// Reads the events of one server, in order.
#[derive(Debug)]
pub struct StreamReader {
    decoder: Decoder,
    position: BinlogPosition,
    /// Whether the format description of this connection has come.
    described: bool,
}

impl Default for StreamReader {
    fn default() -> Self {
        Self {
            decoder: Decoder::default(),
            position: BinlogPosition { file: String::new(), offset: 0 },
            described: false,
        }
    }
}

impl StreamReader {
    /// Of this time of each transaction.
    #[must_use]
    pub fn at(time: SourceTime) -> Self {
        Self { decoder: Decoder::at(time), ..Self::default() }
    }

    /// Events come from this position on. What was taken in of an unfinished transaction is
    /// dropped, since it comes again; but where the position lies further on in the file, the
    /// server has only left out events that tell nothing of rows.
    pub fn follow(&mut self, position: BinlogPosition, same_server: bool) {
        if same_server && position.file == self.position.file && position.offset >= self.position.offset {
            self.position = position;
            return;
        }
        if !same_server {
            self.decoder.server_changes();
        }
        self.decoder.file_ends();
        self.begin(&position.file);
        self.decoder.ready.clear();
        self.position = position;
    }

    /// A part of the log is not read: what was prepared before it (XA) is not what is committed
    /// after it.
    pub fn leave_out(&mut self) {
        self.decoder.forget_prepared();
    }

    /// How large transactions may become in memory from here on.
    pub fn spill(&mut self, options: SpillOptions) {
        self.decoder.spill(options);
    }

    /// Rows of tables that are not among these are not kept from here on: a transaction in them
    /// takes no memory for its rows.
    pub fn capture(&mut self, tables: &Patterns) {
        self.decoder.capture(tables);
    }

    /// After the last event.
    #[must_use]
    pub fn position(&self) -> &BinlogPosition {
        &self.position
    }

    /// Where reading must begin after a restart, so that nothing that was begun is missed.
    #[must_use]
    pub fn resume(&self, following: &BinlogPosition) -> BinlogPosition {
        match self.decoder.oldest_prepared() {
            Some(p) => BinlogPosition { file: p.file.clone(), offset: p.offset },
            None => following.clone(),
        }
    }

    /// Whether no transaction is open.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.decoder.is_between()
    }

    /// Takes one event, as it is in the log: header, body, checksum.
    ///
    /// # Errors
    /// It is damaged, or of a kind that is not known: nothing after it can be relied on. Or there
    /// is no room for the transaction that it belongs to.
    pub fn take(&mut self, raw: impl Into<Buffer>) -> Result<(), TakeError> {
        let checksum = self.described && self.decoder.format.checksum;
        let event = event::event(raw.into(), self.position.offset, checksum)?;
        self.event(&event)
    }

    fn event(&mut self, event: &Event) -> Result<(), TakeError> {
        match event.kind {
            // In front of the first file comes one before it is known whether events have
            // checksums; `follow` has said the position.
            kind::ROTATE if !self.described => return Ok(()),
            kind::ROTATE => return Ok(self.rotate(event)?),
            kind::HEARTBEAT | kind::HEARTBEAT_V2 => return Ok(()),
            kind::STOP | kind::PREVIOUS_GTIDS | kind::MARIADB_GTID_LIST => {}
            kind::FORMAT_DESCRIPTION => {
                self.described = true;
                self.decoder.take(event)?;
                // The one of the file's head, sent again since reading begins further on.
                if self.position.offset != FIRST {
                    return Ok(());
                }
            }
            _ => self.decoder.take(event)?,
        }
        // Not by what events say of their end: newer MariaDB leaves that out inside of
        // transactions, and it has 32 bits.
        self.position.offset += event.length;
        Ok(())
    }

    /// Events are as before until a description comes: one is at the head of a file, and in front
    /// of what comes from the middle of one.
    fn begin(&mut self, file: &str) {
        let format = self.decoder.format.clone();
        self.decoder.file_begins(file);
        self.decoder.format = format;
    }

    fn rotate(&mut self, event: &Event) -> Result<(), LogFault> {
        let (offset, name) = event.body().split_first_chunk::<8>().ok_or(LogFault::RotateWithoutPosition)?;
        let file = String::from_utf8_lossy(name).into_owned();
        if file != self.position.file {
            // A transaction never goes on in another file: what is open was cut by a crash of the
            // server.
            self.decoder.file_ends();
            self.begin(&file);
            self.position = BinlogPosition { file, offset: u64::from_le_bytes(*offset) };
        }
        Ok(())
    }

    /// The next whole entry. Those of one event all end where it ends.
    pub fn entry(&mut self) -> Option<CommittedTransaction> {
        self.decoder.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Change;
    use std::path::Path;

    /// The entries of a recording, as a server would send it.
    fn read(excluded: &[String]) -> Vec<CommittedTransaction> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/mysql-9.7/binlog.000003");
        let bytes = Buffer::from(std::fs::read(path).unwrap());
        let mut reader = StreamReader::default();
        reader.capture(&Patterns::new(&[], excluded).unwrap());
        reader.follow(BinlogPosition { file: "binlog.000003".to_owned(), offset: FIRST }, false);
        let (mut at, mut entries) = (4, Vec::new());
        while let Some(length) = bytes.get(at + 9..at + 13) {
            let end = at + u32::from_le_bytes(length.try_into().unwrap()) as usize;
            reader.take(bytes.slice(at..end)).unwrap();
            entries.extend(std::iter::from_fn(|| reader.entry()));
            at = end;
        }
        entries
    }

    fn rows(entry: &CommittedTransaction, table: &str) -> (usize, usize) {
        let events = entry
            .changes
            .in_memory()
            .iter()
            .filter_map(|c| if let Change::Rows(rows) = c { Some(rows) } else { None });
        let events: Vec<_> = events.filter(|rows| rows.table.name.table == table).collect();
        let count = |event: &&crate::log::RowsEvent| {
            let mut rows = event.rows();
            std::iter::from_fn(|| rows.step().unwrap().then_some(())).count()
        };
        (events.len(), events.iter().map(count).sum())
    }

    #[test]
    fn ok_rows_of_tables_that_are_not_captured_are_not_kept() {
        let (all, some) = (read(&[]), read(&["tt.orders".to_owned()]));
        assert_eq!(all.len(), some.len());
        let (mut left_out, mut others) = (0, 0);
        for (all, some) in all.iter().zip(&some) {
            assert_eq!(
                (&all.gtid, all.committed, &all.position),
                (&some.gtid, some.committed, &some.position)
            );
            let ((events, rows_of), (stubs, none)) = (rows(all, "orders"), rows(some, "orders"));
            assert_eq!((none, stubs > 0), (0, events > 0));
            assert!(stubs <= events);
            left_out += rows_of;
            assert_eq!(rows(all, "order_items"), rows(some, "order_items"));
            others += rows(all, "order_items").1;
        }
        assert!(left_out > 50 && others > 50, "{left_out} {others}");
    }
}
