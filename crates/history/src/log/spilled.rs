//! Changes of a transaction in a temporary file.
//!
//! The file has no name: when the process ends, in whatever way, it is gone. Tables stay in
//! memory, since a transaction of any length has few of them.

use super::rows::{MappedTables, Rest, RowsEventParts};
use super::spill::SpillError;
use super::{Change, LoggedStatement, MappedTable, RowsEvent};
use ::bytes::Bytes as Buffer;
use dbtrail_types::names::TableName;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// Bytes that are written and read at a time.
const BUFFER: usize = 1 << 18;

/// See the module.
#[derive(Debug)]
pub(super) struct Spilled {
    file: BufWriter<File>,
    /// Bytes of the file.
    bytes: u64,
    /// Changes in the file.
    written: usize,
    /// The last change, which may still go on.
    last: Option<Change>,
    /// Which change is the first with rows.
    first_rows: Option<usize>,
    /// So many changes are in front of this byte; rising.
    marks: Vec<(usize, u64)>,
    tables: Tables,
    /// The text of the last rows event.
    text: Option<Arc<str>>,
}

/// The tables of the changes, by number.
#[derive(Debug, Default)]
struct Tables {
    all: Vec<Arc<MappedTable>>,
    /// By where they are in memory: each is kept, so no other one comes to be there.
    by_position: HashMap<usize, u32>,
    sets: Vec<MappedTables>,
    by_numbers: HashMap<Vec<u32>, u32>,
}

/// What is in front of a change's rows.
#[derive(Serialize, Deserialize)]
enum Head {
    Rows { table: u32, mapped: u32, text: Text, rest: Rest, sizes: [usize; 3] },
    Statement(Box<LoggedStatement>),
    Unfollowable { tables: Vec<TableName>, reason: String },
}

/// The text of a rows event's statement.
#[derive(Serialize, Deserialize)]
enum Text {
    None,
    /// That of the rows event before.
    Same,
    Is(String),
}

fn failed(error: &std::io::Error) -> SpillError {
    if error.kind() == ErrorKind::StorageFull {
        SpillError::DiskFull
    } else {
        SpillError::Disk(error.to_string())
    }
}

fn damaged(error: &serde_json::Error) -> SpillError {
    SpillError::Disk(error.to_string())
}

fn number(count: usize) -> Result<u32, SpillError> {
    u32::try_from(count).map_err(|_| SpillError::TooManyTables)
}

impl Tables {
    fn table(&mut self, table: &Arc<MappedTable>) -> Result<u32, SpillError> {
        let position = Arc::as_ptr(table).addr();
        if let Some(known) = self.by_position.get(&position) {
            return Ok(*known);
        }
        let next = number(self.all.len())?;
        self.all.push(Arc::clone(table));
        self.by_position.insert(position, next);
        Ok(next)
    }

    fn set(&mut self, mapped: &MappedTables) -> Result<u32, SpillError> {
        let tables = mapped.iter().map(|table| self.table(table)).collect::<Result<Vec<u32>, _>>()?;
        let next = number(self.sets.len())?;
        let sets = &mut self.sets;
        Ok(*self.by_numbers.entry(tables).or_insert_with(|| {
            sets.push(Arc::clone(mapped));
            next
        }))
    }
}

