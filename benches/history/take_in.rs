//! Log files through the writing half of the capture, in this process: events as a server sends
//! them.

use dbtrail_history::HistoryHandle;
use dbtrail_history::binlog_position::{BinlogPosition, Identity, ResumePosition};
use dbtrail_history::capture::{
    BaselineRows, CaptureCommand, CaptureEvent, Declared, Defaults, RecorderHandle, Start, ValidFrom,
};
use dbtrail_history::engine::{DiskOptions, StoreError};
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::recorder::{Recorder, RecorderOptions};
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::result_set::Row;
use dbtrail_types::timestamp::Timestamp;
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The arguments by which the benchmark calls itself: for a new record, and for one that goes on.
pub const WORD: &str = "take-in";
pub const MORE: &str = "take-in-more";
/// The name of a server whose record only the benchmark reads.
const SERVER: &str = "bench";
/// Rows of a table handed over together.
const READ: usize = 10_000;
/// Events handed over together, as they come out of a connection's buffer.
const TOGETHER: usize = 128;
/// Bytes of an event's header.
const HEADER: usize = 19;

/// Whose log it is.
fn identity() -> Identity {
    Identity { mariadb: true, uuid: None, server_id: 1, version: "10.11.14-MariaDB".to_owned() }
}

/// The events of a file, one after the other.
struct Events(BufReader<File>);

impl Events {
    fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        file.read_exact(&mut [0; 4])?;
        Ok(Self(file))
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
        let mut header = [0; HEADER];
        if let Err(e) = self.0.read_exact(&mut header) {
            return if e.kind() == std::io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(e.into()) };
        }
        let length = u32::from_le_bytes([header[9], header[10], header[11], header[12]]);
        let mut event = Vec::with_capacity(usize::try_from(length)?);
        event.extend_from_slice(&header);
        event.resize(usize::try_from(length)?, 0);
        self.0.read_exact(&mut event[HEADER..])?;
        took_no_time(&mut event);
        Ok(Some(event))
    }
}

/// A statement of a session that has set its clock back seems to take until now, and what it did
/// could be seen at any time between.
fn took_no_time(event: &mut [u8]) {
    const QUERY: u8 = 2;
    let Some(end) = event.len().checked_sub(4).filter(|_| event[4] == QUERY) else { return };
    // How long it took is after the number of the session.
    event[HEADER + 4..HEADER + 8].fill(0);
    let checksum = crc32fast::hash(&event[..end]);
    event[end..].copy_from_slice(&checksum.to_le_bytes());
}

/// Copies a log file of sessions that had set their clocks back: what the server writes by itself
/// has its own time, and gets that of what is before it, or after it at the head of the file.
/// Whoever reads the log up to an instant would end there.
pub fn with_times_of_then(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    /// STOP, ROTATE, FORMAT_DESCRIPTION, BINLOG_CHECKPOINT, GTID_LIST.
    const OWN: [u8; 5] = [3, 4, 15, 161, 163];
    let (mut events, mut file) = (Events::open(from)?, BufWriter::new(File::create(to)?));
    file.write_all(b"\xfebin")?;
    let (mut head, mut then) = (Vec::new(), None::<[u8; 4]>);
    while let Some(mut event) = events.next()? {
        if OWN.contains(&event[4]) {
            match then {
                None => head.push(event),
                Some(then) => file.write_all(stamped(&mut event, then))?,
            }
            continue;
        }
        let time = [event[0], event[1], event[2], event[3]];
        for mut own in head.drain(..) {
            file.write_all(stamped(&mut own, time))?;
        }
        then = Some(time);
        file.write_all(&event)?;
    }
    Ok(file.flush()?)
}

fn stamped(event: &mut [u8], time: [u8; 4]) -> &[u8] {
    event[..4].copy_from_slice(&time);
    let end = event.len() - 4;
    let checksum = crc32fast::hash(&event[..end]);
    event[end..].copy_from_slice(&checksum.to_le_bytes());
    event
}

/// The writing half at work.
struct Writing {
    writer: RecorderHandle,
    thread: JoinHandle<Result<(), StoreError>>,
    history_handle: Arc<HistoryHandle>,
    _commands: mpsc::Receiver<CaptureCommand>,
}

impl Writing {
    fn open(
        folder: &Path,
        server_id: &str,
        at: Timestamp,
        (tables, baseline): (Patterns, bool),
    ) -> Result<Self, Box<dyn Error>> {
        let server_id = ServerId(server_id.to_owned());
        let history_handle = Arc::new(HistoryHandle::live(server_id.clone(), at));
        let options = RecorderOptions {
            tables,
            baseline,
            keep: None,
            statements: true,
            connections: true,
            source_time: SourceTime::default(),
            disk: DiskOptions::default(),
        };
        let recorder = Recorder::open(folder, server_id, options, Arc::clone(&history_handle))?;
        let (writer, inputs) = RecorderHandle::channel(256);
        let (to, commands) = mpsc::channel(64);
        let runtime = tokio::runtime::Handle::current();
        let thread = tokio::task::spawn_blocking(move || recorder.run(&runtime, inputs, &to));
        Ok(Self { writer, thread, history_handle, _commands: commands })
    }

