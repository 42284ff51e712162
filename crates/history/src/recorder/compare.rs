//! Definitions against the server's own, and tables that can be read no longer.

use super::Recorder;
use crate::capture::{Declared, Looked, Wish};
use crate::names::Standing;
use dbtrail_types::ident::TableName;
use std::collections::BTreeSet;
use std::time::{Duration, Instant as Timer};

/// Between two attempts to read a table anew.
const AGAIN: Duration = Duration::from_secs(60);

impl Recorder {
    /// After a batch: which tables to compare with the server, and which to read anew.
    pub(super) fn look_at(&mut self, changed: &BTreeSet<TableName>) {
        let touched = std::mem::take(&mut self.ingest.dirty.touched);
        if let (false, Some(state)) = (touched.is_empty(), &self.state) {
            let place = state.place.at.clone();
            self.touched.extend(touched.iter().map(|name| (name.clone(), place.clone())));
            let there = |name: &TableName| matches!(self.ingest.names.current(name), Standing::Table(..));
            let compare: Vec<TableName> = touched.into_iter().filter(there).collect();
            if !compare.is_empty() {
                self.wish(Wish::Compare(compare));
            }
        }
        for name in changed {
            if let Standing::Unreadable(reason) = self.ingest.names.current(name) {
                tracing::warn!(table = %name, "the table can be read no longer: {reason}");
                self.renew(name);
            }
        }
        // A new incarnation may want its rows to be read.
        if !changed.is_empty() && self.next_job(&[]).is_some() {
            self.wish(Wish::Baseline);
        }
    }

    /// At start: tables that are lost, or were left out and are not any more.
    pub(super) fn renew_lost(&mut self) {
        for name in self.ingest.names.living(&[]) {
            if matches!(self.ingest.names.current(&name), Standing::Unreadable(_)) {
                self.renew(&name);
            }
        }
    }

    fn renew(&mut self, name: &TableName) {
        let soon = self.renewed.get(name).is_some_and(|t| t.elapsed() < AGAIN);
        if soon || !self.ingest.captures(name) {
            return;
        }
        self.renewed.insert(name.clone(), Timer::now());
        self.wish(Wish::Renew(name.clone()));
    }

    /// The server's own definition of a table has come, and the log is taken in up to where it was asked for.
    pub(super) fn definition(&mut self, looked: &Looked) {
        let Looked { name, create, since } = looked;
        if self.touched.get(name).is_some_and(|at| !since.reaches(at)) {
            // A statement came after, or while, it was looked at.
            self.wish(Wish::Compare(vec![name.clone()]));
            return;
        }
        match (self.ingest.names.current(name), create.as_deref()) {
            (Standing::Table(..), Some(create)) => self.compare(name, create),
            (Standing::Table(..), None) => self.stop(name, "the server has no such table"),
            (Standing::Unreadable(_) | Standing::Unknown { .. }, Some(create)) => {
                self.start_anew(name, create);
            }
            (Standing::Unreadable(_) | Standing::Unknown { .. } | Standing::Absent, None) => {}
            (Standing::Absent, Some(_)) => {
                self.stop(name, "the server has such a table, and by the log it is gone");
            }
        }
    }

    fn compare(&mut self, name: &TableName, create: &str) {
        if let Some(difference) = self.ingest.catalog.differs(name, create, self.version()) {
            self.stop(name, &difference);
        }
    }

    /// A difference between what the log says and what the server has stops the table, loudly.
    fn stop(&mut self, name: &TableName, difference: &str) {
        let reason =
            format!("its definition on the server is not the one that follows from the log: {difference}");
        tracing::error!(table = %name, "{reason}");
        let at = self.ingest.next;
        self.ingest.names_mut().set(name, at, Standing::Unreadable(reason));
        self.unwritten = true;
    }

    /// The record of a table begins anew, with its definition of now.
    fn start_anew(&mut self, name: &TableName, create: &str) {
        let at = self.ingest.next;
        let server = self.version();
        let table = Declared { name: name.clone(), create: create.to_owned() };
        let standing = self.declared(&table, server, at);
        if matches!(standing, Standing::Table(..)) {
            tracing::info!(table = %name, "the record of the table begins anew here");
            self.ingest.names_mut().set(name, at, standing);
            self.unwritten = true;
            self.wish(Wish::Baseline);
        }
    }
}
