//! What the reading half sends: events of the log, and what was learned out of band.

use super::waiting::Waiting;
use super::{Recorder, visibility};
use crate::binlog_position::{BinlogPosition, Identity, LastEvent, ResumePosition};
use crate::capture::{CaptureCommand, CaptureEvent, ClockReading, EventFault, LogLoss, ReceivedEvent};
use crate::engine::{StoreError, StoreFault};
use crate::ingest::Ingest;
use crate::log::{LogFault, SourceTime, TakeError};
use bytes::Bytes;
use dbtrail_types::timestamp::Timestamp;
use std::cmp::Ordering;

/// Microseconds by which the newest instant on disk is older at most, where nothing else is
/// written.
const KEPT_WITHIN: i64 = 5_000_000;

impl Recorder {
    pub(super) fn take(&mut self, input: CaptureEvent) -> Result<(), StoreError> {
        match input {
            CaptureEvent::Begin(start) => {
                self.let_go();
                self.begin(start)?;
            }
            CaptureEvent::Follow(position, server) => self.follow_or_hold(position, server),
            CaptureEvent::Where(answer) => {
                // What came since the last whole entry comes again.
                self.let_go();
                self.commit()?;
                let _ = answer.send(self.resume());
            }
            CaptureEvent::Events(events) => self.events(events)?,
            CaptureEvent::Names(setting) => self.names_as(setting),
            CaptureEvent::Clock(learned) => {
                self.sight.came(&learned);
                self.waiting.push_back(Waiting::Clock(learned));
            }
            CaptureEvent::Definition(learned) => self.waiting.push_back(Waiting::Definition(learned)),
            CaptureEvent::Sessions(learned) => self.waiting.push_back(Waiting::Sessions(learned)),
            CaptureEvent::NextJob(left_alone, answer) => {
                // Nobody waits where the other half is stopping.
                let _ = answer.send(self.next_job(&left_alone)?);
            }
            CaptureEvent::View(view, answer) => self.view(view, answer)?,
            CaptureEvent::Baseline(learned, answer) => match self.held_rows(&learned.what)? {
                Some(kept) => _ = answer.send(kept),
                None => self.waiting.push_back(Waiting::Baseline(learned, answer)),
            },
            CaptureEvent::Gap(loss, start) => {
                self.let_go();
                self.gap(&loss, start)?;
            }
            CaptureEvent::Connection(up) => {
                if up.is_ok() {
                    self.sight = visibility::Sight::default();
                    self.reconnected = true;
                } else {
                    self.let_go();
                }
                let now = Timestamp::now();
                self.history_handle.update(|l| l.connected(up, now));
            }
        }
        self.reached()
    }

    pub(super) fn follow(&mut self, position: BinlogPosition, server: Identity) {
        tracing::debug!(%position, following = %self.reader.position(), "following");
        self.awaiting_resync = self.misnamed;
        self.reconnected = false;
        self.forget_unnamed();
        let same = self.state.as_ref().is_some_and(|s| s.position.server.same_server(&server));
        self.reader.follow(position.clone(), same);
        let Some(state) = &mut self.state else { return };
        let last = state.position.last.as_ref().filter(|last| same && last.begins().reaches(&position));
        self.expected = last.cloned();
        if !same {
            tracing::warn!(was = ?state.position.server, is = ?server, "the log goes on on another server");
            state.position = ResumePosition::new(position.clone(), String::new(), server);
            state.resume = position;
            self.unwritten = true;
            let again = self.forget_waiting();
            if !again.is_empty() {
                self.command(CaptureCommand::Compare(again));
            }
        }
    }

