//! The writing half of capturing, fed with the events of recorded logs as a server sends them: on
//! disk, and across restarts, it must be the history that the files give.

mod backup;
mod feed;
#[cfg(feature = "object-store")]
mod into_buckets;
mod named_sessions;
mod reconnected;
mod two_rows;

use crate::truth_agent;
use dbtrail_history::History;
use dbtrail_history::binlog_position::{BinlogPosition, Identity, ResumePosition};
use dbtrail_history::capture::BaselineRows;
use dbtrail_history::capture::CaptureCommand;
use dbtrail_history::capture::CaptureEvent;
use dbtrail_history::capture::ClockReading as Clock;
use dbtrail_history::capture::Declared;
use dbtrail_history::capture::LogLoss;
use dbtrail_history::capture::Start;
use dbtrail_history::capture::ValidFrom;
use dbtrail_history::engine::DiskOptions;
use dbtrail_history::query::Reading;
use dbtrail_history::recorder::OpenError;
use dbtrail_history::recorder::RecorderOptions;
use dbtrail_history::recorder::read_status;
use dbtrail_types::agent_api::{KeyChoice, Keys, Octets, RowsRequest};
use dbtrail_types::names::{ServerId, TableName};
use dbtrail_types::timestamp::{AsOf, Timestamp};
use feed::{Feed, description, events, fed, options, position_at, server, start};
use std::sync::Arc;
use tokio::sync::oneshot;

