//! A table whose first reading begins again and again, since foreign keys change rows of it that
//! are not read yet and the log does not say which: it is read as it is at one position in the log,
//! and the log is not taken in beyond that position until all of its rows are there. From there on
//! what foreign keys do to it is derived as for any other table.
//!
//! The server waits with its log meanwhile, so the record is late by the time of that reading.

mod view;

use super::Recorder;
use crate::binlog_position::{BinlogPosition, Identity};
use crate::capture::{BaselineJob, BaselineRows, CaptureCommand, ReceivedEvent, TableView};
use crate::engine::StoreError;
use crate::store::GenerationId;
use dbtrail_types::names::TableName;
use std::collections::HashMap;
use std::time::{Duration, Instant as Timer};
use tokio::sync::oneshot;

/// How often the reading of a table begins again before the log is held for it.
const PATIENCE: u32 = 2;
/// How often a position to hold the log at is looked for before the table is read as others again.
const TRIES: u32 = 20;
/// How long the other half may take to open a view.
const OPENING: Duration = Duration::from_secs(30);
/// How long a table that was read so is read as others, if it is unknown again: that many times as
/// long as its reading took, and this at least.
const REST: u32 = 10;
const SHORTEST: Duration = Duration::from_secs(5);

/// How the readings of a table went.
#[derive(Debug)]
pub(super) struct Readings {
    /// The generation that was read last.
    generation: GenerationId,
    /// How often it began again since all rows were known.
    again: u32,
    /// How often a position was looked for.
    tries: u32,
    /// The log is not held for it before.
    rests_until: Option<Timer>,
}

/// The log is held.
#[derive(Debug)]
pub(super) struct Hold {
    name: TableName,
    began: Timer,
    stage: Stage,
    /// What came of the log meanwhile.
    held: Vec<OfLog>,
}

/// What comes of the log.
#[derive(Debug)]
pub(super) enum OfLog {
    Events(Vec<ReceivedEvent>),
    Follow(BinlogPosition, Identity),
}

#[derive(Debug)]
enum Stage {
    /// The other half opens its view.
    Opening,
    /// The log is taken in up to the view.
    Nearing {
        view: TableView,
        answer: oneshot::Sender<Vec<BaselineJob>>,
        /// Those that began where all is seen.
        begun: Vec<Begun>,
    },
    /// Rows of these generations come, one after the other; the next of them last.
    Reading(Vec<GenerationId>),
}

/// A table of which another generation began for the reading.
type Begun = (TableName, GenerationId);

/// The readings of all tables.
pub(super) type AllReadings = HashMap<TableName, Readings>;

impl Recorder {
    /// Whether the log is to be held for the reading of a table that is to be read now.
    pub(super) fn wants_hold(&mut self, name: &TableName, generation: GenerationId) -> bool {
        let first = || Readings { generation, again: 0, tries: 0, rests_until: None };
        let readings = self.readings.entry(name.clone()).or_insert_with(first);
        if readings.generation != generation {
            readings.generation = generation;
            readings.again = readings.again.saturating_add(1);
        }
        let rests = readings.rests_until.is_some_and(|until| Timer::now() < until);
        readings.again >= PATIENCE && !rests && !self.ingest.catalog.followed_keys(name).is_empty()
    }

    /// All rows of a table are known, or it is none any more that is read.
    pub(super) fn readings_end(&mut self, name: &TableName) {
        if let Some(readings) = self.readings.get_mut(name) {
            (readings.again, readings.tries) = (0, 0);
        }
    }

    /// From here on the log is held for this table. False: no position to hold it at was found
    /// often enough.
    pub(super) fn hold(&mut self, name: &TableName) -> bool {
        let Some(readings) = self.readings.get_mut(name) else { return false };
        readings.tries += 1;
        if readings.tries > TRIES {
            (readings.again, readings.tries) = (0, 0);
            return false;
        }
        tracing::info!(table = %name, "foreign keys change rows of the table faster than it is read: the log waits for its reading");
        let stage = Stage::Opening;
        self.hold = Some(Hold { name: name.clone(), began: Timer::now(), stage, held: Vec::new() });
        true
    }

    /// Whether events wait.
    fn is_held(&self) -> bool {
        self.hold.as_ref().is_some_and(|hold| !matches!(hold.stage, Stage::Nearing { .. }))
    }

