//! Events, resuming, gaps.

use super::harness::{Captured, begins, config, conn, entries, files, log_end, mariadb, sql};
use dbtrail_history::GtidSet;
use dbtrail_history::capture::{CaptureCommand, LogLoss};
use dbtrail_history::log::{Change, Raw};
use mysql_async::prelude::Queryable;
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn events_arrive_as_they_stand_in_the_log() {
    sql(&[
        "DROP DATABASE IF EXISTS cap1",
        "CREATE DATABASE cap1",
        "CREATE TABLE cap1.t (id INT PRIMARY KEY, v LONGTEXT)",
    ])
    .await;
    let mut captured = Captured::new(config(), None);
    let (_, start) = captured.started().await;
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
    assert_eq!(captured.events[0].0, start.position.at);
    let files: BTreeSet<_> = captured.events.iter().map(|(p, _)| p.file.clone()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(captured.follows, [start.position.at]);
    captured.are_in_the_files();
    captured.stop().await;
}

#[tokio::test]
async fn a_broken_connection_is_made_again_from_where_the_writing_half_is() {
    sql(&[
        "DROP DATABASE IF EXISTS cap2",
        "CREATE DATABASE cap2",
        "CREATE TABLE cap2.t (id INT PRIMARY KEY)",
    ])
    .await;
    let mut captured = Captured::new(config(), None);
    let (_, start) = captured.started().await;
    sql(&["INSERT INTO cap2.t VALUES (1)"]).await;
    captured.caught_up().await;
    let taken = captured.events.len();
    let mut conn = conn().await;
    let find = "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'";
    let ids: Vec<u64> = conn.query(find).await.unwrap();
    for id in ids {
        conn.query_drop(format!("KILL {id}")).await.unwrap();
    }
    captured.until(|c| c.connection.last().is_some_and(Result::is_err)).await;
    sql(&["INSERT INTO cap2.t VALUES (2)"]).await;
    captured.until(|c| c.connection.last().is_some_and(Result::is_ok)).await;
    captured.caught_up().await;
    // The harness said to go on from the start: all is there again, and then the rest.
    assert_eq!(captured.follows, [start.position.at.clone(), start.position.at]);
    let (first, again) = captured.events.split_at(taken);
    assert_eq!(first, &again[..taken]);
    assert!(again.len() > taken);
    captured.are_in_the_files();
    captured.stop().await;
}

#[tokio::test]
async fn an_idle_server_says_that_it_is_there() {
    let mut config = config();
    config.heartbeat = Duration::from_millis(300);
    let mut captured = Captured::new(config, None);
    captured.started().await;
    // Three periods without a sign of life would end the connection; the clock ticks twice a
    // second.
    captured.until(|c| c.clocks.len() > 7).await;
    assert_eq!(captured.connection, [Ok(())]);
    captured.stop().await;
}

#[tokio::test]
async fn a_purged_log_is_a_gap() {
    sql(&[
        "DROP DATABASE IF EXISTS cap3",
        "CREATE DATABASE cap3",
        "CREATE TABLE cap3.t (id INT PRIMARY KEY)",
    ])
    .await;
    let mut captured = Captured::new(config(), None);
    captured.started().await;
    captured.caught_up().await;
    let position = captured.position.clone();
    captured.stop().await;
    sql(&["INSERT INTO cap3.t VALUES (1)", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS"]).await;
    let end = log_end().await;
    // MariaDB keeps a file for as long as a connection that was closed has not been missed.
    while files().await.len() > 1 {
        sql(&[&format!("PURGE BINARY LOGS TO '{}'", end.file)]).await;
    }
    let mut captured = Captured::new(config(), position);
    let (reason, start) = captured.started().await;
    let reason = reason.expect("a gap");
    assert!(reason.contains("purged"), "{reason}");
    assert_eq!(start.position.at.file, end.file);
    sql(&["INSERT INTO cap3.t VALUES (2)"]).await;
    captured.caught_up().await;
    captured.are_in_the_files();
    captured.stop().await;
}

#[tokio::test]
async fn a_log_that_was_reset_is_a_gap() {
    sql(&[
        "DROP DATABASE IF EXISTS cap4",
        "CREATE DATABASE cap4",
        "CREATE TABLE cap4.t (id INT PRIMARY KEY)",
    ])
    .await;
    let reset = if mariadb().await { "RESET MASTER" } else { "RESET BINARY LOGS AND GTIDS" };
    sql(&[reset, "INSERT INTO cap4.t VALUES (1)", "INSERT INTO cap4.t VALUES (2)"]).await;
    let mut captured = Captured::new(config(), None);
    captured.started().await;
    let position = captured.position.clone();
    captured.stop().await;
    // The new log has an event at the old one's position: one transaction of other length.
    let long = format!(
        "INSERT INTO cap4.t VALUES {}",
        (10..60).map(|i| format!("({i})")).collect::<Vec<_>>().join(",")
    );
    sql(&[reset, &long]).await;
    let mut captured = Captured::new(config(), position);
    let (reason, _) = captured.started().await;
    let reason = reason.expect("a gap");
    assert!(reason.contains("restored") || reason.contains("was the log reset"), "{reason}");
    captured.stop().await;
}

#[tokio::test]
async fn at_another_server_it_goes_on_by_gtid() {
    sql(&[
        "DROP DATABASE IF EXISTS cap5",
        "CREATE DATABASE cap5",
        "CREATE TABLE cap5.t (id INT PRIMARY KEY)",
    ])
    .await;
    sql(&["INSERT INTO cap5.t VALUES (1)", "FLUSH BINARY LOGS", "INSERT INTO cap5.t VALUES (2)"]).await;
    let mut captured = Captured::new(config(), None);
    let (_, start) = captured.started().await;
    captured.stop().await;
    sql(&["INSERT INTO cap5.t VALUES (3)", "FLUSH BINARY LOGS", "INSERT INTO cap5.t VALUES (4)"]).await;
    let mut position = start.position.clone();
    if position.server.mariadb {
        position.server.server_id = 4711;
    } else {
        position.server.uuid = Some("3e11fa47-71ca-11e1-9e33-c80aa9429562".to_owned());
    }
    position.at.file = "another.000001".to_owned();
    let mut captured = Captured::new(config(), Some(position.clone()));
    captured.caught_up().await;
    captured.are_in_the_files();
    let last_key =
        captured.events.iter().filter(|(p, e)| [33, 162].contains(&e[4]) && p.reaches(&start.position.at));
    let before =
        captured.events.iter().filter(|(p, e)| [33, 162].contains(&e[4]) && !p.reaches(&start.position.at));
    assert_eq!((before.count(), last_key.count()), (0, 2));
    captured.stop().await;
    // Without GTIDs there is no going on.
    position.gtids.clear();
    let mut captured = Captured::new(config(), Some(position));
    let (reason, _) = captured.started().await;
    assert!(reason.expect("a gap").contains("another server answers"));
    captured.stop().await;
}

/// The ids of the rows that a change put into the schema of the test below.
fn ids(change: &Change) -> Vec<u64> {
    let mut ids = Vec::new();
    if let Change::Rows(event) = change
        && event.table.name.schema == "cap6"
    {
        let mut images = event.rows();
        while images.step().expect("an image that can be read") {
            match images.after().and_then(|image| image.first()?.as_ref()) {
                Some(Raw::Int(id)) => ids.push(u64::try_from(*id).unwrap()),
                other => panic!("{other:?}"),
            }
        }
    }
    ids
}

/// Every row before the position can be read, every one after it comes by the stream, and the GTIDs
/// are those before the position.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_under_load_is_exact() {
    sql(&[if mariadb().await { "RESET MASTER" } else { "RESET BINARY LOGS AND GTIDS" }]).await;
    sql(&[
        "DROP DATABASE IF EXISTS cap6",
        "CREATE DATABASE cap6",
        "CREATE TABLE cap6.t (id BIGINT AUTO_INCREMENT PRIMARY KEY)",
    ])
    .await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn(async {
                let mut conn = conn().await;
                loop {
                    conn.query_drop("INSERT INTO cap6.t VALUES ()").await.unwrap();
                }
            })
        })
        .collect();
    let mut starts = Vec::new();
    for _ in 0..10 {
        let mut captured = Captured::new(config(), None);
        let (_, start) = captured.started().await;
        let seen: BTreeSet<u64> =
            conn().await.query("SELECT id FROM cap6.t").await.unwrap().into_iter().collect();
        captured.stop().await;
        starts.push((start, seen));
    }
    for writer in writers {
        writer.abort();
    }
    let entries = entries().await;
    for (start, seen) in starts {
        let before: Vec<_> = entries.iter().filter(|e| !begins(e).reaches(&start.position.at)).collect();
        let ids = before.iter().flat_map(|e| e.changes.in_memory()).flat_map(ids);
        let missing: Vec<u64> = ids.filter(|id| !seen.contains(id)).collect();
        assert!(missing.is_empty(), "before {} and not to be seen: {missing:?}", start.position.at);
        assert!(before.iter().all(|e| e.committed <= start.at));
        let gtids =
            before.iter().filter_map(|e| e.gtid.as_ref()).map(ToString::to_string).collect::<Vec<_>>();
        let want =
            if start.position.server.mariadb { gtids.last().unwrap().clone() } else { gtids.join(",") };
        assert_eq!(GtidSet::parse(&start.position.gtids), GtidSet::parse(&want), "{}", start.position.at);
    }
}

