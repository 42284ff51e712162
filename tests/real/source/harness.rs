//! A real server, and a writing half that keeps what it is sent.

use dbtrail_history::binlog_position::{BinlogPosition, ResumePosition};
use dbtrail_history::capture::{
    BaselineJob, BaselineRows, CaptureCommand, CaptureEvent, RecorderHandle, Start, ValidFrom,
};
use dbtrail_history::log::{CommittedTransaction, LogReader};
use dbtrail_history::source::{self, SourceConfig};
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The address of the server.
pub fn url() -> String {
    std::env::var("DBTRAIL_SOURCE_URL").expect("DBTRAIL_SOURCE_URL names the server")
}

/// The folder of its binary logs, which is that of its data.
pub fn logs() -> PathBuf {
    std::env::var_os("DBTRAIL_SOURCE_LOGS").expect("DBTRAIL_SOURCE_LOGS names the folder of its logs").into()
}

pub async fn conn() -> Conn {
    Conn::from_url(url()).await.expect("the server answers")
}

/// Runs statements on a connection of their own.
pub async fn sql(statements: &[&str]) {
    let mut conn = conn().await;
    for statement in statements {
        conn.query_drop(*statement).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
    conn.disconnect().await.expect("disconnect");
}

/// Whether the server is MariaDB.
pub async fn mariadb() -> bool {
    let version: String =
        conn().await.query_first("SELECT VERSION()").await.expect("version").expect("a row");
    version.contains("MariaDB")
}

pub async fn log_end() -> BinlogPosition {
    let sql = if mariadb().await { "SHOW MASTER STATUS" } else { "SHOW BINARY LOG STATUS" };
    let row: mysql_async::Row = conn().await.query_first(sql).await.expect("a place").expect("a row");
    BinlogPosition { file: row.get(0).expect("file"), offset: row.get(1).expect("position") }
}

/// The files that the server has, in order.
pub async fn files() -> Vec<PathBuf> {
    let rows: Vec<mysql_async::Row> = conn().await.query("SHOW BINARY LOGS").await.expect("the logs");
    rows.iter().map(|r| logs().join(r.get::<String, _>(0).expect("a name"))).collect()
}

/// All that was committed, read from the files.
pub async fn entries() -> Vec<CommittedTransaction> {
    let files = files().await;
    LogReader::open(&files).expect("binary logs").collect::<Result<_, _>>().expect("they can be read")
}

/// Where an entry begins.
pub fn begins(entry: &CommittedTransaction) -> BinlogPosition {
    BinlogPosition { file: entry.position.file.clone(), offset: entry.position.offset }
}

pub fn config() -> SourceConfig {
    SourceConfig::from_url(&url()).expect("an address")
}

/// A writing half that writes nothing: it keeps what it is sent.
pub struct Captured {
    inputs: mpsc::Receiver<CaptureEvent>,
    pub commands: mpsc::Sender<CaptureCommand>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    /// Answered to the question where to go on.
    pub position: Option<ResumePosition>,
    pub events: Vec<(BinlogPosition, Vec<u8>)>,
    pub follows: Vec<BinlogPosition>,
    pub clocks: Vec<(BinlogPosition, Timestamp)>,
    pub jobs: VecDeque<BaselineJob>,
    pub baseline: Vec<ValidFrom<BaselineRows>>,
    pub definitions: Vec<(TableName, Option<String>)>,
    pub connection: Vec<Result<(), String>>,
    at: Option<BinlogPosition>,
}

impl Captured {
    pub fn new(config: SourceConfig, resume: Option<ResumePosition>) -> Self {
        let (writer, inputs) = RecorderHandle::channel(64);
        let (commands, asked) = mpsc::channel(8);
        let stop = CancellationToken::new();
        let task = tokio::spawn(source::run(config, resume.clone(), writer, asked, stop.clone()));
        Self {
            inputs,
            commands,
            stop,
            task,
            position: resume,
            events: Vec::new(),
            follows: Vec::new(),
            clocks: Vec::new(),
            jobs: VecDeque::new(),
            baseline: Vec::new(),
            definitions: Vec::new(),
            connection: Vec::new(),
            at: None,
        }
    }

    /// The next start or gap; all else is kept.
    pub async fn step(&mut self) -> Option<(Option<String>, Start)> {
        let input =
            timeout(Duration::from_secs(60), self.inputs.recv()).await.expect("in time").expect("open");
        match input {
            CaptureEvent::Where(answer) => answer.send(self.position.clone()).expect("still wanted"),
            CaptureEvent::Follow(position, _) => {
                self.follows.push(position.clone());
                self.at = Some(position);
            }
            CaptureEvent::Events(events) => {
                for event in events {
                    self.take(event.raw);
                }
            }
            CaptureEvent::Clock(clock) => self.clocks.extend(clock.what.safe.map(|safe| (clock.after, safe))),
            CaptureEvent::Definition(definition) => {
                let seen = definition.what;
                self.definitions.push((seen.name, seen.create));
            }
            CaptureEvent::NextJob(_, answer) => {
                // Nobody waits any more if the connection broke meanwhile.
                let _ = answer.send(self.jobs.front().cloned());
            }
            CaptureEvent::View(..) => panic!("no job of these tests is held"),
            CaptureEvent::Baseline(rows, answer) => {
                self.keep(&rows);
                self.baseline.push(rows);
                let _ = answer.send(true);
            }
            // How names compare, and whose connections are whose, is the recorder's business.
            CaptureEvent::Names(_) | CaptureEvent::Sessions(_) => {}
            CaptureEvent::Connection(state) => {
                self.connection.push(state.map_err(|why| why.to_string()));
            }
            CaptureEvent::Begin(start) => {
                self.position = Some(start.position.clone());
                return Some((None, start));
            }
            CaptureEvent::Gap(reason, start) => {
                self.position = Some(start.position.clone());
                return Some((Some(reason.to_string()), start));
            }
        }
        None
    }

    fn keep(&mut self, rows: &ValidFrom<BaselineRows>) {
        let job = self.jobs.front_mut().expect("a job was given");
        if let Some(last) = rows.what.rows.last() {
            let key = job.columns.primary_key.iter();
            job.last_key =
                Some(key.map(|n| last[job.columns.position(n).expect("visible")].clone()).collect());
        }
        if rows.what.end {
            self.jobs.pop_front();
        }
    }

    /// Follows the rule of [`CaptureEvent::Events`].
    fn take(&mut self, event: Vec<u8>) {
        let at = self.at.as_mut().expect("a Follow before the first event");
        if event[4] == 15 && at.offset != 4 {
            return;
        }
        let position = at.clone();
        at.offset += event.len() as u64;
        if event[4] == 4 {
            let name = &event[27..event.len() - 4];
            *at = BinlogPosition { file: String::from_utf8_lossy(name).into_owned(), offset: 4 };
        }
        self.events.push((position, event));
    }

    /// Waits for a start; the reason if it is one after a gap.
    pub async fn started(&mut self) -> (Option<String>, Start) {
        loop {
            if let Some(start) = self.step().await {
                return start;
            }
        }
    }

    /// Takes what comes until this holds.
    pub async fn until(&mut self, what: impl Fn(&Self) -> bool) {
        while !what(self) {
            assert!(self.step().await.is_none(), "no start was expected");
        }
    }

    /// Until the log is in up to its end of now.
    pub async fn caught_up(&mut self) {
        let end = log_end().await;
        self.until(|c| c.at.as_ref().is_some_and(|at| at.reaches(&end))).await;
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("it ends by itself");
    }

    /// Whether the events are byte for byte what is in the server's files.
    pub fn are_in_the_files(&self) {
        assert!(!self.events.is_empty());
        for (position, event) in &self.events {
            let file = std::fs::read(logs().join(&position.file)).expect("the file");
            let from = usize::try_from(position.offset).expect("small");
            let mut there = file[from..from + event.len()].to_vec();
            let mut event = event.clone();
            if event[4] == 15 {
                // The flag of a file that is in use, which the checksum leaves out.
                there[17] &= !1;
                event[17] &= !1;
            }
            assert!(there == event, "{position}, type {}", event[4]);
        }
    }
}
