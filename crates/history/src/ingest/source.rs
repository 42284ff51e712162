//! Files to a history.

use super::declared::DefinitionSchedule;
use super::{BATCH, Ingest};
use crate::engine::{Batch, DiskOptions, StoreError, TemporaryEngine};
use crate::gtid::GtidSet;
use crate::log::{CommittedTransaction, LogError, LogReader, ServerVersion, SourceTime, SpillOptions};
use crate::patterns::Patterns;
use crate::record::History;
use crate::schema_dump::SchemaDump;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::fmt::Display;
use std::path::PathBuf;

/// Bytes that wait for a batch, at most.
const BATCH_BYTES: usize = 16 << 20;

/// Why files give no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// They cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What was read cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first event of the first file is damaged, or there is none.
    #[error("not one event can be read from {}{}", .files.join(", "), .why.as_ref().map_or(String::new(), |why| format!(": {why}")))]
    NoEvent {
        /// The files.
        files: Vec<String>,
        /// What stopped the reading; `None`: they are empty.
        why: Option<String>,
    },
    /// They begin later, or end earlier, than what was asked for.
    #[error("the files go from {oldest} to {newest}, and hold nothing of the time that was asked for")]
    OtherTime {
        /// The first instant of the files.
        oldest: Timestamp,
        /// The last instant of the files.
        newest: Timestamp,
    },
}

/// What the log says of itself as a whole.
#[derive(Clone, Debug)]
pub struct LogEnds {
    /// Time of the first event.
    pub start: Timestamp,
    /// Time of the last event; `None` when reading stopped early.
    pub end: Option<Timestamp>,
    /// When the last file that was closed was closed: all that follows was committed later.
    pub passed: Option<Timestamp>,
    /// In the log of a replica: the newest instant by what it had applied. All that follows was
    /// made later, by the clock of where it was made.
    pub applied: Option<Timestamp>,
    /// GTIDs executed before the first file.
    pub previous: Option<GtidSet>,
    /// Why reading stopped early.
    pub stopped: Option<String>,
}

impl LogEnds {
    /// The newest instant that can be answered; `last`: the latest commit, `fractions`: whether
    /// commits are stamped finer than to the second.
    pub(super) fn newest(&self, last: Option<Timestamp>, fractions: bool) -> Timestamp {
        let newest = match (self.end, last) {
            // A log that goes on can have another commit stamped with the second of its last one.
            (None, last) if !fractions => Timestamp::from_micros(last.unwrap_or(self.start).micros() - 1),
            // The last event's own time is known to the second.
            (Some(end), Some(last)) => last.max(end),
            (end, last) => end.or(last).unwrap_or(self.start),
        };
        let newest = match self.passed {
            // No commit was read from the file that is still open: none is missing before it.
            Some(passed) if last.is_none_or(|last| last < passed) => newest.max(passed),
            _ => newest,
        };
        self.applied.map_or(newest, |applied| newest.min(applied))
    }
}

/// What is read of log files, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Texts of statements are left out.
    pub without_statements: bool,
    /// Which time of each transaction counts.
    pub time: SourceTime,
    /// The tables to read, by include and exclude patterns.
    pub tables: Patterns,
    /// The record begins here at the earliest: files that hold nothing after it are not read.
    pub from: Option<Timestamp>,
    /// The record ends here at the latest: files that were begun after it are not read.
    pub to: Option<Timestamp>,
    /// Definitions of tables, as they are after the last statement about each.
    pub schema: Option<SchemaDump>,
    /// The folder in which the store makes one of its own for as long as the history is read;
    /// `None`: it is kept in memory.
    pub store: Option<PathBuf>,
}

impl History {
    /// Reads the history of a server from its binary log files. What the log itself cannot tell
    /// ends the record early ([`History::stopped`]).
    ///
    /// # Errors
    /// The files are not there, are no binary logs, or leave a gap between them.
    pub fn read(server_id: ServerId, files: &[PathBuf]) -> Result<Self, ReadError> {
        Self::read_with(server_id, files, &ReadOptions::default())
    }