async fn is_as_from_files(fixture: &str, transactions: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = DiskOptions { transactions, ..DiskOptions::default() };
    let history = fed(fixture, folder.path(), 13, RecorderOptions { disk, ..options() }).await;
    truth_agent::states(&history, fixture);
    truth_agent::changes(&history, fixture);
    drop(history);
    let status = read_status(folder.path(), None, Timestamp::from_micros(0)).expect("a status");
    // Nobody writes: nothing lags.
    assert_eq!(status.lag_seconds, None);
    assert!(status.transactions > 100 && status.tables.iter().all(|t| t.readable || t.reason.is_some()));
    let other = read_status(folder.path(), Some(ServerId("other".to_owned())), Timestamp::from_micros(0));
    assert!(matches!(other, Err(OpenError::Other { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_9_7_recorded_with_restarts() {
    is_as_from_files("mysql-9.7", DiskOptions::default().transactions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_10_11_recorded_with_restarts() {
    is_as_from_files("mariadb-10.11", DiskOptions::default().transactions).await;
}

/// The same where the history is in an object store, and through a reader of it.
#[cfg(feature = "object-store")]
#[tokio::test(flavor = "multi_thread")]
async fn recorded_into_a_bucket_with_restarts_and_read_by_another() {
    use dbtrail_history::HistoryHandle;
    use dbtrail_history::engine::{Bucket, Location, StoreKind};
    use dbtrail_history::follower::Follower;
    let all = DiskOptions::default().transactions;
    for (fixture, transactions) in [("mysql-9.7", all), ("mariadb-10.11", 600)] {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("objects").display().to_string();
        let bucket = Some(Bucket { kind: StoreKind::File, name, prefix: String::new() });
        let data = Location { folder: folder.path().to_owned(), bucket };
        let disk = DiskOptions { transactions, ..DiskOptions::default() };
        let history = fed(fixture, &data, 4, RecorderOptions { disk, ..options() }).await;
        truth_agent::states(&history, fixture);
        truth_agent::changes(&history, fixture);
        let handle = Arc::new(HistoryHandle::live(ServerId("truth".to_owned()), Timestamp::from_micros(0)));
        let options = DiskOptions { cache: 8 << 20, ..DiskOptions::default() };
        let mut follower = Follower::new(data.clone(), options, &handle).expect("a bucket");
        follower.look().expect("it reads");
        let read = handle.current().expect("a history");
        assert_eq!((read.coverage(), read.changes()), (history.coverage(), history.changes()));
        truth_agent::states(&read, fixture);
        truth_agent::changes(&read, fixture);
        let status = read_status(&data, None, Timestamp::from_micros(0)).expect("a status");
        assert!(status.transactions > 100);
        let other = Arc::new(HistoryHandle::live(ServerId("other".to_owned()), Timestamp::from_micros(0)));
        let mut follower = Follower::new(data, options, &other).expect("a bucket");
        assert!(follower.look().expect_err("of another server").to_string().contains("and not of 'other'"));
        assert!(other.current().is_none());
    }
}

/// The same where transactions go to a temporary file, and to the store in pieces.
#[tokio::test(flavor = "multi_thread")]
async fn large_transactions_recorded_with_restarts() {
    for (fixture, transactions) in [("mysql-9.7", 600), ("mariadb-10.11", 0)] {
        is_as_from_files(fixture, transactions).await;
    }
}

/// Positions of two servers cannot be compared: a clock that waits for one of a server that is gone
/// would hold up all that come after it.
#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_another_server_holds_nothing_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = truth_agent::history("mysql-9.7");
    let newest = Timestamp::from_micros(files.coverage().newest.micros() + 7);
    let feed = Feed::open(folder.path());
    feed.send(CaptureEvent::Begin(start("mysql-9.7", &files))).await;
    feed.send(CaptureEvent::Follow(position_at(4), server("mysql-9.7"))).await;
    let never = BinlogPosition { file: "binlog.000900".to_owned(), offset: 4 };
    let late = Timestamp::from_micros(newest.micros() + 5_000_000);
    feed.send(CaptureEvent::Clock(ValidFrom { after: never, what: Clock::plain(late) })).await;
    let other = Identity { uuid: Some("another".to_owned()), ..server("mysql-9.7") };
    feed.send(CaptureEvent::Follow(position_at(4), other)).await;
    feed.send(CaptureEvent::Clock(ValidFrom { after: position_at(4), what: Clock::plain(newest) })).await;
    assert_eq!(feed.end().await.coverage().newest, newest);
}

/// An event of the same length that was written at another time.
fn altered(mut raw: Vec<u8>) -> Vec<u8> {
    raw[0] ^= 1;
    let end = raw.len() - 4;
    let crc = crc32fast::hash(&raw[..end]);
    raw[end..].copy_from_slice(&crc.to_le_bytes());
    raw
}

/// A restore under the same identity: files, lengths and GTIDs as before, and another history.
#[tokio::test(flavor = "multi_thread")]
async fn another_history_of_the_same_lengths_is_a_gap() {
    for fixture in ["mysql-9.7", "mariadb-10.11"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (files, events) = (truth_agent::history(fixture), events(fixture));
        let half = events.len() / 2;
        let feed = Feed::open(folder.path());
        feed.send(CaptureEvent::Begin(start(fixture, &files))).await;
        feed.send(CaptureEvent::Follow(position_at(4), server(fixture))).await;
        feed.send(CaptureEvent::Events(events[..half].iter().map(|e| e.1.clone().into()).collect())).await;
        feed.end().await;
        for other in [false, true] {
            let mut feed = Feed::open(folder.path());
            let resume = feed.resume.clone().expect("a place");
            let last = resume.last.clone().expect("an event");
            assert_eq!((resume.from(), last.ends()), (last.begins(), resume.at.clone()), "{fixture}");
            feed.send(CaptureEvent::Follow(resume.from(), server(fixture))).await;
            let mut raw = description(&events[0].1);
            feed.send(CaptureEvent::Events(vec![raw.into()])).await;
            raw = events.iter().find(|(at, _)| *at == last.offset).expect("it is there").1.clone();
            raw = if other { altered(raw) } else { raw };
            feed.send(CaptureEvent::Events(vec![raw.into()])).await;
            feed.writer.resume_position().await.expect("it writes");
            let mut reasons = Vec::new();
            while let Ok(command) = feed.commands.try_recv() {
                if let CaptureCommand::Resnapshot(why) = command {
                    reasons.push(why);
                }
            }
            assert_eq!(reasons.len(), usize::from(other), "{reasons:?}");
            assert!(reasons.iter().all(|why| matches!(why, LogLoss::OtherEvent { .. })), "{reasons:?}");
            feed.end().await;
        }
    }
}

/// A server without GTIDs: only positions tell what came before.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_is_not_taken_in_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, mut events) = (truth_agent::history("mysql-9.7"), events("mysql-9.7"));
    for (_, raw) in events.iter_mut().filter(|(_, raw)| raw[4] == 33) {
        // GTID_LOG_EVENT to ANONYMOUS_GTID_LOG_EVENT: the same body.
        raw[4] = 34;
        let end = raw.len() - 4;
        let crc = crc32fast::hash(&raw[..end]);
        raw[end..].copy_from_slice(&crc.to_le_bytes());
    }
    for round in 0..2 {
        let feed = Feed::open(folder.path());
        if round == 0 {
            feed.send(CaptureEvent::Begin(Start {
                position: ResumePosition::new(position_at(4), String::new(), server("mysql-9.7")),
                ..start("mysql-9.7", &files)
            }))
            .await;
        }
        feed.send(CaptureEvent::Follow(position_at(4), server("mysql-9.7"))).await;
        feed.send(CaptureEvent::Events(events.iter().map(|(_, raw)| raw.clone().into()).collect())).await;
        let history = feed.end().await;
        assert_eq!(
            (history.entries(), history.changes()),
            (files.entries(), files.changes()),
            "round {round}"
        );
    }
}

/// A start with a table that no event of the log speaks of.
fn start_with_quiet(files: &History) -> Start {
    let mut begin = start("mysql-9.7", files);
    begin.tables.push(Declared {
        name: TableName { schema: "shop".to_owned(), table: "quiet".to_owned() },
        create: "CREATE TABLE `quiet` (`id` int NOT NULL, `v` int DEFAULT NULL, PRIMARY KEY (`id`)) \
                 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"
            .to_owned(),
    });
    begin
}

/// Begins so, and tells of the instant at which the record begins that the log has come there.
async fn begin_with_quiet(feed: &Feed, files: &History) {
    feed.send(CaptureEvent::Begin(start_with_quiet(files))).await;
    feed.send(CaptureEvent::Follow(position_at(4), server("mysql-9.7"))).await;
    let what = Clock::plain(files.coverage().oldest);
    feed.send(CaptureEvent::Clock(ValidFrom { after: position_at(4), what })).await;
}

fn row(id: &str, v: &str) -> Vec<Option<Vec<u8>>> {
    vec![Some(id.as_bytes().to_vec()), Some(v.as_bytes().to_vec())]
}

/// Keys 1 and 2 of a table that no event of the log speaks of, as `_snapshot` and `_flashback` tell
/// them now. The rows that are given.
fn rows_at(history: &Arc<History>, reading: Reading) -> Result<Vec<String>, String> {
    let text = full_answer(history, reading)?;
    Ok(text.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect())
}

fn full_answer(history: &Arc<History>, reading: Reading) -> Result<String, String> {
    let request = RowsRequest {
        server_id: ServerId("truth".to_owned()),
        schema: "shop".to_owned(),
        table: "quiet".to_owned(),
        keys: Keys {
            columns: vec!["id".to_owned()],
            choice: KeyChoice::Values(vec![vec![Octets(b"1".to_vec())], vec![Octets(b"2".to_vec())]]),
        },
        at: AsOf::Time(history.coverage().oldest),
        filter: None,
        limit: None,
    };
    let answer = history.rows(&request, reading).map_err(|refused| refused.code.to_owned())?;
    let bytes: Vec<u8> = answer.flat_map(|chunk| chunk.expect("no failure on the way")).collect();
    Ok(String::from_utf8(bytes).expect("JSON"))
}

/// Rows of a table, and the server's clock, are newer than the log that was taken in: they count
/// when it has come to where they were read.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_out_of_band_waits_for_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let (files, events) = (truth_agent::history("mysql-9.7"), events("mysql-9.7"));
    let feed = Feed::open(folder.path());
    begin_with_quiet(&feed, &files).await;
    let job = feed.writer.next_job(Vec::new()).await.expect("it writes").expect("a table to read");
    assert!(
        feed.writer.next_job(vec![job.generation]).await.expect("it writes").is_none(),
        "it is the only one"
    );
    let (half, rest) = events.split_at(events.len() / 2);
    let after = position_at(half.last().map_or(4, |(at, raw)| at + raw.len() as u64));
    let rows = BaselineRows {
        generation: job.generation,
        definition: job.definition,
        rows: vec![row("1", "7")],
        end: true,
    };
    let (answer, mut kept) = oneshot::channel();
    feed.send(CaptureEvent::Baseline(ValidFrom { after: after.clone(), what: rows }, answer)).await;
    let newest = Timestamp::from_micros(files.coverage().oldest.micros() + 1);
    feed.send(CaptureEvent::Clock(ValidFrom { after, what: Clock::plain(newest) })).await;
    let (last, before) = half.split_last().expect("events");
    feed.send(CaptureEvent::Events(before.iter().map(|(_, raw)| raw.clone().into()).collect())).await;
    // Asked after all of that, so all of it has been looked at by now.
    feed.writer.resume_position().await.expect("it writes").expect("a place");
    let early = feed.history_handle.current().expect("a history");
    assert!(kept.try_recv().is_err(), "kept before the log had come there");
    assert_eq!(rows_at(&early, Reading::Snapshot), Err("not_recorded".to_owned()));
    assert_eq!(early.coverage().newest, early.coverage().oldest);
    feed.send(CaptureEvent::Events(vec![last.1.clone().into()])).await;
    assert_eq!(kept.await, Ok(true));
    feed.writer.resume_position().await.expect("it writes");
    let late = feed.history_handle.current().expect("a history");
    assert_eq!(rows_at(&late, Reading::Snapshot), Ok(vec!["[\"1\",\"7\"]".to_owned()]), "2 had no row");
    let oldest = late.coverage().oldest;
    let note = format!(r#"{{"code":"never_existed","key":["2"],"at":"{oldest}"}}"#);
    let all = full_answer(&late, Reading::Snapshot).expect("an answer");
    assert!(all.contains(&note), "{all}");
    assert_eq!(
        rows_at(&late, Reading::Flashback),
        Err("not_recorded".to_owned()),
        "changes alone tell nothing"
    );
    assert_eq!(late.coverage().newest, newest);
    assert_eq!(rows_at(&early, Reading::Snapshot), Err("not_recorded".to_owned()), "a history never changes");
    feed.send(CaptureEvent::Events(rest.iter().map(|(_, raw)| raw.clone().into()).collect())).await;
    assert_eq!(rows_at(&feed.end().await, Reading::Snapshot), Ok(vec!["[\"1\",\"7\"]".to_owned()]));
}
