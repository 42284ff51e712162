//! Files to a history.

use super::{BATCH, Ingest};
use crate::engine::{Batch, StoreError};
use crate::gtid::GtidSet;
use crate::log::{CommittedTransaction, LogReader, SourceTime};
use crate::record::History;
use dbtrail_types::instant::Instant;
use dbtrail_types::names::ServerId;
use std::fmt::Display;
use std::path::PathBuf;

/// The files could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// What the log says of itself as a whole.
#[derive(Clone, Debug)]
pub struct LogEnds {
    /// Time of the first event.
    pub start: Instant,
    /// Time of the last event; `None` when reading stopped early.
    pub end: Option<Instant>,
    /// When the last file that was closed was closed: all that follows was committed later.
    pub passed: Option<Instant>,
    /// GTIDs executed before the first file.
    pub previous: Option<GtidSet>,
    /// Why reading stopped early.
    pub stopped: Option<String>,
}

impl LogEnds {
    /// The newest instant that can be answered; `last`: the latest commit, `fractions`: whether
    /// commits are stamped finer than to the second.
    pub(super) fn newest(&self, last: Option<Instant>, fractions: bool) -> Instant {
        let newest = match (self.end, last) {
            // A log that goes on can have another commit stamped with the second of its last one.
            (None, last) if !fractions => Instant::from_micros(last.unwrap_or(self.start).micros() - 1),
            // The last event's own time is known to the second.
            (Some(end), Some(last)) => last.max(end),
            (end, last) => end.or(last).unwrap_or(self.start),
        };
        match self.passed {
            // No commit was read from the file that is still open: none is missing before it.
            Some(passed) if last.is_none_or(|last| last < passed) => newest.max(passed),
            _ => newest,
        }
    }
}

impl History {
    /// Reads the history of a server from its binary log files. What the log itself cannot tell
    /// ends the record early ([`History::stopped`]).
    ///
    /// # Errors
    /// The files are not there, are no binary logs, or leave a gap between them.
    pub fn read(server_id: ServerId, files: &[PathBuf]) -> Result<Self, ReadError> {
        Self::read_with(server_id, files, true, SourceTime::Local)
    }

    /// The same; `statements`: whether the texts of statements are kept; `time`: which time of each
    /// transaction counts.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub fn read_with(
        server_id: ServerId,
        files: &[PathBuf],
        statements: bool,
        time: SourceTime,
    ) -> Result<Self, ReadError> {
        let reader = LogReader::open(files).map_err(|e| ReadError(e.to_string()))?.at(time);
        let mut begun = false;
        let ingest = Ingest { keeps_statements: statements, ..Ingest::default() };
        let history = Self::of_entries_in(ingest, server_id, reader, |reader| {
            let ends = reader.ends();
            begun = ends.start.is_some();
            LogEnds {
                start: ends.start.unwrap_or(Instant::from_micros(0)),
                // A log that was not closed can go on in the very second of its last event.
                end: ends.end.filter(|_| ends.closed && ends.torn.is_none()),
                passed: ends.passed,
                previous: ends.previous.as_deref().and_then(|text| GtidSet::parse(text).ok()),
                stopped: ends.torn.clone(),
            }
        })?;
        if !begun {
            let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
            let why = history.stopped().map_or(String::new(), |why| format!(": {why}"));
            return Err(ReadError(format!("not one event can be read from {}{why}", names.join(", "))));
        }
        Ok(history)
    }

    /// The history of entries in the order of the log. The first one that is an error ends the
    /// record: what lies behind it is not certain.
    ///
    /// `ends` is asked when all entries are read; what it says of the end counts only if none was
    /// an error.
    ///
    /// # Errors
    /// The store failed.
    pub fn of_entries<I, E>(
        server_id: ServerId,
        entries: I,
        ends: impl FnOnce(I) -> LogEnds,
    ) -> Result<Self, ReadError>
    where
        I: Iterator<Item = Result<CommittedTransaction, E>>,
        E: Display,
    {
        Self::of_entries_in(Ingest::default(), server_id, entries, ends)
    }

    fn of_entries_in<I, E>(
        mut ingest: Ingest,
        server_id: ServerId,
        mut entries: I,
        ends: impl FnOnce(I) -> LogEnds,
    ) -> Result<Self, ReadError>
    where
        I: Iterator<Item = Result<CommittedTransaction, E>>,
        E: Display,
    {
        let mut stopped = None;
        for entry in entries.by_ref() {
            match entry {
                Ok(entry) => {
                    if Ingest::leans_on_store(&entry) {
                        ingest.commit(&Batch::default())?;
                    }
                    ingest.entry(entry)?;
                    if ingest.waiting() > BATCH || ingest.wants_commit() {
                        ingest.commit(&Batch::default())?;
                    }
                }
                Err(error) => {
                    stopped = Some(error.to_string());
                    break;
                }
            }
        }
        let mut log = ends(entries);
        if stopped.is_some() {
            log.end = None;
            log.stopped = stopped;
        }
        Ok(ingest.finish(server_id, log)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{BinlogPosition, Origin, Stamp};

    fn entry(micros: i64) -> CommittedTransaction {
        let position = BinlogPosition { file: "binlog.000001".into(), offset: 4 };
        let committed = Instant::from_micros(micros);
        CommittedTransaction {
            gtid: None,
            committed,
            stamp: Stamp::Commit,
            position,
            origin: Origin::default(),
            changes: vec![],
        }
    }

    fn read(entries: Vec<Result<CommittedTransaction, &str>>) -> History {
        let ends = |_| LogEnds {
            start: Instant::from_micros(1),
            end: Some(Instant::from_micros(9)),
            passed: None,
            previous: None,
            stopped: None,
        };
        History::of_entries(ServerId("x".into()), entries.into_iter(), ends).unwrap()
    }

    #[test]
    fn an_error_ends_the_record_there() {
        let whole = read(vec![Ok(entry(3)), Ok(entry(5))]);
        assert_eq!((whole.entries(), whole.stopped(), whole.coverage().newest.micros()), (2, None, 9));
        let cut = read(vec![Ok(entry(3)), Err("a checksum is wrong at binlog.000001:4711"), Ok(entry(5))]);
        assert_eq!((cut.entries(), cut.coverage().newest.micros()), (1, 3));
        assert_eq!(cut.stopped(), Some("a checksum is wrong at binlog.000001:4711"));
    }
}