impl Spilled {
    pub(super) fn create(folder: Option<&Path>) -> Result<Self, SpillError> {
        let system = std::env::temp_dir();
        let folder = folder.unwrap_or(&system);
        let file = tempfile::tempfile_in(folder)
            .map_err(|e| SpillError::NotMade { folder: folder.to_owned(), error: e.to_string() })?;
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER, file),
            bytes: 0,
            written: 0,
            last: None,
            first_rows: None,
            marks: Vec::new(),
            tables: Tables::default(),
            text: None,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.written + usize::from(self.last.is_some())
    }

    pub(super) fn has_rows(&self) -> bool {
        self.first_rows.is_some()
    }

    pub(super) fn last(&mut self) -> Option<&mut Change> {
        self.last.as_mut()
    }

    pub(super) fn push(&mut self, change: Change) -> Result<(), SpillError> {
        self.settle()?;
        if matches!(change, Change::Rows(_)) {
            self.first_rows.get_or_insert(self.written);
        }
        self.last = Some(change);
        Ok(())
    }

    pub(super) fn mark(&mut self) -> Result<(), SpillError> {
        self.settle()?;
        let mark = (self.written, self.bytes);
        if self.marks.last() != Some(&mark) {
            self.marks.push(mark);
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, mark: usize) -> Result<(), SpillError> {
        self.settle()?;
        if mark == self.written {
            return Ok(());
        }
        while self.marks.last().is_some_and(|(changes, _)| *changes > mark) {
            self.marks.pop();
        }
        let Some((changes, bytes)) = self.marks.last().copied().filter(|(changes, _)| *changes == mark)
        else {
            return Err(SpillError::UnknownMark);
        };
        self.file.flush().and_then(|()| self.file.get_ref().set_len(bytes)).map_err(|e| failed(&e))?;
        self.file.seek(SeekFrom::Start(bytes)).map_err(|e| failed(&e))?;
        (self.written, self.bytes) = (changes, bytes);
        self.first_rows = self.first_rows.filter(|first| *first < changes);
        self.text = None;
        Ok(())
    }

    /// Writes the last change.
    fn settle(&mut self) -> Result<(), SpillError> {
        let Some(change) = self.last.take() else { return Ok(()) };
        let (head, parts) = match change {
            Change::Rows(rows) => self.rows(rows)?,
            Change::Statement(statement) => (Head::Statement(Box::new(statement)), None),
            Change::Unfollowable { tables, reason } => (Head::Unfollowable { tables, reason }, None),
        };
        let head = serde_json::to_vec(&head).map_err(|e| damaged(&e))?;
        let mut write = |bytes: &[u8]| {
            self.bytes += bytes.len() as u64;
            self.file.write_all(bytes).map_err(|e| failed(&e))
        };
        write(&(head.len() as u64).to_le_bytes())?;
        write(&head)?;
        for part in parts.iter().flatten() {
            write(part)?;
        }
        self.written += 1;
        Ok(())
    }

    fn rows(&mut self, rows: RowsEvent) -> Result<(Head, Option<[Buffer; 3]>), SpillError> {
        let RowsEventParts { table, mapped, text, rest, parts } = rows.into_kept();
        let said = match (&text, &self.text) {
            (None, _) => Text::None,
            (Some(new), Some(last)) if Arc::ptr_eq(new, last) => Text::Same,
            (Some(new), _) => Text::Is(new.to_string()),
        };
        if text.is_some() {
            self.text = text;
        }
        let (table, mapped) = (self.tables.table(&table)?, self.tables.set(&mapped)?);
        let sizes = [parts[0].len(), parts[1].len(), parts[2].len()];
        Ok((Head::Rows { table, mapped, text: said, rest, sizes }, Some(parts)))
    }

    /// All changes, in order.
    pub(super) fn read(mut self: Box<Self>) -> Box<dyn Iterator<Item = Result<Change, SpillError>>> {
        let ready = self.settle().and_then(|()| {
            self.file.flush().and_then(|()| self.file.seek(SeekFrom::Start(0))).map_err(|e| failed(&e))
        });
        let Self { file, written, tables, .. } = *self;
        let file = ready.and_then(|_| file.into_inner().map_err(|e| failed(e.error())));
        match file {
            Ok(file) => Box::new(SpilledReader {
                file: BufReader::with_capacity(BUFFER, file),
                left: written,
                tables,
                text: None,
            }),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}

/// Reads the changes back.
struct SpilledReader {
    file: BufReader<File>,
    left: usize,
    tables: Tables,
    text: Option<Arc<str>>,
}

impl SpilledReader {
    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, SpillError> {
        let mut bytes = vec![0; count];
        self.file.read_exact(&mut bytes).map_err(|e| failed(&e))?;
        Ok(bytes)
    }

    fn change(&mut self) -> Result<Change, SpillError> {
        let mut length = [0; 8];
        self.file.read_exact(&mut length).map_err(|e| failed(&e))?;
        let unknown = || SpillError::Damaged;
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| unknown())?;
        let head = self.bytes(length)?;
        Ok(match serde_json::from_slice(&head).map_err(|e| damaged(&e))? {
            Head::Statement(statement) => Change::Statement(*statement),
            Head::Unfollowable { tables, reason } => Change::Unfollowable { tables, reason },
            Head::Rows { table, mapped, text, rest, sizes } => {
                let mut part = |size| self.bytes(size).map(Buffer::from);
                let parts = [part(sizes[0])?, part(sizes[1])?, part(sizes[2])?];
                let text = match text {
                    Text::None => None,
                    Text::Same => self.text.clone(),
                    Text::Is(text) => Some(Arc::from(text)),
                };
                if text.is_some() {
                    self.text.clone_from(&text);
                }
                let table = self.tables.all.get(table as usize).cloned().ok_or_else(unknown)?;
                let mapped = self.tables.sets.get(mapped as usize).cloned().ok_or_else(unknown)?;
                Change::Rows(RowsEvent::of_kept(RowsEventParts { table, mapped, text, rest, parts }))
            }
        })
    }
}

impl Iterator for SpilledReader {
    type Item = Result<Change, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let change = self.change();
        if change.is_err() {
            self.left = 0;
        }
        Some(change)
    }
}
