//! A recorded log with events changed, left out, repeated and made up, as a server sends it, to the
//! recorder: a history or a fault, and no panic; the store opens again.
//!
//! An input is a list of steps, read by [`Script`].
#![no_main]

use dbtrail_history::HistoryHandle;
use dbtrail_history::binlog_position::{BinlogPosition, Identity, ResumePosition};
use dbtrail_history::capture::{CaptureEvent, ClockReading, Defaults, RecorderHandle, Start, ValidFrom};
use dbtrail_history::engine::DiskOptions;
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::recorder::{Recorder, RecorderOptions};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;

const MYSQL: &[u8] = include_bytes!("../../tests/data/mysql-9.7/binlog.000003");
const MARIADB: &[u8] = include_bytes!("../../tests/data/mariadb-10.11/binlog.000003");
const FILE: &str = "binlog.000003";
/// Events of one input, the one that describes the file apart.
const MOST: usize = 120;

/// The events of a log file.
fn recorded(log: &'static [u8]) -> Vec<&'static [u8]> {
    let mut rest = &log[4..];
    let mut events = Vec::new();
    while let Some(length) = rest.get(9..13) {
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        let (event, after) = rest.split_at(length);
        events.push(event);
        rest = after;
    }
    events
}

/// Length and checksum of an event as they must be.
fn sealed(mut event: Vec<u8>) -> Vec<u8> {
    event.resize(event.len().max(19), 0);
    let length = u32::try_from(event.len() + 4).expect("a short event");
    event[9..13].copy_from_slice(&length.to_le_bytes());
    let crc = crc32fast::hash(&event);
    event.extend(crc.to_le_bytes());
    event
}

/// What an input says, byte by byte.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<usize> {
        Some(usize::from(self.byte()?) | usize::from(self.byte()?) << 8)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let (bytes, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        bytes.to_vec()
    }

    /// The next events that are sent, of those that were recorded.
    fn step(&mut self, recorded: &[&[u8]], at: &mut usize) -> Option<Vec<Vec<u8>>> {
        let what = self.byte()?;
        let next = |at: &mut usize| {
            let event = recorded.get(*at).map(|event| event.to_vec());
            *at += 1;
            event
        };
        let one = match what & 7 {
            // Some as they are.
            0..=2 => {
                let count = usize::from(what >> 3) + 1;
                return Some((0..count).filter_map(|_| next(at)).collect());
            }
            // Some left out, and elsewhere in the log.
            3 => {
                *at += usize::from(what >> 3) + 1;
                return Some(Vec::new());
            }
            4 => {
                *at = self.word()? % recorded.len();
                return Some(Vec::new());
            }
            // One with other bytes.
            5 => {
                let mut event = next(at)?;
                event.truncate(event.len() - 4);
                for _ in 0..=(what >> 3) {
                    let at = self.word()? % event.len();
                    event[at] = self.byte()?;
                }
                sealed(event)
            }
            // One that is cut, or longer.
            6 => {
                let mut event = next(at)?;
                event.truncate(event.len().saturating_sub(4 + usize::from(self.byte()?)));
                let more = usize::from(what >> 3);
                event.extend(self.bytes(more));
                sealed(event)
            }
            // One that is made up.
            _ => {
                let mut event = recorded[0][..19].to_vec();
                event[4] = self.byte()?;
                let length = self.word()? % 512;
                event.extend(self.bytes(length));
                sealed(event)
            }
        };
        Some(vec![one])
    }
}

/// Where writing costs no disk, if there is such a place.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

/// `small`: transactions go to a temporary file.
fn options(small: bool) -> RecorderOptions {
    let all = DiskOptions { reserve: 0, cache: 8 << 20, workers: 2, ..DiskOptions::default() };
    RecorderOptions {
        tables: Patterns::default(),
        baseline: true,
        keep: None,
        statements: true,
        connections: true,
        source_time: SourceTime::Local,
        disk: if small { DiskOptions { transactions: 600, ..all } } else { all },
    }
}

static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();

async fn fed(folder: &Path, [mariadb, small]: [bool; 2], events: Vec<Vec<u8>>) {
    let server_id = ServerId("fuzz".to_owned());
    let began = Timestamp::from_micros(1_000_000);
    let history = Arc::new(HistoryHandle::live(server_id.clone(), began));
    let recorder = Recorder::open(folder, server_id, options(small), Arc::clone(&history)).expect("opens");
    let (writer, inputs) = RecorderHandle::channel(1024);
    let (to, mut commands) = mpsc::channel(64);
    let runtime = tokio::runtime::Handle::current();
    let running = tokio::task::spawn_blocking(move || recorder.run(&runtime, inputs, &to));
    let drain = tokio::spawn(async move { while commands.recv().await.is_some() {} });
    let version = if mariadb { "10.11.14-MariaDB" } else { "9.7.0" }.to_owned();
    let server = Identity { mariadb, uuid: None, server_id: 1, version };
    let position = BinlogPosition { file: FILE.to_owned(), offset: 4 };
    let start = Start {
        position: ResumePosition::new(position.clone(), String::new(), server.clone()),
        at: began,
        tables: Vec::new(),
        defaults: Defaults::default(),
        backlog: None,
    };
    let end = BinlogPosition { file: FILE.to_owned(), offset: u64::MAX / 2 };
    let clock = ClockReading::plain(Timestamp::from_micros(4_000_000_000_000_000));
    let sent = [CaptureEvent::Begin(start), CaptureEvent::Follow(position, server)]
        .into_iter()
        .chain(events.into_iter().map(|event| CaptureEvent::Events(vec![event.into()])))
        .chain([CaptureEvent::Clock(ValidFrom { after: end, what: clock })]);
    for event in sent {
        if writer.send(event).await.is_err() {
            break;
        }
    }
    drop(writer);
    running.await.expect("no panic").expect("the store works");
    drain.await.expect("no panic");
    let _ = history.status(Timestamp::now());
}

fuzz_target!(|input: &[u8]| {
    let mut steps = Script(input);
    let Some(first) = steps.byte() else { return };
    let [mariadb, small] = [first & 1 == 1, first & 2 == 2];
    let recorded = recorded(if mariadb { MARIADB } else { MYSQL });
    let (mut at, mut events) = (1, vec![recorded[0].to_vec()]);
    while events.len() < MOST {
        let Some(more) = steps.step(&recorded, &mut at) else { break };
        events.extend(more);
    }
    events.truncate(MOST);
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime"));
    let folder = folder();
    runtime.block_on(fed(folder.path(), [mariadb, small], events));
    let handle = Arc::new(HistoryHandle::live(ServerId("fuzz".to_owned()), Timestamp::from_micros(0)));
    Recorder::open(folder.path(), ServerId("fuzz".to_owned()), options(small), handle).expect("opens again");
});
