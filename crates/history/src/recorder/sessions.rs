//! Transactions whose connection is not named yet, and the looks that name it.

use super::Recorder;
use crate::binlog_position::BinlogPosition;
use crate::capture::{CaptureCommand, ConfirmedSession, SessionsLook, ValidFrom};
use crate::log::Origin;
use crate::sessions;
use crate::store::ChangeSequence;
use std::collections::{HashMap, VecDeque};

/// Transactions that wait at most; of the oldest beyond them nobody will be named.
const MOST: usize = 20_000;

/// A transaction that waits for a look.
#[derive(Debug)]
struct Unnamed {
    first: ChangeSequence,
    connection: u32,
    end: BinlogPosition,
}

/// All that wait, in the order of the log.
#[derive(Debug, Default)]
pub(super) struct UnnamedTransactions(VecDeque<Unnamed>);

impl Recorder {
    /// A transaction that ends here was taken in, its first change being this one; asks whose
    /// connection made it, where it was made on this server.
    pub(super) fn await_session(&mut self, first: ChangeSequence, origin: Origin, end: &BinlogPosition) {
        let own = self.state.as_ref().is_some_and(|s| s.position.server.server_id == origin.server);
        let Some(connection) = origin.connection.filter(|_| own && !origin.relayed) else { return };
        // What lies in front of the record's beginning was made before anybody looked.
        if !self.options.connections || first == self.ingest.next || self.backlog.is_some() {
            return;
        }
        if self.unnamed.0.len() >= MOST {
            self.unnamed.0.pop_front();
        }
        self.unnamed.0.push_back(Unnamed { first, connection, end: end.clone() });
        self.command(CaptureCommand::Sessions);
    }

    /// The log is taken in up to a look: it names who it can, and nobody else will.
    pub(super) fn sessions(&mut self, learned: &ValidFrom<SessionsLook>) {
        let sessions: HashMap<u32, &ConfirmedSession> =
            learned.what.sessions.iter().map(|session| (session.id, session)).collect();
        let mut named = Vec::new();
        while let Some(unnamed) = self.unnamed.0.pop_front() {
            if !learned.after.reaches(&unnamed.end) {
                self.unnamed.0.push_front(unnamed);
                break;
            }
            let session = sessions.get(&unnamed.connection);
            if let Some(session) = session.filter(|session| !session.since.reaches(&unnamed.end)) {
                named.push((unnamed.first, std::sync::Arc::clone(&session.info)));
            }
        }
        if !named.is_empty() {
            let mut batch = crate::engine::Batch::default();
            sessions::write(&mut batch, learned.what.at, &named);
            self.ingest.add(&batch);
            self.unwritten = true;
        }
    }

    /// Positions of the log so far mean nothing any more, or transactions come again.
    pub(super) fn forget_unnamed(&mut self) {
        self.unnamed.0.clear();
    }
}