    /// The record begins with these tables.
    async fn begin(
        &self,
        position: &BinlogPosition,
        at: Timestamp,
        tables: Vec<Declared>,
    ) -> Result<(), Box<dyn Error>> {
        let position = ResumePosition::new(position.clone(), String::new(), identity());
        let start = Start { position, at, tables, defaults: Defaults::default(), backlog: None };
        Ok(self.writer.send(CaptureEvent::Begin(start)).await?)
    }

    /// All events of a file.
    async fn file(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        self.writer.send(CaptureEvent::Follow(head_of(path)?, identity())).await?;
        let mut events = Events::open(path)?;
        let mut ready = Vec::new();
        while let Some(event) = events.next()? {
            ready.push(event.into());
            if ready.len() == TOGETHER {
                self.writer.send(CaptureEvent::Events(std::mem::take(&mut ready))).await?;
            }
        }
        Ok(self.writer.send(CaptureEvent::Events(ready)).await?)
    }

    /// Everything is written; gives what is served.
    async fn end(self) -> Result<Arc<HistoryHandle>, Box<dyn Error>> {
        drop(self.writer);
        self.thread.await??;
        Ok(self.history_handle)
    }
}

/// Where a file begins.
fn head_of(path: &Path) -> Result<BinlogPosition, Box<dyn Error>> {
    let file = path.file_name().ok_or("a path without a file")?.to_string_lossy().into_owned();
    Ok(BinlogPosition { file, offset: 4 })
}

/// The number of row changes of a history in which all of these tables can be read.
fn changes(handle: &HistoryHandle, tables: &Patterns) -> Result<u64, Box<dyn Error>> {
    let history = handle.current().ok_or("no history")?;
    let unreadable = history.unreadable();
    if let Some((name, _, why)) = unreadable.iter().find(|(name, _, _)| tables.includes(name)) {
        return Err(format!("{name} cannot be read: {why}").into());
    }
    Ok(history.changes())
}

/// Takes these files in, oldest first, as the record of a server that begins at `at`; gives the
/// numbers of row changes in them and of versions kept.
pub async fn files(
    folder: &Path,
    server_id: &str,
    files: &[PathBuf],
    at: Timestamp,
    tables: Patterns,
) -> Result<(u64, u64), Box<dyn Error>> {
    let writing = Writing::open(folder, server_id, at, (tables.clone(), false))?;
    for (i, path) in files.iter().enumerate() {
        if i == 0 {
            writing.begin(&head_of(path)?, at, Vec::new()).await?;
        }
        writing.file(path).await?;
    }
    let handle = writing.end().await?;
    let versions = handle.capture_status().map_or(0, |l| l.versions);
    Ok((changes(&handle, &tables)?, versions))
}

/// One file into a new folder; prints the number of row changes.
pub async fn alone(file: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (changes, _) =
        files(folder, SERVER, &[file.to_owned()], Timestamp::from_micros(0), Patterns::default()).await?;
    println!("{changes}");
    Ok(())
}

/// A new record that begins at the head of a log file with one table (schema, name, CREATE TABLE),
/// of which all rows are read.
pub async fn table(
    folder: &Path,
    file: &str,
    (schema, table, create): (&str, &str, &str),
    rows: impl Iterator<Item = Row>,
) -> Result<(), Box<dyn Error>> {
    let at = Timestamp::from_micros(0);
    let writing = Writing::open(folder, SERVER, at, (Patterns::default(), true))?;
    let name = TableName { schema: schema.to_owned(), table: table.to_owned() };
    let position = BinlogPosition { file: file.to_owned(), offset: 4 };
    writing.begin(&position, at, vec![Declared { name, create: create.to_owned() }]).await?;
    writing.writer.send(CaptureEvent::Follow(position.clone(), identity())).await?;
    let job = writing.writer.next_job(Vec::new()).await?.ok_or("there is no table to read")?;
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let some: Vec<Row> = rows.by_ref().take(READ).collect();
        let (generation, definition, end) = (job.generation, job.definition, rows.peek().is_none());
        let what = BaselineRows { generation, definition, rows: some, end };
        if !writing.writer.baseline(ValidFrom { after: position.clone(), what }).await? {
            return Err("rows of the table were not kept".into());
        }
    }
    writing.end().await?;
    Ok(())
}

/// One file into the folder of a record that goes on there; prints the number of row changes.
pub async fn more(file: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let writing = Writing::open(folder, SERVER, Timestamp::from_micros(0), (Patterns::default(), true))?;
    writing.file(file).await?;
    println!("{}", changes(&*writing.end().await?, &Patterns::default())?);
    Ok(())
}
