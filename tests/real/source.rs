//! The reading half of capturing against a real server, which `tests/real/source.py` starts and names.
//!
//! `DBTRAIL_SOURCE_URL` is its address (an account that may do everything), `DBTRAIL_SOURCE_LOGS` the folder of its binary logs.

use dbtrail_shim::history::capture::{Input, Start, Wish, Writer};
use dbtrail_shim::history::place::{FilePlace, Place};
use dbtrail_shim::history::source::{self, SourceConfig};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn url() -> String {
    std::env::var("DBTRAIL_SOURCE_URL").expect("DBTRAIL_SOURCE_URL names the server")
}

fn logs() -> PathBuf {
    std::env::var_os("DBTRAIL_SOURCE_LOGS").expect("DBTRAIL_SOURCE_LOGS names the folder of its logs").into()
}

async fn sql(statements: &[&str]) {
    let mut conn = conn().await;
    for statement in statements {
        conn.query_drop(*statement).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
    conn.disconnect().await.unwrap();
}

async fn conn() -> Conn {
    Conn::from_url(url()).await.expect("the server answers")
}

/// A writing half that writes nothing: it keeps what it is told.
struct Captured {
    inputs: mpsc::Receiver<Input>,
    wishes: mpsc::Sender<Wish>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    /// Answered to the question where to go on.
    place: Option<Place>,
    events: Vec<(FilePlace, Vec<u8>)>,
    at: Option<FilePlace>,
}

impl Captured {
    fn from(resume: Option<Place>, change: impl FnOnce(&mut SourceConfig)) -> Self {
        let mut config = SourceConfig::from_url(&url()).unwrap();
        change(&mut config);
        let (writer, inputs) = Writer::channel(64);
        let (wishes, asked) = mpsc::channel(8);
        let stop = CancellationToken::new();
        let task = tokio::spawn(source::run(config, resume.clone(), writer, asked, stop.clone()));
        Self { inputs, wishes, stop, task, place: resume, events: Vec::new(), at: None }
    }

    async fn next(&mut self) -> Input {
        loop {
            let input =
                timeout(Duration::from_secs(60), self.inputs.recv()).await.expect("in time").expect("open");
            match input {
                Input::Where(answer) => answer.send(self.place.clone()).unwrap(),
                Input::Follow(place) => self.at = Some(place),
                Input::Event(event) => self.take(event),
                other => return other,
            }
        }
    }

    /// Follows the rule of [`Input::Event`].
    fn take(&mut self, event: Vec<u8>) {
        let at = self.at.as_mut().expect("a Follow before the first event");
        if event[4] == 15 && at.offset != 4 {
            return;
        }
        let place = at.clone();
        at.offset += event.len() as u64;
        if event[4] == 4 {
            let name = &event[27..event.len() - 4];
            *at = FilePlace { file: String::from_utf8(name.to_vec()).unwrap(), offset: 4 };
        }
        self.events.push((place, event));
    }

    async fn begun(&mut self) -> Start {
        loop {
            if let Input::Begin(start) = self.next().await {
                self.place = Some(start.place.clone());
                return start;
            }
        }
    }

    /// Until the clock says that all before now is in.
    async fn caught_up(&mut self) {
        let (file, offset): (String, u64) = {
            let mut conn = conn().await;
            let sql = if conn.server_version() >= (8, 2, 0) && conn.server_version() < (10, 0, 0) {
                "SHOW BINARY LOG STATUS"
            } else {
                "SHOW MASTER STATUS"
            };
            let row: mysql_async::Row = conn.query_first(sql).await.unwrap().unwrap();
            (row.get(0).unwrap(), row.get(1).unwrap())
        };
        let end = FilePlace { file, offset };
        while !self.at.as_ref().is_some_and(|at| at.reaches(&end)) {
            self.next().await;
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// Whether the events are byte for byte what stands in the server's files.
    fn stand_in_the_files(&self) {
        assert!(!self.events.is_empty());
        for (place, event) in &self.events {
            let file = std::fs::read(logs().join(&place.file)).unwrap();
            let from = usize::try_from(place.offset).unwrap();
            let mut there = file[from..from + event.len()].to_vec();
            if event[4] == 15 {
                // The flag of a file that is in use, which the checksum leaves out.
                there[17] &= !1;
            }
            let mut event = event.clone();
            if event[4] == 15 {
                event[17] &= !1;
            }
            assert!(there == event, "{place}, type {}", event[4]);
        }
    }
}

#[tokio::test]
async fn events_arrive_as_they_stand_in_the_log() {
    sql(&[
        "DROP DATABASE IF EXISTS cap1",
        "CREATE DATABASE cap1",
        "CREATE TABLE cap1.t (id INT PRIMARY KEY, v LONGTEXT)",
    ])
    .await;
    let mut captured = Captured::from(None, |_| {});
    let start = captured.begun().await;
    assert!(start.tables.iter().any(|t| t.name.to_string() == "cap1.t" && t.create.contains("PRIMARY KEY")));
    let long = "INSERT INTO cap1.t VALUES (2, REPEAT('x', 20000000))";
    sql(&[
        "INSERT INTO cap1.t VALUES (1, 'a')",
        "FLUSH BINARY LOGS",
        long,
        "UPDATE cap1.t SET v = 'b'",
        "DROP TABLE cap1.t",
    ])
    .await;
    captured.caught_up().await;
    let (first, _) = &captured.events[0];
    assert_eq!(*first, start.place.at);
    let files: std::collections::BTreeSet<_> = captured.events.iter().map(|(p, _)| p.file.clone()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    captured.stand_in_the_files();
    captured.stop().await;
}
