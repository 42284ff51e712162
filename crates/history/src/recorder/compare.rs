//! Definitions against the server's own, and tables that can be read no longer.

use super::Recorder;
use crate::binlog_position::BinlogPosition;
use crate::capture::{CaptureCommand, Declared, Looked};
use crate::names::{TableState, UnreadableReason};
use crate::schema::Difference;
use crate::store::{ChangeSequence, GenerationId};
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::time::{Duration, Instant as Timer};

/// Between two looks at a table that cannot be read, at least; twice as long each time that nothing
/// came of it, up to a limit.
const SOON: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(60);

/// A table that is to be read again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Renewal {
    due: Timer,
    pause: Duration,
}

impl Recorder {
    /// After a batch: which tables to compare with the server, and which to read again.
    pub(super) fn look_at(&mut self, changed: &BTreeSet<TableName>, before: ChangeSequence) {
        if let Some(state) = &self.state {
            let position = state.position.at.clone();
            self.note_touched(&position);
        }
        let touched = std::mem::take(&mut self.touched_in_batch);
        if let (false, Some(state)) = (touched.is_empty(), &mut self.state) {
            // What is left out of the capture is not compared: a look would take nothing back.
            for name in touched.iter().filter(|name| self.ingest.captures(name)) {
                state.unverified.entry(name.clone()).or_insert(before);
            }
            self.unwritten = true;
            let spoken_of = touched.clone();
            // Also tables that are gone by the log: a temporary table may have been meant.
            let (lost, compare): (Vec<_>, Vec<_>) = touched
                .into_iter()
                .filter(|name| self.ingest.captures(name))
                .partition(|name| matches!(self.ingest.names.current(name), TableState::Unreadable(_)));
            for name in lost {
                self.renew(&name);
            }
            if !compare.is_empty() {
                self.command(CaptureCommand::Compare(compare));
            }
            self.ask_unknown_parents(&spoken_of);
            self.forget_unasked(&spoken_of);
        }
        for name in changed {
            if let TableState::Unreadable(reason) = self.ingest.names.current(name)
                && reason != UnreadableReason::NotCaptured
            {
                tracing::warn!(table = %name, "the table can be read no longer: {reason}");
                self.renew(name);
            }
        }
        // A new generation may want its rows to be read.
        if !changed.is_empty() && self.has_job() {
            self.command(CaptureCommand::Baseline);
        }
    }

    /// Tables that are left out of the capture and never looked at: no look is older than what
    /// touched them.
    fn forget_unasked(&mut self, spoken_of: &BTreeSet<TableName>) {
        let unasked = |name: &&TableName| !self.ingest.captures(name) && !self.asked_parents.contains(*name);
        for name in spoken_of.iter().filter(unasked) {
            self.touched.remove(name);
        }
    }

    /// Statements that end here touched tables. At once, and not only with their batch: a
    /// definition may have been read before them and come to be compared after them.
    pub(super) fn note_touched(&mut self, end: &BinlogPosition) {
        for name in std::mem::take(&mut self.ingest.dirty.touched) {
            self.touched.insert(name.clone(), end.clone());
            self.touched_in_batch.insert(name);
        }
    }

    /// At start: tables that are lost, or were left out and are not any more, and those that no
    /// look at the server has followed the last statement of.
    pub(super) fn renew_lost(&mut self) {
        for name in self.ingest.names.living(&[]) {
            if matches!(self.ingest.names.current(&name), TableState::Unreadable(_)) {
                self.renew(&name);
            }
        }
        if let Some(state) = &mut self.state {
            // What is left out by now, and by an older program what was left out all the while.
            state.unverified.retain(|name, _| self.ingest.captures(name));
        }
        let unverified: Vec<TableName> =
            self.state.iter().flat_map(|state| state.unverified.keys().cloned()).collect();
        if !unverified.is_empty() {
            self.command(CaptureCommand::Compare(unverified));
        }
        self.ask_unknown_parents(&BTreeSet::new());
    }

