//! Files, one after the other, to committed entries.

use super::applied::Applied;
use super::decoder::Decoder;
use super::event::{self, Event, Torn, kind};
use super::file_error::FileError;
use super::heads::{self, name_of, numbered};
use super::{
    BinlogPosition, CommittedTransaction, LogError, LogFault, ServerVersion, SourceTime, SpillOptions,
    TakeError, gtid,
};
use dbtrail_types::timestamp::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// Reads binary log files in the order given. An iterator of entries; after an error it gives
/// nothing more.
#[derive(Debug)]
pub struct LogReader {
    files: VecDeque<PathBuf>,
    open: Option<Open>,
    /// The file that the last ROTATE event named.
    expected: Option<String>,
    decoder: Decoder,
    time: SourceTime,
    /// The server whose log this file is.
    writer: u32,
    applied: Applied,
    ends: Ends,
    server: ServerVersion,
    finished: bool,
}

/// What the files say of the record as a whole.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Time of the first event of the first file.
    pub start: Option<Timestamp>,
    /// Time of the last event, to the second.
    pub end: Option<Timestamp>,
    /// Whether the last file was closed (by ROTATE or STOP): nothing can follow in it.
    pub closed: bool,
    /// Time of the ROTATE or STOP that closed the last file which was closed: what follows in a
    /// file that is still open was committed after it.
    pub passed: Option<Timestamp>,
    /// The newest instant by what was applied of another server's, where that was the last of its
    /// domain or source.
    pub applied: Option<Timestamp>,
    /// GTIDs executed before the first file, as text.
    pub previous: Option<String>,
    /// The last file ends inside an event: what follows the last whole one.
    pub torn: Option<String>,
    /// The server that wrote the first file.
    pub server: String,
}

/// The file being read.
#[derive(Debug)]
struct Open {
    name: String,
    input: BufReader<File>,
    offset: u64,
}

impl LogReader {
    /// Looks at all files, which may be named in any order: each must be there and begin as a
    /// binary log does, and their numbers must follow each other.
    ///
    /// # Errors
    /// No file, a file that cannot be opened or is no binary log, a gap in the numbers, or files
    /// whose order is not known.
    pub fn open(files: &[PathBuf]) -> Result<Self, LogError> {
        Self::open_within(files, None, None)
    }

    /// The same of those files that can hold something of the instants from `from` to `to`.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn open_within(
        files: &[PathBuf],
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Self, LogError> {
        if files.is_empty() {
            return Err(FileError::None.into());
        }
        let heads = heads::in_order(files)?;
        let server = heads.first().map(|head| head.server).unwrap_or_default();
        let heads = heads::within(heads, from, to);
        let files: Vec<PathBuf> = heads.into_iter().map(|head| head.path).collect();
        for pair in files.windows(2) {
            let (first, second) = (name_of(&pair[0]), name_of(&pair[1]));
            if let (Some((a, m)), Some((b, n))) = (numbered(&first), numbered(&second))
                && (a != b || n != m + 1)
            {
                return Err(FileError::Missing { first, second }.into());
            }
        }
        Ok(Self {
            files: files.into(),
            open: None,
            expected: None,
            decoder: Decoder::default(),
            time: SourceTime::default(),
            writer: 0,
            applied: Applied::default(),
            ends: Ends::default(),
            server,
            finished: false,
        })
    }

    /// The server that wrote the files.
    #[must_use]
    pub fn server(&self) -> ServerVersion {
        self.server
    }

    /// Reads this time of each transaction: to be said before the first one.
    #[must_use]
    pub fn at(mut self, time: SourceTime) -> Self {
        self.decoder = Decoder::at(time);
        self.time = time;
        self
    }

    /// How large transactions may become in memory: to be said before the first one.
    #[must_use]
    pub fn spill(mut self, options: SpillOptions) -> Self {
        self.decoder.spill(options);
        self
    }

    /// What the files say of the record as a whole: complete when the iterator has ended.
    #[must_use]
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    fn error(&self, offset: u64, fault: LogFault) -> LogError {
        let file = self.open.as_ref().map_or_else(String::new, |o| o.name.clone());
        LogError::Event { position: BinlogPosition { file, offset }, fault }
    }

