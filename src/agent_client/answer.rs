//! The lines of an answer, read as rows or events and held against what was asked.

use super::errors;
use super::lines::{Lines, Piece, misplaced};
use super::packed::{Announced, Events, Rows};
use crate::failure::Failure;
use dbtrail_types::agent_api::frames::{EventRef, put_event, put_row};
use dbtrail_types::agent_api::{ApiNote, DiffEvent, DiffLine, EventType, RowLine, Trailer};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::timestamp::Timestamp;
use std::sync::Arc;

/// The lines of an answer after its header. Dropping it cancels the request.
#[derive(Debug)]
pub struct AgentRows {
    /// The definition in the header.
    pub announced: Arc<TableDefinition>,
    lines: Lines,
    definition: Arc<TableDefinition>,
    asked: Expectation,
    count: u64,
    ended: bool,
    /// What holds for the changes that come.
    said: Announced,
}

/// What an answer can be held against: one that goes beyond it is an answer to something else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expectation {
    /// A key has one row at most.
    Rows { most: u64 },
    /// Changes of a window, in the order of their ids.
    Changes { since: Timestamp, until: Timestamp, last: u64 },
}

impl Expectation {
    /// The changes of one transaction.
    pub(super) const fn any_changes() -> Self {
        Self::Changes {
            since: Timestamp::from_micros(i64::MIN),
            until: Timestamp::from_micros(i64::MAX),
            last: 0,
        }
    }

    /// Refuses an event that is not of the window, comes too early or too late, or lacks an image
    /// that its kind has.
    fn fits(&mut self, event: &EventRef<'_>) -> Result<(), Failure> {
        let Self::Changes { since, until, last } = self else { return Ok(()) };
        let (id, at) = (event.head.event_id, event.head.event_timestamp);
        let images = match event.head.event_type {
            EventType::Insert => event.before.is_none() && event.after.is_some(),
            EventType::Update => event.before.is_some() && event.after.is_some(),
            EventType::Delete => event.before.is_some() && event.after.is_none(),
        };
        let wrong = if !images {
            "without the images of its kind, or with others".to_owned()
        } else if at < *since || at > *until {
            format!("of {at}, which is outside of the window")
        } else if id < *last {
            format!("after event {last}, out of order")
        } else {
            *last = id;
            return Ok(());
        };
        Err(Failure::AgentNonsense(format!("the agent sent event {id} {wrong}")))
    }
}

/// What comes next. There is no "nothing": a stream ends with its trailer or with an error.
#[derive(Debug)]
pub enum Batch {
    /// Rows of `/v1/flashback` and `/v1/snapshot`.
    Rows(Rows),
    /// Events of `/v1/diff`.
    Events(Events),
    /// The trailer was read, its count was right.
    End(Vec<ApiNote>),
}

/// Lines given at once at most.
const BATCH: usize = 256;

impl AgentRows {
    /// What follows a header with this definition.
    pub(super) fn new(lines: Lines, definition: Arc<TableDefinition>, asked: Expectation) -> Self {
        let announced = Arc::clone(&definition);
        Self { announced, lines, definition, asked, count: 0, ended: false, said: Announced::default() }
    }

    /// The next lines, as many as have come, at least one.
    ///
    /// # Errors
    /// [`Failure::AgentUnreachable`] when the body ends without a trailer or the connection breaks.
    pub async fn next(&mut self) -> Result<Batch, Failure> {
        if self.ended {
            return Err(Failure::Internal("an answer was read beyond its end".to_owned()));
        }
        loop {
            let batch = match self.asked {
                Expectation::Changes { .. } => self.events()?,
                Expectation::Rows { most } => self.rows(most)?,
            };
            if let Some(batch) = batch {
                if let Batch::End(_) = batch {
                    self.ended = true;
                    if self.lines.leftover().await? {
                        return Err(Failure::AgentNonsense(
                            "the agent's answer goes on after its end".to_owned(),
                        ));
                    }
                }
                return Ok(batch);
            }
            if !self.lines.more().await? {
                return Err(self.lines.ended("its last line, which says that all rows were sent,"));
            }
        }
    }