    /// Asks for tables that are left out of the capture and whose foreign keys are not known, where
    /// foreign keys of others refer to them: once each, and again when a statement spoke of one.
    fn ask_unknown_parents(&mut self, spoken_of: &BTreeSet<TableName>) {
        let parents = self.ingest.catalog.unknown_parents().filter(|name| !self.ingest.captures(name));
        let there = parents.filter(|name| !matches!(self.ingest.names.current(name), TableState::Absent));
        let wanted = there.filter(|name| spoken_of.contains(*name) || !self.asked_parents.contains(*name));
        let wanted: BTreeSet<TableName> = wanted.cloned().collect();
        if !wanted.is_empty() {
            self.asked_parents.extend(wanted.iter().cloned());
            self.command(CaptureCommand::Compare(wanted.into_iter().collect()));
        }
    }

    /// A table that is left out of the capture, as the server has it: its foreign keys count.
    fn left_out(&mut self, name: &TableName, create: Option<&str>) {
        let server = self.version();
        let at = self.ingest.next;
        if let Some(create) = create {
            let known = self.ingest.catalog.differs(name, create, server).is_none();
            if !known {
                let table = Declared { name: name.clone(), create: create.to_owned() };
                let table_state = self.ingest.declared(&table, server, at);
                self.ingest.names_mut().set(name, at, table_state);
            }
        } else {
            self.ingest.names_mut().set(name, at, TableState::Absent);
        }
        // A number of its own: it holds from here on, also where nothing more comes.
        self.ingest.next = at.next();
        self.ingest.forget_observed();
        self.unwritten = true;
    }

    /// Has a table read again: at once, or a second after the last time that it was asked for.
    pub(super) fn renew(&mut self, name: &TableName) {
        if !self.ingest.captures(name) {
            return;
        }
        let now = Timer::now();
        let due = self.renewed.get(name).map_or(now, |last| now.max(*last + SOON));
        self.renewals.insert(name.clone(), Renewal { due, pause: SOON });
    }

    /// Asks for the tables that are due, until they can be read or the server has said why not.
    pub(super) fn renew_due(&mut self) {
        let now = Timer::now();
        let due: Vec<TableName> =
            self.renewals.iter().filter(|(_, r)| r.due <= now).map(|(name, _)| name.clone()).collect();
        for name in due {
            if !matches!(self.ingest.names.current(&name), TableState::Unreadable(_)) {
                self.renewals.remove(&name);
                continue;
            }
            if let Some(renewal) = self.renewals.get_mut(&name) {
                renewal.due = now + renewal.pause;
                renewal.pause = (renewal.pause * 2).min(SELDOM);
            }
            self.renewed.insert(name.clone(), now);
            self.command(CaptureCommand::Renew(name));
        }
    }

    /// The server's own definition of a table has come, and the log is taken in up to where it was
    /// asked for.
    pub(super) fn definition(&mut self, looked: &Looked) {
        let Looked { name, create, since } = looked;
        if self.touched.get(name).is_some_and(|at| !since.reaches(at)) {
            // A statement came after, or while, it was looked at.
            self.command(CaptureCommand::Compare(vec![name.clone()]));
            return;
        }
        // Whatever is looked at from here on was looked at later.
        self.touched.remove(name);
        if !self.ingest.captures(name) {
            self.left_out(name, create.as_deref());
            return;
        }
        self.ingest.looked_for(name, create.is_some());
        match (self.ingest.names.current(name), create.as_deref()) {
            (TableState::Table(..), Some(create)) => {
                if let Some(difference) = self.ingest.catalog.differs(name, create, self.version()) {
                    if !self.is_believed(name, create, &difference) {
                        return;
                    }
                    self.stop(name, &difference);
                }
            }
            (TableState::Table(..), None) => self.stop(name, &Difference::NotOnServer),
            (TableState::Unreadable(_) | TableState::Unknown { .. }, Some(create)) => {
                self.restart(name, create);
            }
            (TableState::Unreadable(_) | TableState::Unknown { .. } | TableState::Absent, None) => {
                self.renewals.remove(name);
            }
            (TableState::Absent, Some(_)) => {
                self.stop(name, &Difference::DroppedInLog);
            }
        }
        self.seen_once.remove(name);
        if let Some(state) = &mut self.state {
            self.unwritten |= state.unverified.remove(name).is_some();
        }
    }