    /// Opens the next file; false: there is none.
    fn next_file(&mut self) -> Result<bool, LogError> {
        let Some(path) = self.files.pop_front() else { return Ok(false) };
        let name = name_of(&path);
        if let Some(expected) = self.expected.take()
            && expected != name
        {
            return Err(FileError::OtherNext { expected, named: name }.into());
        }
        let file =
            File::open(&path).map_err(|e| FileError::Open { path: path.clone(), error: e.to_string() })?;
        let mut input = BufReader::with_capacity(1 << 16, file);
        event::magic(&mut input).map_err(|fault| FileError::Magic { path, fault })?;
        self.ends.closed = false;
        self.decoder.file_begins(&name);
        self.open = Some(Open { name, input, offset: 4 });
        Ok(true)
    }

    /// Reads one event of the open file into the assembly; false: the file is at its end.
    fn step(&mut self) -> Result<bool, LogError> {
        let Some(open) = &mut self.open else { return Ok(false) };
        let offset = open.offset;
        let event = match event::next(&mut open.input, offset, self.decoder.format.checksum) {
            Ok(None) => return Ok(false),
            Ok(Some(event)) => event,
            Err(Torn::Tail(what)) if self.files.is_empty() => {
                self.ends.torn = Some(format!("{} ends with {what}, at byte {offset}", open.name));
                return Ok(false);
            }
            Err(Torn::Tail(what)) => return Err(self.error(offset, what)),
            Err(Torn::Fault(fault)) => return Err(self.error(offset, fault)),
        };
        open.offset += event.length;
        self.take(&event).map_err(|error| match error {
            TakeError::Fault(fault) => self.error(offset, fault),
            TakeError::Spill(error) => FileError::Spill(error).into(),
        })?;
        Ok(true)
    }

    fn take(&mut self, event: &Event) -> Result<(), TakeError> {
        let stamp = Timestamp::from_micros(i64::from(event.timestamp) * 1_000_000);
        if event.timestamp != 0 {
            self.ends.start.get_or_insert(stamp);
            self.ends.end = Some(stamp);
        }
        match event.kind {
            kind::FORMAT_DESCRIPTION => {
                self.decoder.take(event)?;
                self.writer = event.server;
                if self.ends.server.is_empty() {
                    self.ends.server.clone_from(&self.decoder.format.server);
                }
            }
            kind::PREVIOUS_GTIDS if self.ends.previous.is_none() && self.decoder.is_fresh() => {
                self.ends.previous = gtid::previous_mysql(event.body())?;
            }
            kind::MARIADB_GTID_LIST if self.ends.previous.is_none() && self.decoder.is_fresh() => {
                self.ends.previous = Some(gtid::previous_mariadb(event.body())?);
            }
            kind::PREVIOUS_GTIDS | kind::MARIADB_GTID_LIST => {}
            kind::ROTATE => {
                self.closes(stamp, event.timestamp);
                let name = event.body().get(8..).unwrap_or_default();
                self.expected = Some(String::from_utf8_lossy(name).into_owned());
            }
            kind::STOP => self.closes(stamp, event.timestamp),
            kind::MARIADB_START_ENCRYPTION => {
                return Err(LogFault::EncryptedFromHere.into());
            }
            _ => self.decoder.take(event)?,
        }
        Ok(())
    }

    /// A file was closed; an event without a time (0) says nothing of when.
    fn closes(&mut self, stamp: Timestamp, seconds: u32) {
        self.ends.closed = true;
        if seconds != 0 {
            self.ends.passed = Some(stamp);
        }
    }

    fn advance(&mut self) -> Result<Option<CommittedTransaction>, LogError> {
        loop {
            if let Some(entry) = self.decoder.ready.pop_front() {
                self.applied.note(&entry, self.writer, self.time);
                self.ends.applied = self.applied.newest();
                return Ok(Some(entry));
            }
            if self.open.is_none() && !self.next_file()? {
                return Ok(None);
            }
            if !self.step()? {
                self.decoder.file_ends();
                self.open = None;
            }
        }
    }
}

impl Iterator for LogReader {
    type Item = Result<CommittedTransaction, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let next = self.advance();
        self.finished = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