    fn rows(&mut self, most: u64) -> Result<Option<Batch>, Failure> {
        let width = self.definition.columns.len();
        let (mut rows, mut written) = (Rows::new(width), Vec::new());
        while rows.len() < BATCH {
            let row = match self.lines.ready()? {
                None => break,
                Some(Piece::Row(bytes)) => bytes,
                Some(Piece::Event(_)) => return Err(misplaced()),
                Some(Piece::Line(line)) if line.first() == Some(&b'[') => {
                    let row: RowLine = serde_json::from_slice(line).map_err(|e| nonsense(&e))?;
                    if row.len() != width {
                        return Err(Failure::AgentNonsense(format!(
                            "the agent sent a row of {} cells for {width} columns",
                            row.len()
                        )));
                    }
                    written.clear();
                    put_row(&mut written, &row);
                    &written
                }
                Some(Piece::Line(line)) => {
                    // Rows that came before it are shown: an error after them says that they are
                    // not all.
                    if let Some(refused) = errors::late_refusal(line) {
                        return Err(refused);
                    }
                    let trailer = line.to_vec();
                    self.count += rows.len() as u64;
                    return self.finish(&trailer, (!rows.is_empty()).then_some(Batch::Rows(rows)));
                }
            };
            rows.push(row).ok_or_else(unreadable)?;
            if self.count + rows.len() as u64 > most {
                return Err(Failure::AgentNonsense(format!(
                    "the agent sent more rows than the {most} that can have the keys asked for"
                )));
            }
        }
        self.count += rows.len() as u64;
        Ok((!rows.is_empty()).then_some(Batch::Rows(rows)))
    }

    fn events(&mut self) -> Result<Option<Batch>, Failure> {
        let mut events = Events::new(Arc::clone(&self.definition), self.said.clone());
        let mut written = Vec::new();
        while events.len() < BATCH {
            let width = self.definition.columns.len();
            let read = match self.lines.ready()? {
                None => break,
                Some(Piece::Event(bytes)) => {
                    self.asked.fits(&EventRef::read(bytes, width).ok_or_else(unreadable)?)?;
                    events.push(bytes);
                    continue;
                }
                Some(Piece::Row(_)) => return Err(misplaced()),
                Some(Piece::Line(line)) if line.starts_with(b"{\"end\"") => {
                    let trailer = line.to_vec();
                    self.count += events.len() as u64;
                    return self.finish(&trailer, (!events.is_empty()).then_some(Batch::Events(events)));
                }
                Some(Piece::Line(line)) => serde_json::from_slice(line).map_err(|e| {
                    errors::late_refusal(line).unwrap_or_else(|| {
                        errors::refusal(line).map_or_else(|| nonsense(&e), Failure::AgentNonsense)
                    })
                })?,
            };
            match read {
                DiffLine::Event(event) => {
                    has_width(&event, width)?;
                    written.clear();
                    put_event(&mut written, &event);
                    self.asked.fits(&EventRef::read(&written, width).ok_or_else(unreadable)?)?;
                    events.push(&written);
                    continue;
                }
                DiffLine::Origin(origin) => self.said.origin = Some(Arc::new(origin)),
                DiffLine::Table(table) => self.said.table = Some(Arc::new(table)),
                DiffLine::Definition(next) => {
                    self.definition = Arc::new(next);
                    if !events.is_empty() {
                        break;
                    }
                    events = Events::new(Arc::clone(&self.definition), self.said.clone());
                }
            }
            events.announce(self.said.clone());
        }
        self.count += events.len() as u64;
        Ok((!events.is_empty()).then_some(Batch::Events(events)))
    }

    /// The trailer; where rows are before it, it is put back to come next.
    fn finish(&mut self, line: &[u8], before: Option<Batch>) -> Result<Option<Batch>, Failure> {
        let trailer: Trailer = serde_json::from_slice(line)
            .map_err(|e| errors::refusal(line).map_or_else(|| nonsense(&e), Failure::AgentNonsense))?;
        if trailer.end.rows != self.count {
            return Err(Failure::AgentNonsense(format!(
                "the agent announced {} rows and sent {}",
                trailer.end.rows, self.count
            )));
        }
        if let Some(before) = before {
            self.lines.put_back();
            return Ok(Some(before));
        }
        Ok(Some(Batch::End(trailer.end.notes)))
    }
}

fn has_width(event: &DiffEvent, width: usize) -> Result<(), Failure> {
    if [&event.before, &event.after].into_iter().flatten().all(|image| image.len() == width) {
        return Ok(());
    }
    Err(Failure::AgentNonsense(format!("the agent sent an image that has not {width} cells")))
}

/// Bytes of a row or an event that cannot be read.
fn unreadable() -> Failure {
    Failure::AgentNonsense("the agent sent a row as bytes that cannot be read".to_owned())
}

pub(super) fn nonsense(error: &serde_json::Error) -> Failure {
    Failure::AgentNonsense(format!("a line of the agent's answer is not understood: {error}"))
}