#[tokio::test]
async fn commands_are_answered() {
    sql(&[
        "DROP DATABASE IF EXISTS cap7",
        "CREATE DATABASE cap7",
        "CREATE TABLE cap7.t (id INT PRIMARY KEY)",
        "CREATE VIEW cap7.v AS SELECT 1",
    ])
    .await;
    let name = |table: &str| dbtrail_types::names::TableName { schema: "cap7".into(), table: table.into() };
    let mut captured = Captured::new(config(), None);
    let (_, start) = captured.started().await;
    assert!(start.tables.iter().all(|t| t.name != name("v")));
    captured.commands.send(CaptureCommand::Compare(vec![name("t"), name("none")])).await.unwrap();
    captured.commands.send(CaptureCommand::Renew(name("v"))).await.unwrap();
    captured.until(|c| c.definitions.len() == 3).await;
    let found =
        |wanted: &str| captured.definitions.iter().find(|(n, _)| *n == name(wanted)).unwrap().1.clone();
    assert!(found("t").unwrap().starts_with("CREATE TABLE `t` ("));
    assert_eq!((found("none"), found("v")), (None, None));
    let why = LogLoss::TableNames { setting: 2 };
    captured.commands.send(CaptureCommand::Resnapshot(why.clone())).await.unwrap();
    let (reason, _) = captured.started().await;
    assert_eq!(reason, Some(why.to_string()));
    captured.stop().await;
}
