//! The position in the log at which a table is read, or several that take rows of each other with
//! them.

use super::{Begun, Hold, Stage};
use crate::capture::{BaselineJob, CaptureCommand};
use crate::names::TableState;
use crate::recorder::Recorder;
use crate::store::GenerationId;
use dbtrail_types::names::TableName;
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl Recorder {
    /// Looks whether the log is taken in up to the view.
    pub(super) fn nearing(&mut self) {
        let Some(Hold { name, stage: Stage::Nearing { view, begun, .. }, .. }) = &self.hold else {
            return;
        };
        let (name, position) = (name.clone(), self.reader.position());
        let begun = begun.clone();
        let (seen, within) = (position.compare(&view.seen), position.reaches(&view.within));
        let begun = match (begun.is_empty(), seen) {
            (false, _) => begun,
            (true, Some(Ordering::Equal)) => self.begin_all_held(&name),
            (true, Some(Ordering::Less) | None) if !within => return,
            // What the record has already may not be in the view.
            (true, _) => Vec::new(),
        };
        let (Some(hold), false) = (&mut self.hold, !begun.is_empty() && !within) else {
            if let Some(Hold { stage: Stage::Nearing { begun: known, .. }, .. }) = &mut self.hold {
                *known = begun;
            }
            return;
        };
        let Stage::Nearing { answer, .. } = std::mem::replace(&mut hold.stage, Stage::Opening) else {
            return;
        };
        let jobs: Option<Vec<BaselineJob>> =
            begun.iter().map(|(name, generation)| self.held_job(name, *generation)).collect();
        let jobs = jobs.unwrap_or_default();
        if let (Some(hold), false) = (&mut self.hold, jobs.is_empty()) {
            hold.stage = Stage::Reading(jobs.iter().rev().map(|job| job.generation).collect());
            self.command_queue.push_back(CaptureCommand::Hold(true));
        }
        let _ = answer.send(jobs);
    }

    /// The same place counts for all tables that are not known and take rows of each other with
    /// them: read one after the other, each would make the other one unknown again.
    fn begin_all_held(&mut self, name: &TableName) -> Vec<Begun> {
        let others: Vec<TableName> = self
            .above_all(name)
            .into_iter()
            .filter(|other| other != name && self.above_all(other).contains(name))
            .filter(|other| self.unread(&[], Some(other)).is_some())
            .collect();
        let Some(first) = self.begin_held(name) else { return Vec::new() };
        let mut begun = vec![(name.clone(), first)];
        for other in others {
            if let Some(generation) = self.begin_held(&other) {
                begun.push((other, generation));
            }
        }
        begun
    }

    /// The tables to which the foreign keys of a table lead, over any number of steps.
    fn above_all(&self, name: &TableName) -> BTreeSet<TableName> {
        let (mut found, mut next) = (BTreeSet::new(), vec![name.clone()]);
        while let Some(table) = next.pop() {
            for key in self.ingest.catalog.followed_keys(&table) {
                if found.insert(key.parent.clone()) {
                    next.push(key.parent.clone());
                }
            }
        }
        found
    }

    /// From here on the rows of a table are what is read of them now.
    fn begin_held(&mut self, name: &TableName) -> Option<GenerationId> {
        let at = self.ingest.next;
        let reason = "foreign keys changed rows of it while it was read for the first time, and which is not in the log: it was read again from here";
        self.ingest.next = at.next();
        self.ingest.rows_unknown(name, at, reason);
        self.unwritten = true;
        let TableState::Table(generation, _) = self.ingest.names.current(name) else { return None };
        if let Some(readings) = self.readings.get_mut(name) {
            readings.generation = generation;
        }
        Some(generation)
    }

    /// What is to be read, if nothing of the table became unknown since its view was opened.
    fn held_job(&mut self, name: &TableName, begun: GenerationId) -> Option<BaselineJob> {
        let (found, generation, definition) = self.unread(&[], Some(name))?;
        let job = self.job((found, generation, definition))?;
        (generation == begun).then_some(BaselineJob { held: true, last_key: None, ..job })
    }
}