    pub(super) fn event(&mut self, ReceivedEvent { raw, received }: ReceivedEvent) -> Result<(), StoreError> {
        self.events += 1;
        self.bytes += raw.len() as u64;
        self.batch_bytes += raw.len() as u64;
        let raw = Bytes::from(raw);
        if !self.is_as_expected(&raw) {
            return Ok(());
        }
        let begins = self.reader.position().clone();
        match self.reader.take(raw.clone()) {
            Ok(()) => {}
            Err(TakeError::Fault(fault)) => {
                self.fault(fault);
                return Ok(());
            }
            Err(TakeError::Spill(error)) => return Err(StoreFault::Transaction(error.to_string()).into()),
        }
        while let Some(mut entry) = self.reader.entry() {
            let end = self.reader.position().clone();
            let Some(state) = &self.state else { continue };
            // After a restart that went back to a prepared transaction, what is known comes again.
            if state.position.at.reaches(&end) {
                continue;
            }
            // A server that took over may send again what it had from another one in another order.
            if entry.gtid.as_ref().map_or(Ok(false), |gtid| self.ingest.has(gtid))? {
                tracing::warn!(gtid = ?entry.gtid, "a transaction that is in the record came again, and is passed over");
            } else {
                if Ingest::leans_on_store(&entry) {
                    self.commit()?;
                }
                let visible = self.visible(&mut entry, &end, received);
                self.note_backlog(&entry);
                if let Some(state) = &self.state {
                    self.sight.took(entry.gtid.as_ref(), entry.committed, &state.position.server);
                }
                let (first, origin) = (self.ingest.next, entry.origin);
                self.ingest.entry_seen(entry, visible)?;
                self.note_touched(&end);
                self.await_session(first, origin, &end);
            }
            if let Some(state) = &mut self.state {
                let BinlogPosition { file, offset } = begins.clone();
                let (length, fingerprint) = (raw.len() as u64, LastEvent::fingerprint(&raw));
                state.position.last = Some(LastEvent { file, offset, length, fingerprint });
                state.position.at = end;
            }
            self.unwritten = true;
            if self.ingest.wants_commit() {
                self.commit()?;
            }
            // A definition holds for what comes next of the log, and not only after a batch of it.
            if self.backlog.is_some() {
                self.reached()?;
            }
        }
        Ok(())
    }

    /// Whether the log goes on as it was: the last event that was taken in comes again, byte for
    /// byte.
    fn is_as_expected(&mut self, raw: &[u8]) -> bool {
        /// FORMAT_DESCRIPTION_EVENT: that of the file's head is sent again wherever reading begins.
        const DESCRIPTION: u8 = 15;
        let Some(expected) = &self.expected else { return true };
        if raw.get(4) == Some(&DESCRIPTION) {
            return true;
        }
        match self.reader.position().compare(&expected.begins()) {
            Some(Ordering::Less) => return true,
            Some(Ordering::Equal) if LastEvent::fingerprint(raw) == expected.fingerprint => {
                self.expected = None;
                return true;
            }
            Some(Ordering::Equal | Ordering::Greater) | None => {}
        }
        let loss = LogLoss::OtherEvent { at: expected.begins() };
        self.expected = None;
        self.awaiting_resync = true;
        self.command(CaptureCommand::Resnapshot(loss));
        false
    }

    /// An event that cannot be read: read again from before it, and where that does not help, begin
    /// again.
    fn fault(&mut self, fault: LogFault) {
        self.awaiting_resync = true;
        let position = self.reader.position().clone();
        let fault = EventFault::Content { at: position.clone(), fault };
        tracing::error!("{fault}");
        if self.last_fault.replace(position) == Some(self.reader.position().clone()) {
            self.command(CaptureCommand::Resnapshot(fault.into()));
        } else {
            self.command(CaptureCommand::Reconnect(fault));
        }
    }

    /// All commits up to a reading of the clock are in.
    pub(super) fn clock(&mut self, reading: &ClockReading) -> Result<(), StoreError> {
        self.sight_reached(reading);
        self.commit()?;
        let newest = if reading.follows { self.sight.applied() } else { reading.safe };
        if let (Some(state), Some(newest)) = (&mut self.state, newest)
            && newest > state.coverage.newest
        {
            state.coverage.newest = newest;
            // Also where nothing happens: a gap begins at the last instant that was known.
            let late = |written: Timestamp| newest.micros().saturating_sub(written.micros()) > KEPT_WITHIN;
            // Stamps of what comes may lie before it, and are raised (`visible`): whoever goes on
            // after a crash must know of it too.
            let raises = reading.follows || self.options.source_time == SourceTime::Original;
            if raises || self.written.is_none_or(late) {
                self.unwritten = true;
                self.commit()?;
            } else {
                self.publish();
            }
        }
        Ok(())
    }
}