    /// The same, of a part of them or with more that is known.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub fn read_with(
        server_id: ServerId,
        files: &[PathBuf],
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        let open = |to| {
            let reader = LogReader::open_within(files, options.from, to);
            let spill = SpillOptions { folder: options.store.clone(), ..SpillOptions::default() };
            reader.map(|reader| reader.at(options.time).spill(spill))
        };
        let reader = open(options.to)?;
        let engine =
            options.store.as_ref().map(|position| TemporaryEngine::make(position, DiskOptions::default()));
        let mut ingest = match engine {
            Some(engine) => Ingest::upon(Box::new(engine?)),
            None => Ingest::default(),
        };
        ingest.keeps_statements = !options.without_statements;
        ingest.tables = Some(options.tables.clone());
        let server = reader.server();
        let known = match &options.schema {
            // Also by what is after the end that was asked for: the dump is as old or later.
            Some(dump) => ingest.expect(dump, open(None)?),
            None => DefinitionSchedule::new(),
        };
        let mut begun = false;
        let mut history = Self::of_entries_in((ingest, known, server), server_id, reader, |reader| {
            let ends = reader.ends();
            begun = ends.start.is_some();
            LogEnds {
                start: ends.start.unwrap_or(Timestamp::from_micros(0)),
                // A log that was not closed can go on in the very second of its last event.
                end: ends.end.filter(|_| ends.closed && ends.torn.is_none()),
                passed: ends.passed,
                applied: ends.applied,
                previous: ends.previous.as_deref().and_then(|text| GtidSet::parse(text).ok()),
                stopped: ends.torn.clone(),
            }
        })?;
        if !begun {
            let files = files.iter().map(|f| f.display().to_string()).collect();
            return Err(ReadError::NoEvent { files, why: history.stopped.take() });
        }
        let coverage = &mut history.coverage;
        let (oldest, newest) = (coverage.oldest, coverage.newest);
        coverage.oldest = options.from.map_or(oldest, |from| oldest.max(from));
        coverage.newest = options.to.map_or(newest, |to| newest.min(to));
        let part = options.from.is_some() || options.to.is_some();
        if part && coverage.oldest > coverage.newest {
            return Err(ReadError::OtherTime { oldest, newest });
        }
        Ok(history)
    }

    /// The history of entries in the order of the log. The first one that is an error ends the
    /// record: what follows it is not known.
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
        let begin = (Ingest::default(), DefinitionSchedule::new(), ServerVersion::default());
        Self::of_entries_in(begin, server_id, entries, ends)
    }

    fn of_entries_in<I, E>(
        (mut ingest, mut known, server): (Ingest, DefinitionSchedule, ServerVersion),
        server_id: ServerId,
        mut entries: I,
        ends: impl FnOnce(I) -> LogEnds,
    ) -> Result<Self, ReadError>
    where
        I: Iterator<Item = Result<CommittedTransaction, E>>,
        E: Display,
    {
        let mut stopped = None;
        let mut taken = 0;
        ingest.declare_all(known.remove(&taken), server);
        for entry in entries.by_ref() {
            match entry {
                Ok(entry) => {
                    if Ingest::leans_on_store(&entry) {
                        ingest.commit(&Batch::default())?;
                    }
                    ingest.entry(entry)?;
                    taken += 1;
                    ingest.declare_all(known.remove(&taken), server);
                    let waits = ingest.waiting() > BATCH || ingest.waiting_bytes() > BATCH_BYTES;
                    if waits || ingest.wants_commit() {
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
        let committed = Timestamp::from_micros(micros);
        CommittedTransaction {
            gtid: None,
            committed,
            stamp: Stamp::Commit,
            position,
            origin: Origin::default(),
            changes: Vec::new().into(),
        }
    }

    fn read(entries: Vec<Result<CommittedTransaction, &str>>) -> History {
        let ends = |_| LogEnds {
            start: Timestamp::from_micros(1),
            end: Some(Timestamp::from_micros(9)),
            passed: None,
            applied: None,
            previous: None,
            stopped: None,
        };
        History::of_entries(ServerId("x".into()), entries.into_iter(), ends).unwrap()
    }

    #[test]
    fn an_error_ends_the_record_there() {
        let history = read(vec![Ok(entry(3)), Ok(entry(5))]);
        assert_eq!((history.entries(), history.stopped(), history.coverage().newest.micros()), (2, None, 9));
        let cut = read(vec![Ok(entry(3)), Err("a checksum is wrong at binlog.000001:4711"), Ok(entry(5))]);
        assert_eq!((cut.entries(), cut.coverage().newest.micros()), (1, 3));
        assert_eq!(cut.stopped(), Some("a checksum is wrong at binlog.000001:4711"));
    }
}