    /// Takes events of the log in, or keeps them for later.
    pub(super) fn events(&mut self, events: Vec<ReceivedEvent>) -> Result<(), StoreError> {
        let mut events = events.into_iter();
        loop {
            if self.is_held() {
                let rest: Vec<_> = events.collect();
                if let (Some(hold), false) = (&mut self.hold, rest.is_empty()) {
                    hold.held.push(OfLog::Events(rest));
                }
                return Ok(());
            }
            let Some(raw) = events.next() else { return Ok(()) };
            if self.awaiting_resync {
                return Ok(());
            }
            self.event(raw)?;
            self.commit_if_full()?;
            self.nearing();
        }
    }

    /// The log goes on at another position: now, or when it is taken in again.
    pub(super) fn follow_or_hold(&mut self, position: BinlogPosition, server: Identity) {
        match &mut self.hold {
            Some(hold) if !matches!(hold.stage, Stage::Nearing { .. }) => {
                hold.held.push(OfLog::Follow(position, server));
            }
            _ => self.follow(position, server),
        }
    }

    /// A view was opened.
    pub(super) fn view(
        &mut self,
        view: TableView,
        answer: oneshot::Sender<Vec<BaselineJob>>,
    ) -> Result<(), StoreError> {
        match &mut self.hold {
            Some(hold) if matches!(hold.stage, Stage::Opening) => {
                hold.stage = Stage::Nearing { view, answer, begun: Vec::new() };
                let came = std::mem::take(&mut hold.held);
                self.nearing();
                self.take_again(came)
            }
            // Nobody waits where the other half is stopping.
            _ => {
                let _ = answer.send(Vec::new());
                Ok(())
            }
        }
    }

    /// Takes in what waited, in its order.
    fn take_again(&mut self, came: Vec<OfLog>) -> Result<(), StoreError> {
        for one in came {
            match one {
                OfLog::Events(events) => self.events(events)?,
                OfLog::Follow(position, server) => self.follow_or_hold(position, server),
            }
        }
        Ok(())
    }

    /// Rows came that the log waits for; gives them back where they are others.
    pub(super) fn held_rows(&mut self, read: &BaselineRows) -> Result<Option<bool>, StoreError> {
        let reading =
            |hold: &Hold| matches!(&hold.stage, Stage::Reading(all) if all.last() == Some(&read.generation));
        if !self.hold.as_ref().is_some_and(reading) {
            return Ok(None);
        }
        let kept = self.baseline(read)?;
        self.commit()?;
        if kept
            && read.end
            && let Some(Hold { stage: Stage::Reading(all), .. }) = &mut self.hold
            && all.len() > 1
        {
            all.pop();
            return Ok(Some(kept));
        }
        if !kept || read.end {
            let hold = self.hold.as_ref().map(|hold| (hold.name.clone(), hold.began.elapsed()));
            if let Some((name, took)) = hold
                && let Some(readings) = self.readings.get_mut(&name)
            {
                readings.rests_until = Some(Timer::now() + SHORTEST.max(took * REST));
            }
            self.go_on()?;
        }
        Ok(Some(kept))
    }

    /// The log is taken in again.
    pub(super) fn go_on(&mut self) -> Result<(), StoreError> {
        let came = self.let_go();
        self.take_again(came)
    }

    /// The log is not held any more; gives what came of it meanwhile.
    pub(super) fn let_go(&mut self) -> Vec<OfLog> {
        let Some(hold) = self.hold.take() else { return Vec::new() };
        match hold.stage {
            Stage::Opening => {}
            Stage::Nearing { answer, .. } => _ = answer.send(Vec::new()),
            Stage::Reading(_) => self.command_queue.push_back(CaptureCommand::Hold(false)),
        }
        hold.held
    }

    /// A view that does not come is not waited for.
    pub(super) fn hold_due(&mut self) -> Result<(), StoreError> {
        let late = |hold: &Hold| !matches!(hold.stage, Stage::Reading(_)) && hold.began.elapsed() > OPENING;
        if self.hold.as_ref().is_some_and(late) {
            tracing::warn!("no position was found at which a table can be read while the log waits");
            self.go_on()?;
        }
        Ok(())
    }
}
