//! The clock: no commit after a position bears a stamp at or before the time that was given with
//! it.

use super::harness::{Captured, begins, config, conn, entries, mariadb, sql};
use mysql_async::prelude::Queryable;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_clock_tells_is_true() {
    sql(&[
        "DROP DATABASE IF EXISTS cap8",
        "CREATE DATABASE cap8",
        "CREATE TABLE cap8.t (id INT PRIMARY KEY, v INT)",
    ])
    .await;
    sql(&["INSERT INTO cap8.t SELECT 1, 0 UNION SELECT 2, 0 UNION SELECT 3, 0 UNION SELECT 4, 0"]).await;
    let mut captured = Captured::new(config(), None);
    captured.started().await;
    // Statements of very different lengths, and transactions.
    let slow = tokio::spawn(async {
        let mut conn = conn().await;
        for _ in 0..3 {
            conn.query_drop("UPDATE cap8.t SET v = v + 1 + SLEEP(2.3) WHERE id = 1").await.unwrap();
            conn.query_drop("BEGIN").await.unwrap();
            conn.query_drop("UPDATE cap8.t SET v = v + 1 WHERE id = 2").await.unwrap();
            conn.query_drop("DO SLEEP(0.7)").await.unwrap();
            conn.query_drop("COMMIT").await.unwrap();
        }
    });
    let fast = tokio::spawn(async {
        let mut conn = conn().await;
        loop {
            conn.query_drop("UPDATE cap8.t SET v = v + 1 WHERE id = 3").await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    });
    while !slow.is_finished() {
        captured.step().await;
    }
    fast.abort();
    captured.caught_up().await;
    let clocks = captured.clocks.clone();
    captured.stop().await;
    assert!(clocks.len() > 10, "{clocks:?}");
    let entries = entries().await;
    let mut looked_at = 0;
    for entry in &entries {
        for (after, what) in &clocks {
            if begins(entry).reaches(after) {
                looked_at += 1;
                assert!(
                    entry.committed > *what,
                    "{} at {} behind {after}, told {what}",
                    entry.committed,
                    begins(entry)
                );
            }
        }
    }
    assert!(looked_at > 100, "{looked_at}");
    // And it goes forward.
    let (first, last) = (clocks[0].1, clocks[clocks.len() - 1].1);
    assert!(last.micros() - first.micros() > 3_000_000, "{first} to {last}");
}

/// Where stamps are whole seconds, they are those of the statement's start: this is why the clock
/// waits for statements that run.
#[tokio::test]
async fn the_stamp_of_a_commit() {
    sql(&[
        "DROP DATABASE IF EXISTS cap9",
        "CREATE DATABASE cap9",
        "CREATE TABLE cap9.t (id INT PRIMARY KEY, v INT)",
    ])
    .await;
    sql(&["INSERT INTO cap9.t VALUES (1, 0)"]).await;
    let mut conn = conn().await;
    let clock = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";
    let before: i64 = conn.query_first(clock).await.unwrap().unwrap();
    conn.query_drop("UPDATE cap9.t SET v = 1 + SLEEP(3)").await.unwrap();
    let after: i64 = conn.query_first(clock).await.unwrap().unwrap();
    let entries = entries().await;
    let stamp = entries.last().unwrap().committed.micros();
    let second = |micros: i64| micros.div_euclid(1_000_000);
    if mariadb().await {
        assert!(
            second(stamp) >= second(before) && second(stamp) <= second(before) + 1,
            "{before} {stamp} {after}"
        );
    } else {
        assert!(stamp > before + 2_900_000 && stamp <= after, "{before} {stamp} {after}");
    }
}
