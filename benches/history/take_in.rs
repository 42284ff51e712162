//! Log files through the writing half of the capture, in this process: events as a server sends
//! them.

use dbtrail_history::HistoryHandle;
use dbtrail_history::binlog_position::{BinlogPosition, Identity, ResumePosition};
use dbtrail_history::capture::{CaptureEvent, Defaults, RecorderHandle, Start};
use dbtrail_history::engine::DiskOptions;
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::recorder::{Recorder, RecorderOptions};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The argument by which the benchmark calls itself.
pub const WORD: &str = "take-in";
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
        Ok(Some(event))
    }
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
    let server_id = ServerId(server_id.to_owned());
    let history_handle = Arc::new(HistoryHandle::live(server_id.clone(), at));
    let options = RecorderOptions {
        tables: tables.clone(),
        baseline: false,
        keep: None,
        statements: true,
        connections: true,
        source_time: SourceTime::default(),
        disk: DiskOptions::default(),
    };
    let recorder = Recorder::open(folder, server_id, options, Arc::clone(&history_handle))?;
    let (writer, inputs) = RecorderHandle::channel(256);
    let (to, _wishes) = mpsc::channel(64);
    let runtime = tokio::runtime::Handle::current();
    let writing = tokio::task::spawn_blocking(move || recorder.run(&runtime, inputs, &to));
    for (i, path) in files.iter().enumerate() {
        let name = path.file_name().ok_or("a path without a file")?.to_string_lossy().into_owned();
        let position = BinlogPosition { file: name, offset: 4 };
        if i == 0 {
            let start = ResumePosition::new(position.clone(), String::new(), identity());
            writer
                .send(CaptureEvent::Begin(Start {
                    position: start,
                    at,
                    tables: Vec::new(),
                    defaults: Defaults::default(),
                    backlog: None,
                }))
                .await?;
        }
        writer.send(CaptureEvent::Follow(position, identity())).await?;
        let mut events = Events::open(path)?;
        let mut ready = Vec::new();
        while let Some(event) = events.next()? {
            ready.push(event.into());
            if ready.len() == TOGETHER {
                writer.send(CaptureEvent::Events(std::mem::take(&mut ready))).await?;
            }
        }
        writer.send(CaptureEvent::Events(ready)).await?;
    }
    drop(writer);
    writing.await??;
    let history = history_handle.current().ok_or("no history")?;
    let unreadable = history.unreadable();
    if let Some((name, _, why)) = unreadable.iter().find(|(name, _, _)| tables.includes(name)) {
        return Err(format!("{name} cannot be read: {why}").into());
    }
    let versions = history_handle.liveness().map_or(0, |l| l.versions);
    Ok((history.changes(), versions))
}

/// One file into a new folder; prints the number of row changes.
pub async fn alone(file: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (changes, _) =
        files(folder, "bench", &[file.to_owned()], Timestamp::from_micros(0), Patterns::default()).await?;
    println!("{changes}");
    Ok(())
}