    /// A difference between what the log says and what the server has stops the table, loudly, and
    /// back to the first statement about it since the two were seen to agree: any of them may have
    /// been followed wrongly.
    fn stop(&mut self, name: &TableName, difference: &Difference) {
        let reason =
            format!("its definition on the server is not the one that follows from the log: {difference}");
        tracing::error!(table = %name, "{reason}");
        let noticed = self.ingest.next;
        let since = self.state.as_ref().and_then(|state| state.unverified.get(name)).copied();
        self.ingest.next = noticed.next();
        let from = since.map_or(noticed, |since| {
            let statements = self.ingest.names.history(name).iter().map(|(at, _)| *at);
            statements.filter(|at| *at >= since).min().unwrap_or(since)
        });
        self.retract(name, from, &reason);
    }

    /// What the table was from `from` on is taken back: it is refused there, for this reason.
    pub(super) fn retract(&mut self, name: &TableName, from: ChangeSequence, reason: &str) {
        let table_state = TableState::unreadable(reason.to_owned());
        let taken = self.ingest.names_mut().retract(name, from, table_state);
        self.doubt_generations(taken, reason);
    }

    /// What a name meant from `from` on is in doubt; what it means now stays.
    pub(super) fn doubt_past(&mut self, name: &TableName, from: ChangeSequence, reason: &str) {
        tracing::error!(table = %name, "what the table was is in doubt: {reason}");
        let states = self.ingest.names.history(name);
        let first = states.partition_point(|(at, _)| *at < from).saturating_sub(1);
        let meant = states.iter().skip(first).filter_map(|(at, state)| match state {
            TableState::Table(generation, _) => Some(((*at).max(from), *generation)),
            TableState::Absent | TableState::Unknown { .. } | TableState::Unreadable(_) => None,
        });
        let meant = meant.collect();
        self.doubt_generations(meant, reason);
    }

    /// Generations are in doubt, each from a position on.
    fn doubt_generations(&mut self, generations: Vec<(ChangeSequence, GenerationId)>, reason: &str) {
        for (at, generation) in generations {
            if let Some(generation) = self.ingest.generation_mut(generation)
                && generation.doubt.as_ref().is_none_or(|(earlier, _)| at < *earlier)
            {
                generation.doubt = Some((at, reason.to_owned()));
            }
        }
        self.unwritten = true;
    }

    /// The record of a table begins again, with its definition of now.
    fn restart(&mut self, name: &TableName, create: &str) {
        self.renewals.remove(name);
        let at = self.ingest.next;
        let server = self.version();
        let table = Declared { name: name.clone(), create: create.to_owned() };
        let table_state = self.ingest.declared(&table, server, at);
        if matches!(table_state, TableState::Table(..)) {
            tracing::info!(table = %name, "the record of the table begins again here");
            // A number of its own: it holds from here on, also where nothing more comes.
            self.ingest.next = at.next();
            let reason = self.ingest.unknown_since.remove(name);
            let never_known = |reason: &String| {
                self.ingest.names.history(name).iter().all(|(_, state)| match state {
                    TableState::Unknown { .. } => true,
                    TableState::Unreadable(why) => why.to_string() == *reason,
                    TableState::Table(..) | TableState::Absent => false,
                })
            };
            if let Some(reason) = reason.filter(never_known) {
                self.ingest.names_mut().begin(name, TableState::unreadable(reason));
            }
            self.ingest.names_mut().set(name, at, table_state);
            self.unwritten = true;
            self.command(CaptureCommand::Baseline);
        }
    }
}
