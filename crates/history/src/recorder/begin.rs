//! Where a record begins, and begins again after a gap.

use super::{ALL, Recorder, version_of};
use crate::capture::{CaptureCommand, Declared, Defaults, Gap, LogLoss, Start};
use crate::checkpoint::State;
use crate::engine::StoreError;
use crate::gtid::GtidSet;
use crate::log_gap::LogGap;
use crate::names::{TableState, UnreadableReason};
use crate::record::{Coverage, just_before};
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;
use std::sync::Arc;

impl Recorder {
    /// The first start.
    pub(super) fn begin(&mut self, start: Start) -> Result<(), StoreError> {
        if self.state.is_some() {
            return self.gap(&LogLoss::StartedOver, start);
        }
        let Start { position, at, tables, defaults, backlog } = start;
        self.take_defaults(defaults);
        if let Ok(set) = GtidSet::parse(&position.gtids) {
            self.ingest.gtids.begin(ChangeSequence(0), set);
        }
        let server = version_of(&position.server);
        for table in tables {
            let table = Declared { name: self.ingest.catalog.folded(table.name), ..table };
            let table_state = self.ingest.declared(&table, server, ChangeSequence(0));
            self.ingest.names_mut().begin(&table.name, table_state);
        }
        if let Some(backlog) = backlog {
            self.take_backlog(backlog);
        }
        let state = State::new(self.server_id.clone(), position, Coverage::beginning(at));
        self.state = Some(State { horizon: ALL, source_time: self.options.source_time, ..state });
        self.unwritten = true;
        self.command(CaptureCommand::Baseline);
        self.commit()
    }

    /// The log has a gap. What was known ends before it; after it every table is another
    /// generation.
    pub(super) fn gap(&mut self, loss: &LogLoss, start: Start) -> Result<(), StoreError> {
        self.commit()?;
        let Some(state) = &mut self.state else { return self.begin(start) };
        let Start { position, at, tables, defaults, backlog: _ } = start;
        let reason = loss.to_string();
        let gap = Gap { from: state.coverage.newest, to: at.max(state.coverage.newest), reason };
        tracing::error!(from = %gap.from, to = %gap.to, "the record has a gap: {}", gap.reason);
        self.ingest.interrupt();
        self.reader.leave_out();
        self.backlog = None;
        // One number of its own, so that what is before and what follows can be told apart by
        // number.
        let log_gap = self.ingest.next;
        self.ingest.next = log_gap.next();
        // The state of this set is the one after the gap.
        let set = GtidSet::parse(&position.gtids).ok();
        self.ingest.gtids.start_over(log_gap.next(), set, loss.numbers());
        // Of the instant at its end nothing is known before the log has come there.
        state.coverage.newest = gap.from.max(just_before(gap.to));
        state.baseline_rows = 0;
        state.log_gaps.push(LogGap { at: log_gap, gap: gap.clone() });
        let server = version_of(&position.server);
        state.resume = position.at.clone();
        state.position = position;
        state.unverified.clear();
        self.renewals.clear();
        self.seen_once.clear();
        self.end_all(log_gap, &gap);
        self.take_defaults(defaults);
        for table in tables {
            let table = Declared { name: self.ingest.catalog.folded(table.name), ..table };
            let table_state = self.ingest.declared(&table, server, log_gap);
            self.ingest.names_mut().set(&table.name, log_gap, table_state);
        }
        // All tables are declared again: none needs to be compared.
        drop(self.forget_waiting());
        self.unwritten = true;
        self.command(CaptureCommand::Baseline);
        self.commit()
    }

    /// Nothing that was known of tables holds from here on.
    fn end_all(&mut self, at: ChangeSequence, gap: &Gap) {
        Arc::make_mut(&mut self.ingest.catalog).start_over();
        self.ingest.dirty.catalog = true;
        self.ingest.forget_observed();
        let gone =
            format!("after the gap from {} to {} ({}) there was no such table", gap.from, gap.to, gap.reason);
        let living = self.ingest.names.living(&[]);
        let names = self.ingest.names_mut();
        names.sweep(&[], &[], at, &TableState::Unknown { empty: false });
        for name in living {
            names.set(&name, at, TableState::unreadable(gone.clone()));
        }
    }

    /// What holds for all statements from here on.
    fn take_defaults(&mut self, defaults: Defaults) {
        let Defaults { lower_case_table_names, collations } = defaults;
        if let Some(setting) = lower_case_table_names {
            self.names_count(setting);
        }
        if let Some(collations) = collations {
            Arc::make_mut(&mut self.ingest.catalog).set_schemas(collations);
            self.ingest.dirty.catalog = true;
        }
    }

    /// The server of this connection takes names so. Where that is not how they were taken, none of
    /// them can be trusted.
    pub(super) fn names_as(&mut self, setting: u8) {
        match self.ingest.catalog.folds() {
            Some(known) if self.state.is_some() && known != (setting != 0) => {
                self.misnamed = true;
                self.command(CaptureCommand::Resnapshot(LogLoss::TableNames { setting }));
            }
            _ => self.names_count(setting),
        }
    }

    fn names_count(&mut self, setting: u8) {
        self.misnamed = false;
        let ingest = &mut self.ingest;
        if ingest.catalog.folds() != Some(setting != 0) {
            Arc::make_mut(&mut ingest.catalog).set_lower_case_table_names(setting);
            ingest.dirty.catalog = true;
            self.unwritten = true;
        }
        ingest.tables = Some(self.options.patterns(setting != 0));
    }

    /// Tables that the options leave out now, or do not leave out any more.
    pub(super) fn reselect(&mut self) {
        let next = self.ingest.next;
        let left: Vec<TableName> = self
            .ingest
            .names
            .living(&[])
            .into_iter()
            .filter(|name| !self.ingest.captures(name))
            .filter(|name| matches!(self.ingest.names.current(name), TableState::Table(..)))
            .collect();
        if !left.is_empty() {
            self.ingest.next = next.next();
        }
        for name in left {
            self.ingest.names_mut().set(&name, next, TableState::Unreadable(UnreadableReason::NotCaptured));
            self.unwritten = true;
        }
    }
}
