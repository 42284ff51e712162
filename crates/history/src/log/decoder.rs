//! Events to committed entries, wherever the events come from: files or a server.

use super::assembly::Assembly;
use super::event::{self, Event, Format, Torn, kind};
use super::{BinlogPosition, CommittedTransaction, LogFault, SourceTime, SpillOptions, TakeError};
use std::collections::VecDeque;

/// What is known between two events, and the entries that are whole.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    assembly: Assembly,
    /// What the format description of this file says.
    pub(super) format: Format,
    /// Whole entries, in order.
    pub(super) ready: VecDeque<CommittedTransaction>,
}

impl Decoder {
    /// Of this time of each transaction.
    pub(super) fn at(time: SourceTime) -> Self {
        Self { assembly: Assembly::at(time), ..Self::default() }
    }

    /// How large transactions may become in memory from here on.
    pub(super) fn spill(&mut self, options: SpillOptions) {
        self.assembly.spill(options);
    }

    /// Rows of tables that are not among these are not kept from here on.
    pub(super) fn capture(&mut self, tables: &crate::patterns::Patterns) {
        self.assembly.capture(tables);
    }

    pub(super) fn file_begins(&mut self, name: &str) {
        self.assembly.file_begins(name);
        self.format = Format::default();
    }

    /// What was begun and not committed when the file ended was rolled back by the crash (or is not
    /// in the record).
    pub(super) fn file_ends(&mut self) {
        self.assembly.file_ends();
    }

    /// Whether nothing but the head of the first file was read.
    pub(super) fn is_fresh(&self) -> bool {
        self.assembly.is_fresh()
    }

    /// Whether no transaction is open.
    pub(super) fn is_between(&self) -> bool {
        self.assembly.is_between()
    }

    /// Where the oldest transaction begins that is prepared (XA) and not yet committed.
    pub(super) fn oldest_prepared(&self) -> Option<&BinlogPosition> {
        self.assembly.oldest_prepared()
    }

    /// What comes next is in the log of another server.
    pub(super) fn server_changes(&mut self) {
        self.assembly.server_changes();
    }

    /// A part of the log was not read.
    pub(super) fn forget_prepared(&mut self) {
        self.assembly.forget_prepared();
    }

    /// Takes one event that tells of changes, or of how changes are to be read.
    pub(super) fn take(&mut self, event: &Event) -> Result<(), TakeError> {
        match event.kind {
            kind::FORMAT_DESCRIPTION => {
                self.format = event::format(event)?;
                self.assembly.server(self.format.version());
            }
            kind::TRANSACTION_PAYLOAD => self.payload(event)?,
            _ => self.ready.extend(self.assembly.take(event)?),
        }
        Ok(())
    }

    /// A compressed transaction (manual: ["Binary Log Transaction
    /// Compression"](https://dev.mysql.com/doc/refman/9.7/en/binary-log-transaction-compression.html)):
    /// events without checksums inside of one event.
    fn payload(&mut self, event: &Event) -> Result<(), TakeError> {
        let mut inside = super::payload::reader(event.body())?;
        let mut at = 0;
        loop {
            match event::next(&mut inside, event.offset, false) {
                Ok(None) => return Ok(()),
                Ok(Some(inner)) if inner.kind == kind::TRANSACTION_PAYLOAD => {
                    return Err(LogFault::NestedPayload.into());
                }
                Ok(Some(inner)) => {
                    at += inner.length;
                    self.ready.extend(self.assembly.take(&inner)?);
                }
                Err(Torn::Tail(what)) => {
                    return Err(LogFault::PayloadCut { fault: Box::new(what), at }.into());
                }
                Err(Torn::Fault(fault)) => return Err(fault.into()),
            }
        }
    }
}
