//! A recording, fed to a recorder.

use crate::truth_agent;
use dbtrail_history::binlog_position::{BinlogPosition, Identity, ResumePosition};
use dbtrail_history::capture::{
    CaptureCommand, CaptureEvent, ClockReading as Clock, Defaults, RecorderHandle, Start, ValidFrom,
};
use dbtrail_history::engine::{DiskOptions, Location};
use dbtrail_history::log::SourceTime;
use dbtrail_history::patterns::Patterns;
use dbtrail_history::recorder::{Recorder, RecorderOptions};
use dbtrail_history::{History, HistoryHandle};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

const FILE: &str = "binlog.000003";

pub(super) fn server(fixture: &str) -> Identity {
    let mariadb = fixture.starts_with("mariadb");
    let version = if mariadb { "10.11.14-MariaDB" } else { "9.7.0" };
    Identity { mariadb, uuid: None, server_id: 1, version: version.to_owned() }
}

/// The events of a log file, each with its position.
pub(super) fn events(fixture: &str) -> Vec<(u64, Vec<u8>)> {
    let bytes = std::fs::read(truth_agent::folder(fixture).join(FILE)).expect("the fixture is there");
    let (mut at, mut events) = (4_usize, Vec::new());
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 9..at + 13].try_into().expect("four bytes")) as usize;
        events.push((at as u64, bytes[at..at + length].to_vec()));
        at += length;
    }
    events
}

pub(super) fn position_at(offset: u64) -> BinlogPosition {
    BinlogPosition { file: FILE.to_owned(), offset }
}

pub(super) struct Feed {
    pub(super) history_handle: Arc<HistoryHandle>,
    pub(super) writer: RecorderHandle,
    pub(super) commands: mpsc::Receiver<CaptureCommand>,
    pub(super) done: tokio::task::JoinHandle<Result<(), dbtrail_history::engine::StoreError>>,
    pub(super) resume: Option<ResumePosition>,
}

pub(super) fn options() -> RecorderOptions {
    RecorderOptions {
        tables: Patterns::default(),
        baseline: true,
        keep: None,
        statements: true,
        connections: true,
        source_time: SourceTime::Local,
        disk: DiskOptions::default(),
    }
}

impl Feed {
    pub(super) fn open(folder: &Path) -> Self {
        Self::open_with(folder, options())
    }

    pub(super) fn open_with(data: impl Into<Location>, options: RecorderOptions) -> Self {
        let history_handle =
            Arc::new(HistoryHandle::live(ServerId("truth".to_owned()), Timestamp::from_micros(0)));
        let recorder =
            Recorder::open(data, ServerId("truth".to_owned()), options, Arc::clone(&history_handle))
                .expect("opens");
        let resume = recorder.resume();
        let (writer, inputs) = RecorderHandle::channel(16);
        let (to, commands) = mpsc::channel(64);
        let runtime = tokio::runtime::Handle::current();
        let done = tokio::task::spawn_blocking(move || recorder.run(&runtime, inputs, &to));
        Self { history_handle, writer, commands, done, resume }
    }

    pub(super) async fn send(&self, input: CaptureEvent) {
        self.writer.send(input).await.expect("it writes");
    }

    pub(super) async fn end(self) -> Arc<History> {
        drop(self.writer);
        self.done.await.expect("no panic").expect("the store works");
        self.history_handle.current().expect("a history")
    }
}

/// All transactions of the server before the first one in the log (MySQL): that one's GTID event
/// has its source's UUID and number.
fn executed_before(events: &[(u64, Vec<u8>)]) -> String {
    let (_, first) = events.iter().find(|(_, raw)| raw[4] == 33).expect("a GTID event");
    let uuid = u128::from_be_bytes(first[20..36].try_into().expect("sixteen bytes"));
    let number = u64::from_le_bytes(first[36..44].try_into().expect("eight bytes"));
    format!("{uuid:032x}:1-{}", number - 1)
}

pub(super) fn start(fixture: &str, history: &History) -> Start {
    let gtids = (!fixture.starts_with("mariadb")).then(|| executed_before(&events(fixture)));
    Start {
        position: ResumePosition::new(position_at(4), gtids.unwrap_or_default(), server(fixture)),
        at: history.coverage().oldest,
        tables: Vec::new(),
        defaults: Defaults::default(),
        backlog: None,
    }
}

/// The description of a file as a server sends it in front of what comes from its middle.
pub(super) fn description(head: &[u8]) -> Vec<u8> {
    let mut description = head.to_vec();
    description[13..17].fill(0);
    description[17] |= 0x20;
    let end = description.len() - 4;
    let crc = crc32fast::hash(&description[..end]);
    description[end..].copy_from_slice(&crc.to_le_bytes());
    description
}

/// Feeds a whole log, ending the writer again and again in the middle of transactions.
pub(super) async fn fed(
    fixture: &str,
    data: impl Into<Location>,
    restarts: usize,
    options: RecorderOptions,
) -> Arc<History> {
    let data = data.into();
    let files = truth_agent::history(fixture);
    let events = events(fixture);
    let pieces = events.len() / (restarts + 1) + 1;
    let mut from = 0;
    for piece in 0..=restarts {
        let feed = Feed::open_with(&data, options.clone());
        if let Some(resume) = &feed.resume {
            from = events.iter().position(|(at, _)| *at == resume.at.offset).expect("an event begins there");
            feed.send(CaptureEvent::Follow(resume.at.clone(), server(fixture))).await;
            // The server sends the description of the file first, wherever reading begins.
            feed.send(CaptureEvent::Events(vec![description(&events[0].1).into()])).await;
        } else {
            feed.send(CaptureEvent::Begin(start(fixture, &files))).await;
            feed.send(CaptureEvent::Follow(position_at(4), server(fixture))).await;
        }
        let to = ((piece + 1) * pieces).min(events.len());
        for (_, raw) in &events[from..to.max(from)] {
            feed.send(CaptureEvent::Events(vec![raw.clone().into()])).await;
        }
        if piece == restarts {
            let end = events.last().map_or(4, |(at, raw)| at + raw.len() as u64);
            // After a ROTATE event the log goes on at the start of the next file.
            let after = BinlogPosition { file: "binlog.000004".to_owned(), offset: 4 };
            let after =
                if events.last().is_some_and(|(_, raw)| raw[4] == 4) { after } else { position_at(end) };
            feed.send(CaptureEvent::Clock(ValidFrom { after, what: Clock::plain(files.coverage().newest) }))
                .await;
        }
        let history = feed.end().await;
        if piece == restarts {
            assert_eq!(history.coverage(), files.coverage());
            assert_eq!((history.entries(), history.changes()), (files.entries(), files.changes()));
            return history;
        }
    }
    unreachable!("the last piece returns")
}
